//! What the samples hold beside what the schema says: how often each declared field stands there,
//! where `null` stands that is not allowed, and every undeclared field.

use std::collections::BTreeMap;

use lienthong_model::{
    field::Pointer,
    schema::{Kind, Schema},
};
use serde_json::Value;

use super::{observed::Observed, report::DriftReport};

/// Most undeclared fields of one answer that are told by name.
const MAX_DRIFT: usize = 1000;
/// Longest name of an undeclared field that is told, in bytes.
const MAX_NAME: usize = 64;
/// Longest run of digits in such a name.
const MAX_DIGITS: usize = 4;
/// What stands for a name that is not told.
pub(super) const UNTOLD: &str = "?";

/// Counts over the samples of one answer.
#[derive(Debug)]
pub(super) struct Survey {
    /// Parents before their children; the root is first.
    nodes: Vec<Node>,
    drift: BTreeMap<(usize, String), Drift>,
    samples: u64,
}

#[derive(Debug)]
struct Node {
    at: Pointer,
    members: Members,
    leaf: bool,
    /// Whether `null` may stand here, as far as a patch could say otherwise.
    null: bool,
    /// How often the field stands in the present sample.
    here: u64,
    /// How often in all.
    seen: u64,
    /// How often `null` stands where it may not.
    nulls: u64,
}

#[derive(Debug)]
enum Members {
    None,
    Named(BTreeMap<String, usize>),
    Each(usize),
}

#[derive(Debug, Default)]
struct Drift {
    samples: u64,
    times: u64,
    last: u64,
    observed: Observed,
}

/// An undeclared field: the object that holds it, its name, and what was seen there.
pub(super) struct Undeclared<'a> {
    pub(super) parent: &'a Pointer,
    pub(super) name: &'a str,
    pub(super) observed: &'a Observed,
}

impl Survey {
    pub(super) fn new(schema: &Schema) -> Self {
        let mut survey = Self { nodes: Vec::new(), drift: BTreeMap::new(), samples: 0 };
        survey.add(schema, Pointer::root());
        survey
    }

    fn add(&mut self, schema: &Schema, at: Pointer) -> usize {
        let index = self.nodes.len();
        let leaf = !matches!(schema.kind, Kind::Object(_) | Kind::Array(_));
        let null = allows_null(schema);
        let members = Members::None;
        self.nodes.push(Node { at: at.clone(), members, leaf, null, here: 0, seen: 0, nulls: 0 });
        let members = match &schema.kind {
            Kind::Object(rules) => {
                let named = rules.properties.iter();
                let named = named.map(|(name, s)| (name.clone(), self.add(s, at.child(name))));
                Members::Named(named.collect())
            }
            Kind::Array(rules) => Members::Each(self.add(&rules.items, at.child("*"))),
            _ => Members::None,
        };
        if let Some(node) = self.nodes.get_mut(index) {
            node.members = members;
        }
        index
    }

    /// Begins a sample or an element.
    pub(super) fn begin(&mut self) {
        self.samples += 1;
        self.begin_beside();
    }

    /// Begins what is no sample of its own: what stands around elements.
    pub(super) fn begin_beside(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.here = 0);
    }

    /// Looks at the sample. Its depth is bounded by the view that has read it.
    pub(super) fn take(&mut self, value: &Value) {
        let mut walk =
            Walk { nodes: &mut self.nodes, drift: &mut self.drift, sample: self.samples };
        walk.value(0, value);
    }

    /// Ends the sample.
    pub(super) fn end(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.seen += node.here);
    }

    /// How often each leaf stands in the present sample, in the order of [`Self::leaves`].
    pub(super) fn here(&self) -> impl Iterator<Item = u64> {
        self.nodes.iter().filter(|node| node.leaf).map(|node| node.here)
    }

    /// Every leaf.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Pointer> {
        self.nodes.iter().filter(|node| node.leaf).map(|node| &node.at)
    }

    /// Declared fields that no sample holds. Below one of them nothing more is told.
    pub(super) fn never_seen(&self) -> Vec<String> {
        let mut told: Vec<&Pointer> = Vec::new();
        for node in self.nodes.iter().filter(|node| node.seen == 0) {
            if !told.iter().any(|above| above.contains(&node.at)) {
                told.push(&node.at);
            }
        }
        told.iter().map(ToString::to_string).collect()
    }

    pub(super) fn drift_report(&self) -> Vec<DriftReport> {
        let rows = self.drift.iter().filter_map(|((parent, name), drift)| {
            let at = self.nodes.get(*parent)?.at.child(name);
            Some(DriftReport {
                at: at.to_string(),
                types: drift.observed.types(),
                samples: drift.samples,
                times: drift.times,
            })
        });
        rows.collect()
    }

    pub(super) fn undeclared(&self) -> impl Iterator<Item = Undeclared<'_>> {
        self.drift.iter().filter_map(|((parent, name), drift)| {
            let parent = &self.nodes.get(*parent)?.at;
            Some(Undeclared { parent, name, observed: &drift.observed })
        })
    }

    /// Declared fields where `null` stands and may not.
    pub(super) fn nulls(&self) -> impl Iterator<Item = &Pointer> {
        self.nodes.iter().filter(|node| node.nulls > 0).map(|node| &node.at)
    }
}

struct Walk<'a> {
    nodes: &'a mut Vec<Node>,
    drift: &'a mut BTreeMap<(usize, String), Drift>,
    sample: u64,
}

impl Walk<'_> {
    fn value(&mut self, index: usize, value: &Value) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        node.here += 1;
        match value {
            Value::Null if !node.null => node.nulls += 1,
            Value::Object(map) => {
                for (name, value) in map {
                    self.member(index, name, value);
                }
            }
            Value::Array(items) => {
                if let Members::Each(each) = node.members {
                    items.iter().for_each(|item| self.value(each, item));
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, index: usize, name: &str, value: &Value) {
        let Some(Node { members: Members::Named(named), .. }) = self.nodes.get(index) else {
            return;
        };
        if let Some(child) = named.get(name) {
            return self.value(*child, value);
        }
        let mut key = (index, name.to_owned());
        let room = self.drift.len() < MAX_DRIFT || self.drift.contains_key(&key);
        if !room || !is_plain_name(name) {
            UNTOLD.clone_into(&mut key.1);
        }
        let drift = self.drift.entry(key).or_default();
        drift.times += 1;
        if drift.last != self.sample {
            drift.last = self.sample;
            drift.samples += 1;
        }
        drift.observed.take(value);
    }
}

/// Whether an undeclared name looks like a name and not like data.
// SECURITY: the name is the provider's, and maps keyed by an identifier exist. The same names are
// told here as by the gateway's log.
pub(super) fn is_plain_name(name: &str) -> bool {
    let digits = name.as_bytes().split(|b| !b.is_ascii_digit()).map(<[u8]>::len).max();
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && digits.unwrap_or(0) <= MAX_DIGITS
}

/// Whether `null` is allowed; a tree says so in ways no patch is proposed for.
fn allows_null(schema: &Schema) -> bool {
    let listed = schema.source.get("enum").and_then(Value::as_array);
    matches!(schema.kind, Kind::Tree)
        || schema.nullable && listed.is_none_or(|values| values.iter().any(Value::is_null))
}
