//! Reads the keys, times and exchanges out of full bundles.

use std::{ops::Range, path::Path, thread};

use super::{Key, run::Record};
use crate::{
    entry::{Entry, ExchangeId},
    files::{self, TileError},
    sidecar::Sealed,
    tile::{self, Kind, Tile, WIDTH},
};

/// Most threads that read at a time.
const MOST_THREADS: usize = 4;

/// What happens to an exchange.
#[derive(Debug, Clone, Copy)]
pub(super) enum Event {
    /// Its intent, at this entry.
    Open([u8; 16], u64),
    /// Its end.
    Close([u8; 16]),
}

/// A sidecar that an outcome speaks of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sidecar {
    pub(super) entry: u64,
    pub(super) exchange: ExchangeId,
    pub(super) sealed: Sealed,
}

/// What was found in some bundles.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) records: Vec<Record>,
    /// Earliest and latest time of each bundle.
    pub(super) times: Vec<(u64, u64)>,
    pub(super) events: Vec<Event>,
    pub(super) sidecars: Vec<Sidecar>,
}

/// Scans these bundles of a log with all cores.
pub(super) fn scan(directory: &Path, bundles: Range<u64>) -> Result<Vec<Scan>, TileError> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS) as u64;
    let share = (bundles.end - bundles.start).div_ceil(threads).max(1);
    let step = usize::try_from(share).unwrap_or(usize::MAX);
    thread::scope(|scope| {
        let parts = bundles.clone().step_by(step).map(|from| {
            let part = from..(from + share).min(bundles.end);
            scope.spawn(move || part_of(directory, part))
        });
        let parts: Vec<_> = parts.collect();
        let missing = || TileError::Missing(Tile::full(Kind::Entries, bundles.start).path());
        parts.into_iter().map(|part| part.join().unwrap_or_else(|_| Err(missing()))).collect()
    })
}

fn part_of(directory: &Path, bundles: Range<u64>) -> Result<Scan, TileError> {
    let mut scan = Scan::default();
    for bundle in bundles {
        let (bytes, _) = files::read_tile(directory, &Tile::full(Kind::Entries, bundle))?;
        let (mut min, mut max) = (u64::MAX, 0);
        // What is no entry has no key; `verify` tells of it.
        for (index, bytes) in (bundle * WIDTH..).zip(tile::entries(&bytes)) {
            let Some(entry) = bytes.ok().and_then(|bytes| Entry::decode(bytes).ok()) else {
                continue;
            };
            let at_ms = entry.at_ms();
            (min, max) = (min.min(at_ms), max.max(at_ms));
            scan.take_in(index, &entry);
        }
        scan.times.push((min, max));
    }
    Ok(scan)
}

impl Scan {
    fn take_in(&mut self, index: u64, entry: &Entry<'_>) {
        Key::each_of(entry, |key| self.records.push(Record { key: key.0, entry: index }));
        match entry {
            Entry::Intent(intent) => {
                self.events.push(Event::Open(*intent.exchange.as_bytes(), index));
            }
            Entry::Outcome(outcome) => {
                let exchange = outcome.exchange;
                self.events.push(Event::Close(*exchange.as_bytes()));
                let sealed = Sealed::of(outcome);
                let sidecar = sealed.map(|sealed| Sidecar { entry: index, exchange, sealed });
                self.sidecars.extend(sidecar);
            }
            Entry::Interrupted(end) => self.events.push(Event::Close(*end.exchange.as_bytes())),
            _ => {}
        }
    }
}
