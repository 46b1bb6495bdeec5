//! Tables of counts or sums over one to four dimensions, with all their totals.
//!
//! In: a [`Shape`] and its cells as the caller has them. Out: a [`Table`] whose totals are right, or
//! every [`Defect`] of the input. A cell that was not given is zero, unless it is a total of cells
//! that are not.
//!
//! Must never mend what it was given, nor name a figure in a defect.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

mod dimension;
mod figure;
mod shape;

pub use dimension::{Category, Dimension, DimensionError};
pub use figure::{Figure, FigureError, Kind};
pub(crate) use shape::Sum;
pub use shape::{Cell, CellName, MOST_DIMENSIONS, Shape, ShapeError};

/// The most defects that are listed.
const MOST_DEFECTS: usize = 100;

/// Who contributed to a cell of sums.
#[derive(Clone, PartialEq, Eq)]
pub struct Contributions<'a> {
    /// How many contributed.
    pub contributors: u64,
    /// The largest contributions, the largest first.
    pub largest: Vec<Figure<'a>>,
}

impl fmt::Debug for Contributions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contributions(..)")
    }
}

/// One cell as the caller has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawCell<'a> {
    /// Its codes, in the order of the dimensions.
    pub codes: Vec<&'a str>,
    /// Its figure.
    pub figure: Figure<'a>,
    /// Who contributed, for rules that ask about it.
    pub contributions: Option<Contributions<'a>>,
}

impl<'a> RawCell<'a> {
    /// A cell with how many there are.
    #[must_use]
    pub fn count(codes: &[&'a str], count: u64) -> Self {
        let figure = Figure::Whole(i128::from(count));
        Self { codes: codes.to_vec(), figure, contributions: None }
    }
}

/// The contributions of a cell, checked and in units of the last decimal.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Contributed {
    pub(crate) contributors: u64,
    pub(crate) largest: Vec<u64>,
}

/// A table whose cells are all known and whose totals are right.
#[derive(Clone, PartialEq, Eq)]
pub struct Table {
    shape: Shape,
    kind: Kind,
    values: Vec<u64>,
    contributed: BTreeMap<Cell, Contributed>,
}

// SECURITY: figures that must not be published must not reach a log either.
impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("kind", &self.kind).field("cells", &self.shape.len()).finish()
    }
}

/// What is wrong with one cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// Another number of codes than of dimensions.
    #[error("cell {position} has {found} codes, not one for each dimension")]
    Codes {
        /// Its place in the input, from zero.
        position: usize,
        /// How many it has.
        found: usize,
    },
    /// A code that is no category.
    #[error("cell {position}: `{code}` is no category of dimension `{dimension}`")]
    UnknownCategory {
        /// Its place in the input, from zero.
        position: usize,
        /// The dimension.
        dimension: String,
        /// The code.
        code: String,
    },
    /// A figure that is none.
    #[error("the figure of `{0}` {1}")]
    Figure(CellName, FigureError),
    /// A cell that was given twice.
    #[error("`{0}` was given twice")]
    Twice(CellName),
    /// A total that was not given, of parts that are not zero.
    #[error("the total `{0}` is missing")]
    MissingTotal(CellName),
    /// A total that is not the sum of its parts.
    #[error("`{cell}` is not the sum of its parts along `{dimension}`")]
    Unbalanced {
        /// The total.
        cell: CellName,
        /// The dimension.
        dimension: String,
    },
    /// Contributions that do not fit the figure.
    #[error("the contributions of `{0}` do not fit its figure")]
    Contributions(CellName),
}

/// A table that was refused, with what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the table has {} defects or more, the first: {}", defects.len(), first(defects))]
pub struct TableError {
    /// What is wrong: at most a hundred, in the order of the input, then of the cells.
    pub defects: Vec<Defect>,
}

fn first(defects: &[Defect]) -> String {
    defects.first().map(ToString::to_string).unwrap_or_default()
}

