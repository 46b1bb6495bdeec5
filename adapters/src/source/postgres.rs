//! Rows of a table of a PostgreSQL database.
//!
//! - `outbox`: every row that was not taken. Complete in any order: a row that is committed late is
//!   there, not taken, at the next look.
//! - `watermark` with a `transaction_column`: rows whose transaction had ended at a new moment and had
//!   not at the last one ([`snapshot::Moment`]). Both moments are the database's own snapshots, so every
//!   committed row is in exactly one of the steps between them, whatever its position is. Complete.
//! - `watermark` without one: everything above the highest position read, and the gaps below it until
//!   no transaction is open that could fill them ([`super::coverage`]). Complete for positions given
//!   in the transaction that writes them, however late it ends; a position given before its transaction
//!   begins to write (a preallocated block, `nextval` alone) is waited for as long as `overlap`.
//!
//! Changes and deletions are not seen. A standby is refused, because its snapshots do not name the
//! transactions that are open, and so is a database that was put back or failed over since the mark.

// Not by the system column `xmin`: it names subtransactions, and no snapshot tells which of those are
// open, so a row written behind a savepoint would be passed over.
mod catalog;
mod decode;
mod snapshot;
mod watermark;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::{
    AssertSqlSafe, PgPool, Postgres as Engine, QueryBuilder,
    postgres::{PgPoolOptions, PgRow},
};

use self::{
    catalog::{Kind, Table},
    watermark::Stepped,
};
use super::{
    Guarantee, Keys, Mark, Reach, Reading, SourceError,
    again::Again,
    bounded::{ALL, Bounded},
    coverage::Kept,
    late::Late,
    layout::{self, Layout},
};
use crate::{
    config::{FlowConfig, PostgresConfig, TableConfig, TableMode, Taken},
    row::Row,
};

/// A table that is read.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: PgPool,
    config: PostgresConfig,
    layout: Layout,
    table: Table,
    /// `"schema"."table"`.
    name: String,
    /// What is selected, in the order of the columns.
    list: String,
    late: Late,
}

/// How far the table was read.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Far {
    /// Which database and table that was.
    #[serde(default)]
    home: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stepped: Option<Stepped>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    covered: Option<Kept>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    again: Option<Again>,
}

