//! What MySQL or MariaDB says of a table, and whether a flow can read it.

use sqlx::MySqlPool;

use super::super::{
    SourceError,
    layout::{self, Described, Layout},
};
use crate::config::{MysqlConfig, TableMode, Taken};

/// How the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    /// Without a sign.
    Unsigned,
    Real,
    Text,
    Bytes,
    /// The database writes it as a text.
    Written,
    /// The same, in UTC.
    Instant,
}

impl Kind {
    /// What is selected of a column.
    pub(super) fn select(self, name: &str) -> String {
        match self {
            Self::Written => format!("CAST(`{name}` AS CHAR)"),
            Self::Instant => format!("CONCAT(CAST(`{name}` AS CHAR), 'Z')"),
            Self::Unsigned => format!("CAST(`{name}` AS SIGNED)"),
            Self::Integer | Self::Real | Self::Text | Self::Bytes => format!("`{name}`"),
        }
    }
}

/// A table as the database describes it.
#[derive(Debug)]
pub(super) struct Table {
    /// The unique index of the position.
    pub(super) index: String,
    pub(super) columns: Vec<Described>,
    pub(super) kinds: Vec<Kind>,
}

/// Names compare as the server has them, types as it writes them: `bigint(20) unsigned`.
const COLUMNS: &str = "
    SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR), CAST(data_type AS CHAR),
           is_nullable = 'NO',
           (SELECT CAST(min(index_name) AS CHAR) FROM information_schema.statistics s
                   WHERE s.table_schema = c.table_schema AND s.table_name = c.table_name
                     AND s.column_name = c.column_name AND s.non_unique = 0
                     AND NOT EXISTS (SELECT 1 FROM information_schema.statistics o
                                     WHERE o.table_schema = s.table_schema
                                       AND o.table_name = s.table_name
                                       AND o.index_name = s.index_name AND o.seq_in_index = 2))
    FROM information_schema.columns c
    WHERE table_schema = coalesce(?, DATABASE()) AND table_name = ?";

const PLAIN: &str = "
    SELECT CAST(column_name AS CHAR), CAST(column_type AS CHAR) FROM information_schema.columns
    WHERE table_schema = coalesce(?, DATABASE()) AND table_name = ?";

/// Names the first column that is not what it was.
pub(super) async fn verify_unchanged(
    pool: &MySqlPool,
    config: &MysqlConfig,
    layout: &Layout,
    was: &[Described],
) -> Result<(), SourceError> {
    let table = &config.table.table;
    let (schema, name) = parts(table);
    let present: Vec<(String, String)> =
        sqlx::query_as(PLAIN).bind(schema).bind(name).fetch_all(pool).await?;
    let present =
        present.into_iter().map(|(name, kind)| Described { name, kind: kind.to_lowercase() });
    layout::drift(table, was, &layout::described(table, &layout.names, present.collect())?)
}

/// The schema, where it is told, and the name of a table.
fn parts(table: &str) -> (Option<&str>, &str) {
    table.split_once('.').map_or((None, table), |(schema, name)| (Some(schema), name))
}

/// Reads what there is of the table; names what is missing or cannot be read.
pub(super) async fn describe(
    pool: &MySqlPool,
    config: &MysqlConfig,
    layout: &Layout,
) -> Result<Table, SourceError> {
    let table = &config.table.table;
    let (schema, name) = parts(table);
    let present: Vec<(String, String, String, i64, Option<String>)> =
        sqlx::query_as(COLUMNS).bind(schema).bind(name).fetch_all(pool).await?;
    let plain = present
        .iter()
        .map(|(name, kind, ..)| Described { name: name.clone(), kind: kind.to_lowercase() });
    let mut names = layout.names.to_vec();
    if let TableMode::Outbox(Taken::At(column)) = &config.table.mode {
        names.push(column.clone());
    }
    let mut columns = layout::described(table, &names, plain.collect())?;
    columns.truncate(layout.names.len());
    let mut index = String::new();
    let mut kinds = Vec::with_capacity(columns.len());
    for column in &columns {
        let found = present.iter().find(|(name, ..)| name == &column.name);
        let base = found.map(|(_, _, base, ..)| base.to_lowercase()).unwrap_or_default();
        let is_position = column.name == config.table.position;
        let kind = kind(&base, column.kind.contains("unsigned"), is_position);
        let kind = kind.ok_or_else(|| SourceError::Unreadable {
            table: table.clone(),
            column: column.name.clone(),
            kind: column.kind.clone(),
        })?;
        if is_position && let Some((.., not_null, unique)) = found {
            verify_position(table, column, kind, *not_null != 0, unique.is_some())?;
            index = unique.clone().unwrap_or_default();
        }
        kinds.push(kind);
    }
    Ok(Table { index, columns, kinds })
}

fn verify_position(
    table: &str,
    column: &Described,
    kind: Kind,
    not_null: bool,
    named_once: bool,
) -> Result<(), SourceError> {
    let problem = match (kind, not_null, named_once) {
        (Kind::Integer | Kind::Unsigned, true, true) => return Ok(()),
        (Kind::Integer | Kind::Unsigned, false, _) => "must be NOT NULL",
        (Kind::Integer | Kind::Unsigned, true, false) => {
            "must have a unique index of its own: else two rows could stand at one position"
        }
        _ => "must be a whole number",
    };
    Err(SourceError::Unfit { table: table.to_owned(), column: column.name.clone(), problem })
}

fn kind(base: &str, unsigned: bool, is_position: bool) -> Option<Kind> {
    Some(match base {
        "bigint" if unsigned && is_position => Kind::Unsigned,
        "bigint" if unsigned => Kind::Written,
        "tinyint" | "smallint" | "mediumint" | "int" if unsigned => Kind::Unsigned,
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Kind::Integer,
        "float" | "double" => Kind::Real,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Kind::Text,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Kind::Bytes,
        "decimal" | "date" | "datetime" | "time" | "year" | "enum" | "set" | "json" | "uuid" => {
            Kind::Written
        }
        "timestamp" => Kind::Instant,
        _ => return None,
    })
}

/// Refuses servers that forget the highest position ever given when they are restarted.
pub(super) async fn verify_version(
    pool: &MySqlPool,
    config: &MysqlConfig,
) -> Result<(), SourceError> {
    let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(pool).await?;
    let numbers: Vec<u32> = version.split(['.', '-']).map_while(|n| n.parse().ok()).collect();
    let least: &[u32] = if version.contains("MariaDB") { &[10, 2, 4] } else { &[8] };
    if numbers.as_slice() >= least {
        return Ok(());
    }
    Err(SourceError::Unfit {
        table: config.table.table.clone(),
        column: config.table.position.clone(),
        problem: "can be given twice after a restart of so old a server; use mode `outbox`",
    })
}
