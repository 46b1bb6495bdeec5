//! Durable appends a second with 1, 100 and 1,000 entries under way, and verified entries a second on
//! one core. Run by hand: `cargo bench -p lienthong-evidence`; the directory of the logs is
//! that of temporary files, or `LIENTHONG_BENCH_DIR`.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark speaks and stops")]

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lienthong_evidence::{
    entry::{Entry, ExchangeId, Format, Interrupted, IsInterrupted, Name, PresumedDisclosed},
    log::{AppendError, Closing, Log, Queued, Settings},
    note::{Signer, Verifier},
    verify::verify,
};
use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

/// Bytes of an entry where the log alone is measured.
const BYTES: usize = 500;
/// How long each round appends.
const ROUND: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;

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

fn open(directory: &Path) -> Log {
    let closing = Closing::of_node("node-1", || (1_795_301_705_123, None)).expect("a name");
    Log::open(Settings::new(directory.to_owned(), signer(), closing)).expect("a log").0
}

/// Appends with this many under way; entries a second.
fn appends(under_way: usize) -> f64 {
    let directory = directory();
    let log = open(directory.path());
    let entry = vec![b'x'; BYTES];
    let mut waiting: VecDeque<Queued> = VecDeque::with_capacity(under_way);
    let start = Instant::now();
    let mut done = 0_u32;
    while start.elapsed() < ROUND {
        while waiting.len() < under_way {
            match log.append(&entry) {
                Ok(queued) => waiting.push_back(queued),
                Err(AppendError::Full) => break,
                Err(error) => unreachable_log(error),
            }
        }
        if let Some(queued) = waiting.pop_front() {
            queued.wait().map_or_else(unreachable_log, |_| done += 1);
        }
    }
    f64::from(done) / start.elapsed().as_secs_f64()
}

fn unreachable_log(error: AppendError) {
    println!("the log gave up: {error}");
    std::process::exit(1);
}

/// A log of entries of the real form, 500 bytes on average or less; its directory.
fn real(count: u64) -> (TempDir, usize) {
    let directory = directory();
    let log = open(directory.path());
    let mut bytes = 0;
    let mut last = None;
    for number in 0..count / 2 {
        let entries = ENTRIES.with(number);
        for entry in entries {
            bytes += entry.len();
            loop {
                match log.append(&entry) {
                    Ok(queued) => break last = Some(queued),
                    Err(_) => drop(last.take().map(Queued::wait)),
                }
            }
        }
    }
    drop(log);
    (directory, bytes / usize::try_from(count).unwrap_or(1))
}

/// Intent and outcome, as the golden entries have them, of any exchange.
struct Pair {
    intent: &'static str,
    outcome: &'static str,
}

const GOLDEN: &str = include_str!("../tests/evidence/entries.jsonl");
const ID: &str = "\"exchange\":\"018f3c5e-8d2a-4c1b-9e77-0123456789ab\"";

static ENTRIES: std::sync::LazyLock<Pair> = std::sync::LazyLock::new(|| {
    let line = |number| GOLDEN.lines().nth(number).expect("a golden entry");
    Pair { intent: line(10), outcome: line(12) }
});

impl Pair {
    fn with(&self, number: u64) -> [Vec<u8>; 2] {
        let id = format!("\"exchange\":\"018f3c5e-8d2a-4c1b-9e77-{number:012x}\"");
        [self.intent, self.outcome].map(|line| line.replacen(ID, &id, 1).into_bytes())
    }
}

/// Verified entries a second by the clock, and by the time this thread had a core.
fn verifies(directory: &Path, verifier: &Verifier, count: u32) -> (f64, f64) {
    let (start, on_core) = (Instant::now(), time_on_core());
    let report = verify(directory, verifier, &[]).expect("readable");
    assert!(report.is_good(), "{:?}", report.findings.first());
    let (elapsed, on_core) = (start.elapsed(), time_on_core().saturating_sub(on_core));
    (f64::from(count) / elapsed.as_secs_f64(), f64::from(count) / on_core.as_secs_f64())
}

/// How long this thread has run on a core: on a machine that is shared, less than the clock says.
fn time_on_core() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds = told.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

fn line(what: &str, mut rounds: Vec<f64>) {
    rounds.sort_by(f64::total_cmp);
    let (least, best) = (rounds.first(), rounds.last());
    let (least, best) = (least.copied().unwrap_or(0.0), best.copied().unwrap_or(0.0));
    let median = rounds.get(rounds.len() / 2).copied().unwrap_or(0.0);
    println!("{what:<44} best {best:>10.0}  median {median:>10.0}  least {least:>10.0}");
}

fn codec() {
    let entry = Entry::Interrupted(Interrupted {
        at_ms: 1_795_301_705_123,
        clock_offset_ms: None,
        exchange: ExchangeId::parse("018f3c5e-8d2a-4c1b-9e77-0123456789ab").expect("an id"),
        format: Format,
        kind: IsInterrupted,
        node: Name::of_node("node-1").expect("a name"),
        presumed: PresumedDisclosed,
        sequence: 1,
    });
    let many = 200_000;
    let written = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        (0..many).for_each(|_| drop(std::hint::black_box(entry.encode())));
        f64::from(many) / start.elapsed().as_secs_f64()
    });
    line("entries encoded/s (a short one)", written.collect());
    let [intent, _] = ENTRIES.with(1);
    let read = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        for _ in 0..many {
            assert!(std::hint::black_box(Entry::decode(&intent)).is_ok());
        }
        f64::from(many) / start.elapsed().as_secs_f64()
    });
    line("intents decoded/s", read.collect());
}

fn main() {
    codec();
    for under_way in [1, 100, 1000] {
        let rounds = (0..ROUNDS).map(|_| appends(under_way)).collect();
        line(&format!("durable appends/s, {BYTES} bytes, {under_way} under way"), rounds);
    }
    let count = 400_000;
    let (directory, bytes) = real(u64::from(count));
    let signer = signer();
    // As an auditor's copy has it: the journal holds the last entries once more.
    let (journal, away) = (directory.path().join("journal"), directory.path().join("away"));
    std::fs::rename(&journal, &away).expect("moved");
    let rounds = (0..ROUNDS).map(|_| verifies(directory.path(), signer.verifier(), count));
    let (by_clock, on_core) = rounds.unzip();
    line(&format!("entries verified/s, {bytes} bytes each"), by_clock);
    line("the same by time on the core", on_core);
    std::fs::rename(&away, &journal).expect("moved back");
    let start = Instant::now();
    let log = open(directory.path());
    println!("opened {} entries in {:?}", log.status().size, start.elapsed());
}
