//! Roots and proofs from the nodes of a tree.

use super::{Nodes, fold};
use crate::hash::Hash;

/// The root over the first `size` leaves.
///
/// # Errors
/// When a node cannot be read.
pub fn root<N: Nodes>(size: u64, nodes: &mut N) -> Result<Hash, N::Error> {
    Ok(range(0, size, nodes)?.unwrap_or_else(Hash::of_nothing))
}

/// The proof that leaf `index` is in the tree of the first `size` leaves: the siblings on its way
/// to the root, the lowest first. Empty when there is no such leaf.
///
/// # Errors
/// When a node cannot be read.
pub fn inclusion<N: Nodes>(index: u64, size: u64, nodes: &mut N) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    let (mut from, mut to) = (0, size);
    while index < to && to - from > 1 {
        let middle = from + split(to - from);
        let sibling = if index < middle {
            let sibling = range(middle, to, nodes)?;
            to = middle;
            sibling
        } else {
            let sibling = range(from, middle, nodes)?;
            from = middle;
            sibling
        };
        proof.extend(sibling);
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of the first `old` leaves is the beginning of that of the first `new`.
/// Empty when there is nothing to prove: one of them has no leaves, or they are the same.
///
/// # Errors
/// When a node cannot be read.
pub fn consistency<N: Nodes>(old: u64, new: u64, nodes: &mut N) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if old == 0 || old >= new {
        return Ok(proof);
    }
    let (mut from, mut to) = (0, new);
    // Until the part looked at ends where the old tree does.
    while to != old {
        let middle = from + split(to - from);
        let sibling = if old <= middle {
            let sibling = range(middle, to, nodes)?;
            to = middle;
            sibling
        } else {
            let sibling = range(from, middle, nodes)?;
            from = middle;
            sibling
        };
        proof.extend(sibling);
    }
    // Were it the whole old tree, who checks would have its hash already.
    if from != 0 {
        proof.extend(range(from, to, nodes)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The hash over the leaves of a part that a proof may need; none when it is empty.
fn range<N: Nodes>(from: u64, to: u64, nodes: &mut N) -> Result<Option<Hash>, N::Error> {
    let parts = edge(from, to).map(|(level, index)| nodes.node(level, index));
    Ok(fold(parts.collect::<Result<Vec<_>, _>>()?.into_iter()))
}

/// The full subtrees that a part consists of, the largest first. Such a part always begins at a
/// multiple of the largest.
pub(super) fn edge(mut from: u64, to: u64) -> impl Iterator<Item = (u32, u64)> {
    std::iter::from_fn(move || {
        let level = to.checked_sub(from).filter(|size| *size > 0)?.ilog2();
        let index = from >> level;
        from += 1 << level;
        Some((level, index))
    })
}
