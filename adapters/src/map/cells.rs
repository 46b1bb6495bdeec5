//! What holds the columns of a record: a row of a source, or an object of a JSON list.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::row::{Cell, Row};

/// Something that has columns.
pub(crate) trait Cells {
    /// The value of a column; `Null` when there is none.
    fn cell(&self, column: &str) -> Cow<'_, Cell>;
}

impl Cells for Row {
    fn cell(&self, column: &str) -> Cow<'_, Cell> {
        Cow::Borrowed(Self::cell(self, column))
    }
}

impl Cells for Map<String, Value> {
    fn cell(&self, column: &str) -> Cow<'_, Cell> {
        Cow::Owned(match self.get(column) {
            None | Some(Value::Null) => Cell::Null,
            Some(Value::String(text)) => Cell::Text(text.clone()),
            Some(Value::Number(n)) => match (n.as_i64(), n.as_f64()) {
                (Some(n), _) => Cell::Integer(n),
                (None, Some(n)) => Cell::Real(n),
                (None, None) => Cell::Text(n.to_string()),
            },
            Some(other) => Cell::Text(other.to_string()),
        })
    }
}
