//! A value that must not pass occurs nowhere: not in the body, the tally, or an error.

use lienthong_disclosure::{Bounds, Direction, Disclosed, ParameterRule, ParameterView, View};
use lienthong_model::{
    field::Place,
    mask::Mask,
    schema::{Kind, Schema},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{
    config,
    generate::{self, Masks},
    pseudonyms,
};

/// In no name, mask or message.
const CANARY: &str = "Zq7canary";

pub(crate) fn source() -> Value {
    json!({
        "type": "object",
        "properties": {
            "open": {"type": "string"},
            "redacted": {"type": "string"},
            "kept": {"type": "string", "minLength": 8},
            "pseudonym": {"type": "string"},
            "nulled": {"type": ["string", "null"]},
            "dropped": {"type": "string"},
            "hidden": {"type": "object", "properties": {
                "deep": {"type": "object", "properties": {"x": {"type": "string"}}},
                "list": {"type": "array", "items": {"type": "string"}},
            }},
            "rows": {"type": "array", "items": {"type": "object", "properties": {
                "open": {"type": "integer"},
                "hidden": {"type": "string"},
                "coded": {"type": "string", "enum": ["x", "y"]},
            }}},
            "whole": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        },
    })
}

pub(crate) fn masks() -> Masks {
    let masks = [
        ("/open", None),
        ("/redacted", Some(Mask::Redact)),
        ("/kept", Some(Mask::KeepLast(4))),
        ("/pseudonym", Some(Mask::Pseudonymise)),
        ("/nulled", Some(Mask::Null)),
        ("/dropped", Some(Mask::Drop)),
        ("/rows/*/open", None),
    ];
    masks.map(|(at, mask)| (at.parse().expect("a pointer"), mask)).into()
}

fn view(direction: Direction) -> View {
    let source = source();
    let schema = Schema::read(&source, &source, "").expect("a schema");
    View::compile(&schema, &masks(), direction, Bounds::default()).expect("a view")
}

/// The canary among other text, spelt in some way.
fn secret() -> impl Strategy<Value = String> {
    ("[a-z ]{0,9}", "[a-z]{4,9}")
        .prop_map(|(before, after)| format!("{before}{CANARY}{after}"))
        .prop_flat_map(generate::spelt)
}

/// A value that holds the canary, deep or not.
pub(crate) fn secrets() -> BoxedStrategy<String> {
    let name = || select(&["a", "open", "x", "\u{1ecd}"][..]);
    secret()
        .prop_recursive(6, 12, 3, move |inner| {
            prop_oneof![
                vec(inner.clone(), 1..3).prop_map(|items| format!("[ {} ]", items.join(" ,\n"))),
                (name().prop_flat_map(|n| generate::spelt(n.to_owned())), inner)
                    .prop_map(|(name, value)| format!("{{ {name} :\t{value} }}")),
            ]
        })
        .boxed()
}

fn member(name: &'static str, value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let spelt = generate::spelt(name.to_owned());
    (spelt, value).prop_map(|(name, value)| format!("{name} : {value}")).boxed()
}

/// A body with the canary in every field that does not pass as it is, and in undeclared ones.
pub(crate) fn body() -> impl Strategy<Value = String> {
    let text = || secret().boxed();
    let row = (secret(), secrets()).prop_map(|(hidden, coded)| {
        format!("{{\"hidden\":{hidden},\"open\":7,\"coded\":{coded}}}")
    });
    let rows = vec(row, 0..3).prop_map(|rows| format!("[{}]", rows.join(","))).boxed();
    let members = vec![
        member("open", Just("\"seen\"".to_owned()).boxed()),
        member("redacted", text()),
        member("kept", text()),
        member("pseudonym", text()),
        member("nulled", text()),
        member("dropped", secrets()),
        member("hidden", secrets()),
        member("rows", rows),
        member("whole", secrets()),
        member("undeclared", secrets()),
        member("lạ\n", secrets()),
    ];
    // Any of them may be missing or stand twice.
    let some = members.into_iter().map(|m| (m, select(&[1_usize, 1, 1, 1, 1, 1, 1, 1, 0, 2][..])));
    let some: Vec<_> = some.collect();
    some.prop_map(|list| {
        list.into_iter().flat_map(|(member, times)| vec![member; times]).collect::<Vec<_>>()
    })
    .prop_shuffle()
    .prop_map(|members| format!(" {{ {} }} ", members.join(" ,\r\n")))
}

/// Whether the canary occurs, plainly or with escapes.
pub(crate) fn sings(text: &str) -> bool {
    let plain = |text: &str| text.to_lowercase().contains(&CANARY.to_lowercase());
    let decoded = serde_json::from_str::<Value>(text).map(|value| format!("{value:?}"));
    let spelt = [generate::escaped(CANARY, true), generate::escaped(CANARY, false)];
    let spelt = spelt.iter().any(|form| text.contains(form.trim_matches('"')));
    plain(text) || spelt || decoded.is_ok_and(|decoded| plain(&decoded))
}

fn shown(things: &[&dyn std::fmt::Debug]) -> String {
    format!("{things:?}")
}

fn is_silent(view: &View, body: &[u8]) -> Result<bool, TestCaseError> {
    let mut out = Vec::new();
    let outcome = view.disclose(body, &pseudonyms(), &mut out);
    let body = String::from_utf8(out).expect("UTF-8");
    prop_assert!(!sings(&body), "{}", body);
    match &outcome {
        Ok(tally) => prop_assert!(!sings(&shown(&[&tally]))),
        Err(violation) => {
            prop_assert!(!sings(&shown(&[&violation, &violation.to_string()])));
            prop_assert_eq!(body, "");
        }
    }
    Ok(outcome.is_ok())
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn nothing_withheld_or_masked_occurs_anywhere(body in body()) {
        is_silent(&view(Direction::Answer), body.as_bytes())?;
        is_silent(&view(Direction::Request), body.as_bytes())?;
    }

    #[test]
    fn nothing_occurs_when_the_body_is_broken(
        body in body(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = body.into_bytes();
        let at = at.index(body.len());
        is_silent(&view(Direction::Answer), &body[..at])?;
        body[at] = byte;
        is_silent(&view(Direction::Answer), &body)?;
    }

    #[test]
    fn no_parameter_occurs_that_does_not_pass(value in "[a-z ]{0,4}Zq7canary[a-z]{4,9}", at in 0..7_usize) {
        let rules = parameters();
        let view = ParameterView::compile(&rules, Bounds::default()).expect("a view");
        let name = ["withheld", "redacted", "kept", "number", "date", CANARY, "lạ"][at];
        let outcome = view.disclose(&[(Place::Query, name, &value)], &pseudonyms());
        match outcome {
            Ok((disclosed, tally)) => {
                prop_assert!(disclosed.iter().all(|one| !sings(&one.value)));
                prop_assert!(!sings(&shown(&[&disclosed, &tally])));
            }
            Err(violation) => prop_assert!(!sings(&shown(&[&violation, &violation.to_string()]))),
        }
    }
}

fn parameters() -> Vec<ParameterRule> {
    let rule = |name: &str, source: Value, disclosed| {
        let schema = Schema::read(&source, &source, "").expect("a schema");
        let array = matches!(schema.kind, Kind::Array(_));
        ParameterRule {
            place: Place::Query,
            name: name.into(),
            required: false,
            array,
            schema,
            disclosed,
        }
    };
    let text = json!({"type": "string"});
    let long = json!({"type": "string", "minLength": 8});
    vec![
        rule("withheld", text.clone(), Disclosed::Withheld),
        rule("redacted", text, Disclosed::Passes(Some(Mask::Redact))),
        rule("kept", long, Disclosed::Passes(Some(Mask::KeepLast(4)))),
        rule("number", json!({"type": "integer"}), Disclosed::Passes(None)),
        rule("date", json!({"type": "string", "format": "date"}), Disclosed::Passes(None)),
    ]
}

#[test]
fn the_generator_makes_bodies_that_pass() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let view = view(Direction::Answer);
    let passing = (0..200).filter(|_| {
        let body = body().new_tree(&mut runner).expect("a body").current();
        is_silent(&view, body.as_bytes()).expect("silence")
    });
    assert!(passing.count() > 20);
    assert!(sings("\"xZq7canaryx\"") && sings(&generate::escaped(CANARY, true)));
}
