//! The body of a request or an answer: its medium, and the schema of what may stand in it.
//!
//! A file has no schema in JSON; here it becomes one of its own ([`Kind::Opaque`]), in a property
//! of a body of parts or in place of a whole body. What a medium cannot hold is refused.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::{
    diagnostic::{Position, nearest},
    document::{Key, Node},
    opaque::OpaqueType,
    schema::{ArrayRules, Kind, Schema},
};
use serde_json::{Value, json};

use super::{Located, Reader, escape};
use crate::service::Media;

/// Longest name of a part.
const MAX_PART_NAME: usize = 64;

impl<'a> Reader<'a, '_> {
    /// The one medium that a body has, and its schema.
    pub(super) fn content(
        &mut self,
        content: &Located<'a>,
        known: &[Media],
    ) -> Option<(Media, Schema)> {
        let entries = content.entries();
        let is_file = |(key, _): &(Key, Node)| OpaqueType::from_media_type(&key.text).is_some();
        if known.contains(&Media::Opaque) && !entries.is_empty() && entries.iter().all(is_file) {
            return Some((Media::Opaque, self.files(content)?));
        }
        let [(key, _)] = entries else {
            let message = "`content` must name exactly one media type, or types of files only";
            self.fail(content.node.at, message);
            return None;
        };
        let is_named = |media: &Media| media.essence() == Some(key.text.as_str());
        let Some(media) = known.iter().copied().find(is_named) else {
            let message = format!("media type `{}` is not available here", key.text);
            self.fail_with(key.at, message, expected(known));
            return None;
        };
        let described = content.child(&key.text)?;
        let keys: &[&str] = match media {
            Media::Multipart => &["schema", "example", "examples", "encoding"],
            _ => &["schema", "example", "examples"],
        };
        self.keys(&described, "a media type", keys);
        let Some(schema) = described.child("schema") else {
            self.fail(described.node.at, "key `schema` is missing");
            return None;
        };
        let schema = match media {
            Media::Multipart => self.parts(&described, schema)?,
            Media::Form => self.form(schema)?,
            Media::Json | Media::Ndjson | Media::Opaque => self.schema(&schema)?,
        };
        Some((media, schema))
    }

    /// A whole body that is a file of one of these types.
    fn files(&mut self, content: &Located<'a>) -> Option<Schema> {
        let mut types = BTreeSet::new();
        for (key, node) in content.entries() {
            let pointer = format!("{}/{}", content.pointer, escape(&key.text));
            let before = self.found.len();
            self.keys(&Located { node, pointer }, "the media type of a file", &["example"]);
            if self.found.len() > before {
                return None;
            }
            types.extend(OpaqueType::from_media_type(&key.text));
        }
        Some(Schema::opaque(types))
    }

    /// A form: an object of fields that are each written as text.
    fn form(&mut self, located: Located<'a>) -> Option<Schema> {
        let schema = self.schema(&located)?;
        let Kind::Object(rules) = &schema.kind else {
            self.fail(located.node.at, "the schema of a form must be an object of its fields");
            return None;
        };
        let located = self.resolve(located)?;
        let mut good = true;
        for (name, field) in &rules.properties {
            if !is_text(field) {
                good = false;
                let at = place(&located, name);
                let message = format!("`{name}` cannot stand in a form");
                let help = "a form holds texts, numbers, booleans and lists of these";
                self.fail_with(at, message, help);
            }
        }
        good.then_some(schema)
    }

    /// A body of parts: an object whose properties are the parts.
    fn parts(&mut self, media: &Located<'a>, schema: Located<'a>) -> Option<Schema> {
        let located = self.resolve(schema)?;
        let encodings = self.encodings(media, &located);
        let mut files: BTreeMap<String, Schema> = BTreeMap::new();
        let before = self.found.len();
        let properties = located.child("properties");
        for (key, node) in properties.iter().flat_map(Located::entries) {
            if !is_part_name(&key.text) {
                let message = format!("`{}` cannot be the name of a part", key.text);
                let help = "write letters, digits, `-`, `_`, `.`, `[` and `]`, at most 64";
                self.fail_with(key.at, message, help);
            }
            let pointer = format!("{}/properties/{}", located.pointer, escape(&key.text));
            let Some(part) = self.resolve(Located { node, pointer }) else { continue };
            let encoding = encodings.get(key.text.as_str());
            if let Some(file) = self.file_part(&part, encoding) {
                files.insert(key.text.clone(), file);
            }
        }
        if self.found.len() > before {
            return None;
        }
        let mut schema = self.schema_without(&located, &files)?;
        let whole = located.node.to_json();
        let Kind::Object(rules) = &mut schema.kind else {
            let message = "the schema of a body of parts must be an object of its parts";
            self.fail(located.node.at, message);
            return None;
        };
        let required = whole.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            rules.required.insert(name.to_owned());
        }
        for (name, part) in &rules.properties {
            self.check_part(place(&located, name), name, part, encodings.get(name.as_str()));
        }
        let source = schema.source.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(source) = source {
            source.extend(files.iter().map(|(name, file)| (name.clone(), file.source.clone())));
        }
        rules.properties.extend(files);
        (self.found.len() == before).then_some(schema)
    }

    /// The schema at `located` without the properties that are files: JSON has none.
    fn schema_without(
        &mut self,
        located: &Located<'a>,
        files: &BTreeMap<String, Schema>,
    ) -> Option<Schema> {
        let mut value = located.node.to_json();
        if let Some(properties) = value.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, _| !files.contains_key(name));
        }
        if let Some(required) = value.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| name.as_str().is_none_or(|name| !files.contains_key(name)));
        }
        self.schema_of(&value, &located.pointer)
    }

    /// The media types that `encoding` gives to parts.
    fn encodings(
        &mut self,
        media: &Located<'a>,
        schema: &Located<'a>,
    ) -> BTreeMap<&'a str, Encoding<'a>> {
        let mut encodings = BTreeMap::new();
        let names: Vec<&str> = schema
            .child("properties")
            .iter()
            .flat_map(Located::entries)
            .map(|(key, _)| key.text.as_str())
            .collect();
        let Some(listed) = media.child("encoding") else { return encodings };
        for (key, node) in listed.entries() {
            let pointer = format!("{}/{}", listed.pointer, escape(&key.text));
            let encoding = Located { node, pointer };
            self.keys(&encoding, "the encoding of a part", &["contentType"]);
            if !names.contains(&key.text.as_str()) {
                let message = format!("`{}` is not a part", key.text);
                let near = nearest(&key.text, names.iter().copied());
                let help = near.map(|near| format!("did you mean `{near}`?"));
                self.fail_with(key.at, message, help.unwrap_or_else(|| "leave it out".to_owned()));
                continue;
            }
            match encoding.text("contentType") {
                Some(types) => {
                    let at = node.get("contentType").map_or(key.at, |node| node.at);
                    encodings.insert(key.text.as_str(), Encoding { types, at });
                }
                None => self.fail(node.at, "`contentType` must be a text"),
            }
        }
        encodings
    }

    /// The schema of a part that is a file, or a list of files; none of another.
    fn file_part(&mut self, part: &Located<'a>, encoding: Option<&Encoding<'a>>) -> Option<Schema> {
        if part.text("type") != Some("array") {
            return self.file(part, encoding).map(Schema::opaque);
        }
        let items = self.resolve(part.child("items")?)?;
        let items = Schema::opaque(self.file(&items, encoding)?);
        self.keys(
            part,
            "a list of files",
            &["type", "items", "minItems", "maxItems", "description"],
        );
        let count = |key: &str| part.node.get(key).map(|node| node.to_json().as_u64());
        let (min, max) = (count("minItems"), count("maxItems"));
        if min == Some(None) || max == Some(None) {
            self.fail(part.node.at, "`minItems` and `maxItems` must be counts");
        }
        let source = json!({"type": "array", "items": items.source});
        let (min_items, max_items) = (min.flatten().unwrap_or(0), max.flatten());
        let rules = ArrayRules { items: Box::new(items), min_items, max_items };
        Some(Schema { nullable: false, kind: Kind::Array(rules), source })
    }

    /// The types of a file: those that its encoding lists, or the one of `contentMediaType`.
    fn file(
        &mut self,
        part: &Located<'a>,
        encoding: Option<&Encoding<'a>>,
    ) -> Option<BTreeSet<OpaqueType>> {
        let named = part.text("contentMediaType").map(|text| (text, part.node.at));
        let listed = encoding.map(|encoding| (encoding.types, encoding.at));
        let is_empty = part.entries().iter().all(|(key, _)| key.text == "description");
        let (text, at) = match (named, listed) {
            (Some(_), Some(listed)) => listed,
            (Some(named), None) => named,
            (None, Some(listed)) if is_empty => listed,
            (None, _) => return None,
        };
        self.keys(part, "a file", &["type", "contentMediaType", "description"]);
        if part.node.get("type").is_some() && part.text("type") != Some("string") {
            self.fail(part.node.at, "a file has no `type` but `string`");
        }
        let mut types = BTreeSet::new();
        for name in text.split(',').map(str::trim) {
            match OpaqueType::from_media_type(name) {
                Some(known) => drop(types.insert(known)),
                None => {
                    let message = format!("`{name}` is not a type of file that is recognised");
                    self.fail_with(at, message, file_types());
                }
            }
        }
        let differs =
            |(name, _)| OpaqueType::from_media_type(name).is_none_or(|one| !types.contains(&one));
        if listed.is_some() && named.is_some_and(differs) {
            self.fail(at, "`contentType` and `contentMediaType` name different types");
        }
        Some(types)
    }

    /// Checks a part that is not a file.
    fn check_part(
        &mut self,
        at: Position,
        name: &str,
        part: &Schema,
        encoding: Option<&Encoding<'a>>,
    ) {
        let one = match &part.kind {
            Kind::Array(rules) => &*rules.items,
            _ => part,
        };
        if matches!(one.kind, Kind::Array(_)) {
            let help = "a part is a text, a number, an object, a file, or a list of one of these";
            self.fail_with(at, format!("`{name}` cannot be a part"), help);
        }
        let usual = if is_text(one) { "text/plain" } else { "application/json" };
        if let Some(encoding) = encoding
            && encoding.types != usual
        {
            self.fail_with(
                encoding.at,
                format!("`{name}` is of another media type"),
                format!("expected `{usual}`, or a schema with `contentMediaType`"),
            );
        }
    }
}

