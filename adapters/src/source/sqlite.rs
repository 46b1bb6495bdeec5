//! Rows of a table of a SQLite database.
//!
//! - `watermark`: every row whose position is above the highest one read. Guarantee: complete for
//!   inserted rows (SQLite has one writer and `AUTOINCREMENT` never gives a position twice, so what
//!   is committed later stands higher); changes and deletions are not seen.
//! - `outbox`: every row not marked as taken. The mark is set only after the rows are safe, so a row
//!   may be read twice and is recognised by its key. Guarantee: complete for inserted rows in any
//!   order; changes and deletions are not seen.
//!
//! Reads only the columns that the flow needs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::{
    AssertSqlSafe, Column as _, Row as _, SqlitePool, TypeInfo as _, ValueRef as _,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow},
};

use crate::{
    config::{FlowConfig, SourceConfig, SourceMode},
    map,
    row::{Cell, Row},
};

/// Longest key of a row.
const MAX_KEY: usize = 200;
/// Keys asked for at once.
const MAX_KEYS: usize = 500;

/// Why a source cannot be read. Names tables and columns, never a value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("file `{0}` does not exist")]
    Missing(String),
    #[error("table `{0}` does not exist")]
    NoTable(String),
    #[error("table `{table}` has no column `{column}`")]
    NoColumn { table: String, column: String },
    #[error("`{0}` must be an INTEGER PRIMARY KEY AUTOINCREMENT: others can be given twice")]
    Reusable(String),
    #[error("a row has no usable value in `{0}`")]
    Unnamed(String),
    #[error("column `{0}` holds bytes")]
    Bytes(String),
    #[error("database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// A table that is read.
#[derive(Debug)]
pub(crate) struct SqliteSource {
    pool: SqlitePool,
    config: SourceConfig,
    /// `"a", "b"`, quoted.
    list: String,
}

impl SqliteSource {
    /// Opens the database and makes sure that the table is as the flow says.
    pub(crate) async fn open(flow: &FlowConfig) -> Result<Self, SourceError> {
        let config = flow.source.clone();
        if !config.file.exists() {
            return Err(SourceError::Missing(config.file.display().to_string()));
        }
        let options = SqliteConnectOptions::new()
            .filename(&config.file)
            .create_if_missing(false)
            .read_only(config.mode == SourceMode::Watermark)
            .busy_timeout(std::time::Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let columns = columns(flow);
        verify(&pool, &config, &columns).await?;
        let quoted: Vec<String> = columns.iter().map(|c| format!("\"{c}\"")).collect();
        Ok(Self { pool, config, list: quoted.join(", ") })
    }

    /// What the source promises, in words.
    pub(crate) fn guarantee(mode: &SourceMode) -> &'static str {
        match mode {
            SourceMode::Watermark => {
                "complete for inserted rows; changes and deletions are not seen"
            }
            SourceMode::Outbox { .. } => {
                "complete for inserted rows in any order; changes and deletions are not seen"
            }
        }
    }

    /// The next rows, in order of their positions.
    pub(crate) async fn next(&self, watermark: Option<i64>) -> Result<Vec<Row>, SourceError> {
        let SourceConfig { table, position, batch, mode, .. } = &self.config;
        let list = &self.list;
        let rows = match mode {
            SourceMode::Watermark => {
                let query = format!(
                    "SELECT {list} FROM \"{table}\" WHERE \"{position}\" > ?
                     ORDER BY \"{position}\" LIMIT ?"
                );
                sqlx::query(AssertSqlSafe(query))
                    .bind(watermark.unwrap_or(i64::MIN))
                    .bind(batch)
                    .fetch_all(&self.pool)
                    .await?
            }
            SourceMode::Outbox { taken_at } => {
                let query = format!(
                    "SELECT {list} FROM \"{table}\" WHERE \"{taken_at}\" IS NULL
                     ORDER BY \"{position}\" LIMIT ?"
                );
                sqlx::query(AssertSqlSafe(query)).bind(batch).fetch_all(&self.pool).await?
            }
        };
        rows.iter().map(|row| self.row(row)).collect()
    }

