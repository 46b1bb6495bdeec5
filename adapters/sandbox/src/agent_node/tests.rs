use super::{
    DatasetSettings, Shown, check,
    ledger::{Incoming, Ledger},
    refusal::Refusal,
    release::Release,
};
use serde_json::{Map, Value, json};

fn rules() -> DatasetSettings {
    DatasetSettings {
        required: vec!["SoDangKy".to_owned()],
        citizen_numbers: vec!["SoDinhDanh".to_owned()],
        wards: vec!["NoiDangKy".to_owned()],
        releases: Vec::new(),
        least_percent: 90,
        at_least: 10,
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn incoming<'a>(id: &'a str, digest: &str, package: Option<&'a str>) -> Incoming<'a> {
    let digest = digest.to_owned();
    Incoming {
        id,
        sender: "H29",
        dataset: "HOTICH",
        digest,
        package,
        asks: false,
        releases: Vec::new(),
    }
}

#[test]
fn refuses_records_whose_identifiers_are_wrong() {
    let good = json!({"SoDangKy": "1", "SoDinhDanh": "079090901234", "NoiDangKy": "26740"});
    for (member, value) in [
        ("SoDangKy", Value::Null),
        ("SoDinhDanh", json!("07909090123")),
        ("SoDinhDanh", json!(79_090_901_234_u64)),
        ("NoiDangKy", json!("00000")),
    ] {
        let mut bad = object(&good);
        bad.insert(member.to_owned(), value);
        assert_eq!(check::record(&rules(), &bad), Err(Refusal::Identifier), "{member}");
    }
    assert_eq!(check::record(&rules(), &object(&good)), Ok(Vec::new()));
}

/// A record with a release of this revision, whose cells are these.
fn figures(revision: u32, cells: &Value) -> Map<String, Value> {
    let period = json!({"name": "2026-10", "from": "2026-10-01"});
    let content = json!({"indicator": "a", "period": period, "revision": revision, "cells": cells});
    object(&json!({"NoiDung": content.to_string()}))
}

fn release_rules() -> DatasetSettings {
    DatasetSettings { releases: vec!["NoiDung".to_owned()], at_least: 10, ..Default::default() }
}

#[test]
fn refuses_a_release_that_shows_what_it_withholds_and_what_is_none() {
    let rules = release_rules();
    let refused = Err(Refusal::Identifier);
    let both = json!([{"at": ["1"], "value": "3", "withheld": true}]);
    assert_eq!(check::record(&rules, &figures(1, &both)), refused);
    assert_eq!(check::record(&rules, &figures(1, &json!([]))), refused);
    assert_eq!(check::record(&rules, &object(&json!({"NoiDung": "{}"}))), refused);
    assert_eq!(check::record(&rules, &Map::new()), refused);
    let cells = json!([{"at": ["1"], "value": "30"}, {"at": ["2"], "withheld": true}]);
    let found = check::record(&rules, &figures(2, &cells)).unwrap();
    let release = Release { of: "a/2026-10-01".to_owned(), revision: 2, shown: 1, withheld: 1 };
    assert_eq!(found, [release]);
}

#[test]
fn refuses_a_release_that_is_no_newer_than_the_one_that_came_before() {
    let mut ledger = Ledger::default();
    let receipt = Map::new();
    let release =
        |revision| Release { of: "a/2026-10-01".to_owned(), revision, shown: 5, withheld: 2 };
    let message =
        |id, revision| Incoming { releases: vec![release(revision)], ..incoming(id, "aa", None) };
    ledger.accept(&message("m1", 2), &receipt, 1).unwrap();
    for revision in [1, 2] {
        assert_eq!(ledger.accept(&message("m2", revision), &receipt, 1), Err(Refusal::Revision));
    }
    ledger.accept(&message("m3", 3), &receipt, 1).unwrap();
    let shown = Shown { revision: 3, shown: 5, withheld: 2 };
    assert_eq!(ledger.report().releases["a/2026-10-01"], shown);
}

#[test]
fn refuses_a_data_set_below_its_threshold_until_enough_are_good() {
    let mut ledger = Ledger::default();
    let (rules, bad) = (rules(), Err::<(), _>(Refusal::Identifier));
    for _ in 0..2 {
        assert_eq!(ledger.count("HOTICH", &rules, bad), bad);
    }
    let good: Vec<_> = (0..20).map(|_| ledger.count("HOTICH", &rules, Ok(()))).collect();
    // Too few have come to say anything, then 8 of 10 to 17 of 19 are too few, and 18 of 20 are enough.
    assert!(good.iter().take(7).all(Result::is_ok));
    assert!(good.iter().skip(7).take(10).all(|taken| *taken == Err(Refusal::Quality)));
    assert!(good.iter().skip(17).all(Result::is_ok), "{good:?}");
}

#[test]
fn refuses_other_content_under_a_known_id_and_repeats_its_receipt() {
    let mut ledger = Ledger::default();
    let receipt = object(&json!({"maBienNhan": "BN-1"}));
    let message = incoming("m1", "aa", None);
    assert_eq!(ledger.known(&message), Ok(None));
    ledger.accept(&message, &receipt, 1).unwrap();
    assert_eq!(ledger.known(&incoming("m1", "bb", None)), Err(Refusal::OtherContent));
    assert_eq!(ledger.known(&message), Ok(Some(receipt.clone())));
    assert_eq!(ledger.receipt("m2", "H29"), Err(Refusal::UnknownMessage));
    assert_eq!(ledger.receipt("m1", "H30"), Err(Refusal::UnknownMessage));
    assert_eq!(ledger.receipt("m1", "H29"), Ok(receipt));
}

#[test]
fn refuses_a_package_while_the_receipt_of_an_earlier_one_is_missing() {
    let mut ledger = Ledger::default();
    let receipt = Map::new();
    ledger.accept(&incoming("m1", "aa", Some("g1")), &receipt, 1).unwrap();
    let next = incoming("m2", "bb", Some("g2"));
    assert_eq!(ledger.accept(&next, &receipt, 1), Err(Refusal::ReceiptMissing));
    assert!(!ledger.package_received("g2") && ledger.package_received("g1"));
    assert_eq!(ledger.accept(&next, &receipt, 1), Ok(()));
}
