use std::fs;

use super::*;
use crate::rehearse::tests::{POLICIES, service};

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for file in files {
        fs::write(folder.path().join(file), "{}").expect("written");
    }
    folder
}

#[test]
fn the_name_tells_operation_and_status() {
    let folder = folder(&[
        "getBirthRecord.404.json",
        "getBirthRecord.200.a.b.json",
        "getMaritalStatus.200.x.json",
        "note.md",
        ".hidden.json",
    ]);
    let samples = list(folder.path(), &service(), None).expect("samples");
    let found: Vec<_> = samples.iter().map(|s| (s.operation.as_str(), s.status)).collect();
    let expected = [("getBirthRecord", 200), ("getBirthRecord", 404), ("getMaritalStatus", 200)];
    assert_eq!(found, expected);
    let only = "getMaritalStatus".parse().expect("id");
    assert_eq!(list(folder.path(), &service(), Some(&only)).expect("samples").len(), 1);
}

#[test]
fn every_wrong_name_is_told_at_once() {
    let folder =
        folder(&["a.json", "getBirthRecord.ok.json", "getBirthRecor.200.json", "x.20.json"]);
    let found = list(folder.path(), &service(), None).expect_err("mistakes").to_string();
    for part in [
        "a.json: the name does not tell",
        "getBirthRecord.ok.json: the name does not tell",
        "x.20.json: the name does not tell",
        "did you mean `getBirthRecord`?",
        "4 mistakes",
    ] {
        assert!(found.contains(part), "`{part}` is not in {found}");
    }
}

#[test]
fn a_folder_without_samples_or_no_folder_is_a_mistake() {
    let empty = folder(&["note.md"]);
    let found = list(empty.path(), &service(), None).expect_err("a mistake").to_string();
    assert!(found.contains("holds no sample"), "{found}");
    let gone = empty.path().join("gone");
    assert!(list(&gone, &service(), None).is_err());
}

#[test]
fn number_and_size_are_bounded() {
    let folder = folder(&["getBirthRecord.404.json"]);
    let large = folder.path().join("getBirthRecord.200.large.json");
    fs::File::create(&large).expect("made").set_len(MAX_BYTES + 1).expect("sized");
    let found = list(folder.path(), &service(), None).expect_err("a mistake").to_string();
    assert!(found.contains("is larger than"), "{found}");
    let name = "getBirthRecord.200.large.json".to_owned();
    let sample = Sample {
        operation: "getBirthRecord".parse().expect("id"),
        status: 200,
        file: name,
        streams: false,
    };
    assert!(read(folder.path(), &sample).is_err());

    fs::remove_file(large).expect("removed");
    for number in 0..MAX_FILES {
        fs::File::create(folder.path().join(format!("getBirthRecord.404.{number}.json")))
            .expect("made");
    }
    let found = list(folder.path(), &service(), None).expect_err("a mistake").to_string();
    assert!(found.contains("holds more than 10000 files"), "{found}");
}

#[test]
fn the_ending_tells_lines_from_documents() {
    let service = &POLICIES.services["health-book"];
    let good =
        ["extractHealthBooks.200.a.ndjson", "listHealthBooks.200.json", "getHealthBook.404.json"];
    let samples = list(folder(&good).path(), service, None).expect("samples");
    let streams: Vec<bool> = samples.iter().map(|sample| sample.streams).collect();
    assert_eq!(streams, [true, false, true]);
    let wrong = ["extractHealthBooks.200.a.json", "listHealthBooks.200.ndjson", "x.ndjson"];
    let found = list(folder(&wrong).path(), service, None).expect_err("mistakes").to_string();
    for part in [
        "name it extractHealthBooks.200.a.ndjson",
        "name it listHealthBooks.200.json",
        "x.ndjson: the name does not tell",
        "3 mistakes",
    ] {
        assert!(found.contains(part), "`{part}` is not in {found}");
    }
}
