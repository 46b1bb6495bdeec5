//! How fast a log is indexed, and how long a search for a data subject takes. Run by hand:
//! `cargo bench -p lienthong-evidence --bench search`. `LIENTHONG_BENCH_ENTRIES` is how many entries
//! the log has, by default a million; its directory is that of temporary files, or
//! `LIENTHONG_BENCH_DIR`.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark speaks and stops")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lienthong_evidence::{
    archive::archive,
    entry::{DigestKey, Domain, Entry, ExchangeId, KeyedDigest, Period, Role, Subject},
    index::Index,
    log::{Closing, Log, Queued, Settings},
    note::Signer,
    reader::Reader,
    search::{Query, search},
};
use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;
use uuid::Uuid;

const GOLDEN: &str = include_str!("../tests/evidence/entries.jsonl");
const SEARCHES: u64 = 500;
/// Milliseconds between two exchanges: a million entries are about eight minutes.
const BEGIN: u64 = 1_795_301_705_123;

fn signer() -> Signer {
    Signer::from_seed("bench.example", Sensitive::new([1; 32])).expect("a key")
}

fn directory() -> TempDir {
    match std::env::var_os("LIENTHONG_BENCH_DIR") {
        Some(parent) => TempDir::new_in(PathBuf::from(parent)),
        None => TempDir::new(),
    }
    .expect("a directory")
}

fn key() -> DigestKey {
    DigestKey::new(Period::new("2026-q4").expect("a period"), &Sensitive::new([3; 32]))
}

/// One of as many people as there are exchanges divided by four.
fn person(key: &DigestKey, number: u64, people: u64) -> KeyedDigest {
    let identifier = format!("{:012}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % people.max(1));
    key.digest(Domain::DataSubject("citizen_number"), &identifier)
}

/// An id as the gateway makes them: time in front, the rest at random.
fn exchange(number: u64) -> ExchangeId {
    let random = u128::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    let id = (u128::from(BEGIN + number) << 80) | (random >> 48);
    Uuid::from_u128(id & !(0xf << 76) & !(0xc << 60) | (7 << 76) | (8 << 60)).into()
}

/// A log of intents and outcomes, 750 bytes on average.
fn fill(directory: &Path, count: u64) -> Duration {
    let closing = Closing::of_node("node-1", || (BEGIN, None)).expect("a name");
    let settings = Settings::new(directory.to_owned(), signer(), closing);
    let log = Log::open(settings).expect("a log").0;
    let line = |number| GOLDEN.lines().nth(number).expect("a golden entry").as_bytes();
    let (Ok(Entry::Intent(mut intent)), Ok(Entry::Outcome(mut outcome))) =
        (Entry::decode(line(0)), Entry::decode(line(12)))
    else {
        return Duration::ZERO;
    };
    let key = key();
    let start = Instant::now();
    let mut last: Option<Queued> = None;
    for number in 0..count / 2 {
        intent.exchange = exchange(number);
        intent.at_ms = BEGIN + number;
        intent.subjects =
            vec![Subject { digest: person(&key, number, count / 8), role: Role::Owner }];
        intent.officer = Some(key.digest(Domain::Officer, &format!("officer {}", number % 5000)));
        intent.dossier = Some(key.digest(Domain::Dossier, &format!("case {number}")));
        intent.correlation = Some(key.digest(Domain::Correlation, &format!("message {number}")));
        (outcome.exchange, outcome.at_ms) = (exchange(number), BEGIN + number + 5);
        for entry in [Entry::Intent(intent.clone()), Entry::Outcome(outcome.clone())] {
            let bytes = entry.encode();
            last = loop {
                match log.append(&bytes) {
                    Ok(queued) => break Some(queued),
                    Err(_) => drop(last.take().map(Queued::wait)),
                }
            };
        }
    }
    drop(log);
    start.elapsed()
}

fn size_of(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("a folder");
    files.map(|file| file.and_then(|f| f.metadata()).map_or(0, |data| data.len())).sum()
}

/// How long the process has had a core, all threads together: on a machine that is shared, the clock
/// says more.
fn on_cores() -> f64 {
    let told = fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    let fields = told.rsplit(") ").next().unwrap_or_default().split(' ');
    let ticks = fields.skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn open(directory: &Path) -> (Reader, Index, Duration) {
    let reader = Reader::open(directory, signer().verifier()).expect("a log");
    let start = Instant::now();
    let index = Index::open(&reader, None, &mut |_| {}).expect("an index");
    (reader, index, start.elapsed())
}

fn searches(directory: &Path, count: u64) {
    let key = key();
    let mut times = Vec::new();
    let mut hits = 0;
    let before = on_cores();
    for number in 0..SEARCHES {
        let subject = vec![person(&key, number * 7919, count / 8)];
        // As the command does it: everything is opened for each search.
        let start = Instant::now();
        let (mut reader, mut index, _) = open(directory);
        let query = Query { subject, ..Query::default() };
        let found = search(&mut reader, &mut index, &query, &mut |_, _| {}).expect("a search");
        times.push(start.elapsed());
        hits += found.found.len();
    }
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 1000).copied().unwrap_or_default();
    println!(
        "{SEARCHES} searches for a data subject, {hits} exchanges: median {:?}, 99 % {:?}, longest {:?}; \
         {:.2} ms on cores each",
        at(500),
        at(990),
        at(999),
        (on_cores() - before) * 1000.0 / SEARCHES as f64
    );
}

fn main() {
    let count = std::env::var("LIENTHONG_BENCH_ENTRIES").ok().and_then(|n| n.parse().ok());
    let count: u64 = count.unwrap_or(1_000_000);
    let directory = directory();
    println!("log of {count} entries written in {:?}", fill(directory.path(), count));
    let before = on_cores();
    let (reader, index, took) = open(directory.path());
    println!(
        "indexed {} entries in {took:?}: {:.0} entries/s, {:.0} by time on cores; {} files, {} bytes an entry",
        reader.full(),
        reader.full() as f64 / took.as_secs_f64(),
        reader.full() as f64 / (on_cores() - before),
        index.runs(),
        size_of(&directory.path().join("index")) / reader.full().max(1),
    );
    drop((reader, index));
    searches(directory.path(), count);
    let (reader, mut index, _) = open(directory.path());
    // A part is enough to tell how fast it is and how small it gets.
    let before_ms = BEGIN + count / 20;
    let start = Instant::now();
    let done = archive(&reader, &mut index, before_ms, &mut |_, _| {}).expect("archived");
    let rate = done.bundles as f64 * 256.0 / start.elapsed().as_secs_f64();
    println!(
        "archived {} bundles, {rate:.0} entries/s, {} bytes to {}",
        done.bundles, done.plain, done.packed
    );
    drop((reader, index));
    searches(directory.path(), count);
}
