//! Walks over all entries once, and makes every tile anew from them.

use std::path::Path;

use super::{Exchanges, Position, Problem, Report, place};
use crate::{
    checkpoint::Checkpoint,
    edge::Edge,
    files::{self, FileError, TileError},
    hash::{Hash, LeafHasher},
    tile::{self, HEIGHT, Kind, Tile, WIDTH},
    tree::Frontier,
};

pub(super) struct Walk<'a> {
    directory: &'a Path,
    checkpoint: &'a Checkpoint,
    anchors: Vec<&'a Checkpoint>,
    edge: Edge,
    /// By level: whether the tile under way is over something that was found wrong, so that its
    /// own difference is no news.
    tainted: Vec<bool>,
    hasher: LeafHasher,
    /// Anchors whose size has been reached, and whether the tree was theirs.
    reached: Vec<(u64, bool)>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        directory: &'a Path,
        checkpoint: &'a Checkpoint,
        anchors: &'a [Checkpoint],
    ) -> Self {
        let mut anchors: Vec<&Checkpoint> = anchors.iter().collect();
        anchors.sort_by_key(|anchor| anchor.size);
        let tainted = vec![false; (u64::BITS / HEIGHT) as usize];
        let (edge, hasher) = (Edge::empty(), LeafHasher::default());
        let reached = Vec::new();
        Self { directory, checkpoint, anchors, edge, tainted, hasher, reached }
    }

    pub(super) fn run(
        &mut self,
        report: &mut Report,
        exchanges: &mut Exchanges<'_>,
    ) -> Result<(), FileError> {
        let size = self.checkpoint.size;
        let mut breaks_off = false;
        for index in 0..size.div_ceil(WIDTH) {
            let Some(bundle) = Tile::of_tree(Kind::Entries, index, size) else { break };
            let Some(leaves) = self.bundle(&bundle, report, exchanges)? else {
                breaks_off = true;
                break;
            };
            self.reach_anchors(index * WIDTH, &leaves);
            self.climb(&bundle, &leaves, report)?;
        }
        if !breaks_off {
            self.partial(report)?;
        }
        let is_whole = report.is_good();
        let agreed = self.judge_anchors(report);
        if is_whole && self.root() != Some(self.checkpoint.root) {
            report.find(Position::From(agreed), Problem::Root);
        }
        for anchor in self.anchors.iter().filter(|anchor| anchor.size > size) {
            report.find(Position::From(size), Problem::Behind(anchor.size));
        }
        Ok(())
    }

    /// The leaves of a bundle: what its entries hash to, or what the tile says where there are none.
    /// None when there is neither.
    fn bundle(
        &mut self,
        bundle: &Tile,
        report: &mut Report,
        exchanges: &mut Exchanges<'_>,
    ) -> Result<Option<Vec<Hash>>, FileError> {
        let first = bundle.index * WIDTH;
        let (bytes, width) = match files::read_tile(self.directory, bundle) {
            Ok(read) => read,
            Err(TileError::File(error)) => return Err(error),
            Err(error) => {
                let missing = matches!(error, TileError::Missing(_));
                let problem = if missing { Problem::Missing } else { Problem::Length };
                report.find(Position::Entry(first), problem);
                self.taint();
                return found(files::read_hashes(self.directory, &hashes_of(bundle)));
            }
        };
        let mut leaves = Vec::with_capacity(bundle.width as usize);
        let (mut count, mut torn) = (0, false);
        for entry in tile::entries(&bytes) {
            count += 1;
            // A full bundle may stand for a partial one: then more follows than was signed.
            match entry {
                Ok(entry) if count <= bundle.width => {
                    leaves.push(self.hasher.hash(entry));
                    exchanges.take_in(first + count - 1, entry, report);
                }
                Ok(_) => {}
                Err(_) => torn = true,
            }
        }
        if torn || count != width {
            let stored = found(files::read_hashes(self.directory, &hashes_of(bundle)))?;
            let same = stored.as_ref().map_or(leaves.len() as u64, |s| common(s, &leaves));
            // What is too much stands behind the last.
            let at = first + same.min(bundle.width - 1);
            report.find(Position::Entry(at), Problem::Length);
            self.taint();
            return Ok(stored);
        }
        Ok(Some(leaves))
    }

    /// Holds the tiles that a bundle fills against what was computed.
    fn climb(
        &mut self,
        bundle: &Tile,
        leaves: &[Hash],
        report: &mut Report,
    ) -> Result<(), FileError> {
        for leaf in leaves {
            let (mut level, mut node) = (0, *leaf);
            while let Some(full) = self.edge.push(level, node) {
                let index = (bundle.index * WIDTH) >> (HEIGHT * (level + 1));
                self.compare(&Tile::full(Kind::Hashes(level), index), &full, report)?;
                self.pass_up(level);
                let Some(root) = tile::root(&full) else { break };
                (level, node) = (level + 1, root);
            }
        }
        Ok(())
    }

    /// Holds the tiles of the right edge against what was computed.
    fn partial(&mut self, report: &mut Report) -> Result<(), FileError> {
        let hashes = |tile: &Tile| tile.kind != Kind::Entries;
        for tile in tile::partial(self.checkpoint.size).filter(hashes) {
            let Kind::Hashes(level) = tile.kind else { continue };
            let computed = self.edge.level(level).to_vec();
            self.compare(&tile, &computed, report)?;
            self.pass_up(level);
        }
        Ok(())
    }

    /// A tile against what was computed. At level 0 what differs is the entry, or the tile when the
    /// tile above agrees with the entries.
    fn compare(
        &mut self,
        tile: &Tile,
        computed: &[Hash],
        report: &mut Report,
    ) -> Result<(), FileError> {
        let stored = match files::read_hashes(self.directory, tile) {
            Ok(stored) if stored == computed => return Ok(()),
            Ok(stored) => stored,
            Err(TileError::File(error)) => return Err(error),
            Err(TileError::Missing(_)) => {
                report.find(place(tile), Problem::Missing);
                return Ok(());
            }
            Err(TileError::Length(_)) => {
                report.find(place(tile), Problem::Length);
                return Ok(());
            }
        };
        let Kind::Hashes(level) = tile.kind else { return Ok(()) };
        if self.tainted.get(level as usize).copied().unwrap_or_default() {
            return Ok(());
        }
        if level == 0 && !self.above_agrees(tile, computed)? {
            let index = tile.index * WIDTH + common(&stored, computed);
            report.find(Position::Entry(index), Problem::Entry);
            self.taint();
        } else {
            report.find(place(tile), Problem::Hash);
        }
        Ok(())
    }

    /// Whether the tile above a tile of level 0 has the root of these leaves; the signed root when
    /// there is none above.
    fn above_agrees(&mut self, tile: &Tile, computed: &[Hash]) -> Result<bool, FileError> {
        if tile.width < WIDTH {
            return Ok(self.root() == Some(self.checkpoint.root));
        }
        let size = self.checkpoint.size;
        let Some(above) = Tile::of_tree(Kind::Hashes(1), tile.index / WIDTH, size) else {
            return Ok(false);
        };
        let stored = found(files::read_hashes(self.directory, &above))?.unwrap_or_default();
        let at = usize::try_from(tile.index % WIDTH).unwrap_or_default();
        Ok(stored.get(at).copied() == tile::root(computed))
    }

    /// The root over everything so far.
    fn root(&mut self) -> Option<Hash> {
        Frontier::of(self.checkpoint.size, &mut self.edge).ok().map(|tree| tree.root())
    }

    /// Notes whether the tree is that of the anchors which end within a bundle.
    fn reach_anchors(&mut self, first: u64, leaves: &[Hash]) {
        let last = first + leaves.len() as u64;
        let within = |anchor: &&&Checkpoint| (first + 1..=last).contains(&anchor.size);
        let anchors: Vec<&Checkpoint> = self.anchors.iter().filter(within).copied().collect();
        if anchors.is_empty() {
            return;
        }
        let Ok(mut tree) = Frontier::of(first, &mut self.edge) else { return };
        let mut leaves = leaves.iter();
        for anchor in anchors {
            let more = usize::try_from(anchor.size - tree.size()).unwrap_or(usize::MAX);
            leaves.by_ref().take(more).for_each(|leaf| tree.push(*leaf));
            self.reached.push((anchor.size, tree.root() == anchor.root));
        }
    }

    /// Tells of the anchors before the first finding, and up to where the tree agrees with one. What
    /// is found wrong by itself makes every later anchor differ, which is no news.
    fn judge_anchors(&self, report: &mut Report) -> u64 {
        let bad = report.findings.iter().map(|finding| finding.position.rank().0).min();
        let mut agreed = 0;
        for (size, agrees) in &self.reached {
            if bad.is_some_and(|bad| *size > bad) {
                break;
            }
            if *agrees {
                agreed = *size;
                report.anchors.push(*size);
            } else {
                report.find(Position::From(agreed), Problem::Anchor(*size));
            }
        }
        agreed
    }

    fn taint(&mut self) {
        self.tainted.iter_mut().for_each(|tainted| *tainted = true);
    }

    /// A tile is done: the one above it goes on with what it knows, the next one begins clean.
    fn pass_up(&mut self, level: u32) {
        if let Some(tainted) = self.tainted.get_mut(level as usize) {
            *tainted = false;
        }
    }
}

/// The tile of hashes over a bundle.
fn hashes_of(bundle: &Tile) -> Tile {
    Tile { kind: Kind::Hashes(0), ..*bundle }
}

/// How many are the same from the beginning.
fn common(a: &[Hash], b: &[Hash]) -> u64 {
    a.iter().zip(b).take_while(|(a, b)| a == b).count() as u64
}

/// What was read; none when it is not there or not whole.
fn found<T>(read: Result<T, TileError>) -> Result<Option<T>, FileError> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(TileError::File(error)) => Err(error),
        Err(_) => Ok(None),
    }
}
