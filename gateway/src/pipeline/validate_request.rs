//! Checks parameters and body against their schemas. Checking, projecting and masking is one pass
//! over the bytes; what it yields stays sealed until the decision permits it.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use lienthong_disclosure::{DisclosedParameter, Tally};
use lienthong_model::reason::{ReasonCode, Side};

use super::{admit::Admitted, read::Body};
use crate::{
    evidence::{Evidence, Persons},
    refusal::Refusal,
    snapshot::Route,
    xroad::Message,
};

/// A request that matches its schemas, with what of it may pass, sealed.
#[derive(Debug)]
pub struct ValidRequest {
    pub(super) admitted: Admitted,
    pub(super) sealed: Sealed,
    /// Whom it names.
    pub(super) persons: Persons,
}

impl ValidRequest {
    /// Whom it names.
    #[must_use]
    pub fn persons(&self) -> &Persons {
        &self.persons
    }

    /// What it asks for, under which agreement.
    #[must_use]
    pub fn route(&self) -> &Arc<Route> {
        &self.admitted.routed.route
    }
}

/// What may pass of a request. Only `disclose_request` opens it.
pub(super) struct Sealed {
    pub(super) parameters: Vec<DisclosedParameter>,
    /// The body and its type.
    pub(super) body: Option<(Bytes, HeaderValue)>,
    pub(super) tally: Tally,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealed")
    }
}

/// Validates a request.
///
/// # Errors
/// `request.malformed`, `request.schema`, `request.undeclared_field`, `disclosure.unfulfillable`,
/// `request.too_large`, `evidence.unavailable`.
pub fn validate_request(
    admitted: Admitted,
    body: &Body,
    message: &Message,
    (evidence, now): (&Evidence, Timestamp),
) -> Result<ValidRequest, Refusal> {
    let route = &admitted.routed.route;
    let values = admitted.routed.values();
    let refuse = |violation| Refusal::violation(Side::Consumer, violation);
    let (parameters, mut tally) =
        route.views.parameters.disclose(&values, &route.pseudonymiser).map_err(refuse)?;
    let required = route.operation.request.as_ref().is_some_and(|r| r.required);
    let bytes = body.bytes();
    let content_type = admitted.routed.content_type.as_ref();
    let body = match &route.views.request {
        Some(view) if required || !bytes.is_empty() => {
            let passed =
                view.disclose(content_type, bytes, &route.pseudonymiser).map_err(refuse)?;
            tally.add(passed.tally);
            Some((passed.body, passed.content_type))
        }
        _ => None,
    };
    let fields = route.views.request.as_ref().filter(|_| body.is_some());
    let fields = fields.map(|view| view.fields(content_type, bytes).ok_or_else(unread));
    let fields = fields.transpose()?;
    let (key, fields) = (evidence.key(now)?, fields.as_deref().unwrap_or_default());
    let persons = Persons::of(key, &route.operation, message, &values, fields)?;
    Ok(ValidRequest { sealed: Sealed { parameters, body, tally }, persons, admitted })
}

/// A body that passed its view and has no fields: nobody goes uncounted for our own mistake.
fn unread() -> Refusal {
    Refusal::named(ReasonCode::GatewayInternal, "fields of the body")
}
