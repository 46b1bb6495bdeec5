use lienthong_model::schema::Schema;
use serde_json::{Value, json};

use super::*;

fn schema(values: &[Value]) -> Result<Value, LeftOut> {
    let mut observed = Observed::default();
    values.iter().for_each(|value| observed.take(value));
    observed.schema()
}

#[test]
fn infers_a_schema_that_every_value_satisfies() {
    for (values, expected) in [
        (vec![json!("abc")], json!({"type": "string", "maxLength": 16})),
        (vec![json!("đ".repeat(17))], json!({"type": "string", "maxLength": 32})),
        (vec![json!("a"), json!(null)], json!({"type": ["string", "null"], "maxLength": 16})),
        (vec![json!(1), json!(-2)], json!({"type": "integer"})),
        (vec![json!(1), json!(2.5)], json!({"type": "number"})),
        (vec![json!(u64::MAX)], json!({"type": "integer"})),
        (vec![json!(true)], json!({"type": "boolean"})),
        (vec![json!([]), json!([1])], json!({"type": "array", "items": {"type": "integer"}})),
        (
            vec![json!({"a": {"b": 1}}), json!({"c": true})],
            json!({"type": "object", "additionalProperties": false, "properties": {
                "a": {"type": "object", "additionalProperties": false,
                      "properties": {"b": {"type": "integer"}}},
                "c": {"type": "boolean"},
            }}),
        ),
    ] {
        let inferred = schema(&values).expect("a schema");
        assert_eq!(inferred, expected, "{values:?}");
        let read = Schema::read(&inferred, &inferred, "");
        assert!(read.is_ok(), "the gateway refuses {inferred}: {read:?}");
    }
}

#[test]
fn leaves_out_what_no_schema_can_be_said_of() {
    let keyed = json!({"079219000001": 1});
    let many: Map<String, Value> = (0..=MAX_MEMBERS).map(|n| (format!("n{n}"), json!(1))).collect();
    for (values, why) in [
        (vec![json!(null)], LeftOut::OnlyNull),
        (vec![json!(1), json!("a")], LeftOut::MixedTypes),
        (vec![json!({"a": [1, "b"]})], LeftOut::MixedTypes),
        (vec![json!([])], LeftOut::EmptyArray),
        (vec![keyed], LeftOut::KeyedByData),
        (vec![Value::Object(many)], LeftOut::KeyedByData),
    ] {
        assert_eq!(schema(&values), Err(why), "{why:?}");
    }
}

#[test]
fn two_places_together_are_as_one() {
    let values = [json!({"a": 1}), json!({"a": null, "b": ["x"]}), json!(null)];
    let mut whole = Observed::default();
    values.iter().for_each(|value| whole.take(value));
    let mut merged = Observed::default();
    for value in &values {
        let mut one = Observed::default();
        one.take(value);
        merged.merge(&one);
    }
    assert_eq!(whole, merged);
}
