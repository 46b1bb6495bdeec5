//! Who received data of a person, as the evidence of this node has it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lienthong_consent::{
    identifier::Identifier,
    notice::{Cause, Exchanges},
    registry::Registry,
    rights::{RightKind, RightRecord},
    state::Action,
};
use lienthong_evidence::{
    entry::{Entry, Intent},
    search::{Query, Unit},
};
use lienthong_model::{
    id::{ParticipantId, PurposeId, ServiceId},
    reason::ReasonCode,
};

use super::super::{
    call,
    person_log::{PersonLog, gave},
};
use crate::{evidence::Evidence, refusal::Refusal};

/// How many exchanges are looked at in one go.
const PAGE: usize = 2000;
/// Most exchanges without an end that are looked at: some hundred megabytes.
const MOST_MAY_HOLD: usize = 128_000;

/// Whom a change concerns.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    pub(super) cause: Cause,
    service: Option<ServiceId>,
    /// What the consent allowed: to these, for this purpose.
    consent: Option<(Vec<ParticipantId>, PurposeId)>,
}

/// Who received what.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) parties: BTreeMap<(ParticipantId, ServiceId), Exchanges>,
    /// Exchanges that may have been about the person, of which nobody is told.
    pub(super) may_hold: u64,
}

impl Reach {
    /// Whom the change concerns that a request came with or asks for.
    ///
    /// # Errors
    /// `facts.unavailable` when the consent cannot be read.
    pub(super) async fn of(registry: &Registry, record: &RightRecord) -> Result<Self, Refusal> {
        let Some(consent) = record.stops_consent() else {
            let cause = Cause::Right { id: record.id, kind: record.kind };
            return Ok(Self { cause, service: record.about.service.clone(), consent: None });
        };
        let kept = registry.record(consent).await.map_err(call::refusal)?;
        let scope = kept.record.scope;
        let action = match record.kind {
            RightKind::Restrict => Action::Restrict,
            RightKind::Object => Action::Object,
            _ => Action::Withdraw,
        };
        Ok(Self {
            cause: Cause::Consent { id: consent, action },
            service: Some(scope.service),
            consent: Some((scope.recipients, scope.purpose)),
        })
    }

    /// Whether an exchange is one that the change concerns.
    fn covers(&self, intent: &Intent<'_>) -> bool {
        self.consent.as_ref().is_none_or(|(recipients, purpose)| {
            let acting = intent.acting.as_str();
            intent.purpose.as_str() == purpose.as_str()
                && recipients.iter().any(|recipient| recipient.as_str() == acting)
        })
    }
}

impl Received {
    /// Looks through the evidence. Blocks.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub(super) fn look(
        evidence: &Evidence,
        person: &Identifier,
        reach: &Reach,
    ) -> Result<Self, Refusal> {
        let mut log = PersonLog::open(evidence, person)?;
        let mut received = Self::default();
        let (mut after, mut most) = (None, PAGE);
        loop {
            let service = reach.service.as_ref().map(|service| service.as_str().to_owned());
            let hits = log.page(Query { service, after, most, ..Query::default() })?;
            if hits.may_hold.len() >= most {
                // They come with the first page alone, and none may be left out.
                most = most.saturating_mul(4);
                let bounded = most <= MOST_MAY_HOLD;
                let many = || Refusal::named(ReasonCode::EvidenceUnavailable, "interrupted");
                bounded.then_some(()).ok_or_else(many)?;
                continue;
            }
            for unit in &hits.found {
                if !log.is_only_officer(unit) {
                    received.add(unit, reach)?;
                }
            }
            for (_, unit) in &hits.may_hold {
                // A recipient that the person named may hold it, and that is enough to be told to
                // stop. Others would learn of a person whose data they may not have.
                if reach.consent.is_some() {
                    received.add(unit, reach)?;
                } else {
                    received.may_hold += 1;
                }
            }
            received.may_hold += hits.unknown;
            if hits.next.is_none() {
                return Ok(received);
            }
            after = hits.next;
        }
    }

    /// Takes in an exchange in which data went, or may have gone, to a participant.
    fn add(&mut self, unit: &Unit, reach: &Reach) -> Result<(), Refusal> {
        let internal = |_| Refusal::new(ReasonCode::GatewayInternal);
        let (mut to, mut nothing, mut newest) = (None, false, 0);
        for (place, entry) in unit.decoded() {
            newest = place;
            match entry {
                Entry::Intent(intent) if reach.covers(&intent) => {
                    to = Some((intent.acting, intent.service, intent.at_ms));
                }
                Entry::Outcome(outcome) => nothing = !gave(&outcome),
                _ => {}
            }
        }
        let Some((acting, service, at_ms)) = to.filter(|_| !nothing) else { return Ok(()) };
        let party = (
            acting.as_str().parse().map_err(internal)?,
            service.as_str().parse().map_err(internal)?,
        );
        let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let at = at.ok_or_else(|| Refusal::new(ReasonCode::GatewayInternal))?;
        let one = Exchanges { count: 0, first_at: at, last_at: at, newest_index: newest };
        let all = self.parties.entry(party).or_insert(one);
        all.count += 1;
        all.first_at = all.first_at.min(at);
        all.last_at = all.last_at.max(at);
        all.newest_index = all.newest_index.max(newest);
        Ok(())
    }
}
