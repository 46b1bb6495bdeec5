//! What it costs to ask whether somebody has consented, and how long a start takes.
//!
//! Run by hand on a quiet machine: `cargo bench -p lienthong-consent --bench registry -- 10000000`
//! fills an index with that many consents, one for each person, and prints the memory of the process,
//! the time of a question with the digest of the person, and the times of writing the snapshot and of
//! being ready from it. The snapshot is made in the directory of temporary files, or
//! `LIENTHONG_BENCH_DIR`. The store is an empty one: reading newer events is not measured.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark speaks and stops")]

use std::{
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use jiff::{Timestamp, civil::date};
use lienthong_consent::{
    fields::Fields,
    index::{Index, Standing},
    keys::SubjectKey,
    progress::Progress,
    record::{ConsentId, ConsentRecord},
    scope::{Asked, Scope},
    snapshot::{self, Header},
};
use lienthong_model::{clock::civil_zone, sensitive::Sensitive};
use serde_json::json;
use tempfile::TempDir;

const QUESTIONS: u64 = 200_000;
/// As many as a city might have agreements on consent.
const SCOPES: u64 = 200;

fn directory() -> TempDir {
    match std::env::var_os("LIENTHONG_BENCH_DIR") {
        Some(parent) => TempDir::new_in(PathBuf::from(parent)),
        None => TempDir::new(),
    }
    .expect("a directory")
}

fn key() -> SubjectKey {
    SubjectKey::new(&Sensitive::new([7; 32]))
}

fn now() -> Timestamp {
    let noon = date(2026, 11, 30).at(12, 0, 0, 0).to_zoned(civil_zone());
    noon.expect("a time").timestamp()
}

/// The number of a person, the people in no order.
fn number(n: u64) -> String {
    format!("{:012}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000_000)
}

fn scope(n: u64) -> Scope {
    let id = |text: String| text.parse().expect("an id");
    let recipients = (0..1 + n % 3).map(|m| id(format!("H29.{}.{m:02}", 10 + n % 80)));
    let service = format!("service-{}", n % SCOPES).parse().expect("an id");
    let purpose = "health_care".parse().expect("an id");
    Scope::new(id("H29.12".to_owned()), recipients, service, purpose)
}

fn fields(n: u64) -> Fields {
    let names = (0..5 + n % 20).map(|m| format!("getRecord/200/field{m}"));
    Fields::new(names.map(|name| name.parse().expect("a field")))
}

/// A record to change into others.
fn template() -> ConsentRecord {
    let record = json!({
        "form": 1,
        "id": "019ad3f0-5b1a-7c3e-9d27-0a6b8e4f1c55",
        "subject": "00".repeat(16),
        "scope": scope(0),
        "fields": fields(0),
        "said": {
            "data_subject": "",
            "notice": {"id": "notice", "hash": "00".repeat(32), "language": "vi"},
            "given": {"channel": "paper"},
            "collector": "desk-1",
            "account_level_met": false,
            "child": false,
            "child_agreed": false,
            "period": {"from": "2026-01-01", "until": "2026-12-31"},
            "frequency": "as_needed",
            "retention_days": 30,
            "statement": "00".repeat(32),
        },
        "state": "given",
        "begun_at": "2026-01-01T00:00:00Z",
        "changed_at": "2026-01-01T00:00:00Z",
    });
    ConsentRecord::read(record.to_string().as_bytes()).expect("a record")
}

fn filled(people: u64) -> Index {
    let (index, key) = (Index::new(), key());
    let mut record = template();
    let kinds: Vec<_> = (0..SCOPES).map(|n| (scope(n), fields(n))).collect();
    for (revision, (scope, fields)) in (1..=people).zip(kinds.iter().cycle()) {
        if record.scope != *scope {
            (record.scope, record.fields) = (scope.clone(), fields.clone());
        }
        let id = u128::from(revision).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        record.id = ConsentId::from_bytes(id.to_be_bytes());
        record.subject = key.digest("citizen_number", &number(revision));
        index.apply(&record, revision).expect("room");
    }
    index
}

/// Memory of this process in the machine's memory.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells it");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes / 1024.0
}

/// Times questions about these people; tells the median, the 99th percentile and the mean of a batch.
fn ask(what: &str, index: &Index, people: impl Fn(u64) -> u64, found: bool) {
    let (key, now) = (key(), now());
    let kinds: Vec<_> = (0..SCOPES).map(scope).collect();
    let questions: Vec<_> = (0..QUESTIONS)
        .map(|n| people(n.wrapping_mul(0x2545_f491_4f6c_dd1d)))
        .map(|revision| {
            (number(revision), kinds.iter().cycle().nth(((revision - 1) % SCOPES) as usize))
        })
        .collect();
    let question = |(number, scope): &(String, Option<&Scope>)| {
        let scope = scope.expect("a scope");
        let asked = Asked {
            recipient: scope.recipients.first().expect("a recipient"),
            controller: &scope.controller,
            service: &scope.service,
            purpose: &scope.purpose,
        };
        let subject = key.digest("citizen_number", black_box(number));
        let standing = index.find(&subject, &asked, now);
        assert_eq!(matches!(standing, Standing::Active(_)), found);
    };
    let start = Instant::now();
    questions.iter().for_each(question);
    let mean = start.elapsed().as_nanos() / u128::from(QUESTIONS);
    let mut times: Vec<Duration> = questions
        .iter()
        .rev()
        .map(|asked| {
            let start = Instant::now();
            question(asked);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(0, Duration::as_nanos);
    println!("{what:<36} median {:>6} ns   p99 {:>6} ns   mean {mean:>6} ns", at(50), at(99));
}

fn seconds(what: &str, start: Instant) {
    println!("{what:<36} {:>8.2} s", start.elapsed().as_secs_f64());
}

fn main() {
    let people = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let people: u64 = people.unwrap_or(1_000_000).max(1);
    let folder = directory();
    let path = folder.path().join("consents.snapshot");
    println!("{people} consents, {:.0} MiB before", resident());
    let start = Instant::now();
    let index = filled(people);
    seconds("filled, digests included", start);
    println!("{:<36} {:>8.0} MiB", "memory of the process", resident());
    println!("{:<36} {:>8.0} MiB", "of it the index says", index.heap_bytes() as f64 / 1_048_576.0);
    ask("a person who has consented", &index, |n| n % people + 1, true);
    ask("a person who has not", &index, |n| people + n % people + 1, false);
    let header = Header {
        fingerprint: key().fingerprint(),
        lineage: [1; 16],
        revision: people,
        event: [0; 32],
        seen: now(),
        statements: people,
    };
    let start = Instant::now();
    snapshot::write(&path, &key(), &index, &header, &Progress::silent()).expect("written");
    seconds("snapshot written", start);
    let bytes = std::fs::metadata(&path).expect("a file").len();
    println!("{:<36} {:>8.0} MiB", "its size", bytes as f64 / 1_048_576.0);
    drop(index);
    let start = Instant::now();
    let opened = snapshot::open(&path, &key(), [1; 16]).expect("ours");
    let loaded = opened.load(&Progress::silent()).expect("whole");
    seconds("ready from it", start);
    println!("{:<36} {:>8.0} MiB", "memory of the process", resident());
    assert_eq!(loaded.index.len(), people);
    ask("a person who has consented, then", &loaded.index, |n| n % people + 1, true);
}
