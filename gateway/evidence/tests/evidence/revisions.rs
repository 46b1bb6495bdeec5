//! The newest revision of a log, and the entries after one: known at once, whatever happened before.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use lienthong_evidence::{
    index::Index,
    log::{Log, Queued},
    reader::Reader,
    revisions::{Change, SinceError, WINDOW, since},
    verify::{Position, Problem, verify},
};
use tempfile::TempDir;

use crate::{
    samples::{change, numbered, pair},
    world::{append_all, open, settings, signer},
};

const DIRECTORY: &str = "LIENTHONG_EVIDENCE_REVISIONS";

fn put(log: &Log, revisions: impl IntoIterator<Item = u64>) {
    let entries: Vec<Vec<u8>> = revisions.into_iter().map(change).collect();
    append_all(log, &entries);
}

fn log_of(revisions: impl IntoIterator<Item = u64>) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    put(&open(directory.path()), revisions);
    directory
}

/// The revisions above one, as they are told.
fn told(directory: &Path, folder: Option<&Path>, revision: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut last = None;
    let count = since(
        (directory, folder),
        signer().verifier(),
        revision,
        &mut |done, of| assert!(done <= of),
        &mut |place, bytes, told| {
            assert!(last.replace(place) < Some(place), "in the order of the log");
            assert_eq!(Change::read(bytes), Some(told));
            found.push(told.revision);
            Ok(())
        },
    );
    assert_eq!(count.expect("a log"), found.len() as u64);
    found
}

#[test]
fn a_log_without_changes_has_no_revision() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    append_all(&log, &pair(1));
    assert_eq!((log.newest(), log.revision()), (None, None));
    log.checkpoint().expect("signed");
    drop(log);
    assert_eq!(open(directory.path()).revision(), None);
    assert!(told(directory.path(), None, 0).is_empty());
}

#[test]
fn the_newest_revision_is_known_with_the_receipt_and_from_the_opening_on() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    for revision in [4, 7, 5] {
        let queued = log.append(&change(revision)).expect("taken");
        assert_eq!(queued.wait().map(|receipt| receipt.index()), Ok(log.status().size - 1));
    }
    let newest = Change { revision: 7, record: numbered(7) };
    assert_eq!((log.newest(), log.revision()), (Some(newest), Some(7)));
    drop(log);
    assert_eq!(open(directory.path()).newest(), Some(newest));
}

#[test]
fn opening_reads_only_what_came_after_the_newest_checkpoint() {
    let directory = log_of(1..=900);
    let (log, opened) = Log::open(settings(directory.path())).expect("a log");
    assert_eq!((opened.search.read, log.revision()), (0, Some(900)));
    put(&log, 901..=905);
    log.checkpoint().expect("signed");
    let kept = fs::read(directory.path().join("open")).expect("the file");
    put(&log, 906..=930);
    drop(log);
    // As a process that was killed before the next checkpoint leaves it.
    fs::write(directory.path().join("open"), kept).expect("written");
    let (log, opened) = Log::open(settings(directory.path())).expect("a log");
    assert_eq!((opened.search.read, log.revision()), (25, Some(930)));
}

#[test]
fn without_its_file_or_with_a_damaged_one_every_entry_is_read() {
    let directory = log_of((1..=700).chain([699]));
    let path = directory.path().join("open");
    let text = fs::read_to_string(&path).expect("the file");
    for changed in [None, Some(text.replace(" 700\n", " 1\n")), Some(text.replace("/2\n", "/1\n"))]
    {
        match changed {
            Some(changed) => {
                assert_ne!(changed, text);
                fs::write(&path, changed).expect("written");
            }
            None => fs::remove_file(&path).expect("removed"),
        }
        let (log, opened) = Log::open(settings(directory.path())).expect("a log");
        assert_eq!((opened.search.read, log.revision()), (701, Some(700)));
    }
}

/// Appends changes without end; only in the child.
#[test]
fn child() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let log = open(Path::new(&directory));
    let mut out = std::io::stdout();
    let next = log.revision().unwrap_or(0) + 1;
    for revision in next.. {
        log.append(&change(revision)).and_then(Queued::wait).map(drop).expect("durable");
        assert_eq!(log.revision(), Some(revision));
        writeln!(out, "revision {revision}").expect("the parent reads");
        if revision.is_multiple_of(40) {
            log.checkpoint().expect("signed");
        }
    }
}

