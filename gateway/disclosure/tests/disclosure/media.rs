//! Forms, bodies of parts and files of any bytes: what goes on goes on again unchanged, so that
//! whoever reads it reads what we read.

use lienthong_disclosure::{Bounds, Direction, FormView, MultipartView, OpaqueView};
use lienthong_model::{
    mask::Mask,
    opaque::{OpaqueTerms, OpaqueType},
    schema::{Kind, Schema},
};
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::json;

use crate::{config, generate::Masks, pseudonyms};

const BOUNDS: Bounds = Bounds { max_bytes: 4_096, max_depth: 8 };
const TYPE: &str = "multipart/form-data; boundary=b";

fn fields() -> Schema {
    let text = json!({"type": "string"});
    let source = json!({"type": "object", "properties": {
        "a": text, "b": {"type": "array", "items": text}, "n": {"type": "integer"}}});
    Schema::read(&source, &source, "").expect("a schema")
}

fn all_of(schema: &Schema) -> Masks {
    let terms = OpaqueTerms { article: "a#1".to_owned(), bytes: 4_096 };
    let leaves = schema.leaves().into_iter();
    leaves
        .map(|(at, leaf)| {
            let file = matches!(leaf.kind, Kind::Opaque(_));
            (at, file.then(|| Mask::Opaque(terms.clone())))
        })
        .collect()
}

fn form(direction: Direction) -> FormView {
    let schema = fields();
    FormView::compile(&schema, &all_of(&schema), direction, BOUNDS).expect("a view")
}

fn parts(direction: Direction) -> MultipartView {
    let mut schema = fields();
    if let Kind::Object(rules) = &mut schema.kind {
        let file = Schema::opaque(OpaqueType::ALL.iter().copied().collect());
        rules.properties.insert("f".to_owned(), file);
    }
    MultipartView::compile(&schema, &all_of(&schema), direction, BOUNDS).expect("a view")
}

/// Bytes made of pieces that mean something, and of others.
fn bytes(pieces: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(pieces).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..3),
    ];
    vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

const OF_FORMS: &[&[u8]] = &[
    b"a=",
    b"b=",
    b"n=1",
    b"&",
    b"=",
    b"%41",
    b"%",
    b"+",
    b"%00",
    b"%c3%a9",
    b"%ff",
    "é".as_bytes(),
    b"x",
];

const OF_PARTS: &[&[u8]] = &[
    b"--b\r\n",
    b"\r\n--b\r\n",
    b"\r\n--b--\r\n",
    b"--b--",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"Content-Disposition: form-data; name=a\r\n\r\n",
    b"Content-Disposition: form-data; name=\"b\"; filename=x\r\n\r\n",
    b"content-disposition:form-data;name=n\r\n\r\n1",
    b"Content-Disposition: form-data; name=f\r\nContent-Type: application/pdf\r\n\r\n",
    b"%PDF-1.7\n%%EOF",
    b"Content-Type: text/plain; charset=utf-8\r\n",
    b"X: y\r\n",
    b"\"",
    b";",
    b"x",
];

const OF_FILES: &[&[u8]] = &[
    b"%PDF-1.",
    b"%%EOF",
    b"\xff\xd8\xff",
    b"\xff\xd9",
    b"\x89PNG\r\n\x1a\n",
    b"\0\0\0\x0dIHDR0123456789abc0123",
    b"\0\0\0\0IEND\xae\x42\x60\x82",
    b"II*\0\x08\0\0\0\x01\0",
    b"MM\0*\0\0\0\x08\0\x01",
    b"PK\x03\x04",
    b"PK\x01\x02",
    b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
    b"\0\0\0\0",
    b"\x30\x80",
    b"\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x0d",
    b"\x30\x0b",
];

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn a_form_that_went_on_goes_on_again_unchanged(body in bytes(OF_FORMS)) {
        for direction in [Direction::Request, Direction::Answer] {
            let (view, mut once, mut twice) = (form(direction), Vec::new(), Vec::new());
            let Ok(tally) = view.disclose(&body, &pseudonyms(), &mut once) else { continue };
            let again = view.disclose(&once, &pseudonyms(), &mut twice).expect("a form");
            prop_assert_eq!(&once, &twice);
            prop_assert_eq!((tally.disclosed, 0), (again.disclosed, again.undeclared));
            prop_assert!(once.is_ascii() && !once.contains(&b' '));
            prop_assert!(view.to_json(&once).is_some());
        }
    }

    #[test]
    fn parts_that_went_on_go_on_again_unchanged(body in bytes(OF_PARTS), begun in any::<bool>()) {
        let body = if begun { [b"--b\r\n", &body[..], b"\r\n--b--"].concat() } else { body };
        for direction in [Direction::Request, Direction::Answer] {
            let (view, mut once, mut twice) = (parts(direction), Vec::new(), Vec::new());
            let outcome = view.disclose(TYPE, &body, &pseudonyms(), &mut once);
            let Ok((content_type, tally)) = outcome else { continue };
            let again = view.disclose(&content_type, &once, &pseudonyms(), &mut twice);
            let (same, again) = again.expect("parts");
            prop_assert_eq!((&once, &content_type), (&twice, &same));
            prop_assert_eq!((&tally.opaque, 0), (&again.opaque, again.undeclared));
            prop_assert!(view.to_json(&content_type, &once).is_some());
        }
    }

    #[test]
    fn a_file_is_of_one_type_at_most(body in bytes(OF_FILES)) {
        let is = |one: &OpaqueType| {
            let schema = Schema::opaque([*one].into());
            let masks: Masks = all_of(&schema);
            let answer = Direction::Answer;
            let view = OpaqueView::compile(&schema, &masks, answer, BOUNDS).expect("a view");
            view.disclose(one.media_type(), &body).is_ok()
        };
        let types: Vec<_> = OpaqueType::ALL.iter().filter(|one| is(one)).collect();
        let archives = types.iter().filter(|one| one.is(OpaqueType::Zip)).count();
        prop_assert!(types.len() <= 1 || archives == types.len(), "{:?}", types);
    }
}

#[test]
fn the_pieces_make_bodies_that_pass() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut passed = [0, 0];
    for _ in 0..2_000 {
        let body = bytes(OF_FORMS).new_tree(&mut runner).expect("a body").current();
        let view = form(Direction::Answer);
        passed[0] += u32::from(view.disclose(&body, &pseudonyms(), &mut Vec::new()).is_ok());
        let body = bytes(OF_PARTS).new_tree(&mut runner).expect("a body").current();
        let body = [b"--b\r\n", &body[..], b"\r\n--b--"].concat();
        let outcome =
            parts(Direction::Answer).disclose(TYPE, &body, &pseudonyms(), &mut Vec::new());
        passed[1] += u32::from(outcome.is_ok());
    }
    assert!(passed.iter().all(|count| *count > 5), "{passed:?}");
}
