//! Entries of what data subjects decide and ask for: records of consent, and requests by right.

use super::{
    form::record,
    value::{Article, Commitment, ExchangeId, KeyedDigest, Name, Period},
    word::{Channel, ConsentAction, Format, IsConsent, IsRight, RightAction, RightKind},
};
use crate::hash::Hash;

record! {
    /// A change of a record of consent.
    Consent {
        /// What was done.
        action: one ConsentAction,
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How it was given or changed.
        channel: maybe Channel,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// The operator that did it; `local` is whoever has the account the gateway runs under,
        /// `gateway` is the gateway itself.
        collector: one Name<'a>,
        /// The record of consent.
        consent: one ExchangeId,
        /// The participant that answers for the processing.
        controller: one Name<'a>,
        /// Version of this form.
        format: one Format,
        /// Which key made the digests and the commitment.
        key: one Period<'a>,
        /// Which of the forms this is.
        kind: one IsConsent,
        /// The node of the gateway.
        node: one Name<'a>,
        /// Hash of the notice that was shown.
        notice: maybe Hash,
        /// The purpose.
        purpose: one Name<'a>,
        /// The participants that may receive the data.
        recipients: many Name<'a>,
        /// The record after the change, in canonical form.
        record: one Commitment,
        /// Who spoke for the data subject.
        representative: maybe KeyedDigest,
        /// The registry's revision of the change.
        revision: one u64,
        /// The service.
        service: one Name<'a>,
        /// Whose consent it is.
        subject: one KeyedDigest,
    }
}

record! {
    /// A step of a request by which a data subject exercises a right.
    Right {
        /// What was done.
        action: one RightAction,
        /// The articles that a refusal rests on.
        articles: many Article<'a>,
        /// When it was written: milliseconds since 1970, UTC.
        at_ms: one u64,
        /// How far the node's clock was from its time source, milliseconds; missing when nobody
        /// measured it.
        clock_offset_ms: maybe i64,
        /// The record of consent it is about.
        consent: maybe ExchangeId,
        /// Until when it has to be dealt with: milliseconds since 1970, UTC.
        due_ms: maybe u64,
        /// Version of this form.
        format: one Format,
        /// Which key made the digest.
        key: one Period<'a>,
        /// Which of the forms this is.
        kind: one IsRight,
        /// The node of the gateway.
        node: one Name<'a>,
        /// Who did it; `local` and `gateway` as in a record of consent.
        operator: one Name<'a>,
        /// The participant that was told, or that confirms.
        participant: maybe Name<'a>,
        /// The request.
        request: one ExchangeId,
        /// The registry's revision of the step.
        revision: one u64,
        /// Which right is exercised.
        right: one RightKind,
        /// The service it is about.
        service: maybe Name<'a>,
        /// Who exercises it.
        subject: one KeyedDigest,
    }
}
