//! Compiles what may leave of an answer that is a stream.
//!
//! In: a schema, the masks of an agreement, where the elements stand, and the bounds. Out: a
//! [`StreamView`]. Must never compile a stream with a rule that would have to wait for its end,
//! other than those the end is checked for.

use std::collections::BTreeMap;

use lienthong_model::{
    field::Pointer,
    mask::Mask,
    schema::{ArrayRules, Kind, Schema},
};
use serde_json::Value;

use crate::{
    Bounds, Direction, View, ViewError, ViewProblem, fingerprint::Fingerprint, walk::Part,
};

/// The name of the only member of the line that ends a complete stream of lines.
pub(super) const CLOSING_NAME: &str = "lienthong";

/// Where the elements of a stream stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamShape {
    /// Each line is one (<https://github.com/ndjson/ndjson-spec>); the schema is that of a line.
    Ndjson,
    /// They are those of this array of one JSON document; the schema is that of the document.
    Array(Pointer),
}

/// The largest stream, and the largest part of it that is held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamBounds {
    /// Most bytes of one element, the white space around it included.
    pub element_bytes: usize,
    /// Most elements.
    pub max_elements: u64,
    /// Most bytes of the document without the elements.
    pub envelope_bytes: usize,
    /// Deepest nesting of objects and arrays, from the root of the document or line; more than 64
    /// counts as 64.
    pub max_depth: usize,
}

impl Default for StreamBounds {
    fn default() -> Self {
        Self {
            element_bytes: 256 << 10,
            max_elements: 1_000_000,
            envelope_bytes: 64 << 10,
            max_depth: 32,
        }
    }
}

/// What may leave of an answer that is a stream, compiled.
#[derive(Debug)]
pub struct StreamView {
    /// The line, or the whole document with its array of any length.
    pub(super) view: View,
    pub(super) element: Part,
    /// Where an element stands; told of what is wrong with it.
    pub(super) element_at: Pointer,
    /// None for lines.
    pub(super) array: Option<ArrayView>,
    pub(super) bounds: StreamBounds,
    hash: [u8; 32],
}

/// What is particular to the array of a document.
#[derive(Debug)]
pub(super) struct ArrayView {
    pub(super) at: Pointer,
    pub(super) min: u64,
    pub(super) max: u64,
    /// The document up to the array: nothing that may follow is required.
    pub(super) head: View,
}

