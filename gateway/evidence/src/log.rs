//! The log: entries go in, a receipt comes out when they are on disk.
//!
//! One thread writes: all that waits becomes one frame of the journal, one write and one
//! `fdatasync`, and only then are receipts given. A second thread puts what is durable into tiles and
//! signs checkpoints. The order in which things reach the disk, which a crash at any instant relies
//! on: the name and head of a segment, its frames one after another, full bundles and tiles, and only
//! then the end of the segment they came from. See `gateway/docs/evidence-log.md`.

mod after;
mod disk;
mod journal;
mod keeper;
mod open;
mod queue;
mod second;
mod tiler;
mod unfinished;
mod writer;

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

pub(crate) use self::{
    after::read_after,
    keeper::CHECKPOINT,
    open::{Journal, read_journal},
};
pub use self::{
    disk::{Disk, DiskLimits},
    open::{Cut, Lost, OpenError, Opened},
    queue::{AppendError, BatchId, Queued, Receipt},
    second::{Copy, Fault, Newer, SecondFile, SecondPlace},
    unfinished::{Closing, MOST_OPEN, Search, Unfinished},
};
use self::{
    keeper::{Asked, Keeper, Passing, Work},
    open::{Loss, Ready},
    queue::Queue,
    second::Second,
    writer::Writer,
};
use crate::{checkpoint::Checkpoint, files::At as _, hash::Hash, note::Signer, revisions::Change};

/// Bundles that may wait between becoming durable and standing in tiles.
const BEHIND: usize = 8;

/// How a log is kept.
#[derive(Debug)]
pub struct Settings {
    /// Where it stands. One process has it open at a time.
    pub directory: PathBuf,
    /// Who signs its checkpoints; the key's name is the origin of the log.
    pub signer: Signer,
    /// Makes the entries that close what was under way when the log ended.
    pub closing: Closing,
    /// A place on another disk or machine that gets a copy of the newest checkpoint.
    pub second_place: Option<Box<dyn SecondPlace>>,
    /// How long it may take to answer.
    pub second_deadline: Duration,
    /// Least time between two writes: what comes in between is written together.
    pub gather: Duration,
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
    /// Is told how many entries have been read, and of how many, where all have to be read to open
    /// the log.
    pub progress: fn(u64, u64),
}

