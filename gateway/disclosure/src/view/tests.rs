use std::collections::BTreeSet;

use lienthong_model::sensitive::Sensitive;
use serde_json::{Value, json};

use super::*;
use crate::ViolationKind;

fn schema(source: &Value) -> Schema {
    Schema::read(source, source, "").unwrap()
}

fn masks(named: &Value) -> BTreeMap<Pointer, Option<Mask>> {
    let named = named.as_object().unwrap().iter();
    named
        .map(|(pointer, mask)| {
            let mask = (mask != "pass").then(|| Mask::parse(mask).unwrap());
            (pointer.parse().unwrap(), mask)
        })
        .collect()
}

fn compile(source: &Value, named: &Value, direction: Direction) -> Result<View, Vec<ViewError>> {
    View::compile(&schema(source), &masks(named), direction, Bounds::default())
}

fn problems(source: &Value, named: &Value, direction: Direction) -> Vec<(String, ViewProblem)> {
    let errors = compile(source, named, direction).unwrap_err();
    errors.into_iter().map(|e| (e.at.to_string(), e.problem)).collect()
}

fn pseudonyms() -> Pseudonymiser {
    Pseudonymiser::new(Sensitive::new([1; 32]), &"H29.40".parse().unwrap(), "2026")
}

fn disclose(view: &View, body: &str) -> Result<(String, Tally), Violation> {
    let mut out = b"before".to_vec();
    let tally = view.disclose(body.as_bytes(), &pseudonyms(), &mut out);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix("before").unwrap().to_owned();
    match tally {
        Ok(tally) => Ok((text, tally)),
        Err(violation) => {
            assert_eq!(text, "", "a violation leaves nothing in the buffer");
            Err(violation)
        }
    }
}

fn refusal(view: &View, body: &str) -> (ViolationKind, String) {
    let violation = disclose(view, body).unwrap_err();
    (violation.kind, violation.at.to_string())
}

fn broken(keyword: &'static str) -> ViolationKind {
    ViolationKind::Schema { keyword }
}

/// A record in the wire names of civil status.
fn birth() -> Value {
    json!({
        "type": "object",
        "required": ["SoDinhDanh", "HoVaTen", "DanToc"],
        "properties": {
            "SoDinhDanh": {"type": "string", "format": "citizen-number"},
            "HoVaTen": {"type": "string", "minLength": 2, "maxLength": 100},
            "NgaySinh": {"type": "string", "format": "date"},
            "DanToc": {"type": "string", "enum": ["Kinh", "Tày"]},
            "NoiCuTru": {
                "type": ["object", "null"],
                "required": ["MaPhuongXa"],
                "properties": {
                    "MaPhuongXa": {"type": "string", "format": "ward-code"},
                    "ChiTiet": {"type": "string"},
                },
            },
            "Con": {
                "type": "array",
                "maxItems": 3,
                "items": {
                    "type": "object",
                    "properties": {
                        "HoVaTen": {"type": "string"},
                        "Tuoi": {"type": "integer", "minimum": 0},
                    },
                },
            },
        },
    })
}

fn disclosure() -> Value {
    json!({
        "/SoDinhDanh": {"keep_last": 4},
        "/HoVaTen": "pass",
        "/NgaySinh": {"generalise": "year"},
        "/NoiCuTru/MaPhuongXa": {"generalise": "province"},
        "/Con/*/Tuoi": {"generalise": {"bands": [0, 18]}},
    })
}

fn answer_view() -> View {
    compile(&birth(), &disclosure(), Direction::Answer).unwrap()
}

#[test]
fn refuses_to_compile_names_that_are_no_leaves() {
    let named = json!({"/KhongCo": "pass", "/NoiCuTru": "pass", "/Con/*": "pass", "": "redact"});
    let expected = vec![
        (String::new(), ViewProblem::NotALeaf),
        ("/Con/*".into(), ViewProblem::NotALeaf),
        ("/KhongCo".into(), ViewProblem::UnknownField),
        ("/NoiCuTru".into(), ViewProblem::NotALeaf),
    ];
    assert_eq!(problems(&birth(), &named, Direction::Answer), expected);
}

#[test]
fn refuses_to_compile_masks_that_do_not_fit() {
    let named = json!({"/HoVaTen": {"keep_last": 2}, "/DanToc": {"generalise": "year"}});
    let found = problems(&birth(), &named, Direction::Answer);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|(_, problem)| matches!(problem, ViewProblem::Mask(_))));
}

