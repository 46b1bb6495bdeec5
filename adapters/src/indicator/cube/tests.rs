use super::*;
use crate::{
    indicator::testing::{CASES, read},
    query::Rows,
};

fn rows(rows: &[&[&str]]) -> Rows {
    let cell = |text: &&str| (*text != "null").then(|| (*text).to_owned());
    Rows(rows.iter().map(|row| row.iter().map(cell).collect()).collect())
}

const SHARE: &[(&str, &str)] =
    &[("kind: count", "kind: share"), ("value: value", "numerator: part, denominator: whole")];
const SUM: &[(&str, &str)] = &[
    ("kind: count", "kind: sum\ndecimals: 2"),
    ("{value: value}", "{value: value, contributors: c, largest: [first, second]}"),
    ("{threshold: 5}", "{threshold: 3, p_percent: 10, protection: {share: 10}}"),
];

#[test]
fn refuses_a_share_of_more_than_the_whole_and_sums_without_what_the_rules_need() {
    let share = read(CASES, SHARE).unwrap();
    let told = table(&share, &rows(&[&["a", "1", "9", "8"]])).unwrap_err().to_string();
    assert!(told.contains("column `part` is larger than the denominator"), "{told}");
    let sum = read(CASES, SUM).unwrap();
    let told = table(&sum, &rows(&[&["a", "1", "9.001", "1", "9", "null"]])).unwrap_err();
    assert!(told.to_string().contains("more decimals than the table"), "{told}");
    let told = table(&sum, &rows(&[&["a", "1", "9", "null", "9", "null"]])).unwrap_err();
    assert_eq!(told.to_string(), "column `c` has a row without a value");
    let told = table(&sum, &rows(&[&["a", "1", "9", "2", "9", "5"]])).unwrap_err();
    assert!(told.to_string().contains("do not fit its figure"), "{told}");
}

#[test]
fn totals_are_added_up_along_every_level() {
    let definition = read(CASES, &[]).unwrap();
    let made = table(&definition, &rows(&[&["a", "1", "7"], &["b", "1", "5"], &["c", "2", "4"]]));
    let made = made.unwrap();
    let value = |codes: &[&str]| made.value(made.shape().cell(codes).unwrap());
    assert_eq!(value(&["north", "1"]), Some(12));
    assert_eq!(value(&["north", "all"]), Some(12));
    assert_eq!(value(&["all", "2"]), Some(4));
    assert_eq!(value(&["all", "all"]), Some(16));
}

#[test]
fn a_share_is_a_table_of_what_is_in_it_and_what_is_left() {
    let share = read(CASES, SHARE).unwrap();
    let made = table(&share, &rows(&[&["a", "1", "3", "8"], &["b", "2", "1", "2"]])).unwrap();
    let value = |codes: &[&str]| made.value(made.shape().cell(codes).unwrap());
    assert_eq!(value(&["all", "all", "all"]), Some(10));
    assert_eq!(value(&["all", "all", "in"]), Some(4));
    assert_eq!(value(&["north", "1", "out"]), Some(5));
}

#[test]
fn figures_are_written_with_their_decimals() {
    let written = [(0, 0), (7, 0), (7, 2), (1_234, 2), (u64::MAX, 9)].map(|(n, d)| decimal(n, d));
    assert_eq!(written, ["0", "7", "0.07", "12.34", "18446744073.709551615"]);
}
