//! What the digests of a million data subjects cost: making them, keeping them, finding one.
//!
//! Run by hand on a quiet machine: `cargo bench -p lienthong-evidence --bench sidecar`. Prints the
//! best of some rounds, in time on the core where it says so.
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program for people to run")]

use std::{hint::black_box, time::Duration, time::Instant};

use lienthong_evidence::{
    entry::{DigestKey, Domain, ExchangeId, FieldCommitments, KeyedDigest, Period},
    sidecar::{self, Sidecar, SidecarWriter},
};
use lienthong_model::sensitive::Sensitive;

const MILLION: u64 = 1_000_000;
const ROUNDS: usize = 5;

fn key() -> DigestKey {
    DigestKey::new(Period::new("2026-q4").expect("a period"), &Sensitive::new([3; 32]))
}

fn exchange() -> ExchangeId {
    ExchangeId::parse("018f3c5e-8d2a-4c1b-9e77-0123456789ab").expect("an id")
}

/// How long this thread has run on a core.
fn on_core() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells it");
    let nanoseconds = told.split_whitespace().next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.expect("a number"))
}

fn best(mut act: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = on_core();
        act();
        on_core().saturating_sub(start)
    });
    rounds.min().unwrap_or_default()
}

fn line(what: &str, time: Duration) {
    println!("{what:<58} {:>9.1} ms", time.as_secs_f64() * 1e3);
}

fn main() {
    let key = key();
    let number = |n: u64| format!("{:012}", 79_000_000_000 + n);
    let digest = |n: u64| key.digest(Domain::DataSubject("citizen_number"), &number(n));
    line(
        "a million digests of identifiers, on the core",
        best(|| {
            (0..MILLION).for_each(|n| _ = black_box(digest(n)));
        }),
    );
    let digests: Vec<KeyedDigest> = (0..MILLION).map(digest).collect();
    let directory = tempfile::TempDir::new().expect("a directory");
    let mut add = Vec::new();
    let mut finish = Vec::new();
    for _ in 0..ROUNDS {
        let mut writer = SidecarWriter::begin(directory.path(), exchange());
        let (start, clock) = (on_core(), Instant::now());
        digests.iter().for_each(|digest| writer.add(*digest).expect("room"));
        add.push((on_core().saturating_sub(start), clock.elapsed()));
        let (start, clock) = (on_core(), Instant::now());
        writer.finish().expect("sealed");
        finish.push((on_core().saturating_sub(start), clock.elapsed()));
    }
    let least = |times: &[(Duration, Duration)]| times.iter().min().copied().unwrap_or_default();
    line("adding a million, on the core", least(&add).0);
    line("finishing it, on the core", least(&finish).0);
    line("finishing it, by the clock, synced", least(&finish).1);
    let sidecar = Sidecar::open(&sidecar::path(directory.path(), exchange())).expect("a sidecar");
    println!("{:<58} {:>9} bytes", "a million on disk", 16 * sidecar.size());
    let mut writer = SidecarWriter::begin(directory.path(), exchange());
    digests.iter().for_each(|digest| writer.add(*digest).expect("room"));
    let sealed = writer.finish().expect("sealed").expect("a sidecar");
    line("checking it against its outcome", best(|| sidecar.check(sealed).expect("the same")));
    let sought = digests.get(500_000).copied().expect("one");
    line("finding one", best(|| assert!(sidecar.contains(sought).expect("readable"))));
    line("proving one", best(|| assert!(sidecar.prove(sought).expect("readable").is_some())));
    fields(&key);
}

/// Commitments to the twenty values of an answer of a kilobyte.
fn fields(key: &DigestKey) {
    let answers = 10_000;
    let time = best(|| {
        for _ in 0..answers {
            let mut fields = FieldCommitments::new();
            for number in 0..20 {
                fields.add(
                    key,
                    exchange(),
                    &format!("/HoSo/GiaTri{number}"),
                    b"\"Tran Phu 12, 25747\"",
                );
            }
            black_box(fields.fields());
        }
    });
    let micros = time.as_secs_f64() * 1e6 / f64::from(answers) / 20.0;
    println!("{:<58} {micros:>9.2} µs", "committing to one value");
}
