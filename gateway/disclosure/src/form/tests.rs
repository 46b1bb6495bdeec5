use lienthong_model::sensitive::Sensitive;
use serde_json::{Value, json};

use super::*;

fn pseudonyms() -> Pseudonymiser {
    Pseudonymiser::new(Sensitive::new([1; 32]), &"H29.40".parse().unwrap(), "2026")
}

fn masks(named: &Value) -> BTreeMap<Pointer, Option<Mask>> {
    let named = named.as_object().unwrap().iter();
    named
        .map(|(at, mask)| {
            (at.parse().unwrap(), (mask != "pass").then(|| Mask::parse(mask).unwrap()))
        })
        .collect()
}

fn compile(
    source: &Value,
    named: &Value,
    direction: Direction,
) -> Result<FormView, Vec<ViewError>> {
    let schema = Schema::read(source, source, "").unwrap();
    let bounds = Bounds { max_bytes: 200, max_depth: 8 };
    FormView::compile(&schema, &masks(named), direction, bounds)
}

fn source() -> Value {
    json!({
        "type": "object",
        "required": ["So"],
        "properties": {
            "So": {"type": "string", "format": "citizen-number"},
            "Họ tên": {"type": "string"},
            "Tuoi": {"type": "integer", "minimum": 0},
            "Diem": {"type": "number"},
            "Moi": {"type": "boolean"},
            "Ma": {"type": "array", "items": {"type": "string", "pattern": "^[A-Z]+$"},
                "minItems": 2, "maxItems": 3},
            "An": {"type": "string", "maxLength": 3},
        },
    })
}

fn view(direction: Direction) -> FormView {
    let named = json!({"/So": "pass", "/Họ tên": "pass", "/Tuoi": "pass", "/Diem": "pass",
        "/Moi": "pass", "/Ma/*": "pass"});
    compile(&source(), &named, direction).unwrap()
}

fn disclose(view: &FormView, body: &[u8]) -> Result<(String, Tally), (ViolationKind, String)> {
    let mut out = b"kept".to_vec();
    let outcome = view.disclose(body, &pseudonyms(), &mut out);
    let out = String::from_utf8(out).unwrap();
    let out = out.strip_prefix("kept").unwrap().to_owned();
    match outcome {
        Ok(tally) => Ok((out, tally)),
        Err(violation) => {
            assert_eq!(out, "", "a violation leaves nothing behind");
            Err((violation.kind, violation.at.to_string()))
        }
    }
}

fn broken(keyword: &'static str) -> ViolationKind {
    ViolationKind::Schema { keyword }
}

