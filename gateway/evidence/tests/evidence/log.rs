//! What the log promises: a receipt only for what stays, and the tree it says it has.

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
};

use lienthong_evidence::{
    checkpoint::Checkpoint,
    files::Tiles,
    hash::Hash,
    log::{AppendError, DiskLimits, Log, OpenError, Queued},
    tile,
    tree::{self, Frontier},
};
use tempfile::TempDir;

use crate::world::{append, copy, entry, files, log_of, open, settings, signer};

fn root_of(size: u64) -> Hash {
    let mut tree = Frontier::empty();
    (0..size).for_each(|index| tree.push(Hash::of_leaf(&entry(index))));
    tree.root()
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let numbered = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        path.starts_with("journal") && name.len() == 20
    };
    files(directory).into_iter().filter(numbered).map(|path| directory.join(path)).collect()
}

#[test]
fn a_log_goes_on_where_it_ended() {
    let directory = TempDir::new().expect("a directory");
    for (from, to) in [(0, 1), (1, 255), (255, 256), (256, 257), (257, 700), (700, 700)] {
        let (log, opened) = Log::open(settings(directory.path())).expect("a log");
        assert_eq!((opened.size, opened.root, opened.cut), (from, root_of(from), None));
        append(&log, from..to);
        let status = log.status();
        assert_eq!((status.size, status.root, status.failed), (to, root_of(to), false));
    }
}

#[test]
fn a_checkpoint_has_everything_that_has_a_receipt() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    for size in 1..40 {
        append(&log, size - 1..size);
        let checkpoint = log.checkpoint().expect("a checkpoint");
        assert_eq!((checkpoint.size, checkpoint.root), (size, root_of(size)));
        let note = fs::read(directory.path().join("checkpoint")).expect("the file");
        assert_eq!(Checkpoint::open(&note, signer().verifier()), Ok(checkpoint));
        // The tiles of that size are there, and they are those of the tree.
        let root = tree::root(size, &mut Tiles::new(directory.path(), size)).expect("tiles");
        assert_eq!(root, root_of(size));
    }
}

