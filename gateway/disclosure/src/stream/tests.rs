use std::{collections::BTreeMap, sync::Arc};

use lienthong_model::{field::Pointer, mask::Mask, schema::Schema, sensitive::Sensitive};
use serde_json::{Value, json};

use super::*;
use crate::{Locator, Pseudonymiser, Tally, ViewProblem, ViolationKind};

const BOUNDS: StreamBounds =
    StreamBounds { element_bytes: 64, max_elements: 5, envelope_bytes: 120, max_depth: 8 };

fn masks(named: &Value) -> BTreeMap<Pointer, Option<Mask>> {
    let named = named.as_object().unwrap().iter();
    named
        .map(|(pointer, mask)| {
            let mask = (mask != "pass").then(|| Mask::parse(mask).unwrap());
            (pointer.parse().unwrap(), mask)
        })
        .collect()
}

fn shape(array: Option<&str>) -> StreamShape {
    array.map_or(StreamShape::Ndjson, |at| StreamShape::Array(at.parse().unwrap()))
}

fn compile(source: &Value, named: &Value, array: Option<&str>) -> StreamView {
    let schema = Schema::read(source, source, "").unwrap();
    StreamView::compile(&schema, &masks(named), &shape(array), BOUNDS).unwrap()
}

fn problem(source: &Value, named: &Value, array: Option<&str>) -> (String, ViewProblem) {
    let schema = Schema::read(source, source, "").unwrap();
    let errors = StreamView::compile(&schema, &masks(named), &shape(array), BOUNDS).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    (errors[0].at.to_string(), errors[0].problem.clone())
}

fn pseudonyms() -> Pseudonymiser {
    Pseudonymiser::new(Sensitive::new([1; 32]), &"H29.40".parse().unwrap(), "2026")
}

fn record() -> Value {
    json!({
        "type": "object",
        "required": ["So"],
        "properties": {
            "So": {"type": "string", "minLength": 8},
            "Tuoi": {"type": ["integer", "null"], "minimum": 0},
            "An": {"type": "string"},
        },
    })
}

/// An answer with the array of its records two objects deep, and fields on both sides of it.
fn document() -> Value {
    json!({
        "type": "object",
        "required": ["kq", "ma"],
        "properties": {
            "ma": {"type": "string"},
            "kin": {"type": "string"},
            "kq": {
                "type": ["object", "null"],
                "required": ["tong"],
                "properties": {
                    "tong": {"type": "integer"},
                    "ds": {"type": ["array", "null"], "items": record(), "maxItems": 4},
                },
            },
        },
    })
}

fn named() -> Value {
    json!({"/ma": "pass", "/kq/tong": "pass", "/kq/ds/*/So": {"keep_last": 4},
        "/kq/ds/*/Tuoi": "pass"})
}

fn array_view() -> StreamView {
    compile(&document(), &named(), Some("/kq/ds"))
}

fn lines_view() -> StreamView {
    compile(&record(), &json!({"/So": {"keep_last": 4}, "/Tuoi": "pass"}), None)
}

/// What is written, and the tally or stop, of `body` in chunks of `size` bytes.
fn run(view: StreamView, body: &[u8], size: usize) -> (String, Result<StreamTally, Stop>) {
    let mut stream = StreamDisclosure::new(Arc::new(view), pseudonyms());
    let mut out = Vec::new();
    let mut outcome = Ok(());
    for chunk in body.chunks(size) {
        outcome = outcome.and_then(|()| stream.push(chunk, &mut out));
        assert!(stream.capacity() <= 64 + 1 + 120, "what is held is bounded");
    }
    let outcome = outcome.and_then(|()| stream.finish(&mut out));
    if let Err(stop) = &outcome {
        let length = out.len();
        assert_eq!(stream.push(b"[1]\n", &mut out).as_ref(), Err(stop), "a stop is final");
        assert_eq!(stream.finish(&mut out).as_ref(), Err(stop), "a stop is final");
        assert_eq!(out.len(), length);
        assert_eq!(stream.elements(), stop.elements);
    }
    (String::from_utf8(out).unwrap(), outcome)
}

/// Where, why and after how many elements `body` stops, however it is cut; and what was written.
fn stop(view: fn() -> StreamView, body: &[u8]) -> (StopCause, ViolationKind, String, u64, String) {
    let mut found: Vec<_> = [1, 2, 3, 7, 64, 4_096]
        .map(|size| {
            let (out, outcome) = run(view(), body, size);
            let stop = outcome.expect_err(&String::from_utf8_lossy(body));
            (stop.cause, stop.violation.kind, stop.violation.at.to_string(), stop.elements, out)
        })
        .to_vec();
    found.dedup();
    assert_eq!(found.len(), 1, "cuts make no difference: {found:?}");
    found.remove(0)
}

