//! Entries that were signed once and are gone: found at once, and accepted only with a record.

use std::{fs, path::Path};

use lienthong_evidence::log::{Log, OpenError, Opened, Settings};
use tempfile::TempDir;

use crate::world::{append, copy, log_of, settings};

/// Settings with a second place.
fn with_copy(directory: &Path, place: &TempDir) -> Settings {
    let second_place = Some(place.path().join("copies/checkpoint").into());
    Settings { second_place, ..settings(directory) }
}

/// A log of ten entries whose second place knows of twenty.
fn rolled_back() -> (TempDir, TempDir) {
    let (old, place) = (log_of(10), TempDir::new().expect("a directory"));
    let newer = copy(old.path());
    let (log, _) = Log::open(with_copy(newer.path(), &place)).expect("a log");
    append(&log, 10..20);
    drop(log);
    (old, place)
}

fn opened(settings: Settings) -> Result<Opened, OpenError> {
    Log::open(settings).map(|(_, opened)| opened)
}

#[test]
fn a_log_behind_its_newest_checkpoint_is_not_opened() {
    let (old, place) = rolled_back();
    let error = opened(with_copy(old.path(), &place)).err();
    assert!(matches!(error, Some(OpenError::Behind { size: 10, signed: 20, .. })), "{error:?}");
    let empty = TempDir::new().expect("a directory");
    let error = opened(with_copy(empty.path(), &place)).err();
    assert!(matches!(error, Some(OpenError::Behind { size: 0, signed: 20, .. })), "{error:?}");
}

#[test]
fn a_log_that_went_another_way_is_not_opened() {
    let (old, place) = rolled_back();
    let (log, _) = Log::open(settings(old.path())).expect("no second place to ask");
    for index in 10..25 {
        let queued = log.append(b"another").expect("taken");
        assert_eq!(queued.wait().expect("durable").index(), index);
    }
    drop(log);
    let error = opened(with_copy(old.path(), &place)).err();
    assert!(matches!(error, Some(OpenError::Forked { signed: 20, .. })), "{error:?}");
}

#[test]
fn a_checkpoint_that_cannot_be_read_is_not_passed_over() {
    let (old, place) = (log_of(3), TempDir::new().expect("a directory"));
    opened(with_copy(old.path(), &place)).expect("a log");
    let copy = place.path().join("copies/checkpoint");
    for file in [copy, old.path().join("checkpoint")] {
        let whole = fs::read(&file).expect("a checkpoint");
        fs::write(&file, &whole[..whole.len() - 5]).expect("written");
        let error = opened(with_copy(old.path(), &place)).err();
        assert!(matches!(error, Some(OpenError::Checkpoint { .. })), "{error:?}");
        fs::write(&file, whole).expect("written");
    }
}

#[test]
fn an_accepted_loss_is_the_next_entry_and_the_old_checkpoint_is_kept() {
    let (old, place) = rolled_back();
    let record = |lost: &lienthong_evidence::log::Lost| {
        assert_eq!(lost.size, 10);
        assert_eq!(lost.newest.as_ref().map(|newest| newest.size), Some(20));
        b"lost".to_vec()
    };
    let (log, _) = Log::accept_loss(with_copy(old.path(), &place), record).expect("accepted");
    assert_eq!(log.status().size, 11);
    drop(log);
    assert!(old.path().join("losses/20.checkpoint").exists());
    assert_eq!(opened(with_copy(old.path(), &place)).expect("a log").size, 11);
}

#[test]
fn a_second_place_without_a_checkpoint_is_told_of() {
    let (whole, place) = (log_of(3), TempDir::new().expect("a directory"));
    assert!(opened(with_copy(whole.path(), &place)).expect("a log").unanchored);
    assert!(!opened(with_copy(whole.path(), &place)).expect("a log").unanchored);
    let (empty, place) = (TempDir::new().expect("one"), TempDir::new().expect("one"));
    assert!(!opened(with_copy(empty.path(), &place)).expect("a log").unanchored);
}

#[test]
fn where_nothing_is_lost_there_is_nothing_to_accept() {
    let whole = log_of(3);
    let accepted = Log::accept_loss(settings(whole.path()), |_| b"lost".to_vec());
    assert!(matches!(accepted.err(), Some(OpenError::NothingLost)));
    assert_eq!(opened(settings(whole.path())).expect("a log").size, 3);
}

#[test]
fn accepted_damage_in_the_journal_keeps_what_stands_before_it() {
    let whole = TempDir::new().expect("a directory");
    append(&crate::world::open(whole.path()), 0..250);
    let mut segments: Vec<_> = fs::read_dir(whole.path().join("journal"))
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .filter(|path| path.file_name().is_some_and(|name| name.len() == 20))
        .collect();
    segments.sort();
    assert!(segments.len() > 1, "{segments:?}");
    let mut bytes = fs::read(&segments[0]).expect("a segment");
    bytes[16 + 67 * 50 + 30] ^= 1;
    fs::write(&segments[0], bytes).expect("written");
    let error = opened(settings(whole.path())).err();
    assert!(matches!(error, Some(OpenError::Damaged { .. })), "{error:?}");
    let kept = |lost: &lienthong_evidence::log::Lost| format!("lost {}", lost.size).into_bytes();
    let (log, lost) = Log::accept_loss(settings(whole.path()), kept).expect("accepted");
    assert!(lost.size < 250 && log.status().size == lost.size + 1);
    drop(log);
    assert_eq!(opened(settings(whole.path())).expect("a log").size, lost.size + 1);
    assert!(whole.path().join("losses").read_dir().expect("a folder").count() >= 2);
}
