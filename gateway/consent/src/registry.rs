//! The registry: what people said, durable in the ledger and at hand in memory.
//!
//! A change is first durable, then in force here, then acknowledged. A change whose outcome the store
//! did not tell puts everything in doubt: nothing is said to hold until the ledger was read again.
//! The time that counts never goes back.

mod change;
mod error;
mod follow;
mod open;
mod past;
mod replay;
mod save;

use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{clock::Clock, sensitive::Sensitive};
use lienthong_store::{
    Store,
    ledger::{Book, Event, Row},
};
use tokio::sync::Mutex;

pub use self::{
    change::{Changed, Giving, Loss, Proof, Request},
    error::{OpenError, RegistryError, SnapshotError, Uncertain, UseError},
    open::Source,
    past::{Happened, HappenedError},
    replay::Missed,
};
use crate::{
    guard::Guard,
    identifier::Identifier,
    index::{Index, Standing},
    keys::{SealError, SealKey, Sealed, Sealing, SubjectDigest, SubjectKey},
    progress::Progress,
    record::{ConsentEvent, ConsentId, ConsentRecord, Unreadable},
    scope::Asked,
    state::State,
};

/// What a registry is opened with.
#[derive(Debug)]
pub struct Settings {
    /// Where its ledger is.
    pub store: Arc<Store>,
    /// The key of the digests.
    pub subject_key: SubjectKey,
    /// The key that seals identifiers.
    pub seal_key: SealKey,
    /// The file of the local snapshot.
    pub snapshot: Option<PathBuf>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who is told of long work.
    pub progress: Progress,
}

/// The registry of consents.
pub struct Registry {
    store: Arc<Store>,
    index: Arc<Index>,
    subject_key: SubjectKey,
    seal_key: SealKey,
    lineage: [u8; 16],
    snapshot: Option<PathBuf>,
    progress: Progress,
    guard: Guard,
    source: Source,
    /// Every event up to it is in the index.
    applied: AtomicU64,
    /// Whether the ledger may have what the index does not have.
    uncertain: AtomicBool,
    /// Whether the store was seen with fewer events than were read from it. Nothing heals that.
    set_back: AtomicBool,
    /// One change at a time, so that their times and their places in the index follow each other.
    writer: Mutex<()>,
    /// One snapshot at a time.
    saving: Arc<Mutex<()>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Registry");
        shown.field("applied", &self.applied()).field("uncertain", &self.is_uncertain());
        shown.finish_non_exhaustive()
    }
}

/// A record and its newest revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The record.
    pub record: ConsentRecord,
    /// The revision.
    pub revision: u64,
}

/// Something that happened to a consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Its place in the ledger.
    pub revision: u64,
    /// What happened.
    pub event: ConsentEvent,
    /// What the consent was afterwards.
    pub record: ConsentRecord,
}

impl Registry {
    /// Whether a consent to what is asked for holds now. Never waits.
    ///
    /// # Errors
    /// While the ledger may have what is not known here.
    pub fn standing(
        &self,
        subject: &SubjectDigest,
        asked: &Asked<'_>,
    ) -> Result<Standing, Uncertain> {
        // Looked at before the index and not after it: what was put in doubt since is answered as if
        // the question had come a moment earlier.
        if self.is_uncertain() {
            return Err(Uncertain);
        }
        Ok(self.index.find(subject, asked, self.now()))
    }

    /// The key under which it knows people.
    #[must_use]
    pub fn subject_key(&self) -> &SubjectKey {
        &self.subject_key
    }

