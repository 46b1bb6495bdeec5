//! Changes of the registry of consents, on record before they are acknowledged.
//!
//! In: what was changed, by whom, the record after it, and whom it is about. Out: an entry of kind
//! `consent` or `right`, and the receipt once it is on disk. Identifiers and records are used for
//! digests and commitments under the key of the quarter, and go no further.

use jiff::Timestamp;
use lienthong_evidence::{
    entry::{
        Article, Channel, Commitment, Consent, ConsentAction, DigestKey, Domain, Entry, ExchangeId,
        Format, IsConsent, IsRight, KeyedDigest, Name, Part, Right, RightAction, RightKind,
    },
    hash::Hash,
    log::Receipt,
    revisions::Change,
};
use lienthong_model::{
    id::{ParticipantId, PurposeId, ServiceId},
    reason::ReasonCode,
};

use super::{Evidence, lost, ms};
use crate::refusal::Refusal;

/// A person, by an identifier that never comes into an entry.
#[derive(Clone, Copy)]
pub struct Person<'a> {
    /// Type of the identifier, as services declare it: `citizen_number`.
    pub kind: &'a str,
    /// The identifier.
    pub identifier: &'a str,
}

impl std::fmt::Debug for Person<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Person<'_> {
    fn digest(self, key: &DigestKey) -> KeyedDigest {
        key.digest(Domain::DataSubject(self.kind), self.identifier)
    }
}

/// A change of a record of consent.
#[derive(Clone, Copy)]
pub struct ConsentChange<'a> {
    /// What was done.
    pub action: ConsentAction,
    /// How the decision was made known; none for what the gateway does itself.
    pub channel: Option<Channel>,
    /// Who did it: an operator of the policies, `local`, or `gateway`.
    pub collector: &'a str,
    /// The record of consent.
    pub consent: ExchangeId,
    /// The participant that answers for the processing.
    pub controller: &'a ParticipantId,
    /// Hash of the notice that was shown.
    pub notice: Option<[u8; 32]>,
    /// The purpose.
    pub purpose: &'a PurposeId,
    /// The participants that may receive the data.
    pub recipients: &'a [ParticipantId],
    /// The record after the change, in canonical form.
    pub record: &'a [u8],
    /// Who spoke for the data subject.
    pub representative: Option<Person<'a>>,
    /// The registry's revision of the change.
    pub revision: u64,
    /// The service.
    pub service: &'a ServiceId,
    /// Whose consent it is.
    pub subject: Person<'a>,
}

impl std::fmt::Debug for ConsentChange<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // SECURITY: the record tells of the person.
        let change = &mut f.debug_struct("ConsentChange");
        change.field("action", &self.action).field("revision", &self.revision);
        change.finish_non_exhaustive()
    }
}

/// A step of a request by which a data subject exercises a right.
#[derive(Debug, Clone)]
pub struct RightStep<'a> {
    /// What was done.
    pub action: RightAction,
    /// The articles that a refusal rests on.
    pub articles: Vec<Article<'a>>,
    /// The record of consent it is about.
    pub consent: Option<ExchangeId>,
    /// Until when it has to be dealt with.
    pub due: Option<Timestamp>,
    /// Who did it: an operator of the policies, `local`, or `gateway`.
    pub operator: &'a str,
    /// The participant that was told, or that confirms.
    pub participant: Option<&'a ParticipantId>,
    /// The request.
    pub request: ExchangeId,
    /// The registry's revision of the step.
    pub revision: u64,
    /// Which right is exercised.
    pub right: RightKind,
    /// The service it is about.
    pub service: Option<&'a ServiceId>,
    /// Who exercises it.
    pub subject: Person<'a>,
}

fn too_many() -> Refusal {
    Refusal::named(ReasonCode::EvidenceUnavailable, "entry")
}

/// The commitment to a record after the change of a revision.
fn commitment(key: &DigestKey, id: ExchangeId, revision: u64, record: &[u8]) -> Commitment {
    let mut committer = key.commit(id, Part::Record(revision));
    committer.update(record);
    committer.finish()
}

impl Evidence {
    /// Records a change of a record of consent, and waits until that is durable.
    ///
    /// # Errors
    /// `evidence.unavailable`. The entry may have been written all the same; it may be recorded again.
    pub async fn consent(&self, change: ConsentChange<'_>) -> Result<Receipt, Refusal> {
        let now = self.clock.now();
        let key = self.key(now)?;
        if change.recipients.len() > Name::MOST {
            return Err(too_many());
        }
        let entry = Consent {
            action: change.action,
            at_ms: ms(now),
            channel: change.channel,
            clock_offset_ms: self.clock_offset_ms(),
            collector: Name::of_operator(change.collector).ok_or_else(lost)?,
            consent: change.consent,
            controller: change.controller.into(),
            format: Format,
            key: key.period().ok_or_else(lost)?,
            kind: IsConsent,
            node: self.node().ok_or_else(lost)?,
            notice: change.notice.as_ref().and_then(|hash| Hash::from_slice(hash)),
            purpose: change.purpose.into(),
            recipients: change.recipients.iter().map(Name::from).collect(),
            record: commitment(&key, change.consent, change.revision, change.record),
            representative: change.representative.map(|person| person.digest(&key)),
            revision: change.revision,
            service: change.service.into(),
            subject: change.subject.digest(&key),
        };
        let queued = self.append(&Entry::Consent(entry))?;
        self.durable(queued).await
    }

    /// Records a step of a data subject's request, and waits until that is durable.
    ///
    /// # Errors
    /// `evidence.unavailable`. The entry may have been written all the same; it may be recorded again.
    pub async fn right(&self, step: RightStep<'_>) -> Result<Receipt, Refusal> {
        let now = self.clock.now();
        let key = self.key(now)?;
        if step.articles.len() > Article::MOST {
            return Err(too_many());
        }
        let entry = Right {
            action: step.action,
            articles: step.articles,
            at_ms: ms(now),
            clock_offset_ms: self.clock_offset_ms(),
            consent: step.consent,
            due_ms: step.due.map(ms),
            format: Format,
            key: key.period().ok_or_else(lost)?,
            kind: IsRight,
            node: self.node().ok_or_else(lost)?,
            operator: Name::of_operator(step.operator).ok_or_else(lost)?,
            participant: step.participant.map(Name::from),
            request: step.request,
            revision: step.revision,
            right: step.right,
            service: step.service.map(Name::from),
            subject: step.subject.digest(&key),
        };
        let queued = self.append(&Entry::Right(entry))?;
        self.durable(queued).await
    }

    /// The durable change of the registry with the highest revision; none when the log has none, or
    /// is not open.
    #[must_use]
    pub fn newest(&self) -> Option<Change> {
        self.log.load().as_ref().and_then(|log| log.newest())
    }

    /// The revision of [`Self::newest`].
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.newest().map(|newest| newest.revision)
    }

    /// The digest of a person under the key of an instant, as entries of that time have it.
    ///
    /// # Errors
    /// `evidence.unavailable` when the quarter has no key.
    pub fn subject(&self, now: Timestamp, person: Person<'_>) -> Result<KeyedDigest, Refusal> {
        self.key(now).map(|key| person.digest(&key))
    }
}

#[cfg(test)]
mod tests;