#[test]
fn many_who_append_at_once_get_a_place_each() {
    const THREADS: usize = 8;
    const EACH: usize = 200;
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    let mut places: Vec<(u64, Vec<u8>)> = thread::scope(|scope| {
        let work = |thread: usize| {
            let log = &log;
            move || {
                let mut places = Vec::new();
                while places.len() < EACH {
                    let entry = format!("{thread} {}", places.len()).into_bytes();
                    match log.append(&entry) {
                        Ok(queued) => places.push((queued.wait().expect("durable").index(), entry)),
                        Err(error) => assert_eq!(error, AppendError::Full),
                    }
                }
                places
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(work(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    log.checkpoint().expect("a checkpoint");
    places.sort();
    let size = (THREADS * EACH) as u64;
    assert!(places.iter().map(|(index, _)| *index).eq(0..size));
    let mut tree = Frontier::empty();
    places.iter().for_each(|(_, entry)| tree.push(Hash::of_leaf(entry)));
    assert_eq!(log.status().root, tree.root());
    let bundle = fs::read(directory.path().join("tile/entries/000")).expect("a bundle");
    let bundle: Vec<_> = tile::entries(&bundle).collect::<Result<_, _>>().expect("whole");
    assert!(bundle.iter().eq(places.iter().map(|(_, entry)| entry).take(256)));
}

#[test]
fn a_log_that_ends_at_any_byte_has_every_frame_before_and_says_what_was_cut() {
    let whole = log_of_single(4);
    let segment = segments(whole.path()).remove(0);
    let name = segment.file_name().expect("a name").to_owned();
    let bytes = fs::read(&segment).expect("a segment");
    let frames: Vec<usize> = memmem(&bytes, b"ltf\xff");
    let frame = 24 + 2 + 7 + 32;
    assert_eq!(frames, [16, 16 + frame, 16 + 2 * frame, 16 + 3 * frame]);
    for length in 16..=16 + 4 * frame {
        let directory = TempDir::new().expect("a directory");
        fs::create_dir(directory.path().join("journal")).expect("a folder");
        let torn: Vec<u8> = if length % 2 == 0 {
            bytes[..length].to_vec()
        } else {
            // What was not written is still zero.
            bytes[..length].iter().copied().chain(vec![0; bytes.len() - length]).collect()
        };
        fs::write(directory.path().join("journal").join(&name), torn).expect("written");
        let (log, opened) = Log::open(settings(directory.path())).expect("a log");
        let kept = ((length - 16) / frame) as u64;
        assert_eq!((opened.size, opened.root), (kept, root_of(kept)), "cut at {length}");
        let rest = (length - 16) % frame;
        let seen = opened.cut.is_some();
        // Zeros at the end of a head look the same whether or not they were written.
        assert!(seen || rest < 24, "cut at {length}");
        assert!(!seen || rest > 8, "cut at {length}");
        append(&log, kept..6);
        drop(log);
        let (_, opened) = Log::open(settings(directory.path())).expect("a log");
        assert_eq!((opened.size, opened.root, opened.cut), (6, root_of(6), None));
    }
}

/// A log whose entries were appended one by one, closed.
fn log_of_single(size: u64) -> TempDir {
    let directory = TempDir::new().expect("a directory");
    append(&open(directory.path()), 0..size);
    directory
}

fn memmem(bytes: &[u8], wanted: &[u8]) -> Vec<usize> {
    let at = bytes.windows(wanted.len()).enumerate();
    at.filter(|(_, window)| *window == wanted).map(|(at, _)| at).collect()
}

#[test]
fn damage_with_entries_behind_it_is_never_cut_away() {
    let whole = log_of_single(4);
    let segment = segments(whole.path()).remove(0);
    let bytes = fs::read(&segment).expect("a segment");
    let last = memmem(&bytes, b"ltf\xff").pop().expect("a frame");
    for at in (0..last * 8).step_by(7) {
        let mut changed = bytes.clone();
        changed[at / 8] ^= 1 << (at % 8);
        fs::write(&segment, changed).expect("written");
        let error = Log::open(settings(whole.path())).err();
        assert!(matches!(error, Some(OpenError::Damaged { .. })), "bit {at}: {error:?}");
    }
    fs::write(&segment, bytes).expect("written");
    assert_eq!(open(whole.path()).status().size, 4);
}

#[test]
fn segments_go_when_their_entries_stand_in_tiles_and_reopening_reads_only_the_rest() {
    let directory = log_of(4000);
    let left = segments(directory.path());
    assert!(left.len() <= 4 && !left[0].ends_with(format!("{:020}", 0)), "{left:?}");
    // Of what is left, the tiles can be lost: nothing had waited for them.
    let before = copy(directory.path());
    let first = left[0].file_name().expect("a name").to_string_lossy().parse::<u64>();
    let durable = first.expect("a number").div_ceil(256);
    for path in files(directory.path()) {
        let name = path.to_string_lossy().into_owned();
        let number = name.rsplit('/').next().and_then(|name| name.parse::<u64>().ok());
        let is_later = name.starts_with("tile/") && number.is_some_and(|number| number >= durable);
        if is_later || name.contains(".p/") {
            fs::write(directory.path().join(path), b"").expect("emptied");
        }
    }
    let (log, opened) = Log::open(settings(directory.path())).expect("a log");
    assert_eq!((opened.size, opened.root), (4000, root_of(4000)));
    drop(log);
    for path in files(before.path()).into_iter().filter(|path| path.starts_with("tile")) {
        let (was, is) = (before.path().join(&path), directory.path().join(&path));
        assert_eq!(fs::read(was).ok(), fs::read(is).ok(), "{}", path.display());
    }
}

#[test]
fn a_log_that_cannot_write_gives_no_receipt_and_keeps_those_it_gave() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    append(&log, 0..3);
    let journal = directory.path().join("journal");
    let away = directory.path().join("away");
    // The segment in use stays writable; the next cannot be begun.
    fs::rename(&journal, &away).expect("moved");
    let mut given = 3;
    let error = loop {
        match log.append(&entry(given)).and_then(Queued::wait) {
            Ok(receipt) => given = receipt.index() + 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, AppendError::Failed);
    assert_eq!(log.append(b"more").err(), Some(AppendError::Failed));
    assert!(log.status().failed);
    drop(log);
    fs::remove_dir_all(&journal).ok();
    fs::rename(&away, &journal).expect("moved back");
    let (_, opened) = Log::open(settings(directory.path())).expect("a log");
    assert_eq!((opened.size, opened.root), (given, root_of(given)));
}

#[test]
fn two_processes_do_not_share_a_log() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    let error = Log::open(settings(directory.path())).err();
    assert!(matches!(error, Some(OpenError::Locked)), "{error:?}");
    drop(log);
    open(directory.path());
}

#[test]
fn a_disk_without_room_refuses_entries() {
    let directory = TempDir::new().expect("a directory");
    let mut settings = settings(directory.path());
    settings.disk = DiskLimits { amber: 0, red: 0 };
    let (log, _) = Log::open(settings).expect("a log");
    assert_eq!(log.append(b"entry").err(), Some(AppendError::Disk));
}

#[test]
fn settings_that_leave_no_room_are_refused() {
    let directory = TempDir::new().expect("a directory");
    let mut settings = settings(directory.path());
    settings.queue_bytes = settings.segment_bytes;
    assert!(matches!(Log::open(settings).err(), Some(OpenError::Settings)));
}
