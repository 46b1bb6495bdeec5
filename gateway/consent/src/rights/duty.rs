//! What requests about rights and notices to participants have in common: each is owed until it is
//! dealt with, and stands in the ledger as an event and a record.

use jiff::Timestamp;
use lienthong_model::reason::ReasonCode;
use lienthong_store::{
    StoreError,
    ledger::{Book, Change, Event, Expected, Idempotency, Ledger, LedgerError, Row},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned, de::Error as _,
};

use super::StepError;
use crate::notice::NoticeError;

/// The form of records that this release writes.
const FORM: u8 = 1;

/// A change that owns what it says, to be appended alone or together with others.
#[derive(Clone)]
pub struct ChangeOwned {
    pub(crate) book: Book,
    pub(crate) id: [u8; 16],
    pub(crate) subject: [u8; 16],
    pub(crate) party: String,
    pub(crate) action: &'static str,
    pub(crate) at: Timestamp,
    pub(crate) event: Vec<u8>,
    pub(crate) record: Vec<u8>,
    pub(crate) open: bool,
    pub(crate) due: Option<Timestamp>,
    pub(crate) expected: Expected,
    pub(crate) idempotency: Option<Idempotency>,
}

impl std::fmt::Debug for ChangeOwned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.change().fmt(f)
    }
}

impl ChangeOwned {
    /// The change as the ledger takes it.
    #[must_use]
    pub fn change(&self) -> Change<'_> {
        Change {
            book: self.book,
            id: self.id,
            subject: self.subject,
            party: &self.party,
            action: self.action,
            at: self.at,
            event: &self.event,
            record: &self.record,
            open: self.open,
            due: self.due,
            expected: self.expected,
            once: None,
            idempotency: self.idempotency,
        }
    }
}

/// Something kept, with the revision of its newest event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered<T> {
    /// The revision.
    pub revision: u64,
    /// What is kept.
    pub record: T,
}

/// Something that was done, or had been done before under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done<T> {
    /// It was done now.
    Now(Numbered<T>),
    /// It had been done; this is what it is today.
    Before(Numbered<T>),
}

impl<T> Done<T> {
    /// What is kept.
    #[must_use]
    pub fn kept(&self) -> &Numbered<T> {
        match self {
            Self::Now(kept) | Self::Before(kept) => kept,
        }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum DutyError {
    /// No such record, or not of the one who asks.
    #[error("record is not known")]
    Unknown,
    /// The request does not allow it.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The notice does not allow it.
    #[error(transparent)]
    Notice(#[from] NoticeError),
    /// The record has changed since the revision that was named.
    #[error("record has changed")]
    Changed,
    /// Something else was asked for under the same key before.
    #[error("idempotency key stands for another request")]
    Mismatch,
    /// The store has what cannot be read, or something could not be written down.
    #[error("a record of the ledger cannot be read")]
    Unreadable,
    /// The store failed. Whether anything was done is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DutyError {
    /// The reason it is refused with.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        match self {
            Self::Unknown => ReasonCode::ConsentUnknown,
            Self::Step(_) | Self::Notice(_) | Self::Changed | Self::Mismatch => {
                ReasonCode::ConsentState
            }
            Self::Unreadable | Self::Store(_) => ReasonCode::FactsUnavailable,
        }
    }
}

impl From<LedgerError> for DutyError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Conflict | LedgerError::Used | LedgerError::Repeated { .. } => {
                Self::Changed
            }
            LedgerError::Mismatch => Self::Mismatch,
            LedgerError::Store(error) => Self::Store(error),
        }
    }
}

pub(crate) fn bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, DutyError> {
    serde_json::to_vec(value).map_err(|_| DutyError::Unreadable)
}

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DutyError> {
    serde_json::from_slice(bytes).map_err(|_| DutyError::Unreadable)
}

pub(crate) fn rows<T: DeserializeOwned>(rows: Vec<Row>) -> Result<Vec<Numbered<T>>, DutyError> {
    rows.iter().map(numbered).collect()
}

fn numbered<T: DeserializeOwned>(row: &Row) -> Result<Numbered<T>, DutyError> {
    Ok(Numbered { revision: row.revision, record: read(&row.record)? })
}

pub(crate) fn events<T: DeserializeOwned>(events: &[Event]) -> Result<Vec<Numbered<T>>, DutyError> {
    let read =
        |event: &Event| Ok(Numbered { revision: event.revision, record: read(&event.event)? });
    events.iter().map(read).collect()
}

/// The record of an id.
pub(crate) async fn record<T: DeserializeOwned>(
    ledger: &Ledger<'_>,
    book: Book,
    id: [u8; 16],
) -> Result<Numbered<T>, DutyError> {
    let row = ledger.record(book, id).await?;
    numbered(&row.ok_or(DutyError::Unknown)?)
}

/// Appends one change.
pub(crate) async fn append<T: DeserializeOwned>(
    ledger: &Ledger<'_>,
    change: &ChangeOwned,
    after: T,
) -> Result<Done<T>, DutyError> {
    match ledger.append(&[change.change()]).await {
        Ok(appended) => Ok(Done::Now(Numbered { revision: appended.last, record: after })),
        Err(LedgerError::Repeated { id, .. }) => {
            record(ledger, change.book, id).await.map(Done::Before)
        }
        Err(error) => Err(error.into()),
    }
}

/// The form of a record; another one is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Form;

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

/// An id like that of a consent, of a kind of its own.
macro_rules! duty_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($crate::record::ConsentId);

        impl $name {
            /// A new one, of version 7 and this time.
            #[must_use]
            pub fn new(now: Timestamp) -> Self {
                let seconds = u64::try_from(now.as_second()).unwrap_or_default();
                let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
                let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds);
                Self::from_bytes(uuid::Uuid::new_v7(time).into_bytes())
            }

            /// The id of these bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self($crate::record::ConsentId::from_bytes(bytes))
            }

            /// Its bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id of a text, in the usual spelling of a UUID.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                $crate::record::ConsentId::parse(text).map(Self)
            }

            /// Its place among the records for which identifiers are sealed.
            #[must_use]
            pub fn sealing(&self) -> $crate::record::ConsentId {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
pub(crate) use duty_id;

/// Words of which one has to stand.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

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
                Self::ALL.into_iter().find(|known| known.as_str() == word)
            }
        }
    };
}
pub(crate) use words;
