//! Opens a log: finds the last durable entry, and whether anything that was signed is gone.
//!
//! Tiles tell the tree up to the oldest segment of the journal, the journal tells the rest. So the
//! time it takes depends on the length of the journal and not on that of the log.

use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
};

use super::{
    AppendError, Settings,
    journal::{self, Frame, SEGMENT_HEAD, Segment},
    keeper::CHECKPOINT,
    second::{Fault, Second},
    tiler::Tiler,
    unfinished::{self, Following, Search, Unfinished},
};
use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    edge::Edge,
    files::{self, At, FileError, TileError},
    hash::{Hash, LeafHasher},
    note::MAX_NOTE,
    sidecar,
    tile::WIDTH,
    tree::{self, Frontier},
};

/// Largest segment that is read.
pub(crate) const MAX_SEGMENT: u64 = 1 << 30;

/// What leads on where entries are gone.
const ACCEPT: &str = "to go on in spite of it, run `lienthong evidence accept-loss`";

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tile that the right edge needs cannot be read.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// A setting is out of its bounds.
    #[error(
        "segments of the journal have room for two queues and are of {MAX_SEGMENT} bytes at most"
    )]
    Settings,
    /// Another process has the log open.
    #[error("another process has the log open")]
    Locked,
    /// Entries that were durable are damaged, with others behind them.
    #[error(
        "journal is damaged after {entries} entries: `{}` at byte {offset}; {ACCEPT}", path.display()
    )]
    Damaged {
        /// The segment.
        path: PathBuf,
        /// Where in it.
        offset: usize,
        /// How many entries stand before.
        entries: u64,
    },
    /// A checkpoint is there and cannot be read.
    #[error("checkpoint `{name}` is of no use; {ACCEPT}")]
    Checkpoint {
        /// Where it stands.
        name: String,
        /// Why.
        source: CheckpointError,
    },
    /// The log ends before its newest checkpoint: entries are gone.
    #[error("log has {size} entries and checkpoint `{name}` {signed}: entries are lost; {ACCEPT}")]
    Behind {
        /// Where the checkpoint stands.
        name: String,
        /// Entries there are.
        size: u64,
        /// Entries the checkpoint is of.
        signed: u64,
    },
    /// The log holds other entries than its checkpoint was of.
    #[error("log differs from checkpoint `{name}` of {signed} entries; {ACCEPT}")]
    Forked {
        /// Where the checkpoint stands.
        name: String,
        /// Entries the checkpoint is of.
        signed: u64,
    },
    /// The second place cannot tell whether entries are gone, or does not take a checkpoint.
    #[error("second place `{name}` cannot be used")]
    SecondPlace {
        /// Which.
        name: String,
        /// Why.
        source: Fault,
    },
    /// There is no loss to accept.
    #[error("nothing is lost")]
    NothingLost,
    /// The log failed as soon as it was open.
    #[error("log failed after it was opened")]
    Failed(#[from] AppendError),
}

/// What was found when a log was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Entries there are.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The write that was under way when the log ended, which nobody has a receipt of.
    pub cut: Option<Cut>,
    /// Whether the second place has no checkpoint although there are entries: nothing outside the
    /// directory vouches that none are gone.
    pub unanchored: bool,
    /// The exchanges that were under way when the log ended, in the order of their ids. They are
    /// closed.
    pub interrupted: Vec<Unfinished>,
    /// How they were found.
    pub search: Search,
}

/// A write that was cut off, and taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub path: PathBuf,
    /// Where in it.
    pub offset: usize,
    /// Entries it would have held, as far as one can tell.
    pub entries: u32,
}

/// Entries that were signed once and are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Entries that are left.
    pub size: u64,
    /// The newest checkpoint there was, when one can still be read.
    pub newest: Option<Checkpoint>,
}

/// What to do about entries that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    Refuse,
    Accept,
}

