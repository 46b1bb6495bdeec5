//! What readers can derive of the figures that were withheld.
//!
//! In: one release, or several that are read together. Out: for each withheld cell what is certain
//! either way: values that it has in tables written down and checked, and bounds outside which it
//! cannot be. The interval that an attacker derives lies between the two.
//!
//! Must never let a cell pass as uncertain on the word of a solver that computes in floating point.

use std::collections::BTreeMap;

use crate::{release::Release, suppress::Need, table::Cell};

mod solver;
mod system;

use solver::{Answer, FAR, Group};
pub(crate) use system::{System, identity};

/// Rounds in which many figures of a group are moved at once.
const MOST_ROUNDS: usize = 24;

/// So few figures are looked at one by one.
const FEW: usize = 8;

/// How much work one audit may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuditBounds {
    /// Withheld figures that hang together through equations. More are not audited.
    pub most_together: usize,
    /// Programs solved in all.
    pub most_solves: usize,
    /// Branches of one program. Beyond it that program has no answer.
    pub most_nodes: u64,
}

impl Default for AuditBounds {
    fn default() -> Self {
        Self { most_together: 4_000, most_solves: 10_000, most_nodes: 1_000 }
    }
}

/// Why an audit has no answer. What has none may not be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// No table agrees with what was published.
    #[error("no table agrees with all that is published")]
    Inconsistent,
    /// More unknown figures hang together than the bound allows.
    #[error("{0} withheld figures hang together, more than the bound allows")]
    TooLarge(usize),
    /// The programs were not solved within the bound.
    #[error("the audit was not done within the bound on programs")]
    OutOfSolves,
}

/// What can be derived of a withheld cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Derived {
    /// The smallest and largest value that it has in tables of whole numbers which agree with
    /// everything published. Such tables were written down and checked exactly; none were found
    /// where this is empty.
    pub reached: Option<(i128, i128)>,
    /// It cannot be smaller or larger. No upper end: nothing bounds it.
    pub possible: (i128, Option<i128>),
}

impl Derived {
    /// Whether it is proven to be as uncertain as it must be.
    #[must_use]
    pub fn meets(&self, need: Need) -> bool {
        self.reached.is_some_and(|(low, high)| match need {
            Need::Range(from, to) => low <= from && to <= high,
            Need::Width(width) => high - low >= width,
        })
    }

    /// Whether it cannot be as uncertain as it must be.
    fn fails(&self, need: Need) -> bool {
        let (low, high) = self.possible;
        match need {
            Need::Range(from, to) => from < low || high.is_some_and(|high| high < to),
            Need::Width(width) => high.is_some_and(|high| high - low < width),
        }
    }

    /// Which way a figure is moved in a round: where it is still to be seen, else to either side in
    /// turn, each in another rhythm.
    fn weight(&self, need: Need, at: usize, round: usize) -> f64 {
        let up = match (need, self.reached) {
            (Need::Range(from, _), Some((low, _))) if low <= from => true,
            (Need::Range(_, to), Some((_, high))) if to <= high => false,
            _ => (at.wrapping_mul(0x9E37_79B1) >> (round % 16 + 8)) & 1 == 1,
        };
        if up { 1.0 } else { -1.0 }
    }

    fn reach(&mut self, value: i128) {
        let (low, high) = self.reached.unwrap_or((value, value));
        self.reached = Some((low.min(value), high.max(value)));
    }

    /// Whether a solve in this direction could tell more than is known.
    fn is_open(&self, direction: Direction) -> bool {
        match (direction, self.reached) {
            (Direction::Down, Some((low, _))) => self.possible.0 < low,
            (Direction::Up, Some((_, high))) => {
                self.possible.1.map_or(high < self.possible.0 + FAR, |most| high < most)
            }
            (_, None) => true,
        }
    }

    fn end(&mut self, direction: Direction, end: i128) {
        match direction {
            Direction::Down => self.possible.0 = self.possible.0.max(end),
            Direction::Up => {
                // At the end of where it was looked for, there may be more beyond.
                let beyond = self.possible.1.is_none() && end >= self.possible.0 + FAR;
                if !beyond {
                    self.possible.1 = Some(self.possible.1.map_or(end, |most| most.min(end)));
                }
            }
        }
    }
}

/// Which end of an interval is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Down,
    Up,
}

