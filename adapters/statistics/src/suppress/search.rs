//! Moves: ways to change a table that change no published cell.
//!
//! A move takes, in each dimension, a leaf below the target and at most one leaf elsewhere that
//! makes up for it; their combinations are added to and taken from in turn, so that every cell
//! outside the move keeps its figure. In: the table, what is hidden so far, what may never be. Out:
//! the move that costs least for what it gains, ties broken by category code.
//!
//! Must never propose a move through a cell that has to stay published.

use std::collections::{BTreeMap, BTreeSet};

use crate::table::{Category, Cell, Dimension, Table};

/// A table that is changed: leaves with how much they are changed.
pub(crate) type Change = BTreeMap<usize, i128>;

/// What is left to be gained for a target, upwards and downwards, and in both together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) up: i128,
    pub(crate) down: i128,
    pub(crate) both: i128,
}

/// What a move through certain cells does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Move {
    /// Every cell it changes, and whether it adds to it when the target goes up.
    pub(crate) cells: Vec<(usize, bool)>,
    /// By how much the target can go up and down with it.
    pub(crate) up: i128,
    pub(crate) down: i128,
    cost: u64,
}

/// Whether a move may hide more than is hidden already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    HiddenOnly,
    Further,
}

/// The search was ended by its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutOfSteps;

/// What is known of a cell, in one place for the innermost loop.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Its value above what readers know it to hold at least.
    room: i128,
    cost: u64,
    is_leaf: bool,
    hidden: bool,
    fixed: bool,
}

/// A table with what is hidden of it.
pub(crate) struct Search<'a> {
    table: &'a Table,
    places: Vec<Place>,
    steps_left: u64,
    most_candidates: usize,
}

/// A leaf, what makes up for it, and all above them that they do not share.
struct Path {
    steps: Vec<(usize, bool)>,
    cost: u64,
}

impl<'a> Search<'a> {
    pub(crate) fn new(
        table: &'a Table,
        fixed: &BTreeSet<Cell>,
        least: u64,
        steps: u64,
        most_candidates: usize,
    ) -> Self {
        let shape = table.shape();
        let place = |(cell, value): (Cell, &u64)| Place {
            room: i128::from(*value) - i128::from(least),
            cost: cost(table, cell, *value),
            is_leaf: shape.is_leaf(cell),
            hidden: false,
            fixed: fixed.contains(&cell),
        };
        let places = shape.cells().zip(table.values()).map(place).collect();
        Self { table, places, steps_left: steps, most_candidates }
    }

    pub(crate) fn is_hidden(&self, cell: Cell) -> bool {
        self.places.get(cell.0).is_some_and(|place| place.hidden)
    }

    pub(crate) fn hide(&mut self, cell: Cell, hidden: bool) {
        if let Some(place) = self.places.get_mut(cell.0) {
            place.hidden = hidden;
        }
    }

    /// What hiding a cell costs.
    pub(crate) fn cost(&self, cell: Cell) -> u64 {
        self.places.get(cell.0).map_or(0, |place| place.cost)
    }

    pub(crate) fn is_leaf(&self, cell: usize) -> bool {
        self.places.get(cell).is_some_and(|place| place.is_leaf)
    }

    /// The cheapest move of a target for what it gains, from tables already changed up and down.
    pub(crate) fn best(
        &mut self,
        target: Cell,
        reach: Reach,
        wanted: Wanted,
        (up, down): (&Change, &Change),
    ) -> Result<Option<Move>, OutOfSteps> {
        let paths = self.paths(target, reach)?;
        let mut trial = Trial { reach, wanted, up, down, best: None };
        self.combine(&[(0, true)], 0, &paths, &mut trial)?;
        Ok(trial.best)
    }

    /// Tries every way to go on from some cells, which cost so much at least.
    fn combine(
        &mut self,
        so_far: &[(usize, bool)],
        cost: u64,
        rest: &[Vec<Path>],
        trial: &mut Trial<'_>,
    ) -> Result<(), OutOfSteps> {
        let Some((next, rest)) = rest.split_first() else {
            self.spend(1)?;
            trial.consider(&self.places, so_far);
            return Ok(());
        };
        for path in next {
            // PERF: bench `suppress`. The cells beside the target in each dimension are part of
            // the move and of no other dimension, so their costs add up; later paths cost more.
            let cost = cost.saturating_add(path.cost);
            if trial.is_hopeless(cost) {
                break;
            }
            let mut cells = Vec::with_capacity(so_far.len() * path.steps.len());
            for (at, adds) in so_far {
                cells.extend(path.steps.iter().map(|(step, plus)| (at + step, adds == plus)));
            }
            self.combine(&cells, cost, rest, trial)?;
        }
        Ok(())
    }

    /// Sets how many more moves may be looked at.
    pub(crate) fn allow(&mut self, steps: u64) {
        self.steps_left = steps;
    }

    fn spend(&mut self, steps: u64) -> Result<(), OutOfSteps> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(OutOfSteps)?;
        Ok(())
    }

    /// In each dimension the paths that a move of the target may take, the cheapest first, so few
    /// that their combinations stay within the bound.
    fn paths(&mut self, target: Cell, reach: Reach) -> Result<Vec<Vec<Path>>, OutOfSteps> {
        let mut found = Vec::new();
        let table = self.table;
        for (dimension, category, stride) in table.shape().along(target) {
            let base = target.0 - category.0 * stride;
            let mut paths = Vec::new();
            for steps in ways(dimension, category, self.most_candidates) {
                self.spend(1)?;
                let steps: Vec<(usize, bool)> =
                    steps.into_iter().map(|(step, adds)| (step.0 * stride, adds)).collect();
                // With the other dimensions at the target, these cells are part of every move.
                let costs = steps.iter().map(|(step, _)| self.admitted(base + step, reach));
                if let Some(cost) = costs.sum::<Option<u64>>() {
                    paths.push(Path { steps, cost });
                }
            }
            paths.sort_by_key(|path| path.cost);
            found.push(paths);
        }
        limit(&mut found, self.most_candidates);
        Ok(found)
    }

    /// What passing through a cell costs, if a move may.
    fn admitted(&self, cell: usize, reach: Reach) -> Option<u64> {
        self.places.get(cell)?.admitted(reach)
    }
}

