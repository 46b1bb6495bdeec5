//! Rows of a table of a MySQL or MariaDB database.
//!
//! - `outbox`: every row that was not taken. Complete in any order.
//! - `watermark`: everything above the highest position read, and the gaps below it for as long as
//!   `overlap` ([`super::coverage`]). These databases do not tell an ordinary user which transactions
//!   are open, so the time stands for it: complete for rows that are committed within `overlap` of
//!   being given their position. What was read of the overlap is remembered and not read again.
//!
//! Changes and deletions are not seen. Servers that forget the highest `AUTO_INCREMENT` at a restart, and
//! so may give a position twice, are refused in mode `watermark`.

mod catalog;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, Connection as _, Executor as _, MySql as Engine, MySqlPool, QueryBuilder,
    Row as _,
    mysql::{MySqlPoolOptions, MySqlRow},
};

use self::catalog::{Kind, Table};
use super::{
    Guarantee, Keys, Mark, Reach, Reading, SourceError,
    again::Again,
    bounded::{ALL, Bounded},
    coverage::{Kept, Known},
    late::{Late, Positions},
    layout::{self, Layout},
};
use crate::{
    config::{FlowConfig, MysqlConfig, TableConfig, TableMode, Taken},
    row::{Cell, Row},
};

/// Keys asked for, and rows marked, in one statement.
const MAX_KEYS: usize = 500;
const MAX_TAKEN: usize = 10_000;

/// A table that is read.
#[derive(Debug)]
pub(crate) struct Mysql {
    pool: MySqlPool,
    config: MysqlConfig,
    layout: Layout,
    table: Table,
    /// `` `schema`.`table` ``.
    name: String,
    list: String,
    late: Late,
}

/// How far the table was read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    covered: Option<Kept>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

impl Mysql {
    pub(super) async fn open(flow: &FlowConfig, config: &MysqlConfig) -> Result<Self, SourceError> {
        let pool = connect(config).await?;
        let layout = Layout::new(flow, &config.table);
        let table = catalog::describe(&pool, config, &layout).await?;
        if config.table.mode == TableMode::Watermark {
            catalog::verify_version(&pool, config).await?;
        }
        let list: Vec<String> =
            layout.names.iter().zip(&table.kinds).map(|(name, kind)| kind.select(name)).collect();
        Ok(Self {
            pool,
            name: quoted(&config.table.table),
            config: config.clone(),
            layout,
            table,
            list: list.join(", "),
            late: Late::default(),
        })
    }

    pub(super) fn table(&self) -> &TableConfig {
        &self.config.table
    }

    pub(super) fn guarantee(config: &MysqlConfig) -> Guarantee {
        Guarantee::of_inserts(match config.table.mode {
            TableMode::Outbox(_) => Reach::Complete,
            TableMode::Watermark => Reach::CompleteWithin(config.overlap),
        })
    }

