use lienthong_model::{opaque::OpaqueType, sensitive::Sensitive};
use serde_json::{Value, json};

use super::*;

const PDF: &[u8] = b"%PDF-1.7\n\r\n%%EOF\n";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0...\xff\xd9";
const SAYS: &str = "multipart/form-data; boundary=\"b o\"";
const BOUNDS: Bounds = Bounds { max_bytes: 4_000, max_depth: 8 };

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

/// A schema of parts: those of `source`, a file and a list of files.
fn schema(source: &Value) -> Schema {
    let mut schema = Schema::read(source, source, "").unwrap();
    let file = Schema::opaque([OpaqueType::Pdf, OpaqueType::Jpeg].into());
    let list = Schema {
        nullable: false,
        source: json!({"type": "array", "items": file.source}),
        kind: Kind::Array(lienthong_model::schema::ArrayRules {
            items: Box::new(file.clone()),
            min_items: 0,
            max_items: Some(2),
        }),
    };
    let Kind::Object(rules) = &mut schema.kind else { return schema };
    rules.properties.extend([("scan".to_owned(), file), ("more".to_owned(), list)]);
    schema
}

fn source() -> Value {
    json!({
        "type": "object",
        "required": ["so"],
        "properties": {
            "so": {"type": "string", "format": "citizen-number"},
            "ma": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
            "an": {"type": "string", "maxLength": 3},
            "don": {"type": "object", "required": ["ten"], "properties": {
                "ten": {"type": "string"}, "ghiChu": {"type": "string"}}},
            "kin": {"type": "object", "required": ["x"], "properties": {"x": {"type": "integer"}}},
        },
    })
}

fn terms() -> Value {
    json!({"opaque": {"article": "pdpl-2025#19.1.c", "bytes": 60}})
}

fn named() -> Value {
    json!({"/so": "pass", "/ma/*": "pass", "/don/ten": "pass", "/scan": terms(),
        "/more/*": terms()})
}

fn view(direction: Direction) -> MultipartView {
    MultipartView::compile(&schema(&source()), &masks(&named()), direction, BOUNDS).unwrap()
}

/// One part: its disposition's parameters, its type, its contents.
fn part(disposition: &str, content_type: &str, contents: &[u8]) -> Vec<u8> {
    let mut part = format!("--b o\r\nContent-Disposition: form-data; {disposition}\r\n");
    if !content_type.is_empty() {
        part.push_str(&format!("content-type:{content_type}\r\n"));
    }
    [part.as_bytes(), b"\r\n", contents, b"\r\n"].concat()
}

fn body(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat(), &b"--b o--\r\n"[..]].concat()
}

fn so() -> Vec<u8> {
    part("name=so", "", b"079090000001")
}

type Found = Result<(String, Tally), (ViolationKind, String)>;

fn disclose(view: &MultipartView, says: &str, body: &[u8]) -> Found {
    let mut out = b"kept".to_vec();
    let outcome = view.disclose(says, body, &pseudonyms(), &mut out);
    let out = String::from_utf8_lossy(&out).strip_prefix("kept").unwrap().to_owned();
    match outcome {
        Ok((content_type, tally)) => {
            let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
            assert!(parts::is_boundary(boundary));
            Ok((out.replace(boundary, "B"), tally))
        }
        Err(violation) => {
            assert_eq!(out, "", "a violation leaves nothing behind");
            Err((violation.kind, violation.at.to_string()))
        }
    }
}

fn refused(parts: &[Vec<u8>]) -> (ViolationKind, String) {
    disclose(&view(Direction::Request), SAYS, &body(parts)).unwrap_err()
}

fn broken(keyword: &'static str) -> ViolationKind {
    ViolationKind::Schema { keyword }
}

