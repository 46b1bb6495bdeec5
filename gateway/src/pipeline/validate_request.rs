//! Checks parameters and body against their schemas. Checking, projecting and masking is one pass
//! over the bytes; what it yields stays sealed until the decision permits it.

use bytes::Bytes;
use lienthong_disclosure::{DisclosedParameter, Tally};
use lienthong_model::{field::Place, reason::Side};

use super::{admit::Admitted, read::Body};
use crate::{
    quota::{Quotas, SubjectDigest},
    refusal::Refusal,
};

/// A request that matches its schemas, with what of it may pass, sealed.
#[derive(Debug)]
pub struct ValidRequest {
    pub(super) admitted: Admitted,
    pub(super) sealed: Sealed,
    /// Whom it is about, where the agreement counts that.
    pub(super) subjects: Vec<SubjectDigest>,
}

/// What may pass of a request. Only `disclose_request` opens it.
pub(super) struct Sealed {
    pub(super) parameters: Vec<DisclosedParameter>,
    pub(super) body: Option<Bytes>,
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
/// `request.malformed`, `request.schema`, `request.undeclared_field`, `disclosure.unfulfillable`.
pub fn validate_request(
    admitted: Admitted,
    body: &Body,
    quotas: &Quotas,
) -> Result<ValidRequest, Refusal> {
    let route = &admitted.routed.route;
    let values: Vec<(Place, &str, &str)> = admitted
        .routed
        .values
        .iter()
        .map(|(place, name, value)| (*place, name.as_str(), value.as_str()))
        .collect();
    let refuse = |violation| Refusal::violation(Side::Consumer, violation);
    let (parameters, mut tally) =
        route.views.parameters.disclose(&values, &route.pseudonymiser).map_err(refuse)?;
    let required = route.operation.request.as_ref().is_some_and(|r| r.required);
    let bytes = body.bytes();
    let body = match &route.views.request {
        Some(view) if required || !bytes.is_empty() => {
            let mut out = Vec::with_capacity(bytes.len());
            let of_body = view.disclose(bytes, &route.pseudonymiser, &mut out).map_err(refuse)?;
            add(&mut tally, &of_body);
            Some(Bytes::from(out))
        }
        _ => None,
    };
    let subjects = if route.agreement.limits.data.counts_subjects() {
        quotas.subjects(&route.operation, &values, bytes)?
    } else {
        Vec::new()
    };
    Ok(ValidRequest { sealed: Sealed { parameters, body, tally }, subjects, admitted })
}

fn add(total: &mut Tally, part: &Tally) {
    total.disclosed = total.disclosed.saturating_add(part.disclosed);
    total.masked = total.masked.saturating_add(part.masked);
    total.dropped = total.dropped.saturating_add(part.dropped);
}
