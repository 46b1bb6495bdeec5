//! How a field's value is changed before it passes.

use serde_json::Value;

use crate::{
    opaque::OpaqueTerms,
    schema::{Kind, Schema, StringFormat},
};

/// A change to a field's value. A field without a mask passes as it is; a field that a disclosure
/// does not name does not pass at all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mask {
    /// The field is left out. Says on purpose what leaving it unnamed does anyway.
    Drop,
    /// A constant in place of the value; its length tells nothing.
    Redact,
    /// The first `n` graphemes (NFC), then the redaction constant.
    KeepFirst(u16),
    /// The redaction constant, then the last `n` graphemes (NFC).
    KeepLast(u16),
    /// A coarser value of a structured, coded field.
    Generalise(Generalisation),
    /// A keyed pseudonym, separated by consumer, field type and key period.
    Pseudonymise,
    /// JSON `null`.
    Null,
    /// The file passes whole, on these terms: it cannot be looked into, so it never just passes.
    Opaque(OpaqueTerms),
}

/// What a value is generalised to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Generalisation {
    /// A date to its year: `yyyy-MM-dd`, `yyyyMMdd` and `yyyyMMddHHmmss` give `yyyy`.
    Year,
    /// A date to its month: `yyyy-MM` or `yyyyMM`, as the source was written.
    Month,
    /// A ward code (5 digits) to the code of its province (2 digits).
    Province,
    /// An integer to the half-open band it falls in: bounds ascending, `"18-59"` style labels.
    Bands(Vec<i64>),
}

/// The constant a redacted text becomes.
pub const REDACTED: &str = "***";

/// Why a mask cannot be applied to a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// The mask's name or argument is not known.
    #[error(
        "unknown mask; expected one of `drop`, `redact`, `keep_first`, `keep_last`, `generalise`, `pseudonymise`, `\"null\"`, `opaque`"
    )]
    Unknown,
    /// An argument is out of range.
    #[error("bad argument of mask `{0}`: {1}")]
    Argument(&'static str, &'static str),
    /// The mask needs another type of field.
    #[error("mask `{mask}` needs {needs}")]
    Unfit {
        /// The mask.
        mask: &'static str,
        /// What it needs.
        needs: &'static str,
    },
    /// More than half of the shortest allowed value would stay readable.
    #[error("mask `{mask}` would keep {keeps} of a value that may have only {shortest} characters")]
    KeepsTooMuch {
        /// The mask.
        mask: &'static str,
        /// How many graphemes stay.
        keeps: u16,
        /// The schema's `minLength`.
        shortest: u64,
    },
}

