//! OpenAPI documents reduced to what agreements disclose.
//!
//! Takes a service and the agreement operations open to one consumer; gives a document built anew
//! from what they disclose. Nothing is copied that could speak of a withheld field: no component,
//! no example, no description but those of the disclosed parameters and leaves themselves.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::{
    field::{Place, Pointer},
    mask::{Generalisation, Mask},
    schema::{ArrayRules, Kind, ObjectRules, Schema},
};
use serde_json::{Map, Value, json};

use crate::{
    agreement::{AgreementOperation, FieldMasks},
    explain::mask_text,
    openapi::place_name,
    service::{Media, Operation, Parameter, Service},
};

mod media;
mod notes;

use notes::{Describing, Notes};

/// The service's OpenAPI document with only the disclosed operations, parameters and fields. When
/// several agreements open one operation, a field stands there that any of them discloses.
#[must_use]
pub fn project_openapi(service: &Service, operations: &[&AgreementOperation]) -> Value {
    let mut by_operation: BTreeMap<&str, Vec<&AgreementOperation>> = BTreeMap::new();
    for opened in operations {
        by_operation.entry(opened.operation.id.as_str()).or_default().push(opened);
    }
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for opened in by_operation.values() {
        let Some(first) = opened.first() else { continue };
        let operation = &first.operation;
        let key = operation.method.openapi_key().to_owned();
        let describing = Describing::new(&service.document, operation);
        let projected = Projection { operation, opened, describing }.operation();
        paths.entry(operation.path.as_str()).or_default().insert(key, projected);
    }
    let info = service.document.get("info");
    let text = |key: &str| info.and_then(|info| info.get(key)).and_then(Value::as_str);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": text("title").unwrap_or(service.name.en.as_str()),
            "version": text("version").unwrap_or_default(),
        },
        "paths": paths,
    })
}

/// One operation and every agreement operation that opens it.
struct Projection<'a> {
    operation: &'a Operation,
    opened: &'a [&'a AgreementOperation],
    describing: Describing<'a>,
}

/// How the leaves of one body pass.
struct Passing<'a> {
    /// The mask of each disclosed leaf, once for each agreement that discloses it.
    leaves: BTreeMap<&'a Pointer, Vec<Option<&'a Mask>>>,
    notes: Notes,
    direction: Direction,
}

#[derive(Clone, Copy, PartialEq)]
enum Direction {
    /// The consumer writes the value as the provider declares it; a mask applies afterwards.
    Request,
    /// The consumer reads what the mask left.
    Answer,
}

impl Projection<'_> {
    fn operation(&self) -> Value {
        let mut out = Map::new();
        out.insert("operationId".to_owned(), self.operation.id.as_str().into());
        if !self.operation.summary.is_empty() {
            out.insert("summary".to_owned(), self.operation.summary.as_str().into());
        }
        let parameters = self.operation.parameters.iter().filter_map(|p| self.parameter(p));
        let parameters: Vec<Value> = parameters.collect();
        if !parameters.is_empty() {
            out.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = self.request_body() {
            out.insert("requestBody".to_owned(), body);
        }
        out.insert("responses".to_owned(), self.responses());
        Value::Object(out)
    }

    fn parameter(&self, parameter: &Parameter) -> Option<Value> {
        let key = (parameter.place, parameter.name.clone());
        let masks = self.opened.iter().filter_map(|opened| opened.request_parameters.get(&key));
        let masks: Vec<Option<&Mask>> =
            masks.map(Option::as_ref).filter(|mask| *mask != Some(&Mask::Drop)).collect();
        if masks.is_empty() {
            return None;
        }
        let mut schema = parameter.schema.source.clone();
        note_mask(&mut schema, &masks);
        let mut out = Map::new();
        out.insert("name".to_owned(), parameter.name.as_str().into());
        out.insert("in".to_owned(), place_name(parameter.place).into());
        out.insert("required".to_owned(), parameter.required.into());
        if let Some(note) = self.describing.parameter(parameter.place, &parameter.name) {
            out.insert("description".to_owned(), note.into());
        }
        if parameter.array && parameter.place == Place::Query {
            out.insert("style".to_owned(), "form".into());
            out.insert("explode".to_owned(), true.into());
        }
        out.insert("schema".to_owned(), schema);
        Some(Value::Object(out))
    }

    fn request_body(&self) -> Option<Value> {
        let body = self.operation.request.as_ref()?;
        let masks = self.opened.iter().map(|opened| &opened.request_body);
        let passing = Passing::new(masks, self.describing.request(), Direction::Request);
        let schema = passing.project(&body.schema, &Pointer::root())?;
        let content = media::content(body.media, &body.schema, schema);
        Some(json!({"required": body.required, "content": content}))
    }

    fn responses(&self) -> Value {
        let statuses: BTreeSet<u16> =
            self.opened.iter().flat_map(|opened| opened.answers.keys().copied()).collect();
        let mut out = Map::new();
        for status in statuses {
            let masks = self.opened.iter().filter_map(|opened| opened.answers.get(&status));
            let passing = Passing::new(masks, self.describing.answer(status), Direction::Answer);
            let answer = self.operation.answers.get(&status);
            let schema = answer.and_then(|answer| answer.schema.as_ref());
            let mut response = json!({"description": format!("Answer {status}.")});
            let media = answer.map_or(Media::Json, |answer| answer.media);
            if let (Some(schema), Value::Object(response)) = (schema, &mut response) {
                let projected = passing.project(schema, &Pointer::root());
                let projected = projected.unwrap_or_else(|| json!({"type": "object"}));
                let content = media::content(media, schema, projected);
                response.insert("content".to_owned(), content);
            }
            out.insert(status.to_string(), response);
        }
        Value::Object(out)
    }
}

