use std::collections::BTreeSet;

use super::*;
use crate::{
    suppress::{Bounds, Rules, Suppression, suppress},
    table::{Dimension, Shape, Table},
    tests::tables::from_leaves,
};

fn flat(name: &str, codes: &[&str]) -> Dimension {
    Dimension::flat(name, "T", codes).expect("a dimension")
}

fn run(table: &Table) -> Suppression {
    suppress(table, &Rules::counts(5), &BTreeSet::new(), &Bounds::default()).expect("a pattern")
}

fn compared(new: &Suppression, earlier: &[Release]) -> Vec<String> {
    let found = compare(new, "cases", earlier, &AuditBounds::default()).expect("an answer");
    found.iter().map(ToString::to_string).collect()
}

/// Wards by sex: the first ward has one woman.
fn wards() -> Table {
    from_leaves(
        vec![flat("ward", &["w1", "w2", "w3"]), flat("sex", &["f", "m"])],
        &[1, 20, 30, 40, 50, 60],
    )
}

fn published(table: &Table) -> Release {
    let figures = table.shape().cells().map(|cell| table.value(cell)).collect();
    Release::new("cases", table.shape().clone(), figures, 0).expect("a release")
}

#[test]
fn a_cell_that_an_earlier_revision_published_is_told() {
    let new = run(&wards());
    let found = compared(&new, &[published(&wards())]);
    let told = "`ward=w1,sex=f` is suppressed now and was published in release 0".to_owned();
    assert!(found.contains(&told), "{found:?}");
    // Nothing of another statistic is the same figure.
    let shape = wards().shape().clone();
    let figures = shape.cells().map(|cell| wards().value(cell)).collect();
    let other = Release::new("deaths", shape, figures, 0).expect("a release");
    assert_eq!(compared(&new, &[other]), Vec::<String>::new());
}

#[test]
fn an_earlier_table_with_another_pattern_gives_a_cell_away() {
    let new = run(&wards());
    let shape = wards().shape().clone();
    let hidden = |cell: Cell| new.figure(cell).is_none();
    let small = shape.cell(&["w1", "f"]).expect("a cell");
    // The same table once hid the small cell behind other complements: each pattern is good, both
    // together are not.
    let others =
        ["w1", "w3"].map(|ward| ["f", "m"].map(|sex| shape.cell(&[ward, sex]).expect("one")));
    let other: BTreeSet<Cell> = if hidden(shape.cell(&["w3", "f"]).expect("a cell")) {
        ["w1", "w2"]
            .iter()
            .flat_map(|w| ["f", "m"].map(|s| shape.cell(&[w, s]).expect("one")))
            .collect()
    } else {
        others.into_iter().flatten().collect()
    };
    let figure = |cell| (!other.contains(&cell)).then(|| wards().value(cell)).flatten();
    let earlier = Release::new("cases", shape.clone(), shape.cells().map(figure).collect(), 0);
    let found = compared(&new, &[earlier.expect("a release")]);
    let told = format!("`{}` can be derived from all releases together", shape.name(small));
    assert!(found.contains(&told), "{found:?}");
}

#[test]
fn a_table_of_other_dimensions_gives_a_cell_away() {
    // By ward alone, one ward is small, and hidden behind another.
    let table = from_leaves(vec![flat("ward", &["w1", "w2", "w3"])], &[3, 20, 30]);
    let new = run(&table);
    assert_eq!(compared(&new, &[]), Vec::<String>::new());
    // By ward and sex, the totals of the wards had been published.
    let by_sex = from_leaves(
        vec![flat("sex", &["f", "m"]), flat("ward", &["w1", "w2", "w3"])],
        &[1, 9, 10, 2, 11, 20],
    );
    let found = compared(&new, &[published(&by_sex)]);
    assert!(
        found.contains(&"`ward=w1` is suppressed now and was published in release 0".to_owned()),
        "{found:?}"
    );
    // Or only their parts, which add up.
    let is_total = |cell: Cell| by_sex.shape().name(cell).0.iter().any(|(_, code)| code == "T");
    let figure = |cell| by_sex.value(cell).filter(|_| !is_total(cell));
    let figures = by_sex.shape().cells().map(figure).collect();
    let parts = Release::new("cases", by_sex.shape().clone(), figures, 0).expect("a release");
    let found = compared(&new, &[parts]);
    let told = "`ward=w1` can be derived from all releases together".to_owned();
    assert!(found.contains(&told), "{found:?}");
}

#[test]
fn a_cell_that_is_only_narrowed_is_told_too() {
    let table = from_leaves(vec![flat("ward", &["w1", "w2", "w3"])], &[3, 20, 30]);
    let new = run(&table);
    // The earlier table says that one of two parts of the ward is two: the ward cannot be none.
    let shape = Shape::new(vec![flat("ward", &["w1", "w2", "w3"]), flat("sex", &["f", "m"])], 100);
    let shape = shape.expect("a shape");
    let part = shape.cell(&["w1", "f"]).expect("a cell");
    let figures = shape.cells().map(|cell| (cell == part).then_some(2)).collect();
    let earlier = Release::new("cases", shape, figures, 0).expect("a release");
    let found = compared(&new, &[earlier]);
    assert!(!found.is_empty());
    assert!(found.iter().any(|told| told.contains("is not proven")), "{found:?}");
}

#[test]
fn figures_that_were_revised_are_told_even_when_nothing_else_can_be() {
    let new = run(&wards());
    let revised = from_leaves(
        vec![flat("ward", &["w1", "w2", "w3"]), flat("sex", &["f", "m"])],
        &[1, 20, 30, 40, 50, 61],
    );
    let earlier = run(&revised).release("cases").expect("a release");
    let found = compared(&new, &[earlier]);
    let told = "`ward=T,sex=T` is published with two different figures".to_owned();
    assert!(found.contains(&told), "{found:?}");
}

#[test]
fn the_same_pattern_again_gives_nothing_away() {
    let new = run(&wards());
    let earlier = new.release("cases").expect("a release");
    assert_eq!(compared(&new, &[earlier.clone(), earlier]), Vec::<String>::new());
}

#[test]
fn refuses_what_cannot_be_compared_within_the_bounds() {
    let new = run(&wards());
    let bounds = AuditBounds { most_together: 1, ..AuditBounds::default() };
    assert!(matches!(compare(&new, "cases", &[], &bounds), Err(AuditError::TooLarge(_))));
}
