//! Numbers of social and health insurance.

use std::{fmt, str::FromStr};

use super::{CitizenNumber, Digits, Identifier, IdentifierError, Severity, personal_digits};

/// A social insurance number: 10 digits of its own, or the personal number, which is the social
/// insurance number since 1 August 2025.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocialInsuranceNumber(Number);

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Number {
    Own(Digits<10>),
    Personal(CitizenNumber),
}

/// Which of the two a social insurance number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocialInsuranceKind {
    /// 10 digits given by social insurance. No check digit is public.
    Own,
    /// 12 digits: the personal identification number.
    Personal,
}

impl SocialInsuranceNumber {
    /// The digits. Each call is a place to review: they must not reach a log or an error.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Number::Own(digits) => digits.as_str(),
            Number::Personal(number) => number.as_str(),
        }
    }

    /// Which of the two it is.
    #[must_use]
    pub fn kind(&self) -> SocialInsuranceKind {
        match self.0 {
            Number::Own(_) => SocialInsuranceKind::Own,
            Number::Personal(_) => SocialInsuranceKind::Personal,
        }
    }
}

impl FromStr for SocialInsuranceNumber {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let own = || Digits::parse(text).map(Number::Own);
        let personal = || text.parse().ok().map(Number::Personal);
        let rule = "is not 10 or 12 digits";
        own().or_else(personal).map(Self).ok_or(IdentifierError { rule })
    }
}

impl fmt::Debug for SocialInsuranceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocialInsuranceNumber([redacted])")
    }
}

impl Identifier for SocialInsuranceNumber {
    const SHAPE: Severity = Severity::Hard;
}

personal_digits!(
    /// A household's code at social insurance (mã hộ). Its length is not certain, so that another
    /// one is a doubt only.
    HouseholdCode, 10, "is not a household code of 10 digits", Severity::Warn
);

/// The number on a health insurance card, in one of three forms.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HealthInsuranceCard(Box<str>);

/// The form of a health insurance card's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthInsuranceForm {
    /// 15 characters of Decision 1351/2015: object, benefit, province, social insurance number.
    Old,
    /// 10 digits, the social insurance number, since 1 April 2021.
    New,
    /// The personal number, which facilities take as well.
    Personal,
}

impl HealthInsuranceCard {
    /// The number. Each call is a place to review: it must not reach a log or an error.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its form.
    #[must_use]
    pub fn form(&self) -> HealthInsuranceForm {
        match self.0.len() {
            10 => HealthInsuranceForm::New,
            12 => HealthInsuranceForm::Personal,
            _ => HealthInsuranceForm::Old,
        }
    }

    /// The social insurance number in it: the last ten digits of the old form, the whole otherwise.
    /// What records are matched by.
    #[must_use]
    pub fn social_insurance_number(&self) -> Option<SocialInsuranceNumber> {
        let number = match self.form() {
            HealthInsuranceForm::Old => self.0.get(5..)?,
            _ => &self.0,
        };
        number.parse().ok()
    }
}

impl FromStr for HealthInsuranceCard {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let holds = match text.as_bytes() {
            [a, b, benefit, rest @ ..] if rest.len() == 12 => {
                a.is_ascii_uppercase()
                    && b.is_ascii_uppercase()
                    && (b'1'..=b'5').contains(benefit)
                    && rest.iter().all(u8::is_ascii_digit)
            }
            digits => matches!(digits.len(), 10 | 12) && digits.iter().all(u8::is_ascii_digit),
        };
        let rule = "is not the number of a health insurance card";
        if holds { Ok(Self(text.into())) } else { Err(IdentifierError { rule }) }
    }
}

impl fmt::Debug for HealthInsuranceCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HealthInsuranceCard([redacted])")
    }
}

impl Identifier for HealthInsuranceCard {
    const SHAPE: Severity = Severity::Hard;
}
