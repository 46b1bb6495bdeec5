use super::*;
use lienthong_model::sensitive::Sensitive;

fn prepared(mask: serde_json::Value) -> Prepared {
    Prepared::new(&Mask::parse(&mask).unwrap(), "name:x").unwrap()
}

fn masked(mask: serde_json::Value, value: &str) -> Option<String> {
    let pseudonyms = Pseudonymiser::new(Sensitive::new([1; 32]), &"H29".parse().unwrap(), "1");
    let mut out = String::new();
    prepared(mask).text(value, &pseudonyms, &mut out).ok().map(|()| out)
}

use serde_json::json;

#[test]
fn never_gives_back_what_it_cannot_mask() {
    for mask in [json!({"generalise": "year"}), json!({"generalise": "month"})] {
        for value in ["", "1990", "19901301", "99999999", "not a date", "1990-02-30"] {
            assert_eq!(masked(mask.clone(), value), None, "{value}");
        }
    }
    assert_eq!(masked(json!({"generalise": "province"}), "99999"), None);
    assert_eq!(masked(json!({"generalise": {"bands": [1]}}), "5"), None);
    assert!(Prepared::new(&Mask::Drop, "name:x").is_none());
}

#[test]
fn hides_everything_when_half_would_be_left() {
    assert_eq!(masked(json!({"keep_last": 4}), "1234567").unwrap(), "***");
    assert_eq!(masked(json!({"keep_first": 1}), "a").unwrap(), "***");
    assert_eq!(masked(json!({"keep_first": 1}), "").unwrap(), "***");
    // Ten characters, but two graphemes; the second is nearly all of the text.
    let lopsided = "ab\u{301}\u{302}\u{303}\u{304}\u{306}\u{307}\u{308}\u{309}";
    assert_eq!(masked(json!({"keep_last": 1}), lopsided).unwrap(), "***");
}

#[test]
fn keeps_whole_graphemes_in_nfc() {
    assert_eq!(masked(json!({"keep_last": 4}), "079090001234").unwrap(), "***1234");
    assert_eq!(masked(json!({"keep_first": 3}), "079090001234").unwrap(), "079***");
    let decomposed: String = "Ấn Độ".nfd().collect();
    assert_eq!(masked(json!({"keep_first": 1}), &decomposed).unwrap(), "Ấ***");
    assert_eq!(masked(json!({"keep_last": 1}), &decomposed).unwrap(), "***ộ");
    assert_eq!(masked(json!({"keep_last": 1}), "xx👨‍👩‍👧").unwrap(), "***", "more than half of it");
    assert_eq!(masked(json!({"keep_last": 1}), "nhà ở 👨‍👩‍👧").unwrap(), "***👨‍👩‍👧");
}

#[test]
fn redacts_to_a_constant() {
    for value in ["", "a", "Nguyễn Văn Ấn"] {
        assert_eq!(masked(json!("redact"), value).unwrap(), "***");
    }
}

#[test]
fn generalises_dates_as_they_are_written() {
    let year = |value| masked(json!({"generalise": "year"}), value).unwrap();
    let month = |value| masked(json!({"generalise": "month"}), value).unwrap();
    assert_eq!((year("1990-05-17"), month("1990-05-17")), ("1990".into(), "1990-05".into()));
    assert_eq!((year("19900517"), month("19900517")), ("1990".into(), "199005".into()));
    assert_eq!((year("19900517083000"), month("19900517083000")), ("1990".into(), "199005".into()));
    assert_eq!(month("2026-11-21T08:30:00.5+07:00"), "2026-11");
    assert_eq!(masked(json!({"generalise": "province"}), "25747").unwrap(), "79");
}

#[test]
fn puts_integers_into_half_open_bands() {
    let mask = prepared(json!({"generalise": {"bands": [0, 18, 60, 61]}}));
    let band = |value| mask.band(whole(value)).unwrap();
    assert_eq!(
        [-1, 0, 17, 18, 59, 60, 61, 99].map(band),
        ["<0", "0-17", "0-17", "18-59", "18-59", "60", "61+", "61+"]
    );
    assert_eq!(mask.band(Quantity::Double(17.0)).unwrap(), "0-17");
}
