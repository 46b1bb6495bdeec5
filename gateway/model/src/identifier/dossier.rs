//! Codes of dossiers, of administrative procedures and of their fields.

use std::str::FromStr;

use jiff::civil::Date;

use super::{AgencyCode, Identifier, IdentifierError, Severity, Warning, is_digits, public_code};

public_code!(
    /// A dossier code (mã hồ sơ): agency, date and sequence, joined by hyphens.
    DossierCode
);

/// How a dossier code is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DossierForm {
    /// Agency code, `yymmdd`, four digits or more: `H15.50.05.13-261008-0975`.
    Provincial,
    /// Agency code, `yyyymmdd`: `G09.20-20260609-0092637`.
    Ministry,
    /// The reversed agency code of before: `000.00.00.H29-yymmdd-0001`.
    Old,
}

impl DossierCode {
    fn parts(&self) -> (&str, &str, &str) {
        let mut parts = self.0.split('-');
        let mut next = || parts.next().unwrap_or_default();
        (next(), next(), next())
    }

    /// How it is made.
    #[must_use]
    pub fn form(&self) -> DossierForm {
        let (agency, date, _) = self.parts();
        match (agency.starts_with(|c: char| c.is_ascii_digit()), date.len()) {
            (true, _) => DossierForm::Old,
            (false, 8) => DossierForm::Ministry,
            (false, _) => DossierForm::Provincial,
        }
    }

    /// The agency in it, in the spelling of Decision 20/2020. `None` when the part is no agency
    /// code in either spelling, which some systems' codes are not.
    #[must_use]
    pub fn agency(&self) -> Option<AgencyCode> {
        self.parts().0.parse().ok()
    }

    /// The day in it. `None` when it is not in the calendar.
    #[must_use]
    pub fn date(&self) -> Option<Date> {
        let digits = self.parts().1;
        let (year, rest) = digits.split_at_checked(digits.len().checked_sub(4)?)?;
        let (month, day) = rest.split_at_checked(2)?;
        let year: i16 = year.parse().ok()?;
        let year = if digits.len() == 6 { 2000 + year } else { year };
        Date::new(year, month.parse().ok()?, day.parse().ok()?).ok()
    }

    /// The sequence within agency and day.
    #[must_use]
    pub fn sequence(&self) -> &str {
        self.parts().2
    }
}

impl FromStr for DossierCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let mut parts = text.split('-');
        let holds = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(agency), Some(date), Some(sequence), None) => {
                (1..=35).contains(&agency.len())
                    && agency
                        .bytes()
                        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.')
                    && (is_digits(date, 6..=6) || is_digits(date, 8..=8))
                    && is_digits(sequence, 4..=7)
            }
            _ => false,
        };
        let rule = "is not a dossier code";
        if holds { Ok(Self(text.into())) } else { Err(IdentifierError { rule }) }
    }
}

impl Identifier for DossierCode {
    const SHAPE: Severity = Severity::Hard;

    fn doubts(&self) -> Vec<Warning> {
        match self.date() {
            Some(_) => Vec::new(),
            None => vec![Warning { rule: "holds a date that is not in the calendar" }],
        }
    }
}

public_code!(
    /// A code of an administrative procedure (mã TTHC): `1.000894`, or with the place of a portal
    /// as in `1.000656.000.00.00.H29`. Two codes name one procedure when their first parts agree.
    ProcedureCode
);

impl ProcedureCode {
    /// The national part, by which procedures are compared: `1.000656`.
    #[must_use]
    pub fn procedure(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }

    /// Whether both name the same procedure.
    #[must_use]
    pub fn names_same(&self, other: &Self) -> bool {
        self.procedure() == other.procedure()
    }
}

impl FromStr for ProcedureCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let mut parts = text.split('.');
        let mut digits =
            |length: usize| parts.next().is_some_and(|p| is_digits(p, length..=length));
        let head = digits(1) && digits(6);
        let tail = text.len() == 8 || {
            let padded = digits(3) && digits(2) && digits(2);
            padded && is_place(parts.next().unwrap_or_default()) && parts.next().is_none()
        };
        let rule = "is not a procedure code";
        if head && tail { Ok(Self(text.into())) } else { Err(IdentifierError { rule }) }
    }
}

/// A level-1 agency code: a letter and two digits.
fn is_place(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, a, b]
        if letter.is_ascii_uppercase() && a.is_ascii_digit() && b.is_ascii_digit())
}

impl Identifier for ProcedureCode {
    const SHAPE: Severity = Severity::Hard;
}

public_code!(
    /// A code of a field of procedures (mã lĩnh vực): issuing ministry and code, as `G03-GD10`.
    FieldCode
);

impl FromStr for FieldCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let holds = text.split_once('-').is_some_and(|(ministry, code)| {
            is_place(ministry)
                && (1..=20).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        });
        let rule = "is not a field code such as `G03-GD10`";
        if holds { Ok(Self(text.into())) } else { Err(IdentifierError { rule }) }
    }
}

impl Identifier for FieldCode {
    const SHAPE: Severity = Severity::Warn;
}
