//! The terms a stream began under, looked at again while it lasts.
//!
//! A stream may outlive a reload, a suspension or the last day of its agreement. What is in force
//! counts, not what was in force when it began.

use std::sync::Arc;

use lienthong_disclosure::Pseudonymiser;
use lienthong_model::{clock::civil_date, reason::ReasonCode};
use lienthong_policy::{Decision, Facts, ParticipantStatus};

use crate::{
    gateway::Gateway,
    pipeline::decide::Permitted,
    quota::Quotas,
    refusal::{Cause, Refusal},
    snapshot::{AnswerView, Route, Snapshot},
};

/// What a stream rests on.
pub(super) struct Terms {
    gateway: Arc<Gateway>,
    snapshot: Arc<Snapshot>,
    route: Arc<Route>,
    facts: Facts,
    status: u16,
}

impl Terms {
    /// The terms that `permitted` was decided on, for its answer with `status`.
    pub(super) fn new(
        gateway: &Arc<Gateway>,
        snapshot: &Arc<Snapshot>,
        permitted: &Permitted,
        status: u16,
    ) -> Self {
        Self {
            gateway: Arc::clone(gateway),
            snapshot: Arc::clone(snapshot),
            route: Arc::clone(permitted.route()),
            facts: permitted.facts.clone(),
            status,
        }
    }

    /// The counters of the limits on data.
    pub(super) fn quotas(&self) -> &Quotas {
        self.gateway.quotas()
    }

    /// Whether each line is an element.
    pub(super) fn is_lines(&self) -> bool {
        self.route.operation.stream(self.status).is_some_and(|rules| rules.elements.is_none())
    }

    /// Derives the pseudonyms of the stream.
    pub(super) fn pseudonymiser(&self) -> &Pseudonymiser {
        &self.route.pseudonymiser
    }

    /// Whether the stream may go on.
    ///
    /// # Errors
    /// `agreement.changed`, `consumer.suspended`, and every reason of a denial.
    pub(super) fn look(&mut self) -> Result<(), Refusal> {
        let snapshot = self.gateway.snapshot();
        let today = civil_date(self.gateway.clock().now());
        if Arc::ptr_eq(&snapshot, &self.snapshot) && today == self.facts.today {
            return Ok(());
        }
        let Route { service, operation, agreement, .. } = self.route.as_ref();
        let route = snapshot
            .route(service, &operation.id, agreement)
            .filter(|route| self.is_same(route))
            .ok_or_else(|| Refusal::new(ReasonCode::AgreementChanged))?;
        for participant in
            [Some(&self.facts.consumer), self.facts.via.as_ref()].into_iter().flatten()
        {
            let identity = snapshot.identities.by_id(participant);
            if identity.is_none_or(|i| i.participant.status != ParticipantStatus::Active) {
                return Err(Refusal::new(ReasonCode::ConsumerSuspended));
            }
        }
        self.facts.today = today;
        let decision = route.terms.decide(&self.facts);
        if let Decision::Deny(denial) = decision.as_ref() {
            let reason = denial.reason;
            return Err(Refusal { reason, cause: Cause::Denied(decision) });
        }
        self.route = Arc::clone(route);
        self.snapshot = snapshot;
        Ok(())
    }

    /// Whether the same may leave under `route` as when the stream began.
    fn is_same(&self, route: &Route) -> bool {
        let view = |route: &Route| match route.views.answers.get(&self.status) {
            Some(AnswerView::Stream(view)) => Some(view.hash()),
            _ => None,
        };
        route.agreement.version == self.route.agreement.version && view(route) == view(&self.route)
    }
}
