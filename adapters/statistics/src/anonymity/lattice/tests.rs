use std::cell::RefCell;

use super::*;

fn search(tops: &[usize], most: usize, passes: &dyn Fn(&[usize]) -> bool) -> Suggestion {
    Lattice::new(tops, passes, most).search()
}

#[test]
fn says_so_when_nothing_passes_or_the_bound_is_reached() {
    assert_eq!(search(&[2, 3], 100, &|_| false), Suggestion::Nothing);
    let only_top = |levels: &[usize]| levels == [9, 9, 9];
    assert_eq!(search(&[9, 9, 9], 10, &only_top), Suggestion::OutOfSteps);
    assert_eq!(search(&[9, 9, 9], 10_000, &only_top), Suggestion::Levels(vec![9, 9, 9]));
}

#[test]
fn finds_the_smallest_sum_and_of_several_the_first() {
    assert_eq!(search(&[3, 3], 100, &|_| true), Suggestion::Levels(vec![0, 0]));
    let product = |levels: &[usize]| (levels[0] + 1) * (levels[1] + 1) >= 6;
    assert_eq!(search(&[5, 5], 100, &product), Suggestion::Levels(vec![1, 2]));
    assert_eq!(search(&[], 100, &|_| true), Suggestion::Levels(vec![]));
}

#[test]
fn what_lies_below_a_failure_is_not_tried() {
    let tried = RefCell::new(Vec::new());
    let passes = |levels: &[usize]| {
        tried.borrow_mut().push(levels.to_vec());
        levels[1] >= 1
    };
    assert_eq!(search(&[4, 1], 100, &passes), Suggestion::Levels(vec![0, 1]));
    // (2, 0) failed at the sum of two, so (1, 0) and (0, 0) are known to.
    let tried = tried.borrow();
    assert!(!tried.contains(&vec![0, 0]) || !tried.contains(&vec![2, 0]), "{tried:?}");
}
