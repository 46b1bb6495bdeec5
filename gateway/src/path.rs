//! Request targets, decoded once.
//!
//! Takes the raw path and query of a request; gives decoded segments and pairs, or a refusal for
//! anything two readers could understand differently. What is compared and what is sent to a
//! provider is always the decoded form, encoded anew; the consumer's spelling goes no further.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Longest path and query together, in bytes.
pub const MAX_TARGET: usize = 8192;
/// Most segments of a path.
pub const MAX_SEGMENTS: usize = 64;
/// Most parameters of a query.
pub const MAX_PARAMETERS: usize = 64;

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer, or of more parts, than is read.
    #[error("target is too long")]
    TooLong,
    /// A `.` or `..` segment, an empty segment, or no leading slash.
    #[error("path has an empty or dot segment")]
    Segment,
    /// A slash, backslash or control character that is encoded, or a backslash as it is.
    #[error("path hides a separator or control character")]
    Separator,
    /// A percent sign without two digits, or one that is left after decoding.
    #[error("percent-encoding is broken or doubled")]
    Encoding,
    /// Bytes that are not UTF-8, overlong forms among them.
    #[error("target is not utf-8")]
    Utf8,
}

/// A decoded path: its segments with a slash between them, and none before the first. No segment
/// holds a slash, so the text tells them apart.
///
/// # Errors
/// When the path is ambiguous.
pub fn decoded(path: &str) -> Result<String, PathError> {
    if path.len() > MAX_TARGET {
        return Err(PathError::TooLong);
    }
    let rest = path.strip_prefix('/').ok_or(PathError::Segment)?;
    // PERF: one text, not one for each segment.
    let mut decoded = String::with_capacity(rest.len());
    for (index, raw) in rest.split('/').enumerate() {
        if index == MAX_SEGMENTS {
            return Err(PathError::TooLong);
        }
        if index > 0 {
            decoded.push('/');
        }
        let segment = decode(raw, false)?;
        if matches!(segment.as_ref(), "" | "." | "..") {
            return Err(PathError::Segment);
        }
        if has_any(&segment, |c| matches!(c, '/' | '\\') || c.is_control()) {
            return Err(PathError::Separator);
        }
        decoded.push_str(&segment);
    }
    Ok(decoded)
}

/// The decoded segments of a path.
///
/// # Errors
/// When the path is ambiguous.
pub fn segments(path: &str) -> Result<Vec<String>, PathError> {
    Ok(decoded(path)?.split('/').map(str::to_owned).collect())
}

/// Names with their values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs {
    /// PERF: one text for all of them.
    text: String,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl Pairs {
    /// Each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |(name, value)| {
            let of = |from, to| self.text.get(from..to).unwrap_or_default();
            let pair = (of(start, *name), of(*name, *value));
            start = *value;
            pair
        })
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let end = self.text.len();
        self.text.push_str(value);
        self.ends.push((end, self.text.len()));
    }
}

/// The decoded pairs of a query (`application/x-www-form-urlencoded`), in order.
///
/// # Errors
/// When the query is ambiguous.
pub fn query(query: &str) -> Result<Pairs, PathError> {
    if query.len() > MAX_TARGET {
        return Err(PathError::TooLong);
    }
    let mut pairs = Pairs::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        if pairs.ends.len() == MAX_PARAMETERS {
            return Err(PathError::TooLong);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name, true)?, decode(value, true)?);
        if has_any(&name, char::is_control) || has_any(&value, char::is_control) {
            return Err(PathError::Separator);
        }
        if pairs.is_empty() {
            pairs.text.reserve(query.len());
        }
        pairs.push(&name, &value);
    }
    Ok(pairs)
}

/// Decodes once; what is borrowed is graphic ASCII without slash or backslash, save of a query, where
/// a slash means nothing. SECURITY: a text that would decode a second time is refused, so that no reader
/// behind the gateway can be made to see another path than the one that was decided on.
fn decode(raw: &str, plus_is_space: bool) -> Result<Cow<'_, str>, PathError> {
    if raw.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'%' | b'+' | b'\\')) {
        return Ok(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut input = raw.bytes();
    while let Some(byte) = input.next() {
        match byte {
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                let high = digit(input.next()).ok_or(PathError::Encoding)?;
                let low = digit(input.next()).ok_or(PathError::Encoding)?;
                bytes.push(u8::try_from(high * 16 + low).map_err(|_| PathError::Encoding)?);
            }
            b'+' if plus_is_space => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| PathError::Utf8)?;
    if decodes_again(&text) { Err(PathError::Encoding) } else { Ok(Cow::Owned(text)) }
}

/// Whether a decoded text has an unwanted character: a control character, slash or backslash.
/// PERF: what is borrowed has none of them.
#[expect(clippy::ptr_arg, reason = "what is borrowed is told from what is owned")]
fn has_any(text: &Cow<'_, str>, unwanted: impl Fn(char) -> bool) -> bool {
    matches!(text, Cow::Owned(text) if text.chars().any(unwanted))
}

fn decodes_again(text: &str) -> bool {
    text.as_bytes().windows(3).any(
        |window| matches!(window, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit()),
    )
}

/// Adds one segment, name or value to a provider's address, encoded.
pub fn encode_into(address: &mut String, text: &str) {
    address.extend(utf8_percent_encode(text, RESERVED));
}

/// Encodes one segment, name or value for a provider.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests;