#[test]
fn refuses_a_body_that_can_be_cut_in_two_ways() {
    let good = body(&[so()]);
    assert!(disclose(&view(Direction::Request), SAYS, &good).is_ok());
    let text = String::from_utf8(good.clone()).unwrap();
    for bad in [
        format!("preamble\r\n{text}"),
        format!("\r\n{text}"),
        format!("{text}epilogue"),
        format!("{text}\r\n"),
        text.replace("b o--", "b o-- "),
        text.replace("--b o\r\n", "--b o \r\n"),
        text.replace("\r\n", "\n"),
        text.replacen("--b o\r\n", "--b o\n", 1),
        text.replace("079090000001", "x\r\n--b oh"),
        text.replace("079090000001", "x\r\n--b o-"),
        text.replace("079090000001", "x\n--b o\r\n"),
        text.replace("079090000001", "x\r--b o\r\n"),
        text.replace("079090000001", "\n--b o"),
        text.replace("name=so", "name=so;\r\n filename=x"),
        text.replace("name=so", "name=so; name=so"),
        text.replace("name=so", "name=so; size=3"),
        text.replace("name=so", "filename=so"),
        text.replace("form-data", "attachment"),
        text.replace("name=so\r\n", "name=so\r\nContent-Disposition: form-data; name=so\r\n"),
        text.replace(
            "name=so\r\n",
            "name=so\r\nContent-Type: text/plain\r\nContent-type: text/plain\r\n",
        ),
        text.replace("name=so\r\n", "name=so\r\nno header\r\n"),
        text.replace("name=so\r\n", &format!("name=so\r\nX-A: {}\r\n", "x".repeat(2_100))),
        text.replace("Content-Disposition: form-data; name=so\r\n", ""),
        "--b o--".repeat(2),
        so().iter().map(|byte| char::from(*byte)).collect(),
    ] {
        let found = disclose(&view(Direction::Request), SAYS, bad.as_bytes());
        assert_eq!(found, Err((ViolationKind::Malformed, String::new())), "{bad}");
    }
    for length in 0..good.len() - 2 {
        let found = disclose(&view(Direction::Request), SAYS, &good[..length]);
        assert_eq!(found, Err((ViolationKind::Malformed, String::new())), "cut at {length}");
    }
    let view = MultipartView { max_bytes: 1 << 20, ..view(Direction::Answer) };
    let unknown = |count| body(&[vec![part("name=la", "", b""); count], vec![so()]].concat());
    assert!(disclose(&view, SAYS, &unknown(255)).is_ok());
    assert_eq!(disclose(&view, SAYS, &unknown(256)).unwrap_err().0, ViolationKind::TooLarge);
}

#[test]
fn refuses_another_type_or_boundary() {
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    for says in [
        "multipart/form-data",
        "multipart/mixed; boundary=\"b o\"",
        "application/json",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"b o \"",
        "multipart/form-data; boundary=b o",
        "multipart/form-data; boundary=\"b o\"; boundary=x",
        "multipart/form-data; boundary=\"b o\"; charset=utf-16",
        "multipart/form-data; boundary=\"b\\o\"",
        "multipart/form-data; boundary=\"b@o\"",
        &long,
    ] {
        let found = disclose(&view(Direction::Request), says, &body(&[so()]));
        assert_eq!(found, Err((ViolationKind::MediaType, String::new())), "{says}");
    }
    let large = [so(), part("name=scan", "application/pdf", &[0; 4_000])];
    assert_eq!(refused(&large), (ViolationKind::TooLarge, String::new()));
}

#[test]
fn refuses_parts_that_lie_about_their_type() {
    let at = |name: &str| (ViolationKind::MediaType, name.to_owned());
    let don = b"{\"ten\":\"x\"}";
    for (disposition, says, contents, name) in [
        ("name=scan", "application/pdf", &b"<html></html>"[..], "/scan"),
        ("name=scan", "application/pdf", b"MZ\x90\0", "/scan"),
        ("name=scan", "application/pdf", JPEG, "/scan"),
        ("name=scan", "application/pdf", b"PK\x03\x04", "/scan"),
        ("name=scan", "text/plain", PDF, "/scan"),
        ("name=scan", "application/octet-stream", PDF, "/scan"),
        ("name=scan", "", PDF, "/scan"),
        ("name=more", "image/jpeg", PDF, "/more/*"),
        ("name=scan", "multipart/mixed; boundary=x", PDF, "/scan"),
        ("name=an", "text/html", b"x", "/an"),
        ("name=an", "text/plain; charset=utf-16", b"x", "/an"),
        ("name=an", "text/plain; charset=iso-8859-1", b"x", "/an"),
        ("name=an", "multipart/mixed; boundary=x", b"x", "/an"),
        ("name=don", "", don, "/don"),
        ("name=don", "text/plain", don, "/don"),
        ("name=don", "application/json; charset=latin1", don, "/don"),
    ] {
        let parts = [so(), part(disposition, says, contents)];
        assert_eq!(refused(&parts), at(name), "{disposition} {says}");
    }
    for encoding in ["base64", "quoted-printable", "x", ""] {
        let says = format!("text/plain\r\nContent-Transfer-Encoding: {encoding}");
        assert_eq!(refused(&[so(), part("name=an", &says, b"x")]), at(""), "{encoding}");
    }
}

