//! The slow way to the same answer: a document tree, the `jsonschema` crate, masks by the book.

use std::fmt;

use aws_lc_rs::hmac;
use jiff::civil;
use lienthong_disclosure::{Direction, Tally};
use lienthong_model::{
    field::Pointer,
    mask::{Generalisation, Mask},
    schema::{Kind, Schema},
};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

use crate::{CONSUMER, KEY, PERIOD, generate::Masks};

/// A JSON value in which no object has a key twice.
pub(crate) struct Strict(pub(crate) Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = access.next_entry::<String, Strict>()? {
            if map.insert(key, value).is_some() {
                return Err(Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(map))
    }
}

/// The strict tree of a body; none when it is not strict JSON within `max_depth`.
pub(crate) fn parse(body: &[u8], max_depth: usize) -> Option<Value> {
    let Strict(value) = serde_json::from_slice(body).ok()?;
    (depth(&value) <= max_depth).then_some(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// What a disclosure should give.
pub(crate) struct Reference<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) masks: &'a Masks,
    pub(crate) direction: Direction,
}

/// A walk of the reference: its counts, and whether a value could not be masked.
#[derive(Default)]
struct Walk {
    tally: Tally,
    unmaskable: bool,
}

impl Reference<'_> {
    /// The disclosed body and its tally (without drift); none when the body must be refused.
    pub(crate) fn disclose(&self, body: &Value) -> Option<(Value, Tally)> {
        let mut walk = Walk::default();
        let plain = self.project(self.schema, body, &Pointer::root(), None);
        let plain = plain.unwrap_or(Value::Null);
        let (whole, judged) = match self.direction {
            Direction::Request => (self.schema.source.clone(), body),
            Direction::Answer => (self.reduced(self.schema, &Pointer::root()), &plain),
        };
        if !validator(&whole).is_valid(judged) {
            return None;
        }
        let masked = self.project(self.schema, body, &Pointer::root(), Some(&mut walk))?;
        let refused = self.direction == Direction::Request
            && !validator(&self.schema.source).is_valid(&masked);
        (!walk.unmaskable && !refused).then_some((masked, walk.tally))
    }

    fn passes(&self, at: &Pointer) -> bool {
        at.tokens().is_empty()
            || self.masks.iter().any(|(leaf, mask)| at.contains(leaf) && *mask != Some(Mask::Drop))
    }

    /// What of `value` passes; masked and counted when there is a `walk`.
    fn project(
        &self,
        schema: &Schema,
        value: &Value,
        at: &Pointer,
        mut walk: Option<&mut Walk>,
    ) -> Option<Value> {
        let passes = self.passes(at);
        match (&schema.kind, value) {
            (Kind::Object(rules), Value::Object(map)) => {
                if !passes && map.is_empty() {
                    count(walk.as_deref_mut(), |tally| tally.dropped += 1);
                }
                let mut kept = Map::new();
                for (name, value) in map {
                    match rules.properties.get(name) {
                        Some(schema) => {
                            let value =
                                self.project(schema, value, &at.child(name), walk.as_deref_mut());
                            kept.extend(value.map(|value| (name.clone(), value)));
                        }
                        None => count(walk.as_deref_mut(), |tally| tally.undeclared += 1),
                    }
                }
                passes.then_some(Value::Object(kept))
            }
            (Kind::Array(rules), Value::Array(items)) => {
                if !passes && items.is_empty() {
                    count(walk.as_deref_mut(), |tally| tally.dropped += 1);
                }
                let items = items.iter().filter_map(|item| {
                    self.project(&rules.items, item, &at.child("*"), walk.as_deref_mut())
                });
                let items = items.collect();
                passes.then_some(Value::Array(items))
            }
            (Kind::Object(_) | Kind::Array(_), other) => {
                if !passes {
                    count(walk, |tally| tally.dropped += 1);
                }
                passes.then(|| other.clone())
            }
            _ => match (self.masks.get(at), walk) {
                (None | Some(Some(Mask::Drop)), walk) => {
                    count(walk, |tally| tally.dropped += 1);
                    None
                }
                (Some(None), walk) => {
                    count(walk, |tally| tally.disclosed += 1);
                    Some(value.clone())
                }
                (Some(Some(_)), None) => Some(value.clone()),
                (Some(Some(mask)), Some(walk)) => {
                    walk.tally.masked += 1;
                    let masked = mask_value(mask, value, schema, at);
                    walk.unmaskable |= masked.is_none();
                    masked
                }
            },
        }
    }

    /// The schema of what passes.
    fn reduced(&self, schema: &Schema, at: &Pointer) -> Value {
        let mut source = schema.source.clone();
        match &schema.kind {
            Kind::Object(rules) => {
                let kept =
                    || rules.properties.iter().filter(|(name, _)| self.passes(&at.child(name)));
                let properties: Map<String, Value> = kept()
                    .map(|(name, schema)| (name.clone(), self.reduced(schema, &at.child(name))))
                    .collect();
                let required: Vec<&String> =
                    kept().map(|(name, _)| name).filter(|n| rules.required.contains(*n)).collect();
                source["properties"] = Value::Object(properties);
                source["required"] = json!(required);
            }
            Kind::Array(rules) => source["items"] = self.reduced(&rules.items, &at.child("*")),
            _ => {}
        }
        source
    }
}

