//! A file that passes as it is: a scan or a signed document that cannot be looked into.
//!
//! In: the types and the size that service and agreement allow, what the sender says it is, and
//! the bytes. Out: what evidence says of it (type, digest, length). Must never pass a text, or a
//! file whose bytes are not what the sender says.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use lienthong_model::{
    field::Pointer,
    mask::Mask,
    opaque::OpaqueType,
    schema::{Kind, Schema},
};

use crate::{
    Bounds, Direction, Tally, ViewError, ViewProblem, Violation, ViolationKind,
    fingerprint::Fingerprint, header::HeaderValue,
};

mod recognise;

/// What evidence says of a file that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpaqueFile {
    /// Where it stood, as the schema names it; the root is a whole body.
    pub at: Pointer,
    /// What it is.
    pub media_type: OpaqueType,
    /// SHA-256 of its bytes.
    pub sha256: [u8; 32],
    /// How many there are.
    pub bytes: u64,
}

/// The files that may leave as one body, or as one part of one.
#[derive(Debug)]
pub struct OpaqueView {
    at: Pointer,
    types: Vec<OpaqueType>,
    max_bytes: usize,
    passage: Passage,
    hash: [u8; 32],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Passes,
    /// A request is refused when it is not what it says it is all the same.
    Withheld,
    /// Not looked at.
    Dropped,
}

impl OpaqueView {
    /// Compiles a whole body that is a file, with the terms that `masks` has for it.
    ///
    /// # Errors
    /// When it is no file, or does not pass on terms: then the status or body is to be left out.
    pub fn compile(
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        direction: Direction,
        bounds: Bounds,
    ) -> Result<Self, Vec<ViewError>> {
        let mut errors = Vec::new();
        crate::view::check_names(schema, masks, &mut errors);
        match Self::compile_at(schema, Pointer::root(), masks, direction, bounds) {
            Ok(view) if view.emits() && errors.is_empty() => return Ok(view),
            Ok(view) if errors.is_empty() => {
                errors.push(ViewError { at: view.at, problem: ViewProblem::NothingPasses });
            }
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
        Err(errors)
    }

    /// Compiles the file that stands at `at`, which may be withheld.
    pub(crate) fn compile_at(
        schema: &Schema,
        at: Pointer,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        direction: Direction,
        bounds: Bounds,
    ) -> Result<Self, ViewError> {
        let fail = |problem| ViewError { at: at.clone(), problem };
        let Kind::Opaque(types) = &schema.kind else { return Err(fail(ViewProblem::NoFile)) };
        let withheld = match direction {
            Direction::Request => Passage::Withheld,
            Direction::Answer => Passage::Dropped,
        };
        let (passage, max_bytes) = match masks.get(&at) {
            None | Some(Some(Mask::Drop)) => (withheld, bounds.max_bytes),
            Some(Some(Mask::Opaque(terms))) => {
                let most = usize::try_from(terms.bytes).unwrap_or(usize::MAX);
                (Passage::Passes, most.min(bounds.max_bytes))
            }
            Some(None) => return Err(fail(ViewProblem::NoTerms)),
            Some(Some(mask)) => {
                return Err(fail(mask.fits(schema).err().map_or(ViewProblem::NoTerms, Into::into)));
            }
        };
        let mut hash = Fingerprint::new("opaque");
        hash.direction(direction).bounds(bounds).schema(schema).text(&at.to_string()).masks(masks);
        let types = types.iter().copied().collect();
        Ok(Self { at, types, max_bytes, passage, hash: hash.finish() })
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The types that may leave.
    #[must_use]
    pub fn types(&self) -> &[OpaqueType] {
        &self.types
    }

    /// Most bytes of a file that may leave.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(crate) fn emits(&self) -> bool {
        self.passage == Passage::Passes
    }

    /// Looks at a body that says it is of `content_type`; it may leave as it is, as a body of the
    /// type that is given, when it passes.
    ///
    /// # Errors
    /// When it is too large, of another type than may leave, or not what it says it is.
    pub fn disclose(
        &self,
        content_type: &str,
        body: &[u8],
    ) -> Result<(OpaqueType, Tally), Violation> {
        let mut tally = Tally::default();
        let passed = self.look(Some(content_type), body, &mut tally)?;
        let withheld = Violation { kind: ViolationKind::MediaType, at: self.at.clone() };
        passed.map(|media_type| (media_type, tally)).ok_or(withheld)
    }

    /// Looks at a file; gives its type, unless it is withheld.
    pub(crate) fn look(
        &self,
        content_type: Option<&str>,
        bytes: &[u8],
        tally: &mut Tally,
    ) -> Result<Option<OpaqueType>, Violation> {
        let fail = |kind| Violation { kind, at: self.at.clone() };
        if self.passage == Passage::Dropped {
            tally.dropped = tally.dropped.saturating_add(1);
            return Ok(None);
        }
        if bytes.len() > self.max_bytes {
            return Err(fail(ViolationKind::TooLarge));
        }
        let says = content_type.and_then(|text| HeaderValue::read(text).ok());
        let says = says.and_then(|value| OpaqueType::from_media_type(value.first));
        let says = says.filter(|one| self.types.contains(one));
        let is = says.filter(|says| recognise::recognise(bytes).is_some_and(|is| is.is(*says)));
        let Some(media_type) = is else { return Err(fail(ViolationKind::MediaType)) };
        if self.passage == Passage::Withheld {
            tally.dropped = tally.dropped.saturating_add(1);
            return Ok(None);
        }
        tally.disclosed = tally.disclosed.saturating_add(1);
        let mut sha256 = [0; 32];
        for (to, from) in sha256.iter_mut().zip(digest(&SHA256, bytes).as_ref()) {
            *to = *from;
        }
        let bytes = bytes.len() as u64;
        tally.opaque.push(OpaqueFile { at: self.at.clone(), media_type, sha256, bytes });
        Ok(Some(media_type))
    }
}

#[cfg(test)]
mod tests;
