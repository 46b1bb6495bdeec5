use super::{
    DatasetSettings, check,
    ledger::{Incoming, Ledger},
    refusal::Refusal,
};
use serde_json::{Map, Value, json};

fn rules() -> DatasetSettings {
    DatasetSettings {
        required: vec!["SoDangKy".to_owned()],
        citizen_numbers: vec!["SoDinhDanh".to_owned()],
        wards: vec!["NoiDangKy".to_owned()],
        least_percent: 90,
        at_least: 10,
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn incoming<'a>(id: &'a str, digest: &str, package: Option<&'a str>) -> Incoming<'a> {
    let digest = digest.to_owned();
    Incoming { id, sender: "H29", dataset: "HOTICH", digest, package, asks: false }
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
    assert_eq!(check::record(&rules(), &object(&good)), Ok(()));
}

#[test]
fn refuses_a_data_set_below_its_threshold_until_enough_are_good() {
    let mut ledger = Ledger::default();
    let (rules, bad) = (rules(), Err(Refusal::Identifier));
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
