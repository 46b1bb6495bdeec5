//! What was under way when a log ended is closed when it is opened.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Mutex, PoisonError},
};

use lienthong_evidence::{
    entry::{Entry, ExchangeId},
    log::{Log, Opened, Queued},
    tile,
    verify::verify,
};
use tempfile::TempDir;

use crate::{
    samples::pair,
    world::{append_all, copy, open, settings, signer},
};

fn opened(directory: &Path) -> Opened {
    Log::open(settings(directory)).expect("a log").1
}

/// Exchange and sequence of an entry.
fn id(entry: &[u8]) -> (ExchangeId, u64) {
    match Entry::decode(entry).expect("an entry") {
        Entry::Intent(intent) => (intent.exchange, intent.sequence),
        Entry::Progress(progress) => (progress.exchange, progress.sequence),
        other => panic!("{other:?}"),
    }
}

fn found(opened: &Opened) -> Vec<(ExchangeId, u64)> {
    opened.interrupted.iter().map(|open| (open.exchange, open.sequence)).collect()
}

/// What verifying says is open, and that nothing is wrong.
fn open_count(directory: &Path) -> u64 {
    let report = verify(directory, signer().verifier(), &[]).expect("readable");
    assert!(report.is_good(), "{:?}", report.findings);
    report.open_count
}

/// Ten whole exchanges, then three without an end, and the same once more after a checkpoint: a log
/// as a crash leaves it.
fn crashed() -> (TempDir, Vec<ExchangeId>) {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    let mut left = Vec::new();
    for begin in [0, 100] {
        append_all(&log, &(begin..begin + 10).flat_map(pair).collect::<Vec<_>>());
        let intents: Vec<Vec<u8>> =
            (begin + 10..begin + 13).map(pair).map(|[intent, _]| intent).collect();
        append_all(&log, &intents);
        left.extend(intents.iter().map(|intent| id(intent).0));
        if begin == 0 {
            log.checkpoint().expect("a checkpoint");
        }
    }
    let crashed = copy(directory.path());
    drop(log);
    (crashed, left)
}

#[test]
fn exchanges_without_an_end_are_closed_and_only_once() {
    let (directory, left) = crashed();
    assert_eq!(open_count(directory.path()), 6);
    let first = opened(directory.path());
    let expected: Vec<_> = left.iter().map(|id| (*id, 1)).collect();
    assert_eq!(found(&first), expected);
    // Of 46 entries the 23 after the checkpoint were read.
    assert_eq!((first.size, first.search.read, first.search.unread), (46, 23, 0));
    assert_eq!(open_count(directory.path()), 0);
    let again = opened(directory.path());
    assert_eq!((again.size, again.interrupted.len(), again.search.read), (52, 0, 0));
}

#[test]
fn the_next_entry_of_an_exchange_that_had_progress_comes_after_it() {
    let directory = TempDir::new().expect("a directory");
    let lines = include_str!("entries.jsonl");
    let entries: Vec<Vec<u8>> = lines.lines().map(|line| line.as_bytes().to_vec()).collect();
    let progress = entries.iter().find(|e| matches!(Entry::decode(e), Ok(Entry::Progress(_))));
    let progress = progress.expect("progress").clone();
    let (exchange, sequence) = id(&progress);
    let intent = entries.iter().find(
        |e| matches!(Entry::decode(e), Ok(Entry::Intent(intent)) if intent.exchange == exchange),
    );
    append_all(&open(directory.path()), [intent.expect("its intent"), &progress]);
    assert_eq!(found(&opened(directory.path())), [(exchange, sequence + 1)]);
    let bundle = fs::read(directory.path().join("tile/entries/000.p/3")).expect("a bundle");
    let last = tile::entries(&bundle).last().expect("an entry").expect("whole");
    let Ok(Entry::Interrupted(closed)) = Entry::decode(last) else { panic!("{last:?}") };
    assert_eq!((closed.exchange, closed.sequence), (exchange, sequence + 1));
    assert_eq!((closed.node.as_str(), closed.at_ms), ("node-1", 1_795_301_705_123));
}

#[test]
fn a_file_of_open_exchanges_that_is_of_no_use_costs_a_reading_of_all() {
    let (whole, left) = crashed();
    let foreign = {
        let directory = TempDir::new().expect("a directory");
        append_all(&open(directory.path()), &(500..512).flat_map(pair).collect::<Vec<_>>());
        fs::read(directory.path().join("open")).expect("the file")
    };
    let own = fs::read(whole.path().join("open")).expect("the file");
    let cases: [Option<Vec<u8>>; 4] =
        [None, Some(Vec::new()), Some(own[..own.len() - 1].to_vec()), Some(foreign)];
    for change in cases {
        let directory = copy(whole.path());
        let path = directory.path().join("open");
        match change {
            Some(bytes) => fs::write(path, bytes).expect("written"),
            None => fs::remove_file(path).expect("removed"),
        }
        let opened = opened(directory.path());
        assert_eq!(found(&opened).iter().map(|open| open.0).collect::<Vec<_>>(), left);
        assert_eq!(opened.search.read, 46);
        assert_eq!(open_count(directory.path()), 0);
    }
}

#[test]
fn reading_all_goes_through_every_bundle_and_tells_of_those_that_are_gone() {
    static TOLD: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    let [early, _] = pair(1);
    append_all(&log, [&early]);
    append_all(&log, &(10..4010).flat_map(pair).collect::<Vec<_>>());
    let [late, _] = pair(2);
    append_all(&log, [&late]);
    drop(log);
    fs::remove_file(directory.path().join("open")).expect("removed");
    let mut settings = settings(directory.path());
    settings.progress =
        |done, of| TOLD.lock().unwrap_or_else(PoisonError::into_inner).push((done, of));
    let whole = copy(directory.path());
    let (log, opened) = Log::open(settings).expect("a log");
    drop(log);
    let ids: Vec<_> = [&early, &late].map(|entry| (id(entry).0, 1)).into();
    assert_eq!((found(&opened), opened.search.read), (ids.clone(), 8002));
    assert_eq!(*TOLD.lock().expect("whole"), []);
    // The first bundle, and with it the first exchange.
    fs::write(whole.path().join("tile/entries/000"), b"").expect("emptied");
    let opened = self::opened(whole.path());
    assert_eq!((found(&opened), opened.search.unread), (ids[1..].to_vec(), 256));
}

#[test]
fn they_are_closed_although_the_disk_is_nearly_full_and_the_queue_is_short() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    let intents: Vec<Vec<u8>> = (0..300).map(|number| pair(number)[0].clone()).collect();
    append_all(&log, &intents);
    drop(log);
    let mut settings = settings(directory.path());
    settings.disk = lienthong_evidence::log::DiskLimits { amber: 0, red: 0 };
    let (log, opened) = Log::open(settings).expect("a log");
    assert_eq!((opened.interrupted.len(), log.status().size), (300, 600));
    assert!(log.append(b"more").and_then(Queued::wait).is_err());
    assert_eq!(log.status().unfinished, Some(0));
}

#[test]
fn what_is_open_while_the_log_runs_stands_in_its_status() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    let mut expected = BTreeMap::new();
    for number in 0..20 {
        let [intent, outcome] = pair(number);
        append_all(&log, [&intent]);
        expected.insert(number, ());
        if number % 3 == 0 {
            append_all(&log, [&outcome]);
            expected.remove(&number);
        }
        log.checkpoint().expect("a checkpoint");
        assert_eq!(log.status().unfinished, Some(expected.len()));
    }
}
