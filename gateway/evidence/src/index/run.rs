//! A run: the sorted keys of a range of entries, in a file that is written once.
//!
//! Page 0 is the head. Then come the keys, the times of each bundle, the intents that no later entry
//! of the range closes, and the ids that are closed here and were opened before.

use std::{
    fs::{self, File},
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    IndexError,
    page::{self, PAGE, PAYLOAD, Seed},
};
use crate::{
    files::{self, At, FileError},
    hash::Hash,
    tile::WIDTH,
};

const MAGIC: &[u8; 8] = b"ltindex2";
/// Bytes of a key and where it stands, of the times of a bundle, of an open intent, of a closed one.
const KEY: usize = 12;
const TIMES: usize = 16;
const OPEN: usize = 24;
const CLOSED: usize = 16;
/// Most intents without an end that a run names; more are counted.
pub(super) const MOST_OPEN: usize = 1 << 20;

/// A key and the entry it is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) key: u64,
    pub(super) entry: u64,
}

/// What a run knows beside its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Beside {
    /// Earliest and latest time of each bundle.
    pub(super) times: Vec<(u64, u64)>,
    /// Intents without an end in the range: exchange, entry.
    pub(super) open: Vec<([u8; 16], u64)>,
    /// Exchanges that end in the range and begin before it.
    pub(super) closed: Vec<[u8; 16]>,
    /// Intents without an end that `open` had no room for.
    pub(super) more_open: u64,
}

/// The first page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) first: u64,
    pub(super) end: u64,
    /// Root of the tree of the first `end` entries.
    pub(super) root: Hash,
    pub(super) records: u64,
    open: u64,
    closed: u64,
    pub(super) more_open: u64,
    pub(super) min_ms: u64,
    pub(super) max_ms: u64,
}

impl Head {
    fn seed(&self) -> Seed {
        Seed { first: self.first, end: self.end }
    }

    pub(super) fn bundles(&self) -> u64 {
        (self.end - self.first) / WIDTH
    }