#[test]
fn refuses_to_compile_a_request_that_its_provider_could_not_accept() {
    let source = json!({
        "type": "object",
        "required": ["a", "b", "c"],
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "object", "properties": {"x": {"type": "string"}}},
            "c": {"type": "object", "required": ["x"], "properties": {
                "x": {"type": "string"}, "y": {"type": "string"}}},
            "d": {"type": "object", "required": ["x"], "properties": {"x": {"type": "string"}}},
        },
    });
    let found = problems(&source, &json!({"/a": "drop", "/c/y": "pass"}), Direction::Request);
    let expected: Vec<(String, ViewProblem)> =
        ["/c/x", "/a", "/b"].map(|at| (at.to_owned(), ViewProblem::RequiredWithheld)).into();
    assert_eq!(found, expected, "an optional object that is withheld as a whole may lack anything");
    assert!(compile(&source, &json!({"/a": "drop", "/c/y": "pass"}), Direction::Answer).is_ok());
}

#[test]
fn refuses_to_compile_masks_whose_result_the_provider_never_allows() {
    let source = json!({
        "type": "object",
        "properties": {
            "date": {"type": "string", "format": "date"},
            "day": {"type": "string", "pattern": "^\\d{8}$"},
            "ward": {"type": "string", "format": "ward-code"},
            "age": {"type": "integer"},
            "code": {"type": "string", "enum": ["a", "b"]},
            "short": {"type": "string", "maxLength": 10},
            "number": {"type": "string", "pattern": "^\\d+$"},
            "listed": {"type": ["string", "null"], "enum": ["a"]},
        },
    });
    let named = json!({
        "/date": {"generalise": "year"},
        "/day": {"generalise": "month"},
        "/ward": {"generalise": "province"},
        "/age": {"generalise": {"bands": [18]}},
        "/code": "redact",
        "/short": "pseudonymise",
        "/number": "redact",
        "/listed": "null",
    });
    let found = problems(&source, &named, Direction::Request);
    assert_eq!(found.len(), 8);
    assert!(found.iter().all(|(_, problem)| matches!(problem, ViewProblem::NeverFulfilled(_))));
    assert!(compile(&source, &named, Direction::Answer).is_ok());
}

#[test]
fn refuses_to_compile_a_body_of_one_value_that_is_withheld() {
    let nothing = vec![(String::new(), ViewProblem::NothingPasses)];
    let text = json!({"type": "string"});
    assert_eq!(problems(&text, &json!({}), Direction::Answer), nothing);
    assert_eq!(problems(&text, &json!({"": "drop"}), Direction::Answer), nothing);
    let list = json!({"type": "array", "items": {"type": "string"}});
    assert_eq!(problems(&list, &json!({"/*": "drop"}), Direction::Answer), nothing);
}

#[test]
fn refuses_to_compile_a_schema_deeper_than_its_bounds() {
    let bounds = Bounds { max_depth: 1, ..Bounds::default() };
    let masks = masks(&json!({"/HoVaTen": "pass"}));
    let errors = View::compile(&schema(&birth()), &masks, Direction::Answer, bounds).unwrap_err();
    assert!(errors.iter().all(|e| e.problem == ViewProblem::TooDeep), "{errors:?}");
}