impl Mask {
    /// The mask's name in policy files.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Redact => "redact",
            Self::KeepFirst(_) => "keep_first",
            Self::KeepLast(_) => "keep_last",
            Self::Generalise(_) => "generalise",
            Self::Pseudonymise => "pseudonymise",
            Self::Null => "null",
            Self::Opaque(_) => "opaque",
        }
    }

    /// Reads a mask as it stands in a policy file: a name, or an object of one name and argument
    /// (`{keep_last: 4}`, `{generalise: year}`, `{generalise: {bands: [0, 18, 60]}}`).
    ///
    /// # Errors
    /// When the name or the argument is not known.
    pub fn parse(value: &Value) -> Result<Self, MaskError> {
        match value {
            Value::String(name) => match name.as_str() {
                "drop" => Ok(Self::Drop),
                "redact" => Ok(Self::Redact),
                "pseudonymise" => Ok(Self::Pseudonymise),
                "null" => Ok(Self::Null),
                _ => Err(MaskError::Unknown),
            },
            Value::Object(map) if map.len() == 1 => {
                let (name, argument) = map.iter().next().ok_or(MaskError::Unknown)?;
                match name.as_str() {
                    "keep_first" => count("keep_first", argument).map(Self::KeepFirst),
                    "keep_last" => count("keep_last", argument).map(Self::KeepLast),
                    "generalise" => Generalisation::parse(argument).map(Self::Generalise),
                    "opaque" => terms(argument).map(Self::Opaque),
                    _ => Err(MaskError::Unknown),
                }
            }
            _ => Err(MaskError::Unknown),
        }
    }

    /// Checks that the mask can be applied to every value `schema` allows.
    ///
    /// # Errors
    /// When the type does not fit, or too much of the shortest value would stay readable.
    pub fn fits(&self, schema: &Schema) -> Result<(), MaskError> {
        let unfit = |needs| Err(MaskError::Unfit { mask: self.name(), needs });
        match (self, &schema.kind) {
            (Self::Drop, _) => Ok(()),
            (Self::Opaque(_), Kind::Opaque(_)) => Ok(()),
            (Self::Opaque(_), _) => unfit("a file"),
            (_, Kind::Opaque(_)) => unfit("a field: a file passes by `opaque` or not at all"),
            (Self::Null, _) if schema.nullable => Ok(()),
            (Self::Null, _) => unfit("a field whose schema allows null"),
            (Self::Redact | Self::Pseudonymise, Kind::String(_)) => Ok(()),
            (Self::Redact | Self::Pseudonymise, _) => unfit("a string"),
            (Self::KeepFirst(n) | Self::KeepLast(n), Kind::String(rules)) => {
                let shortest = rules.shortest();
                if u64::from(*n) * 2 > shortest {
                    return Err(MaskError::KeepsTooMuch { mask: self.name(), keeps: *n, shortest });
                }
                Ok(())
            }
            (Self::KeepFirst(_) | Self::KeepLast(_), _) => unfit("a string"),
            (Self::Generalise(to), kind) => match (to, kind) {
                (Generalisation::Year | Generalisation::Month, Kind::String(rules))
                    if rules.is_date() =>
                {
                    Ok(())
                }
                (Generalisation::Year | Generalisation::Month, _) => unfit(
                    "a date: format `date`, `date-time`, or pattern `^\\d{8}$` or `^\\d{14}$`",
                ),
                (Generalisation::Province, Kind::String(rules))
                    if rules.format == Some(StringFormat::WardCode) =>
                {
                    Ok(())
                }
                (Generalisation::Province, _) => unfit("a ward code: format `ward-code`"),
                (Generalisation::Bands(_), Kind::Integer(_)) => Ok(()),
                (Generalisation::Bands(_), _) => unfit("an integer"),
            },
        }
    }
}

impl Generalisation {
    fn parse(value: &Value) -> Result<Self, MaskError> {
        let bad = |why| MaskError::Argument("generalise", why);
        match value {
            Value::String(to) => match to.as_str() {
                "year" => Ok(Self::Year),
                "month" => Ok(Self::Month),
                "province" => Ok(Self::Province),
                _ => Err(bad("expected `year`, `month`, `province` or `{bands: [...]}`")),
            },
            Value::Object(map) if map.len() == 1 => {
                let bounds = map.get("bands").and_then(Value::as_array);
                let bounds = bounds.ok_or_else(|| bad("expected `bands`"))?;
                let bounds: Option<Vec<i64>> = bounds.iter().map(Value::as_i64).collect();
                let bounds = bounds.ok_or_else(|| bad("bounds must be integers"))?;
                if bounds.is_empty() || bounds.len() > 64 || !bounds.is_sorted_by(|a, b| a < b) {
                    return Err(bad("bounds must ascend, one to 64 of them"));
                }
                Ok(Self::Bands(bounds))
            }
            _ => Err(bad("expected `year`, `month`, `province` or `{bands: [...]}`")),
        }
    }
}

/// `{article: "pdpl-2025#19.1.c", bytes: 5242880}`.
fn terms(argument: &Value) -> Result<OpaqueTerms, MaskError> {
    let bad = |why| MaskError::Argument("opaque", why);
    let map = argument.as_object().filter(|map| map.len() == 2);
    let map = map.ok_or_else(|| bad("expected `article` and `bytes`"))?;
    let article = map.get("article").and_then(Value::as_str);
    let article = article.ok_or_else(|| bad("expected `article: \"INSTRUMENT#ARTICLE\"`"))?;
    let bytes = map.get("bytes").and_then(Value::as_u64).filter(|bytes| *bytes > 0);
    let bytes = bytes.ok_or_else(|| bad("expected `bytes`, a count from 1"))?;
    Ok(OpaqueTerms { article: article.to_owned(), bytes })
}

fn count(mask: &'static str, argument: &Value) -> Result<u16, MaskError> {
    let count = argument.as_u64().and_then(|n| u16::try_from(n).ok());
    match count {
        Some(n) if n > 0 => Ok(n),
        _ => Err(MaskError::Argument(mask, "expected a count from 1 to 65535")),
    }
}