    pub(super) async fn next(
        &self,
        mark: Option<&Mark>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Reading, SourceError> {
        let was = &self.table.columns;
        catalog::verify_unchanged(&self.pool, &self.config, &self.layout, was).await?;
        let mut far: Far = Mark::read(mark)?;
        if let Some(again) = far.again.take() {
            let position = &self.config.table.position;
            let mut query = self.select();
            query.push(format!(" WHERE `{position}` > ")).push_bind(again.behind);
            query.push(format!(" AND `{position}` <= ")).push_bind(again.until);
            let (rows, more) = self.fetch(query, limit).await?;
            far.again = again.onward(rows.last().map(|row| row.position), more);
            return Ok(Reading { rows, mark: Some(Mark::write(&far)?), more: true });
        }
        if let TableMode::Outbox(taken) = &self.config.table.mode {
            let mut query = self.select();
            if let Taken::At(column) = taken {
                query.push(format!(" WHERE `{column}` IS NULL"));
            }
            let (rows, more) = self.fetch(query, limit).await?;
            return Ok(Reading { rows, mark: None, more });
        }
        let overlap = i64::try_from(self.config.overlap.as_secs()).unwrap_or(i64::MAX);
        let known = Known { now, overlap, ended: 0 };
        let read = self.late.read(self, far.covered.unwrap_or_default(), known, limit).await?;
        far.covered = Some(read.kept);
        let mark = (!read.rows.is_empty()).then(|| Mark::write(&far)).transpose()?;
        Ok(Reading { rows: read.rows, mark, more: read.more })
    }

    pub(super) async fn with_keys(&self, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        let (key, position) = (&self.config.table.key, &self.config.table.position);
        let mut found = Vec::new();
        for chunk in keys.chunks(MAX_KEYS) {
            let mut query = self.select();
            // A text is compared byte by byte: a collation would take `a` for `Á`. The first condition is
            // for the index, the second decides.
            query.push(format!(" WHERE (`{key}` IN ("));
            let mut list = query.separated(", ");
            chunk.iter().for_each(|key| {
                list.push_bind(key.clone());
            });
            query.push(format!(") AND CAST(CAST(`{key}` AS CHAR) AS BINARY) IN ("));
            let mut list = query.separated(", ");
            chunk.iter().for_each(|key| {
                list.push_bind(key.clone().into_bytes());
            });
            query.push("))");
            let places = layout::places(chunk);
            if !places.is_empty() {
                query.push(format!(" OR `{position}` IN ("));
                let mut list = query.separated(", ");
                places.into_iter().for_each(|place| {
                    list.push_bind(place);
                });
                query.push(")");
            }
            let (rows, _) = self.fetch(query, ALL).await?;
            found.extend(layout::as_asked(rows, chunk));
        }
        Ok(found)
    }

    pub(super) async fn keys(&self, after: Option<&str>, limit: u32) -> Result<Keys, SourceError> {
        let (key, position) = (&self.config.table.key, &self.config.table.position);
        let text = format!(
            "SELECT CAST(`{position}` AS SIGNED), CAST(`{key}` AS CHAR) FROM {}
             WHERE `{position}` > ? ORDER BY `{position}` LIMIT ?",
            self.name
        );
        let rows = sqlx::query_as(AssertSqlSafe(text))
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
        let position = &self.config.table.position;
        let text = format!("SELECT CAST(max(`{position}`) AS SIGNED) FROM {}", self.name);
        let highest: Option<i64> =
            sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&self.pool).await?;
        let until = highest.unwrap_or(i64::MIN);
        let again = Again { behind: super::position(from)?, until };
        Mark::write(&Far { again: Some(again), ..Mark::read(mark)? })
    }

