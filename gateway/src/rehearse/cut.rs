//! An answer cut into what is judged one by one: itself, or the elements of a stream.
//!
//! Takes the bytes of a sample; gives each element, and of a document with a long array what stands
//! around it. An element of an array is given inside a document that holds nothing else, so that one
//! schema, with one set of places, judges them all. Bytes that cannot be cut are given as they are:
//! what is wrong with them is for the views to say.

use std::{borrow::Cow, collections::HashMap};

use lienthong_disclosure::{Bounds, Direction, StreamPart, View, ViewError, relaxed_around_stream};
use lienthong_model::{
    field::Pointer,
    schema::{ArrayRules, Kind, Schema},
};
use lienthong_policy::{FieldMasks, Operation, StreamRules};
use serde_json::value::RawValue;

use crate::snapshot::{MAX_BODY_DEPTH, MAX_ENVELOPE_BYTES};

/// How the answers of one status are cut.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// Not at all.
    Whole,
    /// Each line is an element.
    Lines { most: u64 },
    /// The elements of this array.
    Array { at: Pointer, fewest: u64, most: u64 },
}

/// One part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// This element; the first is 1.
    Element(u64),
    /// What stands around the array.
    Envelope,
}

/// What a part is judged by.
#[derive(Debug)]
pub(super) struct Bounded {
    schema: Schema,
    bounds: Bounds,
}

impl Bounded {
    fn new(schema: Schema, max_bytes: usize) -> Self {
        Self { schema, bounds: Bounds { max_bytes, max_depth: MAX_BODY_DEPTH } }
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn view(&self, masks: &FieldMasks) -> Result<View, Vec<ViewError>> {
        View::compile(&self.schema, masks, Direction::Answer, self.bounds)
    }
}

/// What the parts of an answer are judged by.
#[derive(Debug)]
pub(super) struct Judges {
    /// A whole answer, or an element.
    pub(super) main: Bounded,
    /// What stands around the array.
    pub(super) envelope: Option<Bounded>,
}

impl Shape {
    /// How answers of `status` are cut, and what judges the parts.
    pub(super) fn of(operation: &Operation, status: u16, schema: &Schema) -> (Self, Judges) {
        let Some(StreamRules { elements, element_bytes, max_elements }) = operation.stream(status)
        else {
            let main = Bounded::new(schema.clone(), operation.answer_limit);
            return (Self::Whole, Judges { main, envelope: None });
        };
        let most = *max_elements;
        let Some(at) = elements else {
            let main = Bounded::new(schema.clone(), *element_bytes);
            return (Self::Lines { most }, Judges { main, envelope: None });
        };
        let rules = array(schema, at.tokens());
        let fewest = rules.map_or(0, |rules| rules.min_items);
        let most = rules.and_then(|rules| rules.max_items).unwrap_or(u64::MAX).min(most);
        let (head, tail) = around(at);
        let relaxed = |part| relaxed_around_stream(schema, at, part);
        let element = element_bytes.saturating_add(head.len() + tail.len());
        let main = Bounded::new(relaxed(StreamPart::Part), element);
        let envelope = operation.answer_limit.min(MAX_ENVELOPE_BYTES);
        let envelope = Some(Bounded::new(relaxed(StreamPart::Whole), envelope));
        (Self::Array { at: at.clone(), fewest, most }, Judges { main, envelope })
    }

    /// Gives every part of an answer. Returns what is wrong with the answer beyond its parts: the
    /// place and the word for it.
    pub(super) fn cut(
        &self,
        body: &[u8],
        take: &mut dyn FnMut(Part, &[u8]),
    ) -> Vec<(Pointer, &'static str)> {
        match self {
            Self::Whole => {
                take(Part::Whole, body);
                Vec::new()
            }
            Self::Lines { most } => lines(body, *most, take),
            Self::Array { at, fewest, most } => {
                let Some((envelope, elements)) = split(body, at.tokens()) else {
                    take(Part::Envelope, body);
                    return Vec::new();
                };
                take(Part::Envelope, &envelope);
                let (head, tail) = around(at);
                for (number, element) in (1..).zip(&elements) {
                    let document = [head.as_str(), element.get(), &tail].concat();
                    take(Part::Element(number), document.as_bytes());
                }
                let count = elements.len() as u64;
                let few = (count < *fewest).then_some("minItems");
                let many = (count > *most).then_some("too many elements");
                few.into_iter().chain(many).map(|word| (at.clone(), word)).collect()
            }
        }
    }
}

fn lines(
    body: &[u8],
    most: u64,
    take: &mut dyn FnMut(Part, &[u8]),
) -> Vec<(Pointer, &'static str)> {
    let mut wrong = Vec::new();
    let whole = body.strip_suffix(b"\n");
    if whole.is_none() && !body.is_empty() {
        wrong.push((Pointer::root(), "NDJSON line without end"));
    }
    let mut count = 0;
    if !body.is_empty() {
        for line in whole.unwrap_or(body).split(|byte| *byte == b'\n') {
            count += 1;
            take(Part::Element(count), line.strip_suffix(b"\r").unwrap_or(line));
        }
    }
    if count > most {
        wrong.push((Pointer::root(), "too many elements"));
    }
    wrong
}

/// The document with its array empty, and the elements. None when there is no such array.
fn split<'b>(body: &'b [u8], tokens: &[String]) -> Option<(Cow<'b, [u8]>, Vec<&'b RawValue>)> {
    let mut value: &'b RawValue = serde_json::from_slice(body).ok()?;
    for token in tokens {
        let members: HashMap<String, &'b RawValue> = serde_json::from_str(value.get()).ok()?;
        value = members.get(token)?;
    }
    let array = value.get();
    let elements = serde_json::from_str(array).ok()?;
    let text = std::str::from_utf8(body).ok()?;
    // Where in the body the array stands, from where its text lies in memory.
    let begin = (array.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let (before, after) = (text.get(..begin)?, text.get(begin.checked_add(array.len())?..)?);
    Some((Cow::Owned([before, "[]", after].concat().into_bytes()), elements))
}

/// What makes a document of one element: before and after it.
fn around(at: &Pointer) -> (String, String) {
    let (mut head, mut tail) = (String::new(), String::from("]"));
    for token in at.tokens() {
        head.push('{');
        head.push_str(&serde_json::Value::from(token.as_str()).to_string());
        head.push(':');
        tail.push('}');
    }
    head.push('[');
    (head, tail)
}

fn array<'s>(schema: &'s Schema, tokens: &[String]) -> Option<&'s ArrayRules> {
    match (&schema.kind, tokens.split_first()) {
        (Kind::Object(rules), Some((token, rest))) => array(rules.properties.get(token)?, rest),
        (Kind::Array(rules), None) => Some(rules),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
