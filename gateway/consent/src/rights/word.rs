//! What may be written about a request: a reason like a code, and an article.

use std::fmt;

use lienthong_model::id::InstrumentId;
use serde::{Deserialize, Serialize};

const LONGEST_REASON: usize = 64;
const LONGEST_ARTICLE: usize = 24;
/// A year fits, a number of a person does not.
const MOST_DIGITS: usize = 4;

/// What cannot be written. Does not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WordError {
    /// No reason like a code.
    #[error("reason is not of lower-case letters, at most four digits, `_`, `-` and `.`")]
    Reason,
    /// No `instrument#article`.
    #[error("article is not `instrument#article`")]
    Cited,
}

/// A reason like a code (`identity_not_proven`), with no room for a person's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

/// An article of an instrument (`pdpl-2025#14.2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cited {
    instrument: InstrumentId,
    article: String,
}

impl Reason {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Cited {
    /// The instrument.
    #[must_use]
    pub fn instrument(&self) -> &InstrumentId {
        &self.instrument
    }

    /// The article.
    #[must_use]
    pub fn article(&self) -> &str {
        &self.article
    }
}

impl TryFrom<String> for Reason {
    type Error = WordError;

    fn try_from(text: String) -> Result<Self, WordError> {
        let allowed =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'.');
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let fits = text.len() <= LONGEST_REASON && digits <= MOST_DIGITS;
        (begins && fits && text.bytes().all(allowed)).then_some(Self(text)).ok_or(WordError::Reason)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl TryFrom<String> for Cited {
    type Error = WordError;

    fn try_from(text: String) -> Result<Self, WordError> {
        let (instrument, article) = text.split_once('#').ok_or(WordError::Cited)?;
        let instrument = instrument.parse().map_err(|_| WordError::Cited)?;
        let part = |part: &str| !part.is_empty() && part.chars().all(char::is_alphanumeric);
        let digits = article.chars().filter(|c| c.is_numeric()).count();
        if article.len() > LONGEST_ARTICLE || digits > MOST_DIGITS || !article.split('.').all(part)
        {
            return Err(WordError::Cited);
        }
        Ok(Self { instrument, article: article.to_owned() })
    }
}

impl From<Cited> for String {
    fn from(cited: Cited) -> Self {
        cited.to_string()
    }
}

impl fmt::Display for Cited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.instrument, self.article)
    }
}
