use uuid::Uuid;

use super::*;

fn change(revision: u64) -> Change {
    of_record(revision, revision)
}

fn of_record(revision: u64, record: u64) -> Change {
    Change { revision, record: Uuid::from_u128(record.into()).into() }
}

#[test]
fn a_revision_of_two_records_is_wrong() {
    let mut revisions = Revisions::default();
    assert_eq!(revisions.take_in(of_record(7, 1)), None);
    assert_eq!(revisions.take_in(of_record(7, 2)), Some(Wrong::Repeated));
    assert_eq!(revisions.take_in(of_record(7, 1)), None, "the same one told twice");
}

#[test]
fn a_registry_that_goes_on_from_an_older_state_is_wrong() {
    let mut revisions = Revisions::default();
    assert!((1..=9000).all(|revision| revisions.take_in(change(revision)).is_none()));
    let again = (1..=9000).map(|revision| revisions.take_in(of_record(revision, 1 << 40)));
    let wrong: Vec<Wrong> = again.flatten().collect();
    assert!(wrong.len() as u64 > 9000 - WINDOW - 1, "{}", wrong.len());
}

#[test]
fn changes_of_one_time_may_come_in_any_order_and_with_gaps() {
    let mut revisions = Revisions::default();
    let shuffled = (0..20_000_u64).map(|place| 10 * (place ^ 0x3f) + 3);
    for revision in shuffled {
        assert_eq!(revisions.take_in(change(revision)), None, "{revision}");
    }
}

#[test]
fn one_that_runs_ahead_of_too_many_is_wrong() {
    let mut revisions = Revisions::default();
    assert_eq!(revisions.take_in(change(1 << 40)), None);
    for revision in 1..=WINDOW {
        assert_eq!(revisions.take_in(change(revision)), None);
    }
    assert_eq!(revisions.take_in(change(WINDOW + 1)), Some(Wrong::Back));
}