impl StreamView {
    /// Compiles `schema` with `masks`, as [`View::compile`] does for an answer.
    ///
    /// # Errors
    /// All fields that cannot be compiled, and rules that cannot be checked element by element.
    pub fn compile(
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        shape: &StreamShape,
        bounds: StreamBounds,
    ) -> Result<Self, Vec<ViewError>> {
        let mut hash = Fingerprint::new("stream");
        match shape {
            StreamShape::Ndjson => hash.text("ndjson"),
            StreamShape::Array(at) => hash.text("array").text(&at.to_string()),
        };
        hash.text(&bounds.element_bytes.to_string())
            .text(&bounds.max_elements.to_string())
            .text(&bounds.envelope_bytes.to_string())
            .text(&bounds.max_depth.to_string())
            .schema(schema)
            .masks(masks);
        let hash = hash.finish();
        match shape {
            StreamShape::Ndjson => Self::lines(schema, masks, bounds, hash),
            StreamShape::Array(at) => Self::array(schema, masks, at, bounds, hash),
        }
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    fn lines(
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        bounds: StreamBounds,
        hash: [u8; 32],
    ) -> Result<Self, Vec<ViewError>> {
        if may_look_closing(schema) {
            let problem = ViewProblem::ReservedName(CLOSING_NAME);
            return Err(vec![ViewError { at: Pointer::root().child(CLOSING_NAME), problem }]);
        }
        let whole = Bounds { max_bytes: bounds.element_bytes, max_depth: bounds.max_depth };
        let view = View::compile(schema, masks, Direction::Answer, whole)?;
        let element = Part { node: view.root(), depth: 0, max_bytes: bounds.element_bytes };
        Ok(Self { view, element, element_at: Pointer::root(), array: None, bounds, hash })
    }

    fn array(
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        at: &Pointer,
        bounds: StreamBounds,
        hash: [u8; 32],
    ) -> Result<Self, Vec<ViewError>> {
        let rules = streamed(schema, at).map_err(|error| vec![error])?;
        let (min, max) = (rules.min_items, rules.max_items.unwrap_or(u64::MAX));
        let whole = Bounds { max_bytes: bounds.envelope_bytes, max_depth: bounds.max_depth };
        let compiled = |wanted| {
            let relaxed = relaxed(schema, at, wanted);
            View::compile(&relaxed, masks, Direction::Answer, whole)
        };
        let view = compiled(StreamPart::Whole)?;
        let head = compiled(StreamPart::Part)?;
        let element_at = at.child("*");
        let node = view.find(&element_at);
        let Some(node) = node.filter(|node| view.node(*node).is_some_and(|node| node.emit)) else {
            return Err(vec![ViewError { at: element_at, problem: ViewProblem::NothingPasses }]);
        };
        let depth = at.tokens().len() + 1;
        let element = Part { node, depth, max_bytes: bounds.element_bytes };
        let array = Some(ArrayView { at: at.clone(), min, max, head });
        Ok(Self { view, element, element_at, array, bounds, hash })
    }
}

/// The rules of the array at `at`, when its elements can be checked one by one.
fn streamed<'s>(schema: &'s Schema, at: &Pointer) -> Result<&'s ArrayRules, ViewError> {
    let mut here = Pointer::root();
    let mut schema = schema;
    let fail = |at: &Pointer, problem| Err(ViewError { at: at.clone(), problem });
    for token in at.tokens() {
        schema = match &schema.kind {
            Kind::Object(rules) => match rules.properties.get(token) {
                Some(schema) => schema,
                None => return fail(at, ViewProblem::UnknownField),
            },
            Kind::Array(_) => return fail(at, ViewProblem::InsideAnArray),
            Kind::Tree => return fail(&here, needs_whole(schema)),
            _ => return fail(at, ViewProblem::UnknownField),
        };
        here = here.child(token);
    }
    match &schema.kind {
        Kind::Array(rules) => Ok(rules),
        Kind::Tree => fail(at, needs_whole(schema)),
        _ => fail(at, ViewProblem::NotAnArray),
    }
}

/// Names the first keyword for which `schema` is checked as a whole.
fn needs_whole(schema: &Schema) -> ViewProblem {
    let keyword = schema.source.as_object().and_then(|map| {
        map.keys().find(|key| {
            !matches!(
                key.as_str(),
                "type"
                    | "properties"
                    | "required"
                    | "items"
                    | "minItems"
                    | "maxItems"
                    | "additionalProperties"
                    | "title"
                    | "description"
            )
        })
    });
    ViewProblem::NeedsWholeValue(keyword.map_or_else(|| "type".to_owned(), Clone::clone))
}

/// How much of a document that streams a schema is relaxed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamPart {
    /// A beginning, or one element alone: what else stands around the array may be missing.
    Part,
    /// All of it.
    Whole,
}

/// The schema of a document whose array at `at` may have any length (it is counted elsewhere), and
/// whose objects around it may lack the rest when only a part of the document is judged.
#[must_use]
pub fn relaxed(schema: &Schema, at: &Pointer, part: StreamPart) -> Schema {
    let mut schema = schema.clone();
    relax(&mut schema, at.tokens(), part);
    schema
}

fn relax(schema: &mut Schema, tokens: &[String], part: StreamPart) {
    match (&mut schema.kind, tokens.split_first()) {
        (Kind::Object(rules), Some((token, rest))) => {
            if part == StreamPart::Part {
                rules.required.clear();
            }
            if let Some(schema) = rules.properties.get_mut(token) {
                relax(schema, rest, part);
            }
        }
        (Kind::Array(rules), None) => {
            rules.min_items = 0;
            rules.max_items = None;
        }
        _ => {}
    }
}

/// Whether a line of this schema could be taken for the closing line.
fn may_look_closing(line: &Schema) -> bool {
    // SECURITY: a provider could make a cut stream look complete.
    match &line.kind {
        Kind::Object(rules) => rules.properties.contains_key(CLOSING_NAME),
        Kind::Tree => names_closing(&line.source),
        _ => false,
    }
}

fn names_closing(source: &Value) -> bool {
    match source {
        Value::Object(map) => map.contains_key(CLOSING_NAME) || map.values().any(names_closing),
        Value::Array(list) => list.iter().any(names_closing),
        _ => false,
    }
}
