//! Makes runs: from entries, and from smaller runs.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap},
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    IndexError, Key, Progress,
    run::{Beside, MOST_OPEN, Record, Run, Writer},
    scan::{self, Event, Scan},
};
use crate::{
    files::{At, Tiles},
    hash::Hash,
    sidecar::{self, Sidecar},
    tile::WIDTH,
    tree,
};

/// Keys that are sorted in memory at a time, 16 bytes each.
const MOST_KEYS: usize = 4 << 20;
/// Bundles that are read at a time.
const BUNDLES: u64 = 512;

/// How an index is made from a log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Builder<'a> {
    /// Of the log.
    pub(super) directory: &'a Path,
    /// Of the runs.
    pub(super) folder: &'a Path,
    /// Entries under the checkpoint.
    pub(super) size: u64,
    /// Keys in memory.
    pub(super) most_keys: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(directory: &'a Path, folder: &'a Path, size: u64) -> Self {
        Self { directory, folder, size, most_keys: MOST_KEYS }
    }

    /// Root of the tree of the first `end` entries, as the log's tiles have it.
    pub(super) fn root(&self, end: u64) -> Result<Hash, IndexError> {
        Ok(tree::root(end, &mut Tiles::new(self.directory, self.size))?)
    }

    /// Makes the runs of a range of full bundles.
    pub(super) fn build(
        &self,
        range: Range<u64>,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<PathBuf>, IndexError> {
        let mut made = Vec::new();
        let mut under_way = UnderWay::new(*self, range.start);
        let mut bundle = range.start / WIDTH;
        while bundle < range.end / WIDTH {
            let next = (bundle + BUNDLES).min(range.end / WIDTH);
            for scan in scan::scan(self.directory, bundle..next)? {
                under_way.take_in(scan)?;
            }
            bundle = next;
            progress(bundle * WIDTH);
            if under_way.is_full() {
                made.push(under_way.finish(bundle * WIDTH)?);
                under_way = UnderWay::new(*self, bundle * WIDTH);
            }
        }
        if under_way.first < range.end {
            made.push(under_way.finish(range.end)?);
        }
        Ok(made)
    }

    /// Makes one run of neighbouring ones, which are then removed.
    pub(super) fn merge(&self, runs: &[Run]) -> Result<PathBuf, IndexError> {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return Err(IndexError::Damaged(self.folder.to_owned()));
        };
        let mut beside = Beside::default();
        for run in runs {
            beside = follow(beside, run.beside()?);
        }
        let mut writer = Writer::create(self.folder, first.head.first, last.head.end)?;
        merge(runs, Vec::new(), &mut writer)?;
        let made = writer.finish(last.head.root, &beside)?;
        for run in runs {
            fs::remove_file(&run.path).at(&run.path)?;
        }
        Ok(made)
    }
}

/// A run that is being made from entries.
struct UnderWay<'a> {
    builder: Builder<'a>,
    first: u64,
    keys: Vec<Record>,
    /// Sorted keys that memory had no room for.
    parts: Vec<Run>,
    times: Vec<(u64, u64)>,
    open: HashMap<[u8; 16], u64>,
    more_open: u64,
    closed: Vec<[u8; 16]>,
}

impl<'a> UnderWay<'a> {
    fn new(builder: Builder<'a>, first: u64) -> Self {
        Self {
            builder,
            first,
            keys: Vec::new(),
            parts: Vec::new(),
            times: Vec::new(),
            open: HashMap::new(),
            more_open: 0,
            closed: Vec::new(),
        }
    }

    fn is_full(&self) -> bool {
        !self.parts.is_empty() || self.keys.len() >= self.builder.most_keys
    }

    fn take_in(&mut self, scan: Scan) -> Result<(), IndexError> {
        self.keys.extend(scan.records);
        self.times.extend(scan.times);
        for event in scan.events {
            match event {
                Event::Open(id, entry) if self.open.len() < MOST_OPEN => {
                    self.open.insert(id, entry);
                }
                Event::Open(..) => self.more_open += 1,
                Event::Close(id) if self.open.remove(&id).is_none() => self.closed.push(id),
                Event::Close(_) => {}
            }
        }
        for sidecar in scan.sidecars {
            if !self.take_in_sidecar(&sidecar)? {
                let key = Key::NO_SIDECAR.0;
                self.keys.push(Record { key, entry: sidecar.entry });
            }
        }
        Ok(())
    }

