use super::*;

#[test]
fn refuses_other_content_and_changes_of_what_is_not_there() {
    let (mut records, mut ledger) = (Records::default(), Ledger::default());
    let mut take =
        |key, digest, updating| records.take(&RATINGS, key, digest, updating, &mut ledger);
    assert_eq!(take("1", 5, Updating::Yes), Err(UNKNOWN_RECORD));
    assert_eq!(take("1", 5, Updating::No), Ok(()));
    assert_eq!(take("1", 5, Updating::No), Ok(()));
    assert_eq!(take("1", 6, Updating::No), Err(OTHER_CONTENT));
    assert_eq!(take("1", 6, Updating::Yes), Ok(()));
    assert_eq!(take("1", 6, Updating::Yes), Ok(()));
    assert_eq!((records.count(RATINGS.call), ledger.repeated), (1, 2));
    assert!(!records.holds(ANSWERS.call, "1"), "calls do not share keys");
}

#[test]
fn every_key_must_be_there() {
    for kind in KINDS {
        assert!(kind.required.contains(&kind.key), "{}", kind.call);
        assert_eq!(super::kind(kind.call), Some(kind));
    }
}

#[test]
fn another_change_of_a_known_parcel_is_a_record_of_its_own() {
    let (mut records, mut ledger) = (Records::default(), Ledger::default());
    let land = kind("CapNhatBienDong").unwrap();
    let mut take = |key, updating| records.take(land, key, 5, updating, &mut ledger);
    assert_eq!([take("1", Updating::No), take("2", Updating::Yes)], [Ok(()), Ok(())]);
    assert_eq!(records.count(land.call), 2);
}
