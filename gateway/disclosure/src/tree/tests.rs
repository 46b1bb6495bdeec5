use super::*;

fn tree(source: Value) -> Tree {
    Tree::compile(&source).unwrap()
}

fn refuses(source: Value) -> bool {
    matches!(Tree::compile(&source), Err(ViewProblem::Tree(_)))
}

#[test]
fn refuses_schemas_that_open_an_object_or_are_not_understood() {
    assert!(refuses(json!({"oneOf": [{"type": "object", "additionalProperties": true}]})));
    assert!(refuses(json!({"allOf": [{"patternProperties": {".*": {}}}]})));
    assert!(refuses(json!({"not": {"$dynamicRef": "#x"}})));
    assert!(refuses(json!({"anyOf": [{"properties": {"a": {"unevaluatedProperties": {}}}}]})));
    assert!(refuses(json!({"oneOf": [{"$ref": "https://schemas.example/x"}]})));
    assert!(refuses(json!({"oneOf": [{"type": "string", "format": "hostname-ish"}]})));
    assert!(refuses(json!({"oneOf": [{"type": "string", "pattern": "(?=x)"}]})));
    assert!(refuses(json!({"oneOf": "x"})));
}

#[test]
fn refuses_members_that_the_schema_does_not_name_wherever_they_stand() {
    let address = json!({"type": "object", "properties": {"ward": {"type": "string"}}});
    let shapes = [
        (json!({"allOf": [{"properties": {"a": address}}]}), r#"{"a":{"ward":"x"}}"#),
        (json!({"anyOf": [{"properties": {"a": address}}]}), r#"{"a":{"ward":"x"}}"#),
        (json!({"if": {"properties": {"a": address}}, "then": {}}), r#"{"a":{"ward":"x"}}"#),
        (
            json!({"if": {"required": ["a"]}, "then": {"properties": {"a": address}}}),
            r#"{"a":{"ward":"x"}}"#,
        ),
        (
            json!({"dependentSchemas": {"a": {"properties": {"a": address}}}}),
            r#"{"a":{"ward":"x"}}"#,
        ),
        (json!({"prefixItems": [address]}), r#"[{"ward":"x"}]"#),
        (json!({"contains": address, "type": "array"}), r#"[{"ward":"x"}]"#),
        (
            json!({"type": "array", "uniqueItems": true, "items": address}),
            r#"[{"ward":"x"},{"ward":"y"}]"#,
        ),
    ];
    for (source, good) in shapes {
        let tree = tree(source.clone());
        assert_eq!(tree.check(good), Ok(()), "{source}");
        let opened = good.replacen("\"x\"", "\"x\",\"them\":1", 1);
        assert!(tree.check(&opened).is_err(), "{source} {opened}");
    }
    for source in [json!({"not": {"type": "string"}}), json!({"allOf": [true]})] {
        assert!(tree(source.clone()).check(r#"{"them":1}"#).is_err(), "{source}");
        assert!(tree(source.clone()).check(r#"[{"them":1}]"#).is_err(), "{source}");
        assert_eq!(tree(source).check("7"), Ok(()));
    }
    let listed = tree(json!({"oneOf": [{"const": {"a": {"b": [1]}}}, {"enum": [[1, {"c": 2}]]}]}));
    assert_eq!(listed.keyword, "oneOf");
}

#[test]
fn checks_our_formats() {
    let both = tree(json!({"anyOf": [
        {"type": "string", "format": "citizen-number"}, {"type": "string", "format": "ward-code"}]}));
    assert_eq!(both.check("\"079090000001\""), Ok(()));
    assert_eq!(both.check("\"25747\""), Ok(()));
    assert!(both.check("\"2574\"").is_err());
}

#[test]
fn refuses_values_whose_tree_would_be_too_large() {
    let any = tree(json!({"not": {"type": "null"}}));
    let long = format!("\"{}\"", "x".repeat(MAX_BYTES));
    assert_eq!(any.check(&long), Err(ViolationKind::TooLarge));
}

#[test]
fn compacts_without_touching_texts() {
    let mut out = Vec::new();
    compact("{ \"a b\\\" c\\\\\" : [ 1 ,\t\"\\\\\" , \" \" ]\r\n}", &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), "{\"a b\\\" c\\\\\":[1,\"\\\\\",\" \"]}");
}
