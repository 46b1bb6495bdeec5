//! What an entry of the gateway's log says, and its one form in bytes.
//!
//! An entry is a JSON object in canonical form (RFC 8785): keys in order, no white space, whole numbers,
//! no escapes. Reading is as strict as writing, so an entry has exactly one form. No field takes a
//! text from a request or an answer: names come from policies and configuration, everything that
//! tells of a person is a [`KeyedDigest`] or a [`Commitment`].
//! Fields, their class and retention: `gateway/docs/evidence-entries.md`.

mod consent;
mod form;
mod key;
mod list;
mod value;
mod word;

pub use self::{
    consent::{Consent, Right},
    key::{Committer, DigestKey, Domain, Part, Salt},
    list::{FieldCommitment, FieldCommitments, Subject, ValuePointer},
    value::{Article, Commitment, ExchangeId, KeyedDigest, Name, Period, Reason, Why},
    word::{
        Action, Channel, ConsentAction, Denied, End, Format, IsAdministration, IsConsent, IsIntent,
        IsInterrupted, IsLoss, IsOutcome, IsProgress, IsRefusal, IsRefusals, IsRight, OperatorRole,
        Permitted, PresumedDisclosed, RightAction, RightKind, Role,
    },
};
use self::{
    form::{Cursor, Record, record},
    value::Value as _,
};
use crate::hash::Hash;

/// The bytes are no entry of this format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an entry of format 1 in canonical form")]
pub struct Malformed;

record! {
    /// What is about to be done, on disk before the provider is asked: the upper bound of what may
    /// leave.
    Intent {
        /// The participant that asks, or for which it is asked.
        acting: one Name<'a>,
        /// The agreement.
        agreement: one Name<'a>,
        /// Hash of its version.
        agreement_version: one Hash,
        /// The articles that permit it.
        articles: many Article<'a>,
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// The records of consent it rests on.
        consents: many ExchangeId,
        /// The consumer's id of the exchange.
        correlation: maybe KeyedDigest,
        /// That it was permitted.
        decision: one Permitted,
        /// The case it is made for.
        dossier: maybe KeyedDigest,
        /// The gateway's id of the exchange.
        exchange: one ExchangeId,
        /// Version of this form.
        format: one Format,
        /// Which key made the digests and commitments.
        key: one Period<'a>,
        /// Which of the forms this is.
        kind: one IsIntent,
        /// The node of the gateway.
        node: one Name<'a>,
        /// The official in whose name it is made.
        officer: maybe KeyedDigest,
        /// The operation.
        operation: one Name<'a>,
        /// The participant that holds the data.
        provider: one Name<'a>,
        /// The purpose.
        purpose: one Name<'a>,
        /// The request as it goes to the provider.
        request: one Commitment,
        /// Rules that had a say.
        rules: many Name<'a>,
        /// Place among the entries of the exchange.
        sequence: one u64,
        /// The service.
        service: one Name<'a>,
        /// Hash of the policies in force.
        snapshot: one Hash,
        /// Whom the request is about.
        subjects: many Subject,
        /// The civil date the decision was made on, as `yyyymmdd`.
        today: one u64,
        /// The intermediary through which it came.
        via: maybe Name<'a>,
        /// Hash of the compiled view: every field and mask that may leave.
        view: one Hash,
    }
}

record! {
    /// How far an answer that streams is.
    Progress {
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// Bytes that have left.
        bytes: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// Fields that left as they are.
        disclosed: one u64,
        /// Declared fields that did not leave.
        dropped: one u64,
        /// Elements that have left.
        elements: one u64,
        /// The gateway's id of the exchange.
        exchange: one ExchangeId,
        /// Version of this form.
        format: one Format,
        /// Which of the forms this is.
        kind: one IsProgress,
        /// Fields that left masked.
        masked: one u64,
        /// The node of the gateway.
        node: one Name<'a>,
        /// Place among the entries of the exchange.
        sequence: one u64,
        /// Elements that did not leave.
        withheld: one u64,
    }
}

