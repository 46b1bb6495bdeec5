//! The media types of a projected body.

use lienthong_model::schema::{Kind, Schema};
use serde_json::{Map, Value, json};

use crate::service::Media;

/// The `content` of a body: `schema` as declared, `projected` as disclosed.
pub(super) fn content(media: Media, schema: &Schema, projected: Value) -> Value {
    let Some(name) = media.essence() else { return files(schema, &projected) };
    let encoding = match media {
        Media::Multipart => encoding(schema, &projected),
        _ => Map::new(),
    };
    let mut described = json!({"schema": projected});
    if let (Value::Object(described), false) = (&mut described, encoding.is_empty()) {
        described.insert("encoding".to_owned(), Value::Object(encoding));
    }
    json!({name: described})
}

/// A whole body that is a file has its types for a schema.
fn files(schema: &Schema, projected: &Value) -> Value {
    let Kind::Opaque(types) = &schema.kind else { return json!({}) };
    let mut described = Map::new();
    let terms = projected.get("x-lienthong-mask");
    described.extend(terms.map(|terms| ("x-lienthong-mask".to_owned(), terms.clone())));
    let all = types.iter().map(|one| (one.to_string(), Value::Object(described.clone())));
    Value::Object(all.collect())
}

/// The types of each disclosed part that may be of several.
fn encoding(schema: &Schema, projected: &Value) -> Map<String, Value> {
    let Kind::Object(rules) = &schema.kind else { return Map::new() };
    let shown = projected.get("properties").and_then(Value::as_object);
    let shown = |name: &str| shown.is_some_and(|shown| shown.contains_key(name));
    let parts = rules.properties.iter().filter(|(name, _)| shown(name));
    let types = parts.filter_map(|(name, part)| {
        let one = match &part.kind {
            Kind::Array(rules) => &rules.items,
            _ => part,
        };
        let Kind::Opaque(types) = &one.kind else { return None };
        let names: Vec<&str> = types.iter().map(|one| one.media_type()).collect();
        Some((name.clone(), json!({"contentType": names.join(", ")})))
    });
    types.collect()
}

/// The schema of a file: its type, unless it may be of several, which only `encoding` can say.
pub(super) fn file(schema: &Schema) -> Value {
    let Kind::Opaque(types) = &schema.kind else { return json!({}) };
    match types.iter().collect::<Vec<_>>().as_slice() {
        [one] => json!({"contentMediaType": one.media_type()}),
        _ => json!({}),
    }
}
