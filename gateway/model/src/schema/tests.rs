use serde_json::{Map, json};

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
fn a_mistake_hides_none_below_or_beside_it() {
    let bad = json!({"type": "string", "format": "phone", "patern": "x", "enum": [1]});
    for (schema, mistakes) in [
        (json!({"type": "object", "additionalProperties": true, "properties": {"a": bad}}), 4),
        (json!({"type": "object", "minItems": 1, "properties": {"a": bad}}), 4),
        (json!({"properties": {"a": bad}}), 4),
        (json!({"type": "array", "uniq": true, "items": bad}), 4),
        (json!({"items": bad}), 4),
    ] {
        let found = read(&schema).expect_err("mistakes");
        assert_eq!(found.len(), mistakes, "{schema}: {found:#?}");
    }
    let schema = json!({"$ref": "#/x", "type": "string", "x": bad});
    assert_eq!(read(&schema).expect_err("mistakes").len(), 4);
}

#[test]
fn references_that_multiply_end() {
    let mut levels = Map::new();
    for level in 0..14 {
        let next = json!({"$ref": format!("#/l/{}", level + 1)});
        let properties: Map<_, _> = (0..10).map(|n| (format!("p{n}"), next.clone())).collect();
        levels.insert(level.to_string(), json!({"type": "object", "properties": properties}));
    }
    levels.insert("14".to_owned(), json!({"type": "string", "format": "phone"}));
    let document = json!({"l": levels});
    let start = json!({"$ref": "#/l/0"});
    let found = Schema::read(&document, &start, "").expect_err("a mistake");
    assert!(found.iter().any(|e| e.problem.contains("leads to more than")), "{}", found.len());
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

#[test]
fn bounds_references_that_multiply_inside_a_tree() {
    let mut schemas = Map::new();
    schemas.insert("L0".to_owned(), json!({"type": "string"}));
    for level in 1..=20 {
        let below = json!({"$ref": format!("#/defs/L{}", level - 1)});
        schemas.insert(format!("L{level}"), json!({"anyOf": [below, below, below]}));
    }
    let document = json!({ "defs": schemas });
    let start = json!({"$ref": "#/defs/L20"});
    let errors = Schema::read(&document, &start, "").expect_err("bounded");
    assert!(errors[0].problem.contains("more than"), "{errors:?}");
}
