//! The decision.

use std::sync::Arc;

use jiff::civil::Date;
use lienthong_model::{
    id::{ParticipantId, PurposeId, RuleId},
    reason::ReasonCode,
    text::Bilingual,
};

use crate::legal_basis::Citation;

/// Everything a decision may look at beside the policy files. Nothing of the payload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// The participant the exchange is for.
    pub consumer: ParticipantId,
    /// The intermediary it came through.
    pub via: Option<ParticipantId>,
    /// The purpose.
    pub purpose: PurposeId,
    /// The civil date in Ho Chi Minh City.
    pub today: Date,
    /// Whether the officer is named.
    pub officer: Presence,
    /// Whether the dossier is named.
    pub dossier: Presence,
}

/// Whether something was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Presence {
    /// It was.
    Present,
    /// It was not.
    Absent,
}

/// Whether an exchange may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Permit(Permit),
    /// It may not.
    Deny(Denial),
}

/// Why an exchange may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permit {
    /// The law the agreement rests on.
    pub citations: Arc<[Citation]>,
}

/// Why an exchange may not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The reason.
    pub reason: ReasonCode,
    /// The rule that forbids it, when a rule does.
    pub rule: Option<RuleId>,
    /// The law that the rule, or else the agreement, cites.
    pub citations: Arc<[Citation]>,
    /// What the rule says to people.
    pub says: Option<Bilingual>,
}

/// The permit of one agreement operation and the rules that may forbid it.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    pub(crate) denial: Arc<Decision>,
}

impl CompiledPolicy {
    pub(crate) fn decide(&self, _facts: &Facts) -> Arc<Decision> {
        Arc::clone(&self.denial)
    }
}
