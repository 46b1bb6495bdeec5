//! The record of a consent as it is kept, and what may be shown of it.
//!
//! Shaped after ISO/IEC TS 27560, with the words of the W3C Data Privacy Vocabulary in what is shown:
//! see `gateway/docs/consent.md`. There is no identifier in it but sealed.

use std::fmt;

use jiff::Timestamp;
use lienthong_model::{id::OperatorId, text::Language};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    fields::Fields,
    keys::{Sealed, SubjectDigest},
    period::Period,
    scope::Scope,
    state::{Action, State},
    statement::{Channel, Frequency, Given, NoticeShown, Relationship},
};

/// The form of records that this release writes.
const FORM: u8 = 1;

/// A consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsentId([u8; 16]);

impl ConsentId {
    /// The id of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id of a text, in the usual spelling of a UUID.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id = Self(Uuid::try_parse(text).ok()?.into_bytes());
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Display for ConsentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Uuid::from_bytes(self.0).fmt(f)
    }
}

impl Serialize for ConsentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ConsentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not an id"))
    }
}

/// A consent as its newest event left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRecord {
    /// The form of the record.
    form: Form,
    /// The consent.
    pub id: ConsentId,
    /// The person, as the registry knows one.
    pub subject: SubjectDigest,
    /// What it is about.
    pub scope: Scope,
    /// Which fields; none where the consent is lost.
    pub fields: Fields,
    /// What was said; nothing where the consent is known only from the evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
    /// What it is.
    pub state: State,
    /// The revision it began with; not yet known in the event that it begins with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<u64>,
    /// When it began.
    pub begun_at: Timestamp,
    /// When its newest event was.
    pub changed_at: Timestamp,
}

/// What a person said, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Who, sealed.
    pub data_subject: Sealed,
    /// What the person was shown.
    pub notice: NoticeShown,
    /// How it was said.
    pub given: Given,
    /// Who recorded it.
    pub collector: OperatorId,
    /// Whether the account was shown to have the minimum level. Not which level it has.
    pub account_level_met: bool,
    /// Who spoke for the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub representative: Option<SealedRepresentative>,
    /// Whether the person is a child, or may be one for all that was known.
    pub child: bool,
    /// Whether the child agreed beside the representative.
    pub child_agreed: bool,
    /// On which days it holds.
    pub period: Period,
    /// How often it may be used.
    pub frequency: Frequency,
    /// For how many days a recipient may keep the data.
    pub retention_days: u32,
    /// Keyed digest of the statement ([`SubjectKey::statement`](crate::keys::SubjectKey::statement)).
    #[serde(with = "hash")]
    pub statement: [u8; 32],
    /// A witness of another participant, as a compact JWS, sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Sealed>,
}

/// Who spoke for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedRepresentative {
    /// Who it is, sealed.
    pub identifier: Sealed,
    /// What that is to the person.
    pub relationship: Relationship,
}

/// What happened to a consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentEvent {
    /// What.
    pub action: Action,
    /// When.
    pub at: Timestamp,
    /// Who recorded it, where it was not the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Author>,
}

/// Who records a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The collector.
    pub collector: OperatorId,
    /// Over which channel the person said it.
    pub channel: Channel,
}

