//! What becomes of a text, by the rule of its column.

use std::borrow::Cow;

use super::{
    Detected, LegacyEncoding, decode, decode_bytes, detect, detect_bytes, reads_as_it_stands,
};

/// A text as its source gives it.
#[derive(Clone, Copy)]
pub enum Raw<'a> {
    /// Decoded by the source, rightly or as Windows-1252.
    Text(&'a str),
    /// Not decoded.
    Bytes(&'a [u8]),
}

/// The rule of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextEncoding {
    /// Unicode; what surely is of an old font is refused.
    #[default]
    Refused,
    /// Unicode, whatever it looks like.
    Unicode,
    /// Of this old font, all of it.
    Known(LegacyEncoding),
    /// Mixed: what surely is of an old font is converted.
    Detected,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// Nothing: it was Unicode.
    None,
    /// It was converted.
    From(LegacyEncoding),
    /// Nothing, although it could be of an old font.
    Unclear,
}

/// A text in Unicode and what was done for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Converted<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// What was done.
    pub conversion: Conversion,
}

/// Why a text cannot be taken. Reads on after the name of a field, and holds no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct ConversionError {
    /// What is wrong.
    pub rule: &'static str,
}

/// The text in Unicode, by the rule.
///
/// # Errors
/// When the rule does not fit the text.
pub fn to_unicode(raw: Raw<'_>, rule: TextEncoding) -> Result<Converted<'_>, ConversionError> {
    let (is_ascii, utf8) = match raw {
        Raw::Text(text) => (text.is_ascii(), Some(text)),
        Raw::Bytes(bytes) => (bytes.is_ascii(), std::str::from_utf8(bytes).ok()),
    };
    let as_it_stands = |conversion| {
        let error = ConversionError { rule: "is not text in UTF-8" };
        Ok(Converted { text: Cow::Borrowed(utf8.ok_or(error)?), conversion })
    };
    if is_ascii {
        return as_it_stands(Conversion::None);
    }
    let converted = |encoding| {
        let text = match raw {
            Raw::Text(text) => decode(encoding, text),
            Raw::Bytes(bytes) => decode_bytes(encoding, bytes),
        };
        let text = text.ok_or_else(|| ConversionError { rule: not_in(encoding) })?;
        Ok(Converted { text: Cow::Owned(text), conversion: Conversion::From(encoding) })
    };
    let detected = || match raw {
        Raw::Text(text) => detect(text),
        Raw::Bytes(bytes) => detect_bytes(bytes),
    };
    match rule {
        TextEncoding::Unicode => as_it_stands(Conversion::None),
        TextEncoding::Known(encoding) => converted(encoding),
        TextEncoding::Detected => match detected() {
            Detected::Unicode => as_it_stands(Conversion::None),
            Detected::Legacy(encoding) => converted(encoding),
            Detected::Ambiguous | Detected::Foreign => as_it_stands(Conversion::Unclear),
            Detected::Garbled => Err(ConversionError { rule: "is text in no known encoding" }),
        },
        // Most texts here are Unicode; reading them as anything else can only confirm it.
        TextEncoding::Refused if utf8.is_some_and(reads_as_it_stands) => {
            as_it_stands(Conversion::None)
        }
        TextEncoding::Refused => match detected() {
            Detected::Legacy(encoding) => Err(ConversionError { rule: looks_like(encoding) }),
            Detected::Garbled => Err(ConversionError { rule: "is text in no known encoding" }),
            _ => as_it_stands(Conversion::None),
        },
    }
}

fn not_in(encoding: LegacyEncoding) -> &'static str {
    match encoding {
        LegacyEncoding::Tcvn3 => "is not text in TCVN3",
        LegacyEncoding::Vni => "is not text in VNI",
    }
}

fn looks_like(encoding: LegacyEncoding) -> &'static str {
    match encoding {
        LegacyEncoding::Tcvn3 => "is text in TCVN3, which no rule says",
        LegacyEncoding::Vni => "is text in VNI, which no rule says",
    }
}
