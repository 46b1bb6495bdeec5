//! Reading releases: those of a period, those behind a number, the newest of each period.

use lienthong_model::id::IndicatorId;

use super::{Indicators, Newest, Refusal, Release};
use crate::{StoreError, engine::ask, outbox::moment};

/// Most releases that are read at once.
const MOST: u32 = 1_000;
/// Most periods of one indicator that are told.
const MOST_PERIODS: i64 = 100_000;

type Row = (i64, String, String, i64, Option<String>, String, String, i64);

impl Indicators<'_> {
    /// Every release of a period, the oldest first; at most so many of the newest.
    ///
    /// # Errors
    /// When the database fails, or holds what is no release.
    pub async fn of_period(
        &self,
        indicator: &IndicatorId,
        period: &str,
        most: u32,
    ) -> Result<Vec<Release>, StoreError> {
        let rows: Vec<Row> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(
            "SELECT number, indicator, period, revision, why, content, digest, computed_at
             FROM indicator_release WHERE indicator = $1 AND period = $2
             ORDER BY revision DESC LIMIT $3"
        )
        .bind(indicator.as_str())
        .bind(period)
        .bind(i64::from(most.min(MOST)))
        .fetch_all(c))?;
        rows.into_iter().rev().map(release).collect()
    }

    /// The newest release of each period, the latest periods first; at most so many.
    ///
    /// # Errors
    /// When the database fails, or holds what is no release.
    pub async fn latest(
        &self,
        indicator: &IndicatorId,
        most: u32,
    ) -> Result<Vec<Release>, StoreError> {
        let rows: Vec<Row> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(
            "SELECT number, indicator, period, revision, why, content, digest, computed_at
             FROM indicator_release r WHERE indicator = $1
               AND revision = (SELECT max(revision) FROM indicator_release n
                   WHERE n.indicator = r.indicator AND n.period = r.period)
             ORDER BY period DESC LIMIT $2"
        )
        .bind(indicator.as_str())
        .bind(i64::from(most.min(MOST)))
        .fetch_all(c))?;
        rows.into_iter().map(release).collect()
    }

    /// Releases behind a number, in their order; at most so many.
    ///
    /// # Errors
    /// When the database fails, or holds what is no release.
    pub async fn behind(&self, number: i64, most: u32) -> Result<Vec<Release>, StoreError> {
        let rows: Vec<Row> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(
            "SELECT number, indicator, period, revision, why, content, digest, computed_at
             FROM indicator_release WHERE number > $1 ORDER BY number LIMIT $2"
        )
        .bind(number)
        .bind(i64::from(most.min(MOST)))
        .fetch_all(c))?;
        rows.into_iter().map(release).collect()
    }

    /// The highest number; 0 when there is no release.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn highest(&self) -> Result<i64, StoreError> {
        let highest = "SELECT COALESCE(max(number), 0) FROM indicator_release";
        ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(highest).fetch_one(c))
    }

    /// The newest release of each period of an indicator, by period.
    ///
    /// # Errors
    /// When the database fails, or holds what is no release.
    pub async fn newest(&self, indicator: &IndicatorId) -> Result<Vec<Newest>, StoreError> {
        let rows: Vec<(String, i64, i64, Option<i64>)> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(
                "SELECT period, revision, computed_at, published_at FROM indicator_release r
                 WHERE indicator = $1 AND revision = (SELECT max(revision)
                     FROM indicator_release n
                     WHERE n.indicator = r.indicator AND n.period = r.period)
                 ORDER BY period LIMIT $2"
            )
            .bind(indicator.as_str())
            .bind(MOST_PERIODS)
            .fetch_all(c))?;
        rows.into_iter().map(newest).collect()
    }

    /// Why periods of an indicator have no figures, or no newer ones, by period.
    ///
    /// # Errors
    /// When the database fails, or holds what is no refusal.
    pub async fn refusals(&self, indicator: &IndicatorId) -> Result<Vec<Refusal>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(
                "SELECT period, reason, at FROM indicator_refusal WHERE indicator = $1
                 ORDER BY period LIMIT $2"
            )
            .bind(indicator.as_str())
            .bind(MOST_PERIODS)
            .fetch_all(c))?;
        let refusal = |(period, reason, at)| Refusal { period, reason, at: moment(at) };
        Ok(rows.into_iter().map(refusal).collect())
    }
}

fn newest(row: (String, i64, i64, Option<i64>)) -> Result<Newest, StoreError> {
    let (period, revision, computed_at, published_at) = row;
    let published_at = published_at.map(moment);
    Ok(Newest {
        period,
        revision: number(revision)?,
        computed_at: moment(computed_at),
        published_at,
    })
}

fn release(row: Row) -> Result<Release, StoreError> {
    let (place, indicator, period, revision, why, content, digest, computed_at) = row;
    Ok(Release {
        number: place,
        indicator: indicator.parse().map_err(|_| StoreError::Damaged("indicator"))?,
        period,
        revision: number(revision)?,
        why,
        content,
        digest,
        computed_at: moment(computed_at),
    })
}

fn number(revision: i64) -> Result<u32, StoreError> {
    u32::try_from(revision).map_err(|_| StoreError::Damaged("revision"))
}
