//! How far a source was read.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use super::SourceError;

/// Longest mark.
const MAX: usize = 4096;

/// How far a source was read: a short text that means something to its source only, kept in the
/// same transaction as the rows it covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark(String);

impl Mark {
    /// A mark that was kept.
    pub(crate) fn new(text: impl Into<String>) -> Result<Self, SourceError> {
        let text = text.into();
        match (1..=MAX).contains(&text.len()) {
            true => Ok(Self(text)),
            false => Err(SourceError::Mark),
        }
    }

    /// The text to keep.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether rows are read again before new ones are.
    pub(super) fn is_again(&self) -> bool {
        let value = serde_json::from_str::<serde_json::Value>(&self.0);
        value.is_ok_and(|value| value.get("again").is_some())
    }

    /// Writes a mark.
    pub(super) fn write(value: &impl Serialize) -> Result<Self, SourceError> {
        Self::new(serde_json::to_string(value).map_err(|_| SourceError::Mark)?)
    }

    /// Reads a mark; the beginning when there is none.
    pub(super) fn read<T: DeserializeOwned + Default>(
        mark: Option<&Self>,
    ) -> Result<T, SourceError> {
        mark.map_or(Ok(T::default()), |mark| {
            serde_json::from_str(&mark.0).map_err(|_| SourceError::Mark)
        })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
