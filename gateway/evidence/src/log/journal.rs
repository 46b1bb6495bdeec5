//! The journal: where entries become durable, in frames, before they stand in tiles.
//!
//! A segment is a file of fixed length, filled with zeros or with what an older segment left, so
//! that writing to it changes no metadata. A frame is one batch: a head, the entries as in a bundle,
//! and the root of the tree after them. A frame counts when that root is right; so a write that was
//! cut off, and bytes of an older segment, cannot pass for one.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use crate::{
    files::{self, At, FileError},
    hash::{Hash, LeafHasher},
    tile,
    tree::Frontier,
};

/// First bytes of a segment; its first index follows.
const SEGMENT: &[u8; 8] = b"ltj\xff\x001\r\n";
/// First bytes of a frame. No entry has them: it would have to hold bytes that are not UTF-8.
const FRAME: &[u8; 4] = b"ltf\xff";
/// Bytes of a segment before its first frame.
pub(super) const SEGMENT_HEAD: usize = 16;
/// Bytes of a frame before its entries.
pub(super) const HEAD: usize = 24;
/// Bytes of a frame beside its entries.
pub(super) const FRAME_EXTRA: usize = HEAD + Hash::LENGTH;

/// Writes the head of a frame whose entries stand behind it, and the root at its end.
pub(super) fn seal(frame: &mut Vec<u8>, first: u64, count: u32, root: Hash) {
    let bytes = (frame.len() - HEAD) as u64;
    let head = FRAME.iter().copied().chain(count.to_be_bytes());
    let head = head.chain(first.to_be_bytes()).chain(bytes.to_be_bytes());
    frame.iter_mut().zip(head).for_each(|(to, from)| *to = from);
    frame.extend_from_slice(root.as_bytes());
}

/// A frame as it stands in a segment; its root has not been looked at.
pub(super) struct Frame<'a> {
    pub(super) first: u64,
    pub(super) count: u32,
    pub(super) entries: &'a [u8],
    pub(super) root: Hash,
}

impl<'a> Frame<'a> {
    /// The frame at the beginning of these bytes.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (count, first, length, rest) = head(bytes)?;
        let (entries, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let root = Hash::from_slice(rest.get(..Hash::LENGTH)?)?;
        Some(Self { first, count, entries, root })
    }

    pub(super) fn length(&self) -> usize {
        self.entries.len() + FRAME_EXTRA
    }

    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }

    /// The entries that this tree does not have, with their hashes, when the frame has as many as
    /// its head says and they lead from this tree to its root.
    pub(super) fn added(
        &self,
        tree: &mut Frontier,
        hasher: &mut LeafHasher,
    ) -> Option<Vec<(&'a [u8], Hash)>> {
        let mut grown = tree.clone();
        let mut added = Vec::new();
        let mut index = self.first;
        for entry in tile::entries(self.entries) {
            let entry = entry.ok()?;
            if index == grown.size() {
                let leaf = hasher.hash(entry);
                added.push((entry, leaf));
                grown.push(leaf);
            }
            index = index.checked_add(1)?;
        }
        let whole = index == self.end() && grown.size() == index && grown.root() == self.root;
        if whole {
            *tree = grown;
        }
        whole.then_some(added)
    }
}

/// Count, first index, length of the entries, and what follows the head.
fn head(bytes: &[u8]) -> Option<(u32, u64, u64, &[u8])> {
    let rest = bytes.strip_prefix(FRAME)?;
    let (count, rest) = rest.split_first_chunk()?;
    let (first, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let count = u32::from_be_bytes(*count);
    (count > 0).then_some((count, u64::from_be_bytes(*first), u64::from_be_bytes(*length), rest))
}

/// Whether a frame seems to begin here that would hold entry `first` in front.
pub(super) fn begins_frame(bytes: &[u8], expected: u64) -> bool {
    head(bytes).is_some_and(|(_, first, ..)| first == expected)
}

/// Whether a frame that begins with entry `from` or a later one stands anywhere in these bytes. What
/// an older segment left has lower numbers.
pub(super) fn holds_frame(bytes: &[u8], from: u64) -> bool {
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, FRAME) {
        let found = rest.get(at..).unwrap_or_default();
        if head(found).is_some_and(|(_, first, ..)| first >= from) {
            return true;
        }
        rest = found.get(1..).unwrap_or_default();
    }
    false
}

/// The folder of the segments.
pub(super) fn folder(directory: &Path) -> PathBuf {
    directory.join("journal")
}

/// A segment by its first index.
pub(super) fn path(directory: &Path, first: u64) -> PathBuf {
    folder(directory).join(format!("{first:020}"))
}