#[test]
fn refuses_a_request_with_an_undeclared_field_without_naming_it() {
    let named = json!({"/SoDinhDanh": "pass", "/HoVaTen": "pass", "/DanToc": "pass"});
    let view = compile(&birth(), &named, Direction::Request).unwrap();
    let body = r#"{"SoDinhDanh":"079090000001","HoVaTen":"An","DanToc":"Kinh","BiMat":1}"#;
    assert_eq!(refusal(&view, body), (ViolationKind::Undeclared, String::new()));
    let nested = body.replace("\"BiMat\":1", r#""Con":[{"BiMat":1}]"#);
    assert_eq!(refusal(&view, &nested), (ViolationKind::Undeclared, "/Con/*".into()));
}

#[test]
fn validates_in_a_request_also_what_it_withholds() {
    let named = json!({"/SoDinhDanh": "pass", "/HoVaTen": "pass", "/DanToc": "pass"});
    let view = compile(&birth(), &named, Direction::Request).unwrap();
    let body = |rest: &str| {
        format!(r#"{{"SoDinhDanh":"079090000001","HoVaTen":"An","DanToc":"Kinh",{rest}}}"#)
    };
    let cases = [
        (r#""NgaySinh":"1990-02-30""#, "format", "/NgaySinh"),
        (r#""NoiCuTru":{}"#, "required", "/NoiCuTru/MaPhuongXa"),
        (r#""NoiCuTru":[]"#, "type", "/NoiCuTru"),
        (r#""Con":[{"Tuoi":-1}]"#, "minimum", "/Con/*/Tuoi"),
        (r#""Con":[{},{},{},{}]"#, "maxItems", "/Con"),
        (r#""Con":null"#, "type", "/Con"),
    ];
    for (rest, keyword, at) in cases {
        assert_eq!(refusal(&view, &body(rest)), (broken(keyword), at.into()), "{rest}");
    }
    let (text, tally) = disclose(&view, &body(r#""Con":[{"Tuoi":7},{"Tuoi":9}]"#)).unwrap();
    assert_eq!(text, r#"{"SoDinhDanh":"079090000001","HoVaTen":"An","DanToc":"Kinh"}"#);
    assert_eq!((tally.disclosed, tally.masked, tally.dropped), (3, 0, 2));
}

#[test]
fn refuses_in_a_request_a_masked_value_that_the_provider_would_refuse() {
    let source = json!({"type": "object", "properties": {
        "so": {"type": "string", "minLength": 8, "pattern": "^[0-9*]+$"}}});
    let named = json!({"/so": {"keep_last": 4}});
    let view = compile(&source, &named, Direction::Request).unwrap();
    assert_eq!(
        refusal(&view, r#"{"so":"123456789"}"#),
        (ViolationKind::Unfulfillable, "/so".into())
    );
    let answer = compile(&source, &named, Direction::Answer).unwrap();
    assert_eq!(disclose(&answer, r#"{"so":"123456789"}"#).unwrap().0, r#"{"so":"***6789"}"#);
}

#[test]
fn refuses_an_answer_whose_disclosed_fields_break_the_schema() {
    let good = r#"{"SoDinhDanh":"079090000001","HoVaTen":"An"}"#;
    let cases = [
        (good.replace(r#","HoVaTen":"An""#, ""), "required", "/HoVaTen"),
        (good.replace("079090000001", "07909000000"), "format", "/SoDinhDanh"),
        (good.replace("\"079090000001\"", "79090000001"), "type", "/SoDinhDanh"),
        (good.replace("\"An\"", "null"), "type", "/HoVaTen"),
        (good.replace("\"An\"", "\"A\""), "minLength", "/HoVaTen"),
        (good.replace("An", &"ấ".repeat(101)), "maxLength", "/HoVaTen"),
        (good.replace('}', r#","NoiCuTru":{"ChiTiet":"x"}}"#), "required", "/NoiCuTru/MaPhuongXa"),
        (good.replace('}', r#","NgaySinh":"hôm qua"}"#), "format", "/NgaySinh"),
        (good.replace('}', r#","Con":[{"Tuoi":"7"}]}"#), "type", "/Con/*/Tuoi"),
        (good.replace('}', r#","Con":[{"Tuoi":7.5}]}"#), "type", "/Con/*/Tuoi"),
        (good.replace('}', r#","Con":{}}"#), "type", "/Con"),
        ("[]".to_owned(), "type", ""),
        ("null".to_owned(), "type", ""),
    ];
    for (body, keyword, at) in cases {
        assert_eq!(refusal(&answer_view(), &body), (broken(keyword), at.into()), "{body}");
    }
    assert!(disclose(&answer_view(), good).is_ok());
}

#[test]
fn stops_an_answer_whose_value_cannot_be_masked() {
    // A ward code of before the merger: the right form, but not in the table.
    let body = r#"{"SoDinhDanh":"079090000001","HoVaTen":"An","NoiCuTru":{"MaPhuongXa":"99999"}}"#;
    assert_eq!(refusal(&answer_view(), body), (broken("format"), "/NoiCuTru/MaPhuongXa".into()));
}

#[test]
fn looks_only_at_the_grammar_of_what_an_answer_withholds() {
    let body = |hidden: &str| {
        format!(r#"{{"SoDinhDanh":"079090000001","HoVaTen":"An","DanToc":{hidden}}}"#)
    };
    for hidden in ["\"Hoa\"", "7", "null", "{\"x\":[1,{}]}", "[]"] {
        let (text, tally) = disclose(&answer_view(), &body(hidden)).unwrap();
        assert_eq!(text, r#"{"SoDinhDanh":"***0001","HoVaTen":"An"}"#);
        assert_eq!(tally.dropped, 1, "{hidden}");
    }
    let cases = [
        (r#"{"x":1,"x":2}"#, ViolationKind::DuplicateKey),
        (r#"{"x":1,"\u0078":2}"#, ViolationKind::DuplicateKey),
        ("-", ViolationKind::Malformed),
        ("\"\\ud800\"", ViolationKind::Malformed),
        ("}", ViolationKind::Malformed),
    ];
    for (hidden, kind) in cases {
        assert_eq!(refusal(&answer_view(), &body(hidden)), (kind, "/DanToc".into()), "{hidden}");
    }
    let deep = "[".repeat(40);
    assert_eq!(refusal(&answer_view(), &body(&deep)).0, ViolationKind::TooDeep);
}

#[test]
fn refuses_duplicate_keys_however_they_are_spelt() {
    let view = answer_view();
    let twice =
        |member: &str| format!(r#"{{"SoDinhDanh":"079090000001","HoVaTen":"An",{member}}}"#);
    let cases = [
        (r#""HoVaTen":"Bo""#, ""),
        (r#""Ho\u0056aTen":"Bo""#, ""),
        (r#""DanToc":"Kinh","DanToc":"Kinh""#, ""),
        (r#""la":1,"la":2"#, ""),
        (r#""la":1,"l\u0061":2"#, ""),
        (r#""NoiCuTru":{"MaPhuongXa":"25747","MaPhuongXa":"25747"}"#, "/NoiCuTru"),
        (r#""Con":[{"Tuoi":1},{"Tuoi":1,"Tu\u006fi":2}]"#, "/Con/*"),
    ];
    for (member, at) in cases {
        let found = refusal(&view, &twice(member));
        assert_eq!(found, (ViolationKind::DuplicateKey, at.into()), "{member}");
    }
}

#[test]
fn refuses_bodies_beyond_the_bounds_or_not_text() {
    let view = answer_view();
    let big = " ".repeat((1 << 20) + 1);
    assert_eq!(refusal(&view, &big).0, ViolationKind::TooLarge);
    let refused = |body: &[u8]| view.disclose(body, &pseudonyms(), &mut Vec::new()).unwrap_err();
    for body in [&b"{\"\xff\":1}"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xff\xfe{\0}\0"] {
        assert_eq!(refused(body).kind, ViolationKind::InvalidUtf8);
    }
    assert_eq!(refused(b"\xef\xbb\xbf{}").kind, ViolationKind::Malformed);
    let good = r#"{"SoDinhDanh":"079090000001","HoVaTen":"An"}"#;
    for rest in ["x", "{}", ",", "\0"] {
        assert_eq!(refusal(&view, &format!("{good}{rest}")).0, ViolationKind::Malformed);
    }
}

#[test]
fn bounds_what_masks_add() {
    let source = json!({"type": "array", "items": {"type": "string"}});
    let bounds = Bounds { max_bytes: 100_000, max_depth: 4 };
    let named = masks(&json!({"/*": "pseudonymise"}));
    let view = View::compile(&schema(&source), &named, Direction::Answer, bounds).unwrap();
    let body = format!("[{}]", vec!["\"\""; 30_000].join(","));
    assert_eq!(refusal(&view, &body), (ViolationKind::TooLarge, "/*".into()));
}

#[test]
fn discloses_what_is_named_as_it_is_masked_and_counts_it() {
    let body = r#" { "DanToc" : "Kinh", "HoVaTen" : "Nguy\u1ec5n V\u0103n An" ,
        "Con" : [ { "Tuoi" : 7 , "HoVaTen" : "Bình" }, { "Tuoi" : 1.8e1 }, { } ], "la": {"x": [1]},
        "So\u0044inhDanh":"079090000001", "NgaySinh":"1990-05-17",
        "NoiCuTru": {"ChiTiet":"12 phố", "MaPhuongXa":"25747", "la-2": 1} } "#;
    let (text, tally) = disclose(&answer_view(), body).unwrap();
    assert_eq!(
        text,
        concat!(
            r#"{"HoVaTen":"Nguy\u1ec5n V\u0103n An","#,
            r#""Con":[{"Tuoi":"0-17"},{"Tuoi":"18+"},{}],"#,
            r#""SoDinhDanh":"***0001","NgaySinh":"1990","NoiCuTru":{"MaPhuongXa":"79"}}"#
        )
    );
    assert_eq!((tally.disclosed, tally.masked, tally.dropped, tally.undeclared), (1, 5, 3, 2));
    let drift: Vec<String> = tally.drift.iter().map(ToString::to_string).collect();
    assert_eq!(drift, ["/la", "/NoiCuTru/la-2"]);
}

#[test]
fn keeps_drift_short_and_free_of_data() {
    let view = answer_view();
    let long = "x".repeat(65);
    let names = ["a b", "079090000001", "Nguyễn", "", &long, "x12345", "x1234", "y.z-0_1"];
    let members: Vec<String> = names.iter().map(|n| format!(r#""{n}":"secret""#)).collect();
    let body = format!(r#"{{"SoDinhDanh":"079090000001","HoVaTen":"An",{}}}"#, members.join(","));
    let (_, tally) = disclose(&view, &body).unwrap();
    assert_eq!(tally.undeclared, 8);
    let drift: Vec<String> = tally.drift.iter().map(ToString::to_string).collect();
    assert_eq!(drift, ["/?", "/x1234", "/y.z-0_1"]);
    let many: Vec<String> = (0..50).map(|n| format!(r#""n{n}":0"#)).collect();
    let body = format!(r#"{{"SoDinhDanh":"079090000001","HoVaTen":"An",{}}}"#, many.join(","));
    let (_, tally) = disclose(&view, &body).unwrap();
    assert_eq!((tally.undeclared, tally.drift.len()), (50, 8));
}

#[test]
fn passes_null_where_the_schema_allows_it() {
    let source = json!({"type": "object", "properties": {
        "a": {"type": ["string", "null"]},
        "b": {"type": ["string", "null"]},
        "c": {"type": ["string", "null"]},
        "d": {"type": ["string", "null"], "minLength": 8},
        "e": {"type": ["integer", "null"]},
        "f": {"type": ["object", "null"], "properties": {"x": {"type": "string"}}},
        "g": {"type": ["string", "null"], "enum": ["x"]},
    }});
    let named = json!({"/a": "pass", "/b": "null", "/c": "redact", "/d": {"keep_last": 4},
        "/e": "null", "/f/x": "pass", "/g": "pass"});
    let view = compile(&source, &named, Direction::Answer).unwrap();
    let (text, tally) =
        disclose(&view, r#"{"a":null,"b":"secret","c":null,"d":null,"e":5,"f":null}"#).unwrap();
    assert_eq!(text, r#"{"a":null,"b":null,"c":"***","d":null,"e":null,"f":null}"#);
    assert_eq!((tally.disclosed, tally.masked, tally.dropped), (1, 4, 0));
    assert_eq!(refusal(&view, r#"{"g":null}"#), (broken("type"), "/g".into()), "not in its list");
}

#[test]
fn passes_numbers_and_texts_byte_for_byte() {
    let source = json!({"type": "array", "items": {"type": "object", "properties": {
        "n": {"type": "number"}, "s": {"type": "string"}, "b": {"type": "boolean"}}}});
    let named = json!({"/*/n": "pass", "/*/s": "pass", "/*/b": "pass"});
    let view = compile(&source, &named, Direction::Answer).unwrap();
    let body =
        r#"[{"n":1.10,"s":"\u0041\/é","b":true},{"n":-0.0e+0},{"n":12345678901234567890123}]"#;
    assert_eq!(disclose(&view, body).unwrap().0, body);
}

#[test]
fn discloses_an_empty_object_when_nothing_is_named() {
    let view = compile(&birth(), &json!({}), Direction::Answer).unwrap();
    let (text, tally) = disclose(&view, r#"{"HoVaTen":"An","la":1}"#).unwrap();
    assert_eq!(text, "{}");
    assert_eq!((tally.disclosed, tally.dropped, tally.undeclared), (0, 1, 1));
}

#[test]
fn counts_what_holds_nothing_and_does_not_pass() {
    let source = json!({"type": "object", "properties": {
        "a": {"type": "string", "maxLength": 9},
        "o": {"type": ["object", "null"], "properties": {"b": {"type": "string", "maxLength": 9}}},
        "l": {"type": "array", "maxItems": 3, "items":
            {"type": "object", "properties": {"b": {"type": "string", "maxLength": 9}}}},
    }});
    let all = json!({"/a": "pass", "/o/b": "pass", "/l/*/b": "pass"});
    for direction in [Direction::Request, Direction::Answer] {
        let few = compile(&source, &json!({"/a": "pass"}), direction).unwrap();
        let all = compile(&source, &all, direction).unwrap();
        for empty in [r#""o":{}"#, r#""o":null"#, r#""l":[]"#, r#""l":[{}]"#] {
            let body = format!(r#"{{"a":"x",{empty}}}"#);
            let (text, tally) = disclose(&few, &body).unwrap();
            assert_eq!((text.as_str(), tally.dropped), (r#"{"a":"x"}"#, 1), "{empty}");
            let (text, tally) = disclose(&all, &body).unwrap();
            assert_eq!((text, tally.dropped), (body, 0), "{empty}");
        }
    }
}

#[test]
fn reads_patterns_as_json_schema_does() {
    let source = json!({"type": "object", "properties": {
        "a": {"type": "string", "pattern": "^\\d+$"},
        "b": {"type": "string", "pattern": "^\\d{3}$"},
        "c": {"type": "string", "pattern": "b"},
    }});
    let named = json!({"/a": "pass", "/b": "pass", "/c": "pass"});
    let view = compile(&source, &named, Direction::Answer).unwrap();
    for body in [r#"{"a":"٣"}"#, r#"{"b":"١٢٣"}"#, r#"{"b":"123\n"}"#, r#"{"c":"aca"}"#] {
        assert_eq!(refusal(&view, body).0, broken("pattern"), "{body}");
    }
    assert!(disclose(&view, r#"{"a":"3","b":"123","c":"abc"}"#).is_ok());
}

#[test]
fn passes_a_value_that_needs_a_tree_whole_or_not_at_all() {
    let source = json!({"type": "object", "properties": {
        "lien_he": {"oneOf": [
            {"type": "object", "required": ["email"], "properties": {"email": {"type": "string", "format": "email"}}},
            {"type": "object", "required": ["so"], "properties": {"so": {"type": "string", "pattern": "^\\d+$"}}},
        ]},
        "khac": {"not": {"type": "null"}},
    }});
    let view = compile(&source, &json!({"/lien_he": "pass"}), Direction::Answer).unwrap();
    let body = r#"{"khac":{"x":1}, "lien_he": { "so" : "12" } }"#;
    let (text, tally) = disclose(&view, body).unwrap();
    assert_eq!(text, r#"{"lien_he":{"so":"12"}}"#);
    assert_eq!((tally.disclosed, tally.dropped), (1, 1));
    for body in [
        r#"{"lien_he":{"so":"12","email":"a@b.example"}}"#,
        r#"{"lien_he":{"so":"1a"}}"#,
        r#"{"lien_he":{"so":"12","them":1}}"#,
        r#"{"lien_he":null}"#,
    ] {
        assert_eq!(refusal(&view, body), (broken("oneOf"), "/lien_he".into()), "{body}");
    }
    let twice = r#"{"lien_he":{"so":"12","s\u006f":"13"}}"#;
    assert_eq!(refusal(&view, twice).0, ViolationKind::DuplicateKey);
}

#[test]
fn hashes_everything_that_decides() {
    let hash = |source: &Value, named: &Value, direction, bounds| {
        View::compile(&schema(source), &masks(named), direction, bounds).unwrap().hash()
    };
    let bounds = Bounds::default();
    let mut other = birth();
    other["properties"]["HoVaTen"]["maxLength"] = json!(99);
    let named = json!({"/HoVaTen": "pass"});
    let hashes = [
        hash(&birth(), &named, Direction::Answer, bounds),
        hash(&other, &named, Direction::Answer, bounds),
        hash(&birth(), &json!({"/HoVaTen": "redact"}), Direction::Answer, bounds),
        hash(&birth(), &json!({"/HoVaTen": {"keep_last": 1}}), Direction::Answer, bounds),
        hash(&birth(), &json!({"/HoVaTen": {"keep_first": 1}}), Direction::Answer, bounds),
        hash(&birth(), &named, Direction::Answer, Bounds { max_bytes: 9, ..bounds }),
        hash(&birth(), &json!({}), Direction::Answer, bounds),
    ];
    let distinct: BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
    assert_eq!(hashes[0], hash(&birth(), &named, Direction::Answer, bounds));
    // The order in which a document lists its members decides nothing.
    let reordered: Value = {
        let mut members: Vec<_> = birth().as_object().unwrap().clone().into_iter().collect();
        members.reverse();
        Value::Object(members.into_iter().collect())
    };
    assert_eq!(hashes[0], hash(&reordered, &named, Direction::Answer, bounds));
}

#[test]
fn is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<View>();
    shared::<crate::ParameterView>();
    shared::<Pseudonymiser>();
}
