//! Whether a text is a release of an indicator, and which.
//!
//! A cell shows its figure or says that it is withheld. One that does both tells what it must not.

use serde::Deserialize;

use super::refusal::Refusal;

/// A release, as far as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// Indicator and first day: what it is a revision of.
    pub(super) of: String,
    pub(super) revision: u32,
    pub(super) shown: u64,
    pub(super) withheld: u64,
}

#[derive(Deserialize)]
struct Content {
    indicator: String,
    period: Period,
    revision: u32,
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Period {
    from: String,
}

#[derive(Deserialize)]
struct Cell {
    value: Option<String>,
    #[serde(default)]
    withheld: bool,
}

/// Reads a release.
pub(super) fn read(text: &str) -> Result<Release, Refusal> {
    let content: Content = serde_json::from_str(text).map_err(|_| Refusal::Identifier)?;
    let withheld = content.cells.iter().filter(|cell| cell.withheld);
    if content.cells.is_empty() || withheld.clone().any(|cell| cell.value.is_some()) {
        return Err(Refusal::Identifier);
    }
    let count = |cells: usize| u64::try_from(cells).unwrap_or(u64::MAX);
    let withheld = withheld.count();
    Ok(Release {
        of: format!("{}/{}", content.indicator, content.period.from),
        revision: content.revision,
        shown: count(content.cells.len() - withheld),
        withheld: count(withheld),
    })
}