    /// The time that counts: it never goes back.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.guard.now()
    }

    /// How far the clock is behind the latest time seen. Much means that the clock was far ahead
    /// once, or is wrong now.
    #[must_use]
    pub fn clock_behind(&self) -> SignedDuration {
        self.guard.behind()
    }

    /// From what it was opened.
    #[must_use]
    pub fn source(&self) -> Source {
        self.source
    }

    /// Every event up to this revision is in force here.
    #[must_use]
    pub fn applied(&self) -> u64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Whether the ledger may have what is not known here.
    #[must_use]
    pub fn is_uncertain(&self) -> bool {
        self.uncertain.load(Ordering::Acquire)
    }

    /// How many statements of each state decide something.
    #[must_use]
    pub fn counts(&self) -> [(State, u64); State::ALL.len()] {
        self.index.counts()
    }

    /// About how many bytes of memory the index takes.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.index.heap_bytes()
    }

    /// The newest revision of the ledger.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn head(&self) -> Result<u64, RegistryError> {
        Ok(self.store.ledger().head().await?)
    }

    /// A consent.
    ///
    /// # Errors
    /// When it is not known, the store fails or the record cannot be read.
    pub async fn record(&self, id: ConsentId) -> Result<Kept, RegistryError> {
        let row = self.store.ledger().record(Book::Consent, *id.as_bytes()).await?;
        kept(&row.ok_or(RegistryError::Unknown)?).map_err(Into::into)
    }

    /// The consents of a person whose newest event is after the revision, in its order.
    ///
    /// # Errors
    /// When the store fails or a record cannot be read.
    pub async fn list(
        &self,
        subject: &SubjectDigest,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Kept>, RegistryError> {
        let ledger = self.store.ledger();
        let rows = ledger.of_subject(Book::Consent, *subject.as_bytes(), after, limit).await?;
        Ok(rows.iter().map(kept).collect::<Result<_, _>>()?)
    }

    /// The newest events of a consent, at most this many, in their order; none when it is not known.
    ///
    /// # Errors
    /// When the store fails or an event cannot be read.
    pub async fn history(&self, id: ConsentId, limit: u32) -> Result<Vec<Past>, RegistryError> {
        let events = self.store.ledger().history(Book::Consent, *id.as_bytes(), limit).await?;
        Ok(events.iter().map(past).collect::<Result<_, _>>()?)
    }

    /// The word of the witness that a record was made with.
    ///
    /// # Errors
    /// When it does not open with the key of this registry.
    pub fn proof(&self, record: &ConsentRecord) -> Result<Option<Sensitive<String>>, SealError> {
        let sealed = record.said.as_ref().and_then(|said| said.proof.as_ref());
        let opened = sealed.map(|sealed| self.seal_key.open_proof(record.id, sealed));
        Ok(opened.transpose()?.map(Sensitive::new))
    }

    /// Who it is about, unsealed; nobody where only the evidence knows the consent.
    ///
    /// # Errors
    /// When it was sealed with another key.
    pub fn data_subject(&self, record: &ConsentRecord) -> Result<Option<Identifier>, SealError> {
        let open = |sealed| self.seal_key.open(record.id, Sealing::DataSubject, sealed);
        record.said.as_ref().map(|said| open(&said.data_subject)).transpose()
    }

    /// Seals who somebody is, for one request or notice alone.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(&self, place: ConsentId, identifier: &Identifier) -> Result<Sealed, SealError> {
        self.seal_key.seal(place, Sealing::DataSubject, identifier)
    }

    /// Who somebody is, of a request or notice.
    ///
    /// # Errors
    /// When it was sealed otherwise.
    pub fn unseal(&self, place: ConsentId, sealed: &Sealed) -> Result<Identifier, SealError> {
        self.seal_key.open(place, Sealing::DataSubject, sealed)
    }

    /// The store in which requests and notices stand beside the consents.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Who spoke for the person, unsealed; nobody where nobody did.
    ///
    /// # Errors
    /// When it was sealed with another key.
    pub fn representative(&self, record: &ConsentRecord) -> Result<Option<Identifier>, SealError> {
        let open = |sealed| self.seal_key.open(record.id, Sealing::Representative, sealed);
        let by = record.said.as_ref().and_then(|said| said.representative.as_ref());
        by.map(|by| open(&by.identifier)).transpose()
    }

    /// Whether the change of this revision is in the ledger, and is of this record.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has(&self, revision: u64, record: &[u8; 16]) -> Result<bool, RegistryError> {
        let event = self.event(revision).await?;
        // A notice to a participant has an id of its own beside that of its request.
        Ok(event.is_some_and(|event| event.book == Book::Notice || event.id == *record))
    }
}

fn kept(row: &Row) -> Result<Kept, Unreadable> {
    Ok(Kept { record: ConsentRecord::read(&row.record)?, revision: row.revision })
}

fn past(event: &Event) -> Result<Past, Unreadable> {
    Ok(Past {
        revision: event.revision,
        event: ConsentEvent::read(&event.event)?,
        record: ConsentRecord::read(&event.record)?,
    })
}

#[cfg(test)]
mod tests;
