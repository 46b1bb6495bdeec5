//! Verifies a log off line, from the files in its directory and the key of its checkpoints alone.
//!
//! Every entry is hashed, every tile held against what is below it, and the root against what was
//! signed, and every sidecar against its outcome. What is wrong is told with its place, the first of all
//! first. Nothing is changed.

mod exchanges;
mod sidecars;
mod walk;

use std::{fmt, path::Path};

use self::{exchanges::Exchanges, walk::Walk};
use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    files::{self, FileError},
    hash::Hash,
    log::{self, CHECKPOINT},
    note::{MAX_NOTE, Verifier},
    tile::{Kind, Tile},
    tree::Frontier,
};

/// Most findings that are kept; all are counted.
const MOST: usize = 100;

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// At this entry.
    Entry(u64),
    /// In this tile of hashes.
    Tile {
        /// First entry it is over.
        first: u64,
        /// Its path.
        path: String,
    },
    /// In the sidecar that an outcome names.
    Sidecar {
        /// The outcome.
        entry: u64,
        /// The path of the sidecar.
        path: String,
    },
    /// At this entry or anywhere after it: all that is there fits together, and is something else
    /// than was signed.
    From(u64),
    /// In the journal.
    Journal {
        /// The segment.
        segment: String,
        /// The byte in it.
        offset: usize,
    },
    /// The checkpoint itself.
    Checkpoint,
}

impl Position {
    /// What to order by: the first entry that is in doubt.
    fn rank(&self) -> (u64, u8) {
        match self {
            Self::Checkpoint => (0, 0),
            Self::Entry(index) => (*index, 1),
            Self::Sidecar { entry, .. } => (*entry, 2),
            Self::Tile { first, .. } => (*first, 3),
            Self::From(index) => (*index, 4),
            Self::Journal { .. } => (u64::MAX, 5),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(index) => write!(f, "entry {index}"),
            Self::Tile { path, .. } => f.write_str(path),
            Self::Sidecar { entry, path } => write!(f, "{path} of entry {entry}"),
            Self::From(index) => write!(f, "entry {index} or later"),
            Self::Journal { segment, offset } => write!(f, "journal/{segment} byte {offset}"),
            Self::Checkpoint => f.write_str(CHECKPOINT),
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// A file is not there.
    #[error("is missing")]
    Missing,
    /// There are more or fewer than there should be.
    #[error("has the wrong length")]
    Length,
    /// The entry is not what its hash was made of.
    #[error("is not what was logged")]
    Entry,
    /// What stands in order is out of it, or there twice.
    #[error("is out of order")]
    Order,
    /// A sidecar is another than its outcome names.
    #[error("is not the one that its outcome names")]
    Sidecar,
    /// The hashes are not those of what is below.
    #[error("is not the hash of what is below it")]
    Hash,
    /// The tree is another than was signed.
    #[error("tree is not the one that was signed")]
    Root,
    /// The checkpoint is no use.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log ends before an anchor.
    #[error("log ends before the anchor of {0} entries")]
    Behind(u64),
    /// The log is not the one the anchor is of.
    #[error("log differs from the anchor of {0} entries")]
    Anchor(u64),
    /// Not an entry of the format.
    #[error("is no entry of format 1")]
    Form,
    /// An exchange has an outcome or progress and no intent before.
    #[error("belongs to no open intent")]
    NoIntent,
    /// An exchange has two intents.
    #[error("has an intent already")]
    Repeated,
    /// Two records have one revision of the registry of consents.
    #[error("has the revision of another record")]
    Revision,
    /// The registry of consents went on from an older state.
    #[error("has a revision far below an earlier one: the registry went on from an older state")]
    RevisionBack,
    /// The journal breaks off, or is of another log.
    #[error("is damaged, or a write was cut off here and the log was not opened since")]
    Journal,
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub position: Position,
    /// What.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.position, self.problem)
    }
}

/// What verifying came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries under the checkpoint.
    pub size: u64,
    /// The root that was signed.
    pub root: Option<Hash>,
    /// Durable entries after the checkpoint, which nobody has signed yet.
    pub unsigned: u64,
    /// Anchors that the log agrees with, by size.
    pub anchors: Vec<u64>,
    /// Exchanges that were permitted.
    pub intents: u64,
    /// Intents without an outcome, by entry; the first hundred. They count as disclosed.
    pub open: Vec<u64>,
    /// How many of them there are.
    pub open_count: u64,
    /// Sidecars that outcomes name, and that are there and whole.
    pub sidecars: u64,
    /// What is wrong, the first place first; the first hundred.
    pub findings: Vec<Finding>,
    /// How many findings there are.
    pub finding_count: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.finding_count == 0
    }

    fn find(&mut self, position: Position, problem: Problem) {
        self.finding_count += 1;
        if self.findings.len() < MOST {
            self.findings.push(Finding { position, problem });
        }
    }
}

