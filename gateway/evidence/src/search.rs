//! Finds exchanges in a log: by whom they are about, who made them, for which case, between whom, when.
//!
//! The index gives candidates, every one of which is read in the log and looked at as a whole: the
//! intent names the official, the outcome may name the data subject. What went without an outcome
//! may be about anybody, and is told too.

mod query;
mod unit;

use std::collections::HashSet;

pub use self::{query::Query, unit::Unit};
use crate::{
    entry::{Entry, ExchangeId, KeyedDigest},
    index::{Index, IndexError, Key},
    proof::ProveError,
    reader::Reader,
    tile,
};

/// Most entries of one key that are looked at.
const MOST_CANDIDATES: usize = 1 << 20;
/// Most entries of an exchange that are read.
const MOST_OF_EXCHANGE: usize = 1 << 16;

/// Told how many entries of how many have been looked at.
pub type Progress<'a> = dyn FnMut(u64, u64) + 'a;

/// Why nothing could be looked for.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The index cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ProveError),
}

/// Why an exchange may be about a data subject that none of its entries names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayHold {
    /// It was interrupted: everything that its intent allows counts as disclosed.
    Interrupted,
    /// It has no end yet.
    Open,
    /// Its sidecar, which names those the answer was about, cannot be read.
    Sidecar,
}

impl MayHold {
    /// In one word, for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interrupted => "interrupted",
            Self::Open => "open",
            Self::Sidecar => "sidecar_unreadable",
        }
    }
}

/// What a search came to.
#[derive(Debug, Clone, Default)]
pub struct Hits {
    /// Exchanges and single entries that are what was looked for, in the order of the log.
    pub found: Vec<Unit>,
    /// Exchanges that may be about the data subject.
    pub may_hold: Vec<(MayHold, Unit)>,
    /// Whether there is more of either than was asked for.
    pub more: bool,
    /// Exchanges without an end that are not even known one by one.
    pub unknown: u64,
    /// The place behind which the next page begins; none when there is none.
    pub next: Option<u64>,
}

/// Looks for exchanges.
///
/// # Errors
/// When index or log cannot be read.
pub fn search(
    reader: &mut Reader,
    index: &mut Index,
    query: &Query,
    progress: &mut Progress<'_>,
) -> Result<Hits, SearchError> {
    let (hits, before) = (Hits::default(), Vec::new());
    Search { reader, index, query, hits, seen: HashSet::new(), before }.run(progress)
}

struct Search<'a> {
    reader: &'a mut Reader,
    index: &'a mut Index,
    query: &'a Query,
    hits: Hits,
    seen: HashSet<ExchangeId>,
    /// Places that were looked at for the pages before, in order.
    before: Vec<u64>,
}

