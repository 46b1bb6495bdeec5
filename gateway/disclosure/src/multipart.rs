//! What may leave of a body of `multipart/form-data`.
//!
//! In: a schema whose properties are the parts (a text or number: a part of text; an object: a part
//! of JSON; a file: as it is; an array of one of these: parts of one name) and masks, and a whole
//! body. Out: the parts that may leave, in a body built anew, and what evidence says of its files.
//! Must never pass a part, a header or the name of a file that the view does not name.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{Context, SHA256};
use lienthong_model::{
    field::Pointer,
    mask::Mask,
    schema::{Kind, Schema},
};

use crate::{
    Bounds, Direction, Pseudonymiser, Tally, ViewError, ViewProblem, Violation, ViolationKind,
    fingerprint::Fingerprint, header::HeaderValue, view::check_names, write::Members,
};

use parts::RawPart;
use view::{PartView, Sent};

mod parts;
mod view;

/// What may leave of one body of parts in one direction, compiled.
#[derive(Debug)]
pub struct MultipartView {
    parts: BTreeMap<String, PartView>,
    direction: Direction,
    max_bytes: usize,
    hash: [u8; 32],
}

impl MultipartView {
    /// Compiles `schema` with `masks`, as [`crate::View::compile`] does. `bounds.max_bytes` bounds
    /// the whole body, and each part of it.
    ///
    /// # Errors
    /// All parts that cannot be compiled.
    pub fn compile(
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        direction: Direction,
        bounds: Bounds,
    ) -> Result<Self, Vec<ViewError>> {
        let Kind::Object(rules) = &schema.kind else {
            return Err(vec![ViewError { at: Pointer::root(), problem: ViewProblem::NotParts }]);
        };
        let (mut parts, mut errors) = (BTreeMap::new(), Vec::new());
        for (name, schema) in &rules.properties {
            let required = rules.required.contains(name);
            match PartView::compile(name, schema, required, (masks, direction, bounds)) {
                Ok(part) => drop(parts.insert(name.clone(), part)),
                Err(found) => errors.extend(found),
            }
        }
        check_names(schema, masks, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let mut hash = Fingerprint::new("multipart");
        hash.direction(direction).bounds(bounds).schema(schema).masks(masks);
        Ok(Self { parts, direction, max_bytes: bounds.max_bytes, hash: hash.finish() })
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// Appends a body of the disclosed parts of `body` to `out`, which is left as it was on a
    /// violation. `content_type` is that of `body`, with its boundary; that of the new body is
    /// given.
    ///
    /// # Errors
    /// When the body cannot be cut into parts within the bounds in one way only, lacks a part, or
    /// one of its parts does not pass.
    pub fn disclose(
        &self,
        content_type: &str,
        body: &[u8],
        pseudonyms: &Pseudonymiser,
        out: &mut Vec<u8>,
    ) -> Result<(String, Tally), Violation> {
        let whole = |kind| Violation { kind, at: Pointer::root() };
        let raw = self.cut(content_type, body).map_err(whole)?;
        let (mut tally, mut sent) = (Tally::default(), Vec::with_capacity(raw.len()));
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for part in &raw {
            let Some((name, view)) = self.parts.get_key_value(&part.name) else {
                if self.direction == Direction::Request {
                    return Err(whole(ViolationKind::Undeclared));
                }
                tally.note_undeclared(&Pointer::root(), &part.name);
                continue;
            };
            let count = counts.entry(name).or_default();
            *count += 1;
            sent.extend(view.disclose(name, part, *count, pseudonyms, &mut tally)?);
        }
        for (name, view) in &self.parts {
            view.check_count(counts.get(name.as_str()).copied().unwrap_or(0))?;
        }
        let boundary = write(&sent, out);
        Ok((format!("multipart/form-data; boundary={boundary}"), tally))
    }

    /// The declared texts and objects of a body that was disclosed, as one JSON object; whoever
    /// looks for a field finds it where the schema has it. None when it cannot be cut.
    #[must_use]
    pub fn to_json(&self, content_type: &str, body: &[u8]) -> Option<Vec<u8>> {
        let raw = self.cut(content_type, body).ok()?;
        let mut members = Members::default();
        for part in &raw {
            let Some((name, view)) = self.parts.get_key_value(&part.name) else { continue };
            let mut value = Vec::new();
            if view.write_json(part, &mut value) {
                members.add(name, view.times, &value);
            }
        }
        Some(members.finish())
    }

    fn cut<'b>(
        &self,
        content_type: &str,
        body: &'b [u8],
    ) -> Result<Vec<RawPart<'b>>, ViolationKind> {
        let value = HeaderValue::read(content_type).ok();
        let value = value.filter(|value| value.is("multipart/form-data"));
        let boundary = value.as_ref().filter(|value| value.has_only(&["boundary"]));
        let boundary = boundary.and_then(|value| value.parameter("boundary"));
        let boundary = boundary.filter(|text| parts::is_boundary(text));
        let boundary = boundary.ok_or(ViolationKind::MediaType)?;
        if body.len() > self.max_bytes {
            return Err(ViolationKind::TooLarge);
        }
        parts::cut(boundary, body)
    }
}

/// Appends a body of these parts; gives the boundary between them.
fn write(sent: &[Sent<'_>], out: &mut Vec<u8>) -> String {
    let boundary = boundary(sent);
    for part in sent {
        out.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        out.extend_from_slice(part.headers().as_bytes());
        out.extend_from_slice(part.contents());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    boundary
}

/// A boundary that occurs in no part: made from the contents, so that one body is one body again.
fn boundary(sent: &[Sent<'_>]) -> String {
    let mut context = Context::new(&SHA256);
    for part in sent {
        for text in [part.headers().as_bytes(), part.contents()] {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text);
        }
    }
    loop {
        let digest = context.clone().finish();
        let digits: String =
            digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let boundary = format!("lienthong-{digits}");
        let occurs =
            |part: &Sent<'_>| memchr::memmem::find(part.contents(), boundary.as_bytes()).is_some();
        if !sent.iter().any(occurs) {
            return boundary;
        }
        context.update(b"once more");
    }
}

#[cfg(test)]
mod tests;
