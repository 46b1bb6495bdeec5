//! Identifiers. Each is a newtype that parses once, at the edge.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a text is not an identifier of the wanted kind. Names the kind, never the text: some
/// identifiers arrive in requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {expected}")]
pub struct IdError {
    /// What was expected, with its shape.
    pub expected: &'static str,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.into())) } else { Err(IdError { expected: $expected }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(|e: IdError| {
                    serde::de::Error::custom(format_args!("`{text}` is {e}"))
                })
            }
        }
    };
}

fn bounded(text: &str, max: usize, allowed: fn(u8) -> bool) -> bool {
    !text.is_empty() && text.len() <= max && text.bytes().all(allowed)
}

fn kebab(text: &str) -> bool {
    bounded(text, 80, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn snake(text: &str) -> bool {
    bounded(text, 64, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Agency codes of Decision 20/2020/QD-TTg: a level-1 code, then dotted parts, at most 35 characters.
fn agency(text: &str) -> bool {
    let bytes = text.as_bytes();
    bounded(text, 35, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'.')
        && matches!(bytes, [a, b, c, ..] if a.is_ascii_uppercase() && b.is_ascii_digit() && c.is_ascii_digit())
        && bytes.get(3).is_none_or(|b| *b == b'.')
        && text.split('.').all(|part| !part.is_empty())
}

fn token(text: &str) -> bool {
    bounded(text, 64, |b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

identifier!(
    /// A participant: its agency code in the form of Decision 20/2020/QD-TTg (`H29.12`).
    ParticipantId, "an agency code such as `H29.12`", agency
);
identifier!(
    /// A data-sharing service.
    ServiceId, "a kebab-case service id", kebab
);
identifier!(
    /// One `operationId` of a service.
    OperationId, "an operation id of letters, digits, `-` and `_`", token
);
identifier!(
    /// An agreement.
    AgreementId, "a kebab-case agreement id", kebab
);
identifier!(
    /// A coded purpose.
    PurposeId, "a snake_case purpose code", snake
);
identifier!(
    /// A legal instrument in `legal-bases.yaml`.
    InstrumentId, "a kebab-case instrument id", kebab
);
identifier!(
    /// A rule: the `@id` of a forbid policy.
    RuleId, "a kebab-case rule id", kebab
);
identifier!(
    /// A trust anchor named in the gateway's configuration.
    TrustAnchorId, "a kebab-case trust anchor id", kebab
);
identifier!(
    /// An operator: a function or unit that administers or watches a gateway.
    OperatorId, "a kebab-case operator id", kebab
);
identifier!(
    /// An indicator: a figure that is computed period by period and published.
    IndicatorId, "a kebab-case indicator id", kebab
);
identifier!(
    /// A record set that is published as open data.
    RecordSetId, "a kebab-case record set id", kebab
);
identifier!(
    /// A flow of the adapters.
    FlowId, "a kebab-case flow id", kebab
);

impl ParticipantId {
    /// Parses either spelling of an agency code: `H29.12`, or the reversed one of QCVN 102:2016
    /// (`000.00.12.H29`), whose leading all-zero parts are padding.
    ///
    /// # Errors
    /// When the text is neither.
    pub fn parse_either_spelling(text: &str) -> Result<Self, IdError> {
        if let Ok(id) = text.parse() {
            return Ok(id);
        }
        let mut parts: Vec<&str> = text.rsplit('.').collect();
        while parts.len() > 1 && parts.last().is_some_and(|p| p.bytes().all(|b| b == b'0')) {
            parts.pop();
        }
        parts.join(".").parse()
    }
}

#[cfg(test)]
mod tests;
