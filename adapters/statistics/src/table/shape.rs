//! One to four dimensions together: the cells of a table, and how they add up.

use std::fmt;

use super::dimension::{Category, Dimension};

/// The most dimensions of a table.
pub const MOST_DIMENSIONS: usize = 4;

/// A cell of a table, by its place in the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(pub(crate) usize);

/// The dimensions of a table. Every combination of their categories is a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    axes: Vec<Axis>,
    cells: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Axis {
    dimension: Dimension,
    /// How far apart the cells of two neighbouring categories are.
    stride: usize,
}

/// Why dimensions make no shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// None, or more than four.
    #[error("a table has one to four dimensions, not {0}")]
    Dimensions(usize),
    /// Two dimensions of one name.
    #[error("two dimensions have the name `{0}`")]
    Twice(String),
    /// More cells than the caller allows.
    #[error("the table has more than {0} cells")]
    TooLarge(usize),
}

/// The codes of a cell, for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellName(pub Vec<(String, String)>);

impl fmt::Display for CellName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for (dimension, code) in &self.0 {
            write!(f, "{before}{dimension}={code}")?;
            before = ",";
        }
        Ok(())
    }
}

/// One equation of a shape: a cell is the sum of its parts along one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) axis: usize,
    pub(crate) whole: Cell,
    pub(crate) parts: Vec<Cell>,
}

impl Shape {
    /// The shape of these dimensions, of at most `most_cells` cells with all totals.
    ///
    /// # Errors
    ///
    /// When there are no or too many dimensions, two of one name, or too many cells.
    pub fn new(dimensions: Vec<Dimension>, most_cells: usize) -> Result<Self, ShapeError> {
        if dimensions.is_empty() || dimensions.len() > MOST_DIMENSIONS {
            return Err(ShapeError::Dimensions(dimensions.len()));
        }
        for (at, one) in dimensions.iter().enumerate() {
            if dimensions.iter().skip(at + 1).any(|other| other.name() == one.name()) {
                return Err(ShapeError::Twice(one.name().to_owned()));
            }
        }
        let mut cells: usize = 1;
        let mut axes = Vec::with_capacity(dimensions.len());
        for dimension in dimensions.into_iter().rev() {
            let stride = cells;
            let within = cells.checked_mul(dimension.len()).filter(|cells| *cells <= most_cells);
            cells = within.ok_or(ShapeError::TooLarge(most_cells))?;
            axes.push(Axis { dimension, stride });
        }
        axes.reverse();
        Ok(Self { axes, cells })
    }

    /// How many cells it has, with all totals.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells
    }

    /// Always false: there is a grand total at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells == 0
    }

    /// Every cell, the grand total first.
    pub fn cells(&self) -> impl Iterator<Item = Cell> + use<> {
        (0..self.cells).map(Cell)
    }

    /// Its dimensions.
    pub fn dimensions(&self) -> impl ExactSizeIterator<Item = &Dimension> {
        self.axes.iter().map(|axis| &axis.dimension)
    }

    /// Each dimension with the category of a cell in it and the distance between neighbours.
    pub(crate) fn along(&self, cell: Cell) -> impl Iterator<Item = (&Dimension, Category, usize)> {
        self.axes.iter().map(move |axis| (&axis.dimension, axis.of(cell), axis.stride))
    }

    /// The cell of these codes, in the order of the dimensions.
    #[must_use]
    pub fn cell(&self, codes: &[&str]) -> Option<Cell> {
        if codes.len() != self.axes.len() {
            return None;
        }
        let mut at = 0;
        for (axis, code) in self.axes.iter().zip(codes) {
            at += axis.dimension.category(code)?.0 * axis.stride;
        }
        Some(Cell(at))
    }

    /// The codes of a cell.
    #[must_use]
    pub fn name(&self, cell: Cell) -> CellName {
        let codes = self.along(cell).map(|(dimension, category, _)| {
            (dimension.name().to_owned(), dimension.code(category).to_owned())
        });
        CellName(codes.collect())
    }

    /// Whether a cell is no total in any dimension.
    #[must_use]
    pub fn is_leaf(&self, cell: Cell) -> bool {
        self.along(cell).all(|(dimension, category, _)| dimension.is_leaf(category))
    }

    /// Every cell that a cell counts towards, itself first.
    #[must_use]
    pub fn upward(&self, cell: Cell) -> Vec<Cell> {
        let mut found = vec![0];
        for (dimension, category, stride) in self.along(cell) {
            let above = |at: usize| dimension.upward(category).map(move |up| at + up.0 * stride);
            found = found.into_iter().flat_map(above).collect();
        }
        found.into_iter().map(Cell).collect()
    }

    /// All equations: each cell that has parts along a dimension, with them.
    pub(crate) fn sums(&self) -> impl Iterator<Item = Sum> + '_ {
        self.cells().flat_map(move |whole| {
            self.along(whole).enumerate().filter_map(
                move |(axis, (dimension, category, stride))| {
                    let base = whole.0 - category.0 * stride;
                    let part = |child: &Category| Cell(base + child.0 * stride);
                    let parts: Vec<Cell> = dimension.children(category).iter().map(part).collect();
                    (!parts.is_empty()).then_some(Sum { axis, whole, parts })
                },
            )
        })
    }

    /// The name of the dimension at a place.
    pub(crate) fn axis_name(&self, axis: usize) -> &str {
        self.axes.get(axis).map_or("", |axis| axis.dimension.name())
    }
}

impl Axis {
    fn of(&self, cell: Cell) -> Category {
        Category(cell.0 / self.stride % self.dimension.len())
    }
}

#[cfg(test)]
mod tests;
