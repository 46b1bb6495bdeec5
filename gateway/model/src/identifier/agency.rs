//! Agency codes in both spellings.

use std::{fmt, str::FromStr};

use super::{Identifier, IdentifierError, Severity};
use crate::id::ParticipantId;

/// An agency code, read in either spelling and kept in that of Decision 20/2020/QD-TTg: the code of
/// the first level first, as in `H29.12`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgencyCode(ParticipantId);

impl AgencyCode {
    /// The code in the spelling of Decision 20/2020.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The code of the first level: the province or ministry, as `H29`.
    #[must_use]
    pub fn first_level(&self) -> &str {
        self.as_str().split('.').next().unwrap_or_default()
    }

    /// The code in the reversed spelling of QCVN 102:2016: `000.00.12.H29`. `None` when it has a
    /// level that the old form has no room for (four levels, of two digits and at last three), or
    /// ends with one of zeros, which would read as padding.
    #[must_use]
    pub fn reversed(&self) -> Option<String> {
        let mut levels = self.as_str().split('.');
        let first = levels.next()?;
        let is_padding = |part: &str| part.bytes().all(|b| b == b'0');
        if levels.clone().next_back().is_some_and(is_padding) {
            return None;
        }
        let mut level = |padding: &'static str| {
            let part = levels.next().unwrap_or(padding);
            (part.len() == padding.len()).then_some(part)
        };
        let (second, third, fourth) = (level("00")?, level("00")?, level("000")?);
        levels.next().is_none().then(|| format!("{fourth}.{third}.{second}.{first}"))
    }
}

impl FromStr for AgencyCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let read = ParticipantId::parse_either_spelling(text);
        read.map(Self).map_err(|_| IdentifierError { rule: "is not an agency code" })
    }
}

impl fmt::Display for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Identifier for AgencyCode {
    const SHAPE: Severity = Severity::Hard;
}
