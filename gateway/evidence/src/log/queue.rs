//! What waits to become durable, and who waits for it.
//!
//! Entries are put one behind the other into the frame of the next batch. All of one batch share one
//! outcome: one lock and one wake-up of the writer however many there are.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{
    disk::Disk,
    journal::{FRAME_EXTRA, HEAD},
};
use crate::{hash::Hash, revisions::Change, tile};

/// Why an entry was not taken, or will not become durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much waits already; it may be tried again.
    #[error("queue of the log is full")]
    Full,
    /// The disk is so full that nothing is taken until there is room again.
    #[error("disk of the log is full")]
    Disk,
    /// No entry can be of this size.
    #[error("entry is empty or larger than 65535 bytes")]
    Size,
    /// The log could not write; nothing will become durable until it is opened anew.
    #[error("log has failed")]
    Failed,
    /// The log is being closed.
    #[error("log is closed")]
    Closed,
}

/// Proof that an entry is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Receipt {
    index: u64,
}

impl Receipt {
    /// The entry's place in the log.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }
}

#[derive(Default)]
struct Waiters {
    outcome: Option<Result<(), AppendError>>,
    wakers: Vec<Waker>,
}

/// One batch, for those who wait for it.
#[derive(Default)]
pub(super) struct Batch {
    waiters: Mutex<Waiters>,
    done: Condvar,
}

impl Batch {
    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells everybody how it ended.
    pub(super) fn end(&self, outcome: Result<(), AppendError>) {
        let wakers = {
            let mut waiters = self.lock();
            waiters.outcome = Some(outcome);
            std::mem::take(&mut waiters.wakers)
        };
        self.done.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }
}

/// An entry that is on its way to disk. Await it, or [`wait`](Self::wait) for it; when it is dropped
/// the entry becomes durable all the same.
#[must_use]
pub struct Queued {
    index: u64,
    batch: Arc<Batch>,
    /// Where among the wakers of the batch ours is.
    place: Option<usize>,
}

/// Which batch an entry is of; told apart while one of its entries is [`Queued`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BatchId(usize);

impl Queued {
    /// The batch that it becomes durable with.
    #[must_use]
    pub fn batch(&self) -> BatchId {
        BatchId(Arc::as_ptr(&self.batch).addr())
    }

    /// Blocks until the entry is durable.
    ///
    /// # Errors
    /// When it did not become so.
    pub fn wait(self) -> Result<Receipt, AppendError> {
        let mut waiters = self.batch.lock();
        loop {
            if let Some(outcome) = waiters.outcome {
                return outcome.map(|()| Receipt { index: self.index });
            }
            waiters = self.batch.done.wait(waiters).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Queued {
    type Output = Result<Receipt, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let batch = Arc::clone(&self.batch);
        let mut waiters = batch.lock();
        if let Some(outcome) = waiters.outcome {
            return Poll::Ready(outcome.map(|()| Receipt { index: self.index }));
        }
        match self.place.and_then(|place| waiters.wakers.get_mut(place)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                self.place = Some(waiters.wakers.len());
                waiters.wakers.push(context.waker().clone());
            }
        }
        Poll::Pending
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued").field("index", &self.index).finish_non_exhaustive()
    }
}

/// A batch as the writer takes it: the entries stand in the frame behind room for its head.
pub(super) struct Waiting {
    pub(super) first: u64,
    pub(super) frame: Vec<u8>,
    pub(super) leaves: Vec<Hash>,
    pub(super) batch: Arc<Batch>,
    /// The change of the registry of consents with the highest revision among them.
    pub(super) newest: Option<Change>,
}

impl Waiting {
    fn new(first: u64, frame: Vec<u8>, entries: usize) -> Self {
        let leaves = Vec::with_capacity(entries);
        let mut new = Self { first, frame, leaves, batch: Arc::default(), newest: None };
        new.frame.clear();
        new.frame.resize(HEAD, 0);
        new
    }

    fn next(&self) -> u64 {
        self.first.saturating_add(self.leaves.len() as u64)
    }
}

struct Inner {
    waiting: Waiting,
    stopped: Option<AppendError>,
    disk: Disk,
    /// Whether the writer has to be woken.
    sleeps: bool,
    /// Frames to use again.
    used: Vec<Vec<u8>>,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("most_bytes", &self.most_bytes).finish_non_exhaustive()
    }
}

