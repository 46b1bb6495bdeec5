//! What was counted, and what has to be mended, for whoever asks.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use lienthong_model::{
    id::FlowId,
    identifier::WardCode,
    quality::{Criteria, Criterion, Marks, Share},
};
use sqlx::{AssertSqlSafe, FromRow};

use super::{Defect, Open, Quality, columns, unit};
use crate::{StoreError, engine::ask};

/// Counts with what they are of.
struct Counts {
    of: String,
    marks: Marks,
}

impl<'r, R> FromRow<'r, R> for Counts
where
    R: sqlx::Row,
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let mut marks = Marks::default();
        for (place, criterion) in Criterion::ALL.into_iter().enumerate() {
            let good: i64 = row.try_get(place * 2 + 1)?;
            let all: i64 = row.try_get(place * 2 + 2)?;
            let count = |n: i64| u64::try_from(n).unwrap_or(0);
            marks.set(criterion, Share { good: count(good), all: count(all) });
        }
        Ok(Self { of: row.try_get(0)?, marks })
    }
}

impl Quality<'_> {
    /// What was counted of a flow on a day and since.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn marks(&self, flow: &FlowId, from: Date) -> Result<Marks, StoreError> {
        let mut all = Marks::default();
        for (_, marks) in self.days(flow, None, from).await? {
            all += marks;
        }
        Ok(all)
    }

    /// What was counted of each ward on a day and since; of no ward what cannot be told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn units(
        &self,
        flow: &FlowId,
        from: Date,
    ) -> Result<BTreeMap<Option<WardCode>, Marks>, StoreError> {
        let found = self.counts(flow, None, from, "unit").await?;
        Ok(found.into_iter().map(|counts| (unit(&counts.of), counts.marks)).collect())
    }

    /// What was counted of each day since one, of a ward or of all.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn days(
        &self,
        flow: &FlowId,
        of: Option<WardCode>,
        from: Date,
    ) -> Result<BTreeMap<Date, Marks>, StoreError> {
        let found = self.counts(flow, of, from, "day").await?;
        let day = |text: &str| text.parse::<Date>().map_err(|_| StoreError::Damaged("day"));
        found.into_iter().map(|counts| Ok((day(&counts.of)?, counts.marks))).collect()
    }

    async fn counts(
        &self,
        flow: &FlowId,
        of: Option<WardCode>,
        from: Date,
        by: &'static str,
    ) -> Result<Vec<Counts>, StoreError> {
        let sums = columns(|name| format!("CAST(sum({name}) AS BIGINT)"));
        let statement = format!(
            "SELECT {by}, {sums} FROM quality_day WHERE flow = $1 AND day >= $2
             AND ($3 = '' OR unit = $3) GROUP BY {by}"
        );
        let of = of.map_or_else(String::new, |code| code.as_str().to_owned());
        ask!(&mut self.store.read().await?, |c| sqlx::query_as(AssertSqlSafe(statement))
            .bind(flow.as_str())
            .bind(from.to_string())
            .bind(of)
            .fetch_all(c))
    }

    /// Messages of a flow that are open, and were taken before a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn late(&self, flow: &FlowId, before: Timestamp) -> Result<u64, StoreError> {
        // Those that wait, and those that need a person: each has its index.
        let statement = "SELECT (SELECT count(*) FROM outbox WHERE flow = $1 AND state <> 'dead'
                 AND enqueued_at < $2)
             + (SELECT count(*) FROM outbox WHERE flow = $1 AND state = 'dead'
                 AND enqueued_at < $2)";
        let late: i64 = ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(statement)
            .bind(flow.as_str())
            .bind(before.as_millisecond())
            .fetch_one(c))?;
        Ok(late.unsigned_abs())
    }

    /// How many have to be mended, how many of them were found on or before each of three days, and
    /// how many were mended since a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(
        &self,
        flow: &FlowId,
        since: [Date; 3],
        mended_since: Timestamp,
    ) -> Result<Open, StoreError> {
        let statement = "SELECT count(*), count(*) FILTER (WHERE day <= $2),
                 count(*) FILTER (WHERE day <= $3), count(*) FILTER (WHERE day <= $4),
                 (SELECT count(*) FROM quality_defect WHERE flow = $1 AND mended >= $5)
             FROM quality_defect WHERE flow = $1 AND mended IS NULL";
        let [first, second, third] = since.map(|day| day.to_string());
        let (all, first, second, third, mended): (i64, i64, i64, i64, i64) =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(statement)
                .bind(flow.as_str())
                .bind(first)
                .bind(second)
                .bind(third)
                .bind(mended_since.as_millisecond())
                .fetch_one(c))?;
        Ok(Open {
            all: all.unsigned_abs(),
            since: [first, second, third].map(i64::unsigned_abs),
            mended: mended.unsigned_abs(),
        })
    }

    /// What has to be mended of a flow, of a ward or of all, what was found first first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn defects(
        &self,
        flow: &FlowId,
        of: Option<WardCode>,
        limit: u32,
    ) -> Result<Vec<Defect>, StoreError> {
        type Row = (String, String, String, String, i64, String, i64);
        let statement = "SELECT call, key, unit, day, criteria, reasons, seen FROM quality_defect
             WHERE flow = $1 AND mended IS NULL AND ($2 = '' OR unit = $2)
             ORDER BY day, call, key LIMIT $3";
        let of = of.map_or_else(String::new, |code| code.as_str().to_owned());
        let found: Vec<Row> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(statement)
            .bind(flow.as_str())
            .bind(of)
            .bind(i64::from(limit))
            .fetch_all(c))?;
        let defect = |(call, key, of, day, criteria, reasons, seen): Row| {
            Ok(Defect {
                call: Some(call).filter(|call| !call.is_empty()),
                key,
                unit: unit(&of),
                found: day.parse().map_err(|_| StoreError::Damaged("day"))?,
                criteria: Criteria::of_bits(u8::try_from(criteria).unwrap_or_default()),
                reasons,
                seen: moment(seen),
            })
        };
        found.into_iter().map(defect).collect()
    }
}

/// An instant that was written down.
pub(super) fn moment(milliseconds: i64) -> Timestamp {
    let since = SignedDuration::from_millis(milliseconds);
    Timestamp::from_duration(since).unwrap_or_default()
}
