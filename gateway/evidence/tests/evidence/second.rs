//! The second place: never a checkpoint of less in place of one of more, and nothing waits for one
//! that hangs.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

use lienthong_evidence::{
    checkpoint::Checkpoint,
    hash::Hash,
    log::{Copy, Fault, Log, Newer, OpenError, SecondFile, SecondPlace, Settings},
};
use tempfile::TempDir;

use crate::world::{ORIGIN, append, log_of, settings, signer};

fn copy(size: u64, after_loss: bool) -> Copy {
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size, root: Hash::of_nothing() };
    let note = checkpoint.sign(&signer());
    Copy { checkpoint, note, after_loss }
}

#[test]
fn a_file_keeps_the_checkpoint_of_most_entries_unless_a_loss_was_accepted() {
    let folder = TempDir::new().expect("a directory");
    let mut place = SecondFile::new(folder.path().join("below/checkpoint"));
    assert_eq!(place.newest().expect("readable"), None);
    for size in [3, 3, 9] {
        place.keep(&copy(size, false)).expect("kept");
    }
    let error = place.keep(&copy(8, false)).expect_err("of less");
    assert_eq!(error.downcast_ref::<Newer>().map(|newer| newer.0), Some(9));
    assert_eq!(place.newest().expect("readable"), Some(copy(9, false).note.into_bytes()));
    place.keep(&copy(8, true)).expect("kept");
    assert_eq!(place.newest().expect("readable"), Some(copy(8, true).note.into_bytes()));
}

/// A place that hangs until it is told to go on.
#[derive(Debug)]
struct Hanging {
    asks: bool,
    begun: SyncSender<()>,
    go_on: Receiver<()>,
    kept: SyncSender<u64>,
}

impl SecondPlace for Hanging {
    fn name(&self) -> String {
        "hanging".to_owned()
    }

    fn newest(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        if self.asks {
            self.go_on.recv().ok();
        }
        Ok(None)
    }

    fn keep(&mut self, copy: &Copy) -> Result<(), Fault> {
        self.begun.try_send(()).ok();
        self.go_on.recv()?;
        Ok(self.kept.send(copy.checkpoint.size)?)
    }
}

struct Held {
    begun: Receiver<()>,
    go_on: SyncSender<()>,
    kept: Receiver<u64>,
}

/// Settings of a log whose second place hangs, from the first question on or when it is to keep.
fn hanging(directory: &TempDir, asks: bool) -> (Settings, Held) {
    let (begin, begun) = sync_channel(1);
    let (go_on, wait) = sync_channel(100);
    let (keep, kept) = sync_channel(100);
    let place = Hanging { asks, begun: begin, go_on: wait, kept: keep };
    let settings = Settings {
        second_place: Some(Box::new(place)),
        second_deadline: Duration::from_millis(5),
        ..settings(directory.path())
    };
    (settings, Held { begun, go_on, kept })
}

#[test]
fn a_log_is_not_opened_while_its_second_place_cannot_tell() {
    let directory = log_of(3);
    let (settings, _held) = hanging(&directory, true);
    let error = Log::open(settings).err();
    let Some(OpenError::SecondPlace { name, source }) = error else { panic!("{error:?}") };
    assert_eq!((name.as_str(), source.to_string()), ("hanging", "no answer in 0 seconds".into()));
}

#[test]
fn a_second_place_that_hangs_holds_up_nothing_and_gets_the_newest_in_the_end() {
    let directory = log_of(3);
    let (settings, held) = hanging(&directory, false);
    let (log, opened) = Log::open(settings).expect("a log");
    held.begun.recv().expect("asked to keep");
    assert!(opened.unanchored);
    append(&log, 3..6);
    assert_eq!(log.checkpoint().expect("signed").size, 6);
    append(&log, 6..9);
    assert_eq!(log.checkpoint().expect("signed").size, 9);
    let status = log.status();
    assert_eq!((status.copied, status.copy_failed, status.signed), (None, true, 9));
    (0..100).for_each(|_| held.go_on.send(()).expect("it waits"));
    drop(log);
    // The one of 6 was given up for the one of 9.
    let kept: Vec<u64> = held.kept.iter().collect();
    assert_eq!((kept.first(), kept.last(), kept.contains(&6)), (Some(&3), Some(&9), false));
}

#[test]
fn a_loss_is_accepted_only_when_the_second_place_takes_the_new_checkpoint() {
    #[derive(Debug)]
    struct Stubborn;
    impl SecondPlace for Stubborn {
        fn name(&self) -> String {
            "stubborn".to_owned()
        }

        fn newest(&mut self) -> Result<Option<Vec<u8>>, Fault> {
            Ok(Some(copy(20, false).note.into_bytes()))
        }

        fn keep(&mut self, copy: &Copy) -> Result<(), Fault> {
            Err(Newer(copy.checkpoint.size).into())
        }
    }
    let directory = log_of(3);
    let settings =
        Settings { second_place: Some(Box::new(Stubborn)), ..settings(directory.path()) };
    let error = Log::accept_loss(settings, |_| b"lost".to_vec()).err();
    assert!(matches!(error, Some(OpenError::SecondPlace { .. })), "{error:?}");
}
