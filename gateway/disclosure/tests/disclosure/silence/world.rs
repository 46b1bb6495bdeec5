//! A generated schema with masks, compiled for one medium.

use std::{collections::BTreeSet, sync::Arc};

use lienthong_disclosure::{
    Bounds, Direction, FormView, MultipartView, StreamBounds, StreamDisclosure, StreamShape,
    StreamView, View,
};
use lienthong_model::{
    field::Pointer,
    mask::{Generalisation, Mask},
    opaque::{OpaqueTerms, OpaqueType},
    schema::{ArrayRules, Kind, Schema},
};
use serde_json::{Map, Value, json};

use super::{Dice, Medium, body::Body};
use crate::{generate::Masks, pseudonyms};

const BOUNDS: Bounds = Bounds { max_bytes: 1 << 20, max_depth: 12 };
const STREAM: StreamBounds = StreamBounds {
    element_bytes: 1 << 20,
    max_elements: 1_000,
    envelope_bytes: 1 << 20,
    max_depth: 12,
};
/// Where the elements of a stream stand.
const ELEMENTS: &str = "ds";

/// A schema and what passes of it.
pub(super) struct World {
    pub(super) medium: Medium,
    pub(super) schema: Schema,
    pub(super) masks: Masks,
}

impl World {
    pub(super) fn new(dice: &mut Dice, medium: Medium) -> Self {
        let schema = match medium {
            Medium::JsonAnswer | Medium::JsonRequest | Medium::Lines => read(&object(dice, 3)),
            Medium::Array => {
                let mut whole = object(dice, 2);
                whole["properties"][ELEMENTS] = json!({"type": "array", "items": object(dice, 2)});
                read(&whole)
            }
            Medium::FormAnswer | Medium::FormRequest => read(&flat(dice)),
            Medium::PartsAnswer | Medium::PartsRequest => {
                let schema = read(&object(dice, 2));
                with_files(dice, schema)
            }
        };
        let masks = masks(dice, &schema, medium);
        Self { medium, schema, masks }
    }

    /// Whether a value at `at` may come out as it is.
    pub(super) fn passes(&self, at: &Pointer) -> bool {
        matches!(self.masks.get(at), Some(None | Some(Mask::Opaque(_))))
    }
}

fn read(source: &Value) -> Schema {
    Schema::read(source, source, "").expect("a schema")
}

const NAMES: &[&str] = &["a", "b", "HoVaTen", "SoDinhDanh", "x-y", "q_1", "DiaChi", "m", "Ngay"];

fn leaf(dice: &mut Dice) -> Value {
    let text = [
        json!({"type": "string"}),
        json!({"type": "string", "minLength": 12}),
        json!({"type": "string", "maxLength": 80}),
        json!({"type": ["string", "null"], "minLength": 12}),
        json!({"type": "string", "format": "citizen-number"}),
        json!({"type": "string", "format": "date"}),
        json!({"type": "string", "pattern": "^\\d{8}$"}),
        json!({"type": "string", "enum": ["Kinh", "Hoa"]}),
        json!({"type": "integer"}),
        json!({"type": ["integer", "null"], "minimum": 0}),
        json!({"type": "number"}),
        json!({"type": "boolean"}),
    ];
    if dice.one_in(60) {
        return json!({"oneOf": [{"type": "string"}, {"type": "integer"}]});
    }
    dice.pick(&text).clone()
}

fn value(dice: &mut Dice, depth: usize) -> Value {
    match dice.below(8) {
        0 if depth > 0 => object(dice, depth - 1),
        1 if depth > 0 => json!({"type": "array", "items": object(dice, depth - 1)}),
        2 => json!({"type": "array", "items": leaf(dice)}),
        _ => leaf(dice),
    }
}

fn object_of(dice: &mut Dice, mut value: impl FnMut(&mut Dice) -> Value) -> Value {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for _ in 0..1 + dice.below(5) {
        let name = *dice.pick(NAMES);
        properties.insert(name.to_owned(), value(dice));
        if dice.one_in(8) {
            required.push(name);
        }
    }
    required.sort_unstable();
    required.dedup();
    json!({"type": "object", "properties": properties, "required": required})
}

fn object(dice: &mut Dice, depth: usize) -> Value {
    object_of(dice, |dice| value(dice, depth))
}

fn flat(dice: &mut Dice) -> Value {
    object_of(dice, |dice| {
        loop {
            let leaf = leaf(dice);
            if leaf.get("oneOf").is_none() {
                return if dice.one_in(4) { json!({"type": "array", "items": leaf}) } else { leaf };
            }
        }
    })
}

fn with_files(dice: &mut Dice, mut schema: Schema) -> Schema {
    let Kind::Object(rules) = &mut schema.kind else { return schema };
    let types: BTreeSet<OpaqueType> = [OpaqueType::Pdf, OpaqueType::Jpeg].into();
    rules.properties.insert("scan".to_owned(), Schema::opaque(types.clone()));
    if dice.one_in(2) {
        let items = Box::new(Schema::opaque(types));
        let list = ArrayRules { items, min_items: 0, max_items: Some(4) };
        let source = json!({"type": "array"});
        let list = Schema { nullable: false, kind: Kind::Array(list), source };
        rules.properties.insert("more".to_owned(), list);
    }
    schema
}

