//! A hash of what decides a disclosure, so that evidence can name it.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use lienthong_model::{
    field::Pointer,
    mask::{Generalisation, Mask},
    schema::Schema,
};
use serde_json::Value;

use crate::{Bounds, Direction};

/// Hashes a list of parts, each behind its length so that no two lists collide.
pub(crate) struct Fingerprint(Context);

impl Fingerprint {
    pub(crate) fn new(of: &str) -> Self {
        let mut fingerprint = Self(Context::new(&SHA256));
        fingerprint.text("lienthong disclosure v1").text(of);
        fingerprint
    }

    pub(crate) fn text(&mut self, part: &str) -> &mut Self {
        self.0.update(&(part.len() as u64).to_be_bytes());
        self.0.update(part.as_bytes());
        self
    }

    pub(crate) fn direction(&mut self, direction: Direction) -> &mut Self {
        self.text(match direction {
            Direction::Request => "request",
            Direction::Answer => "answer",
        })
    }

    pub(crate) fn bounds(&mut self, bounds: Bounds) -> &mut Self {
        self.text(&bounds.max_bytes.to_string()).text(&bounds.max_depth.to_string())
    }

    pub(crate) fn schema(&mut self, schema: &Schema) -> &mut Self {
        let mut text = String::new();
        canonical(&schema.source, &mut text);
        self.text(&text)
    }

    pub(crate) fn mask(&mut self, mask: Option<&Mask>) -> &mut Self {
        let Some(mask) = mask else { return self.text("pass") };
        self.text(mask.name());
        match mask {
            Mask::KeepFirst(n) | Mask::KeepLast(n) => self.text(&n.to_string()),
            Mask::Generalise(Generalisation::Year) => self.text("year"),
            Mask::Generalise(Generalisation::Month) => self.text("month"),
            Mask::Generalise(Generalisation::Province) => self.text("province"),
            Mask::Generalise(Generalisation::Bands(bounds)) => self.text(&format!("{bounds:?}")),
            Mask::Opaque(terms) => self.text(&terms.article).text(&terms.bytes.to_string()),
            Mask::Drop | Mask::Redact | Mask::Pseudonymise | Mask::Null => self.text(""),
        }
    }

    pub(crate) fn masks(&mut self, masks: &BTreeMap<Pointer, Option<Mask>>) -> &mut Self {
        for (pointer, mask) in masks {
            self.text(&pointer.to_string()).mask(mask.as_ref());
        }
        self
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        let digest = self.0.finish();
        let mut hash = [0; 32];
        for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        hash
    }
}

/// Appends `value` as JSON with the keys of each object sorted.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in members {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}
