//! The settings of a table: its name, its columns, and how new rows are told from old ones.

use std::str::FromStr;

use lienthong_model::document::MapReader;

use super::{super::mistake, Column};

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableConfig {
    /// Its name, with that of its schema where it has one: `cases.outbox`.
    pub table: String,
    /// How new rows are told from old ones.
    pub mode: TableMode,
    /// The column that gives the order of rows: an integer that only grows, none given twice.
    pub position: String,
    /// The column that names a row for ever. Default: `position`.
    pub key: String,
}

/// How new rows are told from old ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableMode {
    /// Rows that were not there when the table was last read.
    Watermark,
    /// Rows that were not taken.
    Outbox(Taken),
}

/// What becomes of a row once it is safe here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// The time is written into this column, which was empty.
    At(String),
    /// It is deleted.
    Delete,
}

/// Reads the settings of a table.
pub(super) fn table(map: &mut MapReader<'_, '_>) -> Option<TableConfig> {
    let table = map.parse::<Table>("table");
    let mode = map.text("mode");
    let position = map.parse::<Column>("position");
    let key = map.parse_optional::<Column>("key");
    let taken_at = map.parse_optional::<Column>("taken_at");
    let taken = map.optional("taken").and_then(|_| map.text("taken"));
    if taken.is_some_and(|taken| taken != "delete") {
        mistake(map, "`taken` must be `delete`; for a mark say `taken_at: COLUMN`");
        return None;
    }
    let mode = match (mode?, taken_at, taken) {
        ("watermark", None, None) => TableMode::Watermark,
        ("outbox", Some(column), None) => TableMode::Outbox(Taken::At(column.0)),
        ("outbox", None, Some(_)) => TableMode::Outbox(Taken::Delete),
        ("watermark", ..) => {
            mistake(map, "`taken_at` and `taken` are for mode `outbox` only");
            return None;
        }
        ("outbox", ..) => {
            mistake(map, "mode `outbox` needs `taken_at` or `taken: delete`");
            return None;
        }
        _ => {
            mistake(map, "`mode` must be `watermark` or `outbox`");
            return None;
        }
    };
    let position = position?.0;
    let key = key.map_or_else(|| position.clone(), |column| column.0);
    Some(TableConfig { table: table?.0, mode, position, key })
}

/// A name of a table, with that of its schema or without.
pub(in crate::config) struct Table(pub(in crate::config) String);

impl FromStr for Table {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<_> = text.split('.').map(str::parse::<Column>).collect();
        match parts.len() <= 2 && parts.iter().all(Result::is_ok) {
            true => Ok(Self(text.to_owned())),
            false => Err("not a name of letters, digits and `_`, with its schema or without"),
        }
    }
}
