//! Reads single entries of a log: those under its newest checkpoint from bundles, and what is
//! durable and not signed yet from the journal. Changes nothing, and may read while the log is
//! being written.

use std::path::{Path, PathBuf};

use crate::{
    checkpoint::Checkpoint,
    files,
    log::{self, CHECKPOINT},
    note::{MAX_NOTE, Verifier},
    proof::ProveError,
    tile::{self, Kind, Tile, WIDTH},
};

/// Bytes of entries after the last full bundle that are kept in memory.
const MOST_TAIL: usize = 256 << 20;
/// How often a journal that changed while it was read is read again.
const TRIES: usize = 5;

/// The entries of a log, as of when it was opened.
#[derive(Debug)]
pub struct Reader {
    directory: PathBuf,
    checkpoint: Checkpoint,
    /// Entries after the last full bundle.
    tail: Vec<Vec<u8>>,
    complete: bool,
    last: Option<(u64, Vec<u8>)>,
}

impl Reader {
    /// Opens the log in a directory.
    ///
    /// # Errors
    /// When there is no checkpoint of this key, or the entries after it cannot be read.
    pub fn open(directory: &Path, verifier: &Verifier) -> Result<Self, ProveError> {
        let mut opened = Self::once(directory, verifier)?;
        for _ in 1..TRIES {
            if opened.complete {
                break;
            }
            // A segment was used again, or a checkpoint signed, while this was reading.
            opened = Self::once(directory, verifier)?;
        }
        Ok(opened)
    }

    fn once(directory: &Path, verifier: &Verifier) -> Result<Self, ProveError> {
        let note = files::read(&directory.join(CHECKPOINT), MAX_NOTE as u64)?.unwrap_or_default();
        let checkpoint = Checkpoint::open(&note, verifier)?;
        let (full, size) = (full(checkpoint.size), checkpoint.size);
        let mut tail: Vec<Vec<u8>> = Vec::new();
        if let Some(bundle) = Tile::of_tree(Kind::Entries, full / WIDTH, size) {
            let (bytes, _) = files::read_tile(directory, &bundle)?;
            let entries = tile::entries(&bytes).map_while(Result::ok);
            tail.extend(entries.take((size - full) as usize).map(<[u8]>::to_vec));
        }
        let later = log::read_after(directory, size, MOST_TAIL)?;
        let complete = tail.len() as u64 == size - full && later.is_some();
        // Without those before them the later ones have no places.
        tail.extend(later.unwrap_or_default().into_iter().take_while(|_| complete));
        Ok(Self { directory: directory.to_owned(), checkpoint, tail, complete, last: None })
    }

    /// The newest checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The directory of the log.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Entries there are, those that are not signed yet with them.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.full() + self.tail.len() as u64
    }

    /// Entries under the checkpoint that stand in full bundles.
    #[must_use]
    pub fn full(&self) -> u64 {
        full(self.checkpoint.size)
    }

    /// Whether the journal could be read to its end. When not, entries of the last second may be
    /// missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The entries after the last full bundle, with their places.
    pub fn tail(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (self.full()..).zip(self.tail.iter().map(Vec::as_slice))
    }

    /// One entry.
    ///
    /// # Errors
    /// When there is none, or its bundle cannot be read.
    pub fn entry(&mut self, index: u64) -> Result<Vec<u8>, ProveError> {
        let size = self.size();
        if let Some(place) = index.checked_sub(self.full()) {
            let entry = usize::try_from(place).ok().and_then(|place| self.tail.get(place));
            return entry.cloned().ok_or(ProveError::Index(size));
        }
        let bytes = self.bundle(index / WIDTH)?;
        let place = usize::try_from(index % WIDTH).unwrap_or_default();
        let entry = tile::entries(bytes).nth(place).and_then(Result::ok);
        Ok(entry.ok_or(ProveError::Broken)?.to_vec())
    }

    /// The bytes of a full bundle; the one read last is kept.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn bundle(&mut self, index: u64) -> Result<&[u8], ProveError> {
        let kept = self.last.take().filter(|(last, _)| *last == index);
        let bundle = match kept {
            Some(kept) => kept,
            None => {
                let tile = Tile::full(Kind::Entries, index);
                (index, files::read_tile(&self.directory, &tile)?.0)
            }
        };
        Ok(&self.last.insert(bundle).1)
    }
}

/// The entries of the full bundles of a tree of this size.
fn full(size: u64) -> u64 {
    size - size % WIDTH
}
