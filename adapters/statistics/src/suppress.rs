//! Which cells of a table are published and which are not.
//!
//! In: a [`Table`] and [`Rules`]. Out: a [`Suppression`] in which every suppressed cell is proven,
//! by two whole-number tables that agree with everything published, to be as uncertain as the rules
//! ask; or the reason why the table may not be published at all.
//!
//! Must never publish a cell that is not proven, and never take longer than its bounds.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
};

use crate::{
    release::{Release, ReleaseError},
    table::{Cell, CellName, Table},
};

mod proof;
mod rules;
mod search;

use proof::Proof;
pub use rules::{Dominance, Need, Protection, Rules, RulesError, Zeros};
use search::{Change, OutOfSteps, Reach, Search, Wanted};

/// How much work one table may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Moves looked at to protect every cell. Beyond it the table is refused.
    pub most_steps: u64,
    /// Moves looked at afterwards to publish again what is not needed. Beyond it they stay hidden.
    pub most_steps_of_release: u64,
    /// Moves looked at for one cell at a time.
    pub most_candidates: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            most_steps: 400_000_000,
            most_steps_of_release: 400_000_000,
            most_candidates: 20_000,
        }
    }
}

/// What becomes of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Readers see its figure.
    Published,
    /// Suppressed because it is a risk.
    Primary,
    /// Suppressed because a primary cell could be derived from it.
    Complement,
}

/// Why a table may not be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SuppressError {
    /// The rules do not fit the table.
    #[error(transparent)]
    Rules(#[from] RulesError),
    /// A cell that is a risk is known to readers already.
    #[error("`{0}` is a risk and known to readers already")]
    KnownAlready(CellName),
    /// A cell that no pattern within the bounds protects.
    #[error("`{0}` cannot be protected")]
    NotProtectable(CellName),
    /// The work was not done within its bound.
    #[error("the table was not protected within the bound on steps")]
    OutOfSteps,
    /// Every cell would have to be suppressed.
    #[error("no cell of the table could be published")]
    NothingLeft,
    /// The last check found a cell whose proof does not hold.
    #[error("the protection of `{0}` could not be proven")]
    Unproven(CellName),
}

impl From<OutOfSteps> for SuppressError {
    fn from(_: OutOfSteps) -> Self {
        Self::OutOfSteps
    }
}

/// A table with what becomes of each cell.
#[derive(Clone, PartialEq, Eq)]
pub struct Suppression {
    table: Table,
    least: u64,
    standings: Vec<Standing>,
    needs: BTreeMap<Cell, Need>,
}

impl fmt::Debug for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |standing| self.count(standing);
        f.debug_struct("Suppression")
            .field("published", &count(Standing::Published))
            .field("primary", &count(Standing::Primary))
            .field("complements", &count(Standing::Complement))
            .finish()
    }
}

impl Suppression {
    /// What becomes of a cell.
    #[must_use]
    pub fn standing(&self, cell: Cell) -> Standing {
        // What is no cell of the table has no figure to see.
        self.standings.get(cell.0).copied().unwrap_or(Standing::Primary)
    }

    /// How many cells have this standing.
    #[must_use]
    pub fn count(&self, standing: Standing) -> usize {
        self.standings.iter().filter(|one| **one == standing).count()
    }

    /// Every suppressed cell with the uncertainty that is proven for it.
    #[must_use]
    pub fn needs(&self) -> &BTreeMap<Cell, Need> {
        &self.needs
    }

    /// The figure of a cell, if it is published.
    #[must_use]
    pub fn figure(&self, cell: Cell) -> Option<u64> {
        self.table.value(cell).filter(|_| self.standing(cell) == Standing::Published)
    }

    /// What readers see.
    ///
    /// # Errors
    ///
    /// Never for a suppression of this module, whose figures are those of its shape.
    pub fn release(&self, statistic: &str) -> Result<Release, ReleaseError> {
        let shape = self.table.shape();
        let figures = shape.cells().map(|cell| self.figure(cell)).collect();
        Release::new(statistic, shape.clone(), figures, self.least)
    }
}