    fn key_pages(&self) -> u64 {
        pages(self.records, KEY)
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let numbers = [self.first, self.end, self.records, self.open, self.closed];
        let more = [self.more_open, self.min_ms, self.max_ms];
        numbers.iter().chain(&more).for_each(|n| out.extend_from_slice(&n.to_be_bytes()));
        out.extend_from_slice(self.root.as_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (numbers, root) = bytes.strip_prefix(MAGIC)?.split_at_checked(64)?;
        let mut numbers = numbers.chunks_exact(8).filter_map(number);
        let mut next = || numbers.next();
        let (first, end, records, open) = (next()?, next()?, next()?, next()?);
        let (closed, more_open, min_ms, max_ms) = (next()?, next()?, next()?, next()?);
        let root = Hash::from_slice(root.get(..Hash::LENGTH)?)?;
        let fits = first < end && first.is_multiple_of(WIDTH) && end.is_multiple_of(WIDTH);
        let head = Self { first, end, root, records, open, closed, more_open, min_ms, max_ms };
        fits.then_some(head)
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

/// Pages that so many records take.
fn pages(records: u64, width: usize) -> u64 {
    records.div_ceil((PAYLOAD / width) as u64)
}

/// Writes a run, its keys in order.
pub(super) struct Writer {
    out: BufWriter<File>,
    new: PathBuf,
    path: PathBuf,
    seed: Seed,
    page: Vec<u8>,
    count: u16,
    number: u64,
    records: u64,
}

impl Writer {
    /// Begins the run of a range. Until it is finished nobody sees it.
    pub(super) fn create(folder: &Path, first: u64, end: u64) -> Result<Self, FileError> {
        let path = folder.join(name(first, end));
        let new = path.with_extension("new");
        let mut out = BufWriter::with_capacity(1 << 18, File::create(&new).at(&new)?);
        out.write_all(&[0; PAGE]).at(&new)?;
        let page = Vec::with_capacity(PAGE);
        let seed = Seed { first, end };
        Ok(Self { out, new, path, seed, page, count: 0, number: 1, records: 0 })
    }

    /// Adds a key. An entry that has it twice counts once.
    pub(super) fn push(&mut self, record: Record) -> Result<(), FileError> {
        let mut bytes = [0; KEY];
        // A run is over fewer than 2^32 entries.
        let offset = (record.entry.saturating_sub(self.seed.first)) as u32;
        let both = record.key.to_be_bytes().into_iter().chain(offset.to_be_bytes());
        bytes.iter_mut().zip(both).for_each(|(to, from)| *to = from);
        self.records += 1;
        self.put(&bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        if self.page.len() + bytes.len() > PAYLOAD {
            self.turn()?;
        }
        self.page.extend_from_slice(bytes);
        self.count += 1;
        Ok(())
    }

    /// Writes the page that has been begun.
    fn turn(&mut self) -> Result<(), FileError> {
        if self.count > 0 {
            page::seal(&mut self.page, self.seed, self.number, self.count);
            self.out.write_all(&self.page).at(&self.new)?;
            self.page.clear();
            self.number += 1;
            self.count = 0;
        }
        Ok(())
    }

    /// Writes the rest, makes it durable, and gives it its name.
    pub(super) fn finish(mut self, root: Hash, beside: &Beside) -> Result<PathBuf, FileError> {
        self.turn()?;
        for (min, max) in &beside.times {
            let pair: Vec<u8> = [min.to_be_bytes(), max.to_be_bytes()].concat();
            self.put(&pair)?;
        }
        self.turn()?;
        for (id, entry) in &beside.open {
            self.put(&[id.as_slice(), &entry.to_be_bytes()].concat())?;
        }
        self.turn()?;
        beside.closed.iter().try_for_each(|id| self.put(id))?;
        self.turn()?;
        let head = Head {
            first: self.seed.first,
            end: self.seed.end,
            root,
            records: self.records,
            open: beside.open.len() as u64,
            closed: beside.closed.len() as u64,
            more_open: beside.more_open,
            min_ms: beside.times.iter().map(|(min, _)| *min).min().unwrap_or(u64::MAX),
            max_ms: beside.times.iter().map(|(_, max)| *max).max().unwrap_or(0),
        };
        let mut first = head.encode();
        page::seal(&mut first, self.seed, 0, PAYLOAD as u16);
        self.out.seek(SeekFrom::Start(0)).at(&self.new)?;
        self.out.write_all(&first).at(&self.new)?;
        self.out.flush().at(&self.new)?;
        self.out.get_ref().sync_data().at(&self.new)?;
        fs::rename(&self.new, &self.path).at(&self.path)?;
        files::sync_parent(&self.path)?;
        Ok(self.path)
    }
}

/// The name of the run of a range.
fn name(first: u64, end: u64) -> String {
    format!("{first:020}-{end:020}.run")
}

/// The range that a file's name says it is the run of.
pub(super) fn range(name: &str) -> Option<(u64, u64)> {
    let (first, end) = name.strip_suffix(".run")?.split_once('-')?;
    let (first, end) = (first.parse().ok()?, end.parse().ok()?);
    (name == self::name(first, end)).then_some((first, end))
}

/// A run that is there.
#[derive(Debug)]
pub(super) struct Run {
    file: File,
    pub(super) path: PathBuf,
    pub(super) head: Head,
}

impl Run {
    /// Opens a run. What is damaged is told as such.
    pub(super) fn open(path: &Path) -> Result<Self, IndexError> {
        let damaged = || IndexError::Damaged(path.to_owned());
        let file = File::open(path).at(path)?;
        let name = path.file_name().and_then(|name| name.to_str()).and_then(range);
        let (first, end) = name.ok_or_else(damaged)?;
        let mut bytes = vec![0; PAGE];
        file.read_exact_at(&mut bytes, 0).map_err(|_| damaged())?;
        let payload = page::open(&bytes, Seed { first, end }, 0, 1).ok_or_else(damaged)?;
        let head = Head::decode(payload).filter(|head| (head.first, head.end) == (first, end));
        let head = head.ok_or_else(damaged)?;
        let pages = [
            1,
            head.key_pages(),
            pages(head.bundles(), TIMES),
            pages(head.open, OPEN),
            pages(head.closed, CLOSED),
        ];
        let length = pages.iter().sum::<u64>().checked_mul(PAGE as u64);
        if length != Some(file.metadata().at(path)?.len()) {
            return Err(damaged());
        }
        Ok(Self { file, path: path.to_owned(), head })
    }

    fn damaged(&self) -> IndexError {
        IndexError::Damaged(self.path.clone())
    }

    /// The records of the page of this number.
    fn page<T>(
        &self,
        number: u64,
        width: usize,
        read: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<T>, IndexError> {
        let mut bytes = [0; PAGE];
        let read_at = self.file.read_exact_at(&mut bytes, number * PAGE as u64);
        read_at.map_err(|_| self.damaged())?;
        let records = page::open(&bytes, self.head.seed(), number, width);
        let records = records.ok_or_else(|| self.damaged())?;
        Ok(records.chunks_exact(width).filter_map(read).collect())
    }

    /// The records of `count` that stand from this page on, a page at a time.
    fn section<T>(
        &self,
        from: u64,
        count: u64,
        width: usize,
        read: impl Fn(&[u8]) -> Option<T> + Copy,
    ) -> impl Iterator<Item = Result<Vec<T>, IndexError>> {
        (from..from + pages(count, width)).map(move |number| self.page(number, width, read))
    }

    fn keys(&self, page: u64) -> Result<Vec<Record>, IndexError> {
        let first = self.head.first;
        let keys = self.page(page + 1, KEY, |bytes| {
            let (key, offset) = bytes.split_first_chunk::<8>()?;
            let entry = first.checked_add(u32::from_be_bytes(offset.try_into().ok()?).into())?;
            Some(Record { key: u64::from_be_bytes(*key), entry })
        })?;
        if keys.is_empty() { Err(self.damaged()) } else { Ok(keys) }
    }

    /// All keys in order, a page at a time.
    pub(super) fn all_keys(&self) -> impl Iterator<Item = Result<Vec<Record>, IndexError>> {
        (0..self.head.key_pages()).map(|page| self.keys(page))
    }

    /// The entries with this key, in order, until there are `most`. Whether there are more.
    pub(super) fn find(
        &self,
        key: u64,
        most: usize,
        found: &mut Vec<u64>,
    ) -> Result<bool, IndexError> {
        let mut page = self.first_page(key)?;
        while page < self.head.key_pages() {
            for record in self.keys(page)? {
                if record.key > key {
                    return Ok(false);
                }
                if record.key == key && found.last() != Some(&record.entry) {
                    if found.len() >= most {
                        return Ok(true);
                    }
                    found.push(record.entry);
                }
            }
            page += 1;
        }
        Ok(false)
    }

    /// The first page whose last key is not below this one. Keys are spread evenly, so a guess is
    /// close; after some guesses the rest is halved, so that no set of keys makes it slow.
    fn first_page(&self, key: u64) -> Result<u64, IndexError> {
        let (mut low, mut high) = (0, self.head.key_pages());
        let (mut low_key, mut high_key) = (0, u64::MAX);
        let mut guesses = 6;
        while low < high {
            let middle = if guesses > 0 {
                let span = u128::from(high_key.saturating_sub(low_key)).max(1);
                let into = u128::from(key.saturating_sub(low_key)) * u128::from(high - low) / span;
                (low + u64::try_from(into).unwrap_or(0)).min(high - 1)
            } else {
                low + (high - low) / 2
            };
            guesses -= i32::from(guesses > 0);
            let keys = self.keys(middle)?;
            let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
                return Err(self.damaged());
            };
            if last.key < key {
                (low, low_key) = (middle + 1, last.key);
            } else if first.key < key {
                return Ok(middle);
            } else {
                (high, high_key) = (middle, first.key);
            }
        }
        Ok(low)
    }

    /// What the run knows beside its keys.
    pub(super) fn beside(&self) -> Result<Beside, IndexError> {
        let times = self.times().collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Beside { times, ..self.exchanges()? })
    }

    /// The exchanges that begin or end in the range and not both.
    pub(super) fn exchanges(&self) -> Result<Beside, IndexError> {
        let Head { open, closed, more_open, .. } = self.head;
        let mut from = 1 + self.head.key_pages() + pages(self.head.bundles(), TIMES);
        let intents = self.section(from, open, OPEN, |bytes| {
            let (id, entry) = bytes.split_first_chunk::<16>()?;
            Some((*id, number(entry)?))
        });
        let intents = intents.collect::<Result<Vec<_>, _>>()?.concat();
        from += pages(open, OPEN);
        let ends = self.section(from, closed, CLOSED, |bytes| bytes.try_into().ok());
        let ends = ends.collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Beside { times: Vec::new(), open: intents, closed: ends, more_open })
    }

    /// Earliest and latest time of each bundle, a page at a time.
    pub(super) fn times(&self) -> impl Iterator<Item = Result<Vec<(u64, u64)>, IndexError>> {
        let from = 1 + self.head.key_pages();
        self.section(from, self.head.bundles(), TIMES, |bytes| {
            let (min, max) = bytes.split_at_checked(8)?;
            Some((number(min)?, number(max)?))
        })
    }
}
