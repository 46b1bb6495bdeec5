//! Notices: what a person is shown before being asked for consent.
//!
//! Takes `policies/notices/*.yaml`; gives each [`Notice`] by id, with the hash of its text per language.
//! A notice may speak only of what an agreement on consent opens while the notice is valid, and must
//! say so in words where a field is sensitive.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;
use lienthong_model::{
    field::Pointer,
    id::{AgreementId, OperationId, ParticipantId, PurposeId, ServiceId},
    mask::Mask,
    text::Language,
};

use crate::{
    agreement::{Agreement, Term},
    hash,
};

pub(crate) mod read;

/// A text that people are shown, and everything it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// The participant that holds the data.
    pub controller: ParticipantId,
    /// The participants that may get it.
    pub recipients: BTreeSet<ParticipantId>,
    /// The service.
    pub service: ServiceId,
    /// The one purpose.
    pub purpose: PurposeId,
    /// When it may be shown.
    pub valid: Term,
    /// The fields it speaks of.
    pub fields: BTreeSet<NoticeField>,
    vi: Text,
    en: Option<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    text: String,
    hash: [u8; 32],
}

impl Text {
    /// Of a text in NFC.
    fn new(text: String) -> Self {
        let hash = hash::bytes_sha256(text.as_bytes());
        Self { text, hash }
    }
}

/// One field of an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NoticeField {
    /// The operation.
    pub operation: OperationId,
    /// The status of the answer.
    pub status: u16,
    /// The field, as agreements name it.
    pub field: Pointer,
}

/// What a person says yes to, to be held against a notice.
#[derive(Debug, Clone, Copy)]
pub struct NoticeScope<'a> {
    /// The participant that holds the data.
    pub controller: &'a ParticipantId,
    /// The participants that may get it.
    pub recipients: &'a BTreeSet<ParticipantId>,
    /// The service.
    pub service: &'a ServiceId,
    /// The purpose.
    pub purpose: &'a PurposeId,
    /// The fields.
    pub fields: &'a BTreeSet<NoticeField>,
}

impl Notice {
    /// The text in one language.
    #[must_use]
    pub fn text(&self, language: Language) -> Option<&str> {
        self.of(language).map(|text| text.text.as_str())
    }

    /// SHA-256 of the text in NFC, in one language.
    #[must_use]
    pub fn hash(&self, language: Language) -> Option<[u8; 32]> {
        self.of(language).map(|text| text.hash)
    }

    fn of(&self, language: Language) -> Option<&Text> {
        match language {
            Language::Vietnamese => Some(&self.vi),
            Language::English => self.en.as_ref(),
        }
    }

    /// Whether a person who was shown it on this day was told of all of that.
    #[must_use]
    pub fn covers(&self, scope: &NoticeScope<'_>, on: Date) -> bool {
        self.valid.from <= on
            && on <= self.valid.until
            && self.controller == *scope.controller
            && self.service == *scope.service
            && self.purpose == *scope.purpose
            && scope.recipients.is_subset(&self.recipients)
            && scope.fields.is_subset(&self.fields)
    }
}

/// Whether an agreement rests on consent and binds these for this purpose.
pub(crate) fn binds(
    agreement: &Agreement,
    (controller, recipient): (&ParticipantId, &ParticipantId),
    service: &ServiceId,
    purpose: &PurposeId,
) -> bool {
    agreement.consent.is_some()
        && agreement.provider == *controller
        && agreement.consumer == *recipient
        && agreement.service == *service
        && agreement.purposes.contains(purpose)
}

/// Whether anything of a field passes under an agreement.
fn opens(agreement: &Agreement, field: &NoticeField) -> bool {
    let operation = agreement.operations.get(&field.operation);
    let masks = operation.and_then(|operation| operation.answers.get(&field.status));
    let mask = masks.and_then(|masks| masks.get(&field.field));
    mask.is_some_and(|mask| *mask != Some(Mask::Drop))
}

/// The agreements, by id.
pub(crate) type Agreements = BTreeMap<AgreementId, Arc<Agreement>>;

#[cfg(test)]
mod tests;
