//! A stream, cut anywhere, gives what a view gives of the whole; and never more before it stops.

use std::sync::Arc;

use lienthong_disclosure::{
    Bounds, Direction, Pseudonymiser, Stop, StreamBounds, StreamDisclosure, StreamShape,
    StreamTally, StreamView, Tally, View,
};
use lienthong_model::{
    field::Pointer,
    schema::{Kind, Schema},
};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};

use crate::{
    canary, config,
    generate::{self, Masks},
    pseudonyms,
};

const BOUNDS: Bounds = Bounds { max_bytes: 1 << 20, max_depth: 12 };
const STREAM: StreamBounds = StreamBounds {
    element_bytes: 1 << 20,
    max_elements: 1_000,
    envelope_bytes: 1 << 20,
    max_depth: 12,
};

type Cuts = Vec<prop::sample::Index>;

fn cuts() -> impl Strategy<Value = Cuts> {
    prop_oneof![vec(any::<prop::sample::Index>(), 0..9), vec(any::<prop::sample::Index>(), 80)]
}

/// What is written of `body`, cut at `cuts`, and how it ended.
fn streamed(view: StreamView, body: &[u8], cuts: &Cuts) -> (String, Result<StreamTally, Stop>) {
    let mut stream = StreamDisclosure::new(Arc::new(view), pseudonyms());
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    places.push(body.len());
    places.sort_unstable();
    let mut out = Vec::new();
    let mut from = 0;
    let mut outcome = Ok(());
    for to in places {
        outcome = outcome.and_then(|()| stream.push(&body[from..to], &mut out));
        from = to;
    }
    let outcome = outcome.and_then(|()| stream.finish(&mut out));
    (String::from_utf8(out).expect("UTF-8"), outcome)
}

fn counts(tally: &Tally) -> [u64; 4] {
    [tally.disclosed, tally.masked, tally.dropped, tally.undeclared].map(u64::from)
}

fn stream_counts(tally: &StreamTally) -> [u64; 4] {
    [tally.disclosed, tally.masked, tally.dropped, tally.undeclared]
}

fn read(source: &Value) -> Schema {
    Schema::read(source, source, "").expect("a schema that can be read")
}

/// The arrays that no other array stands around.
fn arrays(schema: &Schema, at: &Pointer) -> Vec<Pointer> {
    match &schema.kind {
        Kind::Array(_) => vec![at.clone()],
        Kind::Object(rules) => {
            let members = rules.properties.iter();
            members.flat_map(|(name, schema)| arrays(schema, &at.child(name))).collect()
        }
        _ => Vec::new(),
    }
}

#[derive(Debug, Clone)]
struct Case {
    source: Value,
    masks: Masks,
    body: String,
    cuts: Cuts,
}

/// A schema that most generated bodies fit.
fn easy() -> impl Strategy<Value = Value> {
    let record = json!({"type": "object", "properties": {
        "a": {"type": "string"},
        "HoVaTen": {"type": ["string", "null"]},
        "x y": {"type": "object", "properties": {"b": {"type": "number"}}},
        "ds": {"type": "array", "items": {"type": "integer"}},
    }});
    prop_oneof![Just(record), Just(json!({"type": "string"})), Just(json!({"type": "number"}))]
}

/// A schema with an array of records in it, often with much around it.
fn source() -> impl Strategy<Value = Value> {
    let wrapped = |name: &'static str, beside: &'static str| {
        let items = prop_oneof![generate::schema(), easy()];
        (items, prop_oneof![generate::schema(), easy()], any::<bool>()).prop_map(
            move |(items, other, required)| {
                let list = json!({"type": ["array", "null"], "items": items, "minItems": 0});
                let required = if required { vec![name, beside] } else { Vec::new() };
                json!({"type": "object", "properties": {name: list, beside: other},
                    "required": required})
            },
        )
    };
    let deeper = (wrapped("ds", "x"), easy()).prop_map(|(inner, other)| {
        json!({"type": "object", "properties": {"kq/~": inner, "ds": other},
            "required": ["kq/~"]})
    });
    prop_oneof![generate::schema(), wrapped("a", "b"), deeper]
}

fn case() -> impl Strategy<Value = Case> {
    source().prop_flat_map(|source| {
        let masks = generate::masks(&read(&source), true);
        let body = generate::body(&source);
        (Just(source), masks, body, cuts()).prop_map(|(source, masks, body, cuts)| Case {
            source,
            masks,
            body,
            cuts,
        })
    })
}

