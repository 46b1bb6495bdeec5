//! Builds the consumer's response. Every header is named here; none of the provider's passes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use http_body_util::Full;

use super::{
    decide::Permitted,
    disclose_answer::{DisclosedBody, DisclosedStream},
    record_outcome::Recorded,
};
use crate::xroad;

/// Agreement and version under which the answer was given.
const AGREEMENT: HeaderName = HeaderName::from_static("lienthong-agreement");
/// The articles it rests on.
const CITES: HeaderName = HeaderName::from_static("lienthong-cites");
/// The agreement's limit, and what is left of it (draft-ietf-httpapi-ratelimit-headers).
const LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// At least as many headers as a response may have.
const MOST_HEADERS: usize = 16;

/// The body of a response.
#[derive(Debug)]
pub enum Body {
    /// All of it.
    Whole(Full<Bytes>),
    /// To be taken as it comes.
    Stream(Box<DisclosedStream>),
}

impl From<Full<Bytes>> for Body {
    fn from(whole: Full<Bytes>) -> Self {
        Self::Whole(whole)
    }
}

/// Responds with what was disclosed and is on record.
#[must_use]
pub fn respond(permitted: Permitted, recorded: Recorded) -> Response<Body> {
    let Recorded { disclosed } = recorded;
    let route = Arc::clone(permitted.route());
    let (has_body, body) = match disclosed.body {
        DisclosedBody::Empty => (false, Body::Whole(Full::default())),
        DisclosedBody::Whole(body) => (true, Body::Whole(Full::new(body))),
        DisclosedBody::Stream(stream) => (true, Body::Stream(stream)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = disclosed.status;
    // PERF: room for all of them at once.
    *response.headers_mut() = HeaderMap::with_capacity(MOST_HEADERS);
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, disclosed.content_type);
    }
    headers.insert(xroad::SERVICE, route.service_header.clone());
    headers.insert(xroad::CLIENT, permitted.message.client_header.clone());
    if let Some(id) = &permitted.message.id {
        headers.insert(xroad::ID, id.clone());
    }
    headers.insert(AGREEMENT, route.agreement_header.clone());
    headers.insert(CITES, route.cites_header.clone());
    let admitted = permitted.request.admitted;
    let (permit, place) = (admitted.permit, admitted.place);
    headers.insert(LIMIT_POLICY, route.limiter.policy_header().clone());
    if let Some(state) = limit_state(permit.remaining) {
        headers.insert(LIMIT, state);
    }
    // The places in flight are held until the consumer has taken the answer: a slow reader spends
    // its own places, not the gateway's memory.
    response.extensions_mut().insert(Arc::new((permit, place)));
    response
}

/// How many requests the agreement's limit leaves.
fn limit_state(remaining: u32) -> Option<HeaderValue> {
    let mut state = b"\"agreement\";r=".to_vec();
    // PERF: half of what formatting takes.
    serde_json::to_writer(&mut state, &remaining).ok()?;
    HeaderValue::try_from(state).ok()
}
