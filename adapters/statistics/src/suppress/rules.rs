//! Which cells are a risk in themselves, and how uncertain each must stay.
//!
//! In: a table and [`Rules`]. Out: every primary cell with the interval that readers must not be
//! able to narrow. A rule that needs what the table does not have is an error, never skipped.

use std::{collections::BTreeMap, fmt};

use crate::table::{Cell, CellName, Contributed, Kind, Table};

/// What is done with cells that are zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zeros {
    /// A zero tells of someone too, as in "nobody passed": suppressed like a small cell.
    Primary,
    /// A zero is no risk, but may be suppressed to protect another cell.
    Complement,
    /// Every zero is published. Readers then know that what is suppressed is not zero.
    Published,
}

/// How uncertain a primary cell must stay at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Anything from nothing to one below the threshold must be possible. For counts only.
    Range,
    /// So much more and less than the value must be possible, in units of the last decimal.
    Around(u64),
    /// So many hundredths of the value more and less must be possible.
    Share(u32),
}

/// A cell is a risk when its `largest` contributors bring more than `percent` of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dominance {
    /// How many of the largest contributors are taken together.
    pub largest: usize,
    /// The share of the cell, in hundredths, that they may have.
    pub percent: u32,
}

/// The rules of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// A cell of fewer, but not none, is a risk; of sums: a cell of fewer contributors.
    pub threshold: Option<u64>,
    /// The (n, k) rule, for sums.
    pub dominance: Option<Dominance>,
    /// The p% rule, for sums: the second contributor must not know the largest any better.
    pub p_percent: Option<u32>,
    /// What is done with zeros.
    pub zeros: Zeros,
    /// How uncertain a primary cell must stay.
    pub protection: Protection,
    /// How wide the interval of every other suppressed cell must stay at least.
    pub complement_width: u64,
}

/// Why rules cannot be applied to a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// No rule for what the table holds.
    #[error("no rule says which cells are a risk: counts need a threshold, sums any rule")]
    None,
    /// A rule on contributions for a table of counts.
    #[error("dominance and p% are rules for sums, not for counts")]
    CountsHaveNoContributors,
    /// A threshold that protects nobody.
    #[error("the threshold must be at least {0}")]
    Threshold(u64),
    /// A range for sums.
    #[error("sums are protected by a width around the value or a share of it, not by a range")]
    RangeOfSums,
    /// A width, share or percentage out of its range.
    #[error("`{0}` is out of its range")]
    OutOfRange(&'static str),
    /// A cell whose contributions, or enough of them, were not given.
    #[error("the contributions of `{0}` are needed and were not given")]
    ContributionsMissing(CellName),
}

impl Rules {
    /// Rules for counts of people: a threshold, zeros that may protect others, and the full range
    /// below the threshold for every suppressed cell.
    #[must_use]
    pub fn counts(threshold: u64) -> Self {
        Self {
            threshold: Some(threshold),
            dominance: None,
            p_percent: None,
            zeros: Zeros::Complement,
            protection: Protection::Range,
            complement_width: threshold.saturating_sub(1),
        }
    }

    /// What readers know a suppressed cell without parts to hold at least.
    #[must_use]
    pub fn least(&self) -> u64 {
        u64::from(self.zeros == Zeros::Published)
    }

    fn check(&self, kind: Kind) -> Result<(), RulesError> {
        let on_contributions = self.dominance.is_some() || self.p_percent.is_some();
        match kind {
            Kind::Counts if on_contributions => return Err(RulesError::CountsHaveNoContributors),
            Kind::Counts if self.threshold.is_none() => return Err(RulesError::None),
            Kind::Sums { .. } if self.threshold.is_none() && !on_contributions => {
                return Err(RulesError::None);
            }
            Kind::Sums { .. } if self.protection == Protection::Range => {
                return Err(RulesError::RangeOfSums);
            }
            _ => {}
        }
        // Below these a suppressed cell would have one possible value only.
        let lowest = 2 + self.least();
        if self.threshold.is_some_and(|threshold| threshold < lowest) {
            return Err(RulesError::Threshold(lowest));
        }
        self.check_ranges()
    }

    fn check_ranges(&self) -> Result<(), RulesError> {
        let dominance_fits =
            self.dominance.is_none_or(|d| d.largest > 0 && (1..100).contains(&d.percent));
        let protection_fits = match self.protection {
            Protection::Range => true,
            Protection::Around(width) => width > 0,
            Protection::Share(percent) => (1..=1_000).contains(&percent),
        };
        let checks = [
            ("dominance", dominance_fits),
            ("p_percent", self.p_percent.is_none_or(|p| (1..=1_000).contains(&p))),
            ("protection", protection_fits),
            ("complement_width", self.complement_width > 0),
        ];
        match checks.iter().find(|(_, fits)| !fits) {
            Some((name, _)) => Err(RulesError::OutOfRange(name)),
            None => Ok(()),
        }
    }
}

