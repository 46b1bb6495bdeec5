//! Tax codes.

use std::{fmt, str::FromStr};

use super::{Identifier, IdentifierError, Severity, is_digits};

/// A tax code: 10 digits of an organisation with a check digit, the same with the three digits of
/// a branch, or since 1 July 2025 the personal number of a person or household business.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TaxCode(Box<str>);

/// Whose tax code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaxCodeKind {
    /// An organisation, or a person registered before July 2025.
    Organisation,
    /// A branch of one.
    Branch,
    /// A person or household business, by personal number.
    Personal,
}

impl TaxCode {
    /// The text. It can be that of a person: it must not reach a log or an error.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whose it is.
    #[must_use]
    pub fn kind(&self) -> TaxCodeKind {
        match self.0.len() {
            10 => TaxCodeKind::Organisation,
            12 => TaxCodeKind::Personal,
            _ => TaxCodeKind::Branch,
        }
    }

    /// The ten digits without a branch. `None` for a personal number.
    #[must_use]
    pub fn organisation(&self) -> Option<&str> {
        match self.kind() {
            TaxCodeKind::Personal => None,
            _ => self.0.get(..10),
        }
    }
}

const WEIGHTS: [u32; 9] = [31, 29, 23, 19, 17, 13, 7, 5, 3];

impl FromStr for TaxCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let holds = Ok(Self(text.into()));
        if is_digits(text, 12..=12) {
            return holds;
        }
        let (number, branch) =
            text.split_once('-').map_or((text, None), |(number, branch)| (number, Some(branch)));
        let is_branch = branch.is_none_or(|b| is_digits(b, 3..=3) && b != "000");
        if !is_digits(number, 10..=10) || !is_branch {
            return Err(IdentifierError { rule: "is not a tax code" });
        }
        if number.get(2..9) == Some("0000000") {
            return Err(IdentifierError { rule: "has an empty serial number" });
        }
        let mut digits = number.bytes().map(|b| u32::from(b - b'0'));
        let sum: u32 = WEIGHTS.iter().zip(digits.by_ref()).map(|(w, d)| w * d).sum();
        // A remainder of 0 would need the check digit 10: no such code is given out.
        match digits.next() == Some(10 - sum % 11) {
            true => holds,
            false => Err(IdentifierError { rule: "has a wrong check digit" }),
        }
    }
}

impl fmt::Debug for TaxCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaxCode([redacted])")
    }
}

impl Identifier for TaxCode {
    const SHAPE: Severity = Severity::Hard;
}
