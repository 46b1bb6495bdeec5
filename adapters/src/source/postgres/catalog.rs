//! What PostgreSQL says of a table, and whether a flow can read it.

use sqlx::PgPool;

use super::super::{
    SourceError,
    layout::{self, Described, Layout},
};
use crate::config::{PostgresConfig, TableMode, Taken};

/// How the values of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Real,
    Boolean,
    Text,
    Bytes,
    /// The database writes it as a text.
    Written,
}

/// A table as the database describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) oid: i64,
    pub(super) columns: Vec<Described>,
    pub(super) kinds: Vec<Kind>,
}

#[derive(sqlx::FromRow)]
struct Column {
    oid: i64,
    name: String,
    kind: String,
    base: String,
    category: String,
    not_null: bool,
    named_once: bool,
    indexed: bool,
}

const COLUMNS: &str = "
    SELECT a.attrelid::bigint AS oid, a.attname::text AS name,
           format_type(a.atttypid, a.atttypmod) AS kind,
           coalesce(b.typname, t.typname)::text AS base,
           coalesce(b.typtype, t.typtype)::text AS category,
           a.attnotnull AS not_null,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique
                   AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
                   AND i.indkey[0] = a.attnum) AS named_once,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisvalid
                   AND i.indpred IS NULL AND i.indkey[0] = a.attnum) AS indexed
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
      AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')";

const PLAIN: &str = "
    SELECT a.attrelid::bigint, a.attname::text, format_type(a.atttypid, a.atttypmod)
    FROM pg_attribute a
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
      AND has_column_privilege(a.attrelid, a.attnum, 'SELECT')";

/// The table and its columns as they are now; names the one that is not what it was.
pub(super) async fn verify_unchanged(
    pool: &PgPool,
    config: &PostgresConfig,
    layout: &Layout,
    was: &[Described],
) -> Result<i64, SourceError> {
    let table = &config.table.table;
    let present: Vec<(i64, String, String)> =
        sqlx::query_as(PLAIN).bind(super::quoted(table)).fetch_all(pool).await?;
    let oid = present.first().map_or(0, |(oid, ..)| *oid);
    let present = present.into_iter().map(|(_, name, kind)| Described { name, kind });
    let is = layout::described(table, &layout.names, present.collect())?;
    layout::drift(table, was, &is)?;
    Ok(oid)
}

/// Reads what there is of the table; names what is missing or cannot be read.
pub(super) async fn describe(
    pool: &PgPool,
    config: &PostgresConfig,
    layout: &Layout,
) -> Result<Table, SourceError> {
    let table = &config.table.table;
    let present: Vec<Column> =
        sqlx::query_as(COLUMNS).bind(super::quoted(table)).fetch_all(pool).await?;
    let plain = present
        .iter()
        .map(|column| Described { name: column.name.clone(), kind: column.kind.clone() });
    let mut names = layout.names.to_vec();
    if let TableMode::Outbox(Taken::At(column)) = &config.table.mode {
        names.push(column.clone());
    }
    names.extend(config.transaction_column.clone());
    let mut columns = layout::described(table, &names, plain.collect())?;
    columns.truncate(layout.names.len());
    let find = |name: &str| present.iter().find(|column| column.name == name);
    let mut kinds = Vec::with_capacity(columns.len());
    for column in &columns {
        let kind = find(&column.name).and_then(|column| kind(&column.base, &column.category));
        kinds.push(kind.ok_or_else(|| SourceError::Unreadable {
            table: table.clone(),
            column: column.name.clone(),
            kind: column.kind.clone(),
        })?);
    }
    if let Some(position) = find(&config.table.position) {
        verify_position(table, position)?;
    }
    if let Some(column) = config.transaction_column.as_deref().and_then(find) {
        verify_transaction(table, column)?;
    }
    let oid = present.first().map_or(0, |column| column.oid);
    Ok(Table { oid, columns, kinds })
}

fn verify_position(table: &str, column: &Column) -> Result<(), SourceError> {
    let problem = match kind(&column.base, &column.category) {
        Some(Kind::Integer) if !column.not_null => "must be NOT NULL",
        Some(Kind::Integer) if !column.named_once => {
            "must have a unique index of its own: else two rows could stand at one position"
        }
        Some(Kind::Integer) => return Ok(()),
        _ => "must be a whole number",
    };
    Err(unfit(table, column, problem))
}

fn verify_transaction(table: &str, column: &Column) -> Result<(), SourceError> {
    if column.base != "xid8" {
        return Err(unfit(table, column, "must be of type `xid8`"));
    }
    if !column.not_null {
        return Err(unfit(table, column, "must be NOT NULL"));
    }
    if !column.indexed {
        tracing::warn!(
            table,
            column = column.name,
            "column has no index, so each look is at all rows"
        );
    }
    Ok(())
}

fn unfit(table: &str, column: &Column, problem: &'static str) -> SourceError {
    SourceError::Unfit { table: table.to_owned(), column: column.name.clone(), problem }
}

fn kind(base: &str, category: &str) -> Option<Kind> {
    Some(match base {
        _ if category == "e" => Kind::Written,
        "int2" | "int4" | "int8" => Kind::Integer,
        "float4" | "float8" => Kind::Real,
        "bool" => Kind::Boolean,
        "text" | "varchar" => Kind::Text,
        "bytea" => Kind::Bytes,
        "bpchar" | "numeric" | "date" | "time" | "timestamp" | "timestamptz" | "uuid" | "json"
        | "jsonb" => Kind::Written,
        _ => return None,
    })
}
