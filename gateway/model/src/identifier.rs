//! Identifiers of people, organisations, places and dossiers, each a newtype that parses once.
//!
//! Takes a text as it stands in a record; gives the identifier or the rule that it breaks, and what
//! is doubtful about it. A broken rule or a doubt names the rule and never the value. Identifiers
//! of people show nothing in `Debug` and have no `Display`.

mod agency;
mod citizen;
mod dossier;
mod insurance;
mod phone;
mod place;
mod tax;

use std::{fmt, str::FromStr};

pub use agency::AgencyCode;
pub use citizen::{CitizenNumber, OldIdentityNumber, Place};
pub use dossier::{DossierCode, DossierForm, FieldCode, ProcedureCode};
pub use insurance::{
    HealthInsuranceCard, HealthInsuranceForm, HouseholdCode, SocialInsuranceKind,
    SocialInsuranceNumber,
};
pub use phone::{Phone, PhoneKind};
pub use place::{HealthFacilityCode, LandParcel, ProvinceCode, WardCode};
pub use tax::{TaxCode, TaxCodeKind};

/// A rule that a text breaks. Reads on after the name of a field, and holds no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct IdentifierError {
    /// Which rule, such as "is not 12 digits".
    pub rule: &'static str,
}

/// What is doubtful about an identifier of the right shape. Refuses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// What, such as "holds a date that is not in the calendar".
    pub rule: &'static str,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule)
    }
}

/// What it means when a text does not have the shape of its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The record is refused.
    Hard,
    /// The record passes and the doubt is told.
    Warn,
}

/// What every identifier can do.
pub trait Identifier: FromStr<Err = IdentifierError> {
    /// What a wrong shape means.
    const SHAPE: Severity;

    /// What is doubtful about it when nothing else is known. Most have nothing.
    fn doubts(&self) -> Vec<Warning> {
        Vec::new()
    }
}

/// Exactly `N` digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Digits<const N: usize>([u8; N]);

impl<const N: usize> Digits<N> {
    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; N] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_digit).then_some(Self(bytes))
    }

    fn as_str(&self) -> &str {
        // Digits only, so that it always is UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    fn digit(&self, at: usize) -> u32 {
        self.0.get(at).map_or(0, |digit| u32::from(digit - b'0'))
    }
}

fn is_digits(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// A newtype of exactly so many digits that belongs to a person.
macro_rules! personal_digits {
    (
        $(#[$doc:meta])* $name:ident, $length:literal, $rule:literal, $severity:expr
        $(, $doubts:expr)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(super::Digits<$length>);

        impl $name {
            /// The digits. Each call is a place to review: they must not reach a log or an error.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl std::str::FromStr for $name {
            type Err = super::IdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                super::Digits::parse(text).map(Self).ok_or(super::IdentifierError { rule: $rule })
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl super::Identifier for $name {
            const SHAPE: super::Severity = $severity;
            $(
                fn doubts(&self) -> Vec<super::Warning> {
                    let doubts: fn(&Self) -> Vec<super::Warning> = $doubts;
                    doubts(self)
                }
            )?
        }
    };
}

/// A newtype over a code that is not personal, shown as it is.
macro_rules! public_code {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

use {personal_digits, public_code};

#[cfg(test)]
mod tests;