    /// The rows with these keys, taken or not.
    pub(crate) async fn with_keys(&self, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        let SourceConfig { table, position, key, .. } = &self.config;
        let mut found = Vec::new();
        for chunk in keys.chunks(MAX_KEYS) {
            let marks = vec!["?"; chunk.len()].join(", ");
            let list = &self.list;
            let text = format!(
                "SELECT {list} FROM \"{table}\" WHERE CAST(\"{key}\" AS TEXT) IN ({marks})
                 ORDER BY \"{position}\""
            );
            let mut query = sqlx::query(AssertSqlSafe(text));
            for key in chunk {
                query = query.bind(key);
            }
            for row in query.fetch_all(&self.pool).await? {
                found.push(self.row(&row)?);
            }
        }
        Ok(found)
    }

    /// Marks rows as taken, once they are safe. Only mode `outbox` has a mark.
    pub(crate) async fn taken(&self, rows: &[Row], now: Timestamp) -> Result<(), SourceError> {
        let SourceMode::Outbox { taken_at } = &self.config.mode else { return Ok(()) };
        let SourceConfig { table, position, .. } = &self.config;
        let text = format!("UPDATE \"{table}\" SET \"{taken_at}\" = ? WHERE \"{position}\" = ?");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for row in rows {
            sqlx::query(AssertSqlSafe(text.as_str()))
                .bind(now.to_string())
                .bind(row.position)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    fn row(&self, row: &SqliteRow) -> Result<Row, SourceError> {
        let mut cells = std::collections::BTreeMap::new();
        for column in row.columns() {
            cells.insert(column.name().to_owned(), cell(row, column.name())?);
        }
        let SourceConfig { position, key, .. } = &self.config;
        let Some(Cell::Integer(at)) = cells.get(position) else {
            return Err(SourceError::Unnamed(position.clone()));
        };
        let name = cells.get(key).and_then(Cell::text);
        let Some(name) = name.filter(|n| !n.is_empty() && n.len() <= MAX_KEY) else {
            return Err(SourceError::Unnamed(key.clone()));
        };
        Ok(Row { position: *at, key: name, cells })
    }
}

fn cell(row: &SqliteRow, name: &str) -> Result<Cell, SourceError> {
    let raw = row.try_get_raw(name)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let info = raw.type_info().into_owned();
    match info.name() {
        "INTEGER" | "BOOLEAN" => Ok(Cell::Integer(row.try_get_unchecked(name)?)),
        "REAL" => Ok(Cell::Real(row.try_get_unchecked(name)?)),
        "BLOB" => Err(SourceError::Bytes(name.to_owned())),
        _ => Ok(Cell::Text(row.try_get_unchecked(name)?)),
    }
}

/// Every column that the flow reads.
fn columns(flow: &FlowConfig) -> BTreeSet<String> {
    let mut columns = BTreeSet::from([
        flow.source.position.clone(),
        flow.source.key.clone(),
        flow.order_by.clone(),
        flow.dossier.clone(),
    ]);
    columns.extend(flow.officer.clone());
    for message in &flow.messages {
        columns.extend(message.when.iter().map(|(column, _)| column.clone()));
        columns.extend(map::columns(&message.fields).map(str::to_owned));
    }
    columns
}

async fn verify(
    pool: &SqlitePool,
    config: &SourceConfig,
    columns: &BTreeSet<String>,
) -> Result<(), SourceError> {
    let table = &config.table;
    let present: Vec<(String, String, i64)> =
        sqlx::query_as("SELECT name, upper(type), pk FROM pragma_table_info(?)")
            .bind(table)
            .fetch_all(pool)
            .await?;
    if present.is_empty() {
        return Err(SourceError::NoTable(table.clone()));
    }
    let mark = match &config.mode {
        SourceMode::Outbox { taken_at } => Some(taken_at),
        SourceMode::Watermark => None,
    };
    for column in columns.iter().chain(mark) {
        if !present.iter().any(|(name, ..)| name == column) {
            return Err(SourceError::NoColumn { table: table.clone(), column: column.clone() });
        }
    }
    if config.mode == SourceMode::Watermark {
        let is_rowid = present
            .iter()
            .any(|(name, kind, pk)| name == &config.position && kind == "INTEGER" && *pk == 1);
        let text: Option<String> =
            sqlx::query_scalar("SELECT upper(sql) FROM sqlite_master WHERE name = ?")
                .bind(table)
                .fetch_one(pool)
                .await?;
        if !is_rowid || !text.is_some_and(|sql| sql.contains("AUTOINCREMENT")) {
            return Err(SourceError::Reusable(config.position.clone()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