#[test]
fn refuses_what_two_readers_could_take_for_different_fields() {
    let cases: &[(&[u8], ViolationKind)] = &[
        (b"So", ViolationKind::Malformed),
        (b"So=079090000001&", ViolationKind::Malformed),
        (b"&So=079090000001", ViolationKind::Malformed),
        (b"So=079090000001&&Tuoi=1", ViolationKind::Malformed),
        (b"So=07909000000%3", ViolationKind::Malformed),
        (b"So=07909000000%", ViolationKind::Malformed),
        (b"So=07909000000%3g", ViolationKind::Malformed),
        (b"So=07909000000%+1", ViolationKind::Malformed),
        (b"So=079090000001%00", ViolationKind::Malformed),
        (b"So=07909000 0001", ViolationKind::Malformed),
        (b"So=079090000001\r\n", ViolationKind::Malformed),
        (b"H%E1%BB%8D+t%C3%AA%00n=x", ViolationKind::Malformed),
        (b"H%E1%BB+t%C3%AAn=x", ViolationKind::InvalidUtf8),
        (b"So=%FF", ViolationKind::InvalidUtf8),
        (b"So=\xff", ViolationKind::InvalidUtf8),
        (b"So=%ED%A0%80", ViolationKind::InvalidUtf8),
        (b"so=079090000001", ViolationKind::Undeclared),
        (b"So=079090000001&_=1", ViolationKind::Undeclared),
        (b"So=079090000001;Tuoi=1", broken("format")),
        (&[b'x'; 201], ViolationKind::TooLarge),
    ];
    for (body, kind) in cases {
        let found = disclose(&view(Direction::Request), body).unwrap_err();
        assert_eq!(found.0, *kind, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn refuses_what_breaks_the_schema() {
    let cases = [
        ("", broken("required"), "/So"),
        ("So=", broken("format"), "/So"),
        ("So=079090000001&So=079090000001", ViolationKind::DuplicateKey, "/So"),
        ("So=079090000001&%53o=079090000001", ViolationKind::DuplicateKey, "/So"),
        ("So=079090000001&Tuoi=-1", broken("minimum"), "/Tuoi"),
        ("So=079090000001&Tuoi=1.0", broken("type"), "/Tuoi"),
        ("So=079090000001&Tuoi=", broken("type"), "/Tuoi"),
        ("So=079090000001&Tuoi=+1", broken("type"), "/Tuoi"),
        ("So=079090000001&Diem=NaN", broken("type"), "/Diem"),
        ("So=079090000001&Moi=True", broken("type"), "/Moi"),
        ("So=079090000001&Ma=A", broken("minItems"), "/Ma/*"),
        ("So=079090000001&Ma=A&Ma=B&Ma=C&Ma=D", broken("maxItems"), "/Ma/*"),
        ("So=079090000001&Ma=A&Ma=b", broken("pattern"), "/Ma/*"),
        ("So=079090000001&An=long", broken("maxLength"), "/An"),
    ];
    for (body, kind, at) in cases {
        let found = disclose(&view(Direction::Request), body.as_bytes());
        assert_eq!(found, Err((kind, at.to_owned())), "{body}");
    }
}

#[test]
fn discloses_what_is_named_encoded_anew() {
    let body = "H%e1%bb%8d%20t%c3%aan=Nguy%E1%BB%85n+%41n%26&So=079090000001&An=x&Ma=A&Tuoi=7&Ma=B&Moi=true&Diem=1e2";
    let (out, tally) = disclose(&view(Direction::Request), body.as_bytes()).unwrap();
    let expected = "H%E1%BB%8D+t%C3%AAn=Nguy%E1%BB%85n+An%26&So=079090000001&Ma=A&Tuoi=7&Ma=B\
                    &Moi=true&Diem=1e2";
    assert_eq!(out, expected);
    assert_eq!((tally.disclosed, tally.masked, tally.dropped, tally.undeclared), (7, 0, 1, 0));
    let raw = "So=079090000001&Họ+tên=Ấn*-._~'";
    let (out, _) = disclose(&view(Direction::Request), raw.as_bytes()).unwrap();
    assert_eq!(out, "So=079090000001&H%E1%BB%8D+t%C3%AAn=%E1%BA%A4n*-._%7E%27");
}

#[test]
fn drops_and_counts_what_an_answer_does_not_declare() {
    let body = b"la=1&So=079090000001&la=2&An=much-too-long";
    let (out, tally) = disclose(&view(Direction::Answer), body).unwrap();
    assert_eq!(out, "So=079090000001");
    assert_eq!((tally.disclosed, tally.dropped, tally.undeclared), (1, 1, 2));
    assert_eq!(tally.drift.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/la"]);
    let twice = disclose(&view(Direction::Answer), b"So=079090000001&An=1&An=2");
    assert_eq!(twice, Err((ViolationKind::DuplicateKey, "/An".to_owned())));
}

#[test]
fn masks_as_json_does() {
    let source = json!({"type": "object", "properties": {
        "So": {"type": "string", "format": "citizen-number"},
        "Ten": {"type": "string"}, "Ngay": {"type": "string", "format": "date"},
        "Tuoi": {"type": "integer"}, "Ma": {"type": "array", "items": {"type": "string"}}}});
    let named = json!({"/So": {"keep_last": 4}, "/Ten": "redact", "/Ngay": {"generalise": "year"},
        "/Tuoi": {"generalise": {"bands": [0, 18]}}, "/Ma/*": "pseudonymise"});
    let view = compile(&source, &named, Direction::Answer).unwrap();
    let body = b"So=079090000001&Ten=An&Ngay=1990-05-17&Tuoi=17&Ma=a&Ma=b";
    let (out, tally) = disclose(&view, body).unwrap();
    let (fixed, pseudonyms) = out.split_once("&Ma=").unwrap();
    assert_eq!(fixed, "So=***0001&Ten=***&Ngay=1990&Tuoi=0-17");
    assert_eq!(pseudonyms.len(), 32 + 4 + 32);
    assert_eq!((tally.disclosed, tally.masked), (0, 6));
    let request = json!({"/So": {"keep_last": 4}, "/Ten": "redact"});
    let view = compile(&source, &request, Direction::Request).unwrap();
    assert_eq!(
        disclose(&view, b"So=079090000001"),
        Err((ViolationKind::Unfulfillable, "/So".to_owned()))
    );
    assert_eq!(disclose(&view, b"Ten=An").unwrap().0, "Ten=***");
}

#[test]
fn a_form_may_be_empty_when_nothing_is_required() {
    let source = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let view = compile(&source, &json!({"/a": "pass"}), Direction::Request).unwrap();
    assert_eq!(disclose(&view, b"").unwrap().0, "");
    assert_eq!(disclose(&view, b"a=").unwrap().0, "a=");
}

#[test]
fn bounds_what_masks_make_of_it() {
    let source = json!({"type": "object", "properties": {
        "a": {"type": "array", "items": {"type": "string"}}}});
    let schema = Schema::read(&source, &source, "").unwrap();
    let named = masks(&json!({"/a/*": "pseudonymise"}));
    let bounds = Bounds { max_bytes: 64 << 10, max_depth: 8 };
    let view = FormView::compile(&schema, &named, Direction::Answer, bounds).unwrap();
    let body = vec!["a="; 21_000].join("&");
    assert_eq!(disclose(&view, body.as_bytes()).unwrap_err().0, ViolationKind::TooLarge);
}

#[test]
fn refuses_to_compile_what_a_form_cannot_hold() {
    let problems = |source: Value, named: Value| {
        let errors = compile(&source, &named, Direction::Request).unwrap_err();
        errors.into_iter().map(|e| (e.at.to_string(), e.problem)).collect::<Vec<_>>()
    };
    let text = json!({"type": "string", "minLength": 8});
    let object = json!({"type": "object", "properties": {"x": text}});
    let list = |items: &Value| json!({"type": "array", "items": items});
    let tree = json!({"oneOf": [text]});
    let form = |a: &Value| json!({"type": "object", "properties": {"a": a}, "required": ["a"]});
    let not_text = |at: &str| vec![(at.to_owned(), ViewProblem::NotAText)];
    assert_eq!(problems(list(&text), json!({})), [(String::new(), ViewProblem::NotAForm)]);
    assert_eq!(problems(form(&object), json!({"/a/x": "pass"})), not_text("/a"));
    assert_eq!(problems(form(&list(&object)), json!({"/a/*/x": "pass"})), not_text("/a/*"));
    assert_eq!(problems(form(&list(&list(&text))), json!({"/a/*/*": "pass"})), not_text("/a/*"));
    assert_eq!(problems(form(&tree), json!({"/a": "pass"})), not_text("/a"));
    let withheld = vec![("/a".to_owned(), ViewProblem::RequiredWithheld)];
    assert_eq!(problems(form(&text), json!({})), withheld);
    let unknown = vec![("/b".to_owned(), ViewProblem::UnknownField)];
    assert_eq!(problems(form(&text), json!({"/a": "pass", "/b": "pass"})), unknown);
    let null = json!({"type": ["string", "null"]});
    let never = vec![("/a".to_owned(), ViewProblem::NeverFulfilled("null"))];
    assert_eq!(problems(form(&null), json!({"/a": "null"})), never);
}

#[test]
fn hashes_everything_that_decides() {
    let source = source();
    let all = json!({"/So": "pass", "/Ma/*": "pass"});
    let hashes: std::collections::BTreeSet<_> = [
        compile(&source, &all, Direction::Request).unwrap().hash(),
        compile(&source, &all, Direction::Answer).unwrap().hash(),
        compile(&source, &json!({"/So": "pass"}), Direction::Request).unwrap().hash(),
        compile(&source, &json!({"/So": "pass", "/Ma/*": "redact"}), Direction::Answer)
            .unwrap()
            .hash(),
    ]
    .into();
    assert_eq!(hashes.len(), 4);
}

#[test]
fn tells_its_fields_as_json() {
    let json = view(Direction::Request).to_json(b"Ma=%22&So=079090000001&la=1&Ma=&Tuoi=7");
    let value: Value = serde_json::from_slice(&json.unwrap()).unwrap();
    assert_eq!(value, json!({"Ma": ["\"", ""], "So": "079090000001", "Tuoi": "7"}));
    assert_eq!(view(Direction::Request).to_json(b"So"), None);
}
