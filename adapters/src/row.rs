//! One row of a source. Its values are personal data: `Debug` shows the names of columns only.

use std::{fmt, sync::Arc};

/// One value.
#[derive(Clone, PartialEq)]
pub(crate) enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
    /// Bytes that are no UTF-8 text: a `bytea`, a `BLOB`, a text in an older Vietnamese encoding.
    Bytes(Vec<u8>),
}

/// A row: where it stands, what names it, and the columns that were asked for.
#[derive(Clone, PartialEq)]
pub(crate) struct Row {
    /// Its place among the rows of the same ordering key.
    pub(crate) position: i64,
    /// Names the row in the source and for ever.
    pub(crate) key: String,
    /// Why nothing can be made of the row; it has no cells then.
    pub(crate) unusable: Option<&'static str>,
    /// Sorted, and shared by the rows of a source.
    columns: Arc<[String]>,
    cells: Vec<Cell>,
}

impl Row {
    /// A row; `cells` stand in the order of `columns`, which are sorted.
    pub(crate) fn new(
        position: i64,
        key: String,
        columns: &Arc<[String]>,
        cells: Vec<Cell>,
    ) -> Self {
        Self { position, key, unusable: None, columns: Arc::clone(columns), cells }
    }

    /// A row of which nothing can be made but a note.
    pub(crate) fn unusable(position: i64, key: String, why: &'static str) -> Self {
        let columns = Arc::new([]);
        Self { position, key, unusable: Some(why), columns, cells: Vec::new() }
    }

    /// A row of named cells.
    #[cfg(test)]
    pub(crate) fn of(
        position: i64,
        key: &str,
        cells: impl IntoIterator<Item = (String, Cell)>,
    ) -> Self {
        let cells: std::collections::BTreeMap<String, Cell> = cells.into_iter().collect();
        let (columns, cells): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
        Self::new(position, key.to_owned(), &columns.into(), cells)
    }

    /// The value of a column; `Null` when it was not asked for.
    pub(crate) fn cell(&self, column: &str) -> &Cell {
        let place = self.columns.binary_search_by(|name| name.as_str().cmp(column));
        place.ok().and_then(|place| self.cells.get(place)).unwrap_or(&Cell::Null)
    }

    /// The value of a column as a text, when it has one.
    pub(crate) fn text(&self, column: &str) -> Option<String> {
        self.cell(column).text()
    }

    /// How much memory its values hold.
    pub(crate) fn size(&self) -> usize {
        self.cells.iter().map(Cell::size).sum()
    }

    /// The columns that were asked for, sorted.
    #[cfg(test)]
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }
}

impl Cell {
    /// The value as a text; nothing when there is none, or when it is bytes.
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Null | Self::Bytes(_) => None,
            Self::Integer(n) => Some(n.to_string()),
            Self::Real(n) => Some(n.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// How much memory the value holds.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Null | Self::Integer(_) | Self::Real(_) => 8,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
