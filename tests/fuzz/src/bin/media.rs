//! Arbitrary bytes as a form, a body of parts or a file: what passes is encoded in one way only and
//! passes again unchanged; a file is of one type.
//!
//! The first byte of an input says which; for parts a line follows with the `Content-Type`.

use std::{collections::BTreeMap, process::ExitCode};

use lienthong_disclosure::{
    Bounds, Direction, FormView, MultipartView, OpaqueView, Pseudonymiser, Violation,
};
use lienthong_fuzz::Target;
use lienthong_model::{
    field::Pointer,
    mask::Mask,
    opaque::{OpaqueTerms, OpaqueType},
    schema::{Kind, Schema},
    sensitive::Sensitive,
};
use serde_json::json;

const BOUNDS: Bounds = Bounds { max_bytes: 64 << 10, max_depth: 8 };

type Masks = BTreeMap<Pointer, Option<Mask>>;

struct Views {
    forms: [FormView; 2],
    parts: [MultipartView; 2],
    files: Vec<(OpaqueType, OpaqueView)>,
    pseudonyms: Pseudonymiser,
}

fn main() -> ExitCode {
    let views = views();
    let target = Target {
        name: "media",
        seeds: [
            &b"\0a=Nguy%E1%BB%85n+An&b=1&b=%26&n=7"[..],
            b"\x01multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b\r\n\
              Content-Disposition: form-data; name=\"f\"; filename=\"x.pdf\"\r\nContent-Type: application/pdf\r\n\r\n\
              %PDF-1.7\n%%EOF\r\n--b\r\nContent-Disposition: form-data; name=o\r\nContent-Type: application/json\r\n\r\n\
              {\"x\":1}\r\n--b--\r\n",
            b"\x02%PDF-1.7\n%%EOF",
            b"\x02\xff\xd8\xff\xe0\xff\xd9",
            b"\x02\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR0123456789abc0123\0\0\0\0IEND\xae\x42\x60\x82",
            b"\x02II*\0\x08\0\0\0\x01\0abcdefghijkl\0\0\0\0",
            b"\x02PK\x03\x04\0\0\0\0PK\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\
              \0\0\0\0aPK\x05\x06\0\0\0\0\x01\0\x01\0\x2f\0\0\0\x08\0\0\0\0\0",
            b"\x02\x30\x11\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x04\x30\x02\x05\0",
        ]
        .iter()
        .map(|seed| seed.to_vec())
        .collect(),
        pieces: &[
            b"a=", b"b=", b"n=", b"&", b"=", b"+", b"%00", b"%c3", b"%25", b"%2", b"\r\n", b"\r\n\r\n", b"\n",
            b"--b", b"--b--", b"\r\n--b\r\n", b"\r\n--b--\r\n", b"multipart/form-data; boundary=",
            b"Content-Disposition: form-data; name=", b"; filename=\"x\"", b"; filename*=UTF-8''x",
            b"Content-Type: text/plain; charset=utf-8", b"Content-Type: application/json",
            b"Content-Type: application/pdf", b"Content-Transfer-Encoding: base64", b"X: y", b"\"", b"\\", b";",
            b"name=", b"%PDF-1.", b"%%EOF", b"\xff\xd8\xff", b"\xff\xd9", b"\x89PNG\r\n\x1a\n", b"IHDR", b"IEND",
            b"II*\0", b"MM\0*", b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"\0\0\0\0", b"\x30\x80", b"\xa0",
            b"\xff", b"\0", b"{\"x\":1}",
        ],
    };
    target.run(|input| check(&views, input))
}

