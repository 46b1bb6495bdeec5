//! The log: entries go in, a receipt comes out when they are on disk.
//!
//! One thread writes: all that waits becomes one frame of the journal, one write and one
//! `fdatasync`, and only then are receipts given. A second thread puts what is durable into tiles and
//! signs checkpoints. The order in which things reach the disk, which a crash at any instant relies
//! on: the name and head of a segment, its frames one after another, full bundles and tiles, and only
//! then the end of the segment they came from. See `gateway/docs/evidence-log.md`.

mod disk;
mod journal;
mod keeper;
mod open;
mod queue;
mod tiler;
mod writer;

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

pub use self::{
    disk::{Disk, DiskLimits},
    open::{Cut, Lost, OpenError, Opened},
    queue::{AppendError, Queued, Receipt},
};
pub(crate) use self::{
    keeper::CHECKPOINT,
    open::{Journal, read_journal},
};
use self::{
    keeper::{Keeper, Work},
    open::{Loss, Ready},
    queue::Queue,
    writer::Writer,
};
use crate::{checkpoint::Checkpoint, files, hash::Hash, note::Signer};

/// Batches that may wait between becoming durable and standing in tiles.
const BEHIND: usize = 8;

/// How a log is kept.
#[derive(Debug)]
pub struct Settings {
    /// Where it stands. One process has it open at a time.
    pub directory: PathBuf,
    /// Who signs its checkpoints; the key's name is the origin of the log.
    pub signer: Signer,
    /// A file on another disk or machine that gets a copy of the newest checkpoint.
    pub second_place: Option<PathBuf>,
    /// How often a checkpoint is signed while entries come in.
    pub checkpoint_every: Duration,
    /// How often it is copied to the second place.
    pub copy_every: Duration,
    /// Bytes of entries that may wait for the disk; more are refused.
    pub queue_bytes: usize,
    /// Length of a segment of the journal; room for at least two queues.
    pub segment_bytes: usize,
    /// When to worry about the disk.
    pub disk: DiskLimits,
}

impl Settings {
    /// A log in this directory, with what suits a gateway.
    #[must_use]
    pub fn new(directory: PathBuf, signer: Signer) -> Self {
        Self {
            directory,
            signer,
            second_place: None,
            checkpoint_every: Duration::from_secs(1),
            copy_every: Duration::from_secs(10),
            queue_bytes: 4 << 20,
            segment_bytes: 32 << 20,
            disk: DiskLimits::default(),
        }
    }
}

/// How a log is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Entries on disk.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Entries that the newest checkpoint is of.
    pub signed: u64,
    /// Entries that the copy in the second place is of; none when no copy was made yet.
    pub copied: Option<u64>,
    /// Whether the second place could not be reached last time.
    pub copy_failed: bool,
    /// How full the disk is.
    pub disk: Disk,
    /// Whether the log has failed and takes nothing more until it is opened anew.
    pub failed: bool,
}

/// An open log.
#[derive(Debug)]
pub struct Log {
    queue: Arc<Queue>,
    status: Arc<Mutex<Status>>,
    keeper: Option<SyncSender<Work>>,
    threads: Vec<JoinHandle<()>>,
    /// Held as long as the log is open.
    _lock: File,
}

impl Log {
    /// Opens a log, or begins one.
    ///
    /// # Errors
    /// When it cannot be read, another process has it, or entries that were signed are gone.
    pub fn open(settings: Settings) -> Result<(Self, Opened), OpenError> {
        let ready = open::open(&settings, Loss::Refuse)?;
        let (size, root, cut) = (ready.tree.size(), ready.tree.root(), ready.cut.clone());
        let has_no_copy = settings.second_place.as_ref().is_some_and(|place| !place.exists());
        let unanchored = has_no_copy && size > 0;
        let log = Self::start(settings, ready)?;
        log.checkpoint().map_err(|_| OpenError::Failed)?;
        Ok((log, Opened { size, root, cut, unanchored }))
    }

    /// Opens a log that has lost entries. What is left stays; the checkpoint of what was lost and
    /// damaged segments are kept under `losses`; the next entry is the one that `record` makes.
    ///
    /// # Errors
    /// When nothing is lost, or the log cannot be read even so.
    pub fn accept_loss(
        settings: Settings,
        record: impl FnOnce(&Lost) -> Vec<u8>,
    ) -> Result<(Self, Lost), OpenError> {
        let ready = open::open(&settings, Loss::Accept)?;
        let lost = ready.lost.clone().ok_or(OpenError::NothingLost)?;
        if let Some(newest) = &lost.newest {
            let folder = settings.directory.join("losses");
            files::folder(&folder)?;
            let note = newest.sign(&settings.signer);
            files::replace(&folder.join(format!("{}.checkpoint", newest.size)), note.as_bytes())?;
        }
        let log = Self::start(settings, ready)?;
        // INVARIANT: the loss is on record before a checkpoint hides it.
        let recorded = log.append(&record(&lost)).and_then(Queued::wait);
        recorded.and_then(|_| log.checkpoint()).map_err(|_| OpenError::Failed)?;
        Ok((log, lost))
    }

    fn start(settings: Settings, ready: Ready) -> Result<Self, OpenError> {
        let Ready { tree, tiler, segment, segments, lock, .. } = ready;
        let (size, root) = (tree.size(), tree.root());
        let disk = settings.disk.look(&settings.directory)?;
        let queue = Arc::new(Queue::new(size, settings.queue_bytes));
        queue.set_disk(disk);
        let status = Status {
            size,
            root,
            signed: size,
            copied: None,
            copy_failed: false,
            disk,
            failed: false,
        };
        let status = Arc::new(Mutex::new(status));
        let (keeper, work) = sync_channel(BEHIND);
        let writer =
            Writer { queue: Arc::clone(&queue), status: Arc::clone(&status), tree, segment };
        let kept = Keeper {
            settings: Arc::new(settings),
            queue: Arc::clone(&queue),
            status: Arc::clone(&status),
            tiler,
            root,
            segments,
            signed: size,
            copied: 0,
        };
        let to_keeper = keeper.clone();
        let threads = vec![
            thread::spawn(move || writer.run(&to_keeper)),
            thread::spawn(move || kept.run(&work)),
        ];
        Ok(Self { queue, status, keeper: Some(keeper), threads, _lock: lock })
    }

    /// Queues an entry of 1 to 65535 bytes. Never blocks on the disk.
    ///
    /// # Errors
    /// When too much waits already, or the log takes nothing more.
    pub fn append(&self, entry: &[u8]) -> Result<Queued, AppendError> {
        self.queue.push(entry)
    }

    /// Signs a checkpoint over what is in tiles by now, copies it to the second place, and waits.
    /// What had a receipt before the call is under it.
    ///
    /// # Errors
    /// When the log has failed.
    pub fn checkpoint(&self) -> Result<Checkpoint, AppendError> {
        let (reply, signed) = sync_channel(1);
        let keeper = self.keeper.as_ref().ok_or(AppendError::Closed)?;
        keeper.send(Work::Checkpoint(reply)).map_err(|_| AppendError::Failed)?;
        signed.recv().map_err(|_| AppendError::Failed)
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        status.failed = self.queue.failed();
        status
    }
}

/// Writes what waits, signs it, and lets go of the directory.
impl Drop for Log {
    fn drop(&mut self) {
        self.queue.stop(AppendError::Closed);
        self.keeper = None;
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing to tell.
            thread.join().ok();
        }
    }
}
