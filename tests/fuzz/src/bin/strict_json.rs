//! Arbitrary bytes against one view in both directions: what passes is JSON, declared, bounded,
//! and passes again unchanged; what does not pass leaves nothing behind.

use std::{collections::BTreeMap, process::ExitCode};

use lienthong_disclosure::{Bounds, Direction, Pseudonymiser, View};
use lienthong_fuzz::Target;
use lienthong_model::{schema::Schema, sensitive::Sensitive};
use serde_json::{Value, json, value::RawValue};

const BOUNDS: Bounds = Bounds { max_bytes: 16 << 10, max_depth: 16 };

fn main() -> ExitCode {
    let document = json!({
        "type": "object",
        "required": ["ten"],
        "properties": {
            "ten": {"type": "string", "minLength": 1, "maxLength": 40},
            "so": {"type": ["integer", "null"], "minimum": -5, "maximum": 9_000_000_000_i64},
            "tile": {"type": "number"},
            "dung": {"type": "boolean"},
            "ngay": {"type": "string", "format": "date"},
            "loai": {"type": "string", "enum": ["a", "é", "\u{1d11e}"]},
            "ds": {"type": "array", "maxItems": 8, "items": {
                "type": "object",
                "properties": {"ma": {"type": "string", "pattern": "^[a-z]{1,4}$"}, "con": {
                    "type": "array", "items": {"type": "array", "items": {"type": "integer"}}}}
            }},
            "hoac": {"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 3}]}
        }
    });
    let schema = Schema::read(&document, &document, "").expect("the schema is sound");
    let passing: BTreeMap<_, _> = schema.leaves().into_iter().map(|(at, _)| (at, None)).collect();
    let compile = |direction| View::compile(&schema, &passing, direction, BOUNDS).expect("a view");
    let views = [compile(Direction::Request), compile(Direction::Answer)];
    let consumer = "H29.40".parse().expect("an agency code");
    let pseudonyms = Pseudonymiser::new(Sensitive::new([7; 32]), &consumer, "2026");
    let seeds = [
        r#"{"ten":"An","so":12,"tile":-0.5e+3,"dung":true,"ngay":"2026-02-28","loai":"é"}"#,
        r#"{"ten":"\u0041\ud834\udd1e","ds":[{"ma":"ab","con":[[1,2],[]]},{}],"hoac":"x"}"#,
        r#" { "ten" : "b" , "so" : null , "la" : {"sau":[1,{"x":"y"}]} , "hoac" : 5 } "#,
        r#"{"t\u0065n":"escaped key","ds":[]}"#,
    ];
    let target = Target {
        name: "strict_json",
        seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        pieces: &[
            b"{",
            b"}",
            b"[",
            b"]",
            b",",
            b":",
            b"\"",
            b"\"ten\"",
            b"\"ten\":\"x\",",
            b"\"ds\":[",
            b"\\u0000",
            b"\\ud800",
            b"\\udc00",
            b"\\u006e",
            b"\\",
            b"\\/",
            b"1e999",
            b"-0",
            b"01",
            b"1.",
            b"null",
            b"true",
            b"NaN",
            b"\xef\xbb\xbf",
            b"\xff",
            b"\xed\xa0\x80",
            b"\0",
            b"\"la\":",
            b"\n",
            b"/*",
            b"18446744073709551616",
            b"[[[[",
            b"{\"a\":",
        ],
    };
    target.run(|input| {
        let outcomes: Vec<String> = views.iter().map(|v| check(v, input, &pseudonyms)).collect();
        // An answer may hold more than a request; otherwise the two agree.
        let passed = |n: usize| outcomes.get(n).is_some_and(|outcome| !outcome.starts_with('!'));
        assert!(!passed(0) || passed(1), "a request passes where an answer does not");
        outcomes.into_iter().rev().collect::<Vec<_>>().join(" ")
    })
}

fn check(view: &View, input: &[u8], pseudonyms: &Pseudonymiser) -> String {
    let mut out = b"before".to_vec();
    let tally = match view.disclose(input, pseudonyms, &mut out) {
        Ok(tally) => tally,
        Err(violation) => {
            assert_eq!(out, b"before", "a refused body left something behind");
            return format!("!{violation}");
        }
    };
    let out = out.strip_prefix(b"before").expect("what stood there is kept");
    assert!(input.len() <= BOUNDS.max_bytes);
    assert!(serde_json::from_slice::<Box<RawValue>>(input).is_ok(), "passed what is not JSON");
    let value: Value = serde_json::from_slice(out).expect("what passes is JSON");
    assert!(value.is_object());
    assert!(depth(&value) <= BOUNDS.max_depth);
    let mut again = Vec::new();
    let second = view.disclose(out, pseudonyms, &mut again).expect("what passed passes again");
    assert_eq!(out, again, "passing twice changes something");
    assert_eq!(second.undeclared, 0);
    assert_eq!(second.disclosed, tally.disclosed);
    let undeclared = tally.undeclared.min(3);
    format!("{} {} {} {undeclared}", tally.disclosed, tally.masked, tally.dropped)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
