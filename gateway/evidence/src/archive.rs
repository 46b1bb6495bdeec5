//! Bundles of entries, compressed in place: `….zst` stands for the plain file beside which it was made.
//!
//! A bundle is only ever replaced by what gives back the same bytes, and removed once that is on disk.
//! Nothing else changes: tree, tiles and proofs are over the entries and not over how they are kept.

use std::{
    fs,
    path::{Path, PathBuf},
};

use zstd_safe::{CCtx, CParameter, DCtx};

use crate::{
    files::{self, At, FileError, TileError},
    hash::LeafHasher,
    index::{Index, IndexError},
    reader::Reader,
    tile::{self, Kind, MAX_ENTRY, Tile, WIDTH},
};

/// How hard to compress: beyond this, entries get hardly smaller, for their digests are random.
const LEVEL: i32 = 9;
/// Largest bundle there can be, and the most it can be when it does not get smaller.
const MAX_BUNDLE: u64 = WIDTH * (2 + MAX_ENTRY as u64);
const MAX_PACKED: u64 = MAX_BUNDLE + (MAX_BUNDLE >> 8) + 64;
/// First bytes of every archived bundle: the number of zstd frames, and a descriptor that asks for
/// one segment and a checksum, and leaves no bit free.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const DESCRIPTOR: u8 = 0b0010_0100;
/// Bits of the descriptor that say how long the length of the content is.
const LENGTH_BITS: u8 = 0b1100_0000;
/// Bundles between two waits for the disk.
const TOGETHER: usize = 256;

/// Why bundles were not archived.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// A tile cannot be read.
    #[error(transparent)]
    Tile(#[from] TileError),
    /// The index cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A bundle is not what its hashes were made of. It is left as it is.
    #[error("`{0}` is not what was logged")]
    Broken(String),
    /// A bundle could not be compressed.
    #[error("`{0}` cannot be compressed")]
    Unusable(String),
}

/// What was archived.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Archived {
    /// Bundles that are compressed now and were not before.
    pub bundles: u64,
    /// Bytes they took.
    pub plain: u64,
    /// Bytes they take now.
    pub packed: u64,
}

/// Compresses every full bundle whose last entry is older than this time. Told after each bundle how
/// many of how many are done.
///
/// # Errors
/// When a bundle is damaged, or a file cannot be written. What was done stays done.
pub fn archive(
    reader: &Reader,
    index: &mut Index,
    before_ms: u64,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Archived, ArchiveError> {
    let directory = reader.directory();
    let times = index.times()?;
    let old = |(_, (min, max)): &(u64, &(u64, u64))| min <= max && *max < before_ms;
    let old: Vec<u64> = (0..).zip(&times).filter(old).map(|(bundle, _)| bundle).collect();
    let mut done = Archived::default();
    let total = old.len() as u64;
    let mut count = 0;
    for chunk in old.chunks(TOGETHER) {
        let mut replaced = Vec::new();
        for bundle in chunk {
            replaced.extend(pack_bundle(directory, *bundle, &mut done)?);
            count += 1;
            progress(count, total);
        }
        if replaced.is_empty() {
            continue;
        }
        // INVARIANT: what stands in a bundle's place is on disk before the bundle goes.
        sync(directory)?;
        for plain in replaced {
            fs::remove_file(&plain).at(&plain)?;
        }
    }
    Ok(done)
}

/// Writes the compressed form of a bundle; the plain file, when there still is one.
fn pack_bundle(
    directory: &Path,
    bundle: u64,
    done: &mut Archived,
) -> Result<Option<PathBuf>, ArchiveError> {
    let tile = Tile::full(Kind::Entries, bundle);
    let plain = directory.join(tile.path());
    let Some(bytes) = files::read(&plain, MAX_BUNDLE)? else { return Ok(None) };
    if !is_logged(directory, bundle, &bytes)? {
        return Err(ArchiveError::Broken(tile.path()));
    }
    let packed = pack(&bytes).filter(|packed| unpack(packed).as_ref() == Some(&bytes));
    let packed = packed.ok_or_else(|| ArchiveError::Unusable(tile.path()))?;
    let path = path(directory, &tile);
    let new = path.with_extension("zst-new");
    fs::write(&new, &packed).at(&new)?;
    fs::rename(&new, &path).at(&path)?;
    done.bundles += 1;
    done.plain += bytes.len() as u64;
    done.packed += packed.len() as u64;
    Ok(Some(plain))
}

/// Whether the entries of a bundle are those its tile has the hashes of.
fn is_logged(directory: &Path, bundle: u64, bytes: &[u8]) -> Result<bool, TileError> {
    let hashes = files::read_hashes(directory, &Tile::full(Kind::Hashes(0), bundle))?;
    let mut hasher = LeafHasher::default();
    let mut count = 0;
    for (place, entry) in tile::entries(bytes).enumerate() {
        let Ok(entry) = entry else { return Ok(false) };
        if hashes.get(place) != Some(&hasher.hash(entry)) {
            return Ok(false);
        }
        count += 1;
    }
    Ok(count == WIDTH)
}

fn sync(directory: &Path) -> Result<(), FileError> {
    let folder = fs::File::open(directory).at(directory)?;
    rustix::fs::syncfs(&folder).map_err(Into::into).at(directory)
}

fn path(directory: &Path, bundle: &Tile) -> PathBuf {
    directory.join(format!("{}.zst", bundle.path()))
}

/// The bytes of a full bundle that has been archived; none when it has not.
pub(crate) fn read(directory: &Path, bundle: &Tile) -> Result<Option<Vec<u8>>, TileError> {
    let wrong = || TileError::Length(bundle.path());
    match files::read(&path(directory, bundle), MAX_PACKED) {
        Ok(Some(packed)) => unpack(&packed).map(Some).ok_or_else(wrong),
        Ok(None) => Ok(None),
        Err(error) if error.is_too_large() => Err(wrong()),
        Err(error) => Err(error.into()),
    }
}

fn pack(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut context = CCtx::try_create()?;
    context.set_parameter(CParameter::CompressionLevel(LEVEL)).ok()?;
    context.set_parameter(CParameter::ChecksumFlag(true)).ok()?;
    context.set_parameter(CParameter::ContentSizeFlag(true)).ok()?;
    let mut out = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
    context.compress2(&mut out, bytes).ok()?;
    Some(out)
}

/// The content of one whole frame as `pack` writes it, never more than the largest bundle.
fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let descriptor = packed.strip_prefix(&MAGIC)?.first()?;
    if descriptor & !LENGTH_BITS != DESCRIPTOR {
        return None;
    }
    let length = zstd_safe::get_frame_content_size(packed).ok()??;
    let whole = zstd_safe::find_frame_compressed_size(packed).ok()? == packed.len();
    let length = usize::try_from(length).ok().filter(|_| whole && length <= MAX_BUNDLE)?;
    let mut out = Vec::with_capacity(length);
    let written = DCtx::try_create()?.decompress(&mut out, packed).ok()?;
    (written == length).then_some(out)
}