/// Decides which cells of a table are published.
///
/// `known` are cells whose figure readers know in any case: what is impossible by nature, or was
/// published before. They are never used to protect another.
///
/// # Errors
///
/// When the rules do not fit, a risk is known already, or no pattern within the bounds is proven.
pub fn suppress(
    table: &Table,
    rules: &Rules,
    known: &BTreeSet<Cell>,
    bounds: &Bounds,
) -> Result<Suppression, SuppressError> {
    let mut needs = rules::primary(table, rules)?;
    let impossible = |cell: &Cell| known.contains(cell) && table.value(*cell) == Some(0);
    needs.retain(|cell, _| !impossible(cell));
    if let Some(cell) = needs.keys().find(|cell| known.contains(cell)) {
        return Err(SuppressError::KnownAlready(table.shape().name(*cell)));
    }
    let primary: BTreeSet<Cell> = needs.keys().copied().collect();
    let mut work = Work::new(table, rules, known, bounds, needs);
    work.protect_all()?;
    work.publish_what_is_not_needed(&primary, bounds.most_steps_of_release);
    work.check()?;
    let standing = |cell: Cell| match (primary.contains(&cell), work.search.is_hidden(cell)) {
        (true, _) => Standing::Primary,
        (false, true) => Standing::Complement,
        (false, false) => Standing::Published,
    };
    let standings: Vec<Standing> = table.shape().cells().map(standing).collect();
    if !standings.contains(&Standing::Published) {
        return Err(SuppressError::NothingLeft);
    }
    Ok(Suppression { table: table.clone(), least: rules.least(), standings, needs: work.needs })
}

/// A table with these cells suppressed and no others, each with what it needs. Nothing of that is proven
/// here, and cells that are a risk may be published: it is for [`crate::linked::compare`], which tells
/// what does not hold beside other releases.
///
/// # Errors
///
/// When the rules do not fit the table, or no cell is left.
pub fn pattern(
    table: &Table,
    rules: &Rules,
    suppressed: &BTreeSet<Cell>,
) -> Result<Suppression, SuppressError> {
    let primary = rules::primary(table, rules)?;
    let width = Need::Width(i128::from(rules.complement_width));
    let need = |cell: &Cell| (*cell, primary.get(cell).copied().unwrap_or(width));
    let standing = |cell: Cell| match (suppressed.contains(&cell), primary.contains_key(&cell)) {
        (false, _) => Standing::Published,
        (true, true) => Standing::Primary,
        (true, false) => Standing::Complement,
    };
    let standings: Vec<Standing> = table.shape().cells().map(standing).collect();
    if !standings.contains(&Standing::Published) {
        return Err(SuppressError::NothingLeft);
    }
    let needs = suppressed.iter().map(need).collect();
    Ok(Suppression { table: table.clone(), least: rules.least(), standings, needs })
}

/// A table on its way to being protected.
struct Work<'a> {
    table: &'a Table,
    search: Search<'a>,
    least: u64,
    complement_width: i128,
    /// What each hidden cell needs.
    needs: BTreeMap<Cell, Need>,
    proofs: BTreeMap<Cell, Proof>,
    /// By cell, those whose proofs change it.
    passing: BTreeMap<Cell, BTreeSet<Cell>>,
}

impl<'a> Work<'a> {
    fn new(
        table: &'a Table,
        rules: &Rules,
        known: &BTreeSet<Cell>,
        bounds: &Bounds,
        needs: BTreeMap<Cell, Need>,
    ) -> Self {
        let zero = |cell: &Cell| table.value(*cell) == Some(0);
        let published = |cell: &Cell| rules.zeros == Zeros::Published && zero(cell);
        let mut fixed = known.clone();
        fixed.extend(table.shape().cells().filter(published));
        let (steps, candidates) = (bounds.most_steps, bounds.most_candidates);
        let mut search = Search::new(table, &fixed, rules.least(), steps, candidates);
        for cell in needs.keys() {
            search.hide(*cell, true);
        }
        let complement_width = i128::from(rules.complement_width);
        Self {
            table,
            search,
            least: rules.least(),
            complement_width,
            needs,
            proofs: BTreeMap::new(),
            passing: BTreeMap::new(),
        }
    }

    /// Protects every hidden cell, those that are hidden on the way too.
    fn protect_all(&mut self) -> Result<(), SuppressError> {
        let mut waiting: VecDeque<Cell> = self.needs.keys().copied().collect();
        while let Some(cell) = waiting.pop_front() {
            let more = self.protect(cell, Reach::Further)?;
            let more = more.ok_or_else(|| self.not_protectable(cell))?;
            waiting.extend(more);
        }
        Ok(())
    }

    fn not_protectable(&self, cell: Cell) -> SuppressError {
        SuppressError::NotProtectable(self.table.shape().name(cell))
    }