/// How uncertain a suppressed cell must stay. For the owner of the table: a range may lie around the
/// figure that it protects.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Everything from the first to the second must lie within what readers can derive.
    Range(i128, i128),
    /// What readers can derive must be at least so wide.
    Width(i128),
}

impl fmt::Debug for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(..) => f.write_str("Range(..)"),
            Self::Width(width) => write!(f, "Width({width})"),
        }
    }
}

/// Every cell that is a risk in itself, with what it needs.
pub(crate) fn primary(table: &Table, rules: &Rules) -> Result<BTreeMap<Cell, Need>, RulesError> {
    rules.check(table.kind())?;
    let floors = floors(table, rules);
    let mut found = BTreeMap::new();
    for (cell, value) in table.shape().cells().zip(table.values()) {
        if let Some(level) = level(table, rules, cell, *value)? {
            let floor = floors.get(cell.0).copied().unwrap_or_default();
            found.insert(cell, need(rules, i128::from(*value), floor, level));
        }
    }
    Ok(found)
}

/// What readers know each cell to hold at least before they look at any other figure: each of its
/// leaves that is not published as zero.
fn floors(table: &Table, rules: &Rules) -> Vec<i128> {
    let mut floors = vec![0; table.shape().len()];
    if rules.least() == 0 {
        return floors;
    }
    for (cell, value) in table.shape().cells().zip(table.values()) {
        if *value > 0 && table.shape().is_leaf(cell) {
            for above in table.shape().upward(cell) {
                if let Some(floor) = floors.get_mut(above.0) {
                    *floor += 1;
                }
            }
        }
    }
    floors
}

fn need(rules: &Rules, value: i128, floor: i128, level: i128) -> Need {
    let around = |width: i128| Need::Range((value - width).max(floor), value + width);
    match rules.protection {
        Protection::Range => {
            let top = rules.threshold.map_or(0, i128::from) - 1;
            // Where published zeros give away a lower bound, the upper one moves up with it.
            let width = i128::from(rules.complement_width);
            Need::Range(floor, if floor > 0 { top.max(floor + width) } else { top })
        }
        Protection::Around(width) => around(level.max(i128::from(width))),
        Protection::Share(percent) => around(level.max(share(value, percent))),
    }
}

fn share(value: i128, percent: u32) -> i128 {
    ceiling(value * i128::from(percent), 100).max(1)
}

fn ceiling(number: i128, divisor: i128) -> i128 {
    number.div_euclid(divisor) + i128::from(number.rem_euclid(divisor) != 0)
}

/// By how much the rules that a cell breaks ask for its value to be hidden; nothing if it breaks
/// none.
fn level(table: &Table, rules: &Rules, cell: Cell, value: u64) -> Result<Option<i128>, RulesError> {
    if value == 0 {
        return Ok((rules.zeros == Zeros::Primary).then_some(1));
    }
    let Kind::Sums { .. } = table.kind() else {
        return Ok(rules.threshold.is_some_and(|threshold| value < threshold).then_some(1));
    };
    let missing = || RulesError::ContributionsMissing(table.shape().name(cell));
    let contributed = table.contributed(cell).ok_or_else(missing)?;
    let few = rules.threshold.is_some_and(|threshold| contributed.contributors < threshold);
    let mut level = few.then_some(1);
    let value = i128::from(value);
    if let Some(dominance) = rules.dominance {
        let largest = largest(contributed, dominance.largest).ok_or_else(missing)?;
        let hidden = ceiling(largest * 100, i128::from(dominance.percent)) - value;
        level = level.max((hidden > 0).then_some(hidden));
    }
    if let Some(p) = rules.p_percent {
        let first = largest(contributed, 1).ok_or_else(missing)?;
        let both = largest(contributed, 2).ok_or_else(missing)?;
        let hidden = ceiling(first * i128::from(p), 100) - (value - both);
        level = level.max((hidden > 0).then_some(hidden));
    }
    Ok(level)
}

/// What the largest so many contributors bring together; nothing if too few of them are listed.
fn largest(contributed: &Contributed, count: usize) -> Option<i128> {
    let listed = contributed.largest.len();
    let all = u64::try_from(listed).is_ok_and(|listed| listed == contributed.contributors);
    let sum = contributed.largest.iter().take(count).copied().map(i128::from).sum();
    (listed >= count || all).then_some(sum)
}

#[cfg(test)]
mod tests;
