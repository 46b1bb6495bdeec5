//! What readers can derive, exactly: by elimination over the rationals, and by writing down every
//! table of whole numbers that agrees with what was published. Slow and simple on purpose.

use std::collections::BTreeMap;

use crate::{
    release::Release,
    table::{Cell, Shape},
};

/// A fraction in lowest terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction(i128, i128);

impl Fraction {
    fn new(top: i128, bottom: i128) -> Self {
        let (mut a, mut b) = (top.abs(), bottom.abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let sign = if bottom < 0 { -1 } else { 1 };
        Self(sign * top / a.max(1), sign * bottom / a.max(1))
    }

    fn times(self, other: Self) -> Self {
        Self::new(self.0 * other.0, self.1 * other.1)
    }

    fn minus(self, other: Self) -> Self {
        Self::new(self.0 * other.1 - other.0 * self.1, self.1 * other.1)
    }

    fn over(self, other: Self) -> Self {
        Self::new(self.0 * other.1, self.1 * other.0)
    }
}

/// The leaves that are withheld, and the leaves below each cell.
fn leaves(shape: &Shape) -> BTreeMap<Cell, Vec<Cell>> {
    let mut below: BTreeMap<Cell, Vec<Cell>> = BTreeMap::new();
    for leaf in shape.cells().filter(|cell| shape.is_leaf(*cell)) {
        for above in shape.upward(leaf) {
            below.entry(above).or_default().push(leaf);
        }
    }
    below
}

/// Every withheld cell, and whether the equations alone leave it one value.
pub(crate) fn determined(release: &Release) -> BTreeMap<Cell, bool> {
    let shape = release.shape();
    let below = leaves(shape);
    let is_hidden = |cell: &Cell| release.figure(*cell).is_none();
    let unknown: Vec<Cell> =
        shape.cells().filter(|cell| shape.is_leaf(*cell) && is_hidden(cell)).collect();
    let row = |cell: &Cell| -> Vec<Fraction> {
        let holds = |leaf: &Cell| below[cell].contains(leaf);
        unknown.iter().map(|leaf| Fraction(i128::from(holds(leaf)), 1)).collect()
    };
    let mut rows: Vec<Vec<Fraction>> = Vec::new();
    for cell in shape.cells().filter(|cell| !is_hidden(cell)) {
        let rest = reduced(&rows, row(&cell));
        let Some(pivot) = rest.iter().position(|value| value.0 != 0) else { continue };
        let scale = rest[pivot];
        rows.push(rest.into_iter().map(|value| value.over(scale)).collect());
    }
    let hidden = shape.cells().filter(is_hidden);
    let is_zero = |values: Vec<Fraction>| values.iter().all(|value| value.0 == 0);
    hidden.map(|cell| (cell, is_zero(reduced(&rows, row(&cell))))).collect()
}

/// What of a row is left when each known row has been taken away.
fn reduced(rows: &[Vec<Fraction>], mut row: Vec<Fraction>) -> Vec<Fraction> {
    for known in rows {
        let pivot = known.iter().position(|value| value.0 != 0).expect("a row that is not zero");
        let factor = row[pivot];
        for (value, by) in row.iter_mut().zip(known) {
            *value = value.minus(by.times(factor));
        }
    }
    row
}

/// Writes down tables, one leaf after the other.
struct Enumeration {
    /// Each unknown leaf with the equations it is part of.
    unknown: Vec<(Cell, Vec<usize>)>,
    /// What is left of each equation, and how many of its leaves are still to come.
    left: Vec<(i128, usize)>,
    /// The unknown leaves, by place, of each withheld cell.
    watched: BTreeMap<Cell, Vec<usize>>,
    chosen: Vec<i128>,
    found: BTreeMap<Cell, (i128, i128)>,
    least: i128,
    steps: u64,
}

impl Enumeration {
    fn go(&mut self, at: usize) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        let Some((_, equations)) = self.unknown.get(at).cloned() else {
            for (cell, leaves) in &self.watched {
                let sum: i128 = leaves.iter().map(|leaf| self.chosen[*leaf]).sum();
                let range = self.found.entry(*cell).or_insert((sum, sum));
                *range = (range.0.min(sum), range.1.max(sum));
            }
            return Some(());
        };
        let most = equations.iter().map(|e| self.left[*e].0).min().expect("a bounded leaf");
        for value in self.least..=most {
            let mut fits = true;
            for equation in &equations {
                let (left, count) = &mut self.left[*equation];
                *left -= value;
                *count -= 1;
                fits &= if *count == 0 { *left == 0 } else { *left >= *count as i128 * self.least };
            }
            self.chosen.push(value);
            let outcome = if fits { self.go(at + 1) } else { Some(()) };
            self.chosen.pop();
            for equation in &equations {
                self.left[*equation].0 += value;
                self.left[*equation].1 += 1;
            }
            outcome?;
        }
        Some(())
    }
}

/// The exact interval of every withheld cell; nothing if there are too many tables to write down.
/// No upper end means that a leaf below it stands in no equation.
pub(crate) fn intervals(release: &Release) -> Option<BTreeMap<Cell, (i128, Option<i128>)>> {
    let shape = release.shape();
    let below = leaves(shape);
    let least = i128::from(release.least());
    let is_hidden = |cell: &Cell| release.figure(*cell).is_none();
    let all: Vec<Cell> =
        shape.cells().filter(|cell| shape.is_leaf(*cell) && is_hidden(cell)).collect();
    let mut left = Vec::new();
    let mut of_leaf: BTreeMap<Cell, Vec<usize>> = BTreeMap::new();
    for cell in shape.cells().filter(|cell| !shape.is_leaf(*cell) && !is_hidden(cell)) {
        let known: i128 =
            below[&cell].iter().filter_map(|leaf| release.figure(*leaf)).map(i128::from).sum();
        let open: Vec<Cell> = below[&cell].iter().copied().filter(is_hidden).collect();
        for leaf in &open {
            of_leaf.entry(*leaf).or_default().push(left.len());
        }
        let figure = release.figure(cell).map(i128::from).expect("a published cell");
        left.push((figure - known, open.len()));
    }
    let unknown: Vec<(Cell, Vec<usize>)> =
        all.iter().filter_map(|leaf| Some((*leaf, of_leaf.get(leaf)?.clone()))).collect();
    let place = |leaf: &Cell| unknown.iter().position(|(other, _)| other == leaf);
    let hidden: Vec<Cell> = shape.cells().filter(is_hidden).collect();
    let watched =
        hidden.iter().map(|c| (*c, below[c].iter().filter_map(place).collect())).collect();
    let mut enumeration = Enumeration {
        unknown: unknown.clone(),
        left,
        watched,
        chosen: Vec::new(),
        found: BTreeMap::new(),
        least,
        steps: 8_000,
    };
    enumeration.go(0)?;
    let finish = |cell: &Cell| {
        let (low, high) = enumeration.found[cell];
        let free = below[cell].iter().filter(|l| is_hidden(l) && !of_leaf.contains_key(*l)).count();
        let known: i128 =
            below[cell].iter().filter_map(|leaf| release.figure(*leaf)).map(i128::from).sum();
        let low = low + known + free as i128 * least;
        (*cell, (low, (free == 0).then_some(high + known)))
    };
    Some(hidden.iter().map(finish).collect())
}