/// Whether the case was worth it.
fn array_agrees(case: &Case, body: &[u8]) -> Result<bool, TestCaseError> {
    let schema = read(&case.source);
    let Ok(whole) = View::compile(&schema, &case.masks, Direction::Answer, BOUNDS) else {
        return Ok(false);
    };
    let mut expected = Vec::new();
    let tally = whole.disclose(body, &pseudonyms(), &mut expected);
    let expected = String::from_utf8(expected).expect("UTF-8");
    let mut worth = false;
    for at in arrays(&schema, &Pointer::root()) {
        let shape = StreamShape::Array(at.clone());
        let Ok(view) = StreamView::compile(&schema, &case.masks, &shape, STREAM) else { continue };
        let (out, outcome) = streamed(view, body, &case.cuts);
        match (&tally, outcome) {
            (Ok(tally), Ok(found)) => {
                prop_assert_eq!(&out, &expected);
                prop_assert_eq!(counts(tally), stream_counts(&found));
                worth |= found.elements > 1;
            }
            (Err(_), Err(stop)) => {
                prop_assert!(serde_json::from_str::<Value>(&out).is_err(), "never closed: {}", out);
                check_stopped(&out, &at, stop.elements)?;
            }
            (whole, found) => {
                return Err(TestCaseError::fail(format!("{at}: {whole:?} but {found:?}")));
            }
        }
    }
    Ok(worth)
}

/// What was written before a stop is whole elements, as many as it says.
fn check_stopped(out: &str, at: &Pointer, elements: u64) -> Result<(), TestCaseError> {
    if out.is_empty() {
        prop_assert_eq!(elements, 0);
        return Ok(());
    }
    let closed = format!("{out}]{}", "}".repeat(at.tokens().len()));
    let value: Value = serde_json::from_str(&closed).expect("whole elements");
    let path = at.tokens().iter().try_fold(&value, |value, token| value.get(token));
    let list = path.and_then(Value::as_array).expect("the array");
    prop_assert_eq!(list.len() as u64, elements);
    Ok(())
}

fn lines_agree(
    source: &Value,
    masks: &Masks,
    body: &[u8],
    cuts: &Cuts,
) -> Result<(), TestCaseError> {
    let schema = read(source);
    let Ok(view) = StreamView::compile(&schema, masks, &StreamShape::Ndjson, STREAM) else {
        return Ok(());
    };
    let line = View::compile(&schema, masks, Direction::Answer, BOUNDS).expect("a view");
    let (out, outcome) = streamed(view, body, cuts);
    let mut expected = Vec::new();
    let mut total = StreamTally::default();
    let mut good = body.is_empty() || body.ends_with(b"\n");
    for raw in body.split_inclusive(|byte| *byte == b'\n') {
        let Some(raw) = raw.strip_suffix(b"\n") else { break };
        let Ok(tally) = line.disclose(raw, &pseudonyms(), &mut expected) else {
            good = false;
            break;
        };
        expected.push(b'\n');
        total.elements += 1;
        let [disclosed, masked, dropped, undeclared] = counts(&tally);
        total.disclosed += disclosed;
        total.masked += masked;
        total.dropped += dropped;
        total.undeclared += undeclared;
    }
    let mut expected = String::from_utf8(expected).expect("UTF-8");
    match outcome {
        Ok(found) => {
            prop_assert!(good);
            prop_assert_eq!(found.elements, total.elements);
            prop_assert_eq!(stream_counts(&found), stream_counts(&total));
            let closing =
                json!({"lienthong": {"complete": true, "elements": total.elements, "withheld": 0}});
            expected.push_str(&format!("{closing}\n"));
        }
        Err(stop) => {
            prop_assert!(!good, "{}", stop);
            prop_assert_eq!(stop.elements, total.elements);
        }
    }
    prop_assert_eq!(out, expected);
    Ok(())
}

fn lines_case() -> impl Strategy<Value = (Value, Masks, Vec<u8>, Cuts)> {
    generate::schema().prop_flat_map(|source| {
        let masks = generate::masks(&read(&source), true);
        let line = (generate::body(&source), prop_oneof![Just("\n"), Just("\r\n")]);
        let body = vec(line, 0..5).prop_map(|lines| {
            lines
                .iter()
                .map(|(line, end)| format!("{}{end}", line.replace(['\r', '\n'], " ")))
                .collect::<String>()
                .into_bytes()
        });
        (Just(source), masks, body, cuts())
    })
}

/// A view of lines or of an array, for bodies that are broken.
fn canary_views() -> [StreamView; 2] {
    let source = canary::source();
    let line = read(&source);
    let document = json!({"type": "object", "properties": {
        "open": {"type": "string"}, "redacted": {"type": "string"},
        "ds": {"type": "array", "items": source}}});
    let wrapped = canary::masks().into_iter().map(|(at, mask)| {
        let element: Pointer = format!("/ds/*{at}").parse().expect("a pointer");
        (element, mask)
    });
    let around = ["/open", "/redacted"].map(|at| at.parse::<Pointer>().expect("a pointer"));
    let masks: Masks = canary::masks();
    let around = around.into_iter().filter_map(|at| masks.get_key_value(&at));
    let around = around.map(|(at, mask)| (at.clone(), mask.clone()));
    let wrapped: Masks = wrapped.chain(around).collect();
    let shape = StreamShape::Array("/ds".parse().expect("a pointer"));
    let array = StreamView::compile(&read(&document), &wrapped, &shape, STREAM);
    let lines = StreamView::compile(&line, &masks, &StreamShape::Ndjson, STREAM);
    [lines.expect("a view"), array.expect("a view")]
}

