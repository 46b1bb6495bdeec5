//! The tiles along the right edge of a tree, which are not full yet.

use std::path::Path;

use crate::{
    files::{self, TileError},
    hash::Hash,
    tile::{self, HEIGHT, Kind, Tile, WIDTH},
    tree::Nodes,
};

/// Nodes of the tile at each level that is not full.
#[derive(Debug)]
pub(crate) struct Edge {
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of an empty tree.
    pub(crate) fn empty() -> Self {
        Self { levels: vec![Vec::new(); (u64::BITS / HEIGHT) as usize] }
    }

    /// The edge of the tree of the first `size` entries, a multiple of 256, from full tiles on disk:
    /// the roots of those below are the nodes of the one above.
    pub(crate) fn read(directory: &Path, size: u64) -> Result<Self, TileError> {
        let mut edge = Self::empty();
        for (level, nodes) in (0..).zip(&mut edge.levels).skip(1) {
            let below = size >> (HEIGHT * level);
            for index in below - below % WIDTH..below {
                let tile = Tile::full(Kind::Hashes(level - 1), index);
                let hashes = files::read_hashes(directory, &tile)?;
                nodes.push(tile::root(&hashes).ok_or_else(|| TileError::Length(tile.path()))?);
            }
        }
        Ok(edge)
    }

    /// Adds a node. The whole tile when it is full with it; then its root goes one level up.
    pub(crate) fn push(&mut self, level: u32, node: Hash) -> Option<Vec<Hash>> {
        let nodes = self.levels.get_mut(level as usize)?;
        nodes.push(node);
        (nodes.len() as u64 == WIDTH).then(|| std::mem::take(nodes))
    }

    /// The nodes of the tile of a level.
    pub(crate) fn level(&self, level: u32) -> &[Hash] {
        self.levels.get(level as usize).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Only the nodes that stand in tiles which are not full.
impl Nodes for Edge {
    type Error = TileError;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, TileError> {
        let (kind, tile, from, count) = files::within(level, index);
        let nodes = self.level(level / HEIGHT).get(from..from + count);
        let node = nodes.and_then(tile::root);
        node.ok_or_else(|| TileError::Missing(Tile::full(kind, tile).path()))
    }
}
