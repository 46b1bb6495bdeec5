use super::{Frontier, ProofError, check_consistency, check_inclusion};
use crate::hash::Hash;

#[test]
fn the_empty_tree_has_the_hash_of_nothing() {
    assert_eq!(
        Frontier::empty().root().to_string(),
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    );
}

#[test]
fn a_leaf_that_looks_like_a_node_hashes_to_something_else() {
    let (left, right) = (Hash::of_leaf(b"a"), Hash::of_leaf(b"b"));
    let both = [left.as_bytes().as_slice(), right.as_bytes()].concat();
    assert_ne!(Hash::of_leaf(&both), Hash::of_node(left, right));
}

#[test]
fn proofs_for_impossible_sizes_are_refused_without_a_panic() {
    let hash = Hash::of(b"x");
    let long = vec![hash; 200];
    for size in [0, 1, 2, 3, u64::MAX - 1, u64::MAX] {
        for index in [0, 1, 2, u64::MAX - 1, u64::MAX] {
            for proof in [&[][..], &long[..1], &long[..63], &long[..64], &long] {
                // The tree of one leaf has that leaf for its root.
                let trivial = size == 1 && index == 0 && proof.is_empty();
                assert_eq!(check_inclusion(hash, index, size, hash, proof).is_ok(), trivial);
                let same = size == index && proof.is_empty() && size > 0;
                assert_eq!(check_consistency(index, size, hash, hash, proof).is_ok(), same);
            }
        }
    }
}

#[test]
fn an_older_tree_cannot_be_larger() {
    let hash = Hash::of(b"x");
    assert_eq!(check_consistency(2, 1, hash, hash, &[]), Err(ProofError::Size));
}