record! {
    /// What was done.
    Outcome {
        /// The bytes that left, before transfer and content coding.
        answer: maybe Commitment,
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// Bytes that left.
        bytes: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// Fields that left as they are.
        disclosed: one u64,
        /// Declared fields that did not leave.
        dropped: one u64,
        /// Elements that left, of an answer that streams.
        elements: maybe u64,
        /// How it ended.
        end: one End,
        /// The gateway's id of the exchange.
        exchange: one ExchangeId,
        /// Commitments to single values that left.
        fields: many FieldCommitment<'a>,
        /// Values that left and are not committed to singly, of an answer whose values are.
        fields_left: maybe u64,
        /// Version of this form.
        format: one Format,
        /// Which key made the digests and commitments.
        key: one Period<'a>,
        /// Which of the forms this is.
        kind: one IsOutcome,
        /// Fields that left masked.
        masked: one u64,
        /// How long it took, microseconds.
        micros: one u64,
        /// The node of the gateway.
        node: one Name<'a>,
        /// Why it did not end well.
        reason: maybe Reason,
        /// Place among the entries of the exchange.
        sequence: one u64,
        /// Merkle root of the sidecar: the digests of everyone the answer is about.
        sidecar: maybe Hash,
        /// How many digests are in it.
        sidecar_size: maybe u64,
        /// HTTP status of the answer.
        status: one u64,
        /// Whom the answer is about, where it has no sidecar.
        subjects: many Subject,
        /// Elements that did not leave.
        withheld: one u64,
    }
}

record! {
    /// An exchange that the decision did not permit. Nothing left.
    Refusal {
        /// The participant that asks, or for which it is asked.
        acting: one Name<'a>,
        /// The agreement.
        agreement: one Name<'a>,
        /// Hash of its version.
        agreement_version: one Hash,
        /// The articles that forbid it.
        articles: many Article<'a>,
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// The consumer's id of the exchange.
        correlation: maybe KeyedDigest,
        /// That it was denied.
        decision: one Denied,
        /// The case it is made for.
        dossier: maybe KeyedDigest,
        /// The gateway's id of the exchange.
        exchange: one ExchangeId,
        /// Version of this form.
        format: one Format,
        /// Which key made the digests.
        key: one Period<'a>,
        /// Which of the forms this is.
        kind: one IsRefusal,
        /// The node of the gateway.
        node: one Name<'a>,
        /// The official in whose name it is made.
        officer: maybe KeyedDigest,
        /// The operation.
        operation: one Name<'a>,
        /// The participant that holds the data.
        provider: one Name<'a>,
        /// The purpose.
        purpose: one Name<'a>,
        /// The exact reason.
        reason: one Reason,
        /// Rules that forbade it.
        rules: many Name<'a>,
        /// Place among the entries of the exchange.
        sequence: one u64,
        /// The service.
        service: one Name<'a>,
        /// Hash of the policies in force.
        snapshot: one Hash,
        /// Whom the request is about.
        subjects: many Subject,
        /// The civil date the decision was made on, as `yyyymmdd`.
        today: one u64,
        /// The intermediary through which it came.
        via: maybe Name<'a>,
    }
}

record! {
    /// Refusals before the decision, of one consumer, service and reason, counted for a minute.
    Refusals {
        /// The participant, when it is known.
        acting: maybe Name<'a>,
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// How many there were.
        count: one u64,
        /// Version of this form.
        format: one Format,
        /// From when on they were counted: milliseconds since 1970, UTC.
        from_ms: one u64,
        /// Which of the forms this is.
        kind: one IsRefusals,
        /// The node of the gateway.
        node: one Name<'a>,
        /// The exact reason.
        reason: one Reason,
        /// The service, when it is known.
        service: maybe Name<'a>,
    }
}

record! {
    /// Closes an intent whose outcome was never written.
    Interrupted {
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// The gateway's id of the exchange.
        exchange: one ExchangeId,
        /// Version of this form.
        format: one Format,
        /// Which of the forms this is.
        kind: one IsInterrupted,
        /// The node of the gateway.
        node: one Name<'a>,
        /// That everything the intent allows counts as disclosed.
        presumed: one PresumedDisclosed,
        /// Place among the entries of the exchange.
        sequence: one u64,
    }
}

