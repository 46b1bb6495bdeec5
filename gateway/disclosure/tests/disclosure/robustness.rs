//! Any bytes: no panic, and the same verdict on JSON as a strict tree parser.

use lienthong_disclosure::{Bounds, Direction, View, ViolationKind};
use lienthong_model::schema::Schema;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::{config, generate, pseudonyms, reference};

const DEPTH: usize = 6;

/// A view that withholds everything and declares one field.
fn closed() -> View {
    let source = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let schema = Schema::read(&source, &source, "").expect("a schema");
    let bounds = Bounds { max_bytes: 1 << 20, max_depth: DEPTH };
    View::compile(&schema, &[].into(), Direction::Answer, bounds).expect("a view")
}

fn verdict(view: &View, body: &[u8]) -> Result<String, ViolationKind> {
    let mut out = Vec::new();
    let tally = view.disclose(body, &pseudonyms(), &mut out).map_err(|violation| violation.kind)?;
    drop(tally);
    Ok(String::from_utf8(out).expect("UTF-8"))
}

fn agrees(view: &View, body: &[u8]) -> Result<(), TestCaseError> {
    let tree = reference::parse(body, DEPTH).filter(serde_json::Value::is_object);
    let found = verdict(view, body);
    prop_assert_eq!(found.is_ok(), tree.is_some(), "{:?}", found);
    if let Ok(text) = found {
        prop_assert_eq!(text, "{}");
    }
    Ok(())
}

fn tokens() -> impl Strategy<Value = String> {
    let token = select(
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"\\u0061\"",
            "\"b\"",
            "\"\"",
            "1",
            "-0",
            "1e5",
            "01",
            "1.",
            "null",
            "true",
            "nul",
            " ",
            "\n",
            "\"",
            "\\",
            "\"\\ud800\"",
            "\"\\ud83d\\ude00\"",
            "{\"a\":1}",
            "[[]]",
            "1e999",
            "\u{feff}",
            "é",
            "\0",
            "\u{1}",
            "\"b\":1,",
            "\"c\":{}",
        ][..],
    );
    vec(token, 0..14).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn any_bytes_are_judged_as_a_strict_parser_does(body in vec(any::<u8>(), 0..64)) {
        agrees(&closed(), &body)?;
    }

    #[test]
    fn any_tokens_are_judged_as_a_strict_parser_does(body in tokens(), wrapped in any::<bool>()) {
        let body = if wrapped { format!("{{\"k\":{body}}}") } else { body };
        agrees(&closed(), body.as_bytes())?;
    }

    #[test]
    fn any_value_is_judged_as_a_strict_parser_does(
        value in generate::anything(),
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut body = format!("{{\"k\":{value}}}").into_bytes();
        agrees(&closed(), &body)?;
        let at = cut.index(body.len());
        body[at] = byte;
        agrees(&closed(), &body)?;
        body.truncate(at);
        agrees(&closed(), &body)?;
    }

    #[test]
    fn any_text_survives_as_a_value_and_as_a_key(text in any::<String>(), style in any::<bool>()) {
        let source = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        let schema = Schema::read(&source, &source, "").expect("a schema");
        let masks = [("/a".parse().expect("a pointer"), None)].into();
        let view = View::compile(&schema, &masks, Direction::Answer, Bounds::default());
        let view = view.expect("a view");
        let spelt = generate::escaped(&text, style);
        let extra = if text == "a" { String::new() } else { format!(", {spelt} : {spelt}") };
        let found = verdict(&view, format!("{{\"a\" : {spelt}{extra}}}").as_bytes());
        prop_assert_eq!(found, Ok(format!("{{\"a\":{spelt}}}")));
    }
}
