//! First look at a request: method, target, message headers. Knows nothing of policy.

use http::{HeaderMap, Request, Version, header};
use hyper::body::Incoming;
use lienthong_model::reason::ReasonCode;
use lienthong_policy::Method;

use crate::{
    path::{self, Pairs, PathError},
    refusal::Refusal,
};

/// A request whose target and method are unambiguous.
#[derive(Debug)]
pub struct Received {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Pairs,
    pub(super) headers: HeaderMap,
}

impl Received {
    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// The decoded path: its segments with a slash between them.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The decoded pairs of the query.
    #[must_use]
    pub fn query(&self) -> &Pairs {
        &self.query
    }

    /// The headers. SECURITY: they pass no further than an allow-list lets them.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// Takes a request apart.
///
/// # Errors
/// `request.method`, `request.path`, `request.header`.
pub fn edge(request: Request<Incoming>) -> Result<(Received, Incoming), Refusal> {
    let (parts, body) = request.into_parts();
    let received = receive(&parts.method, &parts.uri, parts.version, parts.headers)?;
    Ok((received, body))
}

fn receive(
    method: &http::Method,
    target: &http::Uri,
    version: Version,
    headers: HeaderMap,
) -> Result<Received, Refusal> {
    let method = match *method {
        http::Method::GET => Method::Get,
        http::Method::POST => Method::Post,
        http::Method::PUT => Method::Put,
        http::Method::PATCH => Method::Patch,
        http::Method::DELETE => Method::Delete,
        _ => return Err(Refusal::new(ReasonCode::RequestMethod)),
    };
    // An upgrade would leave the data path, a part of an answer cannot be checked as a whole.
    for (name, display) in [(header::UPGRADE, "Upgrade"), (header::RANGE, "Range")] {
        if headers.contains_key(&name) {
            return Err(Refusal::named(ReasonCode::RequestHeader, display));
        }
    }
    // SECURITY: with both, two readers may see two different requests (RFC 9112 section 6.1).
    if version < Version::HTTP_2
        && headers.contains_key(header::TRANSFER_ENCODING)
        && headers.contains_key(header::CONTENT_LENGTH)
    {
        return Err(Refusal::named(ReasonCode::RequestHeader, "Content-Length"));
    }
    let ambiguous = |error: PathError| Refusal::caused(ReasonCode::RequestPath, error);
    let path = path::decoded(target.path()).map_err(ambiguous)?;
    let query = path::query(target.query().unwrap_or_default()).map_err(ambiguous)?;
    Ok(Received { method, path, query, headers })
}