    pub(super) async fn taken(&self, rows: &[Row]) -> Result<(), SourceError> {
        let TableMode::Outbox(taken) = &self.config.table.mode else { return Ok(()) };
        let (table, position) = (&self.name, &self.config.table.position);
        // Without the index all rows could be gone through, and waited for where they are locked.
        let hint = format!("FORCE INDEX (`{}`)", self.table.index);
        for chunk in rows.chunks(MAX_TAKEN) {
            let mut query = QueryBuilder::<Engine>::new(match taken {
                Taken::Delete => {
                    format!("DELETE t FROM {} AS t {hint} WHERE `{position}` IN (", self.name)
                }
                Taken::At(column) => format!(
                    "UPDATE {table} {hint} SET `{column}` = UTC_TIMESTAMP(6)
                     WHERE `{column}` IS NULL AND `{position}` IN ("
                ),
            });
            let mut list = query.separated(", ");
            chunk.iter().for_each(|row| {
                list.push_bind(row.position);
            });
            query.push(")");
            query.build().persistent(false).execute(&self.pool).await?;
        }
        Ok(())
    }

    fn select(&self) -> QueryBuilder<Engine> {
        QueryBuilder::new(format!("SELECT {} FROM {}", self.list, self.name))
    }

    /// The rows in order of their positions, as many as are allowed, and whether there are more.
    async fn fetch(
        &self,
        mut query: QueryBuilder<Engine>,
        limit: u32,
    ) -> Result<(Vec<Row>, bool), SourceError> {
        query.push(format!(" ORDER BY `{}` LIMIT ", self.config.table.position));
        query.push_bind(limit);
        let mut rows = if limit == ALL { Bounded::whole() } else { Bounded::new(limit) };
        rows.fill(query.build().fetch(&self.pool), |row| self.row(&row)).await?;
        Ok(rows.finish())
    }

    fn row(&self, row: &MySqlRow) -> Result<Row, SourceError> {
        let cells =
            self.table.kinds.iter().enumerate().map(|(place, kind)| cell(row, place, *kind));
        self.layout.row(cells.collect::<Result<_, _>>()?)
    }
}

async fn connect(config: &MysqlConfig) -> Result<MySqlPool, SourceError> {
    let seconds = config.statement.as_secs();
    let access = match config.table.mode {
        TableMode::Watermark => "READ ONLY",
        TableMode::Outbox(_) => "READ WRITE",
    };
    let options = config.address.options().timezone(Some("+00:00".to_owned())).charset("utf8mb4");
    let pool = MySqlPoolOptions::new()
        .max_connections(2)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(move |connection, _| {
            Box::pin(async move {
                connection
                    .execute(AssertSqlSafe(format!(
                        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, {access}"
                    )))
                    .await?;
                connection
                    .execute(AssertSqlSafe(format!(
                        "SET SESSION innodb_lock_wait_timeout = {seconds}"
                    )))
                    .await?;
                let version: String =
                    sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await?;
                let limit = if version.contains("MariaDB") {
                    format!("SET SESSION max_statement_time = {seconds}")
                } else {
                    format!("SET SESSION max_execution_time = {}", seconds.saturating_mul(1_000))
                };
                connection.execute(AssertSqlSafe(limit)).await?;
                connection.ping().await
            })
        })
        .connect_with(options)
        .await?;
    Ok(pool)
}

fn cell(row: &MySqlRow, place: usize, kind: Kind) -> Result<Cell, SourceError> {
    Ok(match kind {
        Kind::Integer | Kind::Unsigned => {
            row.try_get_unchecked::<Option<i64>, _>(place)?.map_or(Cell::Null, Cell::Integer)
        }
        Kind::Real => {
            row.try_get_unchecked::<Option<f64>, _>(place)?.map_or(Cell::Null, Cell::Real)
        }
        Kind::Bytes => {
            row.try_get_unchecked::<Option<Vec<u8>>, _>(place)?.map_or(Cell::Null, Cell::Bytes)
        }
        Kind::Text | Kind::Written | Kind::Instant => {
            let bytes = row.try_get_unchecked::<Option<Vec<u8>>, _>(place)?;
            bytes.map_or(Cell::Null, |bytes| {
                String::from_utf8(bytes).map_or_else(|e| Cell::Bytes(e.into_bytes()), Cell::Text)
            })
        }
    })
}

/// The name of a table, or of a schema and a table, quoted.
fn quoted(name: &str) -> String {
    name.split('.').map(|part| format!("`{part}`")).collect::<Vec<_>>().join(".")
}

impl Positions for Mysql {
    async fn begun(&self) -> Result<u64, SourceError> {
        Ok(0)
    }

    async fn positions(
        &self,
        ranges: &[(i64, i64)],
        behind: i64,
        limit: u32,
    ) -> Result<Vec<i64>, SourceError> {
        let position = &self.config.table.position;
        let mut query = QueryBuilder::<Engine>::new(format!(
            "SELECT CAST(`{position}` AS SIGNED) FROM {} WHERE `{position}` > ",
            self.name
        ));
        query.push_bind(behind).push(" AND (");
        for (place, (from, to)) in ranges.iter().enumerate() {
            query.push(if place == 0 { "" } else { " OR " });
            query.push(format!("`{position}` BETWEEN ")).push_bind(*from);
            query.push(" AND ").push_bind(*to);
        }
        query.push(format!(") ORDER BY `{position}` LIMIT ")).push_bind(limit);
        let positions = query.build_query_scalar().persistent(false).fetch_all(&self.pool).await?;
        Ok(positions)
    }

    async fn rows_at(&self, positions: &[i64]) -> Result<Vec<Row>, SourceError> {
        let mut query = self.select();
        query.push(format!(" WHERE `{}` IN (", self.config.table.position));
        let mut list = query.separated(", ");
        positions.iter().for_each(|position| {
            list.push_bind(*position);
        });
        query.push(")");
        Ok(self.fetch(query, ALL).await?.0)
    }

    async fn rows_behind(
        &self,
        position: i64,
        limit: u32,
    ) -> Result<(Vec<Row>, bool), SourceError> {
        let mut query = self.select();
        query.push(format!(" WHERE `{}` > ", self.config.table.position)).push_bind(position);
        self.fetch(query, limit).await
    }
}

#[cfg(test)]
mod tests;
