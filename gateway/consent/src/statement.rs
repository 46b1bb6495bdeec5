//! What a collector says that a person said: yes or no to one purpose.
//!
//! Read strictly, then checked by rules that need no policy. What depends on an agreement, a notice
//! or on who collects is checked by whoever has the policies. No value reaches an error.

mod check;
mod read;

use std::{collections::BTreeMap, fmt};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::civil::Date;
use lienthong_model::{reason::ReasonCode, text::Language};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use self::check::{Checked, Limits};
use crate::{fields::Fields, hex, identifier::Identifier, period::Period, scope::Scope};

/// A statement.
#[derive(Clone)]
pub struct Statement {
    /// Whose data it is about.
    pub data_subject: Identifier,
    /// Who decides about the processing, who may receive, of which service, for which purpose.
    pub scope: Scope,
    /// Which fields.
    pub fields: Fields,
    /// What the person was shown.
    pub notice: NoticeShown,
    /// How the person said it.
    pub given: Given,
    /// That the electronic identification account met the minimum level; its level is not told.
    pub account_level: Option<AccountLevel>,
    /// Who speaks for the person.
    pub representative: Option<Representative>,
    /// Whether a child agreed beside the representative.
    pub child_agreed: Option<bool>,
    /// When the person was born. It is looked at and not kept.
    pub birth_date: Option<Date>,
    /// On which days it holds.
    pub period: Period,
    /// How often it may be used.
    pub frequency: Frequency,
    /// For how many days a recipient may keep the data.
    pub retention_days: u32,
    /// Yes or no.
    pub decision: Decision,
}

/// A notice that a person was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeShown {
    /// The notice.
    pub id: String,
    /// SHA-256 of its text in this language.
    pub hash: [u8; 32],
    /// The language.
    pub language: Language,
}

/// How a person said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Given {
    /// Over which channel.
    pub channel: Channel,
    /// The collector's own number of the form or receipt; no identifier of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Who speaks for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Representative {
    /// Who it is.
    pub identifier: Identifier,
    /// What that is to the person.
    pub relationship: Relationship,
}

/// Words of which one has to stand.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Its word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// What the word stands for.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

words! {
    /// Over which channel something was said.
    Channel {
        /// After a log-in with VNeID.
        Vneid = "vneid",
        /// On a signed form.
        Paper = "paper",
        /// To an officer.
        Officer = "officer",
    }
}

words! {
    /// What a representative is to a person.
    Relationship {
        /// The father.
        Father = "father",
        /// The mother.
        Mother = "mother",
        /// The guardian.
        Guardian = "guardian",
        /// Named by a court.
        CourtAppointed = "court_appointed",
    }
}

words! {
    /// How often a consent may be used.
    Frequency {
        /// For one exchange, whatever comes of it.
        Once = "once",
        /// As often as the purpose needs.
        AsNeeded = "as_needed",
    }
}

words! {
    /// Yes or no. There is no default: silence is not consent (PDPL 91/2025 Art. 9.4.d).
    Decision {
        /// Yes.
        Give = "give",
        /// No.
        Refuse = "refuse",
    }
}

words! {
    /// What is told of the level of an account.
    AccountLevel {
        /// It met the minimum.
        Met = "met",
    }
}

/// What is wrong with a statement. Names the field, never a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at `{field}`")]
pub struct StatementError {
    /// The reason it is refused with.
    pub reason: ReasonCode,
    /// Where.
    pub field: &'static str,
}

impl StatementError {
    pub(crate) fn new(reason: ReasonCode, field: &'static str) -> Self {
        Self { reason, field }
    }

    pub(crate) fn schema(field: &'static str) -> Self {
        Self::new(ReasonCode::RequestSchema, field)
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Statement");
        shown.field("scope", &self.scope).field("decision", &self.decision).finish_non_exhaustive()
    }
}

impl Statement {
    /// Its one spelling, which a witness signs: the members as they are sent, JSON of RFC 8785, with
    /// `recipients` and `fields` sorted and each once, identifiers in normal form C, and no member
    /// where nothing was said.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut members = BTreeMap::from([
            ("controller", json!(self.scope.controller)),
            ("data_subject", identifier(&self.data_subject)),
            ("decision", json!(self.decision)),
            ("fields", json!(self.fields)),
            ("frequency", json!(self.frequency)),
            ("given", self.given.canonical()),
            ("notice", self.notice.canonical()),
            (
                "period",
                object([("from", json!(self.period.from)), ("until", json!(self.period.until))]),
            ),
            ("purpose", json!(self.scope.purpose)),
            ("recipients", json!(self.scope.recipients)),
            ("retention_days", json!(self.retention_days)),
            ("service", json!(self.scope.service)),
        ]);
        members.extend(self.account_level.map(|level| ("account_level", json!(level))));
        members.extend(self.child_agreed.map(|agreed| ("child_agreed", json!(agreed))));
        members.extend(self.birth_date.map(|date| ("birth_date", json!(date))));
        let representative = self.representative.as_ref().map(|representative| {
            object([
                ("identifier", identifier(&representative.identifier)),
                ("relationship", json!(representative.relationship)),
            ])
        });
        members.extend(representative.map(|value| ("representative", value)));
        object(members).to_string().into_bytes()
    }

    /// SHA-256 of its one spelling.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        let digest = digest(&SHA256, &self.canonical());
        hash.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        hash
    }
}

impl Given {
    fn canonical(&self) -> Value {
        let channel = [("channel", json!(self.channel))];
        let reference = self.reference.as_ref().map(|text| ("reference", json!(text)));
        object(channel.into_iter().chain(reference))
    }
}

impl NoticeShown {
    fn canonical(&self) -> Value {
        object([
            ("hash", json!(hex::encode(&self.hash))),
            ("id", json!(self.id)),
            ("language", json!(self.language.tag())),
        ])
    }
}

fn identifier(identifier: &Identifier) -> Value {
    object([("kind", json!(identifier.kind())), ("value", json!(identifier.expose()))])
}

/// An object whose members stand in the order of their names.
fn object<'a>(members: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let sorted: BTreeMap<&str, Value> = members.into_iter().collect();
    Value::Object(sorted.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests;
