//! What happens to entries after they are durable: tiles, checkpoints, the copy in a second place,
//! and the end of journal segments that are no longer needed.

use std::{
    fs, mem,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender},
    },
    time::Instant,
};

use super::{
    AppendError, Settings, Status,
    journal::{self, HEAD},
    queue::Queue,
    second::{Copy, Kept, Second},
    tiler::Tiler,
    unfinished::Following,
};
use crate::{
    checkpoint::Checkpoint,
    files::{self, At, FileError},
    hash::Hash,
    tile,
};

/// What the keeper is asked to do.
pub(super) enum Work {
    /// To take in the batches that have become durable.
    Batches,
    /// To sign a checkpoint now, and copy it.
    Checkpoint(Asked),
}

/// Someone waits for a checkpoint.
pub(super) struct Asked {
    pub(super) reply: SyncSender<(Checkpoint, Option<Kept>)>,
    /// Whether it may take the place of a larger one.
    pub(super) after_loss: bool,
}

/// A batch on disk.
pub(super) struct Durable {
    /// The frame, its head, its entries and its root.
    pub(super) frame: Vec<u8>,
    pub(super) leaves: Vec<Hash>,
    /// The root after it.
    pub(super) root: Hash,
    /// The segment that was begun for it.
    pub(super) begun: Option<u64>,
}

/// Batches that the keeper has not taken in yet.
#[derive(Default)]
pub(super) struct Passing(Mutex<Passed>);

#[derive(Default)]
struct Passed {
    batches: Vec<Durable>,
    entries: u64,
}

impl Passing {
    /// Passes a batch on. Whether there is enough for the keeper to be told.
    ///
    /// PERF: waking the keeper costs more than its work on a small batch; what it is not told of it
    /// takes in with the next checkpoint.
    pub(super) fn put(&self, durable: Durable) -> bool {
        let mut passed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        passed.entries += durable.leaves.len() as u64;
        passed.batches.push(durable);
        let enough = passed.entries >= tile::WIDTH;
        if enough {
            passed.entries = 0;
        }
        enough
    }

    fn take(&self) -> Vec<Durable> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).batches)
    }
}

/// The name of the newest checkpoint in the directory of a log.
pub(crate) const CHECKPOINT: &str = "checkpoint";

pub(super) struct Keeper {
    pub(super) settings: Settings,
    pub(super) queue: Arc<Queue>,
    pub(super) passing: Arc<Passing>,
    pub(super) status: Arc<Mutex<Status>>,
    pub(super) tiler: Tiler,
    pub(super) root: Hash,
    /// First indexes of the segments on disk.
    pub(super) segments: Vec<u64>,
    /// Size of the newest checkpoint.
    pub(super) signed: u64,
    pub(super) following: Following,
    pub(super) second: Option<Arc<Second>>,
}

impl Keeper {
    /// Works until nobody can ask for anything more, then signs what there is.
    pub(super) fn run(mut self, work: &Receiver<Work>) {
        let mut ended = self.serve(work).and_then(|()| self.take_in_all());
        if ended.is_ok() && (self.tiler.size() > self.signed || self.is_ahead()) {
            let kept = self.checkpoint().map(|checkpoint| self.copy(checkpoint, false));
            ended = kept.map(|kept| kept.map(Kept::wait).unwrap_or_default());
        }
        if ended.is_err() {
            self.queue.stop(AppendError::Failed);
        }
    }

