//! Reading a PostgreSQL table that nobody marks: by moments, or by gaps.

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, postgres::PgRow};

use super::{
    super::{
        Mark, Reading, SourceError,
        bounded::{ALL, Bounded},
        coverage::Known,
        late::Positions,
    },
    Far, Postgres,
    snapshot::Moment,
};
use crate::row::Row;

/// How far a table with a transaction column was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stepped {
    /// All rows of transactions that had ended here were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<Moment>,
    /// A step that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
}

impl Stepped {
    /// The first step, behind a position.
    pub(super) fn behind(position: i64, now: Moment) -> Self {
        let step = Step { to: now.short(), transaction: 0, position };
        Self { seen: None, step: Some(step) }
    }
}

/// A step to a later moment, so far: rows up to this transaction and position were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    to: Moment,
    transaction: u64,
    position: i64,
}

/// What the database says of itself now.
pub(super) struct Now {
    pub(super) moment: Moment,
    cluster: String,
}

impl Now {
    /// What must stay the same for a mark to mean anything. Transaction numbers go on counting on
    /// one timeline of one cluster only.
    pub(super) fn home(&self, table: i64) -> String {
        format!("{}/{table}", self.cluster)
    }
}

const NOW: &str = "
    SELECT pg_current_snapshot()::text,
           CASE WHEN pg_is_in_recovery() THEN NULL ELSE
               (SELECT system_identifier FROM pg_control_system())::text || '/' ||
               left(pg_walfile_name(pg_current_wal_lsn()), 8) END";

impl Postgres {
    /// The moment that is now.
    pub(super) async fn now(&self) -> Result<Now, SourceError> {
        let (moment, cluster): (String, Option<String>) =
            sqlx::query_as(NOW).fetch_one(&self.pool).await?;
        let moment = moment.parse().map_err(|_| SourceError::Mark)?;
        let cluster = cluster.ok_or(SourceError::Replaced(
            "database is a standby, whose snapshots do not name open transactions; read the primary",
        ))?;
        Ok(Now { moment, cluster })
    }

    pub(super) async fn read_watermark(
        &self,
        mut far: Far,
        limit: u32,
        now: jiff::Timestamp,
        oid: i64,
    ) -> Result<Reading, SourceError> {
        let at = self.now().await?;
        let home = at.home(oid);
        if far.home.is_empty() {
            far.home = home;
        } else if far.home != home {
            return Err(SourceError::Replaced(
                "table, database or its timeline is another than when the mark was made: rows may \
                 be missing; `adapters backfill` from a position that was surely read",
            ));
        }
        match &self.config.transaction_column {
            Some(column) => self.step(far, at.moment, column, limit).await,
            None => {
                let known = Known {
                    now,
                    overlap: i64::try_from(self.config.overlap.as_secs()).unwrap_or(i64::MAX),
                    ended: at.moment.begin(),
                };
                let kept = far.covered.take().unwrap_or_default();
                let read = self.late.read(self, kept, known, limit).await?;
                far.covered = Some(read.kept);
                let mark = (!read.rows.is_empty()).then(|| Mark::write(&far)).transpose()?;
                Ok(Reading { rows: read.rows, mark, more: read.more })
            }
        }
    }

    /// Reads the next page of a step, or the first of a new one.
    async fn step(
        &self,
        mut far: Far,
        now: Moment,
        column: &str,
        limit: u32,
    ) -> Result<Reading, SourceError> {
        let Stepped { seen, step } = far.stepped.take().unwrap_or_default();
        let begins = step.is_none();
        let mut step =
            step.unwrap_or_else(|| Step { to: now.short(), transaction: 0, position: i64::MIN });
        let query = match &seen {
            None => self.all(column, &step, limit),
            Some(seen) => self.between(column, seen, &step, limit),
        };
        let mut query = query;
        let mut rows = Bounded::new(limit);
        let width = self.table.kinds.len();
        let mut last = (step.transaction, step.position);
        {
            let built = query.build();
            let mut stream = std::pin::pin!(built.fetch(&self.pool));
            while !rows.is_full() {
                let Some(row) = futures_util::TryStreamExt::try_next(&mut stream).await? else {
                    break;
                };
                let transaction = transaction(&row, width)?;
                let row = self.row(&row)?;
                last = (transaction, row.position);
                rows.push(row);
            }
        }
        let (mut rows, more) = rows.finish();
        (step.transaction, step.position) = last;
        let mark = if rows.is_empty() && begins {
            // Nothing has come since: the moment in the mark will do for the next look as well.
            None
        } else {
            far.stepped = Some(match more {
                true => Stepped { seen, step: Some(step) },
                false => Stepped { seen: Some(step.to), step: None },
            });
            Some(Mark::write(&far)?)
        };
        rows.sort_by_key(|row| row.position);
        // A step that began earlier leaves what came since.
        Ok(Reading { rows, mark, more: more || !begins })
    }

