use super::*;
use crate::{
    table::{Contributions, Dimension, Figure, RawCell, Shape},
    tests::tables::{dimension, from_leaves},
};

const SUMS: Kind = Kind::Sums { decimals: 0 };

/// A cell that is its own total, of these contributions.
fn sum(value: i128, contributors: u64, largest: &[i128]) -> Table {
    let dimension = Dimension::flat("d", "T", &[]).expect("a dimension");
    let shape = Shape::new(vec![dimension], 10).expect("a shape");
    let largest = largest.iter().map(|n| Figure::Whole(*n)).collect();
    let contributions = Some(Contributions { contributors, largest });
    let cell = RawCell { codes: vec!["T"], figure: Figure::Whole(value), contributions };
    Table::new(shape, SUMS, [cell]).expect("a table")
}

fn for_sums() -> Rules {
    Rules { threshold: None, protection: Protection::Around(1), ..Rules::counts(3) }
}

fn only(table: &Table, rules: &Rules) -> Option<Need> {
    primary(table, rules).expect("rules that fit").into_values().next()
}

#[test]
fn refuses_rules_that_do_not_fit_the_table() {
    let counts = from_leaves(vec![dimension("d", &[2])], &[1, 9]);
    let of = |rules: Rules| primary(&counts, &rules).err();
    assert_eq!(of(Rules { threshold: None, ..Rules::counts(3) }), Some(RulesError::None));
    assert_eq!(of(Rules::counts(1)), Some(RulesError::Threshold(2)));
    let published = Rules { zeros: Zeros::Published, ..Rules::counts(2) };
    assert_eq!(of(published), Some(RulesError::Threshold(3)));
    let p = Rules { p_percent: Some(10), ..Rules::counts(3) };
    assert_eq!(of(p), Some(RulesError::CountsHaveNoContributors));
    let nothing = Rules { complement_width: 0, ..Rules::counts(3) };
    assert_eq!(of(nothing), Some(RulesError::OutOfRange("complement_width")));
    let around = Rules { protection: Protection::Around(0), ..Rules::counts(3) };
    assert_eq!(of(around), Some(RulesError::OutOfRange("protection")));

    let sums = sum(100, 3, &[50, 30]);
    let of = |rules: Rules| primary(&sums, &rules).err();
    assert_eq!(of(for_sums()), Some(RulesError::None));
    assert_eq!(of(Rules::counts(3)), Some(RulesError::RangeOfSums));
    let dominance = Dominance { largest: 1, percent: 100 };
    let all = Rules { dominance: Some(dominance), ..for_sums() };
    assert_eq!(of(all), Some(RulesError::OutOfRange("dominance")));
}

#[test]
fn refuses_sums_whose_contributions_are_missing() {
    let dimension = Dimension::flat("d", "T", &[]).expect("a dimension");
    let shape = Shape::new(vec![dimension], 10).expect("a shape");
    let table = Table::new(shape, SUMS, [RawCell::count(&["T"], 5)]).expect("a table");
    let few = Rules { threshold: Some(3), ..for_sums() };
    let error = primary(&table, &few).expect_err("no contributions");
    assert_eq!(error.to_string(), "the contributions of `d=T` are needed and were not given");
    // The rule asks for the largest two, and one of three is listed.
    let p = Rules { p_percent: Some(10), ..for_sums() };
    assert!(matches!(primary(&sum(90, 3, &[50]), &p), Err(RulesError::ContributionsMissing(_))));
}

#[test]
fn small_counts_are_primary_and_zeros_by_choice() {
    let table = from_leaves(vec![dimension("d", &[4])], &[0, 1, 4, 5]);
    let found = |zeros| {
        let rules = Rules { zeros, ..Rules::counts(5) };
        let found = primary(&table, &rules).expect("rules that fit");
        found.into_iter().map(|(cell, need)| (table.value(cell).expect("one"), need)).collect()
    };
    let range = |low| Need::Range(low, 4);
    let without_zero: Vec<(u64, Need)> = found(Zeros::Complement);
    assert_eq!(without_zero, [(1, range(0)), (4, range(0))]);
    let with_zero: Vec<(u64, Need)> = found(Zeros::Primary);
    assert_eq!(with_zero, [(0, range(0)), (1, range(0)), (4, range(0))]);
}

#[test]
fn a_published_zero_gives_away_that_the_others_are_not() {
    let table = from_leaves(vec![dimension("d", &[4, 1])], &[1, 1, 1, 0, 9]);
    let rules = Rules { zeros: Zeros::Published, complement_width: 2, ..Rules::counts(4) };
    let found = primary(&table, &rules).expect("rules that fit");
    let group = table.shape().cell(&["g0"]).expect("a cell");
    // Three leaves that are not zero: the group is three at least, so its range begins there.
    assert_eq!(found[&group], Need::Range(3, 5));
    let leaf = table.shape().cell(&["g0.0"]).expect("a cell");
    assert_eq!(found[&leaf], Need::Range(1, 3));
}

#[test]
fn dominance_and_p_percent_ask_for_what_they_lack() {
    let dominance =
        |largest, percent| Rules { dominance: Some(Dominance { largest, percent }), ..for_sums() };
    // 80 of 100 by one contributor, at most 75 allowed: 107 would have been fine.
    let table = sum(100, 5, &[80, 10]);
    assert_eq!(only(&table, &dominance(1, 75)), Some(Need::Range(93, 107)));
    assert_eq!(only(&table, &dominance(1, 80)), None);
    assert_eq!(only(&table, &dominance(2, 90)), None);
    assert_eq!(only(&table, &dominance(2, 89)), Some(Need::Range(98, 102)));
    // The second contributor subtracts its 10 and is 10 off, which is less than 20% of 80.
    let p = |percent| Rules { p_percent: Some(percent), ..for_sums() };
    assert_eq!(only(&table, &p(20)), Some(Need::Range(94, 106)));
    assert_eq!(only(&table, &p(12)), None);
    let few = Rules { threshold: Some(6), protection: Protection::Share(25), ..for_sums() };
    assert_eq!(only(&table, &few), Some(Need::Range(75, 125)));
    // One contributor is always known to itself only.
    assert_eq!(only(&sum(100, 1, &[100]), &p(10)), Some(Need::Range(90, 110)));
}
