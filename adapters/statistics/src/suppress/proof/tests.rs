use super::*;
use crate::tests::tables::{dimension, from_leaves};

/// Leaves 1, 8 and 9 below one group below the total; the first two are withheld.
fn holds(up: &[(usize, i128)], down: &[(usize, i128)], least: u64, need: Need) -> bool {
    let table = from_leaves(vec![dimension("d", &[3])], &[1, 8, 9]);
    let leaf = |n: usize| table.shape().cell(&[format!("g0.{n}").as_str()]).expect("a cell");
    let hidden = [leaf(0), leaf(1)];
    let change = |list: &[(usize, i128)]| list.iter().map(|(n, by)| (leaf(*n).0, *by)).collect();
    let proof = Proof { up: change(up), down: change(down) };
    proof.holds(&table, least, &|cell| !hidden.contains(&cell), leaf(0), need)
}

const NEED: Need = Need::Range(0, 4);

#[test]
fn a_proof_that_changes_a_published_cell_proves_nothing() {
    // The total would change.
    assert!(!holds(&[(0, 3)], &[(0, -1), (1, 1)], 0, NEED));
    // The third leaf is published.
    assert!(!holds(&[(0, 3), (2, -3)], &[(0, -1), (1, 1)], 0, NEED));
}

#[test]
fn a_proof_that_goes_below_what_readers_know_proves_nothing() {
    assert!(!holds(&[(0, 3), (1, -3)], &[(0, -2), (1, 2)], 0, NEED));
    assert!(!holds(&[(0, 3), (1, -3)], &[(0, -1), (1, 1)], 1, NEED));
}

#[test]
fn a_proof_that_does_not_go_far_enough_proves_nothing() {
    assert!(!holds(&[(0, 2), (1, -2)], &[(0, -1), (1, 1)], 0, NEED));
    assert!(!holds(&[(0, 3), (1, -3)], &[], 0, NEED));
    assert!(!holds(&[(0, 3), (1, -3)], &[], 0, Need::Width(4)));
    assert!(!holds(&[], &[], 0, Need::Width(1)));
}

#[test]
fn two_tables_that_agree_with_what_is_published_are_a_proof() {
    assert!(holds(&[(0, 3), (1, -3)], &[(0, -1), (1, 1)], 0, NEED));
    assert!(holds(&[(0, 3), (1, -3)], &[(0, -1), (1, 1)], 0, Need::Width(4)));
}
