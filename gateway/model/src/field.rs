//! Where a field stands in a message, and how personal it is.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How personal a field is (Decree 356/2025/ND-CP Art. 3 and 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataClass {
    /// Not personal data.
    None,
    /// Basic personal data (Art. 3).
    Basic,
    /// Sensitive personal data (Art. 4).
    Sensitive,
}

impl DataClass {
    /// The word used in policy files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Sensitive => "sensitive",
        }
    }
}

/// The part of a message that holds a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// A path parameter.
    Path,
    /// A query parameter.
    Query,
    /// A header.
    Header,
    /// The body.
    Body,
}

/// A pointer into a JSON body in terms of its schema: JSON Pointer (RFC 6901), where a `*` token
/// stands for every element of an array. Names only, never a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The whole body.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// This pointer and one more token.
    #[must_use]
    pub fn child(&self, token: &str) -> Self {
        let mut tokens = self.0.clone();
        tokens.push(token.to_owned());
        Self(tokens)
    }

    /// The tokens, unescaped.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.0
    }

    /// Whether `other` is this pointer or lies below it.
    #[must_use]
    pub fn contains(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.0 {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}

/// Why a text is not a field path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a field path such as `/HoVaTen`, `/data/*/MaHoSo`, `path.id`, `query.soDinhDanh` or `header.Accept-Language`"
)]
pub struct FieldPathError;

impl FromStr for Pointer {
    type Err = FieldPathError;

    fn from_str(text: &str) -> Result<Self, FieldPathError> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let rest = text.strip_prefix('/').ok_or(FieldPathError)?;
        rest.split('/')
            .map(|token| {
                if token.is_empty() {
                    return Err(FieldPathError);
                }
                Ok(token.replace("~1", "/").replace("~0", "~"))
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Self)
    }
}

/// A field of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldPath {
    /// A parameter, by place and name.
    Parameter(Place, String),
    /// A field of the body.
    Body(Pointer),
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(Place::Path, name) => write!(f, "path.{name}"),
            Self::Parameter(Place::Query, name) => write!(f, "query.{name}"),
            Self::Parameter(Place::Header, name) => write!(f, "header.{name}"),
            Self::Parameter(Place::Body, name) => write!(f, "/{name}"),
            Self::Body(pointer) if pointer.tokens().is_empty() => f.write_str("/"),
            Self::Body(pointer) => pointer.fmt(f),
        }
    }
}

impl FromStr for FieldPath {
    type Err = FieldPathError;

    fn from_str(text: &str) -> Result<Self, FieldPathError> {
        if text == "/" {
            return Ok(Self::Body(Pointer::root()));
        }
        if text.starts_with('/') {
            return text.parse().map(Self::Body);
        }
        let (place, name) = text.split_once('.').ok_or(FieldPathError)?;
        let place = match place {
            "path" => Place::Path,
            "query" => Place::Query,
            "header" => Place::Header,
            _ => return Err(FieldPathError),
        };
        if name.is_empty() {
            return Err(FieldPathError);
        }
        Ok(Self::Parameter(place, name.to_owned()))
    }
}

impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
