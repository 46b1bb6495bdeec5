use serde_json::json;

use super::*;

fn read(schema: &Value) -> Result<Schema, Vec<String>> {
    Schema::read(schema, schema, "").map_err(|e| e.iter().map(ToString::to_string).collect())
}

#[test]
fn refuses_what_cannot_be_checked_all_at_once() {
    let schema = json!({"type": "object", "additionalProperties": true});
    assert!(read(&schema).is_err_and(|e| e[0].contains("objects are closed")));
    let schema = json!({"type": "object", "properties": {
        "a": {"type": "string", "format": "phone"},
        "b": {"type": ["string", "integer"]},
        "c": {"$ref": "other.json"},
        "d": {"type": "string", "patern": "x"},
        "e": {"type": "string", "pattern": "(?=x)"},
    }});
    assert_eq!(read(&schema).expect_err("five mistakes").len(), 5);
}

#[test]
fn refuses_an_enum_of_another_type() {
    for bad in [json!(["a"]), json!([]), json!("a"), json!([1, "a"])] {
        let schema = json!({"type": "integer", "enum": bad});
        assert!(read(&schema).is_err(), "{bad}");
    }
    assert!(read(&json!({"type": ["integer", "null"], "enum": [1, 2, null]})).is_ok());
}

#[test]
fn refuses_recursive_and_dangling_references() {
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#"}}});
    assert!(read(&schema).is_err());
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/no"}}});
    assert!(read(&schema).is_err_and(|e| e[0].contains("leads nowhere")));
}

#[test]
fn lists_leaves_with_arrays_as_stars() {
    let schema = json!({"type": "object", "properties": {
        "data": {"type": "array", "items": {"type": "object", "properties": {
            "id": {"type": "string"}, "n": {"type": "integer"}}}},
        "choice": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    }});
    let schema = read(&schema).expect("reads");
    let leaves: Vec<String> = schema.leaves().iter().map(|(p, _)| p.to_string()).collect();
    assert_eq!(leaves, ["/choice", "/data/*/id", "/data/*/n"]);
    assert_eq!(schema.source["additionalProperties"], json!(false));
}