impl Place {
    fn admitted(&self, reach: Reach) -> Option<u64> {
        match (self.hidden, reach) {
            (true, _) => Some(0),
            (false, Reach::Further) if !self.fixed => Some(self.cost),
            (false, _) => None,
        }
    }
}

/// One search and the best move it has met.
struct Trial<'a> {
    reach: Reach,
    wanted: Wanted,
    up: &'a Change,
    down: &'a Change,
    best: Option<Move>,
}

impl Trial<'_> {
    /// Whether no move that costs so much at least can beat the best.
    fn is_hopeless(&self, cost: u64) -> bool {
        let Some(best) = &self.best else { return false };
        let best_gain = self.gain(best.up, best.down);
        let here = i128::from(cost).saturating_mul(best_gain);
        let there = i128::from(best.cost).saturating_mul(self.most());
        here > there || (here == there && best_gain >= self.most())
    }

    fn most(&self) -> i128 {
        (self.wanted.up + self.wanted.down).min(self.wanted.both)
    }

    fn gain(&self, up: i128, down: i128) -> i128 {
        (up + down).min(self.wanted.both)
    }

    fn consider(&mut self, places: &[Place], cells: &[(usize, bool)]) {
        let (mut up, mut down, mut cost) = (self.wanted.up, self.wanted.down, 0_u64);
        for (cell, adds) in cells {
            let Some(place) = places.get(*cell) else { return };
            let Some(more) = place.admitted(self.reach) else { return };
            cost = cost.saturating_add(more);
            // A total cannot fall below what its leaves hold, so only leaves bound a move.
            if place.is_leaf {
                let (change, room) =
                    if *adds { (self.down, &mut down) } else { (self.up, &mut up) };
                let changed = change.get(cell).copied().unwrap_or_default();
                *room = (*room).min(place.room + changed);
            }
        }
        let (up, down) = (up.max(0), down.max(0));
        let gain = self.gain(up, down);
        if gain > 0 && self.is_better(cost, gain) {
            self.best = Some(Move { cells: cells.to_vec(), up, down, cost });
        }
    }

    /// Whether so much for so little beats the best: by cost for each unit gained, then by gain.
    fn is_better(&self, cost: u64, gain: i128) -> bool {
        let Some(best) = &self.best else { return true };
        let best_gain = self.gain(best.up, best.down);
        let here = i128::from(cost).saturating_mul(best_gain);
        let there = i128::from(best.cost).saturating_mul(gain);
        here < there || (here == there && gain > best_gain)
    }
}

/// What is lost when a cell is hidden: more for larger figures, and far more for totals, the higher
/// the more.
fn cost(table: &Table, cell: Cell, value: u64) -> u64 {
    let levels =
        table.shape().along(cell).map(|(dimension, category, _)| dimension.height(category));
    let levels = levels.sum::<usize>() as u64;
    // The logarithm in eighths: the bits before the highest, then the three after it.
    let bits = u64::from(u64::BITS - value.leading_zeros());
    let eighths = if bits > 3 { (value >> (bits - 4)) & 7 } else { 0 };
    (8 * bits + eighths + 24) * (1 + 3 * levels)
}

/// Every leaf below a category, alone or with a leaf elsewhere that makes up for it: the categories
/// that are added to, or taken from. Leaves of one parent come first.
fn ways(dimension: &Dimension, category: Category, most: usize) -> Vec<Vec<(Category, bool)>> {
    let leaves = dimension.leaves_below(dimension.total());
    let below = dimension.leaves_below(category);
    let inside: BTreeSet<Category> = below.iter().copied().collect();
    let others: Vec<Category> =
        leaves.into_iter().filter(|other| !inside.contains(other)).collect();
    let mut found = Vec::new();
    for leaf in below {
        let above: Vec<Category> = dimension.upward(leaf).collect();
        let parent = dimension.parent(leaf);
        let (near, far): (Vec<Category>, Vec<Category>) =
            others.iter().partition(|other| dimension.parent(**other) == parent);
        for other in near.into_iter().chain(far) {
            let elsewhere: Vec<Category> = dimension.upward(other).collect();
            let up = above.iter().filter(|c| !elsewhere.contains(c)).map(|c| (*c, true));
            let down = elsewhere.iter().filter(|c| !above.contains(c)).map(|c| (*c, false));
            found.push(up.chain(down).collect());
            if found.len() >= most {
                return found;
            }
        }
        found.push(above.into_iter().map(|c| (c, true)).collect());
    }
    found
}

/// Cuts the lists so that their product is at most so much; short ones leave more to long ones.
fn limit(lists: &mut [Vec<Path>], most: usize) {
    let mut order: Vec<&mut Vec<Path>> = lists.iter_mut().collect();
    order.sort_by_key(|list| list.len());
    let mut left = most.max(1);
    let mut count = order.len() as u32;
    for list in order {
        let fair =
            (1..=left).take_while(|n| n.checked_pow(count).is_some_and(|p| p <= left)).last();
        list.truncate(fair.unwrap_or(1));
        left /= list.len().max(1);
        count -= 1;
    }
}

#[cfg(test)]
mod tests;
