//! Changes of consents, requests and notices into the evidence, in the order of their revisions.
//!
//! A change counts as soon as it is durable in the registry. Its entry follows before anyone is told
//! that it was done. Where that fails, the entry is written at the next chance: before the next change is
//! acknowledged, once a second, and at a start.

mod duties;

use std::sync::atomic::Ordering;

use futures_util::future::try_join_all;
use lienthong_consent::{
    identifier::Identifier,
    record::ConsentEvent,
    registry::{Happened, Past, Registry},
    state::Action,
    statement::Channel,
};
use lienthong_evidence::entry::{self, ConsentAction};
use lienthong_model::reason::ReasonCode;
use lienthong_policy::operator::GATEWAY;
use uuid::Uuid;

use super::Consents;
use crate::{
    evidence::{ConsentChange, Person},
    refusal::Refusal,
};

/// How many changes are read at once.
const PAGE: u32 = 256;

/// Something that happened with whom it is about, as long as its entry is being written.
enum Written {
    /// Its entry is there.
    Lost,
    Consent(Box<WrittenConsent>),
    Duty(Happened, Identifier),
}

struct WrittenConsent {
    past: Past,
    record: Vec<u8>,
    subject: Option<Identifier>,
    representative: Option<Identifier>,
}

impl Consents {
    /// Waits until the change of a revision, and every one before it, is in the evidence.
    ///
    /// # Errors
    /// `evidence.unavailable`. The change counts all the same.
    pub async fn record(&self, revision: u64) -> Result<(), Refusal> {
        let _in_order = self.recorder.lock().await;
        let registry = self.registry()?;
        while self.recorded() < revision {
            let happened = registry.happened(self.recorded(), PAGE).await.map_err(unavailable)?;
            let Some(until) = happened.last().map(Happened::revision) else {
                // Nothing is left before it: the revision is of a change that is not there.
                return Err(Refusal::named(ReasonCode::EvidenceUnavailable, "revision"));
            };
            let unsealed: Result<Vec<_>, _> =
                happened.into_iter().map(|one| Written::new(registry, one)).collect();
            let unsealed = unsealed?;
            // Each is queued when it is first looked at, in this order; then all wait together.
            try_join_all(unsealed.iter().map(|written| self.write(written))).await?;
            self.recorded.store(until, Ordering::Release);
        }
        Ok(())
    }

    /// Writes every entry that is missing.
    ///
    /// # Errors
    /// `evidence.unavailable`, `facts.unavailable`.
    pub async fn record_all(&self) -> Result<(), Refusal> {
        let revision = self.registry()?.applied();
        self.record(revision).await
    }

    async fn write(&self, written: &Written) -> Result<(), Refusal> {
        match written {
            Written::Lost => Ok(()),
            Written::Consent(consent) => self.write_consent(consent).await,
            Written::Duty(happened, subject) => {
                duties::write(&self.evidence, happened, person(subject)).await
            }
        }
    }

    async fn write_consent(&self, written: &WrittenConsent) -> Result<(), Refusal> {
        let WrittenConsent { past, record, subject, representative } = written;
        let Past { revision, event, record: consent } = past;
        // Whom a lost consent was about, only the entries before this one say.
        let Some(subject) = subject else { return Ok(()) };
        let said = consent.said.as_ref();
        let change = ConsentChange {
            action: action(event.action),
            channel: event.by.as_ref().map(|by| channel(by.channel)),
            collector: collector(event),
            consent: Uuid::from_bytes(*consent.id.as_bytes()).into(),
            controller: &consent.scope.controller,
            notice: said.map(|said| said.notice.hash),
            purpose: &consent.scope.purpose,
            recipients: &consent.scope.recipients,
            record,
            representative: representative.as_ref().map(person),
            revision: *revision,
            service: &consent.scope.service,
            subject: person(subject),
        };
        self.evidence.consent(change).await.map(drop)
    }
}

impl Written {
    fn new(registry: &Registry, happened: Happened) -> Result<Self, Refusal> {
        let (place, sealed) = match &happened {
            Happened::Consent(past) => return Self::consent(registry, Past::clone(past)),
            Happened::Lost { .. } => return Ok(Self::Lost),
            Happened::Right { record, .. } => (record.id.sealing(), &record.data_subject),
            Happened::Notice { record, .. } => (record.id.sealing(), &record.data_subject),
        };
        let subject = registry.unseal(place, sealed).map_err(unavailable)?;
        Ok(Self::Duty(happened, subject))
    }

    fn consent(registry: &Registry, past: Past) -> Result<Self, Refusal> {
        let subject = registry.data_subject(&past.record).map_err(unavailable)?;
        let representative = registry.representative(&past.record).map_err(unavailable)?;
        let record = past.record.bytes().map_err(unavailable)?;
        Ok(Self::Consent(Box::new(WrittenConsent { past, record, subject, representative })))
    }
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Refusal {
    Refusal::caused(ReasonCode::EvidenceUnavailable, error)
}

fn person(identifier: &Identifier) -> Person<'_> {
    Person { kind: identifier.kind(), identifier: identifier.expose() }
}

fn collector(event: &ConsentEvent) -> &str {
    event.by.as_ref().map_or(GATEWAY, |by| by.collector.as_str())
}

fn action(action: Action) -> ConsentAction {
    match action {
        Action::Give => ConsentAction::Give,
        Action::Refuse => ConsentAction::Refuse,
        Action::Withdraw => ConsentAction::Withdraw,
        Action::Restrict => ConsentAction::Restrict,
        Action::Release => ConsentAction::Release,
        Action::Object => ConsentAction::Object,
        Action::Use => ConsentAction::Use,
        Action::Lose => ConsentAction::Lose,
    }
}

fn channel(channel: Channel) -> entry::Channel {
    match channel {
        Channel::Vneid => entry::Channel::Vneid,
        Channel::Paper => entry::Channel::Paper,
        Channel::Officer => entry::Channel::Officer,
    }
}
