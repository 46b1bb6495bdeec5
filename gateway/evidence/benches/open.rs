//! How long opening takes, for logs of the sizes given: it should not depend on them. Run by hand:
//! `cargo bench -p lienthong-evidence --bench open -- 1000000 20000000`; the logs are made below the
//! directory of temporary files, or `LIENTHONG_BENCH_DIR`, of about 150 bytes an entry.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark speaks and stops")]

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lienthong_evidence::{
    log::{AppendError, Closing, Log, Opened, Queued, Settings},
    note::Signer,
};
use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

fn settings(directory: &Path) -> Settings {
    let signer = Signer::from_seed("bench.example", Sensitive::new([1; 32])).expect("a key");
    let closing = Closing::of_node("node-1", || (1_795_301_705_123, None)).expect("a name");
    // Checkpoints are not what is measured.
    let checkpoint_every = Duration::from_secs(60);
    Settings { checkpoint_every, ..Settings::new(directory.to_owned(), signer, closing) }
}

/// Intent and outcome of an exchange, as short as what follows them allows.
fn entry(number: u64) -> Vec<u8> {
    let (exchange, sequence) = (number / 2, number % 2);
    let kind = if sequence == 0 { "intent" } else { "outcome" };
    format!(
        "{{\"exchange\":\"018f3c5e-8d2a-4c1b-9e77-{exchange:012x}\",\"kind\":\"{kind}\",\
         \"sequence\":{sequence}}}"
    )
    .into_bytes()
}

/// A log of this many entries, the last exchange without an end.
fn log(size: u64) -> TempDir {
    let directory = match std::env::var_os("LIENTHONG_BENCH_DIR") {
        Some(parent) => TempDir::new_in(PathBuf::from(parent)),
        None => TempDir::new(),
    }
    .expect("a directory");
    let log = Log::open(settings(directory.path())).expect("a log").0;
    let mut last: Option<Queued> = None;
    for number in 0..size | 1 {
        let entry = entry(number);
        loop {
            match log.append(&entry) {
                Ok(queued) => break last = Some(queued),
                Err(AppendError::Full) => drop(last.take().map(Queued::wait)),
                Err(error) => {
                    println!("the log gave up: {error}");
                    std::process::exit(1);
                }
            }
        }
    }
    directory
}

/// By the clock and by the time this thread had a core.
fn timed<T>(what: impl FnOnce() -> T) -> (T, Duration, Duration) {
    let (start, on_core) = (Instant::now(), time_on_core());
    let done = what();
    (done, start.elapsed(), time_on_core().saturating_sub(on_core))
}

fn time_on_core() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds = told.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

fn open(directory: &Path) -> Opened {
    Log::open(settings(directory)).expect("a log").1
}

fn main() {
    let sizes: Vec<u64> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    for size in if sizes.is_empty() { vec![100_000, 1_000_000] } else { sizes } {
        let directory = log(size);
        let (opened, clock, core) = timed(|| open(directory.path()));
        let (size, interrupted) = (opened.size, opened.interrupted.len());
        println!("{size:>10} entries: opened in {clock:>8.0?}, {core:>8.0?} on the core");
        println!("           {interrupted} closed, {} read to find them", opened.search.read);
        std::fs::remove_file(directory.path().join("open")).expect("the file");
        let (opened, clock, core) = timed(|| open(directory.path()));
        let read = opened.search.read;
        println!(
            "           without `open` in {clock:>8.0?}, {core:>8.0?} on the core, {read} read"
        );
    }
}
