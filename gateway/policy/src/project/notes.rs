//! What the provider's document says about single fields.
//!
//! Takes the whole document; gives the description of a parameter or of each leaf of a body. Only
//! leaves: the description of an object may speak of a field that is withheld.

use std::collections::BTreeMap;

use lienthong_model::field::{Place, Pointer};
use serde_json::Value;

use crate::{openapi::place_name, service::Operation};

/// Deepest chain of references and levels; the reader has refused anything deeper.
const MAX_DEPTH: usize = 128;

/// The description of each leaf, by pointer.
pub(super) type Notes = BTreeMap<Pointer, String>;

/// Descriptions of one operation.
#[derive(Clone, Copy)]
pub(super) struct Describing<'a> {
    document: &'a Value,
    item: Option<&'a Value>,
    operation: Option<&'a Value>,
}

impl<'a> Describing<'a> {
    pub(super) fn new(document: &'a Value, operation: &Operation) -> Self {
        let item = document.get("paths").and_then(|paths| paths.get(operation.path.as_str()));
        let declared = item.and_then(|item| item.get(operation.method.openapi_key()));
        Self { document, item, operation: declared }
    }

    /// The description of a parameter.
    pub(super) fn parameter(self, place: Place, name: &str) -> Option<&'a str> {
        let lists = [self.operation, self.item].into_iter().flatten();
        let parameters = lists.filter_map(|of| of.get("parameters")?.as_array()).flatten();
        let text = |of: &'a Value, key: &str| of.get(key).and_then(Value::as_str);
        let mut parameters = parameters.filter_map(|parameter| self.resolve(parameter, 0));
        let found = parameters.find(|parameter| {
            text(parameter, "in") == Some(place_name(place))
                && text(parameter, "name").is_some_and(|n| n.eq_ignore_ascii_case(name))
        })?;
        text(found, "description")
    }

    /// The descriptions of the leaves of the request body.
    pub(super) fn request(self) -> Notes {
        self.body(self.operation.and_then(|operation| operation.get("requestBody")))
    }

    /// The descriptions of the leaves of an answer.
    pub(super) fn answer(self, status: u16) -> Notes {
        let responses = self.operation.and_then(|operation| operation.get("responses"));
        self.body(responses.and_then(|responses| responses.get(status.to_string())))
    }

    fn body(self, body: Option<&'a Value>) -> Notes {
        let mut notes = Notes::new();
        let schema = body
            .and_then(|body| self.resolve(body, 0))
            // One media type, or types of files, which have no schema.
            .and_then(|body| body.get("content")?.as_object()?.values().next()?.get("schema"));
        if let Some(schema) = schema {
            self.collect(schema, &Pointer::root(), &mut notes, 0);
        }
        notes
    }

    fn resolve(self, value: &'a Value, depth: usize) -> Option<&'a Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        match value.get("$ref").and_then(Value::as_str) {
            None => Some(value),
            Some(reference) => {
                let target = self.document.pointer(reference.strip_prefix('#')?)?;
                self.resolve(target, depth + 1)
            }
        }
    }

    fn collect(self, schema: &'a Value, at: &Pointer, notes: &mut Notes, depth: usize) {
        let Some(schema) = self.resolve(schema, depth).filter(|_| depth <= MAX_DEPTH) else {
            return;
        };
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                self.collect(property, &at.child(name), notes, depth + 1);
            }
        } else if let Some(items) = schema.get("items") {
            self.collect(items, &at.child("*"), notes, depth + 1);
        } else if let Some(text) = schema.get("description").and_then(Value::as_str) {
            notes.insert(at.clone(), text.to_owned());
        }
    }
}
