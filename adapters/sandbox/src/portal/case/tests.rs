use super::{super::ledger::Illegal, *};
use crate::portal::refusal::ALL;

fn cases() -> (Cases, Ledger) {
    (Cases::new(Holder::Portal), Ledger::default())
}

/// The content is told by a number.
fn change(status: u8, content: u128) -> Change {
    Change { code: "A".to_owned(), status, digest: content, at: 0 }
}

fn step(at: u64, status: u8) -> Change {
    Change { code: "A".to_owned(), status, digest: u128::from(at) << 8 | u128::from(status), at }
}

/// The statuses and the ways between them, from the public list and the derived table.
#[test]
fn refuses_every_way_between_statuses_that_is_not_in_the_table() {
    let legal = [
        (1, vec![2, 3, 7]),
        (2, vec![4, 5, 7, 8]),
        (4, vec![5, 6, 7, 8, 9]),
        (5, vec![4, 7, 8]),
        (6, vec![4, 7, 8]),
        (9, vec![10]),
    ];
    for from in 1..=10_u8 {
        for to in 1..=10_u8 {
            let expected = from == to
                || legal.iter().any(|(status, next)| *status == from && next.contains(&to));
            let (mut cases, mut ledger) = cases();
            cases.apply("A", from, 1);
            let taken = cases.sync(&change(to, 2), Updating::Yes, &mut ledger).is_ok();
            assert_eq!(taken, expected, "{from} to {to}");
            assert_eq!(ledger.illegal_transitions, u64::from(!expected));
            assert_eq!(cases.status_of("A"), Some(if expected { to } else { from }));
        }
    }
}

#[test]
fn names_the_transition_it_refused() {
    let (mut cases, mut ledger) = cases();
    cases.sync(&change(1, 1), Updating::No, &mut ledger).unwrap();
    assert_eq!(cases.step(&step(5, 9), &mut ledger), Err(ILLEGAL_TRANSITION));
    let seen = Illegal { case: "A".to_owned(), from: 1, to: 9 };
    assert_eq!((ledger.named, ledger.order_violations), (vec![seen], 1));
}

#[test]
fn refuses_other_content_as_a_new_case_and_takes_the_same_twice() {
    let (mut cases, mut ledger) = cases();
    cases.sync(&change(1, 1), Updating::No, &mut ledger).unwrap();
    cases.sync(&change(1, 1), Updating::No, &mut ledger).unwrap();
    assert_eq!((ledger.repeated, cases.len()), (1, 1));
    let other = cases.sync(&change(2, 2), Updating::No, &mut ledger);
    assert_eq!(other, Err(OTHER_CONTENT));
    cases.sync(&change(2, 2), Updating::Yes, &mut ledger).unwrap();
    cases.sync(&change(2, 2), Updating::Yes, &mut ledger).unwrap();
    assert_eq!((ledger.repeated, ledger.order_violations), (2, 0));
    assert_eq!(cases.history_of("A"), [1, 2]);
}

#[test]
fn counts_what_comes_too_early() {
    let (mut cases, mut ledger) = cases();
    let early = cases.sync(&change(1, 1), Updating::Yes, &mut ledger);
    assert_eq!(early, Err(UNKNOWN_CASE));
    let late = cases.sync(&change(9, 1), Updating::No, &mut ledger);
    assert_eq!(late, Err(ILLEGAL_TRANSITION));
    assert_eq!(cases.step(&step(1, 4), &mut ledger), Err(UNKNOWN_CASE));
    assert_eq!(cases.set_status(&change(4, 0), &mut ledger), Err(UNKNOWN_CASE));
    assert_eq!(ledger.order_violations, 4);
}

#[test]
fn counts_a_step_that_it_holds_twice() {
    let (mut cases, mut ledger) = cases();
    cases.sync(&change(2, 1), Updating::No, &mut ledger).unwrap();
    cases.step(&step(8, 4), &mut ledger).unwrap();
    cases.step(&step(8, 4), &mut ledger).unwrap();
    cases.step(&step(7, 5), &mut ledger).unwrap();
    assert_eq!((ledger.duplicates, ledger.order_violations), (1, 1));
    assert_eq!((cases.steps(), cases.history_of("A")), (3, vec![2, 4, 5]));
}

#[test]
fn a_status_alone_leaves_the_content() {
    let (mut cases, mut ledger) = cases();
    cases.sync(&change(1, 1), Updating::No, &mut ledger).unwrap();
    cases.set_status(&change(2, 0), &mut ledger).unwrap();
    cases.set_status(&change(2, 0), &mut ledger).unwrap();
    cases.sync(&change(1, 1), Updating::No, &mut ledger).unwrap();
    assert_eq!((cases.status_of("A"), ledger.repeated), (Some(2), 2));
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let codes: std::collections::BTreeSet<&str> = ALL.iter().map(|error| error.code).collect();
    assert_eq!(codes.len(), ALL.len());
    let manual = include_str!("../../../../../gateway/docs/sandbox.md");
    for error in ALL {
        assert!(manual.contains(&format!("| {} |", error.code)), "{} has no row", error.code);
    }
}
