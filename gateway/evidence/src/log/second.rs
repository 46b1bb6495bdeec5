//! The second place: where the newest checkpoint is kept, away from the log's own disk.
//!
//! Whoever holds a copy of the directory alone cannot pass an older one for the newest. The place is
//! asked on a thread of its own and with a deadline, so that one that hangs does not hold up the log.

use std::{
    error::Error,
    fmt,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use crate::{checkpoint::Checkpoint, files, note::MAX_NOTE};

/// What became of the place.
pub type Fault = Box<dyn Error + Send + Sync>;

/// Keeps checkpoints on another disk or machine. Used by one thread, which may block.
pub trait SecondPlace: Send + fmt::Debug {
    /// What to call it in messages.
    fn name(&self) -> String;

    /// The newest checkpoint it has, a signed note.
    ///
    /// # Errors
    /// When the place cannot tell. That it has none is no error.
    fn newest(&mut self) -> Result<Option<Vec<u8>>, Fault>;

    /// Keeps a checkpoint. One of fewer entries never takes the place of one of more, unless a loss
    /// was accepted.
    ///
    /// # Errors
    /// When it is not kept.
    fn keep(&mut self, copy: &Copy) -> Result<(), Fault>;
}

/// A checkpoint for the second place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: String,
    /// Whether it is the first after a loss was accepted: it may be of fewer entries.
    pub after_loss: bool,
}

/// A file as second place.
#[derive(Debug)]
pub struct SecondFile(PathBuf);

impl SecondFile {
    /// This file; its folder is made when it is missing.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

/// The file has a checkpoint of more entries than the one it was to keep.
#[derive(Debug, thiserror::Error)]
#[error("it has a checkpoint of {0} entries, which is more")]
pub struct Newer(pub u64);

impl SecondPlace for SecondFile {
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn newest(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        Ok(files::read(&self.0, MAX_NOTE as u64)?)
    }

    fn keep(&mut self, copy: &Copy) -> Result<(), Fault> {
        let kept = self.newest()?.and_then(|note| Checkpoint::claimed(&note));
        if let Some(kept) = kept.filter(|kept| kept.size > copy.checkpoint.size && !copy.after_loss)
        {
            return Err(Newer(kept.size).into());
        }
        if let Some(parent) = self.0.parent() {
            files::folder(parent)?;
        }
        Ok(files::replace(&self.0, copy.note.as_bytes())?)
    }
}

type Answer = Result<Option<Vec<u8>>, Fault>;

#[derive(Debug, Default)]
struct State {
    ask: Option<SyncSender<Answer>>,
    keep: Option<(Copy, SyncSender<()>)>,
    busy: bool,
    closed: bool,
    kept: Option<u64>,
    failed: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    asked: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves the place until nobody will ask any more. Newer work takes the place of older.
    fn serve(&self, mut place: Box<dyn SecondPlace>) {
        loop {
            let mut state = self.lock();
            state.busy = false;
            while state.ask.is_none() && state.keep.is_none() && !state.closed {
                state = self.asked.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            let (ask, keep) = (state.ask.take(), state.keep.take());
            if ask.is_none() && keep.is_none() {
                return;
            }
            state.busy = true;
            drop(state);
            if let Some(ask) = ask {
                // Who asked may have stopped waiting.
                ask.send(place.newest()).ok();
            }
            if let Some((copy, done)) = keep {
                let kept = place.keep(&copy).is_ok();
                let mut state = self.lock();
                state.failed = !kept;
                if kept {
                    state.kept = Some(copy.checkpoint.size);
                }
                drop(state);
                done.send(()).ok();
            }
        }
    }
}

/// The second place on its thread.
#[derive(Debug)]
pub(super) struct Second {
    shared: Arc<Shared>,
    name: String,
    deadline: Duration,
}

/// The place did not answer in time.
#[derive(Debug, thiserror::Error)]
#[error("no answer in {} seconds", .0.as_secs())]
struct Late(Duration);

impl Second {
    pub(super) fn start(place: Box<dyn SecondPlace>, deadline: Duration) -> Self {
        let (shared, name) = (Arc::<Shared>::default(), place.name());
        let served = Arc::clone(&shared);
        // Not joined: it may hang, and holds nothing of the log.
        thread::spawn(move || served.serve(place));
        Self { shared, name, deadline }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The newest checkpoint it has, when it answers in time.
    pub(super) fn newest(&self) -> Answer {
        let (ask, answer) = sync_channel(1);
        self.shared.lock().ask = Some(ask);
        self.shared.asked.notify_one();
        let late = |_| Err(Late(self.deadline).into());
        answer.recv_timeout(self.deadline).unwrap_or_else(late)
    }

    /// Gives it a checkpoint to keep and does not wait. One that still waits is given up for this.
    pub(super) fn keep(&self, copy: Copy) -> Kept {
        let (done, kept) = sync_channel(1);
        let mut state = self.shared.lock();
        // It had all the time since the one before.
        state.failed |= state.busy;
        state.keep = Some((copy, done));
        drop(state);
        self.shared.asked.notify_one();
        Kept { done: kept, deadline: self.deadline }
    }

    /// Size of the newest checkpoint it has kept, and whether it failed to keep one since.
    pub(super) fn state(&self) -> (Option<u64>, bool) {
        let state = self.shared.lock();
        (state.kept, state.failed)
    }
}

/// Lets the thread go as soon as it comes back.
impl Drop for Second {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.asked.notify_one();
    }
}

/// A checkpoint on its way to the second place.
#[derive(Debug)]
pub(super) struct Kept {
    done: Receiver<()>,
    deadline: Duration,
}

impl Kept {
    /// Waits until it is there or has failed, and no longer than the deadline.
    pub(super) fn wait(self) {
        // What came of it stands in the state.
        self.done.recv_timeout(self.deadline).ok();
    }
}

impl From<PathBuf> for Box<dyn SecondPlace> {
    fn from(path: PathBuf) -> Self {
        Box::new(SecondFile::new(path))
    }
}
