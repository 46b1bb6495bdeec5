//! Participants: the organisations known to the gateway.

use std::collections::BTreeSet;

use jiff::civil::Date;
use lienthong_model::{
    id::{ParticipantId, TrustAnchorId},
    text::Bilingual,
};

/// An organisation known to the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    /// Its agency code.
    pub id: ParticipantId,
    /// Its name.
    pub name: Bilingual,
    /// Whom it may act for.
    pub kind: ParticipantKind,
    /// Its X-Road member address.
    pub member: MemberAddress,
    /// Its X-Road subsystems, as consumer or provider.
    pub subsystems: BTreeSet<String>,
    /// Codes it had before the merger.
    pub aliases: Vec<Alias>,
    /// What its certificates look like.
    pub certificates: Vec<CertificateRule>,
    /// Whether it may exchange at all.
    pub status: ParticipantStatus,
    /// Whom to ask.
    pub contact: Contact,
}

/// Whom a participant may act for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParticipantKind {
    /// Itself only.
    Ordinary,
    /// Itself and the members it carries messages for.
    Intermediary {
        /// Those members.
        speaks_for: BTreeSet<ParticipantId>,
    },
}

/// The X-Road address of a member; the code is the agency code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberAddress {
    /// X-Road instance.
    pub instance: String,
    /// X-Road member class.
    pub class: String,
    /// X-Road member code.
    pub code: ParticipantId,
}

/// A code of the time before the merger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The closed code.
    pub code: ParticipantId,
    /// The last civil date on which it is understood.
    pub until: Date,
}

/// What a certificate of a participant looks like.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateRule {
    /// The trust anchor that must have issued it.
    pub trust_anchor: TrustAnchorId,
    /// What must be equal.
    pub matcher: CertificateMatcher,
}

/// The part of a certificate that must be equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateMatcher {
    /// The whole subject (RFC 4514).
    Subject(String),
    /// One DNS subject alternative name, lower case.
    San(String),
    /// The SHA-256 of the public key.
    SpkiSha256([u8; 32]),
}

/// Whether a participant may exchange at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParticipantStatus {
    /// It may.
    Active,
    /// Nothing of it or for it passes.
    Suspended,
}

/// Whom to ask at a participant: an office, never a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The unit.
    pub unit: String,
    /// Its mailbox.
    pub email: String,
}
