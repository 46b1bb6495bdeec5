//! A process that is killed while it writes: every receipt it told of is kept.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use lienthong_evidence::{
    files::Tiles,
    hash::Hash,
    log::{Log, Queued},
    tree,
};
use tempfile::TempDir;

use crate::world::{entry, open, settings};

/// Tells the child, which is this program once more, where its log is.
const DIRECTORY: &str = "LIENTHONG_EVIDENCE_KILLED";
/// Entries under way at a time.
const BURST: u64 = 25;

/// Appends without end and tells of each receipt; only in the child.
#[test]
fn child() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let log = open(Path::new(&directory));
    let mut out = std::io::stdout();
    loop {
        let size = log.status().size;
        let burst: Vec<Queued> =
            (size..size + BURST).map(|index| log.append(&entry(index)).expect("taken")).collect();
        for queued in burst {
            let receipt = queued.wait().expect("durable");
            writeln!(out, "receipt {}", receipt.index()).expect("the parent reads");
        }
        log.checkpoint().expect("a checkpoint");
    }
}

#[test]
fn every_receipt_of_a_killed_process_is_kept() {
    let directory = TempDir::new().expect("a directory");
    for round in 0..12 {
        let mut child = Command::new(env::current_exe().expect("this program"))
            .args(["kill::child", "--exact", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let receipts = lines.filter_map(|line| {
            line.expect("text")
                .split_once("receipt ")
                .and_then(|(_, index)| index.parse::<u64>().ok())
        });
        let last = receipts.take(1 + round * 37).last();
        child.kill().expect("killed");
        child.wait().expect("gone");

        let (log, opened) = Log::open(settings(directory.path())).expect("a log");
        assert!(last.is_some_and(|last| opened.size > last), "{last:?} of {}", opened.size);
        let mut tiles = Tiles::new(directory.path(), opened.size);
        assert_eq!(tree::root(opened.size, &mut tiles).expect("tiles"), opened.root);
        let mut expected = tree::Frontier::empty();
        (0..opened.size).for_each(|index| expected.push(Hash::of_leaf(&entry(index))));
        assert_eq!(opened.root, expected.root());
        drop(log);
    }
}
