//! Our trees against `tlog_tiles`, which somebody else wrote: roots, both kinds of proof, paths.

use std::{convert::Infallible, fs, path::Path};

use lienthong_evidence::{
    checkpoint::Checkpoint,
    hash::Hash,
    tile::{self, Kind, Tile},
    tree::{self, Frontier, Nodes},
};

use crate::world::{entry, log_of, signer};

const MOST: u64 = 70;

/// Every node of a tree, by the definition of RFC 6962.
struct Leaves(Vec<Hash>);

impl Nodes for Leaves {
    type Error = Infallible;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Infallible> {
        let from = usize::try_from(index << level).expect("a small tree");
        Ok(tile::root(&self.0[from..from + (1 << level)]).expect("a power of two"))
    }
}

fn ours(size: u64) -> Leaves {
    Leaves((0..size).map(|index| Hash::of_leaf(&entry(index))).collect())
}

/// The nodes of the same tree as the other implementation computes and stores them.
fn theirs(size: u64) -> Stored {
    let mut stored = Stored(Vec::new());
    for index in 0..size {
        let more = tlog_tiles::stored_hashes(index, &entry(index), &stored).expect("hashes");
        stored.0.extend(more);
    }
    stored
}

struct Stored(Vec<tlog_tiles::Hash>);

impl tlog_tiles::HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        let at = |index: &u64| self.0[usize::try_from(*index).expect("a small tree")];
        Ok(indexes.iter().map(at).collect())
    }
}

fn their(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

#[test]
fn roots_are_those_of_the_other_implementation() {
    let stored = theirs(MOST);
    let mut frontier = Frontier::empty();
    for size in 0..=MOST {
        let expected = tlog_tiles::tree_hash(size, &stored).expect("a root");
        assert_eq!(their(frontier.root()), expected, "size {size}");
        let Ok(root) = tree::root(size, &mut ours(size));
        assert_eq!(root, frontier.root());
        let Ok(again) = Frontier::of(size, &mut ours(size));
        assert_eq!(again, frontier);
        frontier.push(Hash::of_leaf(&entry(size)));
    }
}

#[test]
fn inclusion_proofs_are_accepted_by_the_other_implementation_and_by_ours() {
    for size in 1..=MOST {
        let Ok(root) = tree::root(size, &mut ours(size));
        for index in 0..size {
            let Ok(proof) = tree::inclusion(index, size, &mut ours(size));
            let leaf = Hash::of_leaf(&entry(index));
            tree::check_inclusion(leaf, index, size, root, &proof).expect("ours accepts it");
            let proof = proof.into_iter().map(their).collect();
            tlog_tiles::check_record(&proof, size, their(root), index, their(leaf))
                .expect("theirs accepts it");
        }
    }
}

#[test]
fn consistency_proofs_are_accepted_by_the_other_implementation_and_by_ours() {
    for new in 1..=MOST {
        let Ok(new_root) = tree::root(new, &mut ours(new));
        for old in 1..=new {
            let Ok(old_root) = tree::root(old, &mut ours(old));
            let Ok(proof) = tree::consistency(old, new, &mut ours(new));
            tree::check_consistency(old, new, old_root, new_root, &proof).expect("ours");
            let proof = proof.into_iter().map(their).collect();
            tlog_tiles::check_tree(&proof, new, their(new_root), old, their(old_root))
                .expect("theirs");
        }
    }
}

#[test]
fn a_proof_of_one_leaf_is_refused_for_every_other() {
    let size = 21;
    let Ok(root) = tree::root(size, &mut ours(size));
    for proven in 0..size {
        let Ok(proof) = tree::inclusion(proven, size, &mut ours(size));
        for other in (0..size).filter(|other| *other != proven) {
            let leaf = Hash::of_leaf(&entry(other));
            assert!(tree::check_inclusion(leaf, other, size, root, &proof).is_err());
            assert!(tree::check_inclusion(leaf, proven, size, root, &proof).is_err());
        }
    }
}

/// The files of a log, for the other implementation.
struct Directory<'a>(&'a Path);

impl tlog_tiles::TileReader for Directory<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &tlog_tiles::Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            fs::read(self.0.join(path)).expect("the tile is there")
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _: &[tlog_tiles::Tile], _: &[Vec<u8>]) {}
}

#[test]
fn the_other_implementation_proves_every_entry_from_the_files_of_a_log() {
    let size = 777;
    let directory = log_of(size);
    let note = fs::read(directory.path().join("checkpoint")).expect("a checkpoint");
    let checkpoint = Checkpoint::open(&note, signer().verifier()).expect("ours");
    let root = their(checkpoint.root);
    let files = Directory(directory.path());
    let tiles = tlog_tiles::TileHashReader::new(size, root, &files);
    for index in (0..size).step_by(5) {
        let proof = tlog_tiles::prove_record(size, index, &tiles).expect("a proof");
        let leaf = their(Hash::of_leaf(&entry(index)));
        tlog_tiles::check_record(&proof, size, root, index, leaf).expect("it is in the tree");
    }
}

#[test]
fn paths_are_those_of_the_other_implementation() {
    for size in [1_u64, 255, 256, 257, 65_535, 65_536, 70_000, 1_234_067 * 256 + 5] {
        for level in 0..4 {
            let Some(last) = (size >> (8 * level)).checked_sub(1) else { continue };
            let tile = Tile::of_tree(Kind::Hashes(level), last / 256, size).expect("a tile");
            let width = u32::try_from(tile.width).expect("at most 256");
            let level = u8::try_from(level).expect("a level");
            let theirs = tlog_tiles::Tile::new(8, level, last / 256, width, false);
            // The other one names the height, which `tlog-tiles` fixes.
            assert_eq!(tile.path(), theirs.path().replacen("tile/8/", "tile/", 1));
        }
    }
}
