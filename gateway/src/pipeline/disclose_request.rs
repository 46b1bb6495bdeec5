//! Opens what of the request the agreement lets pass, and builds the provider's address from it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Uri, uri::PathAndQuery};
use lienthong_disclosure::Tally;
use lienthong_model::{
    field::{Place, Pointer},
    reason::ReasonCode,
};
use lienthong_policy::{RequestForm, Segment};

use super::decide::Permitted;
use crate::{
    path,
    refusal::{Cause, Refusal},
    snapshot::Route,
};

/// The request as the provider will see it.
pub struct DisclosedRequest {
    pub(super) address: Uri,
    pub(super) headers: Vec<(Arc<str>, String)>,
    /// The body and its type.
    pub(super) body: Option<(Bytes, HeaderValue)>,
    pub(super) tally: Tally,
}

impl std::fmt::Debug for DisclosedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DisclosedRequest").field("tally", &self.tally).finish_non_exhaustive()
    }
}

impl DisclosedRequest {
    /// Gives the bytes that evidence commits to: method and address, header parameters, a line
    /// between, and the body.
    pub(super) fn write(&self, method: &str, mut write: impl FnMut(&[u8])) {
        let target = self.address.path_and_query().map_or("/", PathAndQuery::as_str);
        for part in [method, " ", target, "\n"] {
            write(part.as_bytes());
        }
        for part in self.headers.iter().flat_map(|(n, v)| [&**n, ": ", v.as_str(), "\n"]) {
            write(part.as_bytes());
        }
        write(b"\n");
        if let Some((body, _)) = &self.body {
            write(body);
        }
    }

    /// What passes of the request.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

/// Discloses a permitted request.
///
/// # Errors
/// `disclosure.unfulfillable` when a needed path parameter does not pass, or when less than all would
/// pass of a body that the consumer has signed.
pub fn disclose_request(permitted: &Permitted) -> Result<DisclosedRequest, Refusal> {
    let sealed = &permitted.request.sealed;
    let route = permitted.route();
    whole_if_signed(route, &sealed.body_tally)?;
    let mut target = String::with_capacity(128);
    target.push_str(route.provider.base());
    for segment in route.operation.path.segments() {
        target.push('/');
        match segment {
            Segment::Literal(literal) => path::encode_into(&mut target, literal),
            Segment::Parameter(name) => {
                let value = sealed
                    .parameters
                    .iter()
                    .find(|p| p.place == Place::Path && *p.name == **name)
                    .ok_or_else(|| Refusal::new(ReasonCode::DisclosureUnfulfillable))?;
                path::encode_into(&mut target, &value.value);
            }
        }
    }
    let mut separator = '?';
    for parameter in sealed.parameters.iter().filter(|p| p.place == Place::Query) {
        target.push(separator);
        path::encode_into(&mut target, &parameter.name);
        target.push('=');
        path::encode_into(&mut target, &parameter.value);
        separator = '&';
    }
    let address = PathAndQuery::try_from(target)
        .map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))?
        .into();
    let headers = sealed
        .parameters
        .iter()
        .filter(|p| p.place == Place::Header)
        .map(|p| (Arc::clone(&p.name), p.value.clone()))
        .collect();
    let mut tally = sealed.parameters_tally.clone();
    tally.add(sealed.body_tally.clone());
    Ok(DisclosedRequest { address, headers, body: sealed.body.clone(), tally })
}

/// Refuses a body that the consumer has signed and of which something is kept back.
///
/// SECURITY: what is left of it would go to the provider under a signature that says something else.
fn whole_if_signed(route: &Route, tally: &Tally) -> Result<(), Refusal> {
    let kept_back = tally.dropped.saturating_add(tally.masked);
    if route.operation.request_form != RequestForm::Signed || kept_back == 0 {
        return Ok(());
    }
    let body = route.operation.request.as_ref();
    let mut leaves = body.iter().flat_map(|body| body.schema.leaves());
    let passes = |at: &Pointer| matches!(route.terms.request_body.get(at), Some(None));
    // Consent or restriction can keep back what the agreement lets pass: then it is named as a whole.
    let at = leaves.find(|(at, _)| !passes(at)).map_or_else(Pointer::root, |(at, _)| at);
    let cause = Cause::Schema { at, keyword: "signed" };
    Err(Refusal { reason: ReasonCode::DisclosureUnfulfillable, cause })
}