#[test]
fn refuses_what_breaks_the_schema() {
    let cases: Vec<(Vec<Vec<u8>>, ViolationKind, &str)> = vec![
        (vec![], broken("required"), "/so"),
        (vec![so(), so()], ViolationKind::DuplicateKey, "/so"),
        (vec![so(), part("name=la", "", b"x")], ViolationKind::Undeclared, ""),
        (vec![so(), part("name=an", "", b"long")], broken("maxLength"), "/an"),
        (vec![so(), part("name=an", "", b"\xff")], ViolationKind::InvalidUtf8, "/an"),
        (vec![so(), part("name=an", "", b"\0")], ViolationKind::Malformed, "/an"),
        (vec![so(), part("name=\"s\u{f3}\"", "", b"")], ViolationKind::Undeclared, ""),
        (vec![part("name=so", "", b"07909000000")], broken("format"), "/so"),
        (vec![so(), part("name=don", "application/json", b"{}")], broken("required"), "/don/ten"),
        (
            vec![so(), part("name=don", "application/json", b"{\"ten\":\"\",\"x\":1}")],
            ViolationKind::Undeclared,
            "/don",
        ),
        (vec![so(), part("name=don", "application/json", b"{")], ViolationKind::Malformed, "/don"),
        (
            vec![so(), part("name=kin", "application/json", b"{\"x\":\"1\"}")],
            broken("type"),
            "/kin/x",
        ),
        (
            vec![so(), part("name=scan", "application/pdf", &[PDF, &[b' '; 60]].concat())],
            ViolationKind::TooLarge,
            "/scan",
        ),
        (
            [so()].into_iter().chain(vec![part("name=ma", "", b"x"); 3]).collect(),
            broken("maxItems"),
            "/ma",
        ),
    ];
    for (parts, kind, at) in cases {
        assert_eq!(refused(&parts), (kind, at.to_owned()));
    }
}

#[test]
fn discloses_what_is_named_in_a_body_built_anew() {
    let parts = [
        part("name=\"scan\"; filename=\"Nguyễn Văn Ấn.pdf\"", "application/pdf", PDF),
        part(
            "name=so",
            "text/plain; charset=UTF-8\r\nX-Trace: 1\r\nContent-Length: 12",
            b"079090000001",
        ),
        part("name=an", "text/plain\r\nContent-Transfer-Encoding: 8BIT", b"x"),
        part("name=don", "application/json", b" {\"ten\": \"x\", \"ghiChu\": \"y\"} "),
        part("name=kin", "application/json", b"{\"x\":1}"),
        part("name=ma", "", b"a\r\nb--b o"),
        part("name=more; filename*=UTF-8''a", "image/jpeg", JPEG),
        part("name=ma", "", b""),
    ];
    let (out, tally) = disclose(&view(Direction::Request), SAYS, &body(&parts)).unwrap();
    let jpeg = String::from_utf8_lossy(JPEG);
    let expected = format!(
        "--B\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"part.pdf\"\r\n\
         Content-Type: application/pdf\r\n\r\n%PDF-1.7\n\r\n%%EOF\n\r\n\
         --B\r\nContent-Disposition: form-data; name=\"so\"\r\n\r\n079090000001\r\n\
         --B\r\nContent-Disposition: form-data; name=\"don\"\r\nContent-Type: application/json\r\n\r\n\
         {{\"ten\":\"x\"}}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"ma\"\r\n\r\na\r\nb--b o\r\n\
         --B\r\nContent-Disposition: form-data; name=\"more\"; filename=\"part.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n{jpeg}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"ma\"\r\n\r\n\r\n--B--\r\n"
    );
    assert_eq!(out, expected);
    assert_eq!((tally.disclosed, tally.masked, tally.dropped, tally.undeclared), (6, 0, 3, 0));
    let files: Vec<_> =
        tally.opaque.iter().map(|f| (f.at.to_string(), f.media_type, f.bytes)).collect();
    let expected = [
        ("/scan".to_owned(), OpaqueType::Pdf, PDF.len() as u64),
        ("/more/*".to_owned(), OpaqueType::Jpeg, JPEG.len() as u64),
    ];
    assert_eq!(files, expected);
}

#[test]
fn drops_and_counts_what_an_answer_does_not_declare() {
    let parts = [
        part("name=la", "multipart/mixed; boundary=x", b"\xff"),
        part("name=\"079090000001\"", "", b""),
        so(),
        part("name=an", "", b"much-too-long"),
        part("name=kin", "application/json", b"{\"x\":\"any\"}"),
    ];
    let (out, tally) = disclose(&view(Direction::Answer), SAYS, &body(&parts)).unwrap();
    assert_eq!(
        out,
        "--B\r\nContent-Disposition: form-data; name=\"so\"\r\n\r\n079090000001\r\n--B--\r\n"
    );
    assert_eq!((tally.disclosed, tally.dropped, tally.undeclared), (1, 2, 2));
    assert_eq!(tally.drift.iter().map(ToString::to_string).collect::<Vec<_>>(), ["/la", "/?"]);
    let kept = json!({"/so": {"keep_last": 4}});
    let view = MultipartView::compile(&schema(&source()), &masks(&kept), Direction::Answer, BOUNDS)
        .unwrap();
    let files = [so(), part("name=scan", "application/pdf", b"<html>")];
    let (out, tally) = disclose(&view, SAYS, &body(&files)).unwrap();
    assert!(out.contains("\r\n\r\n***0001\r\n") && !out.contains("scan"), "{out}");
    assert!(tally.opaque.is_empty());
}