/// A segment that has been used up and may be used again.
pub(super) fn spare(directory: &Path) -> PathBuf {
    folder(directory).join("spare")
}

/// First index of every segment, in order.
pub(crate) fn segments(directory: &Path) -> Result<Vec<u64>, FileError> {
    let folder = folder(directory);
    let mut found = Vec::new();
    for file in fs::read_dir(&folder).at(&folder)? {
        let name = file.at(&folder)?.file_name();
        let name = name.to_str().filter(|name| name.len() == 20);
        found.extend(name.and_then(|name| name.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// The frames of a segment; none when it was named and not yet begun.
pub(super) fn frames(bytes: &[u8], first: u64) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(SEGMENT)?;
    rest.strip_prefix(first.to_be_bytes().as_slice())
}

/// Makes a file of zeros whose blocks are on disk.
pub(super) fn prepare(path: &Path, length: usize) -> Result<(), FileError> {
    let file = File::create(path).at(path)?;
    let zeros = vec![0; 1 << 20];
    let mut at = 0;
    while at < length {
        let part = zeros.get(..zeros.len().min(length - at)).unwrap_or(&zeros);
        file.write_all_at(part, at as u64).at(path)?;
        at += part.len();
    }
    file.sync_all().at(path)
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Segment {
    directory: PathBuf,
    /// Length of the segments that are begun.
    length: usize,
    /// Where this one is full.
    full: usize,
    file: File,
    path: PathBuf,
    at: usize,
}

impl Segment {
    /// A new segment that begins with entry `first`. Its name is durable before it is used.
    pub(super) fn begin(directory: &Path, first: u64, length: usize) -> Result<Self, FileError> {
        let path = path(directory, first);
        let reused = fs::rename(spare(directory), &path).is_ok();
        let fits = fs::metadata(&path).is_ok_and(|data| data.len() == length as u64);
        if !(reused && fits) {
            let new = folder(directory).join("begin.new");
            prepare(&new, length)?;
            fs::rename(&new, &path).at(&path)?;
        }
        files::sync_parent(&path)?;
        let file = files::open(&path)?;
        let head: Vec<u8> = SEGMENT.iter().copied().chain(first.to_be_bytes()).collect();
        file.write_all_at(&head, 0).at(&path)?;
        file.sync_data().at(&path)?;
        let directory = directory.to_owned();
        Ok(Self { directory, length, full: length, file, path, at: SEGMENT_HEAD })
    }

    /// A segment that has frames, the last of which ends at `at`. What they hold is durable after.
    pub(super) fn resume(
        directory: &Path,
        first: u64,
        at: usize,
        length: usize,
    ) -> Result<Self, FileError> {
        let path = path(directory, first);
        let file = files::open(&path)?;
        let there = usize::try_from(file.metadata().at(&path)?.len()).unwrap_or(0);
        file.sync_all().at(&path)?;
        files::sync_parent(&path)?;
        let full = there.min(length);
        Ok(Self { directory: directory.to_owned(), length, full, file, path, at })
    }

    /// Writes a frame and returns when it is durable. The first index of the new segment, when one
    /// had to be begun.
    pub(super) fn append(&mut self, frame: &[u8], first: u64) -> Result<Option<u64>, FileError> {
        let mut begun = None;
        if self.at + frame.len() > self.full {
            // One that was cut short before its first frame is replaced, and no other one begun.
            begun = (self.at > SEGMENT_HEAD).then_some(first);
            *self = Self::begin(&self.directory, first, self.length)?;
        }
        self.file.write_all_at(frame, self.at as u64).at(&self.path)?;
        self.file.sync_data().at(&self.path)?;
        self.at += frame.len();
        Ok(begun)
    }

    /// Overwrites what follows the last frame.
    pub(super) fn clear_rest(&self) -> Result<(), FileError> {
        let rest = vec![0; self.full.saturating_sub(self.at)];
        self.file.write_all_at(&rest, self.at as u64).at(&self.path)?;
        self.file.sync_data().at(&self.path)
    }
}

/// Makes a segment ready before it is needed.
pub(super) fn make_spare(directory: &Path, length: usize) -> Result<(), FileError> {
    // Under a name of its own, because the writer may take the spare at any moment.
    let new = folder(directory).join("spare.new");
    prepare(&new, length)?;
    let spare = spare(directory);
    fs::rename(&new, &spare).at(&spare)
}

/// How many entries the frame that begins here says it has.
pub(super) fn count(bytes: &[u8]) -> u32 {
    head(bytes).map_or(0, |(count, ..)| count)
}
