//! Arbitrary schemas, masks and bodies: whatever passes is named by the view, unmasked values are
//! the body's own, and masked ones are what the mask makes.
//!
//! An input is a schema, a zero byte, one byte per leaf that chooses its mask, a zero byte, and a
//! body.

use std::{collections::BTreeMap, process::ExitCode};

use lienthong_disclosure::{Bounds, Direction, Pseudonymiser, View};
use lienthong_fuzz::Target;
use lienthong_model::{
    field::Pointer,
    mask::{Generalisation, Mask, REDACTED},
    schema::{Kind, Schema},
    sensitive::Sensitive,
};
use serde_json::Value;

type Masks = BTreeMap<Pointer, Option<Mask>>;

fn main() -> ExitCode {
    let consumer = "H29.40".parse().expect("an agency code");
    let pseudonyms = Pseudonymiser::new(Sensitive::new([7; 32]), &consumer, "2026");
    let seeds = [
        concat!(
            r#"{"type":"object","required":["a"],"properties":{"a":{"type":"string","minLength":9},"#,
            r#""b":{"type":"integer"},"c":{"type":"string","format":"date"},"#,
            r#""d":{"type":"array","items":{"type":"string","format":"ward-code"}}}}"#,
            "\0pkgn\0",
            r#"{"a":"Nguyễn Văn An","b":7,"c":"1990-02-28","d":["26740","27043"]}"#
        ),
        concat!(
            r#"{"type":"array","items":{"type":"object","properties":{"x":{"type":["string","null"]},"#,
            r#""y":{"type":"number","maximum":5},"z":{"anyOf":[{"type":"integer"},{"type":"boolean"}]}}}}"#,
            "\0prw\0",
            r#"[{"x":null,"y":1.50},{"x":"é","z":true,"la":[]}]"#
        ),
        concat!(r#"{"type":"string","pattern":"^\\d{8}$"}"#, "\0y\0", r#""19900228""#),
        concat!(r#"{"type":"boolean","enum":[true]}"#, "\0p\0", "true"),
    ];
    let target = Target {
        name: "disclosure",
        seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        pieces: &[
            b"\0",
            b"p",
            b"d",
            b"r",
            b"k",
            b"l",
            b"y",
            b"m",
            b"g",
            b"s",
            b"n",
            b"w",
            b"\"type\":",
            b"\"string\"",
            b"\"integer\"",
            b"\"object\"",
            b"\"array\"",
            b"\"boolean\"",
            b"\"number\"",
            b"\"properties\":{",
            b"\"items\":{",
            b"\"required\":[",
            b"\"enum\":[",
            b"\"format\":\"date\"",
            b"\"format\":\"citizen-number\"",
            b"\"pattern\":\"^a\"",
            b"\"maxLength\":3",
            b"\"nullable\"",
            b"\"$ref\":\"#\"",
            b"\"oneOf\":[{}]",
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b"\"a\"",
            b"\"b\"",
            b"null",
            b"1e3",
            b"\\u0061",
            b"\"",
        ],
    };
    target.run(|input| {
        let mut parts = input.splitn(3, |byte| *byte == 0);
        let (Some(schema), Some(choices), Some(body)) = (parts.next(), parts.next(), parts.next())
        else {
            return "!not three parts".to_owned();
        };
        let Ok(document) = serde_json::from_slice::<Value>(schema) else {
            return "!not a schema".to_owned();
        };
        let schema = match Schema::read(&document, &document, "") {
            Ok(schema) => schema,
            Err(errors) => {
                let problem = errors.first().map_or("", |error| error.problem.as_str());
                return format!("!{}", problem.split('`').next().unwrap_or_default());
            }
        };
        let masks = masks(&schema, choices);
        let outcomes = [Direction::Answer, Direction::Request]
            .map(|direction| check(&schema, &masks, direction, body, &pseudonyms));
        outcomes.join(" ")
    })
}

/// The mask of every leaf: the choices in turn. A leaf that is chosen to be withheld is left out.
fn masks(schema: &Schema, choices: &[u8]) -> Masks {
    let choose = |choice: u8| {
        Some(match choice {
            b'w' => return None,
            b'd' => Some(Mask::Drop),
            b'r' => Some(Mask::Redact),
            b'k' => Some(Mask::KeepFirst(2)),
            b'l' => Some(Mask::KeepLast(4)),
            b'y' => Some(Mask::Generalise(Generalisation::Year)),
            b'm' => Some(Mask::Generalise(Generalisation::Month)),
            b'g' => Some(Mask::Generalise(Generalisation::Province)),
            b'b' => Some(Mask::Generalise(Generalisation::Bands(vec![0, 18, 60]))),
            b's' => Some(Mask::Pseudonymise),
            b'n' => Some(Mask::Null),
            _ => None,
        })
    };
    let choices = if choices.is_empty() { b"p" } else { choices };
    let leaves = schema.leaves().into_iter().map(|(at, _)| at);
    leaves
        .zip(choices.iter().cycle())
        .filter_map(|(at, choice)| Some((at, choose(*choice)?)))
        .collect()
}

fn check(
    schema: &Schema,
    masks: &Masks,
    direction: Direction,
    body: &[u8],
    pseudonyms: &Pseudonymiser,
) -> String {
    let bounds = Bounds { max_bytes: 32 << 10, max_depth: 32 };
    let view = match View::compile(schema, masks, direction, bounds) {
        Ok(view) => view,
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason");
            return format!("!{}", errors.len());
        }
    };
    let mut out = Vec::new();
    let tally = match view.disclose(body, pseudonyms, &mut out) {
        Ok(tally) => tally,
        Err(violation) => {
            assert!(out.is_empty(), "a refused body left something behind");
            return format!("!{} {}", violation.kind, violation.at.tokens().len());
        }
    };
    // A view that lets nothing of a leaf at the root pass may write nothing at all.
    if !out.is_empty() {
        let body: Value = serde_json::from_slice(body).expect("what passes is JSON");
        let shown: Value = serde_json::from_slice(&out).expect("what is written is JSON");
        compare(schema, masks, &Pointer::root(), &body, &shown);
    }
    format!("{} {} {} {}", tally.disclosed, tally.masked, tally.dropped, tally.undeclared)
}

/// Everything shown is declared and disclosed; values are the body's or the mask's.
fn compare(schema: &Schema, masks: &Masks, at: &Pointer, body: &Value, shown: &Value) {
    match (&schema.kind, body, shown) {
        (Kind::Object(rules), Value::Object(body), Value::Object(shown)) => {
            for (name, value) in shown {
                let rule = rules.properties.get(name).expect("what is shown is declared");
                let original = body.get(name).expect("what is shown was there");
                compare(rule, masks, &at.child(name), original, value);
            }
        }
        (Kind::Array(rules), Value::Array(body), Value::Array(shown)) => {
            assert_eq!(body.len(), shown.len(), "an element is missing");
            for (original, value) in body.iter().zip(shown) {
                compare(&rules.items, masks, &at.child("*"), original, value);
            }
        }
        (Kind::Object(_) | Kind::Array(_), body, shown) => {
            assert!(schema.nullable && body.is_null() && shown.is_null(), "another type is shown");
        }
        _ => compare_leaf(masks.get(at).expect("a shown leaf is named").as_ref(), body, shown),
    }
}

fn compare_leaf(mask: Option<&Mask>, body: &Value, shown: &Value) {
    let Some(mask) = mask else { return assert_eq!(body, shown, "an unmasked value changed") };
    let text = shown.as_str().unwrap_or_default();
    match mask {
        Mask::Drop => panic!("a dropped field is shown"),
        Mask::Redact => assert!(shown == REDACTED || shown.is_null()),
        Mask::Null => assert!(shown.is_null()),
        Mask::KeepFirst(_) => assert!(text.ends_with(REDACTED) || shown.is_null()),
        Mask::KeepLast(_) => assert!(text.starts_with(REDACTED) || shown.is_null()),
        Mask::Pseudonymise => assert!(body != shown || shown.is_null()),
        Mask::Generalise(Generalisation::Year) => assert!(text.len() == 4 || shown.is_null()),
        Mask::Generalise(Generalisation::Month) => assert!(text.len() <= 7),
        Mask::Generalise(Generalisation::Province) => assert!(text.len() == 2 || shown.is_null()),
        Mask::Generalise(Generalisation::Bands(_)) => assert!(!shown.is_number()),
    }
}
