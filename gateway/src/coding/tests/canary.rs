//! What is withheld stays withheld in every content coding, however the coded bytes are cut.
//!
//! Some dozens of bodies by default; more by hand with `PROPTEST_CASES=1000000`.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use lienthong_disclosure::{
    Bounds, Direction, Pseudonymiser, StreamBounds, StreamDisclosure, StreamShape, StreamView, View,
};
use lienthong_model::{field::Pointer, mask::Mask, schema::Schema, sensitive::Sensitive};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Coding, Decoder, WIDE, encode};

const CANARY: &str = "C4n4ry";

/// How elements stand in a body.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Whole,
    Lines,
    Array,
}

fn schema(shape: Shape) -> Schema {
    let element = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "secret": {"type": "string"},
            "masked": {"type": "string"},
        },
    });
    let source = match shape {
        Shape::Lines => element,
        Shape::Whole | Shape::Array => json!({
            "type": "object",
            "properties": {"list": {"type": "array", "items": element}},
        }),
    };
    Schema::read(&Value::Null, &source, "").unwrap()
}

fn masks(shape: Shape) -> BTreeMap<Pointer, Option<Mask>> {
    let root = match shape {
        Shape::Lines => Pointer::root(),
        Shape::Whole | Shape::Array => Pointer::root().child("list").child("*"),
    };
    [(root.child("name"), None), (root.child("masked"), Some(Mask::Redact))].into()
}

fn body(shape: Shape, elements: &[(String, String)]) -> Vec<u8> {
    let element = |(name, rest): &(String, String)| {
        let hidden = format!("{CANARY}{rest}");
        json!({"secret": hidden, "name": name, "masked": hidden, "drift": hidden})
    };
    let elements: Vec<Value> = elements.iter().map(element).collect();
    match shape {
        Shape::Lines => elements.iter().flat_map(|one| format!("{one}\n").into_bytes()).collect(),
        Shape::Whole | Shape::Array => json!({"list": elements}).to_string().into_bytes(),
    }
}

/// What passes of a body that comes in these chunks.
fn passes(shape: Shape, coding: Coding, chunks: &[&[u8]]) -> Vec<u8> {
    let key = Sensitive::new([7; 32]);
    let pseudonyms = Pseudonymiser::new(key, &"T01.20".parse().unwrap(), "2026");
    let mut decoder = Decoder::new(coding, WIDE);
    let mut out = Vec::new();
    let (schema, masks) = (schema(shape), masks(shape));
    let array = match shape {
        Shape::Whole => {
            let mut whole = Vec::new();
            for chunk in chunks {
                let sink = |piece: &[u8]| {
                    whole.extend_from_slice(piece);
                    Ok::<(), ()>(())
                };
                decoder.push(chunk, sink).unwrap();
            }
            decoder.finish().unwrap();
            let bounds = Bounds { max_bytes: 1 << 20, max_depth: 32 };
            let view = View::compile(&schema, &masks, Direction::Answer, bounds).unwrap();
            view.disclose(&whole, &pseudonyms, &mut out).unwrap();
            return out;
        }
        Shape::Lines => StreamShape::Ndjson,
        Shape::Array => StreamShape::Array(Pointer::root().child("list")),
    };
    let view = StreamView::compile(&schema, &masks, &array, StreamBounds::default()).unwrap();
    let mut stream = StreamDisclosure::new(Arc::new(view), pseudonyms);
    for chunk in chunks {
        let mut input = Bytes::copy_from_slice(chunk);
        while let Some(piece) = decoder.next_piece(&mut input).unwrap() {
            stream.push(&piece, &mut out).unwrap();
        }
    }
    decoder.finish().unwrap();
    stream.finish(&mut out).unwrap();
    out
}

/// Bodies by default, or as many as the environment says.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(48)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_withheld_comes_out_in_any_coding_however_it_is_cut(
        elements in prop::collection::vec((".{0,40}", ".{0,40}"), 0..30),
        shape in prop::sample::select(vec![Shape::Whole, Shape::Lines, Shape::Array]),
        size in 1_usize..200,
    ) {
        let plain = body(shape, &elements);
        let expected = passes(shape, Coding::Identity, &[&plain]);
        for coding in [Coding::Identity, Coding::Gzip, Coding::Brotli, Coding::Zstd] {
            let coded = encode(coding, &plain);
            let chunks: Vec<&[u8]> = coded.chunks(size).collect();
            let out = passes(shape, coding, &chunks);
            prop_assert_eq!(&out, &expected);
            let text = String::from_utf8(out).unwrap();
            let named = elements.iter().any(|(name, _)| name.contains(CANARY));
            prop_assert!(named || !text.contains(CANARY));
        }
    }
}