/// A log whose threads have not been started.
pub(super) struct Ready {
    pub(super) tree: Frontier,
    pub(super) tiler: Tiler,
    pub(super) segment: Segment,
    pub(super) segments: Vec<u64>,
    pub(super) cut: Option<Cut>,
    pub(super) lost: Option<Lost>,
    pub(super) unanchored: bool,
    pub(super) following: Following,
    pub(super) search: Search,
    pub(super) lock: File,
}

/// Takes the directory for this process alone.
fn lock(directory: &Path) -> Result<File, OpenError> {
    files::folder(directory)?;
    let path = directory.join("lock");
    let file = files::open(&path)?;
    match file.try_lock() {
        Ok(()) => {
            sidecar::clear(directory)?;
            Ok(file)
        }
        Err(fs::TryLockError::WouldBlock) => Err(OpenError::Locked),
        Err(fs::TryLockError::Error(error)) => Ok(Err(error).at(&path)?),
    }
}

pub(super) fn open(
    settings: &Settings,
    second: Option<&Second>,
    loss: Loss,
) -> Result<Ready, OpenError> {
    let room = settings.segment_bytes / 2 > settings.queue_bytes;
    if !room || settings.segment_bytes as u64 > MAX_SEGMENT {
        return Err(OpenError::Settings);
    }
    let directory = &settings.directory;
    let lock = lock(directory)?;
    files::folder(&journal::folder(directory))?;
    let segments = begun(directory)?;
    let Some(oldest) = segments.first() else { return fresh(settings, second, loss, lock) };
    // What stands before the oldest segment stands in full bundles, which are durable.
    let mut tiler = Tiler::resume(directory, oldest.next_multiple_of(WIDTH))?;
    let mut replay = Replay::new(directory, tiler.frontier()?, *oldest);
    for first in &segments {
        replay.segment(*first, segments.last() != Some(first), &mut |e, l| tiler.add(e, l))?;
    }
    replay.reaches_tiles();
    if let (Some((path, offset)), Loss::Refuse) = (&replay.damage, loss) {
        let (path, offset, entries) = (path.clone(), *offset, replay.next);
        return Err(OpenError::Damaged { path, offset, entries });
    }
    let damaged = replay.damage.is_some();
    let Judged { lost, unanchored } =
        judge(settings, second, loss, replay.tree.size(), &mut tiler, damaged)?;
    let origin = settings.signer.verifier().key().name();
    let (following, search) = unfinished::find(directory, origin, &mut tiler, settings.progress)?;
    let segment = replay.resume(settings, &segments)?;
    let Replay { tree, cut, kept: segments, .. } = replay;
    Ok(Ready { tree, tiler, segment, segments, cut, lost, unanchored, following, search, lock })
}

/// The segments, without one that was named and not begun.
fn begun(directory: &Path) -> Result<Vec<u64>, OpenError> {
    let mut segments = journal::segments(directory)?;
    if let Some(last) = segments.last().copied() {
        let path = journal::path(directory, last);
        let bytes = files::read(&path, MAX_SEGMENT)?.unwrap_or_default();
        let alone = segments.len() == 1;
        let begun = journal::frames(&bytes, last).is_some() || journal::holds_frame(&bytes, last);
        // An only segment in the middle of a log was begun, or those before it would be there.
        if !begun && (!alone || last == 0) {
            fs::remove_file(&path).at(&path)?;
            segments.pop();
        }
    }
    Ok(segments)
}

/// A log that has nothing yet. One that has tiles or a checkpoint and no journal has lost it.
fn fresh(
    settings: &Settings,
    second: Option<&Second>,
    loss: Loss,
    lock: File,
) -> Result<Ready, OpenError> {
    let directory = &settings.directory;
    let path = journal::folder(directory);
    if directory.join("tile").exists() {
        return Err(OpenError::Damaged { path, offset: 0, entries: 0 });
    }
    let mut tiler = Tiler::resume(directory, 0)?;
    let Judged { lost, unanchored } = judge(settings, second, loss, 0, &mut tiler, false)?;
    let segment = Segment::begin(directory, 0, settings.segment_bytes)?;
    let tree = Frontier::empty();
    let (following, search) = (Following::new(), Search::default());
    let segments = vec![0];
    let cut = None;
    Ok(Ready { tree, tiler, segment, segments, cut, lost, unanchored, following, search, lock })
}