/// What readers can derive of each withheld cell of a release.
///
/// # Errors
///
/// When the figures contradict each other, or the work is more than the bounds allow.
pub fn audit(
    release: &Release,
    bounds: &AuditBounds,
) -> Result<BTreeMap<Cell, Derived>, AuditError> {
    let system = System::new(&[release]);
    let derived = solve(&system, None, bounds)?;
    let withheld = release.shape().cells().filter(|cell| release.figure(*cell).is_none());
    let found = withheld.filter_map(|cell| {
        let at = system.unknown(release, cell)?;
        Some((cell, *derived.get(at)?))
    });
    Ok(found.collect())
}

/// What can be derived of every unknown figure; with needs: of those alone, and only until it is
/// certain whether each is met.
pub(crate) fn solve(
    system: &System,
    needs: Option<&BTreeMap<usize, Need>>,
    bounds: &AuditBounds,
) -> Result<Vec<Derived>, AuditError> {
    if !system.is_consistent {
        return Err(AuditError::Inconsistent);
    }
    let mut derived = system.derived();
    let mut solves_left = bounds.most_solves;
    let components = system.components();
    let mut equations: BTreeMap<usize, Vec<&system::Equation>> = BTreeMap::new();
    let place: BTreeMap<usize, usize> = components
        .iter()
        .enumerate()
        .flat_map(|(place, members)| members.iter().map(move |at| (*at, place)))
        .collect();
    for equation in &system.equations {
        // All open terms of an equation are of one component.
        if let Some(place) = equation.terms.iter().find_map(|(at, _)| place.get(at)) {
            equations.entry(*place).or_default().push(equation);
        }
    }
    for (place, members) in components.iter().enumerate() {
        if needs.is_some_and(|needs| !members.iter().any(|at| needs.contains_key(at))) {
            continue;
        }
        if members.len() > bounds.most_together {
            return Err(AuditError::TooLarge(members.len()));
        }
        let equations = equations.remove(&place).unwrap_or_default();
        let group = Group::new(system, members, equations, bounds.most_nodes);
        if let Some(needs) = needs {
            spread(&group, members, needs, &mut derived, &mut solves_left);
        }
        for at in members {
            solve_one(&group, *at, needs, &mut derived, &mut solves_left)?;
        }
    }
    Ok(derived)
}

/// Moves many figures of a group at once, some up and some down, in rounds that differ in which,
/// as long as that meets more needs.
fn spread(
    group: &Group<'_>,
    members: &[usize],
    needs: &BTreeMap<usize, Need>,
    derived: &mut [Derived],
    solves_left: &mut usize,
) {
    for round in 0..MOST_ROUNDS {
        let open = |at: &usize| {
            let (need, here) = (needs.get(at)?, derived.get(*at)?);
            (!here.meets(*need) && !here.fails(*need)).then_some((*at, *need, *here))
        };
        let open: Vec<(usize, Need, Derived)> = members.iter().filter_map(open).collect();
        if open.len() < FEW {
            return;
        }
        let weights = open.iter().map(|(at, need, here)| (*at, here.weight(*need, *at, round)));
        let ranges = open.iter().filter_map(|(at, need, _)| match need {
            Need::Range(from, to) => Some((*at, (*from, *to))),
            Need::Width(_) => None,
        });
        let Some(left) = solves_left.checked_sub(1) else { return };
        *solves_left = left;
        for (at, value) in group.spread(weights.collect(), ranges.collect()).into_iter().flatten() {
            if let Some(one) = derived.get_mut(at) {
                one.reach(value);
            }
        }
    }
}

fn solve_one(
    group: &Group<'_>,
    at: usize,
    needs: Option<&BTreeMap<usize, Need>>,
    derived: &mut [Derived],
    solves_left: &mut usize,
) -> Result<(), AuditError> {
    for direction in [Direction::Down, Direction::Up] {
        let Some(here) = derived.get(at).copied() else { continue };
        let is_settled = match needs.map(|needs| needs.get(&at)) {
            None => false,
            Some(None) => true,
            Some(Some(need)) => here.meets(*need) || here.fails(*need),
        };
        if is_settled || !here.is_open(direction) {
            continue;
        }
        *solves_left = solves_left.checked_sub(1).ok_or(AuditError::OutOfSolves)?;
        match group.solve(at, direction) {
            Answer::Inconsistent => return Err(AuditError::Inconsistent),
            Answer::None => {}
            Answer::Found { figures, end } => {
                for (other, value) in figures.into_iter().flatten() {
                    if let Some(one) = derived.get_mut(other) {
                        one.reach(value);
                    }
                }
                if let Some((one, end)) = derived.get_mut(at).zip(end) {
                    one.end(direction, end);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
