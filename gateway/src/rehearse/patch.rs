//! A JSON Patch (RFC 6902) of the OpenAPI document under which the samples would fit.
//!
//! Adds what is undeclared and allows `null` where it was seen; nothing is ever made required,
//! and nothing that was declared is loosened otherwise. A proposal for a person: a schema that
//! takes a field in still discloses it to nobody.

use std::collections::BTreeMap;

use lienthong_policy::Operation;
use serde_json::{Value, json};

use super::{
    locate::{escape, locate},
    observed::Observed,
    report::{LeftOut, LeftOutReport, PatchOperation},
    survey::{Survey, UNTOLD},
};

/// What the samples of all answers ask of the document, by place: a component that several
/// answers share is one place.
#[derive(Debug, Default)]
pub(super) struct Proposal {
    objects: BTreeMap<String, Object>,
    /// The operations that allow `null` at a place.
    nulls: BTreeMap<String, Vec<PatchOperation>>,
}

#[derive(Debug, Default)]
struct Object {
    has_properties: bool,
    fields: BTreeMap<String, Observed>,
}

impl Proposal {
    pub(super) fn take(
        &mut self,
        document: &Value,
        operation: &Operation,
        status: u16,
        survey: &Survey,
    ) {
        for undeclared in survey.undeclared() {
            let Some(spot) = locate(document, operation, status, undeclared.parent) else {
                continue;
            };
            let object = self.objects.entry(spot.pointer).or_default();
            object.has_properties = spot.value.get("properties").is_some();
            let field = object.fields.entry(undeclared.name.to_owned()).or_default();
            field.merge(undeclared.observed);
        }
        for at in survey.nulls() {
            let Some(spot) = locate(document, operation, status, at) else { continue };
            let operations = allow_null(&spot.pointer, spot.value);
            self.nulls.entry(spot.pointer).or_insert(operations);
        }
    }

    pub(super) fn finish(self) -> (Vec<PatchOperation>, Vec<LeftOutReport>) {
        let mut patch: Vec<PatchOperation> = self.nulls.into_values().flatten().collect();
        let mut left_out = Vec::new();
        for (pointer, object) in self.objects {
            let mut has_properties = object.has_properties;
            for (name, observed) in object.fields {
                let path = format!("{pointer}/properties/{}", escape(&name));
                let schema = match name.as_str() {
                    UNTOLD => Err(LeftOut::KeyedByData),
                    _ => observed.schema(),
                };
                match schema {
                    Ok(schema) => {
                        if !std::mem::replace(&mut has_properties, true) {
                            patch.push(add(format!("{pointer}/properties"), json!({})));
                        }
                        patch.push(add(path, schema));
                    }
                    Err(why) => left_out.push(LeftOutReport { at: path, why }),
                }
            }
        }
        (patch, left_out)
    }
}

fn add(path: String, value: Value) -> PatchOperation {
    PatchOperation { op: "add", path, value }
}

fn allow_null(pointer: &str, schema: &Value) -> Vec<PatchOperation> {
    let mut operations = Vec::new();
    let mut types = match schema.get("type") {
        Some(Value::Array(types)) => types.clone(),
        Some(one) => vec![one.clone()],
        None => return operations,
    };
    if !types.contains(&json!("null")) {
        types.push(json!("null"));
        let (path, value) = (format!("{pointer}/type"), Value::Array(types));
        operations.push(PatchOperation { op: "replace", path, value });
    }
    // A list of values counts beside the type.
    if let Some(Value::Array(values)) = schema.get("enum")
        && !values.contains(&Value::Null)
    {
        operations.push(add(format!("{pointer}/enum/-"), Value::Null));
    }
    operations
}