/// What `encoding` says of a part.
struct Encoding<'a> {
    types: &'a str,
    at: Position,
}

fn place(located: &Located<'_>, property: &str) -> Position {
    let part = located.child("properties").and_then(|properties| properties.child(property));
    part.map_or(located.node.at, |part| part.node.at)
}

/// Whether a value, or each of a list, is written as a text.
fn is_text(schema: &Schema) -> bool {
    let is_one = |schema: &Schema| {
        matches!(schema.kind, Kind::String(_) | Kind::Integer(_) | Kind::Number(_) | Kind::Boolean)
    };
    match &schema.kind {
        Kind::Array(rules) => is_one(&rules.items),
        _ => is_one(schema),
    }
}

/// Whether a name stands in a header as it is.
fn is_part_name(name: &str) -> bool {
    (1..=MAX_PART_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.[]".contains(&b))
}

fn expected(known: &[Media]) -> String {
    let names: Vec<&str> = known.iter().filter_map(|media| media.essence()).collect();
    let names = format!("expected `{}`", names.join("`, `"));
    if known.contains(&Media::Opaque) { format!("{names}, or a type of files") } else { names }
}

fn file_types() -> String {
    let names: Vec<&str> = OpaqueType::ALL.iter().map(|one| one.media_type()).collect();
    format!("expected one of `{}`", names.join("`, `"))
}

#[cfg(test)]
mod tests;
