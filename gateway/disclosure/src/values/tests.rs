//! Values of bodies, against the same found in a tree.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn pointer(text: &str) -> Pointer {
    text.parse().expect("a pointer")
}

fn found(pointers: &[&str], json: &str) -> Vec<(usize, String)> {
    let pointers: Vec<Pointer> = pointers.iter().map(|text| pointer(text)).collect();
    let mut found = Vec::new();
    Locator::new(&pointers)
        .values(json.as_bytes(), &mut |which, value| found.push((which, value.to_owned())));
    found
}

fn all(json: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    disclosed_values(json.as_bytes(), &mut |at, value| {
        let value = std::str::from_utf8(value).expect("text");
        found.push((at.to_owned(), value.to_owned()));
    });
    found
}

#[test]
fn values_are_found_at_their_places_in_the_order_of_the_body() {
    let body = r#" { "x" : {"So":"a"}, "So" : "b" , "ds":[ {"So":"c","y":[1,{"So":"no"}]}, {}, {"So":7}, 3, "d" ] } "#;
    assert_eq!(found(&["/So"], body), [(0, "b".to_owned())]);
    let expected = [(2, "a"), (0, "b"), (1, "c"), (1, "7")].map(|(n, v)| (n, v.to_owned()));
    assert_eq!(found(&["/So", "/ds/*/So", "/x/So"], body), expected);
    assert_eq!(found(&["/ds/*"], body), [(0, "3".to_owned()), (0, "d".to_owned())]);
    assert_eq!(found(&[""], "\"alone\""), [(0, "alone".to_owned())]);
    assert_eq!(found(&[], body), []);
    assert!(Locator::new([]).is_empty());
}

#[test]
fn texts_come_without_escapes_and_numbers_as_written() {
    let body = r#"{"S\u006f":"0\u0037\n\"\u00e9\ud83d\ude00","n":-1.50e+2,"a":"\\","b":"\"}"}"#;
    let expected = ["07\n\"é😀", "-1.50e+2", "\\", "\"}"].map(str::to_owned);
    let values = found(&["/So", "/n", "/a", "/b"], body);
    assert_eq!(values.into_iter().map(|(_, value)| value).collect::<Vec<_>>(), expected);
}

#[test]
fn what_is_no_text_or_number_is_not_found() {
    for value in ["null", "true", "{}", "[]", "{\"a\":1}", "[[1]]"] {
        assert_eq!(found(&["/a"], &format!("{{\"a\":{value},\"b\":1}}")), [], "{value}");
    }
}

#[test]
fn every_value_comes_with_its_place_and_its_bytes() {
    let body = r#"{"a":"x\u0041","b":[1, 2.0,[true,null],{}],"c/d~e":{"":"é"}, "f":[] }"#;
    let expected = [
        ("/a", "\"x\\u0041\""),
        ("/b/0", "1"),
        ("/b/1", "2.0"),
        ("/b/2/0", "true"),
        ("/b/2/1", "null"),
        ("/c~1d~0e/", "\"é\""),
    ];
    assert_eq!(all(body), expected.map(|(at, value)| (at.to_owned(), value.to_owned())));
    assert_eq!(all("12"), [(String::new(), "12".to_owned())]);
    let many = format!("[{}]", vec!["0"; 1234].join(","));
    assert_eq!(all(&many)[1233].0, "/1233");
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-c*]{0,2}", ".{0,6}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| json!(f64::from(n) / 8.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c*\"/~\u{e9}]{0,2}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The same in a tree.
fn in_tree(value: &Value, tokens: &[String], found: &mut Vec<String>) {
    match (value, tokens.split_first()) {
        (Value::String(text), None) => found.push(text.clone()),
        (Value::Number(number), None) => found.push(number.to_string()),
        (Value::Object(members), Some((first, rest))) => {
            if let Some(member) = members.get(first) {
                in_tree(member, rest, found);
            }
        }
        (Value::Array(items), Some((first, rest))) if first == "*" => {
            items.iter().for_each(|item| in_tree(item, rest, found));
        }
        _ => {}
    }
}

fn leaves(value: &Value, at: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            let name = name.replace('~', "~0").replace('/', "~1");
            leaves(member, &format!("{at}/{name}"), found);
        }),
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(n, item)| leaves(item, &format!("{at}/{n}"), found));
        }
        leaf => found.push((at.to_owned(), leaf.clone())),
    }
}

proptest! {
    #[test]
    fn finds_what_a_tree_has(value in value(), tokens in prop::collection::vec("[a-c*]{1,2}", 0..4), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.expect("JSON");
        let at = tokens.iter().fold(Pointer::root(), |at, token| at.child(token));
        let mut expected = Vec::new();
        in_tree(&value, &tokens, &mut expected);
        let mut values = Vec::new();
        Locator::new([&at]).values(text.as_bytes(), &mut |_, value| values.push(value.to_owned()));
        prop_assert_eq!(values, expected);
        let mut expected = Vec::new();
        leaves(&value, "", &mut expected);
        let given: Vec<(String, Value)> = all(&text)
            .into_iter()
            .map(|(at, raw)| (at, serde_json::from_str(&raw).expect("a value")))
            .collect();
        prop_assert_eq!(given, expected);
    }

    #[test]
    fn ends_and_never_panics_whatever_the_bytes(bytes in prop::collection::vec(prop_oneof![
        prop::sample::select(b"{}[],:\"\\u0a*1 -".to_vec()), any::<u8>(),
    ], 0..64)) {
        let pointers = ["/a", "/*/a", "/a/*/*", ""].map(pointer);
        let mut found = 0;
        Locator::new(&pointers).values(&bytes, &mut |_, _| found += 1);
        disclosed_values(&bytes, &mut |_, _| found += 1);
        prop_assert!(found <= 4 * bytes.len() + 4);
    }
}

#[test]
fn a_body_that_is_nested_without_end_is_given_up() {
    let deep = "[".repeat(100_000);
    let mut found = 0;
    disclosed_values(deep.as_bytes(), &mut |_, _| found += 1);
    assert!(found <= 1);
    Locator::new([&pointer("/*/*")]).values(deep.as_bytes(), &mut |_, _| found += 1);
}
