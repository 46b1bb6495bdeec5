//! What readers know, as equations over what they do not.
//!
//! In: one release or several. Out: the unknown figures, each once even where several releases
//! withhold it, the equations between them, and what follows from these by whole-number bounds
//! alone.

use std::collections::{BTreeMap, BTreeSet};

use super::{AuditError, Derived};
use crate::{
    release::Release,
    table::{Cell, CellName},
};

/// Rounds of narrowing bounds by equations. More would narrow further; nothing relies on it.
const MOST_ROUNDS: usize = 32;

/// What makes two cells of different releases the same figure: the statistic, and every code that
/// is not a total.
type Identity = (String, Vec<(String, String)>);

/// What is known of one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Known(u64),
    Unknown(usize),
}

/// The sum of some unknown figures, each added or taken away, is a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Equation {
    pub(super) terms: Vec<(usize, bool)>,
    pub(super) right: i128,
}

/// The unknown figures of some releases, and what is known about them.
#[derive(Debug)]
pub(crate) struct System {
    slots: BTreeMap<Identity, Slot>,
    pub(super) equations: Vec<Equation>,
    /// By unknown: nothing outside is possible.
    pub(super) possible: Vec<(i128, Option<i128>)>,
    /// Cells that two releases publish with different figures.
    pub(crate) contradictions: BTreeSet<CellName>,
    /// Whether no equation was found that contradicts the others.
    pub(super) is_consistent: bool,
}

pub(crate) fn identity(release: &Release, cell: Cell) -> Identity {
    let along = release.shape().along(cell);
    let parts = along.filter(|(dimension, category, _)| *category != dimension.total());
    let mut codes: Vec<(String, String)> = parts
        .map(|(dimension, category, _)| {
            (dimension.name().to_owned(), dimension.code(category).to_owned())
        })
        .collect();
    codes.sort_unstable();
    (release.statistic().to_owned(), codes)
}

impl System {
    /// The system of these releases, the newest last: where two publish different figures of one
    /// cell, the newest counts.
    pub(crate) fn new(releases: &[&Release]) -> Self {
        let mut system = Self {
            slots: BTreeMap::new(),
            equations: Vec::new(),
            possible: Vec::new(),
            contradictions: BTreeSet::new(),
            is_consistent: true,
        };
        for release in releases {
            system.take_known(release);
        }
        for release in releases {
            system.take_unknown(release);
        }
        let mut equations = BTreeSet::new();
        for release in releases {
            system.is_consistent &= system.take_equations(release, &mut equations).is_ok();
        }
        system.equations = equations.into_iter().collect();
        system.is_consistent &= system.narrow().is_ok();
        system
    }

    /// The place of a cell among the unknown.
    pub(crate) fn unknown(&self, release: &Release, cell: Cell) -> Option<usize> {
        match self.slots.get(&identity(release, cell)) {
            Some(Slot::Unknown(at)) => Some(*at),
            _ => None,
        }
    }

    fn take_known(&mut self, release: &Release) {
        for cell in release.shape().cells() {
            let Some(figure) = release.figure(cell) else { continue };
            let before = self.slots.insert(identity(release, cell), Slot::Known(figure));
            if before.is_some_and(|before| before != Slot::Known(figure)) {
                self.contradictions.insert(release.shape().name(cell));
            }
        }
    }

    fn take_unknown(&mut self, release: &Release) {
        for cell in release.shape().cells().filter(|cell| release.figure(*cell).is_none()) {
            let next = Slot::Unknown(self.possible.len());
            let slot = *self.slots.entry(identity(release, cell)).or_insert(next);
            let Slot::Unknown(at) = slot else { continue };
            if slot == next {
                self.possible.push((0, None));
            }
            if release.shape().is_leaf(cell)
                && let Some((low, _)) = self.possible.get_mut(at)
            {
                *low = (*low).max(i128::from(release.least()));
            }
        }
    }

    fn take_equations(
        &self,
        release: &Release,
        equations: &mut BTreeSet<Equation>,
    ) -> Result<(), AuditError> {
        for sum in release.shape().sums() {
            let mut equation = Equation { terms: Vec::new(), right: 0 };
            let whole = std::iter::once((sum.whole, true));
            for (cell, adds) in whole.chain(sum.parts.iter().map(|part| (*part, false))) {
                match self.slots.get(&identity(release, cell)) {
                    Some(Slot::Unknown(at)) => equation.terms.push((*at, adds)),
                    Some(Slot::Known(figure)) if adds => equation.right -= i128::from(*figure),
                    Some(Slot::Known(figure)) => equation.right += i128::from(*figure),
                    None => return Err(AuditError::Inconsistent),
                }
            }
            equation.terms.sort_unstable();
            if !equation.terms.is_empty() {
                equations.insert(equation);
            } else if equation.right != 0 {
                return Err(AuditError::Inconsistent);
            }
        }
        Ok(())
    }

