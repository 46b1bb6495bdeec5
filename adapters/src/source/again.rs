//! Reading again what was read, from a place that a person names to what is there now.

use serde::{Deserialize, Serialize};

/// Positions that are read again.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// The last one that is not, or was.
    pub(super) behind: i64,
    /// The last one that is.
    pub(super) until: i64,
}

impl Again {
    /// What is left after a page that ends with this position.
    pub(super) fn onward(self, last: Option<i64>, more: bool) -> Option<Self> {
        let behind = last.filter(|_| more)?;
        (behind < self.until).then_some(Self { behind, ..self })
    }
}