/// The bounded queue between those who append and the writer.
pub(super) struct Queue {
    inner: Mutex<Inner>,
    filled: Condvar,
    most_bytes: usize,
}

impl Queue {
    /// A queue whose first entry gets the number `next`.
    pub(super) fn new(next: u64, most_bytes: usize) -> Self {
        let waiting = Waiting::new(next, Vec::new(), 0);
        let inner =
            Inner { waiting, stopped: None, disk: Disk::Green, sleeps: false, used: Vec::new() };
        Self { inner: Mutex::new(inner), filled: Condvar::new(), most_bytes }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an entry. The writer has to be woken for it.
    pub(super) fn push(&self, entry: &[u8]) -> Result<Queued, AppendError> {
        if entry.is_empty() || entry.len() > tile::MAX_ENTRY {
            return Err(AppendError::Size);
        }
        let leaf = Hash::of_leaf(entry);
        let change = Change::read(entry);
        let mut inner = self.lock();
        if let Some(stopped) = inner.stopped {
            return Err(stopped);
        }
        if inner.disk == Disk::Red {
            return Err(AppendError::Disk);
        }
        let waiting = &mut inner.waiting;
        if waiting.frame.len() + 2 + entry.len() + FRAME_EXTRA > self.most_bytes {
            return Err(AppendError::Full);
        }
        let index = waiting.next();
        tile::put(&mut waiting.frame, entry).ok_or(AppendError::Size)?;
        waiting.leaves.push(leaf);
        waiting.newest = waiting.newest.max(change);
        let batch = Arc::clone(&waiting.batch);
        drop(inner);
        Ok(Queued { index, batch, place: None })
    }

    /// Wakes the writer when it sleeps and something waits.
    pub(super) fn wake(&self) {
        let mut inner = self.lock();
        let wakes = inner.sleeps && !inner.waiting.leaves.is_empty();
        inner.sleeps &= !wakes;
        drop(inner);
        if wakes {
            self.filled.notify_one();
        }
    }

    /// Takes all entries there are; none when there are none.
    pub(super) fn take(&self) -> Option<Waiting> {
        let mut inner = self.lock();
        if inner.waiting.leaves.is_empty() {
            return None;
        }
        let frame = inner.used.pop().unwrap_or_default();
        let next = inner.waiting.next();
        let new = Waiting::new(next, frame, inner.waiting.leaves.len());
        Some(std::mem::replace(&mut inner.waiting, new))
    }

    /// Waits for entries; whether there are any, which is so until the queue is closed and empty.
    pub(super) fn is_wanted(&self) -> bool {
        let mut inner = self.lock();
        loop {
            if !inner.waiting.leaves.is_empty() {
                return true;
            }
            if inner.stopped.is_some() {
                return false;
            }
            inner.sleeps = true;
            inner = self.filled.wait(inner).unwrap_or_else(PoisonError::into_inner);
            inner.sleeps = false;
        }
    }

    /// Takes back a frame that has served.
    pub(super) fn give_back(&self, frame: Vec<u8>) {
        const KEPT: usize = 4;
        let mut inner = self.lock();
        if inner.used.len() < KEPT {
            inner.used.push(frame);
        }
    }

    /// Takes no more entries. What waits is still written, unless the log has failed.
    pub(super) fn stop(&self, why: AppendError) {
        let mut inner = self.lock();
        let failed = why == AppendError::Failed;
        if failed || inner.stopped.is_none() {
            inner.stopped = Some(why);
        }
        let batch = failed.then(|| {
            inner.waiting.leaves.clear();
            std::mem::take(&mut inner.waiting.batch)
        });
        drop(inner);
        self.filled.notify_all();
        if let Some(batch) = batch {
            batch.end(Err(why));
        }
    }

    /// Says how full the disk is.
    pub(super) fn set_disk(&self, disk: Disk) {
        self.lock().disk = disk;
    }

    /// Whether the log has failed.
    pub(super) fn failed(&self) -> bool {
        self.lock().stopped == Some(AppendError::Failed)
    }
}

#[cfg(test)]
mod tests;