impl<'a> Passing<'a> {
    fn new(
        bodies: impl Iterator<Item = &'a FieldMasks>,
        notes: Notes,
        direction: Direction,
    ) -> Self {
        let mut leaves: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (pointer, mask) in bodies.flatten() {
            if *mask != Some(Mask::Drop) {
                leaves.entry(pointer).or_default().push(mask.as_ref());
            }
        }
        Self { leaves, notes, direction }
    }

    /// The schema of a value reduced to its disclosed leaves; none when none is disclosed.
    fn project(&self, schema: &Schema, at: &Pointer) -> Option<Value> {
        if let Some(masks) = self.leaves.get(at) {
            let mut out = leaf(schema, masks, self.direction);
            if let (Value::Object(out), Some(note)) = (&mut out, self.notes.get(at)) {
                out.insert("description".to_owned(), note.as_str().into());
            }
            return Some(out);
        }
        let (kind, mut out) = match &schema.kind {
            Kind::Object(rules) => ("object", self.object(rules, at)?),
            Kind::Array(rules) => ("array", self.array(rules, at)?),
            _ => return None,
        };
        let kind = if schema.nullable { json!([kind, "null"]) } else { json!(kind) };
        out.insert("type".to_owned(), kind);
        Some(Value::Object(out))
    }

    fn object(&self, rules: &ObjectRules, at: &Pointer) -> Option<Map<String, Value>> {
        let mut properties = Map::new();
        for (name, property) in &rules.properties {
            if let Some(value) = self.project(property, &at.child(name)) {
                properties.insert(name.clone(), value);
            }
        }
        if properties.is_empty() {
            return None;
        }
        let mut out = Map::new();
        let required: Vec<&String> =
            rules.required.iter().filter(|name| properties.contains_key(*name)).collect();
        if !required.is_empty() {
            out.insert("required".to_owned(), json!(required));
        }
        out.insert("properties".to_owned(), Value::Object(properties));
        out.insert("additionalProperties".to_owned(), false.into());
        Some(out)
    }

    fn array(&self, rules: &ArrayRules, at: &Pointer) -> Option<Map<String, Value>> {
        let mut out = Map::new();
        out.insert("items".to_owned(), self.project(&rules.items, &at.child("*"))?);
        if rules.min_items > 0 {
            out.insert("minItems".to_owned(), rules.min_items.into());
        }
        if let Some(most) = rules.max_items {
            out.insert("maxItems".to_owned(), most.into());
        }
        Some(out)
    }
}

fn leaf(schema: &Schema, masks: &[Option<&Mask>], direction: Direction) -> Value {
    let mut out = match (direction, masks.split_first()) {
        _ if matches!(schema.kind, Kind::Opaque(_)) => media::file(schema),
        (Direction::Request, _) | (_, None) => schema.source.clone(),
        (Direction::Answer, Some((first, rest))) if rest.iter().all(|mask| mask == first) => {
            first.map_or_else(|| schema.source.clone(), |mask| masked(schema, mask))
        }
        // Agreements mask the field differently: only what all of them leave can be said.
        (Direction::Answer, Some(_)) => json!({}),
    };
    note_mask(&mut out, masks);
    out
}

/// The schema of what a mask leaves.
fn masked(schema: &Schema, mask: &Mask) -> Value {
    let text = match mask {
        Mask::Null => return json!({"type": "null"}),
        Mask::Opaque(_) => return media::file(schema),
        Mask::Generalise(Generalisation::Year) => json!({"type": "string", "pattern": "^\\d{4}$"}),
        Mask::Generalise(Generalisation::Province) => {
            json!({"type": "string", "pattern": "^\\d{2}$"})
        }
        _ => json!({"type": "string"}),
    };
    match text {
        Value::Object(mut map) if schema.nullable => {
            map.insert("type".to_owned(), json!(["string", "null"]));
            Value::Object(map)
        }
        other => other,
    }
}

/// Says beside a schema how the field is masked.
fn note_mask(schema: &mut Value, masks: &[Option<&Mask>]) {
    let names: BTreeSet<String> = masks.iter().flatten().map(|mask| mask_text(mask)).collect();
    if let Value::Object(map) = schema
        && !names.is_empty()
    {
        let names: Vec<String> = names.into_iter().collect();
        map.insert("x-lienthong-mask".to_owned(), names.join(" | ").into());
    }
}

#[cfg(test)]
mod tests;
