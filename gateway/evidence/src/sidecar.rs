//! Sidecars: everyone that one answer is about, where there are too many for an entry.
//!
//! A sidecar is a file of keyed digests, 16 bytes each, in order, each once, and nothing else. Blocks
//! of 256 digests are the leaves of a Merkle tree (RFC 6962), whose root stands in the outcome of the
//! exchange. So a digest is found by reading a few blocks, and is proven by one block and a path.
//! What is read here may have been tampered with: only [`Sidecar::check`] and a proof say otherwise.

mod merge;
mod proof;
mod seal;
mod writer;

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

pub use self::{
    proof::{SidecarProof, SidecarProofError},
    writer::SidecarWriter,
};
use crate::{
    entry::{ExchangeId, KeyedDigest, Outcome},
    files::{At as _, FileError},
    hash::{Hash, LeafHasher},
    tree::{self, Frontier, Nodes},
};

/// Bytes of a digest.
const DIGEST: usize = 16;
/// Digests in a block.
const WIDTH: usize = 256;
/// Bytes of a block.
const BLOCK: usize = WIDTH * DIGEST;
/// Blocks that are read at once.
const STRETCH: usize = 64;

/// What an outcome says of its sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// Root of the tree over its blocks.
    pub root: Hash,
    /// How many digests there are.
    pub size: u64,
}

impl Sealed {
    /// What this outcome says; none when it names no sidecar.
    #[must_use]
    pub fn of(outcome: &Outcome<'_>) -> Option<Self> {
        Some(Self { root: outcome.sidecar?, size: outcome.sidecar_size? })
    }
}

/// Why a sidecar is not the one that an outcome names.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It holds more or fewer digests.
    #[error("sidecar has the wrong length")]
    Length,
    /// Its digests are out of order, or one is there twice.
    #[error("sidecar is out of order")]
    Order,
    /// It holds other digests.
    #[error("sidecar is not the one that the outcome names")]
    Root,
}

/// Where the sidecar of an exchange stands in the directory of a log.
#[must_use]
pub fn path(directory: &Path, exchange: ExchangeId) -> PathBuf {
    folder(directory).join(exchange.to_string())
}

fn folder(directory: &Path) -> PathBuf {
    directory.join("sidecar")
}

/// Where sidecars stand until they are whole.
fn unfinished(directory: &Path) -> PathBuf {
    folder(directory).join("unfinished")
}

/// Takes away what a crash has left of sidecars that were being written.
pub(crate) fn clear(directory: &Path) -> Result<(), FileError> {
    let folder = unfinished(directory);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).at(&folder),
        _ => Ok(()),
    }
}

/// A sidecar on disk.
#[derive(Debug)]
pub struct Sidecar {
    file: File,
    path: PathBuf,
    size: u64,
}

impl Sidecar {
    /// Opens the sidecar in a file.
    ///
    /// # Errors
    /// When there is none, or its length is that of no sidecar.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).at(path)?;
        let bytes = file.metadata().at(path)?.len();
        if bytes == 0 || bytes % DIGEST as u64 != 0 {
            return Err(io::Error::from(io::ErrorKind::InvalidData)).at(path);
        }
        Ok(Self { file, path: path.to_owned(), size: bytes / DIGEST as u64 })
    }

    /// How many digests there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether a digest is there. Reads as many blocks as the number of blocks has bits.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contains(&self, digest: KeyedDigest) -> Result<bool, FileError> {
        Ok(self.find(digest)?.is_some())
    }

    /// All digests, in order. Reads 256 KiB at a time.
    pub fn iter(&self) -> impl Iterator<Item = Result<KeyedDigest, FileError>> + '_ {
        (0..self.blocks()).step_by(STRETCH).flat_map(move |first| {
            let (digests, error) = match self.read(first, STRETCH) {
                Ok(bytes) => (digests(&bytes).map(Ok).collect(), None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            digests.into_iter().chain(error)
        })
    }

    /// Checks every byte against what an outcome says.
    ///
    /// # Errors
    /// When it is not the sidecar that was sealed.
    pub fn check(&self, sealed: Sealed) -> Result<(), SidecarError> {
        if self.size != sealed.size {
            return Err(SidecarError::Length);
        }
        let (mut tree, mut hasher) = (Frontier::empty(), LeafHasher::default());
        let mut before = None;
        for first in (0..self.blocks()).step_by(STRETCH) {
            let bytes = self.read(first, STRETCH)?;
            for digest in digests(&bytes) {
                if before.is_some_and(|before| before >= digest) {
                    return Err(SidecarError::Order);
                }
                before = Some(digest);
            }
            bytes.chunks(BLOCK).for_each(|block| tree.push(hasher.hash(block)));
        }
        if tree.root() == sealed.root { Ok(()) } else { Err(SidecarError::Root) }
    }

    /// The proof that a digest is there; none when it is not. Reads the file once.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn prove(&self, digest: KeyedDigest) -> Result<Option<SidecarProof>, FileError> {
        let Some(index) = self.find(digest)? else { return Ok(None) };
        let block = self.read(index, 1)?;
        let hashes = tree::inclusion(index, self.blocks(), &mut Blocks(self))?;
        Ok(Some(SidecarProof::new(self.size, index, block, hashes)))
    }

    fn blocks(&self) -> u64 {
        blocks(self.size)
    }

    /// The block that a digest is in.
    fn find(&self, digest: KeyedDigest) -> Result<Option<u64>, FileError> {
        let (mut from, mut to) = (0, self.blocks());
        while from < to {
            let middle = from + (to - from) / 2;
            let block = self.read(middle, 1)?;
            let (Some(first), Some(last)) = (digests(&block).next(), digests(&block).last()) else {
                break;
            };
            if digest < first {
                to = middle;
            } else if digest > last {
                from = middle + 1;
            } else {
                return Ok(digests(&block).any(|found| found == digest).then_some(middle));
            }
        }
        Ok(None)
    }

    /// The bytes of some blocks, or fewer where the file ends.
    fn read(&self, first: u64, count: usize) -> Result<Vec<u8>, FileError> {
        let from = first.saturating_mul(BLOCK as u64);
        let left = (self.size * DIGEST as u64).saturating_sub(from);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(count * BLOCK);
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, from).at(&self.path)?;
        Ok(bytes)
    }
}

/// How many blocks so many digests fill.
fn blocks(size: u64) -> u64 {
    size.div_ceil(WIDTH as u64)
}

/// The digests in some bytes.
fn digests(bytes: &[u8]) -> impl Iterator<Item = KeyedDigest> {
    bytes.as_chunks().0.iter().copied().map(KeyedDigest::from_bytes)
}

/// The nodes of the tree over a sidecar, made from its blocks.
struct Blocks<'a>(&'a Sidecar);

impl Nodes for Blocks<'_> {
    type Error = FileError;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, FileError> {
        let (first, count) = (index << level, 1_u64 << level);
        let (mut tree, mut hasher) = (Frontier::empty(), LeafHasher::default());
        for first in (first..first + count).step_by(STRETCH) {
            let bytes =
                self.0.read(first, STRETCH.min(usize::try_from(count).unwrap_or(STRETCH)))?;
            bytes.chunks(BLOCK).for_each(|block| tree.push(hasher.hash(block)));
        }
        Ok(tree.root())
    }
}

#[cfg(test)]
mod tests;
