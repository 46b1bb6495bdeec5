//! Telephone numbers of Viet Nam. A wrong one is a doubt only: people write what they like there.

use std::{fmt, str::FromStr};

use super::{Identifier, IdentifierError, Severity, is_digits};

/// A telephone number as it is dialled within the country.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Phone(Box<str>);

/// What a telephone number reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhoneKind {
    /// A mobile line: 10 digits with a prefix that is in use.
    Mobile,
    /// A fixed line: `02` and nine digits. Only the length is checked.
    Fixed,
}

/// The 11-digit mobile prefixes and what replaced each in 2018.
const REPLACED: &[(&str, &str)] = &[
    ("0120", "070"),
    ("0121", "079"),
    ("0122", "077"),
    ("0123", "083"),
    ("0124", "084"),
    ("0125", "085"),
    ("0126", "076"),
    ("0127", "081"),
    ("0128", "078"),
    ("0129", "082"),
    ("0162", "032"),
    ("0163", "033"),
    ("0164", "034"),
    ("0165", "035"),
    ("0166", "036"),
    ("0167", "037"),
    ("0168", "038"),
    ("0169", "039"),
    ("0186", "056"),
    ("0188", "058"),
    ("0199", "059"),
];

impl Phone {
    /// The digits. Each call is a place to review: they must not reach a log or an error.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it reaches.
    #[must_use]
    pub fn kind(&self) -> PhoneKind {
        if self.0.starts_with("02") { PhoneKind::Fixed } else { PhoneKind::Mobile }
    }

    /// What an 11-digit mobile number of before 2018 probably is today. A suggestion for a person:
    /// the line may have ended since and nothing is replaced by itself.
    #[must_use]
    pub fn suggestion(text: &str) -> Option<Self> {
        if !is_digits(text, 11..=11) {
            return None;
        }
        let (old, new) = REPLACED.iter().find(|(old, _)| text.starts_with(old))?;
        format!("{new}{}", text.strip_prefix(old)?).parse().ok()
    }
}

impl FromStr for Phone {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let holds = match text.starts_with("02") {
            true => is_digits(text, 11..=11),
            false => is_digits(text, 10..=10) && is_mobile(text.as_bytes()),
        };
        if holds {
            return Ok(Self(text.into()));
        }
        let rule = match Self::suggestion(text) {
            Some(_) => "is a mobile number of 11 digits, as they were before 2018",
            None => "is not a telephone number of Viet Nam",
        };
        Err(IdentifierError { rule })
    }
}

/// The prefixes in use.
fn is_mobile(digits: &[u8]) -> bool {
    matches!(
        digits,
        [b'0', b'3', ..]
            | [b'0', b'5', b'1' | b'6' | b'8' | b'9', ..]
            | [b'0', b'5', b'2', b'2' | b'3' | b'8', ..]
            | [b'0', b'5', b'5', b'9', ..]
            | [b'0', b'7', b'0' | b'6'..=b'9', ..]
            | [b'0', b'8', b'1'..=b'8', ..]
            | [b'0', b'8', b'9', b'6'..=b'9', ..]
            | [b'0', b'9', b'0'..=b'8', ..]
            | [b'0', b'9', b'9', b'0' | b'1' | b'3'..=b'9', ..]
    )
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone([redacted])")
    }
}

impl Identifier for Phone {
    const SHAPE: Severity = Severity::Warn;
}
