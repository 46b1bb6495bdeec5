//! Which columns a flow reads, and how a row is made of their values.

use std::{collections::BTreeSet, sync::Arc};

use super::SourceError;
use crate::{
    config::{FlowConfig, TableConfig},
    map,
    row::{Cell, Row},
};

/// Longest key of a row.
pub(super) const MAX_KEY: usize = 200;
/// Most bytes of one row.
const MAX_ROW: usize = 1 << 20;
/// How a row is called that no usable key names.
const PLACE: &str = "position:";

/// The columns of a flow in a table, sorted.
#[derive(Debug)]
pub(super) struct Layout {
    table: String,
    pub(super) names: Arc<[String]>,
    position: usize,
    key: usize,
}

impl Layout {
    /// The columns that a flow reads of a table.
    pub(super) fn new(flow: &FlowConfig, table: &TableConfig) -> Self {
        let own = [table.position.clone(), table.key.clone()];
        let names: Vec<String> =
            columns(flow).into_iter().chain(own).collect::<BTreeSet<_>>().into_iter().collect();
        let place = |name: &String| names.binary_search(name).unwrap_or_default();
        let (position, key) = (place(&table.position), place(&table.key));
        Self { table: table.table.clone(), names: names.into(), position, key }
    }

    /// A row of these cells, one for each column.
    pub(super) fn row(&self, cells: Vec<Cell>) -> Result<Row, SourceError> {
        let Some(Cell::Integer(position)) = cells.get(self.position) else {
            let column = self.names.get(self.position).cloned().unwrap_or_default();
            return Err(SourceError::Unfit {
                table: self.table.clone(),
                column,
                problem: "holds something else than a whole number",
            });
        };
        let position = *position;
        if cells.iter().map(Cell::size).sum::<usize>() > MAX_ROW {
            return Ok(Row::unusable(position, place(position), "row is larger than 1 MiB"));
        }
        let key = cells.get(self.key).and_then(Cell::text).unwrap_or_default();
        match key.len() {
            0 => Ok(Row::unusable(position, place(position), "row has no key")),
            1..=MAX_KEY => Ok(Row::new(position, key, &self.names, cells)),
            _ => Ok(Row::unusable(position, place(position), "row has a key that is too long")),
        }
    }

    /// The key by which a row is known, from its position and the text of its key.
    pub(super) fn known_as(position: i64, key: Option<String>) -> String {
        let usable = key.filter(|key| (1..=MAX_KEY).contains(&key.len()));
        usable.unwrap_or_else(|| place(position))
    }
}

/// What a row is called when no usable key names it.
fn place(position: i64) -> String {
    format!("{PLACE}{position}")
}

/// The positions among these keys: of rows that no usable key names.
pub(super) fn places(keys: &[String]) -> Vec<i64> {
    keys.iter().filter_map(|key| key.strip_prefix(PLACE)?.parse().ok()).collect()
}

/// The rows found, each called as it was asked for: one that has got a key since keeps its name.
pub(super) fn as_asked(mut rows: Vec<Row>, keys: &[String]) -> Vec<Row> {
    let asked: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
    for row in &mut rows {
        if !asked.contains(row.key.as_str()) {
            row.key = place(row.position);
        }
    }
    rows
}

/// Every column that a flow reads, but for position and key.
pub(super) fn columns(flow: &FlowConfig) -> BTreeSet<String> {
    let mut columns = BTreeSet::from([flow.order_by.clone(), flow.dossier.clone()]);
    columns.extend(flow.officer.clone());
    columns.extend(flow.quality.columns().map(str::to_owned));
    for message in &flow.messages {
        columns.extend(message.when.iter().map(|(column, _)| column.clone()));
        columns.extend(map::columns(&message.fields).map(str::to_owned));
    }
    columns
}

/// A column as the database describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    pub(super) name: String,
    pub(super) kind: String,
}

/// The columns asked for, in their order, as the database describes them.
pub(super) fn described(
    table: &str,
    names: &[String],
    present: Vec<Described>,
) -> Result<Vec<Described>, SourceError> {
    if present.is_empty() {
        return Err(SourceError::NoTable(table.to_owned()));
    }
    let find =
        |name: &String| {
            present.iter().find(|column| &column.name == name).cloned().ok_or_else(|| {
                SourceError::NoColumn { table: table.to_owned(), column: name.clone() }
            })
        };
    names.iter().map(find).collect()
}

/// Names the first column that is not what it was.
pub(super) fn drift(table: &str, was: &[Described], is: &[Described]) -> Result<(), SourceError> {
    match was.iter().zip(is).find(|(was, is)| was != is) {
        None => Ok(()),
        Some((was, is)) => Err(SourceError::Changed {
            table: table.to_owned(),
            column: was.name.clone(),
            was: was.kind.clone(),
            is: is.kind.clone(),
        }),
    }
}
