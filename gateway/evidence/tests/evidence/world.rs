//! Logs in temporary directories, and what is needed to look into them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use lienthong_evidence::{
    log::{AppendError, Closing, DiskLimits, Log, Queued, Settings},
    note::Signer,
};
use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

pub(crate) const ORIGIN: &str = "log.example/node-1";

pub(crate) fn signer() -> Signer {
    Signer::from_seed(ORIGIN, Sensitive::new([7; 32])).expect("a key")
}

/// Closes exchanges at an instant of its own.
pub(crate) fn closing() -> Closing {
    Closing::of_node("node-1", || (1_795_301_705_123, None)).expect("a name")
}

/// Settings of a log that signs only when it is asked to, with short segments.
pub(crate) fn settings(directory: &Path) -> Settings {
    Settings {
        checkpoint_every: Duration::from_secs(3600),
        copy_every: Duration::from_secs(3600),
        queue_bytes: 4 << 10,
        segment_bytes: 16 << 10,
        // Where the tests run is no concern of theirs.
        disk: DiskLimits { amber: 101, red: 101 },
        ..Settings::new(directory.to_owned(), signer(), closing())
    }
}

pub(crate) fn open(directory: &Path) -> Log {
    Log::open(settings(directory)).expect("a log").0
}

pub(crate) fn entry(index: u64) -> Vec<u8> {
    format!("entry {index}").into_bytes()
}

/// Appends entries one by one, each when the one before is durable.
pub(crate) fn append(log: &Log, indexes: std::ops::Range<u64>) {
    for index in indexes {
        let receipt = log.append(&entry(index)).and_then(Queued::wait).expect("durable");
        assert_eq!(receipt.index(), index);
    }
}

/// Appends entries, as many at a time as the queue takes, and waits for all of them.
pub(crate) fn append_all<'a>(log: &Log, entries: impl IntoIterator<Item = &'a Vec<u8>>) {
    let mut under_way = Vec::new();
    for entry in entries {
        let queued = loop {
            match log.append(entry) {
                Ok(queued) => break queued,
                Err(error) => assert_eq!(error, AppendError::Full),
            }
            wait(&mut under_way);
        };
        under_way.push(queued);
    }
    wait(&mut under_way);
}

fn wait(under_way: &mut Vec<Queued>) {
    let receipts = under_way.drain(..).map(|queued| queued.wait().expect("durable").index());
    assert!(receipts.is_sorted());
}

/// A log of this many entries, closed.
pub(crate) fn log_of(size: u64) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let entries: Vec<Vec<u8>> = (0..size).map(entry).collect();
    append_all(&open(directory.path()), &entries);
    directory
}

/// A copy of a log's directory.
pub(crate) fn copy(from: &Path) -> TempDir {
    let to = TempDir::new().expect("a directory");
    for path in files(from) {
        let target = to.path().join(&path);
        fs::create_dir_all(target.parent().expect("a folder")).expect("a folder");
        fs::copy(from.join(&path), target).expect("a copy");
    }
    to
}

/// Every file below a folder, by its path from there, in order.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a file").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                found.push(path.strip_prefix(root).expect("below").to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}
