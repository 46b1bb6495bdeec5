//! Releases of indicators: what may be published of each indicator and period, revision by revision.
//!
//! A release is numbered when it is kept. Numbers have no gap and become visible in their order, so
//! that a flow which has read up to one has missed none below it. What is kept is what readers may
//! see; nothing that was withheld ever comes here.

mod read;

use jiff::Timestamp;
use lienthong_model::id::IndicatorId;

use crate::{
    Store, StoreError,
    engine::{ask, tell},
    outbox::milliseconds,
};

/// Releases whose taking is written down in one statement.
const MOST_AT_ONCE: usize = 500;

/// The releases of a store.
#[derive(Debug, Clone, Copy)]
pub struct Indicators<'a> {
    store: &'a Store,
}

/// A release to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRelease<'a> {
    /// The indicator.
    pub indicator: &'a IndicatorId,
    /// The period, as it is written: `2026-10`.
    pub period: &'a str,
    /// Which revision it is, the first being 1: the one after the newest that is kept.
    pub revision: u32,
    /// Why it was computed again.
    pub why: Option<&'a str>,
    /// What readers see.
    pub content: &'a str,
    /// The digest of its figures.
    pub digest: &'a str,
}

/// A release that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Its number among all.
    pub number: i64,
    /// The indicator.
    pub indicator: IndicatorId,
    /// The period.
    pub period: String,
    /// Which revision it is.
    pub revision: u32,
    /// Why it was computed again.
    pub why: Option<String>,
    /// What readers see.
    pub content: String,
    /// The digest of its figures.
    pub digest: String,
    /// When it was computed.
    pub computed_at: Timestamp,
}

/// The newest release of a period, without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The period.
    pub period: String,
    /// Its revision.
    pub revision: u32,
    /// When it was computed.
    pub computed_at: Timestamp,
    /// When a flow took it to be delivered.
    pub published_at: Option<Timestamp>,
}

/// Why there are no figures of a period, or no newer ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The period.
    pub period: String,
    /// Why: names of columns, categories and rules.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

impl<'a> Indicators<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Keeps a release and forgets why its period had none. Gives its number; nothing when that revision
    /// is kept already or the one before it is not, because somebody else was at work.
    ///
    /// # Errors
    /// When the database fails; nothing is kept then.
    pub async fn keep(
        &self,
        release: &NewRelease<'_>,
        now: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let mut transaction = self.store.write().await?;
        let (indicator, period) = (release.indicator.as_str(), release.period);
        // Where writers share a server, two could be given one number: the key refuses the second.
        let (highest, newest): (i64, i64) = ask!(&mut transaction, |c| sqlx::query_as(
            "SELECT COALESCE((SELECT max(number) FROM indicator_release), 0),
                 COALESCE((SELECT max(revision) FROM indicator_release
                     WHERE indicator = $1 AND period = $2), 0)"
        )
        .bind(indicator)
        .bind(period)
        .fetch_one(c))?;
        if newest.saturating_add(1) != i64::from(release.revision) {
            return Ok(None);
        }
        let number = highest.saturating_add(1);
        let kept = tell!(
            &mut transaction,
            sqlx::query(
                "INSERT INTO indicator_release
                     (number, indicator, period, revision, why, content, digest, computed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING"
            )
            .bind(number)
            .bind(indicator)
            .bind(period)
            .bind(i64::from(release.revision))
            .bind(release.why)
            .bind(release.content)
            .bind(release.digest)
            .bind(milliseconds(now))
        )?;
        if kept == 0 {
            return Ok(None);
        }
        tell!(
            &mut transaction,
            sqlx::query("DELETE FROM indicator_refusal WHERE indicator = $1 AND period = $2")
                .bind(indicator)
                .bind(period)
        )?;
        transaction.commit().await?;
        Ok(Some(number))
    }

    /// Writes down why a period has no figures, or no newer ones, in place of what stood there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse(
        &self,
        indicator: &IndicatorId,
        period: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        tell!(
            &mut transaction,
            sqlx::query(
                "INSERT INTO indicator_refusal (indicator, period, reason, at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (indicator, period) DO UPDATE
                 SET reason = excluded.reason, at = excluded.at"
            )
            .bind(indicator.as_str())
            .bind(period)
            .bind(reason)
            .bind(milliseconds(now))
        )?;
        transaction.commit().await
    }

    /// Forgets why a period had no newer figures: there are none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(&self, indicator: &IndicatorId, period: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        tell!(
            &mut transaction,
            sqlx::query("DELETE FROM indicator_refusal WHERE indicator = $1 AND period = $2")
                .bind(indicator.as_str())
                .bind(period)
        )?;
        transaction.commit().await
    }

    /// Writes down that a flow has taken these releases, where none had before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn published(&self, numbers: &[i64], now: Timestamp) -> Result<(), StoreError> {
        for chunk in numbers.chunks(MOST_AT_ONCE) {
            let mut transaction = self.store.write().await?;
            for number in chunk {
                tell!(
                    &mut transaction,
                    sqlx::query(
                        "UPDATE indicator_release SET published_at = $1
                         WHERE number = $2 AND published_at IS NULL"
                    )
                    .bind(milliseconds(now))
                    .bind(*number)
                )?;
            }
            transaction.commit().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