impl Table {
    /// A table of these cells.
    ///
    /// # Errors
    ///
    /// With every defect, up to a hundred.
    pub fn new<'a>(
        shape: Shape,
        kind: Kind,
        cells: impl IntoIterator<Item = RawCell<'a>>,
    ) -> Result<Self, TableError> {
        let mut reading = Reading {
            values: vec![0; shape.len()],
            given: BTreeSet::new(),
            contributed: BTreeMap::new(),
            defects: Vec::new(),
            shape,
            kind,
        };
        for (position, cell) in cells.into_iter().enumerate() {
            reading.take(position, &cell);
            if reading.is_full() {
                break;
            }
        }
        // Totals of cells that could not be read would only repeat what is wrong with those.
        if reading.defects.is_empty() {
            reading.check_sums();
        }
        reading.finish()
    }

    /// Its dimensions.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// What its figures are.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The figure of a cell, in units of the last decimal.
    #[must_use]
    pub fn value(&self, cell: Cell) -> Option<u64> {
        self.values.get(cell.0).copied()
    }

    pub(crate) fn values(&self) -> &[u64] {
        &self.values
    }

    pub(crate) fn contributed(&self, cell: Cell) -> Option<&Contributed> {
        self.contributed.get(&cell)
    }
}

/// A table while it is read.
struct Reading {
    shape: Shape,
    kind: Kind,
    values: Vec<u64>,
    given: BTreeSet<Cell>,
    contributed: BTreeMap<Cell, Contributed>,
    defects: Vec<Defect>,
}

impl Reading {
    fn is_full(&self) -> bool {
        self.defects.len() >= MOST_DEFECTS
    }

    fn take(&mut self, position: usize, raw: &RawCell<'_>) {
        let Some(cell) = self.shape.cell(&raw.codes) else {
            let defect = self.unknown(position, &raw.codes);
            self.defects.push(defect);
            return;
        };
        if !self.given.insert(cell) {
            self.defects.push(Defect::Twice(self.shape.name(cell)));
            return;
        }
        let units = match raw.figure.units(self.kind) {
            Ok(units) => units,
            Err(error) => {
                self.defects.push(Defect::Figure(self.shape.name(cell), error));
                return;
            }
        };
        if let Some(value) = self.values.get_mut(cell.0) {
            *value = units;
        }
        let Some(contributions) = &raw.contributions else { return };
        match checked(contributions, units, self.kind) {
            Some(contributed) => drop(self.contributed.insert(cell, contributed)),
            None => self.defects.push(Defect::Contributions(self.shape.name(cell))),
        }
    }

    fn unknown(&self, position: usize, codes: &[&str]) -> Defect {
        let mut pairs = self.shape.dimensions().zip(codes);
        let stranger = pairs.find(|(dimension, code)| dimension.category(code).is_none());
        match stranger {
            Some((dimension, code)) if codes.len() == self.shape.dimensions().len() => {
                Defect::UnknownCategory {
                    position,
                    dimension: dimension.name().to_owned(),
                    code: (*code).to_owned(),
                }
            }
            _ => Defect::Codes { position, found: codes.len() },
        }
    }

    fn check_sums(&mut self) {
        let mut missing = BTreeSet::new();
        for Sum { axis, whole, parts } in self.shape.sums() {
            if self.defects.len() >= MOST_DEFECTS {
                return;
            }
            let value = |cell: &Cell| self.values.get(cell.0).copied().map_or(0, u128::from);
            let sum: u128 = parts.iter().map(value).sum();
            if sum == value(&whole) {
                continue;
            }
            let cell = self.shape.name(whole);
            if self.given.contains(&whole) {
                let dimension = self.shape.axis_name(axis).to_owned();
                self.defects.push(Defect::Unbalanced { cell, dimension });
            } else if missing.insert(whole) {
                self.defects.push(Defect::MissingTotal(cell));
            }
        }
    }

    fn finish(self) -> Result<Table, TableError> {
        if !self.defects.is_empty() {
            return Err(TableError { defects: self.defects });
        }
        let Self { shape, kind, values, contributed, .. } = self;
        Ok(Table { shape, kind, values, contributed })
    }
}

/// Contributions that can be those of a cell of this value: the largest first, none beyond the
/// value, all of it when all are listed, and the rest not more than the others can bring.
fn checked(raw: &Contributions<'_>, value: u64, kind: Kind) -> Option<Contributed> {
    let largest: Option<Vec<u64>> =
        raw.largest.iter().map(|figure| figure.units(kind).ok()).collect();
    let largest = largest?;
    let listed = u64::try_from(largest.len()).ok()?;
    let sum: u128 = largest.iter().copied().map(u128::from).sum();
    let rest = u128::from(value).checked_sub(sum)?;
    let others = u128::from(raw.contributors.checked_sub(listed)?);
    let least = u128::from(largest.last().copied().unwrap_or(u64::MAX));
    let fits = largest.is_sorted_by(|a, b| a >= b)
        && rest <= others.saturating_mul(least)
        && (others > 0 || rest == 0);
    fits.then_some(Contributed { contributors: raw.contributors, largest })
}

#[cfg(test)]
mod tests;
