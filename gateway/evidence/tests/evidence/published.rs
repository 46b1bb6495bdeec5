//! What others may read of a log: what is under its newest checkpoint, as wide as they ask.

use std::fs;

use lienthong_evidence::{
    hash::Hash,
    published::Published,
    tile::{self, Kind, Tile},
};
use tempfile::TempDir;

use crate::world::{append_all, entry, log_of, open};

fn entries(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(entry).collect()
}

fn tile(kind: Kind, index: u64, width: u64) -> Tile {
    Tile { kind, index, width }
}

/// What a tile of leaves, or a bundle, of the log of these tests holds.
fn expected(tile: &Tile) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in tile.index * 256..tile.index * 256 + tile.width {
        match tile.kind {
            Kind::Entries => tile::put(&mut bytes, &entry(index)).expect("small"),
            Kind::Hashes(_) => bytes.extend_from_slice(Hash::of_leaf(&entry(index)).as_bytes()),
        }
    }
    bytes
}

#[test]
fn every_width_up_to_the_checkpoint_is_given() {
    let directory = log_of(600);
    let published = Published::new(directory.path());
    assert_eq!(published.checkpoint().expect("readable").expect("there").size, 600);
    for kind in [Kind::Entries, Kind::Hashes(0)] {
        for (index, most) in [(0, 256), (1, 256), (2, 88)] {
            for width in 1..=256 {
                let tile = tile(kind, index, width);
                let given = published.tile(&tile).expect("readable");
                assert_eq!(given, (width <= most).then(|| expected(&tile)), "{}", tile.path());
            }
        }
        assert_eq!(published.tile(&tile(kind, 3, 1)).expect("readable"), None);
        assert_eq!(published.tile(&tile(kind, u64::MAX, 1)).expect("readable"), None);
    }
    let above = published.tile(&tile(Kind::Hashes(1), 0, 2)).expect("readable").expect("there");
    assert_eq!(above.len(), 64);
    assert_eq!(published.tile(&tile(Kind::Hashes(1), 0, 3)).expect("readable"), None);
    assert_eq!(published.tile(&tile(Kind::Hashes(63), 0, 1)).expect("readable"), None);
}

#[test]
fn nothing_is_given_that_no_checkpoint_covers() {
    let directory = TempDir::new().expect("a directory");
    let log = open(directory.path());
    append_all(&log, &entries(0..300));
    log.checkpoint().expect("a checkpoint");
    let path = directory.path().join("checkpoint");
    let older = fs::read(&path).expect("the file");
    append_all(&log, &entries(300..700));
    log.checkpoint().expect("a checkpoint");
    // The tiles are there, and what counts is the checkpoint that others see.
    fs::write(&path, older).expect("the file");
    let published = Published::new(directory.path());
    for kind in [Kind::Entries, Kind::Hashes(0)] {
        let under = tile(kind, 1, 44);
        assert_eq!(published.tile(&under).expect("readable"), Some(expected(&under)));
        for beyond in [tile(kind, 1, 45), tile(kind, 1, 256), tile(kind, 2, 1)] {
            assert_eq!(published.tile(&beyond).expect("readable"), None, "{}", beyond.path());
        }
    }
    fs::remove_file(&path).expect("removed");
    assert_eq!(published.checkpoint().expect("readable"), None);
    assert_eq!(published.tile(&tile(Kind::Hashes(0), 0, 256)).expect("readable"), None);
    fs::write(&path, "log\n12\n").expect("the file");
    assert!(published.checkpoint().is_err() && published.tile(&tile(Kind::Entries, 0, 1)).is_err());
}

#[test]
fn a_tile_that_is_not_what_it_should_be_is_not_given() {
    let directory = log_of(300);
    let published = Published::new(directory.path());
    for kind in [Kind::Entries, Kind::Hashes(0)] {
        let full = tile(kind, 0, 256);
        let path = directory.path().join(full.path());
        let bytes = fs::read(&path).expect("the tile");
        fs::write(&path, &bytes[..bytes.len() - 1]).expect("the tile");
        assert!(published.tile(&full).is_err());
        fs::remove_file(&path).expect("removed");
        assert!(published.tile(&full).is_err(), "it has to be there");
    }
}
