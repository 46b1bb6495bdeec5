//! Checks parameters and body against their schemas. Checking, projecting and masking is one pass
//! over the bytes; what it yields stays sealed until the decision permits it.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use lienthong_disclosure::{DisclosedParameter, Tally};
use lienthong_model::reason::{ReasonCode, Side};

use super::{admit::Admitted, read::Body};
use crate::{
    evidence::{Evidence, Persons},
    media::BodyView,
    refusal::Refusal,
    snapshot::{Route, Views},
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

    /// The fields of its body, as JSON; nothing where it has none.
    pub(super) fn fields<'b>(&self, body: &'b Body) -> Result<Cow<'b, [u8]>, Refusal> {
        fields(&self.admitted, self.sealed.body.is_some(), body)
    }

    /// Lets less of its body pass than the agreement does.
    pub(super) fn narrow(&mut self, body: &Body, views: &Views) -> Result<(), Refusal> {
        let agreed = &self.admitted.routed.route.views;
        let hash = |view: &BodyView| view.hash();
        let same = agreed.request.as_ref().map(hash) == views.request.as_ref().map(hash);
        if let (false, true, Some(view)) = (same, self.sealed.body.is_some(), &views.request) {
            let (passed, tally) = disclose(view, &self.admitted, body)?;
            (self.sealed.body, self.sealed.body_tally) = (Some(passed), tally);
        }
        Ok(())
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
    pub(super) parameters_tally: Tally,
    pub(super) body_tally: Tally,
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
    let (parameters, parameters_tally) = route
        .views
        .parameters
        .disclose(&values, &route.pseudonymiser)
        .map_err(|violation| Refusal::violation(Side::Consumer, violation))?;
    let required = route.operation.request.as_ref().is_some_and(|r| r.required);
    let (sent, body_tally) = match &route.views.request {
        Some(view) if required || !body.bytes().is_empty() => {
            let (passed, tally) = disclose(view, &admitted, body)?;
            (Some(passed), tally)
        }
        _ => (None, Tally::default()),
    };
    let fields = fields(&admitted, sent.is_some(), body)?;
    let persons = Persons::of(evidence.key(now)?, &route.operation, message, &values, &fields)?;
    let sealed = Sealed { parameters, body: sent, parameters_tally, body_tally };
    drop(values);
    Ok(ValidRequest { sealed, persons, admitted })
}

/// What passes of a body.
fn disclose(
    view: &BodyView,
    admitted: &Admitted,
    body: &Body,
) -> Result<((Bytes, HeaderValue), Tally), Refusal> {
    let content_type = admitted.routed.content_type.as_ref();
    let passed = view
        .disclose(content_type, body.bytes(), &admitted.routed.route.pseudonymiser)
        .map_err(|violation| Refusal::violation(Side::Consumer, violation))?;
    Ok(((passed.body, passed.content_type), passed.tally))
}

fn fields<'b>(
    admitted: &Admitted,
    is_sent: bool,
    body: &'b Body,
) -> Result<Cow<'b, [u8]>, Refusal> {
    let view = admitted.routed.route.views.request.as_ref().filter(|_| is_sent);
    let content_type = admitted.routed.content_type.as_ref();
    let fields = view.map(|view| view.fields(content_type, body.bytes()).ok_or_else(unread));
    Ok(fields.transpose()?.unwrap_or_default())
}

/// A body that passed its view and has no fields: nobody goes uncounted for our own mistake.
fn unread() -> Refusal {
    Refusal::named(ReasonCode::GatewayInternal, "fields of the body")
}
