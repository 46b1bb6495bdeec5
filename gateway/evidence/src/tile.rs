//! How a log is cut into files: `c2sp.org/tlog-tiles`.
//!
//! A tile holds up to 256 neighbouring nodes of every eighth level of the tree, a bundle the entries
//! below a tile of level 0. What is full never changes. Nothing here touches a file.

use crate::hash::Hash;

/// Nodes of a full tile, entries of a full bundle.
pub const WIDTH: u64 = 256;
/// Levels of the tree from one tile to the one above it.
pub const HEIGHT: u32 = 8;
/// Largest entry: its length stands before it in two bytes.
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Entries.
    Entries,
    /// Hashes, of this level of tiles.
    Hashes(u32),
}

/// One file of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub kind: Kind,
    /// Its place among those of its kind.
    pub index: u64,
    /// How many it holds, 1 to 256.
    pub width: u64,
}

impl Tile {
    /// The full tile.
    #[must_use]
    pub fn full(kind: Kind, index: u64) -> Self {
        Self { kind, index, width: WIDTH }
    }

    /// The tile in a tree of this size; none when the tree ends before it.
    #[must_use]
    pub fn of_tree(kind: Kind, index: u64, size: u64) -> Option<Self> {
        let level = match kind {
            Kind::Entries => 0,
            Kind::Hashes(level) => level,
        };
        let nodes = size.checked_shr(HEIGHT.checked_mul(level)?).unwrap_or(0);
        let width = nodes.checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH);
        (width > 0).then_some(Self { kind, index, width })
    }

    /// Its path within the log's directory.
    #[must_use]
    pub fn path(&self) -> String {
        let kind = match self.kind {
            Kind::Entries => "entries".to_owned(),
            Kind::Hashes(level) => level.to_string(),
        };
        let mut path = format!("tile/{kind}/{}", number(self.index));
        if self.width < WIDTH {
            path.push_str(&format!(".p/{}", self.width));
        }
        path
    }
}

/// Longest path of a tile.
const MAX_PATH: usize = 64;

impl Tile {
    /// Reads the one form of a path that [`Tile::path`] writes; none for anything else.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/").filter(|_| path.len() <= MAX_PATH)?;
        let (kind, rest) = rest.split_once('/')?;
        let kind = match kind {
            "entries" => Kind::Entries,
            level => Kind::Hashes(level.parse().ok().filter(|level| *level < 64)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => {
                (number, width.parse().ok().filter(|w| (1..WIDTH).contains(w))?)
            }
            None => (rest, WIDTH),
        };
        let mut index: u64 = 0;
        for part in number.split('/') {
            let digits: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(digits)?;
        }
        // Whatever was read loosely above is written otherwise.
        let tile = Self { kind, index, width };
        (tile.path() == path).then_some(tile)
    }
}

/// Which tiles a tree of this size is not full at: its right edge, entries first.
pub fn partial(size: u64) -> impl Iterator<Item = Tile> {
    let levels = (0..u64::BITS / HEIGHT).map(Kind::Hashes);
    std::iter::once(Kind::Entries).chain(levels).filter_map(move |kind| {
        let level = if let Kind::Hashes(level) = kind { level } else { 0 };
        let nodes = size >> (HEIGHT * level);
        let width = nodes % WIDTH;
        (width > 0).then_some(Tile { kind, index: nodes / WIDTH, width })
    })
}

/// A number in path elements of three digits; all but the last begin with `x`.
fn number(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

/// The root over the nodes of a tile, or over a part of them that is a power of two.
#[must_use]
pub fn root(nodes: &[Hash]) -> Option<Hash> {
    let mut level = nodes.to_vec();
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            return None;
        }
        level = level
            .chunks_exact(2)
            .filter_map(|pair| pair.first().zip(pair.last()))
            .map(|(left, right)| Hash::of_node(*left, *right))
            .collect();
    }
    level.first().copied()
}

/// The hashes in the bytes of a tile; none when bytes are left over.
#[must_use]
pub fn hashes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let hashes = bytes.chunks_exact(Hash::LENGTH);
    hashes.remainder().is_empty().then(|| hashes.filter_map(Hash::from_slice).collect())
}

/// The entries in the bytes of a bundle. Ends with an error where a length leads past the end.
pub fn entries(bytes: &[u8]) -> impl Iterator<Item = Result<&[u8], Torn>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let entry = first(rest);
        rest = entry.map_or(&[], |(_, rest)| rest);
        Some(entry.map(|(entry, _)| entry).ok_or(Torn))
    })
}

/// The first entry of a bundle, and what follows it.
fn first(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// A bundle that ends within an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("bundle ends within an entry")]
pub struct Torn;

/// Adds an entry to a bundle; none when it is too large for one.
#[must_use]
pub fn put(bundle: &mut Vec<u8>, entry: &[u8]) -> Option<()> {
    let length = u16::try_from(entry.len()).ok()?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Some(())
}

#[cfg(test)]
mod tests;
