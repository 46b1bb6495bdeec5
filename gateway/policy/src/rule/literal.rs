//! The names that rules may write.
//!
//! Cedar checks types, not spelling: `context.categories.contains("ethnicty")` is well typed and
//! never true. Takes a rule in Cedar's JSON form; gives every text compared with a fact that no
//! file bears, and every entity that does not exist.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::diagnostic::nearest;
use serde_json::{Map, Value};

/// A name that nothing bears.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnknownName {
    /// What it should be the name of.
    pub(crate) what: String,
    /// The name.
    pub(crate) text: String,
    /// The nearest right one.
    pub(crate) near: Option<String>,
}

/// The known names, by the fact they are values of; and the known entities, by type.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    pub(crate) facts: BTreeMap<&'static str, BTreeSet<String>>,
    pub(crate) entities: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Vocabulary {
    /// Every name of a rule that nothing bears.
    pub(crate) fn unknown_names(&self, rule: &Value) -> BTreeSet<UnknownName> {
        let mut unknown = BTreeSet::new();
        self.walk(rule, &mut unknown);
        unknown
    }

    fn walk(&self, value: &Value, unknown: &mut BTreeSet<UnknownName>) {
        match value {
            Value::Object(map) => {
                self.check_entity(map, unknown);
                if let (Some(left), Some(right)) = (map.get("left"), map.get("right")) {
                    self.check_comparison(left, right, unknown);
                    self.check_comparison(right, left, unknown);
                }
                for value in map.values() {
                    self.walk(value, unknown);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item, unknown)),
            _ => {}
        }
    }

    fn check_entity(&self, map: &Map<String, Value>, unknown: &mut BTreeSet<UnknownName>) {
        let text = |key| map.get(key).and_then(Value::as_str);
        let (Some(kind), Some(id)) = (text("type"), text("id")) else { return };
        if let Some(names) = self.entities.get(kind) {
            check(names, &format!("entity of type `{kind}`"), id, unknown);
        }
    }

    /// Texts on one side of an operator whose other side is a fact.
    fn check_comparison(&self, fact: &Value, other: &Value, unknown: &mut BTreeSet<UnknownName>) {
        let Some(access) = fact.get(".") else { return };
        let of_context = access.get("left").and_then(|l| l.get("Var")) == Some(&"context".into());
        let Some(attribute) = access.get("attr").and_then(Value::as_str) else { return };
        let Some(names) = self.facts.get(attribute).filter(|_| of_context) else { return };
        let texts = match (other.get("Value"), other.get("Set")) {
            (Some(Value::String(text)), _) => vec![text.as_str()],
            (Some(Value::Array(items)), _) => items.iter().filter_map(Value::as_str).collect(),
            (_, Some(Value::Array(items))) => {
                items.iter().filter_map(|item| item.get("Value")?.as_str()).collect()
            }
            _ => return,
        };
        for text in texts {
            check(names, &format!("value of `context.{attribute}`"), text, unknown);
        }
    }
}

fn check(names: &BTreeSet<String>, what: &str, text: &str, unknown: &mut BTreeSet<UnknownName>) {
    if names.contains(text) {
        return;
    }
    let near = nearest(text, names.iter().map(String::as_str)).map(str::to_owned);
    unknown.insert(UnknownName { what: what.to_owned(), text: text.to_owned(), near });
}
