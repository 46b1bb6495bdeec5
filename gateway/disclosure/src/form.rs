//! What may leave of a body of `application/x-www-form-urlencoded`.
//!
//! In: a schema (an object of texts, numbers, booleans and arrays of these) and masks, and the bytes
//! of a body. Out: the disclosed fields, encoded anew as the URL Standard serialises them. Reads
//! more strictly than that standard parses: what two readers could take for different fields is
//! refused. Must never pass a field that the view does not name.

use std::{borrow::Cow, collections::BTreeMap};

use form_urlencoded::byte_serialize;
use lienthong_model::{
    field::Pointer,
    mask::Mask,
    schema::{Kind, Schema},
};

use crate::{
    Bounds, Direction, Pseudonymiser, Tally, ViewError, ViewProblem, Violation, ViolationKind,
    fingerprint::Fingerprint,
    text_field::{TextField, TextFieldRule, Times},
    view::check_names,
    walk::GROWTH,
    write::{self, Members},
};

/// What may leave of one form in one direction, compiled.
#[derive(Debug)]
pub struct FormView {
    fields: BTreeMap<String, TextField>,
    direction: Direction,
    max_bytes: usize,
    hash: [u8; 32],
}

impl FormView {
    /// Compiles `schema` with `masks`, as [`crate::View::compile`] does.
    ///
    /// # Errors
    /// All fields that a form cannot hold, and those that a view of JSON could not be compiled for.
    pub fn compile(
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        direction: Direction,
        bounds: Bounds,
    ) -> Result<Self, Vec<ViewError>> {
        let Kind::Object(rules) = &schema.kind else {
            return Err(vec![ViewError { at: Pointer::root(), problem: ViewProblem::NotAForm }]);
        };
        let mut fields = BTreeMap::new();
        let mut errors = Vec::new();
        for (name, schema) in &rules.properties {
            let at = Pointer::root().child(name);
            let (at, times) = match &schema.kind {
                Kind::Array(_) => (at.child("*"), Times::Repeated),
                _ => (at, Times::Once),
            };
            let (mask, required) = (masks.get(&at), rules.required.contains(name));
            let rule = TextFieldRule { at, schema, mask, required, times, direction };
            match TextField::compile(rule) {
                Ok(field) => drop(fields.insert(name.clone(), field)),
                Err(error) => errors.push(error),
            }
        }
        check_names(schema, masks, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut hash = Fingerprint::new("form");
        hash.direction(direction).bounds(bounds).schema(schema).masks(masks);
        Ok(Self { fields, direction, max_bytes: bounds.max_bytes, hash: hash.finish() })
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Appends the disclosed part of `body` to `out`, which is left as it was on a violation.
    ///
    /// # Errors
    /// When the body is not a form within the bounds, breaks the schema where it counts, or holds
    /// a value that cannot be masked.
    pub fn disclose(
        &self,
        body: &[u8],
        pseudonyms: &Pseudonymiser,
        out: &mut Vec<u8>,
    ) -> Result<Tally, Violation> {
        let before = out.len();
        let outcome = self.fields(body, pseudonyms, out);
        if outcome.is_err() {
            out.truncate(before);
        }
        outcome
    }

    /// The declared fields of a body that was disclosed, as one JSON object of texts; whoever looks
    /// for a field finds it where the schema has it. None when it cannot be read.
    #[must_use]
    pub fn to_json(&self, body: &[u8]) -> Option<Vec<u8>> {
        let text = str::from_utf8(body).ok()?;
        let mut members = Members::default();
        for pair in text.split('&').filter(|_| !text.is_empty()) {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (decode(name).ok()?, decode(value).ok()?);
            let Some((key, field)) = self.fields.get_key_value(&*name) else { continue };
            let mut json = Vec::new();
            write::string(&value, &mut json);
            members.add(key, field.times, &json);
        }
        Some(members.finish())
    }

    fn fields(
        &self,
        body: &[u8],
        pseudonyms: &Pseudonymiser,
        out: &mut Vec<u8>,
    ) -> Result<Tally, Violation> {
        let whole = |kind| Violation { kind, at: Pointer::root() };
        if body.len() > self.max_bytes {
            return Err(whole(ViolationKind::TooLarge));
        }
        let text = str::from_utf8(body).map_err(|_| whole(ViolationKind::InvalidUtf8))?;
        let before = out.len();
        let limit = before.saturating_add(self.max_bytes).saturating_add(GROWTH);
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut tally = Tally::default();
        for pair in text.split('&').filter(|_| !text.is_empty()) {
            let (name, value) =
                pair.split_once('=').ok_or_else(|| whole(ViolationKind::Malformed))?;
            let (name, value) = (decode(name).map_err(whole)?, decode(value).map_err(whole)?);
            let Some((key, field)) = self.fields.get_key_value(&*name) else {
                if self.direction == Direction::Request {
                    return Err(whole(ViolationKind::Undeclared));
                }
                tally.note_undeclared(&Pointer::root(), &name);
                continue;
            };
            let count = counts.entry(key).or_default();
            *count += 1;
            let value = field
                .value(&value, *count, pseudonyms, &mut tally)
                .map_err(|kind| Violation { kind, at: field.at.clone() })?;
            let Some(value) = value else { continue };
            if out.len() > before {
                out.push(b'&');
            }
            encode(key, out);
            out.push(b'=');
            encode(&value, out);
            if out.len() > limit {
                return Err(whole(ViolationKind::TooLarge));
            }
        }
        self.check_counts(&counts)?;
        Ok(tally)
    }

    fn check_counts(&self, counts: &BTreeMap<&str, u64>) -> Result<(), Violation> {
        for (name, field) in &self.fields {
            let count = counts.get(name.as_str()).copied().unwrap_or(0);
            if let Some(keyword) = field.missing(count) {
                let kind = ViolationKind::Schema { keyword };
                return Err(Violation { kind, at: field.at.clone() });
            }
        }
        Ok(())
    }
}

/// The text of an encoded name or value.
fn decode(encoded: &str) -> Result<Cow<'_, str>, ViolationKind> {
    if encoded.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Err(ViolationKind::Malformed);
    }
    if !encoded.contains(['%', '+']) {
        return Ok(Cow::Borrowed(encoded));
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
                let value = digit().zip(digit()).map(|(high, low)| high << 4 | low);
                let value = value.and_then(|value| u8::try_from(value).ok());
                value.ok_or(ViolationKind::Malformed)?
            }
            plain => plain,
        });
    }
    // SECURITY: software that ends a text at NUL would read another value than was checked.
    if bytes.contains(&0) {
        return Err(ViolationKind::Malformed);
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| ViolationKind::InvalidUtf8)
}

fn encode(text: &str, out: &mut Vec<u8>) {
    for piece in byte_serialize(text.as_bytes()) {
        out.extend_from_slice(piece.as_bytes());
    }
}

#[cfg(test)]
mod tests;
