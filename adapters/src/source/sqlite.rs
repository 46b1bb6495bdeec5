//! Rows of a table of a SQLite database.
//!
//! - `watermark`: every row whose position is above the highest one read. Complete for inserted rows:
//!   SQLite has one writer and `AUTOINCREMENT` never gives a position twice, so what is committed
//!   later stands higher. Changes and deletions are not seen.
//! - `outbox`: every row that was not taken. The mark is set only after the rows are safe, so a row
//!   may be read twice and is recognised by its key. Complete for inserted rows in any order.
//!
//! The mark is the highest position read.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, QueryBuilder, Row as _, Sqlite as Engine, SqlitePool, TypeInfo as _,
    ValueRef as _,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow},
};

use super::{
    Guarantee, Keys, Mark, Reach, Reading, SourceError,
    again::Again,
    bounded::{ALL, Bounded},
    layout::{self, Described, Layout},
};
use crate::{
    config::{FlowConfig, SqliteConfig, TableConfig, TableMode, Taken},
    row::{Cell, Row},
};

/// Keys asked for at once.
const MAX_KEYS: usize = 500;
/// Positions marked in one statement.
const MAX_TAKEN: usize = 10_000;

/// A table that is read.
#[derive(Debug)]
pub(crate) struct Sqlite {
    pool: SqlitePool,
    config: SqliteConfig,
    layout: Layout,
    columns: Vec<Described>,
    /// `"a", "b"`, quoted.
    list: String,
}

/// How far the table was read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

impl Far {
    /// Reads a mark; a number alone is a position.
    fn read(mark: Option<&Mark>) -> Result<Self, SourceError> {
        match mark.and_then(|mark| mark.as_str().parse().ok()) {
            Some(at) => Ok(Self { at: Some(at), again: None }),
            None => Mark::read(mark),
        }
    }
}

impl Sqlite {
    pub(super) async fn open(
        flow: &FlowConfig,
        config: &SqliteConfig,
    ) -> Result<Self, SourceError> {
        if !config.file.exists() {
            return Err(SourceError::Missing(config.file.display().to_string()));
        }
        let options = SqliteConnectOptions::new()
            .filename(&config.file)
            .create_if_missing(false)
            .read_only(config.table.mode == TableMode::Watermark)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let layout = Layout::new(flow, &config.table);
        let columns = describe(&pool, config, &layout).await?;
        verify(&pool, config).await?;
        let quoted: Vec<String> = layout.names.iter().map(|c| format!("\"{c}\"")).collect();
        Ok(Self { pool, config: config.clone(), layout, columns, list: quoted.join(", ") })
    }

    pub(super) fn table(&self) -> &TableConfig {
        &self.config.table
    }

    pub(super) fn guarantee() -> Guarantee {
        Guarantee::of_inserts(Reach::Complete)
    }

    pub(super) async fn next(
        &self,
        mark: Option<&Mark>,
        limit: u32,
    ) -> Result<Reading, SourceError> {
        let present = describe(&self.pool, &self.config, &self.layout).await?;
        layout::drift(&self.config.table.table, &self.columns, &present)?;
        let mut far = Far::read(mark)?;
        let mut query = self.select();
        let position = &self.config.table.position;
        if let Some(again) = &far.again {
            query.push(format!(" WHERE \"{position}\" > ")).push_bind(again.behind);
            query.push(format!(" AND \"{position}\" <= ")).push_bind(again.until);
        } else if let TableMode::Outbox(taken) = &self.config.table.mode {
            if let Taken::At(column) = taken {
                query.push(format!(" WHERE \"{column}\" IS NULL"));
            }
        } else {
            let at = far.at.unwrap_or(i64::MIN);
            query.push(format!(" WHERE \"{position}\" > ")).push_bind(at);
        }
        let (rows, more) = self.fetch(query, limit).await?;
        let last = rows.last().map(|row| row.position);
        let moved = match far.again.take() {
            Some(again) => {
                far.again = again.onward(last, more);
                true
            }
            None => {
                let watermark = self.config.table.mode == TableMode::Watermark;
                far.at = last.filter(|_| watermark).or(far.at);
                last.is_some() && watermark
            }
        };
        let mark = if moved { Some(Mark::write(&far)?) } else { None };
        let more = more || far.again.is_some();
        Ok(Reading { rows, mark, more })
    }

    pub(super) async fn with_keys(&self, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        let mut found = Vec::new();
        for chunk in keys.chunks(MAX_KEYS) {
            let mut query = self.select();
            query.push(format!(" WHERE CAST(\"{}\" AS TEXT) IN (", self.config.table.key));
            let mut list = query.separated(", ");
            chunk.iter().for_each(|key| {
                list.push_bind(key.clone());
            });
            query.push(format!(") OR \"{}\" IN (", self.config.table.position));
            let mut list = query.separated(", ");
            layout::places(chunk).into_iter().for_each(|place| {
                list.push_bind(place);
            });
            query.push(")");
            let (rows, _) = self.fetch(query, ALL).await?;
            found.extend(layout::as_asked(rows, chunk));
        }
        Ok(found)
    }

    pub(super) async fn keys(&self, after: Option<&str>, limit: u32) -> Result<Keys, SourceError> {
        let table = &self.config.table;
        let (position, key) = (&table.position, &table.key);
        let text = format!(
            "SELECT \"{position}\", CAST(\"{key}\" AS TEXT) FROM \"{}\" WHERE \"{position}\" > ?
             ORDER BY \"{position}\" LIMIT ?",
            table.table
        );
        let rows: Vec<(i64, Option<String>)> = sqlx::query_as(AssertSqlSafe(text))
            .bind(super::position(after)?)
            .bind(limit)
            .fetch_all(&self.pool)
            .await?;
        Ok(Keys::page(rows, limit))
    }