fn is_silent(body: &[u8], cuts: &Cuts) -> Result<u64, TestCaseError> {
    let mut elements = 0;
    for view in canary_views() {
        let (out, outcome) = streamed(view, body, cuts);
        prop_assert!(!canary::sings(&out), "{}", out);
        prop_assert!(out.lines().all(|line| !canary::sings(line)), "{}", out);
        let told = format!("{outcome:?}");
        prop_assert!(!canary::sings(&told), "{}", told);
        match outcome {
            Ok(tally) => elements += tally.elements,
            Err(stop) => {
                prop_assert!(!canary::sings(&stop.to_string()));
                elements += stop.elements;
            }
        }
    }
    Ok(elements)
}

/// Elements and what stands around them, both with the canary in.
fn canary_body() -> impl Strategy<Value = String> {
    let members = vec(canary::body().prop_map(|body| body.replace(['\r', '\n'], " ")), 0..4);
    (members, canary::secrets(), any::<bool>()).prop_map(|(elements, around, array)| {
        if array {
            let list = elements.join(",\n");
            format!("{{\"la\":{around},\"open\":\"x\",\"ds\":[{list}],\"redacted\":{around}}}")
        } else {
            elements.iter().map(|line| format!("{line}\n")).collect()
        }
    })
}

proptest! {
    #![proptest_config(config(160))]

    #[test]
    fn an_array_agrees_with_the_view_of_the_whole(case in case()) {
        array_agrees(&case, case.body.as_bytes())?;
    }

    #[test]
    fn a_broken_array_agrees_with_the_view_of_the_whole(
        case in case(),
        at in any::<prop::sample::Index>(),
        byte in prop_oneof![any::<u8>(), prop::sample::select(&b"{}[],:\"\\ n0"[..])],
    ) {
        let mut body = case.body.clone().into_bytes();
        let at = at.index(body.len());
        body[at] = byte;
        array_agrees(&case, &body)?;
        body.truncate(at);
        array_agrees(&case, &body)?;
    }

    #[test]
    fn lines_agree_with_the_view_of_each(
        (source, masks, body, cuts) in lines_case(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        lines_agree(&source, &masks, &body, &cuts)?;
        if !body.is_empty() {
            let mut body = body;
            let at = at.index(body.len());
            body[at] = byte;
            lines_agree(&source, &masks, &body, &cuts)?;
        }
    }

    #[test]
    fn nothing_withheld_or_masked_occurs_anywhere(
        body in canary_body(),
        cuts in cuts(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        is_silent(body.as_bytes(), &cuts)?;
        if !body.is_empty() {
            let mut body = body.into_bytes();
            let at = at.index(body.len());
            is_silent(&body[..at], &cuts)?;
            body[at] = byte;
            is_silent(&body, &cuts)?;
        }
    }

    #[test]
    fn any_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..80), cuts in cuts()) {
        is_silent(&bytes, &cuts)?;
        is_silent(&[&b"{\"open\":\"x\",\"ds\":["[..], &bytes].concat(), &cuts)?;
    }
}

#[test]
fn the_generators_reach_streams_of_many_elements() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let worth = (0..300).filter(|_| {
        let case = case().new_tree(&mut runner).expect("a case").current();
        array_agrees(&case, case.body.as_bytes()).expect("agreement")
    });
    let worth = worth.count();
    assert!(worth > 20, "{worth}");
    let spoken = (0..200).map(|_| {
        let body = canary_body().new_tree(&mut runner).expect("a body").current();
        is_silent(body.as_bytes(), &Vec::new()).expect("silence")
    });
    let spoken: u64 = spoken.sum();
    assert!(spoken > 40, "{spoken}");
}

#[test]
fn one_consumer_has_one_pseudonym_in_a_stream_and_in_a_whole() {
    let source = json!({"type": "object", "properties": {
        "ds": {"type": "array", "items": {"type": "string"}}}});
    let masks: Masks =
        [("/ds/*".parse().expect("a pointer"), Some(lienthong_model::mask::Mask::Pseudonymise))]
            .into();
    let schema = read(&source);
    let body = br#"{"ds":["079090000001"]}"#;
    let mut whole = Vec::new();
    let keys: Pseudonymiser = pseudonyms();
    let view = View::compile(&schema, &masks, Direction::Answer, BOUNDS).expect("a view");
    view.disclose(body, &keys, &mut whole).expect("a disclosure");
    let shape = StreamShape::Array("/ds".parse().expect("a pointer"));
    let view = StreamView::compile(&schema, &masks, &shape, STREAM).expect("a view");
    let (out, _) = streamed(view, body, &Vec::new());
    assert_eq!(out.as_bytes(), whole);
}
