//! One declared part: what may stand in it, and what of it may leave.

use std::{borrow::Cow, collections::BTreeMap};

use lienthong_model::{
    field::Pointer,
    mask::Mask,
    opaque::OpaqueType,
    schema::{Kind, Schema},
};

use super::RawPart;
use crate::{
    Bounds, Direction, OpaqueView, Pseudonymiser, Tally, View, ViewError, ViewProblem, Violation,
    ViolationKind,
    header::HeaderValue,
    text_field::{TextField, TextFieldRule, Times},
    write,
};

/// Longest name of a part.
const MAX_NAME: usize = 64;

/// What may leave of the parts of one name.
#[derive(Debug)]
pub(super) struct PartView {
    at: Pointer,
    kind: PartKind,
    required: bool,
    min: u64,
    max: u64,
    checked: bool,
    pub(super) times: Times,
}

#[derive(Debug)]
enum PartKind {
    Text(TextField),
    Json(View),
    File(OpaqueView),
}

/// What all parts of a body are compiled with.
pub(super) type Terms<'a> = (&'a BTreeMap<Pointer, Option<Mask>>, Direction, Bounds);

/// A part as it goes on.
#[derive(Debug)]
pub(super) struct Sent<'b> {
    name: &'b str,
    contents: Cow<'b, [u8]>,
    kind: SentKind,
}

#[derive(Debug)]
enum SentKind {
    Text,
    Json,
    File(OpaqueType),
}

impl PartView {
    pub(super) fn compile(
        name: &str,
        schema: &Schema,
        required: bool,
        (masks, direction, bounds): Terms<'_>,
    ) -> Result<Self, Vec<ViewError>> {
        let at = Pointer::root().child(name);
        let fail = |problem| vec![ViewError { at: at.clone(), problem }];
        if !is_name(name) {
            return Err(fail(ViewProblem::PartName));
        }
        let (schema, of, min, max, times) = match &schema.kind {
            Kind::Array(rules) => {
                let max = rules.max_items.unwrap_or(u64::MAX);
                (&*rules.items, at.child("*"), rules.min_items, max, Times::Repeated)
            }
            _ => (schema, at.clone(), 1, 1, Times::Once),
        };
        let kind = match &schema.kind {
            Kind::Object(_) | Kind::Tree => {
                View::compile_part(schema, &of, masks, direction, bounds).map(PartKind::Json)?
            }
            Kind::Array(_) => return Err(fail(ViewProblem::NotAText)),
            Kind::Opaque(_) => OpaqueView::compile_at(schema, of, masks, direction, bounds)
                .map(PartKind::File)
                .map_err(|error| vec![error])?,
            _ => {
                let (mask, required, times) = (masks.get(&of), false, Times::Once);
                let rule = TextFieldRule { at: of, schema, mask, required, times, direction };
                TextField::compile(rule).map(PartKind::Text).map_err(|error| vec![error])?
            }
        };
        let checked = direction == Direction::Request || kind.passes();
        if required && checked && !kind.passes() {
            return Err(fail(ViewProblem::RequiredWithheld));
        }
        Ok(Self { at, kind, required: required && checked, min, max, checked, times })
    }

    /// The `count`th part of this name as it goes on; none when it is withheld.
    pub(super) fn disclose<'b>(
        &self,
        name: &'b str,
        part: &RawPart<'b>,
        count: u64,
        pseudonyms: &Pseudonymiser,
        tally: &mut Tally,
    ) -> Result<Option<Sent<'b>>, Violation> {
        let fail = |kind| Violation { kind, at: self.at.clone() };
        if count > self.max && (self.checked || self.max == 1) {
            let repeated = ViolationKind::Schema { keyword: "maxItems" };
            let kind = if self.max == 1 { ViolationKind::DuplicateKey } else { repeated };
            return Err(fail(kind));
        }
        match &self.kind {
            PartKind::File(view) => {
                let passed = view.look(part.content_type, part.contents, tally)?;
                Ok(passed.map(|media_type| {
                    let contents = Cow::Borrowed(part.contents);
                    Sent { name, contents, kind: SentKind::File(media_type) }
                }))
            }
            PartKind::Text(field) => {
                if !part.content_type.is_none_or(|text| is_utf8_of(text, "text/plain")) {
                    return Err(fail(ViolationKind::MediaType));
                }
                let value =
                    str::from_utf8(part.contents).map_err(|_| fail(ViolationKind::InvalidUtf8))?;
                // SECURITY: software that ends a text at NUL would read another value.
                if value.contains('\0') {
                    return Err(fail(ViolationKind::Malformed));
                }
                let value = field.value(value, 1, pseudonyms, tally).map_err(fail)?;
                let contents = value.map(|value| Cow::Owned(value.into_bytes()));
                Ok(contents.map(|contents| Sent { name, contents, kind: SentKind::Text }))
            }
            PartKind::Json(view) => {
                if !part.content_type.is_some_and(|text| is_utf8_of(text, "application/json")) {
                    return Err(fail(ViolationKind::MediaType));
                }
                let mut contents = Vec::new();
                let of_part = view.disclose(part.contents, pseudonyms, &mut contents)?;
                tally.add(of_part);
                let contents = view.emits().then_some(Cow::Owned(contents));
                Ok(contents.map(|contents| Sent { name, contents, kind: SentKind::Json }))
            }
        }
    }

    /// Appends the part as JSON; whether there is such a form of it.
    pub(super) fn write_json(&self, part: &RawPart<'_>, out: &mut Vec<u8>) -> bool {
        match (&self.kind, str::from_utf8(part.contents)) {
            (PartKind::Text(_), Ok(text)) => write::string(text, out),
            (PartKind::Json(_), Ok(text)) => out.extend_from_slice(text.as_bytes()),
            (PartKind::File(_), _) | (_, Err(_)) => return false,
        }
        true
    }

    /// Checks that there were `count` parts of this name.
    pub(super) fn check_count(&self, count: u64) -> Result<(), Violation> {
        let keyword = match count {
            0 if self.required => "required",
            1.. if self.checked && count < self.min => "minItems",
            _ => return Ok(()),
        };
        Err(Violation { kind: ViolationKind::Schema { keyword }, at: self.at.clone() })
    }
}

impl PartKind {
    fn passes(&self) -> bool {
        match self {
            Self::Text(field) => !field.is_withheld(),
            Self::Json(view) => view.emits(),
            Self::File(view) => view.emits(),
        }
    }
}

impl Sent<'_> {
    /// Its headers, all of them ours, and the empty line after them.
    pub(super) fn headers(&self) -> String {
        let name = self.name;
        let disposition = format!("Content-Disposition: form-data; name=\"{name}\"");
        match &self.kind {
            // Without a type: a text in UTF-8, which more software understands than is told so.
            SentKind::Text => format!("{disposition}\r\n\r\n"),
            SentKind::Json => format!("{disposition}\r\nContent-Type: application/json\r\n\r\n"),
            SentKind::File(media_type) => format!(
                "{disposition}; filename=\"part.{}\"\r\nContent-Type: {media_type}\r\n\r\n",
                media_type.extension()
            ),
        }
    }

    pub(super) fn contents(&self) -> &[u8] {
        &self.contents
    }
}

fn is_utf8_of(content_type: &str, name: &str) -> bool {
    HeaderValue::read(content_type).is_ok_and(|value| value.is_utf8_of(name))
}

/// Whether a name stands in a header as it is, for every reader the same.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.[]".contains(&b))
}