    /// Narrows what is possible by each equation in turn, as a reader would with a pencil.
    fn narrow(&mut self) -> Result<(), AuditError> {
        for _ in 0..MOST_ROUNDS {
            let mut changed = false;
            for equation in &self.equations {
                changed |= equation.narrow(&mut self.possible)?;
            }
            if !changed {
                break;
            }
        }
        Ok(())
    }

    /// Groups of unknown figures that share no equation with those of another group, without those
    /// that have one possible value left.
    pub(super) fn components(&self) -> Vec<Vec<usize>> {
        let mut group: Vec<usize> = (0..self.possible.len()).collect();
        for equation in &self.equations {
            let mut open = equation.terms.iter().filter(|(at, _)| self.is_open(*at));
            let Some((first, _)) = open.next() else { continue };
            for (at, _) in open {
                let (a, b) = (root(&mut group, *first), root(&mut group, *at));
                if let Some(parent) = group.get_mut(a.max(b)) {
                    *parent = a.min(b);
                }
            }
        }
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in (0..self.possible.len()).filter(|at| self.is_open(*at)) {
            found.entry(root(&mut group, at)).or_default().push(at);
        }
        found.into_values().collect()
    }

    fn is_open(&self, at: usize) -> bool {
        self.possible.get(at).is_some_and(|(low, high)| Some(*low) != *high)
    }

    /// What is known before any program is solved.
    pub(super) fn derived(&self) -> Vec<Derived> {
        let derive = |possible: &(i128, Option<i128>)| {
            let reached = (Some(possible.0) == possible.1).then_some((possible.0, possible.0));
            Derived { reached, possible: *possible }
        };
        self.possible.iter().map(derive).collect()
    }
}

fn root(group: &mut [usize], mut at: usize) -> usize {
    while let Some(parent) = group.get(at).copied().filter(|parent| *parent != at) {
        // Halving the way to the root keeps the trees flat.
        let above = group.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = group.get_mut(at) {
            *slot = above;
        }
        at = above;
    }
    at
}

/// What the terms of an equation add up to at one end, of which some may have none.
#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    sum: i128,
    without_end: usize,
}

impl Extent {
    fn add(&mut self, end: Option<i128>) {
        match end {
            Some(end) => self.sum += end,
            None => self.without_end += 1,
        }
    }

    /// The same of all terms but one.
    fn without(self, end: Option<i128>) -> Option<i128> {
        match (end, self.without_end) {
            (Some(end), 0) => Some(self.sum - end),
            (None, 1) => Some(self.sum),
            _ => None,
        }
    }
}

impl Equation {
    /// Narrows the bounds of its terms. Tells whether any became narrower.
    fn narrow(&self, possible: &mut [(i128, Option<i128>)]) -> Result<bool, AuditError> {
        let (mut least, mut most) = (Extent::default(), Extent::default());
        let mut ends = Vec::with_capacity(self.terms.len());
        for (at, adds) in &self.terms {
            let (low, high) = possible.get(*at).copied().unwrap_or((0, None));
            let (down, up) =
                if *adds { (Some(low), high) } else { (high.map(|high| -high), Some(-low)) };
            least.add(down);
            most.add(up);
            ends.push((*at, *adds, down, up));
        }
        let mut changed = false;
        for (at, adds, down, up) in ends {
            let from = most.without(up).map(|most| self.right - most);
            let to = least.without(down).map(|least| self.right - least);
            let (from, to) = if adds { (from, to) } else { (to.map(|t| -t), from.map(|f| -f)) };
            let Some(bounds) = possible.get_mut(at) else { continue };
            let low = from.map_or(bounds.0, |from| from.max(bounds.0));
            let high = match (bounds.1, to) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (one, other) => one.or(other),
            };
            if high.is_some_and(|high| high < low) {
                return Err(AuditError::Inconsistent);
            }
            changed |= *bounds != (low, high);
            *bounds = (low, high);
        }
        Ok(changed)
    }

    /// Whether whole numbers fulfil it.
    pub(super) fn holds(&self, value: &dyn Fn(usize) -> Option<i128>) -> bool {
        let mut sum = 0_i128;
        for (at, adds) in &self.terms {
            let Some(value) = value(*at) else { return false };
            sum += if *adds { value } else { -value };
        }
        sum == self.right
    }
}

#[cfg(test)]
mod tests;