impl Postgres {
    pub(super) async fn open(
        flow: &FlowConfig,
        config: &PostgresConfig,
    ) -> Result<Self, SourceError> {
        let statement = format!("{}s", config.statement.as_secs());
        let read_only = if config.table.mode == TableMode::Watermark { "on" } else { "off" };
        let options = config.address.options().application_name("lienthong-adapters").options([
            ("statement_timeout", statement.as_str()),
            ("lock_timeout", statement.as_str()),
            ("default_transaction_read_only", read_only),
            ("timezone", "UTC"),
            ("datestyle", "ISO"),
        ]);
        let pool = PgPoolOptions::new()
            .max_connections(2)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options)
            .await?;
        let layout = Layout::new(flow, &config.table);
        let table = catalog::describe(&pool, config, &layout).await?;
        let list: Vec<String> = layout
            .names
            .iter()
            .zip(&table.kinds)
            .map(|(name, kind)| match kind {
                Kind::Written => format!("\"{name}\"::text"),
                _ => format!("\"{name}\""),
            })
            .collect();
        let source = Self {
            pool,
            name: quoted(&config.table.table),
            config: config.clone(),
            layout,
            table,
            list: list.join(", "),
            late: Late::default(),
        };
        if source.config.table.mode == TableMode::Watermark {
            source.now().await?;
        }
        Ok(source)
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
        now: jiff::Timestamp,
    ) -> Result<Reading, SourceError> {
        let was = &self.table.columns;
        let oid = catalog::verify_unchanged(&self.pool, &self.config, &self.layout, was).await?;
        let mut far: Far = Mark::read(mark)?;
        if let Some(again) = far.again.take() {
            let position = &self.config.table.position;
            let mut query = self.select();
            query.push(format!(" WHERE \"{position}\" > ")).push_bind(again.behind);
            query.push(format!(" AND \"{position}\" <= ")).push_bind(again.until);
            let (rows, more) = self.fetch(query, limit).await?;
            far.again = again.onward(rows.last().map(|row| row.position), more);
            return Ok(Reading { rows, mark: Some(Mark::write(&far)?), more: true });
        }
        match &self.config.table.mode {
            TableMode::Watermark => self.read_watermark(far, limit, now, oid).await,
            TableMode::Outbox(taken) => {
                let mut query = self.select();
                if let Taken::At(column) = taken {
                    query.push(format!(" WHERE \"{column}\" IS NULL"));
                }
                let (rows, more) = self.fetch(query, limit).await?;
                Ok(Reading { rows, mark: None, more })
            }
        }
    }

    pub(super) async fn with_keys(&self, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        let (key, position) = (&self.config.table.key, &self.config.table.position);
        let mut query = self.select();
        // Compared in the column's own type where it is a text, so that an index serves.
        let kind = self.layout.names.iter().zip(&self.table.kinds).find(|(name, _)| *name == key);
        match kind {
            Some((_, Kind::Text)) => query.push(format!(" WHERE \"{key}\" = ANY(")),
            Some((_, Kind::Integer)) => query.push(format!(" WHERE \"{key}\" = ANY(")),
            _ => query.push(format!(" WHERE \"{key}\"::text = ANY(")),
        };
        match kind {
            Some((_, Kind::Integer)) => {
                let keys: Vec<i64> = keys.iter().filter_map(|key| key.parse().ok()).collect();
                query.push_bind(keys);
            }
            _ => drop(query.push_bind(keys.to_vec())),
        }
        query.push(format!(") OR \"{position}\" = ANY(")).push_bind(layout::places(keys)).push(")");
        let (rows, _) = self.fetch(query, ALL).await?;
        Ok(layout::as_asked(rows, keys))
    }

    pub(super) async fn keys(&self, after: Option<&str>, limit: u32) -> Result<Keys, SourceError> {
        let (key, position) = (&self.config.table.key, &self.config.table.position);
        let text = format!(
            "SELECT \"{position}\"::bigint, \"{key}\"::text FROM {} WHERE \"{position}\" > $1
             ORDER BY \"{position}\" LIMIT $2",
            self.name
        );
        let rows = sqlx::query_as(AssertSqlSafe(text))
            .bind(super::position(after)?)
            .bind(i64::from(limit))
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
        let text = format!("SELECT max(\"{position}\")::bigint FROM {}", self.name);
        let highest: Option<i64> =
            sqlx::query_scalar(AssertSqlSafe(text)).fetch_one(&self.pool).await?;
        let mut far: Far = Mark::read(mark)?;
        let behind = super::position(from)?;
        if self.config.table.mode == TableMode::Watermark && mark.is_some() {
            let now = self.now().await?;
            let home = now.home(self.table.oid);
            if far.home != home {
                // What the mark knew was of another database. Here the person says what was read.
                let stepped = Some(Stepped::behind(behind, now.moment));
                let covered = Some(Kept::up_to(behind));
                return Mark::write(&Far { home, stepped, covered, again: None });
            }
        }
        let until = highest.unwrap_or(i64::MIN);
        far.again = Some(Again { behind, until });
        Mark::write(&far)
    }

    pub(super) async fn taken(&self, rows: &[Row]) -> Result<(), SourceError> {
        let TableMode::Outbox(taken) = &self.config.table.mode else { return Ok(()) };
        let (table, position) = (&self.name, &self.config.table.position);
        let positions: Vec<i64> = rows.iter().map(|row| row.position).collect();
        let text = match taken {
            Taken::Delete => format!("DELETE FROM {table} WHERE \"{position}\" = ANY($1)"),
            Taken::At(column) => format!(
                "UPDATE {table} SET \"{column}\" = now()
                 WHERE \"{position}\" = ANY($1) AND \"{column}\" IS NULL"
            ),
        };
        sqlx::query(AssertSqlSafe(text)).bind(positions).execute(&self.pool).await?;
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
        query.push(format!(" ORDER BY \"{}\" LIMIT ", self.config.table.position));
        query.push_bind(i64::from(limit));
        let mut rows = if limit == ALL { Bounded::whole() } else { Bounded::new(limit) };
        rows.fill(query.build().fetch(&self.pool), |row| self.row(&row)).await?;
        Ok(rows.finish())
    }

    fn row(&self, row: &PgRow) -> Result<Row, SourceError> {
        self.layout.row(decode::cells(row, &self.table.kinds)?)
    }
}

/// The name of a table, or of a schema and a table, quoted.
fn quoted(name: &str) -> String {
    name.split('.').map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests;
