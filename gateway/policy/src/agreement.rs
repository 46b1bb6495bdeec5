//! Agreements: the signed terms between a consumer and a provider.
//!
//! An agreement opens operations of one service to one consumer, for its purposes, within its term,
//! and names every field that may pass. What it does not name does not pass.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use lienthong_model::{
    field::{Place, Pointer},
    id::{AgreementId, OperationId, ParticipantId, PurposeId, ServiceId},
    mask::Mask,
    text::Bilingual,
};

use crate::{
    decide::{Decision, Facts},
    legal_basis::Citation,
    service::Operation,
};

pub use lienthong_model::exchange_mode::ExchangeMode;

mod consent;
mod disclosure;
mod evidence;
mod limits;
pub(crate) mod read;

/// The body fields that pass, each with its mask; `None` passes as it is.
pub type FieldMasks = BTreeMap<Pointer, Option<Mask>>;

/// The signed terms: who, what, why, until when.
#[derive(Debug)]
pub struct Agreement {
    /// Its id.
    pub id: AgreementId,
    /// The hash of its canonical form.
    pub version: [u8; 32],
    /// Its title.
    pub title: Bilingual,
    /// The participant that holds the data.
    pub provider: ParticipantId,
    /// The participant that asks.
    pub consumer: ParticipantId,
    /// The intermediaries it may come through.
    pub via: BTreeSet<ParticipantId>,
    /// The service.
    pub service: ServiceId,
    /// How data is exchanged.
    pub exchange_mode: ExchangeMode,
    /// The purposes it allows.
    pub purposes: Vec<PurposeId>,
    /// The law it rests on.
    pub legal_bases: Vec<Citation>,
    /// What it asks of each consent, when it rests on consent.
    pub consent: Option<ConsentTerms>,
    /// Whether the officer must be named.
    pub officer: Requirement,
    /// Whether the dossier must be named.
    pub dossier: Requirement,
    /// When it is valid.
    pub valid: Term,
    /// How long the consumer may keep what it gets.
    pub retention_days: u32,
    /// How much the consumer may ask.
    pub limits: Limits,
    /// What it says of the evidence.
    pub evidence: WrittenEvidence,
    /// Number and signatories of the paper.
    pub signed: Signature,
    /// What it opens.
    pub operations: BTreeMap<OperationId, Arc<AgreementOperation>>,
}

impl Agreement {
    /// Whether an exchange of the consumer may come this way: directly, or through one of the
    /// listed intermediaries.
    #[must_use]
    pub fn admits(&self, via: Option<&ParticipantId>) -> bool {
        via.is_none_or(|via| self.via.contains(via))
    }
}

/// What an agreement that rests on consent asks of each consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentTerms {
    /// The level of the e-ID account that a collector must have checked at least.
    pub account_level: Option<u8>,
    /// How many days a consent may hold at most.
    pub max_days: u32,
    /// How often data may be asked for under one consent.
    pub frequency: BTreeSet<ConsentFrequency>,
    /// The age below which a representative consents; without it, nobody may for another.
    pub child_under: Option<u8>,
}

/// How often data may be asked for under one consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentFrequency {
    /// Once.
    Once,
    /// As often as the purpose needs.
    AsNeeded,
}

impl ConsentFrequency {
    /// The word used in policy files and statements.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::AsNeeded => "as_needed",
        }
    }
}

/// Whether something must be named with each exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// It must.
    Required,
    /// It may.
    Optional,
}

/// Civil dates of Ho Chi Minh City, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

/// How much a consumer may ask.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests at once after a pause.
    pub burst: u32,
    /// Sustained requests per second.
    pub per_second: f64,
    /// Requests in flight.
    pub in_flight: u32,
    /// How much data, whatever the pace.
    pub data: DataLimits,
}

/// How much data a consumer may ask for. What is not given is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DataLimits {
    /// Data subjects a civil day of Ho Chi Minh City.
    pub data_subjects_per_day: Option<u32>,
    /// Distinct data subjects an officer and hour.
    pub subjects_per_officer_hour: Option<u32>,
    /// The share of answers that found nobody.
    pub not_found: Option<NotFoundLimit>,
    /// Elements of one streamed answer.
    pub elements_per_stream: Option<u64>,
}

impl DataLimits {
    /// Whether data subjects are counted.
    #[must_use]
    pub fn counts_subjects(&self) -> bool {
        self.data_subjects_per_day.is_some() || self.subjects_per_officer_hour.is_some()
    }
}

/// How many answers of an officer's last hour may be "not found": more look like guessing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NotFoundLimit {
    /// The largest share.
    pub share: f64,
    /// The number of answers from which on the share counts.
    pub after: u32,
}

/// What an agreement says of the evidence of its exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WrittenEvidence {
    /// When the outcome must be durable; left out, what is disclosed decides.
    pub outcome: Option<OutcomeTiming>,
    /// Whether single values are committed to.
    pub values: ValueCommitments,
}

/// What holds of the evidence of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvidenceTerms {
    /// When the outcome must be durable.
    pub outcome: OutcomeTiming,
    /// Whether single values are committed to.
    pub values: ValueCommitments,
}

/// When the outcome of a whole answer must be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeTiming {
    /// Before the first byte of the answer leaves.
    BeforeAnswer,
    /// Soon after: it is queued before the first byte leaves.
    AfterAnswer,
}

/// Whether each value of a whole answer is committed to, beside the answer as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ValueCommitments {
    /// Only the answer as a whole.
    #[default]
    Left,
    /// Each value too, so that one can be shown later without the others.
    Made,
}

/// Number, date and signatory roles of the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Its number.
    pub number: String,
    /// Its date.
    pub date: Date,
    /// The roles that signed.
    pub by: Vec<String>,
}

/// One operation that an agreement opens: what passes, and the compiled decision.
#[derive(Debug)]
pub struct AgreementOperation {
    /// The agreement.
    pub agreement: AgreementId,
    /// The operation.
    pub operation: Arc<Operation>,
    /// The parameters that pass.
    pub request_parameters: BTreeMap<(Place, String), Option<Mask>>,
    /// The fields of the request body that pass.
    pub request_body: FieldMasks,
    /// The fields of each answer that pass, by status. A status that is missing is not disclosed.
    pub answers: BTreeMap<u16, FieldMasks>,
    /// What holds of the evidence.
    pub evidence: EvidenceTerms,
    pub(crate) policy: crate::decide::CompiledPolicy,
}

impl AgreementOperation {
    /// Decides whether an exchange with these facts may happen.
    #[must_use]
    pub fn decide(&self, facts: &Facts) -> Arc<Decision> {
        self.policy.decide(facts)
    }
}