impl Settings {
    /// A log in this directory, with what suits a gateway.
    #[must_use]
    pub fn new(directory: PathBuf, signer: Signer, closing: Closing) -> Self {
        Self {
            directory,
            signer,
            closing,
            second_place: None,
            second_deadline: Duration::from_secs(5),
            gather: Duration::from_millis(1),
            checkpoint_every: Duration::from_secs(1),
            copy_every: Duration::from_secs(10),
            queue_bytes: 4 << 20,
            segment_bytes: 32 << 20,
            disk: DiskLimits::default(),
            progress: |_, _| {},
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
    /// The durable change of the registry of consents with the highest revision; none when there is
    /// none.
    pub newest: Option<Change>,
    /// Entries that the newest checkpoint is of.
    pub signed: u64,
    /// Exchanges whose intent has no end, as of the newest checkpoint; none when there are more than
    /// [`MOST_OPEN`].
    pub unfinished: Option<usize>,
    /// Entries that the copy in the second place is of; none when no copy was made yet.
    pub copied: Option<u64>,
    /// Whether the second place could not be reached last time.
    pub copy_failed: bool,
    /// How full the disk is.
    pub disk: Disk,
    /// Whether the log has failed and takes nothing more until it is opened anew.
    pub failed: bool,
}

/// What is to be closed, with the entry that does.
type Started = Vec<(Unfinished, Vec<u8>)>;

fn second(settings: &mut Settings) -> Option<Arc<Second>> {
    let place = settings.second_place.take()?;
    Some(Arc::new(Second::start(place, settings.second_deadline)))
}

/// An open log.
#[derive(Debug)]
pub struct Log {
    queue: Arc<Queue>,
    status: Arc<Mutex<Status>>,
    keeper: Option<SyncSender<Work>>,
    second: Option<Arc<Second>>,
    threads: Vec<JoinHandle<()>>,
    /// Held as long as the log is open.
    _lock: File,
}

impl Log {
    /// Opens a log, or begins one. Exchanges that were under way when it ended are closed with the
    /// entries that [`Settings::closing`] makes, before this returns.
    ///
    /// # Errors
    /// When it cannot be read, another process has it, or entries that were signed are gone.
    pub fn open(mut settings: Settings) -> Result<(Self, Opened), OpenError> {
        let second = second(&mut settings);
        let ready = open::open(&settings, second.as_deref(), Loss::Refuse)?;
        let (size, root, cut) = (ready.tree.size(), ready.tree.root(), ready.cut.clone());
        let (search, unanchored) = (ready.search, ready.unanchored && size > 0);
        let disk = settings.disk.look(&settings.directory)?;
        let (log, unfinished) = Self::start(settings, ready, second)?;
        let interrupted = log.close(unfinished)?;
        log.signed(false)?;
        log.queue.set_disk(disk);
        log.status.lock().unwrap_or_else(PoisonError::into_inner).disk = disk;
        Ok((log, Opened { size, root, cut, unanchored, interrupted, search }))
    }

    /// Opens a log that has lost entries. What is left stays; the checkpoint of what was lost and
    /// damaged segments are kept under `losses`; the next entry is the one that `record` makes.
    ///
    /// # Errors
    /// When nothing is lost, or the log cannot be read even so.
    pub fn accept_loss(
        mut settings: Settings,
        record: impl FnOnce(&Lost) -> Vec<u8>,
    ) -> Result<(Self, Lost), OpenError> {
        let second = second(&mut settings);
        let ready = open::open(&settings, second.as_deref(), Loss::Accept)?;
        let lost = ready.lost.clone().ok_or(OpenError::NothingLost)?;
        if let Some(newest) = &lost.newest {
            let note = newest.sign(&settings.signer);
            open::keep_aside(&settings.directory, &newest.size.to_string(), note.as_bytes())?;
        }
        let (log, unfinished) = Self::start(settings, ready, second)?;
        // INVARIANT: the loss is on record before a checkpoint hides it.
        log.append(&record(&lost)).and_then(Queued::wait).map(drop)?;
        log.close(unfinished)?;
        log.signed(true)?;
        match &log.second {
            Some(second) if second.state().1 => {
                let source = "it did not take the new checkpoint".into();
                Err(OpenError::SecondPlace { name: second.name().to_owned(), source })
            }
            _ => Ok((log, lost)),
        }
    }

    fn start(
        settings: Settings,
        ready: Ready,
        second: Option<Arc<Second>>,
    ) -> Result<(Self, Started), OpenError> {
        let Ready { tree, tiler, segment, segments, following, lock, .. } = ready;
        let (size, root) = (tree.size(), tree.root());
        let entries = following.all().into_iter().map(|open| (open, settings.closing.entry(open)));
        let started: Started = entries.collect();
        let queue = Arc::new(Queue::new(size, settings.queue_bytes));
        let status = Status {
            size,
            root,
            newest: following.newest(),
            signed: size,
            unfinished: following.count(),
            copied: None,
            copy_failed: false,
            disk: Disk::Green,
            failed: false,
        };
        let status = Arc::new(Mutex::new(status));
        let directory = settings.directory.clone();
        let passing = Arc::<Passing>::default();
        let (keeper, work) = sync_channel(BEHIND);
        let writer = Writer {
            queue: Arc::clone(&queue),
            status: Arc::clone(&status),
            tree,
            segment,
            passing: Arc::clone(&passing),
            gather: settings.gather,
            written: Instant::now(),
        };
        let kept = Keeper {
            settings,
            queue: Arc::clone(&queue),
            passing,
            status: Arc::clone(&status),
            tiler,
            root,
            segments,
            signed: size,
            following,
            second: second.clone(),
        };
        let to_keeper = keeper.clone();
        let threads = vec![
            thread::Builder::new()
                .name("evidence-writer".to_owned())
                .spawn(move || writer.run(&to_keeper))
                .at(&directory)?,
            thread::Builder::new()
                .name("evidence-keeper".to_owned())
                .spawn(move || kept.run(&work))
                .at(&directory)
                .inspect_err(|_| queue.stop(AppendError::Closed))?,
        ];
        let log = Self { queue, status, keeper: Some(keeper), second, threads, _lock: lock };
        Ok((log, started))
    }

    /// Closes what was under way, and waits until that is durable. Room for it is there: a disk that
    /// is nearly full is looked at later.
    fn close(&self, unfinished: Started) -> Result<Vec<Unfinished>, OpenError> {
        let mut closed = Vec::with_capacity(unfinished.len());
        let mut last: Option<Queued> = None;
        for (exchange, entry) in unfinished {
            let queued = match self.append(&entry) {
                Err(AppendError::Full) => {
                    last.take().map_or(Ok(()), |last| last.wait().map(drop))?;
                    self.append(&entry)
                }
                other => other,
            };
            last = Some(queued?);
            closed.push(exchange);
        }
        last.map_or(Ok(()), |last| last.wait().map(drop))?;
        Ok(closed)
    }

    /// Queues an entry of 1 to 65535 bytes. Never blocks on the disk.
    ///
    /// # Errors
    /// When too much waits already, or the log takes nothing more.
    pub fn append(&self, entry: &[u8]) -> Result<Queued, AppendError> {
        let queued = self.queue.push(entry)?;
        self.queue.wake();
        Ok(queued)
    }

    /// Queues an entry as [`append`](Self::append) does, and leaves it to the caller to
    /// [`wake`](Self::wake) the writer, once for many. Forgotten, it is woken within a second.
    ///
    /// # Errors
    /// As `append`.
    pub fn append_asleep(&self, entry: &[u8]) -> Result<Queued, AppendError> {
        self.queue.push(entry)
    }

    /// Has everything written that waits.
    pub fn wake(&self) {
        self.queue.wake();
    }

    /// Signs a checkpoint over what is in tiles by now, copies it to the second place, and waits for
    /// both; for the second place no longer than its deadline. What had a receipt before the call is
    /// under it.
    ///
    /// # Errors
    /// When the log has failed.
    pub fn checkpoint(&self) -> Result<Checkpoint, AppendError> {
        self.signed(false)
    }

    fn signed(&self, after_loss: bool) -> Result<Checkpoint, AppendError> {
        let (reply, signed) = sync_channel(1);
        let keeper = self.keeper.as_ref().ok_or(AppendError::Closed)?;
        let asked = Asked { reply, after_loss };
        keeper.send(Work::Checkpoint(asked)).map_err(|_| AppendError::Failed)?;
        let (checkpoint, kept) = signed.recv().map_err(|_| AppendError::Failed)?;
        if let Some(kept) = kept {
            kept.wait();
        }
        Ok(checkpoint)
    }

    /// The durable change of the registry of consents with the highest revision, known from the moment
    /// the log is open; none when it has none. Where [`Search::unread`] of [`Opened`] is not 0 there
    /// may be a higher one.
    #[must_use]
    pub fn newest(&self) -> Option<Change> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).newest
    }

    /// The revision of [`Self::newest`].
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.newest().map(|newest| newest.revision)
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> Status {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner).clone();
        status.failed = self.queue.failed();
        if let Some(second) = &self.second {
            (status.copied, status.copy_failed) = second.state();
        }
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
