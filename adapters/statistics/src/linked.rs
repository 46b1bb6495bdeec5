//! A new table beside those that were published before: other dimensions of the same statistic, or
//! earlier revisions of the same table.
//!
//! In: a suppression, and the releases before it. Out: every cell of the new table that is not
//! proven to be as uncertain as it must be once all are read together. An empty list, and only
//! that, says that it may be published.
//!
//! Takes totals of one statistic for the same figure in every release, whatever is broken down
//! below them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    audit::{AuditBounds, AuditError, System, identity, solve},
    release::Release,
    suppress::Suppression,
    table::{Cell, CellName},
};

/// A reason not to publish a new table beside earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A cell that is suppressed now was published before.
    #[error("`{cell}` is suppressed now and was published in release {release}")]
    PublishedBefore {
        /// The cell.
        cell: CellName,
        /// The place of the earlier release, from zero.
        release: usize,
    },
    /// All releases together leave a suppressed cell one value.
    #[error("`{0}` can be derived from all releases together")]
    Derivable(CellName),
    /// All releases together leave a suppressed cell less uncertain than it must be, or no proof
    /// that they do not was found.
    #[error("`{0}` is not proven to stay uncertain with all releases together")]
    TooNarrow(CellName),
    /// Two releases publish different figures of a cell, so that they say nothing together.
    #[error("`{0}` is published with two different figures")]
    Revised(CellName),
}

/// Compares a new table with all earlier releases of the statistic, the oldest first.
///
/// # Errors
///
/// When the audit has no answer within its bounds, or the releases contradict each other although
/// no figure was revised. A table that could not be compared is not to be published.
pub fn compare(
    new: &Suppression,
    statistic: &str,
    earlier: &[Release],
    bounds: &AuditBounds,
) -> Result<Vec<Finding>, AuditError> {
    let Ok(release) = new.release(statistic) else {
        return Err(AuditError::Inconsistent);
    };
    let mut findings = published_before(new, &release, earlier);
    let shown: BTreeSet<CellName> = findings
        .iter()
        .filter_map(|finding| match finding {
            Finding::PublishedBefore { cell, .. } => Some(cell.clone()),
            _ => None,
        })
        .collect();
    let all: Vec<&Release> = earlier.iter().chain([&release]).collect();
    let system = System::new(&all);
    findings.extend(system.contradictions.iter().cloned().map(Finding::Revised));
    let mut needs = BTreeMap::new();
    let mut cells = BTreeMap::new();
    for (cell, need) in new.needs() {
        if let Some(at) = system.unknown(&release, *cell) {
            needs.insert(at, *need);
            cells.insert(at, *cell);
        }
    }
    let derived = match solve(&system, Some(&needs), bounds) {
        Ok(derived) => derived,
        // Revised figures often agree with no one table; what is certain is told all the same.
        Err(AuditError::Inconsistent) if !findings.is_empty() => return Ok(findings),
        Err(error) => return Err(error),
    };
    for (at, need) in &needs {
        let Some((derived, cell)) = derived.get(*at).zip(cells.get(at)) else { continue };
        let name = release.shape().name(*cell);
        if derived.meets(*need) || shown.contains(&name) {
            continue;
        }
        let (low, high) = derived.possible;
        findings.push(match high {
            Some(high) if high <= low => Finding::Derivable(name),
            _ => Finding::TooNarrow(name),
        });
    }
    Ok(findings)
}

/// Every cell that is suppressed now and was published before.
fn published_before(new: &Suppression, release: &Release, earlier: &[Release]) -> Vec<Finding> {
    let suppressed: BTreeMap<_, Cell> =
        new.needs().keys().map(|cell| (identity(release, *cell), *cell)).collect();
    let mut findings = Vec::new();
    for (place, before) in earlier.iter().enumerate() {
        for cell in before.shape().cells().filter(|cell| before.figure(*cell).is_some()) {
            if let Some(now) = suppressed.get(&identity(before, cell)) {
                let cell = release.shape().name(*now);
                findings.push(Finding::PublishedBefore { cell, release: place });
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests;
