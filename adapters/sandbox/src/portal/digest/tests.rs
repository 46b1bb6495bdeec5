use serde_json::json;

use super::*;

#[test]
fn tells_records_apart_whose_texts_run_together_alike() {
    let records = [
        json!({"a": "bc"}),
        json!({"ab": "c"}),
        json!({"a": ["b", "c"]}),
        json!({"a": ["bc"]}),
        json!({"a": null}),
        json!({}),
        json!({"a": 1}),
        json!({"a": "1"}),
        json!({"a": {"b": 1}, "c": 2}),
        json!({"a": {"b": 1, "c": 2}}),
    ];
    for (place, one) in records.iter().enumerate() {
        for other in &records[place + 1..] {
            assert_ne!(of(one), of(other), "{one} and {other}");
        }
    }
}

#[test]
fn does_not_mind_the_order_of_members() {
    assert_eq!(of(&json!({"a": 1, "b": [2, 3]})), of(&json!({"b": [2, 3], "a": 1})));
    assert_ne!(of(&json!({"b": [2, 3]})), of(&json!({"b": [3, 2]})));
}

#[test]
fn a_file_has_the_digest_that_everyone_gives_it() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(sha256(b""), empty);
}