#[test]
fn the_newest_revision_of_a_killed_process_is_known() {
    let directory = TempDir::new().expect("a directory");
    for round in 0..8 {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["revisions::child", "--exact", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let told = lines.filter_map(|line| {
            let line = line.expect("text");
            line.split_once("revision ").and_then(|(_, number)| number.parse::<u64>().ok())
        });
        let last = told.take(1 + round * 29).last().expect("one");
        child.kill().expect("killed");
        child.wait().expect("gone");
        let (log, opened) = Log::open(settings(directory.path())).expect("a log");
        let newest = log.revision().expect("one");
        assert!(newest >= last && newest == opened.size, "{last} {newest} {}", opened.size);
        drop(log);
        let expected: Vec<u64> = (last + 1..=newest).collect();
        assert_eq!(self::told(directory.path(), None, last), expected);
    }
}

#[test]
fn changes_after_a_revision_are_told_oldest_first_among_other_entries() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    for number in 0..400 {
        append_all(&log, pair(number).iter().chain([&change(10 * (number ^ 3) + 10)]));
    }
    log.checkpoint().expect("signed");
    append_all(&log, [&change(4010)]);
    let path = directory.path();
    assert!(told(path, None, 4010).is_empty());
    assert_eq!(told(path, None, 4005), [4010]);
    assert_eq!(told(path, None, 3970), [4000, 3990, 3980, 4010]);
    assert_eq!(told(path, None, 0).len(), 401);
    drop(log);
    assert_eq!(told(path, None, 3970), [4000, 3990, 3980, 4010]);
}

#[test]
fn an_index_that_is_gone_damaged_or_cannot_be_had_changes_nothing() {
    let directory = log_of(1..=1500);
    let path = directory.path();
    let expected: Vec<u64> = (1201..=1500).collect();
    assert_eq!(told(path, None, 1200), expected);
    fs::remove_dir_all(path.join("index")).expect("removed");
    assert_eq!(told(path, None, 1200), expected);
    let reader = Reader::open(path, signer().verifier()).expect("a log");
    drop(Index::open(&reader, None, &mut |_| {}).expect("an index"));
    for file in fs::read_dir(path.join("index")).expect("a folder") {
        let file = file.expect("a file").path();
        if file.extension().is_some_and(|extension| extension == "run") {
            let mut bytes = fs::read(&file).expect("a run");
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            bytes[5000] ^= 1;
            fs::write(&file, bytes).expect("written");
        }
    }
    assert_eq!(told(path, None, 1200), expected);
    // A file stands where the folder should.
    let blocked = path.join("blocked");
    fs::write(&blocked, b"").expect("written");
    assert_eq!(told(path, Some(&blocked), 1200), expected);
}

#[test]
fn whoever_is_told_may_stop() {
    let directory = log_of(1..=5);
    let mut count = 0;
    let stopped =
        since((directory.path(), None), signer().verifier(), 1, &mut |_, _| {}, &mut |_, _, _| {
            count += 1;
            Err("no more".into())
        });
    assert!(matches!(stopped, Err(SinceError::Stopped(_))), "{stopped:?}");
    assert_eq!(count, 1);
}

#[test]
fn a_registry_that_went_on_from_an_older_state_is_found() {
    let other = |revision: u64| change(revision + (1 << 30));
    let rewritten = |revision: u64| {
        let text = String::from_utf8(other(revision)).expect("text");
        let wrong = format!("\"revision\":{}", revision + (1 << 30));
        text.replace(&wrong, &format!("\"revision\":{revision}")).into_bytes()
    };
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    put(&log, 1..=20);
    append_all(&log, [&rewritten(15), &change(16)]);
    drop(log);
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|found| (found.position.clone(), found.problem.clone()))
        .collect();
    assert_eq!(found, [(Position::Entry(20), Problem::Revision)], "and 16 is told twice, no more");

    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    append_all(&log, [&change(1 << 30)]);
    put(&log, 1..=WINDOW + 1);
    drop(log);
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    assert_eq!(report.finding_count, 1);
    assert_eq!(report.findings[0].problem, Problem::RevisionBack);
    assert_eq!(report.findings[0].position, Position::Entry(WINDOW + 1));
}

#[test]
fn revisions_with_gaps_and_of_one_time_in_any_order_are_good() {
    let directory = log_of((0..1000).map(|place: u64| 7 * (place ^ 5) + 1));
    let report = verify(directory.path(), signer().verifier(), &[]).expect("readable");
    assert!(report.is_good(), "{:?}", report.findings);
}
