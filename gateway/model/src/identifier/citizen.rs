//! The personal identification number and the identity card before it.
//!
//! Twelve digits and nothing more is certain (Circular 59/2021/TT-BCA Art. 4 gives the structure,
//! the law only the length). A number can be cancelled and set anew (Decree 70/2024 Art. 11), so
//! that it never is a unique key of a person: keep a history with the time of each.

use super::{Severity, Warning, personal_digits};
use crate::platform_code::Gender;

personal_digits!(
    /// A personal identification number (số định danh cá nhân): 12 digits, no check digit.
    ///
    /// What its digits say of place, sex and year is a hint at most: people whose sex was
    /// determined anew or whose birth year was corrected keep their number.
    CitizenNumber, 12, "is not 12 digits", Severity::Hard, |number| number.warnings(None, None)
);

personal_digits!(
    /// An old identity card (chứng minh nhân dân): 9 digits. Superseded, and still what old records
    /// are matched by.
    OldIdentityNumber, 9, "is not 9 digits", Severity::Hard
);

/// The place of birth registration that a number states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One of the 63 provinces before the mergers of 2025, by the two digits of its old code.
    Province(u32),
    /// Anything else: born abroad, or a code given after the mergers. Not known.
    Unlisted,
}

/// The last two digits of the listed places, as a bit set over 0 to 99: which prefixes are given
/// to people registered after 1 July 2025 in merged provinces is not public.
const PLACES: u128 = places(&[
    1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 30, 31, 33, 34, 35, 36, 37,
    38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72, 74, 75, 77,
    79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
]);

const fn places(mut codes: &[u8]) -> u128 {
    let mut set = 0;
    while let [first, rest @ ..] = codes {
        set |= 1 << *first;
        codes = rest;
    }
    set
}

impl CitizenNumber {
    /// The place of birth registration that the first three digits state.
    #[must_use]
    pub fn place(&self) -> Place {
        let code = self.0.digit(0) * 100 + self.0.digit(1) * 10 + self.0.digit(2);
        match PLACES.checked_shr(code) {
            Some(set) if set & 1 == 1 => Place::Province(code),
            _ => Place::Unlisted,
        }
    }

    /// The birth year that digits four to six state.
    #[must_use]
    pub fn stated_year(&self) -> i16 {
        let year = 1900 + self.0.digit(3) / 2 * 100 + self.0.digit(4) * 10 + self.0.digit(5);
        i16::try_from(year).unwrap_or(i16::MAX)
    }

    /// The sex that the fourth digit states.
    #[must_use]
    pub fn stated_gender(&self) -> Gender {
        if self.0.digit(3).is_multiple_of(2) { Gender::Male } else { Gender::Female }
    }

    /// What its digits say otherwise than the record it stands in. Each is a reason to look, none
    /// a reason to refuse.
    #[must_use]
    pub fn warnings(&self, gender: Option<Gender>, birth_year: Option<i16>) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if self.place() == Place::Unlisted {
            warnings.push(Warning { rule: "has an unlisted place of registration" });
        }
        if birth_year.is_some_and(|year| year != self.stated_year()) {
            warnings.push(Warning { rule: "does not agree with the year of birth" });
        }
        let opposite = match self.stated_gender() {
            Gender::Male => Gender::Female,
            _ => Gender::Male,
        };
        if gender == Some(opposite) {
            warnings.push(Warning { rule: "does not agree with the sex" });
        }
        warnings
    }
}
