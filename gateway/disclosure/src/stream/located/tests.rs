//! Whom the elements that passed are about, however the answer was cut.

use std::{collections::BTreeMap, sync::Arc};

use lienthong_model::{field::Pointer, mask::Mask, schema::Schema, sensitive::Sensitive};
use serde_json::json;

use crate::{Locator, Pseudonymiser, StreamBounds, StreamDisclosure, StreamShape, StreamView};

fn view(array: bool) -> Arc<StreamView> {
    let person = json!({
        "type": "object",
        "required": ["So"],
        "properties": {
            "So": {"type": "string", "maxLength": 20},
            "Ten": {"type": "string"},
            "Con": {"type": "array", "items": {"type": "object", "properties": {"So": {"type": "string"}}}},
        },
    });
    let bounds =
        StreamBounds { element_bytes: 200, max_elements: 10, envelope_bytes: 100, max_depth: 8 };
    let (source, shape, at) = if array {
        let list =
            json!({"type": "object", "properties": {"ds": {"type": "array", "items": person}}});
        (list, StreamShape::Array("/ds".parse().expect("one")), "/ds/*/Ten")
    } else {
        (person, StreamShape::Ndjson, "/Ten")
    };
    // The number itself does not pass.
    let masks: BTreeMap<Pointer, Option<Mask>> = [(at.parse().expect("one"), None)].into();
    let schema = Schema::read(&source, &source, "").expect("a schema");
    Arc::new(StreamView::compile(&schema, &masks, &shape, bounds).expect("a view"))
}

/// What was found, and what left, of a body in chunks.
fn run(array: bool, body: &str, size: usize) -> (Vec<(usize, String)>, String) {
    let consumer = "H29.40".parse().expect("an id");
    let pseudonyms = Pseudonymiser::new(Sensitive::new([1; 32]), &consumer, "2026");
    let mut stream = StreamDisclosure::new(view(array), pseudonyms);
    let places = ["/So", "/Con/*/So"].map(|at| at.parse().expect("a pointer"));
    stream.locate(Arc::new(Locator::new(&places)));
    let (mut found, mut out) = (Vec::new(), Vec::new());
    for chunk in body.as_bytes().chunks(size) {
        let stopped = stream.push(chunk, &mut out).is_err();
        stream.take_located(&mut |which, value| found.push((which, value.to_owned())));
        if stopped {
            break;
        }
    }
    stream.take_located(&mut |_, _| panic!("it was taken"));
    (found, String::from_utf8(out).expect("text"))
}

const PEOPLE: [&str; 3] = [
    r#"{"So":"07\u0031","Ten":"A","Con":[{"So":"3"},{"So":"4"}]}"#,
    r#"{"Ten":"B", "So":"072"}"#,
    r#"{"So": "073","Con":[] ,"Ten":"C"}"#,
];

fn expected() -> Vec<(usize, String)> {
    [(0, "071"), (1, "3"), (1, "4"), (0, "072"), (0, "073")].map(|(n, v)| (n, v.to_owned())).into()
}

#[test]
fn everyone_in_an_element_that_passed_is_told_however_it_is_cut() {
    let lines = PEOPLE.map(|person| format!("{person}\n")).concat();
    let array = format!("{{\"ds\":[{}]}}", PEOPLE.join(" , "));
    for size in [1, 2, 3, 7, 50, 4096] {
        let (found, out) = run(false, &lines, size);
        assert_eq!(found, expected(), "lines in {size}");
        assert!(!out.contains("07"), "the number did not leave: {out}");
        assert_eq!(run(true, &array, size).0, expected(), "array in {size}");
    }
}

#[test]
fn nobody_is_told_of_an_element_that_did_not_pass() {
    let bad = r#"{"So":"099","Ten":5}"#;
    let lines = format!("{}\n{bad}\n{}\n", PEOPLE[1], PEOPLE[2]);
    let array = format!("{{\"ds\":[{},{bad},{}]}}", PEOPLE[1], PEOPLE[2]);
    for size in [1, 5, 4096] {
        assert_eq!(run(false, &lines, size).0, [(0, "072".to_owned())]);
        assert_eq!(run(true, &array, size).0, [(0, "072".to_owned())]);
    }
}
