use super::*;
use crate::tests::tables::{dimension, from_leaves};

const WANTED: Wanted = Wanted { up: 2, down: 1, both: 3 };

fn none() -> (Change, Change) {
    (Change::new(), Change::new())
}

#[test]
fn finds_no_move_where_all_else_has_to_stay_published() {
    let table = from_leaves(vec![dimension("d", &[3])], &[1, 8, 9]);
    let target = table.shape().cell(&["g0.0"]).expect("a cell");
    let others = table.shape().cells().filter(|cell| *cell != target).collect();
    let mut search = Search::new(&table, &others, 0, 1_000, 100);
    search.hide(target, true);
    let (up, down) = none();
    assert_eq!(search.best(target, Reach::Further, WANTED, (&up, &down)), Ok(None));
}

#[test]
fn a_move_within_what_is_hidden_costs_nothing_and_changes_no_published_cell() {
    let table = from_leaves(vec![dimension("d", &[3]), dimension("e", &[2])], &[1, 8, 9, 7, 6, 5]);
    let target = table.shape().cell(&["g0.0", "g0.0"]).expect("a cell");
    let mut search = Search::new(&table, &BTreeSet::new(), 0, 100_000, 1_000);
    search.hide(target, true);
    let (up, down) = none();
    let changes = (&up, &down);
    assert_eq!(search.best(target, Reach::HiddenOnly, WANTED, changes), Ok(None));
    let found = search.best(target, Reach::Further, WANTED, changes).expect("in time");
    let found = found.expect("a move");
    assert_eq!((found.up, found.down), (2, 1));
    assert_eq!(found.cells.len(), 4);
    for (cell, _) in &found.cells {
        assert!(table.shape().is_leaf(Cell(*cell)), "leaves alone make up for each other");
        search.hide(Cell(*cell), true);
    }
    let again = search.best(target, Reach::HiddenOnly, WANTED, changes).expect("in time");
    assert_eq!(again.map(|found| found.cost), Some(0));
}

#[test]
fn ends_when_its_steps_are_spent() {
    let table = from_leaves(vec![dimension("d", &[3])], &[1, 8, 9]);
    let target = table.shape().cell(&["g0.0"]).expect("a cell");
    let mut search = Search::new(&table, &BTreeSet::new(), 0, 2, 100);
    let (up, down) = none();
    assert_eq!(search.best(target, Reach::Further, WANTED, (&up, &down)), Err(OutOfSteps));
}

#[test]
fn a_move_out_of_a_group_passes_through_the_group() {
    let table = from_leaves(vec![dimension("d", &[1, 1])], &[1, 8]);
    let d = table.shape().dimensions().next().expect("a dimension").clone();
    let leaf = d.category("g0.0").expect("a category");
    let ways: Vec<Vec<(&str, bool)>> = ways(&d, leaf, 100)
        .into_iter()
        .map(|way| way.into_iter().map(|(category, adds)| (d.code(category), adds)).collect())
        .collect();
    let across = vec![("g0.0", true), ("g0", true), ("g1.0", false), ("g1", false)];
    let alone = vec![("g0.0", true), ("g0", true), ("T", true)];
    assert_eq!(ways, [across, alone]);
}

#[test]
fn lists_are_cut_so_that_their_product_stays_within_the_bound() {
    let list = |n: u64| (0..n).map(|cost| Path { steps: Vec::new(), cost }).collect::<Vec<_>>();
    let mut lists = vec![list(500), list(2), list(500)];
    limit(&mut lists, 2_000);
    let lengths: Vec<usize> = lists.iter().map(Vec::len).collect();
    assert_eq!(lengths[1], 2);
    assert!(lengths.iter().product::<usize>() <= 2_000 && lengths[0] > 20, "{lengths:?}");
    assert_eq!(lists[0].last().map(|path| path.cost), Some(lengths[0] as u64 - 1));
}
