//! Builds the consumer's response. Every header is named here; none of the provider's passes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use http_body_util::Full;

use super::{
    decide::Permitted,
    disclose_answer::{Disclosed, DisclosedBody, DisclosedStream},
};
use crate::xroad;

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

/// Responds with what was disclosed.
#[must_use]
pub fn respond(permitted: Permitted, disclosed: Disclosed) -> Response<Body> {
    let route = Arc::clone(permitted.route());
    let (has_body, body) = match disclosed.body {
        DisclosedBody::Empty => (false, Body::Whole(Full::default())),
        DisclosedBody::Whole(body) => (true, Body::Whole(Full::new(body))),
        DisclosedBody::Stream(stream) => (true, Body::Stream(stream)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = disclosed.status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, disclosed.content_type);
    }
    headers.insert(xroad::SERVICE, route.service_header.clone());
    headers.insert(xroad::CLIENT, permitted.message.client_header.clone());
    if let Some(id) = &permitted.message.id {
        headers.insert(xroad::ID, id.clone());
    }
    headers.insert("lienthong-agreement", route.agreement_header.clone());
    headers.insert("lienthong-cites", route.cites_header.clone());
    let admitted = permitted.request.admitted;
    let (permit, place) = (admitted.permit, admitted.place);
    let limits = route.limiter.limits();
    let policy = format!("\"agreement\";q={};w={}", limits.burst, window(limits));
    let state = format!("\"agreement\";r={}", permit.remaining);
    for (name, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    // The places in flight are held until the consumer has taken the answer: a slow reader spends
    // its own places, not the gateway's memory.
    response.extensions_mut().insert(Arc::new((permit, place)));
    response
}

/// Whole seconds in which a spent burst is restored.
fn window(limits: &lienthong_policy::Limits) -> u64 {
    let seconds =
        (f64::from(limits.burst) / limits.per_second.max(1e-6)).ceil().clamp(1.0, 86_400.0);
    std::time::Duration::try_from_secs_f64(seconds).map_or(1, |d| d.as_secs())
}