    fn serve(&mut self, work: &Receiver<Work>) -> Result<(), FileError> {
        let start = Instant::now();
        let mut sign_at = start + self.settings.checkpoint_every;
        let mut copy_at = start + self.settings.copy_every;
        loop {
            match work.recv_timeout(sign_at.saturating_duration_since(Instant::now())) {
                Ok(Work::Batches) => self.take_in_all()?,
                Ok(Work::Checkpoint(asked)) => {
                    self.take_in_all()?;
                    let checkpoint = self.checkpoint()?;
                    let kept = self.copy(checkpoint.clone(), asked.after_loss);
                    // Who asked may have gone.
                    asked.reply.send((checkpoint, kept)).ok();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let now = Instant::now();
            if now < sign_at {
                continue;
            }
            self.queue.wake();
            self.take_in_all()?;
            sign_at = now + self.settings.checkpoint_every;
            self.look_at_disk()?;
            if !journal::spare(&self.settings.directory).exists() {
                journal::make_spare(&self.settings.directory, self.settings.segment_bytes)?;
            }
            if self.tiler.size() > self.signed {
                self.checkpoint()?;
            }
            if now >= copy_at {
                copy_at = now + self.settings.copy_every;
                if self.is_ahead() {
                    // Whether it arrives shows in the status.
                    drop(self.copy(self.head(), false));
                }
            }
        }
    }

    fn take_in_all(&mut self) -> Result<(), FileError> {
        self.passing.take().into_iter().try_for_each(|durable| self.take_in(durable))
    }

    fn take_in(&mut self, durable: Durable) -> Result<(), FileError> {
        let entries = durable.frame.get(HEAD..).unwrap_or_default();
        // There are as many entries as leaves, so the root behind them is never taken for one.
        for (leaf, entry) in durable.leaves.iter().zip(tile::entries(entries)) {
            let entry = entry.unwrap_or_default();
            self.following.take_in(entry);
            self.tiler.add(entry, *leaf)?;
        }
        self.root = durable.root;
        self.queue.give_back(durable.frame);
        self.segments.extend(durable.begun);
        self.retire()
    }

    /// Lets go of the segments whose entries all stand in full bundles, once those are durable.
    fn retire(&mut self) -> Result<(), FileError> {
        let full = self.tiler.full();
        // A segment ends where the next begins.
        let done = self.segments.iter().skip(1).take_while(|first| **first <= full).count();
        if done > 0 {
            self.tiler.sync()?;
        }
        let directory = &self.settings.directory;
        for first in self.segments.drain(..done) {
            let path = journal::path(directory, first);
            fs::rename(&path, journal::spare(directory)).at(&path)?;
        }
        Ok(())
    }

    fn look_at_disk(&self) -> Result<(), FileError> {
        let disk = self.settings.disk.look(&self.settings.directory)?;
        self.queue.set_disk(disk);
        self.status(|status| status.disk = disk);
        Ok(())
    }

    fn head(&self) -> Checkpoint {
        let origin = self.settings.signer.verifier().key().name().to_owned();
        Checkpoint { origin, size: self.tiler.size(), root: self.root }
    }

    /// Signs the tree as it is. The tiles of its right edge are there before the checkpoint is.
    fn checkpoint(&mut self) -> Result<Checkpoint, FileError> {
        let checkpoint = self.head();
        self.tiler.write_partial()?;
        let note = checkpoint.sign(&self.settings.signer);
        files::replace(&self.settings.directory.join(CHECKPOINT), note.as_bytes())?;
        // An older file is true as well, so failing only costs time when the log is opened.
        self.following.write(&self.settings.directory, &checkpoint).ok();
        self.signed = checkpoint.size;
        self.status(|status| {
            status.signed = checkpoint.size;
            status.unfinished = self.following.count();
        });
        Ok(checkpoint)
    }

    /// Whether the second place does not have the newest checkpoint.
    fn is_ahead(&self) -> bool {
        let kept = self.second.as_ref().map(|second| second.state().0);
        kept.is_some_and(|kept| kept.is_none_or(|kept| self.signed > kept))
    }

    /// Copies a checkpoint to the second place. That it cannot be reached stops nothing, and shows.
    fn copy(&self, checkpoint: Checkpoint, after_loss: bool) -> Option<Kept> {
        let second = self.second.as_ref()?;
        let note = checkpoint.sign(&self.settings.signer);
        Some(second.keep(Copy { checkpoint, note, after_loss }))
    }

    fn status(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