fn views() -> Views {
    let text = json!({"type": "string"});
    let source = json!({"type": "object", "properties": {
        "a": text, "b": {"type": "array", "items": text}, "n": {"type": "integer"}}});
    let form = Schema::read(&source, &source, "").expect("a schema");
    let mut source = source;
    source["properties"]["o"] = json!({"type": "object", "properties": {"x": {"type": "integer"}}});
    let mut parts = Schema::read(&source, &source, "").expect("a schema");
    if let Kind::Object(rules) = &mut parts.kind {
        let file = Schema::opaque(OpaqueType::ALL.iter().copied().collect());
        rules.properties.insert("f".to_owned(), file);
    }
    let both = [Direction::Request, Direction::Answer];
    let (of_form, of_parts) = (all_of(&form), all_of(&parts));
    let files = OpaqueType::ALL.iter().map(|one| {
        let schema = Schema::opaque([*one].into());
        let view = OpaqueView::compile(&schema, &all_of(&schema), Direction::Answer, BOUNDS);
        (*one, view.expect("a view"))
    });
    let consumer = "H29.40".parse().expect("an agency code");
    Views {
        forms: both.map(|to| FormView::compile(&form, &of_form, to, BOUNDS).expect("a view")),
        parts: both
            .map(|to| MultipartView::compile(&parts, &of_parts, to, BOUNDS).expect("a view")),
        files: files.collect(),
        pseudonyms: Pseudonymiser::new(Sensitive::new([7; 32]), &consumer, "2026"),
    }
}

/// Everything passes.
fn all_of(schema: &Schema) -> Masks {
    let terms = OpaqueTerms { article: "a#1".to_owned(), bytes: BOUNDS.max_bytes as u64 };
    let leaves = schema.leaves().into_iter();
    leaves
        .map(|(at, leaf)| {
            let file = matches!(leaf.kind, Kind::Opaque(_));
            (at, file.then(|| Mask::Opaque(terms.clone())))
        })
        .collect()
}

fn check(views: &Views, input: &[u8]) -> String {
    let Some((which, rest)) = input.split_first() else { return String::new() };
    match which % 3 {
        0 => views.forms.each_ref().map(|view| form(view, rest, &views.pseudonyms)).join(" "),
        1 => {
            let at = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let content_type = String::from_utf8_lossy(&rest[..at]).into_owned();
            let body = rest.get(at + 1..).unwrap_or_default();
            let outcomes = views.parts.each_ref();
            outcomes.map(|view| parts(view, &content_type, body, &views.pseudonyms)).join(" ")
        }
        _ => {
            let is = |(one, view): &&(OpaqueType, OpaqueView)| {
                view.disclose(one.media_type(), rest).is_ok()
            };
            let types: Vec<_> = views.files.iter().filter(is).map(|(one, _)| *one).collect();
            let archives = types.iter().filter(|one| one.is(OpaqueType::Zip)).count();
            assert!(types.len() < 2 || archives == types.len(), "a file of types {types:?}");
            format!("{types:?}")
        }
    }
}

fn refused(violation: &Violation, out: &[u8]) -> String {
    assert!(out.is_empty(), "a refused body left something behind");
    format!("!{violation}")
}

fn form(view: &FormView, input: &[u8], pseudonyms: &Pseudonymiser) -> String {
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    let tally = match view.disclose(input, pseudonyms, &mut once) {
        Ok(tally) => tally,
        Err(violation) => return refused(&violation, &once),
    };
    assert!(input.len() <= BOUNDS.max_bytes && once.is_ascii());
    let again = view.disclose(&once, pseudonyms, &mut twice).expect("what passed passes again");
    assert_eq!((&once, tally.disclosed, 0), (&twice, again.disclosed, again.undeclared));
    assert!(view.to_json(&once).is_some_and(|json| is_object(&json)));
    format!("form {} {}", tally.disclosed.min(5), tally.undeclared.min(2))
}

fn parts(
    view: &MultipartView,
    content_type: &str,
    input: &[u8],
    pseudonyms: &Pseudonymiser,
) -> String {
    let (mut once, mut twice) = (Vec::new(), Vec::new());
    let (as_sent, tally) = match view.disclose(content_type, input, pseudonyms, &mut once) {
        Ok(disclosed) => disclosed,
        Err(violation) => return refused(&violation, &once),
    };
    let again = view.disclose(&as_sent, &once, pseudonyms, &mut twice);
    let (same, again) = again.expect("what passed passes again");
    assert_eq!(
        (&once, &as_sent, &tally.opaque, 0),
        (&twice, &same, &again.opaque, again.undeclared)
    );
    assert!(view.to_json(&as_sent, &once).is_some_and(|json| is_object(&json)));
    let files = tally.opaque.len().min(2);
    format!("parts {} {files} {}", tally.disclosed.min(5), tally.undeclared.min(2))
}

fn is_object(json: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(json).is_ok_and(|value| value.is_object())
}
