//! One row of a source. Its values are personal data: `Debug` shows the names of columns only.

use std::{collections::BTreeMap, fmt};

/// One value.
#[derive(Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

/// A row: where it stands, what names it, and the columns that were asked for.
#[derive(Clone, PartialEq)]
pub(crate) struct Row {
    /// Place in the source.
    pub(crate) position: i64,
    /// Names the row in the source and for ever.
    pub(crate) key: String,
    pub(crate) cells: BTreeMap<String, Cell>,
}

impl Row {
    /// The value of a column; `Null` when it was not asked for.
    pub(crate) fn cell(&self, column: &str) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Null)
    }

    /// The value of a column as a text, when it has one.
    pub(crate) fn text(&self, column: &str) -> Option<String> {
        self.cell(column).text()
    }
}

impl Cell {
    /// The value as a text; nothing when there is none.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Integer(n) => Some(n.to_string()),
            Self::Real(n) => Some(n.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("columns", &self.cells.keys()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