#[test]
fn one_body_is_one_body_again() {
    let disclosed = |value: &[u8]| {
        let mut out = Vec::new();
        let parts = body(&[part("name=so", "", value)]);
        let found = view(Direction::Request).disclose(SAYS, &parts, &pseudonyms(), &mut out);
        (found.unwrap().0, out)
    };
    let first = disclosed(b"079090000001");
    assert_eq!(first, disclosed(b"079090000001"));
    assert_ne!(first.0, disclosed(b"079090000002").0);
    let again =
        view(Direction::Request).disclose(&first.0, &first.1, &pseudonyms(), &mut Vec::new());
    assert_eq!(again.unwrap().0, first.0);
}

#[test]
fn refuses_to_compile_what_a_body_of_parts_cannot_hold() {
    let problems = |source: &Value, named: &Value| {
        let compiled =
            MultipartView::compile(&schema(source), &masks(named), Direction::Request, BOUNDS);
        let errors = compiled.unwrap_err().into_iter();
        errors.map(|e| (e.at.to_string(), e.problem)).collect::<Vec<_>>()
    };
    let text = json!({"type": "string"});
    let named = |name: &str, part: &Value| json!({"type": "object", "properties": {name: part}, "required": [name]});
    let one = |at: &str, problem| vec![(at.to_owned(), problem)];
    assert_eq!(problems(&text, &json!({})), one("", ViewProblem::NotParts));
    for name in ["a b", "a\"", "Họ", "a;b", &"x".repeat(65)] {
        let at = Pointer::root().child(name).to_string();
        let found = problems(&named(name, &text), &json!({&at: "pass"}));
        assert_eq!(found, one(&at, ViewProblem::PartName));
    }
    let nested = json!({"type": "array", "items": {"type": "array", "items": text}});
    assert_eq!(
        problems(&named("a", &nested), &json!({"/a/*/*": "pass"})),
        one("/a", ViewProblem::NotAText)
    );
    assert_eq!(problems(&named("a", &text), &json!({})), one("/a", ViewProblem::RequiredWithheld));
    let object = named("x", &text);
    assert_eq!(
        problems(&named("a", &object), &json!({})),
        one("/a", ViewProblem::RequiredWithheld)
    );
    let all = json!({"/a": "pass", "/scan": "pass"});
    assert_eq!(problems(&named("a", &text), &all), one("/scan", ViewProblem::NoTerms));
    let all = json!({"/a": "pass", "/b": "pass", "/more": terms()});
    let found = problems(&named("a", &text), &all);
    assert_eq!(found[0], ("/b".to_owned(), ViewProblem::UnknownField));
    assert_eq!(found[1], ("/more".to_owned(), ViewProblem::NotALeaf));
}

#[test]
fn hashes_everything_that_decides() {
    let hash = |named: Value, direction| {
        MultipartView::compile(&schema(&source()), &masks(&named), direction, BOUNDS)
            .unwrap()
            .hash()
    };
    let wider = json!({"/so": "pass", "/scan": {"opaque": {"article": "a#1", "bytes": 61}}});
    let other = json!({"/so": "pass", "/scan": {"opaque": {"article": "a#2", "bytes": 60}}});
    let hashes: std::collections::BTreeSet<_> = [
        hash(named(), Direction::Request),
        hash(named(), Direction::Answer),
        hash(wider, Direction::Request),
        hash(other, Direction::Request),
        hash(json!({"/so": "pass"}), Direction::Request),
    ]
    .into();
    assert_eq!(hashes.len(), 5);
}

#[test]
fn tells_its_fields_as_json() {
    let parts = body(&[
        part("name=ma", "", b"\"a"),
        part("name=scan", "application/pdf", PDF),
        so(),
        part("name=ma", "", b""),
        part("name=don", "application/json", b" {\"ten\": \"x\"}"),
        part("name=la", "", b"x"),
    ]);
    let json = view(Direction::Request).to_json(SAYS, &parts).unwrap();
    let value: Value = serde_json::from_slice(&json).unwrap();
    let expected = json!({"ma": ["\"a", ""], "so": "079090000001", "don": {"ten": "x"}});
    assert_eq!(value, expected);
    assert_eq!(view(Direction::Request).to_json("multipart/form-data", &parts), None);
    assert_eq!(view(Direction::Request).to_json(SAYS, &parts[1..]), None);
}