/// Moves what is damaged out of the way and keeps it.
fn put_aside(directory: &Path, path: &Path) -> Result<(), FileError> {
    let folder = directory.join("losses");
    files::folder(&folder)?;
    let name = path.file_name().unwrap_or_default();
    fs::rename(path, folder.join(name)).at(path)?;
    files::sync_parent(path)
}

/// Keeps a checkpoint that another will take the place of.
pub(super) fn keep_aside(directory: &Path, name: &str, note: &[u8]) -> Result<(), FileError> {
    let folder = directory.join("losses");
    files::folder(&folder)?;
    files::replace(&folder.join(format!("{name}.checkpoint")), note)
}

/// What the checkpoints say of the tree.
struct Judged {
    lost: Option<Lost>,
    /// Whether there is a second place and it has none.
    unanchored: bool,
}

/// Holds the tree against every checkpoint there is.
fn judge(
    settings: &Settings,
    second: Option<&Second>,
    loss: Loss,
    size: u64,
    tiler: &mut Tiler,
    damaged: bool,
) -> Result<Judged, OpenError> {
    let local = settings.directory.join(CHECKPOINT);
    let here = files::read(&local, MAX_NOTE as u64)?;
    let mut notes = vec![(local.display().to_string(), here)];
    if let Some(second) = second {
        let name = second.name().to_owned();
        let note = second.newest();
        let note = note.map_err(|source| OpenError::SecondPlace { name: name.clone(), source })?;
        notes.push((name, note));
    }
    let unanchored = second.is_some() && notes.last().is_some_and(|(_, note)| note.is_none());
    let mut bad = None;
    let mut newest: Option<Checkpoint> = None;
    for (name, note) in notes {
        let Some(note) = note else { continue };
        let checkpoint = match Checkpoint::open(&note, settings.signer.verifier()) {
            Ok(checkpoint) => checkpoint,
            Err(source) => {
                if loss == Loss::Accept {
                    keep_aside(&settings.directory, "unreadable", &note)?;
                }
                bad = Some(OpenError::Checkpoint { name, source });
                continue;
            }
        };
        let signed = checkpoint.size;
        if signed > size {
            bad = Some(OpenError::Behind { name, size, signed });
        } else if tree::root(signed, tiler)? != checkpoint.root {
            bad = Some(OpenError::Forked { name, signed });
        }
        if newest.as_ref().is_none_or(|newest| newest.size < signed) {
            newest = Some(checkpoint);
        }
    }
    let lost = match (bad, loss) {
        (Some(error), Loss::Refuse) => return Err(error),
        (None, Loss::Refuse) => None,
        (None, Loss::Accept) if !damaged => return Err(OpenError::NothingLost),
        (_, Loss::Accept) => Some(Lost { size, newest }),
    };
    Ok(Judged { lost, unanchored })
}

/// What is done with each entry that does not stand in durable tiles.
type Each<'a> = dyn FnMut(&[u8], Hash) -> Result<(), FileError> + 'a;

/// What the journal of a log says.
pub(crate) struct Journal {
    /// The first entry it was asked for, and how many there are in all.
    pub(crate) first: u64,
    pub(crate) size: u64,
    /// Where it ends although it should not, or where a write was cut off.
    pub(crate) damage: Option<(PathBuf, usize)>,
}

