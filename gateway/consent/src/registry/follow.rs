//! Following the ledger, and being in doubt about it.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use lienthong_store::{
    StoreError,
    ledger::{Appended, Book, Change, Event, LedgerError},
};

use super::{Registry, RegistryError};
use crate::{progress::Work, record::ConsentRecord};

/// How many events are read at once.
const PAGE: u32 = 1000;

/// Puts the registry in doubt, unless it is told that the outcome is known. A call that is given up
/// half-way ends in doubt too.
struct Doubt<'a>(Option<&'a AtomicBool>);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        if let Some(uncertain) = self.0 {
            uncertain.store(true, Ordering::Release);
        }
    }
}

impl Registry {
    /// Reads what is new in the ledger; gives the revision up to which everything is in force. Ends
    /// a doubt.
    ///
    /// # Errors
    /// When the store fails, was set back, or has what cannot be read. A doubt stays then.
    pub async fn catch_up(&self) -> Result<u64, RegistryError> {
        let _writer = self.writer.lock().await;
        self.settle().await?;
        Ok(self.applied())
    }

    /// For whoever holds the lock of writers: ends a doubt and reads what is new.
    pub(super) async fn settle(&self) -> Result<(), RegistryError> {
        if self.is_uncertain() {
            // INVARIANT: whatever was under way has come to its end when this has: it needs the same
            // row of the ledger. A reading alone could come before the end of it.
            self.store.ledger().append(&[]).await?;
        }
        self.follow().await?;
        self.uncertain.store(false, Ordering::Release);
        Ok(())
    }

    pub(super) async fn follow(&self) -> Result<(), RegistryError> {
        let head = self.store.ledger().head().await?;
        if head < self.applied() || self.set_back.load(Ordering::Acquire) {
            self.set_back.store(true, Ordering::Release);
            self.uncertain.store(true, Ordering::Release);
            return Err(RegistryError::Behind);
        }
        loop {
            let events = self.store.ledger().since(self.applied(), PAGE).await?;
            let Some(last) = events.last() else { return Ok(()) };
            for event in &events {
                self.take_in(event)?;
            }
            let done = last.revision;
            if events.len() == PAGE as usize {
                self.progress.tell(Work::CatchUp, done, Some(head.max(done)));
            }
        }
    }

    fn take_in(&self, event: &Event) -> Result<(), RegistryError> {
        if event.book == Book::Consent {
            self.index.apply(&ConsentRecord::read(&event.record)?, event.revision)?;
        }
        self.guard.saw(event.at);
        self.applied.store(event.revision, Ordering::Release);
        Ok(())
    }

    /// Appends, in doubt about it until the ledger has answered.
    pub(super) async fn append(&self, changes: &[Change<'_>]) -> Result<Appended, LedgerError> {
        let mut doubt = Doubt(Some(&self.uncertain));
        let outcome = self.store.ledger().append(changes).await;
        if !matches!(outcome, Err(LedgerError::Store(_))) {
            doubt.0 = None;
        }
        outcome
    }

    /// What tells the event of a revision from any other.
    pub(super) async fn event(&self, revision: u64) -> Result<Option<Event>, StoreError> {
        let Some(before) = revision.checked_sub(1) else { return Ok(None) };
        let next = self.store.ledger().since(before, 1).await?.into_iter().next();
        Ok(next.filter(|event| event.revision == revision))
    }
}

/// What tells an event from any other.
pub(super) fn mark(event: Option<&Event>) -> [u8; 32] {
    let mut mark = [0; 32];
    let Some(event) = event else { return mark };
    let mut context = Context::new(&SHA256);
    let at = event.at.as_nanosecond().to_be_bytes();
    let parts: [&[u8]; 7] = [
        &event.revision.to_be_bytes(),
        event.book.as_str().as_bytes(),
        &event.id,
        event.action.as_bytes(),
        &at,
        &event.event,
        &event.record,
    ];
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    mark.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    mark
}