    pub(super) async fn again(
        &self,
        mark: Option<&Mark>,
        from: Option<&str>,
    ) -> Result<Mark, SourceError> {
        let table = &self.config.table;
        let text = format!("SELECT max(\"{}\") FROM \"{}\"", table.position, table.table);
        let highest: Option<i64> =
            sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&self.pool).await?;
        let again = Again { behind: super::position(from)?, until: highest.unwrap_or(i64::MIN) };
        Mark::write(&Far { again: Some(again), ..Far::read(mark)? })
    }

    pub(super) async fn taken(&self, rows: &[Row], now: Timestamp) -> Result<(), SourceError> {
        let TableMode::Outbox(taken) = &self.config.table.mode else { return Ok(()) };
        let (table, position) = (&self.config.table.table, &self.config.table.position);
        for chunk in rows.chunks(MAX_TAKEN) {
            let mut query = match taken {
                Taken::Delete => QueryBuilder::<Engine>::new(format!("DELETE FROM \"{table}\"")),
                Taken::At(column) => {
                    let text = format!("UPDATE \"{table}\" SET \"{column}\" = ");
                    let mut query = QueryBuilder::new(text);
                    query.push_bind(now.to_string());
                    query
                }
            };
            query.push(format!(" WHERE \"{position}\" IN ("));
            let mut list = query.separated(", ");
            chunk.iter().for_each(|row| {
                list.push_bind(row.position);
            });
            query.push(")");
            if let Taken::At(column) = taken {
                query.push(format!(" AND \"{column}\" IS NULL"));
            }
            query.build().execute(&self.pool).await?;
        }
        Ok(())
    }

    fn select(&self) -> QueryBuilder<Engine> {
        QueryBuilder::new(format!("SELECT {} FROM \"{}\"", self.list, self.config.table.table))
    }

    /// The rows in order of their positions, as many as are allowed, and whether there are more.
    async fn fetch(
        &self,
        mut query: QueryBuilder<Engine>,
        limit: u32,
    ) -> Result<(Vec<Row>, bool), SourceError> {
        query.push(format!(" ORDER BY \"{}\" LIMIT ", self.config.table.position));
        query.push_bind(i64::from(limit));
        let mut rows = if limit == ALL { Bounded::whole() } else { Bounded::new(limit) };
        rows.fill(query.build().fetch(&self.pool), |row| self.row(&row)).await?;
        Ok(rows.finish())
    }

    fn row(&self, row: &SqliteRow) -> Result<Row, SourceError> {
        let cells = (0..self.columns.len()).map(|place| cell(row, place));
        self.layout.row(cells.collect::<Result<_, _>>()?)
    }
}

fn cell(row: &SqliteRow, place: usize) -> Result<Cell, SourceError> {
    let raw = row.try_get_raw(place)?;
    if raw.is_null() {
        return Ok(Cell::Null);
    }
    let info = raw.type_info().into_owned();
    match info.name() {
        "INTEGER" | "BOOLEAN" => Ok(Cell::Integer(row.try_get_unchecked(place)?)),
        "REAL" => Ok(Cell::Real(row.try_get_unchecked(place)?)),
        "BLOB" => Ok(Cell::Bytes(row.try_get_unchecked(place)?)),
        _ => {
            let bytes: Vec<u8> = row.try_get_unchecked(place)?;
            Ok(String::from_utf8(bytes).map_or_else(|e| Cell::Bytes(e.into_bytes()), Cell::Text))
        }
    }
}

async fn describe(
    pool: &SqlitePool,
    config: &SqliteConfig,
    layout: &Layout,
) -> Result<Vec<Described>, SourceError> {
    let table = &config.table;
    let present: Vec<(String, String)> =
        sqlx::query_as("SELECT name, upper(type) FROM pragma_table_info(?)")
            .bind(&table.table)
            .fetch_all(pool)
            .await?;
    let present: Vec<Described> =
        present.into_iter().map(|(name, kind)| Described { name, kind }).collect();
    if let TableMode::Outbox(Taken::At(column)) = &table.mode {
        layout::described(&table.table, std::slice::from_ref(column), present.clone())?;
    }
    layout::described(&table.table, &layout.names, present)
}

/// Makes sure that no position is given twice.
async fn verify(pool: &SqlitePool, config: &SqliteConfig) -> Result<(), SourceError> {
    let table = &config.table;
    let unfit = |problem| SourceError::Unfit {
        table: table.table.clone(),
        column: table.position.clone(),
        problem,
    };
    let key: Vec<(String, String)> =
        sqlx::query_as("SELECT name, upper(type) FROM pragma_table_info(?) WHERE pk > 0")
            .bind(&table.table)
            .fetch_all(pool)
            .await?;
    if !matches!(&key[..], [(name, kind)] if name == &table.position && kind == "INTEGER") {
        return Err(unfit("must be an INTEGER PRIMARY KEY"));
    }
    let text: Option<String> =
        sqlx::query_scalar("SELECT upper(sql) FROM sqlite_master WHERE name = ?")
            .bind(&table.table)
            .fetch_one(pool)
            .await?;
    let grows = text.is_some_and(|sql| sql.contains("AUTOINCREMENT"));
    if table.mode == TableMode::Watermark && !grows {
        return Err(unfit("must be AUTOINCREMENT: else a position can be given twice"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
