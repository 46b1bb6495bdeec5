//! What may pass of one whole body, whatever its medium.
//!
//! Takes a declared medium, its schema and masks, once a load; then bodies with the type that their
//! sender gives them. Gives what may leave and the type it leaves with. Must never let a body pass
//! as a medium other than the declared one.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use http::HeaderValue;
use lienthong_disclosure::{
    Bounds, Direction, FormView, MultipartView, OpaqueView, Pseudonymiser, Tally, View, ViewError,
    Violation, ViolationKind,
};
use lienthong_model::{
    field::Pointer,
    mask::Mask,
    schema::{Kind, Schema},
};
use lienthong_policy::{Media, Operation};

/// What may pass of one whole body, compiled.
#[derive(Debug)]
pub enum BodyView {
    /// JSON.
    Json(View),
    /// Flat fields.
    Form(FormView),
    /// Parts.
    Multipart(MultipartView),
    /// A file.
    Opaque(OpaqueView),
}

/// A body as it goes on.
pub struct Passed {
    /// The body.
    pub body: Bytes,
    /// Its type, with parameters.
    pub content_type: HeaderValue,
    /// What passed.
    pub tally: Tally,
}

impl std::fmt::Debug for Passed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passed").field("tally", &self.tally).finish_non_exhaustive()
    }
}

impl BodyView {
    /// Compiles what of a body of `media` passes.
    ///
    /// # Errors
    /// Every field that does not compile.
    pub fn compile(
        media: Media,
        schema: &Schema,
        masks: &BTreeMap<Pointer, Option<Mask>>,
        (direction, bounds): (Direction, Bounds),
    ) -> Result<Self, Vec<ViewError>> {
        match media {
            // Of lines one at a time is looked at: as a whole they are no body.
            Media::Json | Media::Ndjson => {
                View::compile(schema, masks, direction, bounds).map(Self::Json)
            }
            Media::Form => FormView::compile(schema, masks, direction, bounds).map(Self::Form),
            Media::Multipart => {
                MultipartView::compile(schema, masks, direction, bounds).map(Self::Multipart)
            }
            Media::Opaque => {
                OpaqueView::compile(schema, masks, direction, bounds).map(Self::Opaque)
            }
        }
    }

    /// What of `body` passes, which says that it is of `content_type`.
    ///
    /// # Errors
    /// When it is not what the view says it must be.
    pub fn disclose(
        &self,
        content_type: Option<&HeaderValue>,
        body: &Bytes,
        pseudonyms: &Pseudonymiser,
    ) -> Result<Passed, Violation> {
        let unknown = || Violation { kind: ViolationKind::MediaType, at: Pointer::root() };
        let named = content_type.and_then(|value| value.to_str().ok());
        let mut out = Vec::new();
        let (content_type, tally) = match self {
            Self::Json(view) => {
                out.reserve(body.len());
                let tally = view.disclose(body, pseudonyms, &mut out)?;
                (HeaderValue::from_static("application/json"), tally)
            }
            Self::Form(view) => {
                let tally = view.disclose(body, pseudonyms, &mut out)?;
                (HeaderValue::from_static("application/x-www-form-urlencoded"), tally)
            }
            Self::Multipart(view) => {
                let named = named.ok_or_else(unknown)?;
                let (content_type, tally) = view.disclose(named, body, pseudonyms, &mut out)?;
                (HeaderValue::from_str(&content_type).map_err(|_| unknown())?, tally)
            }
            Self::Opaque(view) => {
                let (content_type, tally) = view.disclose(named.ok_or_else(unknown)?, body)?;
                let content_type = HeaderValue::from_static(content_type.media_type());
                return Ok(Passed { body: body.clone(), content_type, tally });
            }
        };
        Ok(Passed { body: Bytes::from(out), content_type, tally })
    }

    /// A hash of everything that decides what may leave.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        match self {
            Self::Json(view) => view.hash(),
            Self::Form(view) => view.hash(),
            Self::Multipart(view) => view.hash(),
            Self::Opaque(view) => view.hash(),
        }
    }

    /// The fields of a body that was disclosed, as JSON; none when it has no fields to find.
    #[must_use]
    pub fn fields<'b>(
        &self,
        content_type: Option<&HeaderValue>,
        body: &'b [u8],
    ) -> Option<Cow<'b, [u8]>> {
        match self {
            Self::Json(_) => Some(Cow::Borrowed(body)),
            Self::Form(view) => view.to_json(body).map(Cow::Owned),
            Self::Multipart(view) => {
                let named = content_type.and_then(|value| value.to_str().ok())?;
                view.to_json(named, body).map(Cow::Owned)
            }
            Self::Opaque(_) => Some(Cow::Borrowed(b"{}")),
        }
    }
}

/// Whether a `Content-Type` names `media`. The parameters of a body of parts, and the type of a
/// file, are for its view to judge.
#[must_use]
pub fn is_named(value: &HeaderValue, media: Media) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let Some(essence) = media.essence() else { return true };
    let mut parts = text.split(';').map(str::trim);
    let named = parts.next().unwrap_or_default().eq_ignore_ascii_case(essence);
    named
        && (media == Media::Multipart
            || parts.all(|part| {
                part.eq_ignore_ascii_case("charset=utf-8")
                    || part.eq_ignore_ascii_case("charset=\"utf-8\"")
            }))
}

/// What a provider may answer, as an `Accept` header; its refusals are JSON.
#[must_use]
pub fn accepted(operation: &Operation) -> HeaderValue {
    let mut names: Vec<&str> = Vec::new();
    for answer in operation.answers.values() {
        match answer.schema.as_ref().map(|schema| &schema.kind) {
            Some(Kind::Opaque(types)) => names.extend(types.iter().map(|one| one.media_type())),
            _ => names.extend(answer.media.essence()),
        }
    }
    names.retain(|name| *name != "application/json");
    names.sort_unstable();
    names.dedup();
    names.push("application/json");
    HeaderValue::from_str(&names.join(", "))
        .unwrap_or_else(|_| HeaderValue::from_static("application/json"))
}

#[cfg(test)]
mod tests;