/// Verifies the log in a directory against the key of its checkpoints, and against checkpoints that
/// were kept elsewhere. Without one of these nobody can tell whether later entries were taken away.
///
/// # Errors
/// When a file that is there cannot be read.
pub fn verify(
    directory: &Path,
    verifier: &Verifier,
    anchors: &[Checkpoint],
) -> Result<Report, FileError> {
    let mut report = Report::default();
    let Some(checkpoint) = newest(directory, verifier, &mut report)? else { return Ok(report) };
    report.size = checkpoint.size;
    report.root = Some(checkpoint.root);

    let mut exchanges = Exchanges::of(directory);
    let mut walk = Walk::new(directory, &checkpoint, anchors);
    walk.run(&mut report, &mut exchanges)?;
    follow_journal(directory, &checkpoint, &mut report, &mut exchanges)?;

    exchanges.readable()?;
    report.intents = exchanges.intents();
    (report.open_count, report.open) = exchanges.open(MOST);
    report.findings.sort_by_key(|finding| finding.position.rank());
    Ok(report)
}

/// The checkpoint in the directory.
fn newest(
    directory: &Path,
    verifier: &Verifier,
    report: &mut Report,
) -> Result<Option<Checkpoint>, FileError> {
    let note = match files::read(&directory.join(CHECKPOINT), MAX_NOTE as u64) {
        Ok(Some(note)) => note,
        Ok(None) => {
            report.find(Position::Checkpoint, Problem::Missing);
            return Ok(None);
        }
        // Read as empty, it is no note either.
        Err(error) if error.is_too_large() => Vec::new(),
        Err(error) => return Err(error),
    };
    match Checkpoint::open(&note, verifier) {
        Ok(checkpoint) => Ok(Some(checkpoint)),
        Err(error) => {
            report.find(Position::Checkpoint, error.into());
            Ok(None)
        }
    }
}

/// Holds the journal against the tree, and goes on with the entries that are not signed yet.
fn follow_journal(
    directory: &Path,
    checkpoint: &Checkpoint,
    report: &mut Report,
    exchanges: &mut Exchanges<'_>,
) -> Result<(), FileError> {
    let mut later = Vec::new();
    let mut leaves: Vec<Hash> = Vec::new();
    let journal = log::read_journal(directory, &mut |entry, leaf| {
        leaves.push(leaf);
        later.push(entry.to_vec());
        Ok(())
    });
    let journal = match journal {
        Ok(Some(journal)) => journal,
        Ok(None) => return Ok(()),
        Err(files::TileError::File(error)) => return Err(error),
        // The walk over the tiles has told what is wrong with them.
        Err(_) => return Ok(()),
    };
    if let Some((path, offset)) = &journal.damage {
        let segment = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let offset = *offset;
        report.find(Position::Journal { segment, offset }, Problem::Journal);
    }
    // Where the journal begins only after the checkpoint, the entries between are in tiles that
    // nobody has signed; then the rest cannot be judged either.
    let signed = checkpoint.size.checked_sub(journal.first).and_then(|n| usize::try_from(n).ok());
    for (index, entry) in (journal.first..).zip(&later).skip(signed.unwrap_or(usize::MAX)) {
        exchanges.take_in(index, entry, report);
    }
    report.unsigned = journal.size.saturating_sub(checkpoint.size);
    if report.is_good() && !agrees(directory, checkpoint, &journal, &leaves)? {
        report.find(Position::From(journal.first), Problem::Journal);
    }
    Ok(())
}

/// Whether the journal leads to the tree that was signed.
fn agrees(
    directory: &Path,
    checkpoint: &Checkpoint,
    journal: &log::Journal,
    leaves: &[Hash],
) -> Result<bool, FileError> {
    // The log is signed further than the journal goes: tiles reach that far, the journal does not.
    if journal.size < checkpoint.size {
        return Ok(false);
    }
    let Some(count) = checkpoint.size.checked_sub(journal.first) else { return Ok(true) };
    match Frontier::of(journal.first, &mut files::Tiles::new(directory, checkpoint.size)) {
        Ok(mut tree) => {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            leaves.iter().take(count).for_each(|leaf| tree.push(*leaf));
            Ok(tree.root() == checkpoint.root)
        }
        Err(files::TileError::File(error)) => Err(error),
        Err(_) => Ok(false),
    }
}

/// The place of a tile: the first entry it is over, and its path.
fn place(tile: &Tile) -> Position {
    let first = match tile.kind {
        Kind::Entries => tile.index << 8,
        Kind::Hashes(level) => tile.index << (8 * (level + 1)).min(63),
    };
    Position::Tile { first, path: tile.path() }
}
