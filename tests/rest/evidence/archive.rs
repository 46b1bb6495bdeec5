//! `lienthong evidence archive`.

use std::fs;

use lienthong_evidence::log::{Closing, Log, Settings};
use serde_json::Value;
use tempfile::TempDir;

use super::{EXCHANGE, GOLDEN, run, signer};

/// A log of 300 exchanges in the year 2020.
fn old_log() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let closing = Closing::new(|_| b"never".to_vec());
    let settings = Settings::new(folder.path().join("evidence"), signer(), closing);
    let (log, _) = Log::open(settings).expect("a log");
    let lines: Vec<&str> = GOLDEN.lines().collect();
    let mut last = None;
    for number in 0..300 {
        let id = format!("018f3c5e-8d2a-4c1b-9e77-{number:012x}");
        for line in [lines[8], lines[10]] {
            let entry = line.replace(EXCHANGE, &id).replace("1795301705123", "1595301705123");
            let entry = entry.replace("\"sequence\":2", "\"sequence\":1");
            last = Some(log.append(entry.as_bytes()).expect("taken"));
        }
    }
    assert!(last.expect("entries").wait().is_ok());
    fs::write(folder.path().join("key"), signer().verifier().to_string()).expect("written");
    folder
}

fn archive(folder: &TempDir, before: &str) -> (i32, String) {
    let arguments = ["archive", "evidence", "--copy", "--key", "key", "--json", "--before", before];
    run(folder.path(), &arguments)
}

#[test]
fn old_entries_are_archived_and_the_log_stays_as_good_as_it_was() {
    let folder = old_log();
    let (code, told) = archive(&folder, "2021-01-01");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["bundles"]), (0, &2.into()));
    let entries = folder.path().join("evidence/tile/entries");
    assert!(entries.join("000.zst").exists() && !entries.join("000").exists());
    let (code, told) = run(folder.path(), &["verify", "evidence", "--key", "key"]);
    assert_eq!(code, 0, "{told}");
    let id = "018f3c5e-8d2a-4c1b-9e77-000000000010";
    let search = ["search", "evidence", "--copy", "--key", "key", "--exchange", id];
    assert_eq!(run(folder.path(), &search).0, 0);
    let prove =
        ["prove", "evidence", "--copy", "--key", "key", "--exchange", id, "--out", "proofs"];
    assert_eq!(run(folder.path(), &prove).0, 0);
    assert_eq!(archive(&folder, "2020-07-01").0, 0);
}

#[test]
fn what_has_to_stay_on_line_is_not_archived() {
    let folder = old_log();
    assert_eq!(archive(&folder, "2999-01-01").0, 1);
    assert!(folder.path().join("evidence/tile/entries/000").exists());
}