fn masks(dice: &mut Dice, schema: &Schema, medium: Medium) -> Masks {
    let request =
        matches!(medium, Medium::JsonRequest | Medium::FormRequest | Medium::PartsRequest);
    let terms = OpaqueTerms { article: "a#1".to_owned(), bytes: 10_000 };
    let candidates = [
        Mask::Drop,
        Mask::Redact,
        Mask::KeepFirst(2),
        Mask::KeepLast(2),
        Mask::KeepLast(4),
        Mask::Generalise(Generalisation::Year),
        Mask::Generalise(Generalisation::Month),
        Mask::Generalise(Generalisation::Bands(vec![0, 18, 60])),
        Mask::Pseudonymise,
        Mask::Null,
        Mask::Opaque(terms),
    ];
    let mut masks = Masks::new();
    for (at, leaf) in schema.leaves() {
        if dice.one_in(4) && !request {
            continue;
        }
        let file = matches!(leaf.kind, Kind::Opaque(_));
        let pass = !file && dice.one_in(if request { 2 } else { 3 });
        let fitting: Vec<_> = candidates.iter().filter(|mask| mask.fits(leaf).is_ok()).collect();
        let mask = (!pass).then(|| (*dice.pick(&fitting)).clone());
        masks.insert(at, mask);
    }
    masks
}

/// What became of a body.
pub(super) struct Outcome {
    pub(super) out: Vec<u8>,
    pub(super) passed: bool,
    /// Everything that may be logged of it.
    pub(super) told: String,
}

/// A world's view.
pub(super) enum Compiled {
    Json(View),
    Stream(Arc<StreamView>),
    Form(FormView),
    Parts(MultipartView),
}

impl Compiled {
    /// The view; none where the provider would get less than it requires.
    pub(super) fn new(world: &World) -> Option<Self> {
        let World { medium, schema, masks } = world;
        let stream = |shape: &StreamShape| {
            let view = StreamView::compile(schema, masks, shape, STREAM).ok()?;
            Some(Self::Stream(Arc::new(view)))
        };
        let direction = match medium {
            Medium::JsonRequest | Medium::FormRequest | Medium::PartsRequest => Direction::Request,
            _ => Direction::Answer,
        };
        match medium {
            Medium::JsonAnswer | Medium::JsonRequest => {
                View::compile(schema, masks, direction, BOUNDS).ok().map(Self::Json)
            }
            Medium::Lines => stream(&StreamShape::Ndjson),
            Medium::Array => stream(&StreamShape::Array(Pointer::root().child(ELEMENTS))),
            Medium::FormAnswer | Medium::FormRequest => {
                FormView::compile(schema, masks, direction, BOUNDS).ok().map(Self::Form)
            }
            Medium::PartsAnswer | Medium::PartsRequest => {
                MultipartView::compile(schema, masks, direction, BOUNDS).ok().map(Self::Parts)
            }
        }
    }

    pub(super) fn disclose(&self, dice: &mut Dice, body: &Body) -> Outcome {
        let mut out = Vec::new();
        let (bytes, keys) = (&body.bytes, pseudonyms());
        let outcome = match self {
            Self::Json(view) => view.disclose(bytes, &keys, &mut out).map(|t| format!("{t:?}")),
            Self::Form(view) => view.disclose(bytes, &keys, &mut out).map(|t| format!("{t:?}")),
            Self::Parts(view) => {
                let outcome = view.disclose(&body.content_type, bytes, &keys, &mut out);
                outcome.map(|told| format!("{told:?}"))
            }
            Self::Stream(view) => {
                let mut stream = StreamDisclosure::new(Arc::clone(view), keys);
                let outcome = streamed(dice, &mut stream, bytes, &mut out);
                let told = format!("{outcome:?} {stream:?}");
                return Outcome { out, passed: outcome.is_ok(), told };
            }
        };
        match outcome {
            Ok(told) => Outcome { out, passed: true, told },
            Err(violation) => {
                assert!(out.is_empty(), "a violation leaves nothing behind");
                Outcome { out, passed: false, told: format!("{violation:?} {violation}") }
            }
        }
    }
}

/// Pushes `bytes` in chunks cut anywhere.
fn streamed(
    dice: &mut Dice,
    stream: &mut StreamDisclosure,
    bytes: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let most = *dice.pick(&[1, 3, 20, 200, 5_000]);
    let mut rest = bytes;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at((1 + dice.below(most)).min(rest.len()));
        stream.push(chunk, out).map_err(|stop| format!("{stop:?} {stop}"))?;
        rest = after;
    }
    stream.finish(out).map(|_| ()).map_err(|stop| format!("{stop:?} {stop}"))
}