fn passes(view: fn() -> StreamView, body: &str) -> (String, StreamTally) {
    let mut found: Vec<_> = [1, 2, 3, 7, 64, 4_096]
        .map(|size| {
            let (out, outcome) = run(view(), body.as_bytes(), size);
            (out, outcome.expect(body))
        })
        .to_vec();
    found.dedup();
    assert_eq!(found.len(), 1, "cuts make no difference: {found:?}");
    found.remove(0)
}

fn broken(keyword: &'static str) -> ViolationKind {
    ViolationKind::Schema { keyword }
}

#[test]
fn refuses_to_compile_what_cannot_be_checked_element_by_element() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    let nested = json!({"type": "array", "items": {"type": "object", "properties": {"ds": list}}});
    let named = json!({"/*/ds/*": "pass"});
    assert_eq!(
        problem(&nested, &named, Some("/*/ds")),
        ("/*/ds".into(), ViewProblem::InsideAnArray)
    );
    assert_eq!(problem(&list, &json!({"/*": "pass"}), Some("/*")).1, ViewProblem::InsideAnArray);
    let at = |array| problem(&document(), &json!({}), Some(array));
    assert_eq!(at("/khong/co"), ("/khong/co".into(), ViewProblem::UnknownField));
    assert_eq!(at("/ma/ds"), ("/ma/ds".into(), ViewProblem::UnknownField));
    assert_eq!(at("/kq"), ("/kq".into(), ViewProblem::NotAnArray));
    assert_eq!(at(""), (String::new(), ViewProblem::NotAnArray));
    for keyword in ["uniqueItems", "contains", "prefixItems"] {
        let mut whole = list.clone();
        whole[keyword] = match keyword {
            "uniqueItems" => json!(true),
            "contains" => json!({"type": "string"}),
            _ => json!([{"type": "string"}]),
        };
        let around = json!({"type": "object", "properties": {"ds": whole}});
        let expected = ("/ds".to_owned(), ViewProblem::NeedsWholeValue(keyword.into()));
        assert_eq!(problem(&around, &json!({"/ds": "pass"}), Some("/ds")), expected);
    }
    for (keyword, value) in [
        ("oneOf", json!([{"required": ["ds"]}])),
        ("minProperties", json!(1)),
        ("dependentRequired", json!({"ds": ["tong"]})),
    ] {
        let mut around = json!({"type": "object", "properties": {"ds": list}});
        around[keyword] = value;
        let around = json!({"type": "object", "properties": {"kq": around}});
        let expected = ("/kq".to_owned(), ViewProblem::NeedsWholeValue(keyword.into()));
        assert_eq!(problem(&around, &json!({"/kq": "pass"}), Some("/kq/ds")), expected);
    }
}

#[test]
fn refuses_to_compile_a_stream_of_which_no_element_passes() {
    let found = problem(&document(), &json!({"/ma": "pass"}), Some("/kq/ds"));
    assert_eq!(found, ("/kq/ds/*".into(), ViewProblem::NothingPasses));
    let list = json!({"type": "array", "items": {"type": "string"}});
    assert_eq!(problem(&list, &json!({}), Some("")).1, ViewProblem::NothingPasses);
}

#[test]
fn refuses_to_compile_lines_that_could_be_taken_for_the_closing_line() {
    let closing = json!({"type": "object", "properties": {"lienthong": {"type": "string"}}});
    let whole = json!({"oneOf": [closing, {"type": "string"}]});
    let expected = ViewProblem::ReservedName("lienthong");
    assert_eq!(problem(&closing, &json!({"/lienthong": "pass"}), None).1, expected);
    assert_eq!(problem(&whole, &json!({"": "pass"}), None).1, expected);
}

#[test]
fn refuses_to_compile_fields_that_a_view_refuses() {
    let found = problem(&document(), &json!({"/kq/ds": "pass"}), Some("/kq/ds"));
    assert_eq!(found, ("/kq/ds".into(), ViewProblem::NotALeaf));
}

const FIRST: &str = r#"{"So":"079090000001","Tuoi":7}"#;
const MASKED: &str = r#"{"So":"***0001","Tuoi":7}"#;

