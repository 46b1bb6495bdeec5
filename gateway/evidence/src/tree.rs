//! The Merkle tree: its root as leaves come in, and proofs that a leaf or an older tree is in it.
//!
//! Follows RFC 9162 section 2.1 (the hashes are those of RFC 6962). Nodes that cover a power of two
//! of leaves never change; everything else is computed from them through [`Nodes`]. What checks a
//! proof here takes any input and never panics.

mod check;
mod prove;

pub use self::{
    check::{ProofError, check_consistency, check_inclusion},
    prove::{consistency, inclusion, root},
};
use crate::hash::Hash;

/// Where the nodes of a tree come from.
pub trait Nodes {
    /// Why there is none.
    type Error;

    /// The node over the leaves from `index << level`, `1 << level` of them, all within the tree.
    ///
    /// # Errors
    /// When it cannot be read.
    fn node(&mut self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// The right edge of a growing tree: all that its root needs, 64 hashes at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One node for each bit of `size` that is set, the largest first.
    nodes: Vec<Hash>,
}

impl Frontier {
    /// A tree without leaves.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The right edge of a tree whose nodes stand elsewhere.
    ///
    /// # Errors
    /// When a node cannot be read.
    pub fn of<N: Nodes>(size: u64, nodes: &mut N) -> Result<Self, N::Error> {
        let edge = prove::edge(0, size).map(|(level, index)| nodes.node(level, index));
        Ok(Self { size, nodes: edge.collect::<Result<_, _>>()? })
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each set bit at the end of `size` is a full subtree that the new one completes.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = Hash::of_node(left, node);
            }
        }
        self.nodes.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(self.nodes.iter().copied()).unwrap_or_else(Hash::of_nothing)
    }
}

/// The hash over neighbouring subtrees, the largest first.
fn fold(nodes: impl DoubleEndedIterator<Item = Hash>) -> Option<Hash> {
    nodes.rev().reduce(|right, left| Hash::of_node(left, right))
}

#[cfg(test)]
mod tests;
