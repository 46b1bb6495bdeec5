//! Which figures of a table may be published beside everything that was published before.
//!
//! Earlier releases are read as patterns: which cells they show and which they withhold, filled with
//! the figures of today. So a figure that was revised is no contradiction, and a cell that could be
//! worked out by putting old and new figures together is found whatever the figures are. A release of
//! another shape than that of today cannot be filled: nothing is published beside it.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_model::id::IndicatorId;
use lienthong_statistics::{
    audit::AuditBounds,
    linked,
    release::Release,
    suppress::{self, Bounds, Rules, Suppression, suppress},
    table::{Cell, Shape, Table},
};

use super::reason::Reason;

/// What another indicator has released of the same figures, and its figures of today.
#[derive(Debug)]
pub(crate) struct Related {
    pub(crate) name: IndicatorId,
    pub(crate) releases: Vec<Release>,
    pub(crate) table: Table,
    pub(crate) rules: Rules,
}

/// Which of the figures of a table may be published, after its own releases and those of others.
///
/// What was withheld stays withheld, and what was shown stays shown: else old and new together would
/// show both. Then everything that is withheld is looked at once more with all releases together, that
/// of others too.
pub(crate) fn protect(
    table: &Table,
    rules: &Rules,
    statistic: &str,
    own: &[Release],
    related: &[Related],
) -> Result<Suppression, Reason> {
    if own.iter().any(|release| release.shape() != table.shape()) {
        return Err(Reason::Reshaped(None));
    }
    let reshaped = |one: &&Related| one.releases.iter().any(|r| r.shape() != one.table.shape());
    if let Some(one) = related.iter().find(reshaped) {
        return Err(Reason::Reshaped(Some(one.name.clone())));
    }
    let releases = || own.iter().chain(related.iter().flat_map(|one| &one.releases));
    let shown: BTreeSet<Cell> = releases().flat_map(|one| seen(table.shape(), one, true)).collect();
    let mut withheld: BTreeSet<Cell> =
        releases().flat_map(|one| seen(table.shape(), one, false)).collect();
    let suppression = suppress(table, rules, &shown, &Bounds::default())?;
    withheld.extend(suppression.needs().keys().copied());
    let suppression = suppress::pattern(table, rules, &withheld)?;
    let mut earlier: Vec<Release> = own.iter().map(|one| restated(one, table)).collect();
    for one in related {
        earlier.extend(one.releases.iter().map(|release| restated(release, &one.table)));
    }
    let none = related.is_empty() && own.is_empty();
    let findings = if none {
        // What `suppress` has proven of one release alone need not be proven again.
        Vec::new()
    } else {
        linked::compare(&suppression, statistic, &earlier, &AuditBounds::default())?
    };
    if !findings.is_empty() {
        return Err(Reason::Linked(findings));
    }
    earlier.push(suppression.release(statistic).map_err(|_| Reason::CutOff)?);
    for one in related {
        others_stay_protected(one, statistic, &earlier)?;
    }
    Ok(suppression)
}

/// Makes sure that what another indicator withholds stays as uncertain as it must with all releases.
fn others_stay_protected(
    one: &Related,
    statistic: &str,
    releases: &[Release],
) -> Result<(), Reason> {
    let withheld: BTreeSet<Cell> =
        one.releases.iter().flat_map(|release| seen(one.table.shape(), release, false)).collect();
    let pattern = suppress::pattern(&one.table, &one.rules, &withheld)?;
    let findings = linked::compare(&pattern, statistic, releases, &AuditBounds::default())?;
    if findings.is_empty() {
        Ok(())
    } else {
        Err(Reason::Others { name: one.name.clone(), findings })
    }
}

/// Whether a release shows the figures of this table as they are.
pub(crate) fn is_unchanged(table: &Table, release: &Release) -> bool {
    table.shape() == release.shape()
        && release
            .shape()
            .cells()
            .all(|cell| release.figure(cell).is_none_or(|figure| table.value(cell) == Some(figure)))
}

/// The cells of a shape that a release shows, or withholds.
fn seen(shape: &Shape, release: &Release, is_shown: bool) -> Vec<Cell> {
    let own = release.shape();
    let cells = own.cells().filter(|cell| release.figure(*cell).is_some() == is_shown);
    cells
        .filter_map(|cell| if shape == own { Some(cell) } else { same(own, cell, shape) })
        .collect()
}

/// A release with the figures of today, of a table of its shape.
fn restated(release: &Release, today: &Table) -> Release {
    let shape = release.shape();
    let figure = |cell| release.figure(cell).and_then(|_| today.value(cell));
    let figures = shape.cells().map(figure).collect();
    let restated = Release::new(release.statistic(), shape.clone(), figures, release.least());
    restated.unwrap_or_else(|_| release.clone())
}

/// The cell of another shape that is the same figure: all codes but totals are the same.
fn same(shape: &Shape, cell: Cell, other: &Shape) -> Option<Cell> {
    let codes: BTreeMap<String, String> = shape.name(cell).0.into_iter().collect();
    let mut left = 0_usize;
    for dimension in shape.dimensions() {
        let code = codes.get(dimension.name())?;
        left += usize::from(code != dimension.code(dimension.total()));
    }
    let mut found = Vec::new();
    for dimension in other.dimensions() {
        let total = dimension.code(dimension.total());
        match codes.get(dimension.name()) {
            Some(code) if dimension.category(code).is_some() => {
                left = left.saturating_sub(usize::from(code != total));
                found.push(code.as_str());
            }
            Some(_) => return None,
            None => found.push(total),
        }
    }
    if left == 0 { other.cell(&found) } else { None }
}

#[cfg(test)]
mod tests;
