//! A JSON Schema (2020-12, as OpenAPI 3.1 uses it) in the form the data path works with.
//!
//! Structure that can be checked in one pass over the bytes becomes [`Kind`]; a subtree with
//! keywords that need the whole value (`oneOf`, `not`, `uniqueItems` …) becomes [`Kind::Tree`] and
//! passes or stops as one field. Objects are closed: what is not declared does not exist.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{field::Pointer, opaque::OpaqueType};

/// Deepest nesting of a schema.
pub const MAX_DEPTH: usize = 32;

/// A schema of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Whether `null` is allowed beside the kind.
    pub nullable: bool,
    /// What the value is.
    pub kind: Kind,
    /// The JSON Schema of this value with every `$ref` resolved, for reference validation.
    pub source: Value,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// An object with these properties and no others.
    Object(ObjectRules),
    /// An array.
    Array(ArrayRules),
    /// A string.
    String(StringRules),
    /// An integer.
    Integer(NumberRules),
    /// A number.
    Number(NumberRules),
    /// `true` or `false`.
    Boolean,
    /// A value checked as a whole by a document tree; it has no fields of its own.
    Tree,
    /// A file of one of these types, which passes whole or not at all: a body, or a part of one.
    Opaque(BTreeSet<OpaqueType>),
}

/// Rules of an object.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectRules {
    /// The properties by name.
    pub properties: BTreeMap<String, Schema>,
    /// The names that must be present.
    pub required: BTreeSet<String>,
}

/// Rules of an array.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrayRules {
    /// What each element is.
    pub items: Box<Schema>,
    /// Fewest elements.
    pub min_items: u64,
    /// Most elements.
    pub max_items: Option<u64>,
}

/// Rules of a string. Lengths count Unicode scalar values, as JSON Schema does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StringRules {
    /// Shortest length.
    pub min_length: u64,
    /// Longest length.
    pub max_length: Option<u64>,
    /// A regular expression that must match somewhere.
    pub pattern: Option<String>,
    /// A known format, checked.
    pub format: Option<StringFormat>,
    /// The allowed values; empty when any.
    pub allowed: Vec<String>,
}

impl StringRules {
    /// The fewest characters a valid value can have: `minLength`, the shortest allowed value, or
    /// the length a format fixes.
    #[must_use]
    pub fn shortest(&self) -> u64 {
        let listed = self.allowed.iter().map(|v| v.chars().count() as u64).min().unwrap_or(0);
        let fixed = self.format.map_or(0, StringFormat::shortest);
        let repeated = self.pattern.as_deref().and_then(fixed_digits).unwrap_or(0);
        self.min_length.max(listed).max(fixed).max(repeated)
    }

    /// Whether every value is a date that can be generalised.
    #[must_use]
    pub fn is_date(&self) -> bool {
        matches!(self.format, Some(StringFormat::Date | StringFormat::DateTime))
            || matches!(self.pattern.as_deref().and_then(fixed_digits), Some(8 | 14))
    }

    /// Whether nothing bounds what the text may say.
    #[must_use]
    pub fn is_free_text(&self) -> bool {
        self.pattern.is_none() && self.format.is_none() && self.allowed.is_empty()
    }
}

/// `n` of a pattern `^\d{n}$` or `^[0-9]{n}$`.
fn fixed_digits(pattern: &str) -> Option<u64> {
    let inner = pattern.strip_prefix("^\\d{").or_else(|| pattern.strip_prefix("^[0-9]{"))?;
    inner.strip_suffix("}$")?.parse().ok()
}

/// A string format that is checked, never only noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StringFormat {
    /// RFC 3339 `full-date`.
    Date,
    /// RFC 3339 `date-time`.
    DateTime,
    /// RFC 9562 UUID.
    Uuid,
    /// RFC 5321 mailbox.
    Email,
    /// Personal identification number: 12 digits (Circular 59/2021/TT-BCA Art. 4).
    CitizenNumber,
    /// Ward code: 5 digits.
    WardCode,
}

impl StringFormat {
    /// The format of a JSON Schema name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "date" => Self::Date,
            "date-time" => Self::DateTime,
            "uuid" => Self::Uuid,
            "email" => Self::Email,
            "citizen-number" => Self::CitizenNumber,
            "ward-code" => Self::WardCode,
            _ => return None,
        })
    }

    fn shortest(self) -> u64 {
        match self {
            Self::Date => 10,
            Self::DateTime => 20,
            Self::Uuid => 36,
            Self::Email => 3,
            Self::CitizenNumber => 12,
            Self::WardCode => 5,
        }
    }
}

/// Rules of a number, compared as JSON Schema does.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NumberRules {
    /// Smallest value.
    pub minimum: Option<f64>,
    /// Largest value.
    pub maximum: Option<f64>,
    /// The allowed values; empty when any.
    pub allowed: Vec<f64>,
}

/// Why a schema cannot be used. Pointers are into the schema's own document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at `{at}`")]
pub struct SchemaError {
    /// JSON Pointer to the offending schema, from the root of the document.
    pub at: String,
    /// What is wrong.
    pub problem: String,
}

impl Schema {
    /// Reads the schema at `start`, resolving local `$ref`s within `document`. All mistakes are
    /// collected.
    ///
    /// # Errors
    /// Remote or recursive references, unknown keywords or formats, open objects.
    pub fn read(document: &Value, start: &Value, at: &str) -> Result<Self, Vec<SchemaError>> {
        read::read(document, start, at)
    }

    /// The schema of a file of one of `types`.
    #[must_use]
    pub fn opaque(types: BTreeSet<OpaqueType>) -> Self {
        let names: Vec<&str> = types.iter().map(|one| one.media_type()).collect();
        let source = serde_json::json!({ "contentMediaType": names.join(", ") });
        Self { nullable: false, kind: Kind::Opaque(types), source }
    }

    /// Every leaf: pointer and schema, in order. Objects and arrays are not leaves; a
    /// [`Kind::Tree`] and a [`Kind::Opaque`] are.
    #[must_use]
    pub fn leaves(&self) -> Vec<(Pointer, &Self)> {
        let mut leaves = Vec::new();
        self.collect_leaves(Pointer::root(), &mut leaves);
        leaves
    }

    fn collect_leaves<'a>(&'a self, at: Pointer, leaves: &mut Vec<(Pointer, &'a Self)>) {
        match &self.kind {
            Kind::Object(rules) => {
                for (name, schema) in &rules.properties {
                    schema.collect_leaves(at.child(name), leaves);
                }
            }
            Kind::Array(rules) => rules.items.collect_leaves(at.child("*"), leaves),
            _ => leaves.push((at, self)),
        }
    }

    /// The schema at a pointer.
    #[must_use]
    pub fn at(&self, pointer: &Pointer) -> Option<&Self> {
        let mut schema = self;
        for token in pointer.tokens() {
            schema = match &schema.kind {
                Kind::Object(rules) => rules.properties.get(token)?,
                Kind::Array(rules) if token == "*" => &rules.items,
                _ => return None,
            };
        }
        Some(schema)
    }
}

#[cfg(test)]
mod tests;
