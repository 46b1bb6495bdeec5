//! Identifiers of people: a kind and a value that is checked by its kind and never shown.

use lienthong_model::{reason::ReasonCode, sensitive::Sensitive};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::statement::StatementError;

/// Kind of the personal identification number.
pub const CITIZEN_NUMBER: &str = "citizen_number";

const LONGEST_KIND: usize = 40;
const LONGEST_VALUE: usize = 128;

/// What a person is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    kind: String,
    value: Sensitive<String>,
}

impl Identifier {
    /// Checks an identifier. Its value is kept in Unicode normal form C.
    ///
    /// # Errors
    /// When kind or value has another shape; `field` is what the error names.
    pub fn new(kind: &str, value: &str, field: &'static str) -> Result<Self, StatementError> {
        let wrong = |reason| Err(StatementError::new(reason, field));
        let known = kind.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if kind.is_empty() || kind.len() > LONGEST_KIND || !known {
            return wrong(ReasonCode::RequestSchema);
        }
        if value.is_empty() || value.len() > LONGEST_VALUE || value.chars().any(char::is_control) {
            return wrong(ReasonCode::RequestSchema);
        }
        // LAW: Circular 59/2021/TT-BCA Art. 4; the law itself guarantees no more than twelve digits.
        let digits = value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit());
        if kind == CITIZEN_NUMBER && !digits {
            return wrong(ReasonCode::RequestSchema);
        }
        Ok(Self { kind: kind.to_owned(), value: Sensitive::new(normal(value).into_owned()) })
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Its value. Each call is a place to review: it must not reach a log, metric or error.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.value.expose()
    }

    /// The year of birth that a personal identification number tells, as Circular 59/2021/TT-BCA
    /// Art. 4 has it.
    pub(crate) fn birth_year(&self) -> Option<i16> {
        if self.kind != CITIZEN_NUMBER {
            return None;
        }
        let mut digits = self.expose().bytes().skip(3).map(|b| i16::from(b.wrapping_sub(b'0')));
        let (century, tens, ones) = (digits.next()?, digits.next()?, digits.next()?);
        Some(1900 + century / 2 * 100 + tens * 10 + ones)
    }
}

/// The value in Unicode normal form C.
pub(crate) fn normal(value: &str) -> std::borrow::Cow<'_, str> {
    if value.is_ascii() || is_nfc(value) {
        value.into()
    } else {
        value.nfc().collect::<String>().into()
    }
}

#[cfg(test)]
mod tests;