fn count(walk: Option<&mut Walk>, add: impl FnOnce(&mut Tally)) {
    if let Some(walk) = walk {
        add(&mut walk.tally);
    }
}

/// The crate's own checks of every format that it knows; ours of the two that it does not.
pub(crate) fn validator(source: &Value) -> jsonschema::Validator {
    let digits =
        |count| move |text: &str| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_format("citizen-number", digits(12))
        .with_format("ward-code", digits(5))
        .build(source)
        .expect("a schema")
}

fn mask_value(mask: &Mask, value: &Value, schema: &Schema, at: &Pointer) -> Option<Value> {
    let text = value.as_str();
    Some(match mask {
        Mask::Redact => json!("***"),
        _ if value.is_null() => Value::Null,
        Mask::Null | Mask::Drop | Mask::Opaque(_) => Value::Null,
        Mask::KeepFirst(n) => json!(format!("{}***", kept(text?, usize::from(*n), false))),
        Mask::KeepLast(n) => json!(format!("***{}", kept(text?, usize::from(*n), true))),
        Mask::Pseudonymise => json!(pseudonym(text?, schema, at)),
        Mask::Generalise(Generalisation::Province) => json!(province(text?)?),
        Mask::Generalise(Generalisation::Bands(bounds)) => json!(band(value.as_f64()?, bounds)),
        Mask::Generalise(to) => {
            let year = *to == Generalisation::Year;
            let text = text?;
            let (date, length) = match text.len() {
                8 | 14 => (
                    civil::Date::strptime("%Y%m%d", text.get(..8)?).ok()?,
                    if year { 4 } else { 6 },
                ),
                _ => (text.get(..10)?.parse().ok()?, if year { 4 } else { 7 }),
            };
            if text.len() == 14 {
                civil::Time::strptime("%H%M%S", text.get(8..)?).ok()?;
            }
            let _: civil::Date = date;
            json!(text.get(..length)?)
        }
    })
}

fn kept(text: &str, count: usize, last: bool) -> String {
    let normal: String = text.nfc().collect();
    let graphemes: Vec<&str> = normal.graphemes(true).collect();
    if graphemes.len() < 2 * count {
        return String::new();
    }
    let range = if last { graphemes.len() - count..graphemes.len() } else { 0..count };
    let kept = graphemes[range].concat();
    if kept.chars().count() * 2 > normal.chars().count() { String::new() } else { kept }
}

fn pseudonym(text: &str, schema: &Schema, at: &Pointer) -> String {
    let format = schema.source.get("format").and_then(Value::as_str);
    let name = at.tokens().iter().rfind(|token| *token != "*").map_or("", String::as_str);
    let of = format.map_or_else(|| format!("name:{name}"), |format| format!("format:{format}"));
    let sign = |key: &[u8], parts: &[&str]| {
        let mut message = Vec::new();
        for part in parts {
            message.extend((part.len() as u64).to_be_bytes());
            message.extend(part.as_bytes());
        }
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &message)
    };
    let derived = sign(&KEY, &["lienthong pseudonym v1", CONSUMER, PERIOD]);
    let text: String = text.nfc().collect();
    let tag = sign(derived.as_ref(), &[&of, &text]);
    tag.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn province(ward: &str) -> Option<&'static str> {
    let table = include_str!("../../../../schemas/code-tables/v1/hcmc-wards.csv");
    table.lines().any(|line| line.starts_with(&format!("{ward},"))).then_some("79")
}

fn band(value: f64, bounds: &[i64]) -> String {
    let above = bounds.iter().rposition(|bound| value >= *bound as f64);
    match above {
        None => format!("<{}", bounds[0]),
        Some(at) if at + 1 == bounds.len() => format!("{}+", bounds[at]),
        Some(at) if bounds[at] == bounds[at + 1] - 1 => bounds[at].to_string(),
        Some(at) => format!("{}-{}", bounds[at], bounds[at + 1] - 1),
    }
}
