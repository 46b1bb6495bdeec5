//! Sorts more digests than there is memory for: runs that are sorted, and merged a few at a time.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::DIGEST;
use crate::files::{At as _, FileError};

/// How much is held in memory at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Digests that wait to be written.
    pub(super) waiting: usize,
    /// Digests that are sorted at a time.
    pub(super) run: usize,
    /// Runs that are merged at a time.
    pub(super) fan: usize,
}

impl Sizes {
    /// 64 KiB that wait; 1 MiB to sort, and as much to merge.
    pub(super) const USUAL: Self = Self { waiting: 1 << 12, run: 1 << 16, fan: 64 };
}

/// Digests in a file that has no name, so that nothing stays of it whatever happens.
#[derive(Debug)]
pub(super) struct Scratch {
    file: File,
    path: PathBuf,
    count: u64,
}

/// Digests of a [`Scratch`] that are in order.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u64,
    count: u64,
}

impl Scratch {
    pub(super) fn begin(path: &Path) -> Result<Self, FileError> {
        let file = crate::files::open(path)?;
        fs::remove_file(path).at(path)?;
        Ok(Self { file, path: path.to_owned(), count: 0 })
    }

    /// Adds digests at the end. When it fails, none of them count.
    pub(super) fn add(&mut self, digests: &[u128]) -> Result<(), FileError> {
        self.put(self.count, digests)?;
        self.count += digests.len() as u64;
        Ok(())
    }

    fn put(&self, first: u64, digests: &[u128]) -> Result<(), FileError> {
        let bytes: Vec<u8> = digests.iter().flat_map(|digest| digest.to_be_bytes()).collect();
        self.file.write_all_at(&bytes, first * DIGEST as u64).at(&self.path)
    }

    fn take(&self, first: u64, count: u64, digests: &mut Vec<u128>) -> Result<(), FileError> {
        // Never more than a run, or a part of what is merged.
        let mut bytes = vec![0; usize::try_from(count).unwrap_or_default() * DIGEST];
        self.file.read_exact_at(&mut bytes, first * DIGEST as u64).at(&self.path)?;
        digests.clear();
        digests.extend(bytes.as_chunks().0.iter().map(|digest| u128::from_be_bytes(*digest)));
        Ok(())
    }

    /// Gives all digests in order to `each`.
    pub(super) fn sorted(
        mut self,
        sizes: Sizes,
        each: &mut impl FnMut(u128) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let mut runs = self.sort(sizes)?;
        while runs.len() > sizes.fan {
            let mut next = Self::begin(&self.path)?;
            let mut merged = Vec::new();
            for runs in runs.chunks(sizes.fan) {
                let first = next.count;
                let mut waiting = Vec::with_capacity(sizes.waiting);
                self.merge(runs, sizes, &mut |digest| {
                    waiting.push(digest);
                    if waiting.len() == sizes.waiting {
                        next.add(&waiting)?;
                        waiting.clear();
                    }
                    Ok(())
                })?;
                next.add(&waiting)?;
                merged.push(Run { first, count: next.count - first });
            }
            (self, runs) = (next, merged);
        }
        self.merge(&runs, sizes, each)
    }

    /// Sorts part after part, each where it stands.
    fn sort(&self, sizes: Sizes) -> Result<Vec<Run>, FileError> {
        let mut runs = Vec::new();
        let mut digests = Vec::with_capacity(sizes.run);
        for first in (0..self.count).step_by(sizes.run) {
            self.take(first, (self.count - first).min(sizes.run as u64), &mut digests)?;
            digests.sort_unstable();
            digests.dedup();
            self.put(first, &digests)?;
            runs.push(Run { first, count: digests.len() as u64 });
        }
        Ok(runs)
    }

    fn merge(
        &self,
        runs: &[Run],
        sizes: Sizes,
        each: &mut impl FnMut(u128) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let share = (sizes.run / sizes.fan).max(1) as u64;
        let mut readers = Vec::with_capacity(runs.len());
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (place, run) in runs.iter().enumerate() {
            let mut reader = Reader { scratch: self, rest: *run, share, held: Vec::new(), next: 0 };
            heads.extend(reader.next()?.map(|digest| Reverse((digest, place))));
            readers.push(reader);
        }
        while let Some(mut head) = heads.peek_mut() {
            let Reverse((digest, place)) = *head;
            let next = readers.get_mut(place).map_or(Ok(None), Reader::next)?;
            match next {
                Some(next) => *head = Reverse((next, place)),
                None => drop(std::collections::binary_heap::PeekMut::pop(head)),
            }
            each(digest)?;
        }
        Ok(())
    }
}

/// Reads a run, a part at a time.
struct Reader<'a> {
    scratch: &'a Scratch,
    rest: Run,
    share: u64,
    held: Vec<u128>,
    next: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Result<Option<u128>, FileError> {
        if self.next == self.held.len() {
            let count = self.rest.count.min(self.share);
            self.scratch.take(self.rest.first, count, &mut self.held)?;
            self.rest = Run { first: self.rest.first + count, count: self.rest.count - count };
            self.next = 0;
        }
        let digest = self.held.get(self.next).copied();
        self.next += usize::from(digest.is_some());
        Ok(digest)
    }
}
