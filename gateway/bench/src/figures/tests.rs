use super::*;
use crate::process::Cpu;

#[test]
fn the_middle_of_an_even_number_lies_between_two() {
    assert_eq!(Spread::of([4.0, 1.0, 3.0, 2.0]), Spread { min: 1.0, median: 2.5, max: 4.0 });
    assert_eq!(Spread::of([2.0, 9.0, 1.0]).median, 2.0);
    assert_eq!(Spread::of([]), Spread::default());
}

#[test]
fn a_summary_takes_the_best_round_and_counts_what_went_wrong() {
    let round = |user, system, done| Outcome {
        done,
        seconds: 2.0,
        cpu: Cpu { user, system },
        statuses: [(200, done), (429, 3)].into(),
        broken: 1,
        ..Outcome::default()
    };
    let summary = Summary::of(&[round(300, 100, 10), round(100, 100, 10)]);
    assert_eq!(summary.cpu, Spread { min: 20.0, median: 30.0, max: 40.0 });
    assert_eq!((summary.system_share, summary.rate.min), (0.5, 5.0));
    assert_eq!((summary.done, summary.other, summary.broken), (20, 6, 2));
}

#[test]
fn a_table_has_a_line_for_each_row() {
    let text = table(&["a", "b"], &[vec!["x".to_owned(), "1".to_owned()]]);
    assert_eq!(text, "| a | b |\n| --- | ---: |\n| x | 1 |\n");
}