/// Reads the journal of a log and changes nothing; none when there is none, as in a copy.
pub(crate) fn read_journal(
    directory: &Path,
    each: &mut Each<'_>,
) -> Result<Option<Journal>, TileError> {
    if !journal::folder(directory).exists() {
        return Ok(None);
    }
    let segments = journal::segments(directory)?;
    let Some(oldest) = segments.first() else { return Ok(None) };
    let first = oldest.next_multiple_of(WIDTH);
    let tree = Frontier::of(first, &mut Edge::read(directory, first)?)?;
    let mut replay = Replay::new(directory, tree, *oldest);
    for first in &segments {
        replay.segment(*first, segments.last() != Some(first), each)?;
    }
    replay.reaches_tiles();
    let cut = replay.cut.map(|cut| (cut.path, cut.offset));
    Ok(Some(Journal { first, size: replay.tree.size(), damage: replay.damage.or(cut) }))
}

/// Reads the journal from its oldest segment on.
struct Replay<'a> {
    directory: &'a Path,
    tree: Frontier,
    next: u64,
    /// Where the next frame goes.
    at: usize,
    cut: Option<Cut>,
    damage: Option<(PathBuf, usize)>,
    /// Segments that have frames that count.
    kept: Vec<u64>,
}

impl<'a> Replay<'a> {
    fn new(directory: &'a Path, tree: Frontier, next: u64) -> Self {
        let kept = Vec::new();
        Self { directory, tree, next, at: SEGMENT_HEAD, cut: None, damage: None, kept }
    }

    /// A journal that ends before the tiles do has lost its end.
    fn reaches_tiles(&mut self) {
        if self.next < self.tree.size() && self.damage.is_none() {
            let last = self.kept.last().copied().unwrap_or_default();
            self.damage = Some((journal::path(self.directory, last), self.at));
        }
    }

    /// The segment to go on with. What lies behind damage that was accepted is put aside.
    fn resume(&mut self, settings: &Settings, all: &[u64]) -> Result<Segment, FileError> {
        let length = settings.segment_bytes;
        if self.next < self.tree.size() {
            self.kept.clear();
        }
        for first in all.iter().filter(|first| !self.kept.contains(first)) {
            put_aside(self.directory, &journal::path(self.directory, *first))?;
        }
        let Some(last) = self.kept.last() else {
            self.kept.push(self.tree.size());
            return Segment::begin(self.directory, self.tree.size(), length);
        };
        let segment = Segment::resume(self.directory, *last, self.at, length)?;
        if self.damage.is_some() {
            segment.clear_rest()?;
        }
        Ok(segment)
    }

    /// Reads a segment. Whether another one `follows` tells a cut from damage.
    fn segment(&mut self, first: u64, follows: bool, each: &mut Each<'_>) -> Result<(), FileError> {
        if self.damage.is_some() {
            return Ok(());
        }
        let path = journal::path(self.directory, first);
        let bytes = files::read(&path, MAX_SEGMENT)?.unwrap_or_default();
        let mut rest = match journal::frames(&bytes, first) {
            Some(rest) if first == self.next => rest,
            _ => {
                self.damage = Some((path, 0));
                return Ok(());
            }
        };
        let mut hasher = LeafHasher::default();
        self.at = SEGMENT_HEAD;
        self.kept.push(first);
        while let Some(frame) = Frame::parse(rest).filter(|frame| frame.first == self.next) {
            if frame.end() > self.tree.size() {
                let Some(added) = frame.added(&mut self.tree, &mut hasher) else { break };
                for (entry, leaf) in added {
                    each(entry, leaf)?;
                }
            }
            self.next = frame.end();
            self.at += frame.length();
            rest = rest.get(frame.length()..).unwrap_or_default();
        }
        if journal::holds_frame(rest, self.next.saturating_add(1)) {
            self.damage = Some((path, self.at));
        } else if !follows && journal::begins_frame(rest, self.next) {
            let entries = journal::count(rest);
            self.cut = Some(Cut { path, offset: self.at, entries });
        }
        Ok(())
    }
}
