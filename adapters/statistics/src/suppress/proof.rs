//! The proof that a suppressed cell is protected: two whole-number tables that agree with
//! everything published, in one of which the cell is as large as it must be able to be, in the
//! other as small.
//!
//! Checked here from the table and the pattern alone, in exact arithmetic, with nothing taken from
//! the search that found it.

use std::collections::BTreeSet;

use super::{rules::Need, search::Change};
use crate::table::{Cell, Table};

/// Two tables, each as what it changes of the true one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Proof {
    pub(crate) up: Change,
    pub(crate) down: Change,
}

impl Proof {
    /// Whether it proves what the cell needs, when `is_published` tells which cells readers see.
    pub(crate) fn holds(
        &self,
        table: &Table,
        least: u64,
        is_published: &dyn Fn(Cell) -> bool,
        cell: Cell,
        need: Need,
    ) -> bool {
        let Some(value) = table.value(cell).map(i128::from) else { return false };
        let changed = |change: &Change| {
            let all = spread(table, least, change)?;
            let unseen = all.iter().all(|(at, by)| *by == 0 || !is_published(Cell(*at)));
            unseen.then(|| value + all.get(&cell.0).copied().unwrap_or_default())
        };
        let (Some(high), Some(low)) = (changed(&self.up), changed(&self.down)) else {
            return false;
        };
        match need {
            Need::Range(from, to) => low <= from && to <= high,
            Need::Width(width) => high - low >= width,
        }
    }

    /// Every cell that it changes, and some that it changes back.
    pub(crate) fn touched(&self, table: &Table) -> BTreeSet<Cell> {
        let leaves = self.up.keys().chain(self.down.keys()).map(|leaf| Cell(*leaf));
        leaves.flat_map(|leaf| table.shape().upward(leaf)).collect()
    }
}

/// By how much each cell is changed, totals too; nothing if a leaf would hold less than readers
/// know it to hold.
fn spread(table: &Table, least: u64, change: &Change) -> Option<Change> {
    let mut all = Change::new();
    for (at, by) in change {
        let value = i128::from(table.value(Cell(*at))?);
        if !table.shape().is_leaf(Cell(*at)) || value + by < i128::from(least) {
            return None;
        }
        for above in table.shape().upward(Cell(*at)) {
            *all.entry(above.0).or_default() += by;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests;
