//! Values of a record that are cheap to keep and become text only when somebody reads them.

use std::{
    fmt::{self, Display},
    str::FromStr,
    sync::Arc,
};

use bytes::Bytes;
use http::HeaderValue;
use lienthong_policy::Citation;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use uuid::{Uuid, fmt::Hyphenated};

/// The gateway's id of an exchange, as the header that tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// A fresh id.
    pub(super) fn new() -> Self {
        let mut digits = [0; Hyphenated::LENGTH];
        Uuid::new_v4().hyphenated().encode_lower(&mut digits);
        // Hexadecimal digits and hyphens always make a header.
        let header = HeaderValue::from_maybe_shared(Bytes::from_owner(digits));
        Self(header.unwrap_or_else(|_| HeaderValue::from_static("")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The header.
    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.0
    }
}

/// What an exchange came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was permitted, and the consumer got its answer.
    Allow,
    /// It was refused.
    Deny,
    /// It was permitted, and ended before the end of the answer.
    Cut,
}

impl Outcome {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Cut => "cut",
        }
    }
}

/// The first 16 hexadecimal digits of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShortHash([u8; 16]);

impl ShortHash {
    /// Those of `hash`.
    #[must_use]
    pub fn of(hash: &[u8; 32]) -> Self {
        let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
        let mut digits = [b'0'; 16];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(hash) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
        }
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// Articles, shared with the decision that rests on them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Cites(Arc<[Citation]>);

impl Cites {
    /// Each of them, `instrument#article`.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Citation> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Arc<[Citation]>> for Cites {
    fn from(citations: Arc<[Citation]>) -> Self {
        Self(citations)
    }
}

impl Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Display for ShortHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for RequestId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for ShortHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for RequestId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        HeaderValue::try_from(text).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ShortHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bytes: Option<[u8; 16]> = text.as_bytes().try_into().ok().filter(|_| digits);
        bytes.map(Self).ok_or_else(|| D::Error::custom("not 16 hexadecimal digits"))
    }
}

impl<'de> Deserialize<'de> for Cites {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let cites = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>();
        cites.map(Self).map_err(D::Error::custom)
    }
}

/// Reads and writes an optional value by its text.
pub(super) mod text {
    use super::{Deserialize, Deserializer, Display, Error, FromStr, Serializer};

    pub(in super::super) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.collect_str(value),
            None => serializer.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, T, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
    {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| text.parse()).transpose().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
