//! The append-only ledger of consents, rights and notices to participants.
//!
//! - One head for all books: every event has the next revision, and revisions become visible in
//!   their order, so that whoever follows by [`Ledger::since`] misses none.
//! - A record is what its newest event left; a change says which event it follows.
//! - Whole: the changes of one call are kept together or not at all.
//!
//! Events and records are opaque bytes here. Nothing is ever taken out.

mod append;
mod read;

use std::fmt;

use jiff::Timestamp;

use crate::{Store, StoreError};

/// The ledger of a store.
#[derive(Debug, Clone, Copy)]
pub struct Ledger<'a> {
    store: &'a Store,
}

/// Which records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Book {
    /// Consents.
    Consent,
    /// Requests about the rights of data subjects.
    Right,
    /// Notices to participants that received data.
    Notice,
}

impl Book {
    /// Every book.
    pub const ALL: [Self; 3] = [Self::Consent, Self::Right, Self::Notice];

    /// Its name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Right => "right",
            Self::Notice => "notice",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        let known = Self::ALL.into_iter().find(|book| book.as_str() == name);
        known.ok_or(StoreError::Damaged("book"))
    }
}

/// One event, and the record as it leaves it.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    /// The book.
    pub book: Book,
    /// The record.
    pub id: [u8; 16],
    /// Digest of the data subject; the same in every change of a record.
    pub subject: [u8; 16],
    /// The service of a consent, nothing for a right, the participant of a notice; the same in every
    /// change of a record.
    pub party: &'a str,
    /// Word of the event.
    pub action: &'a str,
    /// When it was.
    pub at: Timestamp,
    /// The event.
    pub event: &'a [u8],
    /// The record after it.
    pub record: &'a [u8],
    /// Whether something is still to be done about the record.
    pub open: bool,
    /// Until when.
    pub due: Option<Timestamp>,
    /// What the change follows.
    pub expected: Expected,
    /// What may stand in the book once only.
    pub once: Option<[u8; 32]>,
    /// Under which key it is asked for.
    pub idempotency: Option<Idempotency>,
}

/// What a change follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: the record is new.
    New,
    /// The record's newest event, by its revision.
    Revision(u64),
}

/// A key under which something is asked for once, however often it is repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Idempotency {
    /// Digest of the key and whose it is.
    pub key: [u8; 32],
    /// Digest of what is asked.
    pub request: [u8; 32],
}

/// The revisions that changes were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Of the first.
    pub first: u64,
    /// Of the last.
    pub last: u64,
}

/// Why nothing was appended.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The record's newest event is another than expected, or is of another subject or party.
    #[error("record has changed")]
    Conflict,
    /// What may stand there once only stands there.
    #[error("proof has been used")]
    Used,
    /// The same was asked for under the same key before.
    #[error("repeats revision {revision}")]
    Repeated {
        /// The record.
        id: [u8; 16],
        /// The revision it got.
        revision: u64,
    },
    /// Something else was asked for under the same key before.
    #[error("idempotency key stands for another request")]
    Mismatch,
    /// The store failed. Whether the changes stand in the ledger is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A record as its newest event left it.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// The record.
    pub id: [u8; 16],
    /// Digest of the data subject.
    pub subject: [u8; 16],
    /// Service or participant.
    pub party: String,
    /// Its newest event.
    pub revision: u64,
    /// The record itself.
    pub record: Vec<u8>,
    /// Whether something is still to be done about it.
    pub open: bool,
    /// Until when.
    pub due: Option<Timestamp>,
    /// When its newest event was.
    pub at: Timestamp,
}

/// An event.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the ledger.
    pub revision: u64,
    /// The book.
    pub book: Book,
    /// The record.
    pub id: [u8; 16],
    /// Digest of the data subject.
    pub subject: [u8; 16],
    /// Service or participant.
    pub party: String,
    /// Word of the event.
    pub action: String,
    /// When it was.
    pub at: Timestamp,
    /// The event itself.
    pub event: Vec<u8>,
    /// The record after it.
    pub record: Vec<u8>,
}

/// Nothing of a person is shown, not even a digest.
impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Change");
        shown.field("book", &self.book).field("action", &self.action).finish_non_exhaustive()
    }
}

impl fmt::Debug for Idempotency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idempotency").finish_non_exhaustive()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("revision", &self.revision).finish_non_exhaustive()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Event");
        shown.field("revision", &self.revision).field("book", &self.book);
        shown.field("action", &self.action).finish_non_exhaustive()
    }
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }
}

/// A revision as the database has it.
fn stored(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}

fn revision(stored: i64) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|_| StoreError::Damaged("revision"))
}

fn id(stored: &[u8]) -> Result<[u8; 16], StoreError> {
    stored.try_into().map_err(|_| StoreError::Damaged("id"))
}

/// An instant as the database has it. What lies after the year 2262 is that year.
fn nanoseconds(at: Timestamp) -> i64 {
    let outside = if at.as_nanosecond() < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(at.as_nanosecond()).unwrap_or(outside)
}

fn moment(nanoseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_nanosecond(nanoseconds.into()).map_err(|_| StoreError::Damaged("instant"))
}

#[cfg(test)]
pub(crate) mod tests;
