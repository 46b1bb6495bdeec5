//! The value of a header that names a media type or disposition, with parameters (RFC 9110
//! section 5.6.6, RFC 7578 section 4.2).
//!
//! Reads strictly: what two readers could take for different names is refused.

use std::borrow::Cow;

/// The value is not of its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// A value before its first `;`, and the parameters after it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HeaderValue<'h> {
    pub(crate) first: &'h str,
    parameters: Vec<(&'h str, Cow<'h, str>)>,
}

impl<'h> HeaderValue<'h> {
    pub(crate) fn read(text: &'h str) -> Result<Self, Unreadable> {
        if text.chars().any(char::is_control) {
            return Err(Unreadable);
        }
        let (first, mut rest) = split(text, ';');
        let first = first.trim_matches(' ');
        let mut parameters: Vec<(&str, Cow<'_, str>)> = Vec::new();
        while let Some(text) = rest {
            let (name, value) = text.split_once('=').ok_or(Unreadable)?;
            let name = name.trim_start_matches(' ');
            let (value, after) = match value.strip_prefix('"') {
                Some(quoted) => read_quoted(quoted)?,
                None => {
                    let (value, after) = split(value, ';');
                    let value = value.trim_end_matches(' ');
                    (is_token(value).then_some(Cow::Borrowed(value)).ok_or(Unreadable)?, after)
                }
            };
            let twice = parameters.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
            if twice || !is_token(name) {
                return Err(Unreadable);
            }
            parameters.push((name, value));
            rest = after;
        }
        let good = first.split('/').all(is_token) && first.matches('/').count() < 2;
        good.then_some(Self { first, parameters }).ok_or(Unreadable)
    }

    /// Whether the value before the first `;` is `name`, in any case.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.first.eq_ignore_ascii_case(name)
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut all = self.parameters.iter();
        all.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_ref())
    }

    /// Whether no parameter but these stands.
    pub(crate) fn has_only(&self, names: &[&str]) -> bool {
        let is_known = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        self.parameters.iter().all(|(name, _)| is_known(name))
    }

    /// Whether it is text of this type: no parameter but `charset`, and that UTF-8.
    pub(crate) fn is_utf8_of(&self, name: &str) -> bool {
        let charset = self.parameter("charset").is_none_or(|c| c.eq_ignore_ascii_case("utf-8"));
        self.is(name) && charset && self.has_only(&["charset"])
    }
}

/// What stands before `at`, and after it when it is there.
fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// A quoted text whose opening quote was taken; gives what follows the next `;`.
fn read_quoted(text: &str) -> Result<(Cow<'_, str>, Option<&str>), Unreadable> {
    let mut value = String::new();
    for (at, character) in text.char_indices() {
        match character {
            '"' => {
                let rest = text.get(at + 1..).unwrap_or_default().trim_start_matches(' ');
                let after = rest.strip_prefix(';');
                return if after.is_some() || rest.is_empty() {
                    Ok((Cow::Owned(value), after))
                } else {
                    Err(Unreadable)
                };
            }
            // SECURITY: browsers do not escape, and others read a backslash as itself.
            '\\' => return Err(Unreadable),
            plain => value.push(plain),
        }
    }
    Err(Unreadable)
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests;
