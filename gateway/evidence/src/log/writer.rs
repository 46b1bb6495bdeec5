//! Makes entries durable, a batch at a time: all that waits, one write, one `fdatasync`.

use std::{
    sync::{Arc, Mutex, PoisonError, mpsc::SyncSender},
    thread,
    time::{Duration, Instant},
};

use super::{
    AppendError, Status,
    journal::{self, Segment},
    keeper::{Durable, Passing, Work},
    queue::{Queue, Waiting},
};
use crate::{files::FileError, hash::Hash, revisions::Change, tree::Frontier};

pub(super) struct Writer {
    pub(super) queue: Arc<Queue>,
    pub(super) status: Arc<Mutex<Status>>,
    pub(super) tree: Frontier,
    pub(super) segment: Segment,
    pub(super) passing: Arc<Passing>,
    /// Least time between the beginnings of two writes.
    pub(super) gather: Duration,
    /// When the last one began.
    pub(super) written: Instant,
}

impl Writer {
    /// Writes until the queue is closed and empty.
    pub(super) fn run(mut self, keeper: &SyncSender<Work>) {
        while self.queue.is_wanted() {
            self.pace();
            let Some(mut waiting) = self.queue.take() else { break };
            let written = self.write(&mut waiting);
            let batch = Arc::clone(&waiting.batch);
            let Ok((root, begun)) = written else {
                // INVARIANT: after a failed write nobody knows what is on disk, so nothing is
                // acknowledged any more until the log has been opened anew.
                self.queue.stop(AppendError::Failed);
                batch.end(Err(AppendError::Failed));
                return;
            };
            self.durable(root, waiting.newest);
            let Waiting { frame, leaves, .. } = waiting;
            let durable = Durable { frame, leaves, root, begun };
            // Before the receipts, so that a checkpoint that is asked for with one has the entry.
            let enough = self.passing.put(durable);
            batch.end(Ok(()));
            if enough && keeper.send(Work::Batches).is_err() {
                self.queue.stop(AppendError::Failed);
                return;
            }
        }
    }

    /// Lets entries gather until the next write is due. PERF: a write costs the same for one entry and
    /// for a hundred.
    fn pace(&mut self) {
        let due = self.written + self.gather;
        while let Some(wait) = due.checked_duration_since(Instant::now()).filter(|w| !w.is_zero()) {
            thread::park_timeout(wait);
        }
        self.written = Instant::now();
    }

    fn write(&mut self, waiting: &mut Waiting) -> Result<(Hash, Option<u64>), FileError> {
        for leaf in &waiting.leaves {
            self.tree.push(*leaf);
        }
        let root = self.tree.root();
        // The queue holds less than 4 GiB, so the count fits.
        let count = u32::try_from(waiting.leaves.len()).unwrap_or(u32::MAX);
        journal::seal(&mut waiting.frame, waiting.first, count, root);
        let begun = self.segment.append(&waiting.frame, waiting.first)?;
        Ok((root, begun))
    }

    fn durable(&self, root: Hash, newest: Option<Change>) {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.size = self.tree.size();
        status.root = root;
        status.newest = status.newest.max(newest);
    }
}