impl Search<'_> {
    fn run(mut self, progress: &mut Progress<'_>) -> Result<Hits, SearchError> {
        match self.query.keys() {
            Some(keys) => {
                let mut candidates = Vec::new();
                for key in keys {
                    candidates.extend(self.candidates(key)?);
                }
                candidates.sort_unstable();
                candidates.dedup();
                let after = self.query.after;
                let rest = candidates.partition_point(|place| after.is_some_and(|a| *place <= a));
                let left = candidates.split_off(rest);
                self.before = candidates;
                let total = left.len() as u64;
                let mut last = after;
                for (count, candidate) in (1..).zip(left) {
                    if self.is_full() {
                        self.hits.next = last;
                        break;
                    }
                    last = Some(candidate);
                    let entry = self.reader.entry(candidate)?;
                    self.look_at(candidate, &entry)?;
                    progress(count, total);
                }
            }
            None => self.look_through(progress)?,
        }
        // Those that may hold it are told with the first page.
        if !self.query.subject.is_empty() && self.query.after.is_none() {
            self.may_hold()?;
        }
        Ok(self.hits)
    }

    fn is_full(&mut self) -> bool {
        let full = self.hits.found.len() >= self.query.most;
        self.hits.more |= full;
        full
    }

    /// Entries with a key, those after the index with them. Some may have only a similar one.
    fn candidates(&mut self, key: Key) -> Result<Vec<u64>, SearchError> {
        let found = self.index.find(key, MOST_CANDIDATES)?;
        self.hits.more |= found.more;
        let mut entries = found.entries;
        for (place, bytes) in self.reader.tail() {
            let Ok(entry) = Entry::decode(bytes) else { continue };
            let mut has = false;
            Key::each_of(&entry, |other| has |= other == key);
            // What has a sidecar is looked at as a whole.
            has |= matches!(&entry, Entry::Outcome(outcome) if outcome.sidecar.is_some());
            if has {
                entries.push(place);
            }
        }
        Ok(entries)
    }

    /// Looks at every entry of the time that is asked for.
    fn look_through(&mut self, progress: &mut Progress<'_>) -> Result<(), SearchError> {
        let bundles = self.index.bundles(self.query.from_ms, self.query.until_ms)?;
        let total = bundles.len() as u64 * tile::WIDTH;
        for (count, bundle) in (1..).zip(bundles) {
            let bytes = self.reader.bundle(bundle)?.to_vec();
            let entries = tile::entries(&bytes).map_while(Result::ok);
            for (place, entry) in (bundle * tile::WIDTH..).zip(entries) {
                if self.is_full() {
                    return Ok(());
                }
                self.look_at(place, entry)?;
            }
            progress(count * tile::WIDTH, total);
        }
        let tail: Vec<(u64, Vec<u8>)> =
            self.reader.tail().map(|(place, entry)| (place, entry.to_vec())).collect();
        for (place, entry) in tail {
            if self.is_full() {
                return Ok(());
            }
            self.look_at(place, &entry)?;
        }
        Ok(())
    }

    /// Looks at an entry, with the exchange it is of.
    fn look_at(&mut self, place: u64, bytes: &[u8]) -> Result<(), SearchError> {
        let Ok(entry) = Entry::decode(bytes) else { return Ok(()) };
        if !self.query.hints(&entry) {
            return Ok(());
        }
        let unit = match entry.exchange() {
            Some(exchange) if !self.seen.insert(exchange) => return Ok(()),
            Some(exchange) => self.exchange(exchange)?,
            None => Unit::single(place, bytes),
        };
        // An exchange is told where its first entry with the key is.
        let told = unit.entries().iter().any(|(place, _)| self.before.binary_search(place).is_ok());
        if !told && self.query.wants(&unit, self.reader.directory()) {
            self.hits.found.push(unit);
        }
        Ok(())
    }

    /// All entries of an exchange.
    fn exchange(&mut self, exchange: ExchangeId) -> Result<Unit, SearchError> {
        let mut unit = Unit::default();
        for place in self.index.find(Key::id(exchange), MOST_OF_EXCHANGE)?.entries {
            let bytes = self.reader.entry(place)?;
            unit.add(exchange, place, &bytes);
        }
        for (place, bytes) in self.reader.tail() {
            unit.add(exchange, place, bytes);
        }
        Ok(unit)
    }

    /// Exchanges that may be about the data subject although no entry says so.
    fn may_hold(&mut self) -> Result<(), SearchError> {
        let mut places = self.candidates(Key::INTERRUPTED)?;
        places.extend(self.candidates(Key::NO_SIDECAR)?);
        let (open, unknown) = self.index.open_intents()?;
        self.hits.unknown = unknown;
        places.extend(open);
        // Of those after the index it is not known yet whether they ended.
        places.extend(self.reader.tail().map(|(place, _)| place));
        places.sort_unstable();
        places.dedup();
        let mut seen = HashSet::new();
        for place in places {
            let bytes = self.reader.entry(place)?;
            let exchange = Entry::decode(&bytes).ok().and_then(|entry| entry.exchange());
            let Some(exchange) = exchange.filter(|exchange| seen.insert(*exchange)) else {
                continue;
            };
            let unit = self.exchange(exchange)?;
            let Some(why) = unit.may_hold(self.reader.directory()) else { continue };
            let found = self.hits.found.iter().any(|found| found.exchange() == Some(exchange));
            if found || !self.query.wants_but_subject(&unit) {
                continue;
            }
            if self.hits.may_hold.len() >= self.query.most {
                self.hits.more = true;
                break;
            }
            self.hits.may_hold.push((why, unit));
        }
        Ok(())
    }
}

/// Whether one of these digests is the other.
fn one_of(digests: &[KeyedDigest], other: KeyedDigest) -> bool {
    digests.contains(&other)
}
