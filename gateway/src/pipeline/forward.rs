//! Sends what was disclosed to the provider, once, and waits for the head of the answer.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, header};
use http_body_util::Full;
use lienthong_disclosure::Tally;
use lienthong_model::reason::ReasonCode;
use tokio::time::Instant;

use super::{
    charge::Charged, decide::Permitted, disclose_request::DisclosedRequest, record_intent::Receipt,
};
use crate::{
    provider::{InFlight, ProviderBody},
    quota::Charge,
    refusal::Refusal,
    xroad,
};

/// About as many headers as a request has, the host's included.
const MOST_HEADERS: usize = 12;

/// The provider's answer: its head, and a body that nobody has read.
#[derive(Debug)]
pub struct Answer {
    pub(super) response: http::Response<ProviderBody>,
    pub(super) deadline: Instant,
    pub(super) request_tally: Tally,
    pub(super) in_flight: InFlight,
    pub(super) charge: Charge,
}

/// Forwards a disclosed request.
///
/// # Errors
/// `provider.busy`, `provider.unreachable`, `provider.timeout`, `provider.interrupted`.
pub async fn forward(
    permitted: &Permitted,
    disclosed: DisclosedRequest,
    (charged, _receipt): (Charged, Receipt),
    request_id: &HeaderValue,
) -> Result<Answer, Refusal> {
    let provider = &permitted.route().provider;
    let in_flight = provider.admit()?;
    let deadline = Instant::now() + provider.settings().answer;
    let request_tally = disclosed.tally.clone();
    let request = request(permitted, disclosed, request_id)?;
    let mut charge = charged.charge;
    // From here on the provider may know, also when the consumer goes away in between.
    charge.commit();
    let response = tokio::time::timeout_at(deadline, provider.send(request))
        .await
        .map_err(|_| Refusal::new(ReasonCode::ProviderTimeout))?
        .inspect_err(|refusal| {
            if refusal.reason == ReasonCode::ProviderUnreachable {
                charge.release();
            }
        })?;
    Ok(Answer { response, deadline, request_tally, in_flight, charge })
}

/// Builds the provider's request. Every header is named here; none of the consumer's passes by
/// itself.
fn request(
    permitted: &Permitted,
    disclosed: DisclosedRequest,
    request_id: &HeaderValue,
) -> Result<Request<Full<Bytes>>, Refusal> {
    let route = permitted.route();
    let message = &permitted.message;
    let internal = |error: http::Error| Refusal::caused(ReasonCode::GatewayInternal, error);
    let (body, content_type) = disclosed.body.unzip();
    let body = body.unwrap_or_default();
    let mut request = Request::builder()
        .method(route.operation.method.as_str())
        .uri(disclosed.address)
        .body(Full::new(body))
        .map_err(internal)?;
    let headers = request.headers_mut();
    // PERF: room for all of them at once.
    headers.reserve(MOST_HEADERS);
    headers.insert(header::ACCEPT, route.views.accept.clone());
    headers.insert(header::ACCEPT_ENCODING, route.provider.settings().accept_encoding.clone());
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(xroad::CLIENT, message.client_header.clone());
    headers.insert(xroad::SERVICE, route.service_header.clone());
    headers.insert(xroad::REQUEST_ID, request_id.clone());
    let purpose = permitted.request.admitted.routed.purpose.as_str();
    headers.insert(xroad::PURPOSE, HeaderValue::from_str(purpose).map_err(|e| internal(e.into()))?);
    let optional = [
        (xroad::ID, &message.id),
        (xroad::USER_ID, &message.officer),
        (xroad::ISSUE, &message.dossier),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    for (name, value) in disclosed.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| internal(e.into()))?;
        let value = HeaderValue::from_str(&value)
            .map_err(|_| Refusal::named(ReasonCode::RequestHeader, "header parameter"))?;
        headers.append(name, value);
    }
    Ok(request)
}
