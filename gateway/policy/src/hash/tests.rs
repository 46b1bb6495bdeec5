use serde_json::json;

use super::*;

#[test]
fn canonical_form_does_not_depend_on_order() {
    let a: Value =
        serde_json::from_str(r#"{"b": [1, {"y": 1, "x": "é\n"}], "a": null}"#).expect("a");
    let b: Value = serde_json::from_str(r#"{"a":null,"b":[1,{"x":"é\n","y":1}]}"#).expect("b");
    assert_eq!(canonical(&a), canonical(&b));
    assert_eq!(canonical(&a), r#"{"a":null,"b":[1,{"x":"é\n","y":1}]}"#);
    assert_ne!(canonical(&a), canonical(&json!({"a": null})));
}

#[test]
fn parts_cannot_run_into_each_other() {
    assert_ne!(sha256("d", ["ab", "c"]), sha256("d", ["a", "bc"]));
    assert_ne!(sha256("d", ["a"]), sha256("e", ["a"]));
}

#[test]
fn hexadecimal_text_reads_back() {
    let hash = sha256("d", []);
    assert_eq!(from_hex(&to_hex(&hash)), Some(hash));
    assert_eq!(from_hex("zz"), None);
}
