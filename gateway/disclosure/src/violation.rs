//! What came of a body: the counts of a disclosure, or why there is none.
//!
//! Everything here may be logged. A pointer names schema properties only; the one exception is the
//! name of an undeclared field in an answer, kept short and in a narrow alphabet.

use std::fmt;

use lienthong_model::{field::Pointer, mask::MaskError};

use crate::OpaqueFile;

/// Most names of undeclared fields kept.
const MAX_DRIFT: usize = 8;
/// Longest name of an undeclared field kept, in bytes.
const MAX_DRIFT_NAME: usize = 64;
/// Longest run of digits in such a name: a longer one may be an identifier of a person.
const MAX_DRIFT_DIGITS: usize = 4;

/// What a body disclosed, counted in leaves. A leaf below an array counts once per element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Leaves that passed as they were.
    pub disclosed: u32,
    /// Leaves that passed masked, constants and `null` among them.
    pub masked: u32,
    /// Declared leaves that were present and did not pass; objects and arrays that hold nothing among
    /// them.
    pub dropped: u32,
    /// Members that the schema does not declare (answers only: a request with one is refused).
    pub undeclared: u32,
    /// Where the first few undeclared members stood. A name that is long, or could be more than a
    /// name, is `?`.
    pub drift: Vec<Pointer>,
    /// The files that passed, each one of the leaves that passed as they were.
    pub opaque: Vec<OpaqueFile>,
}

impl Tally {
    /// Adds what another part of the message disclosed.
    pub fn add(&mut self, part: Self) {
        self.disclosed = self.disclosed.saturating_add(part.disclosed);
        self.masked = self.masked.saturating_add(part.masked);
        self.dropped = self.dropped.saturating_add(part.dropped);
        self.undeclared = self.undeclared.saturating_add(part.undeclared);
        self.opaque.extend(part.opaque);
        for at in part.drift {
            if self.drift.len() < MAX_DRIFT && !self.drift.contains(&at) {
                self.drift.push(at);
            }
        }
    }

    /// Counts an undeclared member `name` of the object at `parent`.
    pub(crate) fn note_undeclared(&mut self, parent: &Pointer, name: &str) {
        self.undeclared = self.undeclared.saturating_add(1);
        if self.drift.len() >= MAX_DRIFT {
            return;
        }
        let at = parent.child(if is_plain_name(name) { name } else { "?" });
        if !self.drift.contains(&at) {
            self.drift.push(at);
        }
    }
}

/// Whether an undeclared name looks like a name and not like data.
fn is_plain_name(name: &str) -> bool {
    // SECURITY: the name is the provider's, and maps keyed by an identifier exist.
    let digits = name.as_bytes().split(|b| !b.is_ascii_digit()).map(<[u8]>::len).max();
    (1..=MAX_DRIFT_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        && digits.unwrap_or(0) <= MAX_DRIFT_DIGITS
}

/// Why a body does not pass.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at `{at}`")]
pub struct Violation {
    /// What is wrong.
    pub kind: ViolationKind,
    /// The nearest place that the schema names. Of a parameter: its place and name.
    pub at: Pointer,
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViolationKind {
    /// More bytes than the bounds allow, in or out.
    TooLarge,
    /// Nested deeper than the bounds allow.
    TooDeep,
    /// Not UTF-8.
    InvalidUtf8,
    /// Not of its syntax: JSON (RFC 8259; a number beyond the range of a double too), a form, parts.
    Malformed,
    /// A key stands twice in one object.
    DuplicateKey,
    /// A member or parameter that the schema does not declare.
    Undeclared,
    /// A value breaks this keyword of its schema.
    Schema {
        /// The JSON Schema keyword.
        keyword: &'static str,
    },
    /// A masked value that the provider's schema does not allow.
    Unfulfillable,
    /// A part or file is not of the media type it must have, or not what it says it is.
    MediaType,
}

impl fmt::Display for ViolationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLarge => "too large",
            Self::TooDeep => "nested too deep",
            Self::InvalidUtf8 => "not UTF-8",
            Self::Malformed => "malformed",
            Self::DuplicateKey => "duplicate key",
            Self::Undeclared => "undeclared field",
            Self::Schema { keyword } => return write!(f, "`{keyword}` does not hold"),
            Self::MediaType => "wrong media type",
            Self::Unfulfillable => "masked value does not satisfy the provider's schema",
        })
    }
}

/// Why a schema and its masks cannot become a view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem} at `{at}`")]
pub struct ViewError {
    /// The field. Of a parameter: its place and name.
    pub at: Pointer,
    /// What is wrong.
    pub problem: ViewProblem,
}

/// What is wrong with a field of a view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ViewProblem {
    /// The schema has no such field.
    #[error("no such field")]
    UnknownField,
    /// The pointer names an object or an array.
    #[error("not a leaf: name the fields below it")]
    NotALeaf,
    /// The body is one value, and it is withheld.
    #[error("nothing of the body passes: leave the body or status out instead")]
    NothingPasses,
    /// The mask does not fit the field.
    #[error(transparent)]
    Mask(#[from] MaskError),
    /// The provider requires a field that is withheld.
    #[error("the provider requires this field, and the agreement withholds it")]
    RequiredWithheld,
    /// No value under this mask satisfies the provider's schema.
    #[error("mask `{0}` gives values that the provider's schema never allows")]
    NeverFulfilled(&'static str),
    /// The pattern cannot be compiled.
    #[error("`pattern` is not a regular expression of the linear-time kind")]
    Pattern,
    /// The schema of a value checked as a whole cannot be compiled.
    #[error("schema cannot be used: {0}")]
    Tree(String),
    /// The schema is nested deeper than the bounds allow.
    #[error("schema is nested deeper than the depth bound")]
    TooDeep,
    /// The place of a stream's elements is not an array.
    #[error("not an array: its elements cannot be streamed")]
    NotAnArray,
    /// The array of a stream stands inside another.
    #[error("inside another array: its elements cannot be streamed")]
    InsideAnArray,
    /// A keyword at or around the array of a stream needs all of it.
    #[error("`{0}` needs the whole value: it cannot be checked element by element")]
    NeedsWholeValue(String),
    /// The name of the line that says a stream of lines is complete.
    #[error("`{0}` is the name of the line that ends a complete stream")]
    ReservedName(&'static str),
    /// A file stands inside a document.
    #[error("a file must be a whole body or a part of its own")]
    Opaque,
    /// A parameter is declared twice.
    #[error("declared twice")]
    DeclaredTwice,
    /// The type of a parameter or of a field of a form cannot be written as text.
    #[error("must be a text, integer, number, boolean, or an array of these")]
    NotAText,
    /// The schema of a form is not an object of its fields.
    #[error("a form is an object whose properties are its fields")]
    NotAForm,
    /// The schema of a body in parts is not an object of them.
    #[error("a body in parts is an object whose properties are the parts")]
    NotParts,
    /// The name of a part cannot be written in a header.
    #[error("a part's name must be letters, digits, `-`, `_`, `.`, `[` and `]`, at most 64")]
    PartName,
    /// The schema of a file is not one.
    #[error("not a file")]
    NoFile,
    /// A file is to pass without terms.
    #[error("a file passes only as `opaque`, with its article and size")]
    NoTerms,
}
