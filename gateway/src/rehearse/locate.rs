//! Where a field of an answer is declared in the OpenAPI document, references followed.

use lienthong_model::field::Pointer;
use lienthong_policy::Operation;
use serde_json::Value;

/// Longest chain of references; the reader of the document has refused longer ones.
const MAX_REFERENCES: usize = 64;

/// A schema and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Spot<'a> {
    /// JSON Pointer into the document.
    pub(super) pointer: String,
    pub(super) value: &'a Value,
}

/// The schema of `field` in an answer.
pub(super) fn locate<'a>(
    document: &'a Value,
    operation: &Operation,
    status: u16,
    field: &Pointer,
) -> Option<Spot<'a>> {
    let mut spot = Spot { pointer: String::new(), value: document };
    let status = status.to_string();
    let method = operation.method.openapi_key();
    for key in ["paths", operation.path.as_str(), method, "responses", &status] {
        spot = spot.child(key)?;
    }
    spot = spot.resolve(document)?;
    spot = spot.child("content")?;
    // An answer has exactly one media type.
    let media = spot.value.as_object()?.keys().next()?;
    spot = spot.child(media)?.child("schema")?;
    for token in field.tokens() {
        spot = spot.resolve(document)?;
        spot = match token.as_str() {
            "*" => spot.child("items")?,
            name => spot.child("properties")?.child(name)?,
        };
    }
    spot.resolve(document)
}

impl<'a> Spot<'a> {
    fn child(&self, key: &str) -> Option<Self> {
        let pointer = format!("{}/{}", self.pointer, escape(key));
        Some(Self { pointer, value: self.value.get(key)? })
    }

    fn resolve(mut self, document: &'a Value) -> Option<Self> {
        for _ in 0..MAX_REFERENCES {
            let Some(reference) = self.value.get("$ref").and_then(Value::as_str) else {
                return Some(self);
            };
            let pointer = reference.strip_prefix('#')?;
            self = Self { pointer: pointer.to_owned(), value: document.pointer(pointer)? };
        }
        None
    }
}

/// One token of a JSON Pointer.
pub(super) fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}
