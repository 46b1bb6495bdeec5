//! What readers of a published table see: its shape, and the figures that were not withheld.

use crate::table::{Cell, Shape};

/// A table as it was or will be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    statistic: String,
    shape: Shape,
    figures: Vec<Option<u64>>,
    least: u64,
}

/// Figures that do not fit the shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a release has one figure, or none, for each cell of its shape")]
pub struct ReleaseError;

impl Release {
    /// A release of these figures, one for each cell in order; none where it was withheld.
    ///
    /// `statistic` says what is counted and for which period: cells of two releases are the same
    /// figure when it is the same and all codes but totals are. `least` is what readers know a
    /// withheld cell to hold at least: one where every zero is published, else zero.
    ///
    /// # Errors
    ///
    /// When there are more or fewer figures than cells.
    pub fn new(
        statistic: &str,
        shape: Shape,
        figures: Vec<Option<u64>>,
        least: u64,
    ) -> Result<Self, ReleaseError> {
        let statistic = statistic.to_owned();
        let fits = figures.len() == shape.len();
        fits.then_some(Self { statistic, shape, figures, least }).ok_or(ReleaseError)
    }

    /// What is counted, and for which period.
    #[must_use]
    pub fn statistic(&self) -> &str {
        &self.statistic
    }

    /// Its dimensions.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The figure of a cell, in units of the last decimal; nothing where it is withheld.
    #[must_use]
    pub fn figure(&self, cell: Cell) -> Option<u64> {
        self.figures.get(cell.0).copied().flatten()
    }

    /// What readers know a withheld cell without parts to hold at least.
    #[must_use]
    pub fn least(&self) -> u64 {
        self.least
    }
}