/// A record or event that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} of the registry cannot be read")]
pub struct Unreadable(pub(crate) &'static str);

impl ConsentRecord {
    pub(crate) fn new(
        (id, subject): (ConsentId, SubjectDigest),
        scope: Scope,
        (fields, said): (Fields, Option<Said>),
        state: State,
        at: Timestamp,
    ) -> Self {
        Self {
            form: Form,
            id,
            subject,
            scope,
            fields,
            said,
            state,
            created: None,
            begun_at: at,
            changed_at: at,
        }
    }

    /// The record of the ledger's bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(bytes).map_err(|_| Unreadable("a record"))
    }

    /// Its bytes for the ledger; equal records have equal bytes.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn bytes(&self) -> Result<Vec<u8>, Unreadable> {
        serde_json::to_vec(self).map_err(|_| Unreadable("a record"))
    }

    /// How often it may be used.
    #[must_use]
    pub fn frequency(&self) -> Option<Frequency> {
        self.said.as_ref().map(|said| said.frequency)
    }

    /// On which days it holds.
    #[must_use]
    pub fn period(&self) -> Option<Period> {
        self.said.as_ref().map(|said| said.period)
    }

    /// What may be shown of it: no identifier, no digest, nothing sealed, and no proof.
    #[must_use]
    pub fn view(&self, revision: u64) -> Value {
        let mut view = json!({
            "@context": {"dpv": "https://w3id.org/dpv#"},
            "@type": "dpv:ConsentRecord",
            "id": self.id,
            "revision": revision,
            "state": self.state,
            "dpv:hasConsentStatus": consent_status(self.state),
            "dpv:hasDataController": self.scope.controller,
            "dpv:hasRecipient": self.scope.recipients,
            "dpv:hasService": self.scope.service,
            "dpv:hasPurpose": self.scope.purpose,
            "dpv:hasPersonalData": self.fields,
            "dpv:isIndicatedAtTime": self.begun_at,
            "changed_at": self.changed_at,
        });
        if let (Some(said), Some(members)) = (&self.said, view.as_object_mut()) {
            members.extend(said.view());
        }
        view
    }
}

impl Said {
    fn view(&self) -> impl Iterator<Item = (String, Value)> {
        let indicated_by = match self.representative {
            Some(_) => "representative",
            None => "data_subject",
        };
        let relationship = self.representative.as_ref().map(|by| by.relationship);
        let members = [
            ("dpv:hasNotice", json!(self.notice)),
            ("dpv:isIndicatedBy", json!(indicated_by)),
            ("relationship", json!(relationship)),
            ("given", json!(self.given)),
            ("collector", json!(self.collector)),
            ("account_level", json!(self.account_level_met.then_some("met"))),
            ("child", json!(self.child)),
            ("child_agreed", json!(self.child_agreed)),
            ("period", json!(self.period)),
            ("frequency", json!(self.frequency)),
            ("retention_days", json!(self.retention_days)),
            ("witnessed", json!(self.proof.is_some())),
        ];
        let told = members.into_iter().filter(|(_, value)| !value.is_null());
        told.map(|(name, value)| (name.to_owned(), value))
    }
}

/// The nearest status of the Data Privacy Vocabulary.
#[must_use]
pub fn consent_status(state: State) -> &'static str {
    match state {
        State::Given => "dpv:ConsentGiven",
        State::Refused => "dpv:ConsentRefused",
        State::Withdrawn => "dpv:ConsentWithdrawn",
        State::Restricted | State::Objected | State::Lost => "dpv:ConsentInvalidated",
        State::Used => "dpv:ConsentExpired",
    }
}

impl ConsentEvent {
    /// The event of the ledger's bytes.
    ///
    /// # Errors
    /// When they are none.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(bytes).map_err(|_| Unreadable("an event"))
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Unreadable> {
        serde_json::to_vec(self).map_err(|_| Unreadable("an event"))
    }
}

/// The form of a record; another one is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Form;

impl Serialize for Form {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(FORM)
    }
}

impl<'de> Deserialize<'de> for Form {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            FORM => Ok(Self),
            _ => Err(D::Error::custom("a form of a later release")),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredNotice {
    id: String,
    #[serde(with = "hash")]
    hash: [u8; 32],
    language: String,
}

impl Serialize for NoticeShown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let language = self.language.tag().to_owned();
        StoredNotice { id: self.id.clone(), hash: self.hash, language }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NoticeShown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = StoredNotice::deserialize(deserializer)?;
        let languages = [Language::Vietnamese, Language::English];
        let language = languages.into_iter().find(|known| known.tag() == stored.language);
        let language = language.ok_or_else(|| D::Error::custom("not a language"))?;
        Ok(Self { id: stored.id, hash: stored.hash, language })
    }
}

mod hash {
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    use crate::hex;

    pub(super) fn serialize<S: Serializer>(
        hash: &[u8; 32],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(&text).ok_or_else(|| D::Error::custom("not a hash"))
    }
}

#[cfg(test)]
mod tests;
