//! Codes of places: provinces, wards, land parcels, health facilities.

use std::{fmt, str::FromStr};

use super::{Digits, Identifier, IdentifierError, Severity, is_digits};

/// A newtype of exactly so many digits that names a place.
macro_rules! place_digits {
    ($(#[$doc:meta])* $name:ident, $length:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Digits<$length>);

        impl $name {
            /// The digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = IdentifierError;

            fn from_str(text: &str) -> Result<Self, IdentifierError> {
                Digits::parse(text).map(Self).ok_or(IdentifierError { rule: $rule })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl Identifier for $name {
            const SHAPE: Severity = Severity::Hard;
        }
    };
}

place_digits!(
    /// A province code of the statistics office: 2 digits, `79` for Ho Chi Minh City.
    ProvinceCode, 2, "is not 2 digits"
);

place_digits!(
    /// A ward or commune code: 5 digits, and nothing without a date. The same five digits name one
    /// territory before 1 July 2025 and another after it: ask [`crate::ward`] with the day on
    /// which the code was written.
    WardCode, 5, "is not 5 digits"
);

/// A land parcel, in one of two forms. Both are kept: they are not computed from each other.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum LandParcel {
    /// Ward, map sheet and parcel on it, as `26740-12-345`. Changes when the ward's code does.
    Sheet {
        /// The ward, by the code in force when this was written.
        ward: WardCode,
        /// Number of the map sheet.
        sheet: u32,
        /// Number of the parcel on the sheet.
        parcel: u32,
    },
    /// Since September 2025: the `GeoHash` of the parcel's feature point, 12 characters.
    GeoHash([u8; 12]),
}

const GEOHASH: &[u8] = b"0123456789bcdefghjkmnpqrstuvwxyz";

impl FromStr for LandParcel {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let error = IdentifierError { rule: "is not the code of a land parcel" };
        if let Ok(hash) = <[u8; 12]>::try_from(text.as_bytes())
            && hash.iter().all(|b| GEOHASH.contains(b))
        {
            return Ok(Self::GeoHash(hash));
        }
        let number = |part: Option<&str>| {
            let part = part.filter(|p| is_digits(p, 1..=6))?;
            part.parse().ok().filter(|n| *n > 0)
        };
        let mut parts = text.split('-');
        let ward = parts.next().unwrap_or_default().parse().map_err(|_| error)?;
        match (number(parts.next()), number(parts.next()), parts.next()) {
            (Some(sheet), Some(parcel), None) => Ok(Self::Sheet { ward, sheet, parcel }),
            _ => Err(error),
        }
    }
}

impl LandParcel {
    /// The code as a text. It leads to an owner: it must not reach a log or an error.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Sheet { ward, sheet, parcel } => format!("{ward}-{sheet}-{parcel}"),
            Self::GeoHash(hash) => hash.iter().map(|b| char::from(*b)).collect(),
        }
    }
}

impl fmt::Debug for LandParcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LandParcel([redacted])")
    }
}

impl Identifier for LandParcel {
    const SHAPE: Severity = Severity::Warn;
}

super::public_code!(
    /// A health facility: 5 characters (Decision 384/2019) or 13 digits (Decision 1551/2026).
    HealthFacilityCode
);

impl FromStr for HealthFacilityCode {
    type Err = IdentifierError;

    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let short =
            text.len() == 5 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        let rule = "is not the code of a health facility";
        let holds = short || is_digits(text, 13..=13);
        if holds { Ok(Self(text.into())) } else { Err(IdentifierError { rule }) }
    }
}

impl Identifier for HealthFacilityCode {
    const SHAPE: Severity = Severity::Warn;
}
