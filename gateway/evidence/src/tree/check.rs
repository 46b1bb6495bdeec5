//! Checks proofs, as RFC 9162 sections 2.1.3.2 and 2.1.4.2 say.

use crate::hash::Hash;

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree has no such leaf, or the newer tree is smaller.
    #[error("sizes do not fit each other")]
    Size,
    /// Too few or too many hashes for trees of these sizes.
    #[error("proof has the wrong length")]
    Length,
    /// The hashes lead elsewhere.
    #[error("proof leads to another root")]
    Root,
}

/// Checks that a leaf is at `index` of the tree with `size` leaves and this root.
///
/// # Errors
/// When the proof does not show it.
pub fn check_inclusion(
    leaf: Hash,
    index: u64,
    size: u64,
    root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    let Some(last) = size.checked_sub(1).filter(|last| index <= *last) else {
        return Err(ProofError::Size);
    };
    let (mut at, mut last, mut hash) = (index, last, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at % 2 == 1 || at == last {
            hash = Hash::of_node(*sibling, hash);
            // At the right edge the path skips the levels where it has no sibling.
            let skip = if at % 2 == 1 { 0 } else { at.trailing_zeros() };
            at = at.checked_shr(skip).unwrap_or(0);
            last = last.checked_shr(skip).unwrap_or(0);
        } else {
            hash = Hash::of_node(hash, *sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree with `old` leaves is the beginning of that with `new`.
///
/// # Errors
/// When the proof does not show it.
pub fn check_consistency(
    old: u64,
    new: u64,
    old_root: Hash,
    new_root: Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Size);
    }
    if old == 0 || old == new {
        // Every tree begins with the empty one, and with itself.
        let same = if old == 0 { old_root == Hash::of_nothing() } else { old_root == new_root };
        return match (proof.is_empty(), same) {
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    let mut hashes = proof.iter().copied();
    // When the old tree is one full subtree, the proof need not name it.
    let first = if old.is_power_of_two() { Some(old_root) } else { hashes.next() };
    let Some(first) = first else { return Err(ProofError::Length) };
    let skip = (old - 1).trailing_ones();
    let (mut at, mut last) = ((old - 1) >> skip, (new - 1) >> skip);
    let (mut older, mut newer) = (first, first);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if at % 2 == 1 || at == last {
            older = Hash::of_node(sibling, older);
            newer = Hash::of_node(sibling, newer);
            let skip = if at % 2 == 1 { 0 } else { at.trailing_zeros() };
            at = at.checked_shr(skip).unwrap_or(0);
            last = last.checked_shr(skip).unwrap_or(0);
        } else {
            newer = Hash::of_node(newer, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if older == old_root && newer == new_root { Ok(()) } else { Err(ProofError::Root) }
}
