use std::collections::BTreeSet;

use proptest::{
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};

use super::*;

fn records(rows: &[(&str, u32, &str)]) -> Records {
    let mut records =
        Records::new(&["ward", "age"], &["illness"], Limits::default()).expect("columns");
    for (ward, age, illness) in rows {
        let quasi = [Value::Text(ward), Value::Id(*age)];
        records.push(&quasi, &[Value::Text(illness)]).expect("a row");
    }
    records
}

const PLAIN: Criteria = Criteria { k: 2, diversity: None };

#[test]
fn refuses_groups_that_are_too_small_and_tells_their_sizes_alone() {
    let records = records(&[
        ("w1", 30, "flu"),
        ("w1", 30, "flu"),
        ("w1", 40, "flu"),
        ("w2", 30, "secret illness"),
    ]);
    let assessment = records.assess(&PLAIN).expect("an assessment");
    let sizes = Sizes::from([(1, Tally { groups: 2, records: 2 })]);
    let refused = Assessment::Refused { too_small: sizes, too_uniform: BTreeMap::new() };
    assert_eq!(assessment, refused);
    assert!(!format!("{assessment:?} {records:?} {:?}", Value::Text("secret")).contains("secret"));
}

#[test]
fn refuses_groups_whose_sensitive_values_are_too_much_alike() {
    let rows = [("w1", 30, "a"), ("w1", 30, "a"), ("w1", 30, "a"), ("w1", 30, "b")];
    let records = records(&rows);
    let assess = |diversity| {
        records.assess(&Criteria { k: 4, diversity: Some(diversity) }).expect("an assessment")
    };
    // Two values, but one of them has three quarters.
    let Assessment::Refused { too_small, too_uniform } = assess(Diversity::Entropy(2)) else {
        panic!("an entropy of 0.56 is less than that of two equal values")
    };
    assert!(too_small.is_empty());
    assert_eq!(too_uniform["illness"], Sizes::from([(4, Tally { groups: 1, records: 4 })]));
    assert!(matches!(assess(Diversity::Distinct(3)), Assessment::Refused { .. }));
    assert!(matches!(assess(Diversity::Distinct(2)), Assessment::Passes { .. }));
}

#[test]
fn equal_shares_reach_their_entropy_exactly() {
    for l in 2..=40_u32 {
        let mut records = Records::new(&["q"], &["s"], Limits::default()).expect("columns");
        for value in 0..l {
            for _ in 0..7 {
                records.push(&[Value::Id(0)], &[Value::Id(value)]).expect("a row");
            }
        }
        let assess = |l: u32| {
            let diversity = Some(Diversity::Entropy(u64::from(l)));
            records.assess(&Criteria { k: 2, diversity }).expect("an assessment")
        };
        assert!(matches!(assess(l + 1), Assessment::Refused { .. }), "{l}");
        assert!(
            matches!(assess(l), Assessment::Passes { smallest, .. } if smallest == u64::from(7 * l))
        );
    }
}

#[test]
fn refuses_beyond_its_bounds_and_says_nothing_afterwards() {
    let limits =
        |most_groups, most_values, most_pairs| Limits { most_groups, most_values, most_pairs };
    for (limits, error) in [
        (limits(2, 100, 100), AnonymityError::TooManyGroups),
        (limits(100, 4, 100), AnonymityError::TooManyValues),
        (limits(100, 100, 2), AnonymityError::TooManyValues),
    ] {
        let mut records = Records::new(&["q"], &["s"], limits).expect("columns");
        let mut push = |n| records.push(&[Value::Id(n)], &[Value::Id(n)]);
        assert_eq!(push(0), Ok(()));
        assert_eq!(push(1), Ok(()));
        assert_eq!(push(2), Err(error.clone()));
        assert_eq!(push(0), Err(error.clone()));
        assert_eq!(records.assess(&PLAIN), Err(error.clone()));
        assert_eq!(records.suggest(&PLAIN, &[Ladder::none()], 10), Err(error));
    }
}

