use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::civil::date;
use lienthong_model::{clock::civil_zone, sensitive::Sensitive};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    index::{Index, Standing},
    keys::SubjectKey,
    progress::{Progress, Work},
    record::{ConsentId, ConsentRecord},
    scope::Asked,
    testing::statement,
};

const PEOPLE: u64 = 500;

fn key(n: u8) -> SubjectKey {
    SubjectKey::new(&Sensitive::new([n; 32]))
}

fn now() -> Timestamp {
    date(2026, 11, 30).at(8, 0, 0, 0).to_zoned(civil_zone()).unwrap().timestamp()
}

fn header() -> Header {
    Header {
        fingerprint: key(1).fingerprint(),
        lineage: [2; 16],
        revision: PEOPLE,
        event: [3; 32],
        seen: now(),
        statements: PEOPLE,
    }
}

fn index() -> Index {
    let index = Index::new();
    let statement = statement(&json!({}));
    for n in 1..=PEOPLE {
        let subject = key(1).digest("other", &n.to_string());
        let id = ConsentId::from_bytes(u128::from(n).to_be_bytes());
        let fields = (statement.fields.clone(), None);
        let state = State::ALL[usize::try_from(n).unwrap() % State::ALL.len()];
        let record =
            ConsentRecord::new((id, subject), statement.scope.clone(), fields, state, now());
        index.apply(&record, n).unwrap();
    }
    index
}

struct File {
    _folder: TempDir,
    path: PathBuf,
}

fn written() -> File {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("consents.snapshot");
    write(&path, &key(1), &index(), &header(), &Progress::silent()).unwrap();
    File { _folder: folder, path }
}

fn load(file: &File) -> Result<Loaded, NotUsed> {
    open(&file.path, &key(1), [2; 16])?.load(&Progress::silent())
}

fn refused(file: &File) -> NotUsed {
    load(file).expect_err("not to be used")
}

#[test]
fn is_not_used_with_another_key_or_for_another_store() {
    let file = written();
    assert_eq!(open(&file.path, &key(9), [2; 16]).err(), Some(NotUsed::OtherKey));
    assert_eq!(open(&file.path, &key(1), [9; 16]).err(), Some(NotUsed::OtherStore));
    let nowhere = file.path.with_extension("nowhere");
    assert_eq!(open(&nowhere, &key(1), [2; 16]).err(), Some(NotUsed::Absent));
}

#[test]
fn is_not_used_when_a_byte_is_another_one_or_missing() {
    let file = written();
    let bytes = fs::read(&file.path).unwrap();
    let every = bytes.len() / 60;
    for at in (0..bytes.len()).step_by(every).chain(bytes.len() - 60..bytes.len()) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        fs::write(&file.path, &changed).unwrap();
        refused(&file);
        fs::write(&file.path, &bytes[..at]).unwrap();
        refused(&file);
    }
    fs::write(&file.path, [&bytes[..], b"x"].concat()).unwrap();
    assert_eq!(refused(&file), NotUsed::Damaged);
    fs::write(&file.path, &bytes).unwrap();
    assert!(load(&file).is_ok());
}

#[test]
fn reserves_no_more_than_the_file_can_hold() {
    let file = written();
    let mut bytes = fs::read(&file.path).unwrap();
    let at = MAGIC.len() + Header::LENGTH - 8;
    bytes[at..at + 8].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(&file.path, &bytes).unwrap();
    assert_eq!(refused(&file), NotUsed::Damaged);
}

#[test]
fn is_the_index_that_was_written() {
    let file = written();
    let told = Arc::new(AtomicU64::new(0));
    let telling = Arc::clone(&told);
    let progress = Progress::new(move |step| {
        assert_eq!(step.work, Work::ReadSnapshot);
        telling.store(step.done, Ordering::Relaxed);
    });
    let opened = open(&file.path, &key(1), [2; 16]).unwrap();
    assert_eq!(*opened.header(), header());
    let loaded = opened.load(&progress).unwrap();
    assert_eq!((loaded.newest, told.load(Ordering::Relaxed)), (PEOPLE, PEOPLE));
    let index = index();
    assert_eq!((loaded.index.len(), loaded.index.counts()), (index.len(), index.counts()));
    let scope = statement(&json!({})).scope;
    for n in 1..=PEOPLE + 1 {
        let subject = key(1).digest("other", &n.to_string());
        let asked = Asked {
            recipient: &scope.recipients[0],
            controller: &scope.controller,
            service: &scope.service,
            purpose: &scope.purpose,
        };
        let found: Standing = loaded.index.find(&subject, &asked, now());
        assert_eq!(found, index.find(&subject, &asked, now()));
    }
}

#[test]
fn only_its_owner_may_read_it_and_no_half_of_it_is_ever_in_its_place() {
    let file = written();
    let mode = fs::metadata(&file.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let beside = file.path.with_extension("new");
    assert!(!beside.exists());
    fs::write(&beside, "what a crash left").unwrap();
    write(&file.path, &key(1), &index(), &header(), &Progress::silent()).unwrap();
    assert!(load(&file).is_ok() && !beside.exists());
    let text = fs::read(&file.path).unwrap();
    assert!(!text.windows(12).any(|bytes| bytes == b"079085000001"));
}