    /// Rows of all transactions that had ended at a moment, in order of their positions.
    fn all(&self, column: &str, step: &Step, limit: u32) -> QueryBuilder<sqlx::Postgres> {
        let position = &self.config.table.position;
        let mut query = QueryBuilder::new(format!(
            "SELECT {}, \"{column}\"::text FROM {} WHERE \"{position}\" > ",
            self.list, self.name
        ));
        query.push_bind(step.position);
        query.push(format!(" AND \"{column}\" < "));
        query.push_bind(step.to.end().to_string()).push("::text::xid8");
        query.push(format!(" AND \"{column}\" <> ALL("));
        query.push_bind(texts(step.to.open())).push("::text[]::xid8[])");
        query.push(format!(" ORDER BY \"{position}\" LIMIT ")).push_bind(i64::from(limit));
        query
    }

    /// Rows of the transactions that had ended at a moment and had not at an earlier one, in order
    /// of transactions: those that were open, and those that had not begun.
    fn between(
        &self,
        column: &str,
        seen: &Moment,
        step: &Step,
        limit: u32,
    ) -> QueryBuilder<sqlx::Postgres> {
        let position = &self.config.table.position;
        let list = &self.list;
        let half = format!(
            "SELECT {list}, \"{column}\"::text AS lienthong_transaction, \"{column}\" AS \
             lienthong_order, \"{position}\" AS lienthong_position FROM {} WHERE \"{column}\" ",
            self.name
        );
        let mut query = QueryBuilder::new(format!("SELECT * FROM ({half} = ANY("));
        query.push_bind(texts(seen.open())).push("::text[]::xid8[])");
        query.push(format!(" UNION ALL {half} >= "));
        query.push_bind(seen.end().to_string()).push("::text::xid8) AS r");
        query.push(" WHERE lienthong_order < ");
        query.push_bind(step.to.end().to_string()).push("::text::xid8");
        query.push(" AND lienthong_order <> ALL(");
        query.push_bind(texts(step.to.open())).push("::text[]::xid8[])");
        query.push(" AND (lienthong_order, lienthong_position) > (");
        query.push_bind(step.transaction.to_string()).push("::text::xid8, ");
        query.push_bind(step.position).push(")");
        query.push(" ORDER BY lienthong_order, lienthong_position LIMIT ");
        query.push_bind(i64::from(limit));
        query
    }
}

fn texts(transactions: &[u64]) -> Vec<String> {
    transactions.iter().map(u64::to_string).collect()
}

fn transaction(row: &PgRow, place: usize) -> Result<u64, SourceError> {
    let raw = row.try_get_raw(place)?;
    let text = raw.as_str().map_err(sqlx::Error::Decode)?;
    text.parse().map_err(|_| SourceError::from(sqlx::Error::Decode("not a transaction".into())))
}

impl Positions for Postgres {
    /// The end of a snapshot would not do: it stands behind the last transaction that has ended, and
    /// one that began later may be open. So one is begun, which all others that have begun precede.
    async fn begun(&self) -> Result<u64, SourceError> {
        let own: String =
            sqlx::query_scalar("SELECT pg_current_xact_id()::text").fetch_one(&self.pool).await?;
        let own: u64 = own.parse().map_err(|_| SourceError::Mark)?;
        Ok(own.saturating_add(1))
    }

    async fn positions(
        &self,
        ranges: &[(i64, i64)],
        behind: i64,
        limit: u32,
    ) -> Result<Vec<i64>, SourceError> {
        let position = &self.config.table.position;
        let (from, to): (Vec<i64>, Vec<i64>) = ranges.iter().copied().unzip();
        let text = format!(
            "SELECT t.\"{position}\"::bigint FROM unnest($1::bigint[], $2::bigint[]) AS gap (a, b)
             JOIN {} AS t ON t.\"{position}\" BETWEEN gap.a AND gap.b
             WHERE t.\"{position}\" > $3 ORDER BY 1 LIMIT $4",
            self.name
        );
        let positions = sqlx::query_scalar(AssertSqlSafe(text))
            .bind(from)
            .bind(to)
            .bind(behind)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await?;
        Ok(positions)
    }

    async fn rows_at(&self, positions: &[i64]) -> Result<Vec<Row>, SourceError> {
        let mut query = self.select();
        query.push(format!(" WHERE \"{}\" = ANY(", self.config.table.position));
        query.push_bind(positions.to_vec()).push(")");
        Ok(self.fetch(query, ALL).await?.0)
    }

    async fn rows_behind(
        &self,
        position: i64,
        limit: u32,
    ) -> Result<(Vec<Row>, bool), SourceError> {
        let mut query = self.select();
        query.push(format!(" WHERE \"{}\" > ", self.config.table.position)).push_bind(position);
        self.fetch(query, limit).await
    }
}