#[test]
fn stops_lines_at_the_first_that_does_not_pass() {
    let deep = format!("{{\"x\":{}", "[".repeat(20));
    let cases: Vec<(&[u8], ViolationKind, &str)> = vec![
        (br#"{"So":"079090000002","Tuoi":"7"}"#, broken("type"), "/Tuoi"),
        (br#"{"Tuoi":7}"#, broken("required"), "/So"),
        (br#"{"So":"079090000002","S\u006f":"079090000003"}"#, ViolationKind::DuplicateKey, ""),
        (br#"{"So":"079090000002","x":1,"\u0078":2}"#, ViolationKind::DuplicateKey, ""),
        (br#"{"So":"079090000002"} {}"#, ViolationKind::Malformed, ""),
        (br#"{"So":"079090000002""#, ViolationKind::Malformed, ""),
        (b"{\"So\":\"079090000002\"}\r{\"So\":\"079090000003\"}", ViolationKind::Malformed, ""),
        (b"{\"x\":\"\xff\"}", ViolationKind::InvalidUtf8, ""),
        (b"\xef\xbb\xbf{\"So\":\"079090000002\"}", ViolationKind::Malformed, ""),
        (b" ", ViolationKind::Malformed, ""),
        (deep.as_bytes(), ViolationKind::TooDeep, ""),
        (b"null", broken("type"), ""),
        (b"[]", broken("type"), ""),
    ];
    for (line, kind, at) in cases {
        let body = [FIRST.as_bytes(), b"\n", line, b"\n", FIRST.as_bytes(), b"\n"].concat();
        let expected = (StopCause::Element, kind, at.to_owned(), 1, format!("{MASKED}\n"));
        assert_eq!(stop(lines_view, &body), expected, "{}", String::from_utf8_lossy(line));
        let only = [line, b"\n"].concat();
        let expected = (StopCause::Element, kind, at.to_owned(), 0, String::new());
        assert_eq!(stop(lines_view, &only), expected);
    }
}

#[test]
fn stops_at_an_empty_line() {
    for empty in ["\n", "\r\n"] {
        let body = format!("{FIRST}\n{empty}{FIRST}\n");
        let (cause, kind, _, elements, out) = stop(lines_view, body.as_bytes());
        assert_eq!((cause, kind, elements), (StopCause::EmptyLine, ViolationKind::Malformed, 1));
        assert_eq!(out, format!("{MASKED}\n"));
        assert_eq!(stop(lines_view, empty.as_bytes()).0, StopCause::EmptyLine);
    }
}

#[test]
fn refuses_a_last_line_without_end() {
    for last in [FIRST, "{", "\r", " "] {
        let (out, outcome) = run(lines_view(), format!("{FIRST}\n{last}").as_bytes(), 5);
        let stop = outcome.unwrap_err();
        assert_eq!((stop.cause, stop.elements), (StopCause::LineWithoutEnd, 1));
        assert!(stop.to_string().starts_with("NDJSON line without end"));
        assert_eq!(out, format!("{MASKED}\n"), "no closing line");
    }
}

#[test]
fn refuses_an_element_over_its_limit_while_it_is_read() {
    // The masked field would come after the limit.
    let long = format!("{{\"An\":\"{}\",\"So\":\"079090000001\"}}", "x".repeat(60));
    let (cause, kind, at, elements, out) =
        stop(lines_view, format!("{FIRST}\n{long}\n").as_bytes());
    assert_eq!((cause, kind), (StopCause::Element, ViolationKind::TooLarge));
    assert_eq!((at.as_str(), elements, out), ("", 1, format!("{MASKED}\n")));
    let body = format!("{{\"ma\":\"1\",\"kq\":{{\"ds\":[{FIRST},{long}]}}}}");
    let (cause, kind, at, elements, out) = stop(array_view, body.as_bytes());
    assert_eq!((cause, kind), (StopCause::Element, ViolationKind::TooLarge));
    assert_eq!((at.as_str(), elements), ("/kq/ds/*", 1));
    assert_eq!(out, format!("{{\"ma\":\"1\",\"kq\":{{\"ds\":[{MASKED}"));

    for (view, opening) in [(lines_view as fn() -> _, ""), (array_view, r#"{"kq":{"ds":["#)] {
        let mut stream = StreamDisclosure::new(Arc::new(view()), pseudonyms());
        let mut out = Vec::new();
        stream.push(opening.as_bytes(), &mut out).unwrap();
        let endless = (0..1_000_000).map(|_| stream.push(b"          ", &mut out));
        assert!(endless.take(7).any(|outcome| outcome.is_err()), "white space is counted");
    }
}

#[test]
fn an_element_of_exactly_the_limit_passes() {
    let exact = format!("{FIRST}{}", " ".repeat(64 - FIRST.len()));
    for end in ["\n", "\r\n"] {
        assert_eq!(passes(lines_view, &format!("{exact}{end}")).1.elements, 1);
        let more = format!("{exact} {end}");
        assert_eq!(stop(lines_view, more.as_bytes()).1, ViolationKind::TooLarge);
    }
    let body = |exact| format!("{{\"ma\":\"1\",\"kq\":{{\"tong\":1,\"ds\":[{exact}]}}}}");
    assert_eq!(passes(array_view, &body(exact.clone())).1.elements, 1);
    assert_eq!(stop(array_view, body(format!("{exact} ")).as_bytes()).1, ViolationKind::TooLarge);
}

#[test]
fn stops_at_the_bound_of_elements() {
    let (cause, kind, _, elements, out) =
        stop(lines_view, format!("{FIRST}\n").repeat(6).as_bytes());
    assert_eq!(cause, StopCause::TooManyElements);
    assert_eq!((kind, elements), (ViolationKind::TooLarge, 5));
    assert_eq!(out, format!("{MASKED}\n").repeat(5));
    let list = || {
        compile(
            &json!({"type": "array", "items": {"type": "integer"}}),
            &json!({"/*": "pass"}),
            Some(""),
        )
    };
    let found = stop(list, b"[1,2,3,4,5,6]");
    assert_eq!((found.0, found.3, found.4.as_str()), (StopCause::TooManyElements, 5, "[1,2,3,4,5"));
    assert_eq!(passes(list, "[1,2,3,4,5]").0, "[1,2,3,4,5]");
}

#[test]
fn stops_before_an_element_that_is_not_allowed() {
    let array = format!("{{\"ma\":\"1\",\"kq\":{{\"ds\":[{FIRST},{FIRST},{FIRST},");
    let lines = format!("{FIRST}\n").repeat(3);
    for (view, body, at) in
        [(array_view as fn() -> _, array, "/kq/ds/*"), (lines_view as fn() -> _, lines, "")]
    {
        for size in [1, 7, 4_096] {
            let mut stream = StreamDisclosure::new(Arc::new(view()), pseudonyms());
            let mut out = Vec::new();
            stream.set_allowance(1);
            stream.set_allowance(2);
            let mut chunks = body.as_bytes().chunks(size);
            let stop = chunks.find_map(|chunk| stream.push(chunk, &mut out).err()).unwrap();
            assert_eq!((stop.cause, stop.elements), (StopCause::Allowance, 2));
            assert_eq!(stop.violation.at.to_string(), at);
            assert_eq!(String::from_utf8_lossy(&out).matches("***0001").count(), 2);
            let length = out.len();
            stream.set_allowance(9);
            assert_eq!(stream.finish(&mut out), Err(stop), "a stop is final");
            assert_eq!(out.len(), length);
        }
    }
}

#[test]
fn an_allowance_that_is_used_up_does_not_stop_an_answer_that_ends() {
    let whole = |list: &str| format!("{{\"ma\":\"1\",\"kq\":{{\"tong\":1,\"ds\":[{list}]}}}}");
    for (view, body, allowed) in [
        (array_view as fn() -> _, whole(FIRST), 1),
        (array_view as fn() -> _, whole(" "), 0),
        (lines_view as fn() -> _, format!("{FIRST}\n"), 1),
        (lines_view as fn() -> _, String::new(), 0),
    ] {
        let mut stream = StreamDisclosure::new(Arc::new(view()), pseudonyms());
        let mut out = Vec::new();
        stream.set_allowance(allowed);
        stream.push(body.as_bytes(), &mut out).unwrap();
        assert_eq!(stream.finish(&mut out).unwrap().elements, allowed);
    }
}

#[test]
fn stops_an_array_at_the_first_element_that_does_not_pass() {
    let cases: Vec<(&[u8], ViolationKind, &str)> = vec![
        (br#"{"So":"079090000002","Tuoi":-1}"#, broken("minimum"), "/kq/ds/*/Tuoi"),
        (br#"{"Tuoi":7}"#, broken("required"), "/kq/ds/*/So"),
        (br#"{"So":"079090000002","So":"079090000002"}"#, ViolationKind::DuplicateKey, "/kq/ds/*"),
        (br#"{"So":"079090000002"}{}"#, ViolationKind::Malformed, "/kq/ds/*"),
        (br#"{"So":"079090000002"]"#, ViolationKind::Malformed, "/kq/ds/*"),
        (b"[]]", broken("type"), "/kq/ds/*"),
        (b"", ViolationKind::Malformed, "/kq/ds/*"),
        (b" \n", ViolationKind::Malformed, "/kq/ds/*"),
        (b"}", ViolationKind::Malformed, "/kq/ds/*"),
        (b"null", broken("type"), "/kq/ds/*"),
        (b"{\"x\":\"\xff\"}", ViolationKind::InvalidUtf8, "/kq/ds/*"),
        (b"{\"x\":[[[[[1]]]]]}", ViolationKind::TooDeep, "/kq/ds/*"),
    ];
    for (element, kind, at) in cases {
        let body = [br#"{"ma":"1","kq":{"ds":["#, FIRST.as_bytes(), b",", element, b", 1]}}"];
        let before = format!("{{\"ma\":\"1\",\"kq\":{{\"ds\":[{MASKED}");
        let expected = (StopCause::Element, kind, at.to_owned(), 1, before);
        assert_eq!(
            stop(array_view, &body.concat()),
            expected,
            "{}",
            String::from_utf8_lossy(element)
        );
    }
    let trailing = format!("{{\"ma\":\"1\",\"kq\":{{\"ds\":[{FIRST},]}}}}");
    assert_eq!(stop(array_view, trailing.as_bytes()).1, ViolationKind::Malformed);
}

#[test]
fn never_closes_an_array_that_is_not_complete() {
    let whole = format!("{{\"ma\":\"1\",\"kq\":{{\"tong\":1,\"ds\":[{FIRST}]}},\"kin\":\"x\"}}");
    let complete = passes(array_view, &whole).0;
    assert_eq!(complete, format!("{{\"ma\":\"1\",\"kq\":{{\"tong\":1,\"ds\":[{MASKED}]}}}}"));
    for length in 0..whole.len() {
        let (cause, _, _, elements, out) = stop(array_view, &whole.as_bytes()[..length]);
        assert_eq!(cause, StopCause::Incomplete, "{length}");
        assert!(complete.starts_with(&out) && !out.contains(']'), "{out}");
        assert_eq!(elements, u64::from(out.contains("***0001")));
    }
}

#[test]
fn stops_for_what_stands_around_the_array() {
    let before = format!("{{\"ma\":\"1\",\"kq\":{{\"ds\":[{MASKED}");
    let cases = [
        // Told when the array begins.
        (r#"{"ma":1,"kq":{"ds":[@]}}"#, broken("type"), "/ma", ""),
        (r#"{"ma":"1","\u006da":"2","kq":{"ds":[@]}}"#, ViolationKind::DuplicateKey, "", ""),
        (r#"{"kq":{"ds":null},"kq":{"ds":[@]}}"#, ViolationKind::DuplicateKey, "", ""),
        (r#"{"kq":{"ds":7,"d\u0073":[@]}}"#, broken("type"), "/kq/ds", ""),
        (r#"{"ma":"1" "kq":{"ds":[@]}}"#, ViolationKind::Malformed, "", ""),
        (r#"{"kq":{"ds":1[@]}}"#, broken("type"), "/kq/ds", ""),
        // Told at the end: then the array is not closed.
        (r#"{"ma":"1","kq":{"ds":[@],"d\u0073":[]}}"#, ViolationKind::DuplicateKey, "/kq", &before),
        (r#"{"ma":"1","kq":{"ds":[@]}}"#, broken("required"), "/kq/tong", &before),
        (r#"{"ma":"1","kq":{"ds":[@],"tong":"1"}}"#, broken("type"), "/kq/tong", &before),
        (
            r#"{"ma":"1","kq":{"ds":[@],"tong":1},"kq":{}}"#,
            ViolationKind::DuplicateKey,
            "",
            &before,
        ),
        (r#"{"ma":"1","kq":{"ds":[@],"tong":1},}"#, ViolationKind::Malformed, "", &before),
        (r#"{"ma":"1","kq":{"ds":[@]],"tong":1}}"#, ViolationKind::Malformed, "", &before),
        (r#"{"ma":"1","kq":{"ds":[@],"tong":1}} x"#, ViolationKind::Malformed, "", &before),
        (r#"{"ma":"1","kq":{"ds":[@],"tong":1}}{}"#, ViolationKind::Malformed, "", &before),
        ("\u{feff}{\"ma\":\"1\",\"kq\":{\"ds\":[@]}}", ViolationKind::Malformed, "", ""),
    ];
    for (body, kind, at, written) in cases {
        let elements = u64::from(!written.is_empty());
        let expected = (StopCause::Envelope, kind, at.to_owned(), elements, written.to_owned());
        assert_eq!(stop(array_view, body.replace('@', FIRST).as_bytes()), expected, "{body}");
    }
}

#[test]
fn bounds_what_stands_around_the_array() {
    let long = "x".repeat(100);
    for body in [
        format!("{{\"ma\":\"{long}{long}"),
        format!("{{\"la\":\"{long}\",\"kq\":{{\"ds\":[{FIRST}]}},\"la-2\":\"x\"}}"),
        format!("{{\"kq\":{{\"ds\":[{FIRST}]}},\"la\":\"{long}\",\"la-2\":\"x\"}}"),
        format!("{{\"kq\":{{\"ds\":[]}}}}{}", " ".repeat(200)),
        format!("{{\"kq\":{{\"ds\":{{\"x\":\"{long}{long}\"}}}}}}"),
    ] {
        let (cause, kind, ..) = stop(array_view, body.as_bytes());
        assert_eq!((cause, kind), (StopCause::Envelope, ViolationKind::TooLarge), "{body}");
    }
}

#[test]
fn counts_elements_against_the_schema() {
    let list = || {
        let source =
            json!({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3});
        compile(&source, &json!({"/*": "pass"}), Some(""))
    };
    for (body, keyword, out) in
        [("[]", "minItems", "["), ("[1]", "minItems", "[1"), ("[1,2,3,4]", "maxItems", "[1,2,3")]
    {
        let found = stop(list, body.as_bytes());
        assert_eq!((found.0, found.1), (StopCause::Envelope, broken(keyword)));
        assert_eq!((found.2.as_str(), found.4.as_str()), ("", out));
    }
    assert_eq!(passes(list, " [ 1 , 2 ] ").0, "[1,2]");
}

#[test]
fn handles_an_array_that_is_missing_null_or_of_a_wrong_type_as_a_view_does() {
    let passing = [
        (r#"{"ma":"1","kq":{"tong":0}}"#, r#"{"ma":"1","kq":{"tong":0}}"#),
        (r#"{"kq":{"tong":0,"ds":null},"ma":"1"}"#, r#"{"kq":{"tong":0,"ds":null},"ma":"1"}"#),
        (r#"{"kq":null,"ma":"1"}"#, r#"{"kq":null,"ma":"1"}"#),
        (r#"{"kq":{"ds":[ ],"tong":0},"ma":"1"}"#, r#"{"kq":{"ds":[],"tong":0},"ma":"1"}"#),
    ];
    for (body, expected) in passing {
        let (out, tally) = passes(array_view, body);
        assert_eq!((out.as_str(), tally.elements), (expected, 0));
    }
    for (body, keyword, at) in [
        (r#"{"ma":"1"}"#, "required", "/kq"),
        (r#"{"ma":"1","kq":{"tong":0,"ds":{}}}"#, "type", "/kq/ds"),
        (r#"{"ma":"1","kq":{"tong":0,"ds":"[1]"}}"#, "type", "/kq/ds"),
        (r#"{"ma":"1","kq":[{"ds":[1]}]}"#, "type", "/kq"),
        ("[]", "type", ""),
        ("7", "type", ""),
        ("null", "type", ""),
    ] {
        let (cause, kind, found, elements, out) = stop(array_view, body.as_bytes());
        assert_eq!((cause, kind, found.as_str()), (StopCause::Envelope, broken(keyword), at));
        assert_eq!((elements, out.as_str()), (0, ""));
    }
    for body in ["", " \n", "\"", "{\"ma"] {
        assert_eq!(stop(array_view, body.as_bytes()).0, StopCause::Incomplete, "{body:?}");
    }
}

#[test]
fn finds_the_array_by_its_name_alone_and_however_it_is_spelt() {
    let body = format!(
        r#" {{ "kin" : "\"kq\":{{\"ds\":[1]" , "la" : {{"kq":{{"ds":[1,{{"ds":[2]}}]}}}} , "x":[{{"ds":[3]}}],
        "m\u0061" : "ds" , "k\u0071" : {{ "la" : "ds" , "\u0064s" : [ {FIRST} , {{"So":"07909000000é","x":"]"}} ] , "tong" : 2 }} }} "#
    );
    let view = || {
        let bounds = StreamBounds { envelope_bytes: 400, ..BOUNDS };
        let schema = Schema::read(&document(), &document(), "").unwrap();
        StreamView::compile(&schema, &masks(&named()), &shape(Some("/kq/ds")), bounds).unwrap()
    };
    for size in [1, 2, 3, 7, 4_096] {
        let mut stream = StreamDisclosure::new(Arc::new(view()), pseudonyms());
        let mut out = Vec::new();
        for chunk in body.as_bytes().chunks(size) {
            stream.push(chunk, &mut out).unwrap();
        }
        let tally = stream.finish(&mut out).unwrap();
        let expected =
            format!(r#"{{"ma":"ds","kq":{{"ds":[{MASKED},{{"So":"***000é"}}],"tong":2}}}}"#);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!((tally.elements, tally.disclosed, tally.masked), (2, 3, 2));
        assert_eq!((tally.dropped, tally.undeclared), (1, 4));
        let drift: Vec<String> = tally.drift.iter().map(ToString::to_string).collect();
        assert_eq!(drift, ["/la", "/x", "/kq/la", "/kq/ds/*/x"]);
    }
}

#[test]
fn discloses_lines_and_says_that_they_are_complete() {
    let body = format!("{FIRST}\r\n {{\"Tuoi\" : null, \"So\":\"0790900000ẤẤ\"}} \n");
    let (out, tally) = passes(lines_view, &body);
    let closing = r#"{"lienthong":{"complete":true,"elements":2,"withheld":0}}"#;
    assert_eq!(out, format!("{MASKED}\n{{\"Tuoi\":null,\"So\":\"***00ẤẤ\"}}\n{closing}\n"));
    assert_eq!((tally.elements, tally.disclosed, tally.masked), (2, 2, 2));
    let (out, _) = passes(lines_view, "");
    assert_eq!(out, "{\"lienthong\":{\"complete\":true,\"elements\":0,\"withheld\":0}}\n");
}

#[test]
fn gives_elements_as_soon_as_they_are_whole() {
    let mut stream = StreamDisclosure::new(Arc::new(array_view()), pseudonyms());
    let mut out = Vec::new();
    stream.push(format!("{{\"ma\":\"1\",\"kq\":{{\"ds\":[{FIRST}").as_bytes(), &mut out).unwrap();
    assert_eq!(out, br#"{"ma":"1","kq":{"ds":["#, "an element ends with what follows it");
    assert_eq!(stream.tally().disclosed, 1, "the envelope is counted when it is written");
    stream.push(b",", &mut out).unwrap();
    assert!(out.ends_with(MASKED.as_bytes()));
    assert_eq!((stream.elements(), stream.tally().masked), (1, 1));
}

#[test]
fn counts_beyond_32_bits() {
    let mut total = StreamTally::default();
    let most = || Tally { disclosed: u32::MAX, undeclared: u32::MAX, ..Tally::default() };
    total.add(most());
    total.add(most());
    assert_eq!((total.disclosed, total.undeclared), (8_589_934_590, 8_589_934_590));
    total.add_beyond(&Tally { disclosed: u32::MAX - 1, ..most() }, most());
    assert_eq!((total.disclosed, total.undeclared), (8_589_934_591, 8_589_934_590));
}

#[test]
fn takes_nothing_after_the_end() {
    let mut stream = StreamDisclosure::new(Arc::new(lines_view()), pseudonyms());
    let mut out = Vec::new();
    stream.finish(&mut out).unwrap();
    let length = out.len();
    let cause = stream.push(b"{", &mut out).unwrap_err().cause;
    assert_eq!(cause, StopCause::AfterTheEnd);
    assert!(stream.finish(&mut out).is_err());
    assert_eq!(out.len(), length);
}

#[test]
fn discloses_arrays_of_arrays_and_of_texts() {
    let nested = || {
        let inner = json!({"type": "array", "items": {"type": "integer"}});
        compile(&json!({"type": "array", "items": inner}), &json!({"/*/*": "pass"}), Some(""))
    };
    assert_eq!(passes(nested, "[[1,2],[],[ 3 ]]").0, "[[1,2],[],[3]]");
    let texts = || {
        let list = json!({"type": "array", "items": {"type": "string"}});
        compile(
            &json!({"type": "object", "properties": {"ds": list}}),
            &json!({"/ds/*": "pass"}),
            Some("/ds"),
        )
    };
    let body = r#"{"ds":["a,b","]","\\","\"","\u005d,","ấ"]}"#;
    assert_eq!(stop(texts, body.as_bytes()).0, StopCause::TooManyElements);
    let body = r#"{"ds":["a,]b","\\","\"[","\u005d,{","ấ"]}"#;
    assert_eq!(passes(texts, body).0, body);
}

#[test]
fn shows_nothing_of_a_payload() {
    let mut stream = StreamDisclosure::new(Arc::new(lines_view()), pseudonyms());
    stream.push(br#"{"So":"canary"#, &mut Vec::new()).unwrap();
    assert!(!format!("{stream:?}").contains("canary"));
}

#[test]
fn hashes_everything_that_decides() {
    let list = json!({"type": "array", "items": {"type": "integer"}});
    let source = json!({"type": "object", "properties": {"a": list, "b": list}});
    let schema = Schema::read(&source, &source, "").unwrap();
    let hash = |named: &Value, array: Option<&str>, bounds| {
        StreamView::compile(&schema, &masks(named), &shape(array), bounds).unwrap().hash()
    };
    let named = json!({"/a/*": "pass", "/b/*": "pass"});
    let hashes = [
        hash(&named, None, BOUNDS),
        hash(&named, Some("/a"), BOUNDS),
        hash(&named, Some("/b"), BOUNDS),
        hash(&json!({"/a/*": "pass"}), Some("/a"), BOUNDS),
        hash(&named, Some("/a"), StreamBounds { element_bytes: 65, ..BOUNDS }),
        hash(&named, Some("/a"), StreamBounds { max_elements: 6, ..BOUNDS }),
        hash(&named, Some("/a"), StreamBounds { envelope_bytes: 121, ..BOUNDS }),
        hash(&named, Some("/a"), StreamBounds { max_depth: 9, ..BOUNDS }),
    ];
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}

#[test]
fn is_handed_between_threads() {
    fn sent<T: Send + Sync>() {}
    sent::<StreamView>();
    sent::<StreamDisclosure>();
}

/// Judges by the last digit of `So`: 0 is withheld, 1 narrowed, 2 unknown; all else passes.
struct ByDigit(Option<char>, Arc<StreamView>);

impl Judge for ByDigit {
    fn begin(&mut self) {
        self.0 = None;
    }

    fn value(&mut self, place: usize, value: &str) {
        assert_eq!(place, 0);
        self.0 = value.chars().last();
    }

    fn judgement(&mut self) -> Judgement {
        match self.0 {
            Some('0') | None => Judgement::Withheld,
            Some('1') => Judgement::Narrowed(Arc::clone(&self.1)),
            Some('2') => Judgement::Unknown,
            Some(_) => Judgement::Passes,
        }
    }
}

/// As [`run`], judged by the last digit of the number.
fn judged(array: bool, body: &str, size: usize) -> (String, Result<StreamTally, Stop>) {
    let (view, narrow, at) = if array {
        let narrow = json!({"/ma": "pass", "/kq/tong": "pass", "/kq/ds/*/Tuoi": "pass"});
        (array_view(), compile(&document(), &narrow, Some("/kq/ds")), "/So")
    } else {
        (lines_view(), compile(&record(), &json!({"/Tuoi": "pass"}), None), "/So")
    };
    let mut stream = StreamDisclosure::new(Arc::new(view), pseudonyms());
    let places = Arc::new(Locator::new([&at.parse().unwrap()]));
    stream.judge(Arc::clone(&places), Box::new(ByDigit(None, Arc::new(narrow))));
    stream.locate(places);
    let (mut out, mut left) = (Vec::new(), 0);
    let mut outcome = Ok(());
    for chunk in body.as_bytes().chunks(size) {
        outcome = outcome.and_then(|()| stream.push(chunk, &mut out));
        stream.take_located(&mut |_, _| left += 1);
    }
    let outcome = outcome.and_then(|()| stream.finish(&mut out));
    assert_eq!(left, stream.elements(), "whom the elements are about that left, and nobody else");
    (String::from_utf8(out).unwrap(), outcome)
}

fn so(digit: u8) -> String {
    format!(r#"{{"So":"0000000{digit}","Tuoi":3}}"#)
}

#[test]
fn elements_are_withheld_and_narrowed_as_the_judge_says() {
    for size in [1, 2, 3, 7, 64, 4_096] {
        let lines = [0, 5, 0, 1, 0].map(|digit| so(digit) + "\n").concat();
        let (out, tally) = judged(false, &lines, size);
        let end = r#"{"lienthong":{"complete":true,"elements":2,"withheld":3}}"#;
        assert_eq!(out, format!("{{\"So\":\"***0005\",\"Tuoi\":3}}\n{{\"Tuoi\":3}}\n{end}\n"));
        let tally = tally.unwrap();
        assert_eq!((tally.elements, tally.withheld, tally.masked), (2, 3, 1));
        let items = [0, 5, 1, 0].map(so).join(",");
        let body = format!(r#"{{"ma":"x","kq":{{"tong":4,"ds":[{items}]}}}}"#);
        let (out, tally) = judged(true, &body, size);
        let left = r#"{"So":"***0005","Tuoi":3},{"Tuoi":3}"#;
        assert_eq!(out, format!(r#"{{"ma":"x","kq":{{"tong":4,"ds":[{left}]}}}}"#));
        assert_eq!(tally.unwrap().withheld, 2);
    }
}

#[test]
fn an_array_of_which_all_is_withheld_is_an_empty_one() {
    let body = format!(r#"{{"ma":"x","kq":{{"tong":4,"ds":[{},{}]}}}}"#, so(0), so(0));
    let (out, tally) = judged(true, &body, 5);
    assert_eq!(out, r#"{"ma":"x","kq":{"tong":4,"ds":[]}}"#);
    assert_eq!((tally.clone().unwrap().elements, tally.unwrap().withheld), (0, 2));
}

/// One that is withheld is no way past a check: it is read as strictly as one that leaves, and
/// counts against every bound.
#[test]
fn a_withheld_element_is_judged_by_its_form_too() {
    let cases = [
        (format!("{}\n{{\"So\":\"0\"}}\n", so(0)), StopCause::Element),
        (format!("{}\n{{\"So\":\"00000000\",\"So\":1}}\n", so(0)), StopCause::Element),
        ((so(0) + "\n").repeat(6), StopCause::TooManyElements),
        (format!("{}\n", so(2)), StopCause::Unjudged),
    ];
    for (body, cause) in cases {
        let (out, stop) = judged(false, &body, 7);
        let stop = stop.unwrap_err();
        assert_eq!((stop.cause, stop.elements, out.as_str()), (cause, 0, ""), "{body}");
    }
    let array =
        |items: &[String]| format!(r#"{{"kq":{{"tong":4,"ds":[{}]}},"ma":""}}"#, items.join(","));
    let cases = [
        (array(&[so(0), so(0), so(0), so(0), so(0)]), StopCause::Envelope),
        (array(&[so(0), " ".to_owned()]), StopCause::Element),
    ];
    for (body, cause) in cases {
        let (out, stop) = judged(true, &body, 7);
        assert_eq!(stop.unwrap_err().cause, cause, "{body}");
        assert_eq!(out, r#"{"kq":{"tong":4,"ds":["#);
    }
}

/// What is withheld takes nothing of what the caller allows.
#[test]
fn the_allowance_counts_only_what_leaves() {
    let mut stream = StreamDisclosure::new(Arc::new(lines_view()), pseudonyms());
    let places = Arc::new(Locator::new([&"/So".parse().unwrap()]));
    stream.judge(places, Box::new(ByDigit(None, Arc::new(lines_view()))));
    stream.set_allowance(1);
    let mut out = Vec::new();
    let lines = [0, 0, 5, 0].map(|digit| so(digit) + "\n").concat();
    stream.push(lines.as_bytes(), &mut out).unwrap();
    let stop = stream.push((so(5) + "\n").as_bytes(), &mut out).unwrap_err();
    assert_eq!((stop.cause, stop.elements), (StopCause::Allowance, 1));
}