#[test]
fn refuses_what_does_not_fit() {
    assert_eq!(Records::new(&[], &[], Limits::default()).err(), Some(AnonymityError::NoColumns));
    let empty = Records::new(&["q"], &[], Limits::default()).expect("columns");
    assert_eq!(empty.assess(&PLAIN), Err(AnonymityError::Empty));
    assert_eq!(empty.clone().push(&[], &[]), Err(AnonymityError::WrongRow));
    let one = Criteria { k: 1, diversity: None };
    assert_eq!(empty.assess(&one), Err(AnonymityError::Criteria));
    let diverse = Criteria { k: 2, diversity: Some(Diversity::Distinct(2)) };
    assert_eq!(empty.assess(&diverse), Err(AnonymityError::NoSensitiveColumn));
    let records = records(&[("w1", 30, "a")]);
    let too_few = records.suggest(&PLAIN, &[Ladder::none()], 10);
    assert_eq!(too_few, Err(AnonymityError::WrongLadders));
}

#[test]
fn suggests_the_levels_that_would_pass() {
    let records = records(&[("w1", 31, "a"), ("w2", 32, "b"), ("w3", 41, "a"), ("w4", 42, "b")]);
    let ward = |code, district| (Value::Text(code), vec![Value::Text(district), Value::Text("*")]);
    let wards = [ward("w1", "d1"), ward("w2", "d1"), ward("w3", "d2"), ward("w4", "d2")];
    let age = |age| (Value::Id(age), vec![Value::Id(age / 10), Value::Id(0)]);
    let ages = [age(31), age(32), age(41), age(42)];
    let ladders = [Ladder::new(&wards).expect("a ladder"), Ladder::new(&ages).expect("a ladder")];
    assert_eq!(records.suggest(&PLAIN, &ladders, 100), Ok(Suggestion::Levels(vec![1, 1])));
    let all = Criteria { k: 4, diversity: None };
    assert_eq!(records.suggest(&all, &ladders, 100), Ok(Suggestion::Levels(vec![2, 2])));
    let more = Criteria { k: 5, diversity: None };
    assert_eq!(records.suggest(&more, &ladders, 100), Ok(Suggestion::Nothing));
    assert_eq!(records.suggest(&PLAIN, &ladders, 1), Ok(Suggestion::OutOfSteps));
}

/// Whether rows at certain levels pass, by sorting and comparing every pair.
fn passes(rows: &[(Vec<u32>, u32)], levels: &[usize], k: usize, l: usize) -> bool {
    let general = |row: &[u32]| -> Vec<u32> {
        row.iter().zip(levels).map(|(value, level)| value >> level).collect()
    };
    rows.iter().all(|(row, _)| {
        let group: Vec<_> = rows.iter().filter(|(r, _)| general(r) == general(row)).collect();
        let distinct: BTreeSet<u32> = group.iter().map(|(_, s)| *s).collect();
        group.len() >= k && distinct.len() >= l
    })
}

#[test]
fn the_suggestion_is_the_first_of_the_smallest_that_pass() {
    let config = ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]));
    let row = (prop::collection::vec(0_u32..8, 2), 0_u32..3);
    let rows = prop::collection::vec(row, 1..24);
    let outcome = runner.run(&(rows, 2_usize..5, 2_usize..3), |(rows, k, l)| {
        let mut records = Records::new(&["a", "b"], &["s"], Limits::default()).expect("columns");
        for (row, sensitive) in &rows {
            let row: Vec<Value<'_>> = row.iter().map(|value| Value::Id(*value)).collect();
            records.push(&row, &[Value::Id(*sensitive)]).expect("a row");
        }
        let entry = |n: u32| (Value::Id(n), (1..=3).map(|level| Value::Id(n >> level)).collect());
        let ladder = Ladder::new(&(0..8).map(entry).collect::<Vec<_>>()).expect("a ladder");
        let criteria = Criteria { k: k as u64, diversity: Some(Diversity::Distinct(l as u64)) };
        let found = records.suggest(&criteria, &[ladder.clone(), ladder], 1_000).expect("one");
        let all = (0..=3).flat_map(|a| (0..=3).map(move |b| vec![a, b]));
        let mut good: Vec<Vec<usize>> = all.filter(|levels| passes(&rows, levels, k, l)).collect();
        good.sort_by_key(|levels| (levels.iter().sum::<usize>(), levels.clone()));
        let expected = good.into_iter().next().map_or(Suggestion::Nothing, Suggestion::Levels);
        assert_eq!(found, expected);
        let assessed = records.assess(&criteria).expect("an assessment");
        assert_eq!(matches!(assessed, Assessment::Passes { .. }), passes(&rows, &[0, 0], k, l));
        Ok(())
    });
    outcome.expect("every suggestion");
}
