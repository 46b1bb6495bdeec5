//! What was seen under an undeclared name: JSON types and lengths, never a value.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{report::LeftOut, survey::is_plain_name};

/// Most members of one undeclared object that are told apart.
const MAX_MEMBERS: usize = 256;
/// The shortest `maxLength` that is proposed.
const SHORTEST: u64 = 16;

/// Types and lengths of the values of one place.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Observed {
    nulls: u64,
    booleans: u64,
    integers: u64,
    numbers: u64,
    strings: u64,
    arrays: u64,
    objects: u64,
    /// Characters of the longest string.
    longest: u64,
    items: Option<Box<Self>>,
    members: BTreeMap<String, Self>,
    /// Whether a member has a name that may be data, or there are too many.
    keyed: bool,
}

impl Observed {
    pub(super) fn take(&mut self, value: &Value) {
        match value {
            Value::Null => self.nulls += 1,
            Value::Bool(_) => self.booleans += 1,
            Value::Number(number) if number.is_f64() => self.numbers += 1,
            Value::Number(_) => self.integers += 1,
            Value::String(text) => {
                self.strings += 1;
                self.longest = self.longest.max(text.chars().count() as u64);
            }
            Value::Array(items) => {
                self.arrays += 1;
                for item in items {
                    self.items.get_or_insert_default().take(item);
                }
            }
            Value::Object(map) => {
                self.objects += 1;
                for (name, value) in map {
                    if let Some(member) = self.member(name) {
                        member.take(value);
                    }
                }
            }
        }
    }

    fn member(&mut self, name: &str) -> Option<&mut Self> {
        let room = self.members.len() < MAX_MEMBERS || self.members.contains_key(name);
        if !room || !is_plain_name(name) {
            self.keyed = true;
            return None;
        }
        Some(self.members.entry(name.to_owned()).or_default())
    }

    /// Adds what was seen of the same place elsewhere.
    pub(super) fn merge(&mut self, other: &Self) {
        self.nulls += other.nulls;
        self.booleans += other.booleans;
        self.integers += other.integers;
        self.numbers += other.numbers;
        self.strings += other.strings;
        self.arrays += other.arrays;
        self.objects += other.objects;
        self.longest = self.longest.max(other.longest);
        self.keyed |= other.keyed;
        if let Some(items) = &other.items {
            self.items.get_or_insert_default().merge(items);
        }
        for (name, theirs) in &other.members {
            if let Some(member) = self.member(name) {
                member.merge(theirs);
            }
        }
    }

    /// How often each JSON type was seen.
    pub(super) fn types(&self) -> BTreeMap<&'static str, u64> {
        let counts = [
            ("null", self.nulls),
            ("boolean", self.booleans),
            ("integer", self.integers),
            ("number", self.numbers),
            ("string", self.strings),
            ("array", self.arrays),
            ("object", self.objects),
        ];
        counts.into_iter().filter(|(_, count)| *count > 0).collect()
    }

    /// A schema that all of them satisfy, or why none is proposed.
    pub(super) fn schema(&self) -> Result<Value, LeftOut> {
        let mut types: Vec<&str> =
            self.types().into_keys().filter(|name| *name != "null").collect();
        if types == ["integer", "number"] {
            types = vec!["number"];
        }
        let [kind] = types.as_slice() else {
            return Err(if types.is_empty() { LeftOut::OnlyNull } else { LeftOut::MixedTypes });
        };
        let mut schema = Map::new();
        let written = if self.nulls > 0 { json!([kind, "null"]) } else { json!(kind) };
        schema.insert("type".to_owned(), written);
        match *kind {
            "string" => {
                schema.insert("maxLength".to_owned(), rounded(self.longest).into());
            }
            "array" => {
                let items = self.items.as_ref().ok_or(LeftOut::EmptyArray)?.schema()?;
                schema.insert("items".to_owned(), items);
            }
            "object" => {
                if self.keyed {
                    return Err(LeftOut::KeyedByData);
                }
                let members = self.members.iter();
                let members = members.map(|(name, member)| Ok((name.clone(), member.schema()?)));
                let members = members.collect::<Result<Map<_, _>, LeftOut>>()?;
                schema.insert("additionalProperties".to_owned(), false.into());
                schema.insert("properties".to_owned(), Value::Object(members));
            }
            _ => {}
        }
        Ok(Value::Object(schema))
    }
}

/// The next power of two: the samples are not all that will come.
fn rounded(longest: u64) -> u64 {
    longest.max(SHORTEST).checked_next_power_of_two().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
