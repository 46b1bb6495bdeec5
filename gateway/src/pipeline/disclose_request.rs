//! Opens what of the request the agreement lets pass, and builds the provider's address from it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Uri, uri::PathAndQuery};
use lienthong_disclosure::Tally;
use lienthong_model::{field::Place, reason::ReasonCode};
use lienthong_policy::Segment;

use super::decide::Permitted;
use crate::{path, refusal::Refusal};

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
/// `disclosure.unfulfillable` when a needed path parameter does not pass.
pub fn disclose_request(permitted: &Permitted) -> Result<DisclosedRequest, Refusal> {
    let sealed = &permitted.request.sealed;
    let route = permitted.route();
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
