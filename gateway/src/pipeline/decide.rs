//! Asks the policy decision point. Pure: the facts and the date come in, a decision comes out.

use std::sync::Arc;

use jiff::civil::Date;
use lienthong_evidence::entry::ExchangeId;
use lienthong_policy::{Decision, Facts, Presence};

use super::{
    gather::{Basis, Gathered},
    identify::Consumer,
    validate_request::ValidRequest,
};
use crate::{
    record::Cites,
    refusal::{Cause, Refusal},
    snapshot::{Route, Views},
    xroad::Message,
};

/// A request that the policies permit. Nothing behind this stage can be reached without one.
#[derive(Debug)]
pub struct Permitted {
    pub(super) request: ValidRequest,
    pub(super) message: Arc<Message>,
    pub(super) facts: Facts,
    pub(super) decision: Arc<Decision>,
    pub(super) basis: Basis,
}

impl Permitted {
    /// The route.
    #[must_use]
    pub fn route(&self) -> &Arc<Route> {
        &self.request.admitted.routed.route
    }

    /// What may pass, as far as it is known before the answer.
    #[must_use]
    pub fn views(&self) -> &Arc<Views> {
        self.basis.views(&self.route().views)
    }

    /// The records of consent that the request rests on.
    #[must_use]
    pub fn consents(&self) -> Vec<ExchangeId> {
        self.basis.records()
    }

    /// The articles that the permit rests on.
    #[must_use]
    pub fn cites(&self) -> Cites {
        match self.decision.as_ref() {
            Decision::Permit(permit) => Arc::clone(&permit.citations).into(),
            Decision::Deny(_) => Cites::default(),
        }
    }
}

/// Decides.
///
/// # Errors
/// The denial's reason, with the rule and articles behind it.
pub fn decide(gathered: Gathered, consumer: &Consumer, today: Date) -> Result<Permitted, Refusal> {
    let Gathered { request, consent, basis } = gathered;
    let message = Arc::clone(consumer.message());
    let presence = |there: bool| if there { Presence::Present } else { Presence::Absent };
    let facts = Facts {
        consumer: consumer.acting().clone(),
        via: consumer.via().cloned(),
        purpose: request.admitted.routed.purpose.clone(),
        today,
        officer: presence(message.officer.is_some()),
        dossier: presence(message.dossier.is_some()),
        consent,
    };
    let decision = request.admitted.routed.route.terms.decide(&facts);
    match decision.as_ref() {
        Decision::Permit(_) => Ok(Permitted { request, message, facts, decision, basis }),
        Decision::Deny(denial) => {
            Err(Refusal { reason: denial.reason, cause: Cause::Denied(Arc::clone(&decision)) })
        }
    }
}