    /// Finds a proof for one cell; tells what had to be hidden for it, or nothing if there is none.
    fn protect(&mut self, cell: Cell, reach: Reach) -> Result<Option<Vec<Cell>>, OutOfSteps> {
        let (Some(need), Some(value)) = (self.needs.get(&cell), self.table.value(cell)) else {
            return Ok(None);
        };
        let mut wanted = wanted(*need, i128::from(value));
        let mut proof = Proof::default();
        let mut hidden = Vec::new();
        while wanted.both > 0 {
            let changes = (&proof.up, &proof.down);
            let mut found = self.search.best(cell, Reach::HiddenOnly, wanted, changes)?;
            if found.is_none() && reach == Reach::Further {
                found = self.search.best(cell, Reach::Further, wanted, changes)?;
            }
            let Some(found) = found else { return Ok(None) };
            let up = found.up.min(wanted.both);
            let down = found.down.min(wanted.both - up);
            for (at, adds) in &found.cells {
                hidden.extend(self.hide(Cell(*at)));
                if self.search.is_leaf(*at) {
                    shift(&mut proof.up, *at, if *adds { up } else { -up });
                    shift(&mut proof.down, *at, if *adds { -down } else { down });
                }
            }
            wanted.up -= up;
            wanted.down -= down;
            wanted.both -= up + down;
        }
        self.keep(cell, Some(proof));
        Ok(Some(hidden))
    }

    /// Keeps this proof of a cell in place of the one before.
    fn keep(&mut self, cell: Cell, proof: Option<Proof>) {
        let old = match &proof {
            Some(proof) => self.proofs.insert(cell, proof.clone()),
            None => self.proofs.remove(&cell),
        };
        for at in old.map(|old| old.touched(self.table)).unwrap_or_default() {
            self.passing.entry(at).or_default().remove(&cell);
        }
        for at in proof.map(|proof| proof.touched(self.table)).unwrap_or_default() {
            self.passing.entry(at).or_default().insert(cell);
        }
    }

    /// Hides a cell, which needs a proof of its own from then on.
    fn hide(&mut self, cell: Cell) -> Option<Cell> {
        if self.search.is_hidden(cell) {
            return None;
        }
        self.search.hide(cell, true);
        self.needs.insert(cell, Need::Width(self.complement_width));
        Some(cell)
    }

    /// Publishes again each complement without which every proof can be found all the same, the
    /// dearest first.
    fn publish_what_is_not_needed(&mut self, primary: &BTreeSet<Cell>, steps: u64) {
        self.search.allow(steps);
        let complements = self.needs.keys().filter(|cell| !primary.contains(cell));
        let mut complements: Vec<Cell> = complements.copied().collect();
        complements.sort_by_key(|cell| (std::cmp::Reverse(self.search.cost(*cell)), *cell));
        for cell in complements {
            match self.publish(cell) {
                Ok(()) => {}
                Err(OutOfSteps) => return,
            }
        }
    }

    fn publish(&mut self, cell: Cell) -> Result<(), OutOfSteps> {
        let passing = self.passing.get(&cell).into_iter().flatten();
        let before: Vec<(Cell, Option<Proof>)> =
            passing.map(|other| (*other, self.proofs.get(other).cloned())).collect();
        self.search.hide(cell, false);
        let mut outcome = Ok(true);
        for (other, _) in before.iter().filter(|(other, _)| *other != cell) {
            outcome = self.protect(*other, Reach::HiddenOnly).map(|found| found.is_some());
            if outcome != Ok(true) {
                break;
            }
        }
        if outcome == Ok(true) {
            self.needs.remove(&cell);
            self.keep(cell, None);
            return Ok(());
        }
        self.search.hide(cell, true);
        for (other, proof) in before {
            self.keep(other, proof);
        }
        outcome.map(drop)
    }

    // INVARIANT: nothing leaves this module whose proofs were not checked again from the table and
    // the final pattern alone.
    fn check(&self) -> Result<(), SuppressError> {
        let published = |cell: Cell| !self.search.is_hidden(cell);
        for cell in self.table.shape().cells().filter(|cell| !published(*cell)) {
            let need = self.needs.get(&cell);
            let holds = need.zip(self.proofs.get(&cell)).is_some_and(|(need, proof)| {
                proof.holds(self.table, self.least, &published, cell, *need)
            });
            if !holds {
                return Err(SuppressError::Unproven(self.table.shape().name(cell)));
            }
        }
        Ok(())
    }
}

fn shift(change: &mut Change, at: usize, by: i128) {
    if by != 0 {
        *change.entry(at).or_default() += by;
    }
}

fn wanted(need: Need, value: i128) -> Wanted {
    match need {
        Need::Range(low, high) => {
            let (up, down) = ((high - value).max(0), (value - low).max(0));
            Wanted { up, down, both: up + down }
        }
        Need::Width(width) => Wanted { up: width, down: width, both: width },
    }
}

#[cfg(test)]
mod tests;
