//! The OpenAPI document of the consent API: it is one, it bounds everything, and its examples and
//! reasons are right.

use std::collections::BTreeSet;

use lienthong_model::{diagnostic::Diagnostics, document, reason::ReasonCode};
use serde_json::{Value, json};

const FILE: &str = "schemas/consent/v1/openapi.yaml";

fn document() -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let text = std::fs::read_to_string(path).unwrap();
    let mut found = Diagnostics::new();
    let node = document::parse(FILE, &text, &mut found);
    assert!(found.is_empty(), "{found}");
    node.unwrap().to_json()
}

/// Shows every value of a tree with where it stands.
fn each(value: &Value, at: &str, see: &mut impl FnMut(&str, &Value)) {
    see(at, value);
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, below)| each(below, &format!("{at}/{name}"), see));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(i, below)| each(below, &format!("{at}/{i}"), see));
        }
        _ => {}
    }
}

/// Every call: method, path, what it says.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let mut all = Vec::new();
    for (path, calls) in paths {
        for method in ["get", "post", "put", "delete", "patch"] {
            if let Some(call) = calls.get(method) {
                all.push((method, path.as_str(), call));
            }
        }
    }
    all
}

/// A schema of the document by itself, with what it refers to.
fn schema(document: &Value, name: &str) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": document["components"],
    })
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    each(&document, "", &mut |at, value| {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            let pointer = target.strip_prefix('#').unwrap_or_else(|| panic!("{at}: {target}"));
            assert!(document.pointer(pointer).is_some(), "{at} refers to {target}");
        }
    });
}

#[test]
fn every_schema_is_one_and_its_examples_are_of_it() {
    let document = document();
    for (name, of) in document["components"]["schemas"].as_object().unwrap() {
        assert!(jsonschema::meta::is_valid(of), "{name} is no schema");
        let whole = schema(&document, name);
        let validator = jsonschema::draft202012::options()
            .should_validate_formats(true)
            .build(&whole)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        for example in of["examples"].as_array().into_iter().flatten() {
            let errors: Vec<_> = validator.iter_errors(example).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }
}

/// What nobody bounds, somebody fills.
#[test]
fn everything_is_bounded_and_nothing_unknown_is_taken() {
    let document = document();
    each(&document, "", &mut |at, value| {
        let has = |word: &str| value.get(word).is_some();
        match value.get("type").and_then(Value::as_str) {
            Some("string") if !at.ends_with("properties") => {
                assert!(["maxLength", "enum", "const"].iter().any(|w| has(w)), "{at}");
            }
            Some("array") => assert!(has("maxItems") && has("items"), "{at}"),
            Some("integer") => assert!(has("minimum") && has("maximum"), "{at}"),
            Some("object") => assert_eq!(value["additionalProperties"], false, "{at}"),
            _ => {}
        }
    });
}

#[test]
fn every_call_has_a_name_of_its_own_a_tag_and_the_refusals_of_a_stranger() {
    let document = document();
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].clone().to_string())
        .collect();
    let mut names = BTreeSet::new();
    for (method, path, call) in operations(&document) {
        let told = format!("{method} {path}");
        assert!(names.insert(call["operationId"].as_str().unwrap()), "{told}");
        assert!(tags.contains(&call["tags"][0].to_string()), "{told}");
        assert!(call["summary"].as_str().is_some_and(|text| text.contains(" / ")), "{told}");
        let responses = call["responses"].as_object().unwrap();
        assert!(responses.contains_key("401"), "{told}");
        assert!(responses.keys().any(|status| status.starts_with('2')), "{told}");
        // An identifier in a path or query would stand in every log on the way.
        assert!(!path.contains("subject") && !path.contains("number"), "{told}");
    }
}

#[test]
fn every_reason_it_names_is_one() {
    let document = document();
    let known: BTreeSet<&str> = ReasonCode::ALL.iter().map(|code| code.as_str()).collect();
    let mut named = BTreeSet::new();
    for (name, response) in document["components"]["responses"].as_object().unwrap() {
        let text = response["description"].as_str().unwrap();
        for word in text.split('`').skip(1).step_by(2).filter(|word| word.contains('.')) {
            assert!(known.contains(word), "{name} names `{word}`");
            named.insert(word.to_owned());
        }
    }
    let mut of_consents = known.iter().filter(|code| code.starts_with("consent."));
    let missing = of_consents.find(|code| {
        let code: ReasonCode = code.parse().unwrap();
        // What a consumer sees as `consent.not_given` is of the data path.
        code.public() == code
            && code != ReasonCode::ConsentNotGiven
            && !named.contains(code.as_str())
    });
    assert_eq!(missing, None);
}