record! {
    /// Entries of this log that are gone, and that someone has accepted it.
    Loss {
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// Version of this form.
        format: one Format,
        /// How many entries are left.
        kept: one u64,
        /// Which of the forms this is.
        kind: one IsLoss,
        /// Root of the newest checkpoint there was.
        lost_root: maybe Hash,
        /// How many entries that checkpoint was of.
        lost_size: maybe u64,
        /// The node of the gateway.
        node: one Name<'a>,
        /// Why it was accepted.
        why: one Why<'a>,
    }
}

record! {
    /// What an operator did: a call of an administrative interface, or a command.
    Administration {
        /// What was done.
        action: one Action,
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// How many entries it was about.
        count: maybe u64,
        /// The exchange it was about.
        exchange: maybe ExchangeId,
        /// Version of this form.
        format: one Format,
        /// From when on entries were asked for: milliseconds since 1970, UTC.
        from_ms: maybe u64,
        /// The key it was about, or that made the digest.
        key: maybe Period<'a>,
        /// Which of the forms this is.
        kind: one IsAdministration,
        /// The node of the gateway.
        node: one Name<'a>,
        /// Who did it, by the name in the policies.
        operator: one Name<'a>,
        /// In which role.
        role: one OperatorRole,
        /// The person it was about.
        subject: maybe KeyedDigest,
        /// Until when entries were asked for: milliseconds since 1970, UTC.
        until_ms: maybe u64,
        /// Why, in the words of whoever did it.
        why: maybe Why<'a>,
    }
}

macro_rules! entries {
    ($($name:ident = $kind:literal,)*) => {
        /// An entry of the log.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Entry<'a> {
            $(
                #[doc = concat!("An entry of kind `", $kind, "`.")]
                $name($name<'a>),
            )*
        }

        impl<'a> Entry<'a> {
            /// The keys of each kind, in order.
            pub const KEYS: &'static [(&'static str, &'static [&'static str])] =
                &[$(($kind, <$name<'static> as Record>::KEYS),)*];

            /// When it was written: milliseconds since 1970, UTC.
            #[must_use]
            pub fn at_ms(&self) -> u64 {
                match self { $(Self::$name(record) => record.at_ms,)* }
            }

            /// Its one form in bytes.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                let mut out = Vec::with_capacity(1024);
                match self { $(Self::$name(record) => record.write(&mut out),)* }
                out
            }

            /// Reads the one form of an entry.
            ///
            /// # Errors
            /// When the bytes are anything else.
            pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
                let mut cursor = Cursor::new(bytes);
                let entry = match cursor.kind().ok_or(Malformed)? {
                    $($kind => $name::read(&mut cursor).map(Self::$name),)*
                    _ => None,
                };
                entry.filter(|_| cursor.is_at_end()).ok_or(Malformed)
            }
        }
    };
}

entries! {
    Intent = "intent",
    Progress = "progress",
    Outcome = "outcome",
    Refusal = "refusal",
    Refusals = "refusals",
    Interrupted = "interrupted",
    Loss = "loss",
    Administration = "administration",
    Consent = "consent",
    Right = "right",
}

impl Entry<'_> {
    /// The exchange it is of. What an operator did about an exchange is not of it, and a change of a
    /// record of consent is of none.
    #[must_use]
    pub fn exchange(&self) -> Option<ExchangeId> {
        match self {
            Self::Intent(entry) => Some(entry.exchange),
            Self::Progress(entry) => Some(entry.exchange),
            Self::Outcome(entry) => Some(entry.exchange),
            Self::Refusal(entry) => Some(entry.exchange),
            Self::Interrupted(entry) => Some(entry.exchange),
            Self::Refusals(_)
            | Self::Loss(_)
            | Self::Administration(_)
            | Self::Consent(_)
            | Self::Right(_) => None,
        }
    }
}