    /// Adds the keys of a sidecar; false when it is not there or not what the outcome says.
    fn take_in_sidecar(&mut self, named: &scan::Sidecar) -> Result<bool, IndexError> {
        let Ok(sidecar) = Sidecar::open(&sidecar::path(self.builder.directory, named.exchange))
        else {
            return Ok(false);
        };
        if sidecar.check(named.sealed).is_err() {
            return Ok(false);
        }
        for digest in sidecar.iter() {
            let Ok(digest) = digest else { return Ok(false) };
            self.keys.push(Record { key: Key::digest(digest).0, entry: named.entry });
            if self.keys.len() >= self.builder.most_keys.saturating_mul(2) {
                self.spill()?;
            }
        }
        Ok(true)
    }

    /// Puts the sorted keys into a file of their own.
    fn spill(&mut self) -> Result<(), IndexError> {
        let folder = self.builder.folder.join("parts");
        crate::files::folder(&folder)?;
        let first = self.first;
        // The name of a part only has to be one of its own.
        let end = first + (1 + self.parts.len() as u64) * WIDTH;
        let mut writer = Writer::create(&folder, first, end)?;
        self.keys.sort_unstable();
        self.keys.drain(..).try_for_each(|key| writer.push(key))?;
        let times = vec![(0, 0); 1 + self.parts.len()];
        let path = writer.finish(Hash::of_nothing(), &Beside { times, ..Beside::default() })?;
        self.parts.push(Run::open(&path)?);
        Ok(())
    }

    fn finish(mut self, end: u64) -> Result<PathBuf, IndexError> {
        let root = self.builder.root(end)?;
        self.keys.sort_unstable();
        let mut open: Vec<_> = self.open.into_iter().collect();
        open.sort_unstable_by_key(|(_, entry)| *entry);
        let (times, closed, more_open) = (self.times, self.closed, self.more_open);
        let beside = Beside { times, open, closed, more_open };
        let mut writer = Writer::create(self.builder.folder, self.first, end)?;
        merge(&self.parts, self.keys, &mut writer)?;
        let made = writer.finish(root, &beside)?;
        for part in &self.parts {
            fs::remove_file(&part.path).at(&part.path)?;
        }
        Ok(made)
    }
}

/// What two neighbouring ranges know together.
pub(super) fn follow(before: Beside, after: Beside) -> Beside {
    let Beside { mut times, open, mut closed, mut more_open } = before;
    let mut open: BTreeMap<[u8; 16], u64> = open.into_iter().collect();
    for id in after.closed {
        if open.remove(&id).is_none() {
            // It may close one of those that are only counted.
            closed.push(id);
        }
    }
    for (id, entry) in after.open {
        if open.len() < MOST_OPEN {
            open.insert(id, entry);
        } else {
            more_open += 1;
        }
    }
    let mut open: Vec<_> = open.into_iter().collect();
    open.sort_unstable_by_key(|(_, entry)| *entry);
    times.extend(after.times);
    Beside { times, open, closed, more_open: more_open + after.more_open }
}

/// Writes the keys of all in one order.
fn merge(runs: &[Run], keys: Vec<Record>, writer: &mut Writer) -> Result<(), IndexError> {
    if runs.is_empty() {
        return Ok(keys.into_iter().try_for_each(|key| writer.push(key))?);
    }
    let mut sources: Vec<Source<'_>> = runs.iter().map(Source::of).collect();
    sources.push(Source { pages: Box::new(std::iter::empty()), page: keys.into_iter() });
    let mut next = BinaryHeap::new();
    for (place, source) in sources.iter_mut().enumerate() {
        next.extend(source.next()?.map(|key| Reverse((key, place))));
    }
    while let Some(Reverse((key, place))) = next.pop() {
        writer.push(key)?;
        if let Some(source) = sources.get_mut(place) {
            next.extend(source.next()?.map(|key| Reverse((key, place))));
        }
    }
    Ok(())
}

/// Sorted keys, a page at a time.
struct Source<'a> {
    pages: Box<dyn Iterator<Item = Result<Vec<Record>, IndexError>> + 'a>,
    page: std::vec::IntoIter<Record>,
}

impl<'a> Source<'a> {
    fn of(run: &'a Run) -> Self {
        Self { pages: Box::new(run.all_keys()), page: Vec::new().into_iter() }
    }

    fn next(&mut self) -> Result<Option<Record>, IndexError> {
        loop {
            if let Some(key) = self.page.next() {
                return Ok(Some(key));
            }
            match self.pages.next() {
                Some(page) => self.page = page?.into_iter(),
                None => return Ok(None),
            }
        }
    }
}
