//! A log as others may read it: the newest checkpoint, and what is under it.
//!
//! Takes the directory of a log, which another thread or process writes; gives files in the forms of
//! `c2sp.org/tlog-tiles`. What is not under the newest checkpoint is never given: it may be lost yet.

use std::path::{Path, PathBuf};

use crate::{
    checkpoint::Checkpoint,
    files::{self, FileError, TileError},
    hash::Hash,
    log::CHECKPOINT,
    tile::{self, Kind, Tile},
};

/// Largest checkpoint with all its signatures.
const MAX_NOTE: u64 = 64 << 10;
/// How often a tile of the right edge is looked for anew, when the tree grows past it.
const ATTEMPTS: usize = 4;

/// A log that others read.
#[derive(Debug, Clone)]
pub struct Published {
    directory: PathBuf,
}

/// The newest checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The signed note.
    pub note: Vec<u8>,
    /// Entries that it is of.
    pub size: u64,
}

/// Why something of a log cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The tile could not be read, or is not what it should be.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The newest checkpoint is no checkpoint.
    #[error("the checkpoint is no checkpoint")]
    Checkpoint,
}

impl Published {
    /// The log in this directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// The newest checkpoint; none while there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn checkpoint(&self) -> Result<Option<Newest>, PublishedError> {
        let note = files::read(&self.directory.join(CHECKPOINT), MAX_NOTE)?;
        note.map(|note| {
            // Who signed it does not matter: it is the log's own file.
            let size = Checkpoint::claimed(&note).ok_or(PublishedError::Checkpoint)?.size;
            Ok(Newest { note, size })
        })
        .transpose()
    }

    /// The bytes of a tile or bundle, as wide as it was asked for; none when the newest checkpoint
    /// does not cover all of it. A narrow one is cut from a wider one: what a tile holds never
    /// changes, it only grows.
    ///
    /// # Errors
    /// When it cannot be read, or is not what it should be.
    pub fn tile(&self, tile: &Tile) -> Result<Option<Vec<u8>>, PublishedError> {
        let mut missing = TileError::Missing(tile.path());
        for _ in 0..ATTEMPTS {
            let Some(newest) = self.checkpoint()? else { return Ok(None) };
            let Some(edge) = Tile::of_tree(tile.kind, tile.index, newest.size) else {
                return Ok(None);
            };
            if tile.width > edge.width {
                return Ok(None);
            }
            match files::read_tile(&self.directory, &edge) {
                Ok((bytes, _)) => {
                    let cut = cut(bytes, tile).ok_or_else(|| TileError::Length(tile.path()))?;
                    return Ok(Some(cut));
                }
                // The tree has grown since the checkpoint was read, and its edge has moved.
                Err(error @ TileError::Missing(_)) => missing = error,
                Err(error) => return Err(error.into()),
            }
        }
        Err(missing.into())
    }
}

/// The first nodes or entries, as many as the tile is wide.
fn cut(mut bytes: Vec<u8>, tile: &Tile) -> Option<Vec<u8>> {
    let width = usize::try_from(tile.width).ok()?;
    let length = match tile.kind {
        Kind::Hashes(_) => width.checked_mul(Hash::LENGTH)?,
        Kind::Entries => {
            let first: Vec<&[u8]> =
                tile::entries(&bytes).take(width).collect::<Result<_, _>>().ok()?;
            let whole = first.len() == width;
            whole.then(|| first.iter().map(|entry| entry.len() + 2).sum())?
        }
    };
    (bytes.len() >= length).then(|| bytes.truncate(length))?;
    Some(bytes)
}
