use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn known(second: i64, ended: u64) -> Known {
    let now = Timestamp::from_second(1_800_000_000 + second).unwrap();
    Known { now, overlap: 60, ended }
}

fn read(positions: &[i64]) -> Coverage {
    let mut coverage = Coverage::default();
    positions.iter().for_each(|position| coverage.note(*position));
    coverage
}

fn sample(coverage: &mut Coverage, second: i64, begun: u64) {
    let known = known(second, 0);
    if coverage.wants_sample(&known) {
        coverage.sample(&known, begun);
    }
}

#[test]
fn what_was_passed_over_is_a_gap_until_it_is_read() {
    let mut coverage = read(&[3, 4, 9]);
    assert_eq!(coverage.gaps(9), [(i64::MIN, 2), (5, 8)]);
    assert!(coverage.lacks(7) && coverage.lacks(10) && coverage.lacks(1) && !coverage.lacks(4));
    coverage.note(7);
    assert_eq!(coverage.gaps(9), [(i64::MIN, 2), (5, 6), (8, 8)]);
    coverage.note(8);
    assert_eq!(coverage.gaps(9), [(i64::MIN, 2), (5, 6)]);
}

#[test]
fn a_gap_stays_while_a_transaction_of_its_time_is_open() {
    let mut coverage = read(&[1, 5]);
    sample(&mut coverage, 0, 100);
    coverage.note(9);
    // Long after, but transaction 95 is still open.
    coverage.settle(&known(900, 95));
    assert_eq!(coverage.gaps(9), [(i64::MIN, 0), (2, 4), (6, 8)]);
    coverage.settle(&known(900, 100));
    assert_eq!(coverage.gaps(9), [(6, 8)]);
}

#[test]
fn a_gap_stays_for_the_time_of_the_overlap_even_when_no_transaction_is_open() {
    let mut coverage = read(&[1, 5]);
    sample(&mut coverage, 0, 0);
    coverage.settle(&known(60, 0));
    assert_eq!(coverage.gaps(9).len(), 2);
    coverage.settle(&known(61, 0));
    assert_eq!(coverage.gaps(9).len(), 0);
}

#[test]
fn a_clock_that_is_set_back_forgets_nothing_early() {
    let mut coverage = read(&[1, 5]);
    sample(&mut coverage, 3_600, 0);
    coverage.settle(&known(10, 0));
    assert_eq!(coverage.gaps(9).len(), 2);
}

#[test]
fn samples_and_gaps_are_bounded_in_a_mark() {
    let mut coverage = Coverage::default();
    for second in 0..10_000 {
        sample(&mut coverage, second, 2);
        // One transaction stays open all the time.
        coverage.settle(&known(second, 1));
        coverage.note(i64::MAX / 2 + second * 3);
    }
    assert!(coverage.samples.len() <= MAX_SAMPLES, "{}", coverage.samples.len());
    let text = serde_json::to_string(&coverage.keep()).unwrap();
    assert!(text.len() < 3_500, "{}", text.len());
}

proptest! {
    /// Whatever order positions come in, nothing that was not read counts as read, also after it
    /// was kept and read back.
    #[test]
    fn what_was_not_read_is_never_covered(positions in prop::collection::vec(-300_i64..300, 1..200)) {
        let coverage = read(&positions);
        let done: BTreeSet<i64> = positions.into_iter().collect();
        let kept = Coverage::from(coverage.keep());
        for position in -310..310 {
            prop_assert_eq!(coverage.lacks(position), !done.contains(&position));
            prop_assert!(kept.lacks(position) || done.contains(&position));
        }
    }
}
