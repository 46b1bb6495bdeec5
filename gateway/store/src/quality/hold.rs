//! Flows that are held for their scores, and what a person has said about it.

use jiff::Timestamp;
use lienthong_model::{
    id::FlowId,
    quality::{Criterion, Marks},
};

use super::{Quality, look::moment};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
};

/// Whether a flow is held, and how often it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hold {
    /// What holds it; nothing while it goes on.
    pub criterion: Option<Criterion>,
    /// Since when that is so.
    pub since: Option<Timestamp>,
    /// How often it was held.
    pub holds: u64,
    /// How often it went on again.
    pub releases: u64,
    /// A person lets it go on.
    pub release: Option<Release>,
}

/// A person lets a flow go on whose scores are too low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Why.
    pub why: String,
    /// The scores of that moment: it holds until one is worse.
    pub scores: Marks,
}

impl Quality<'_> {
    /// Whether a flow is held.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn hold(&self, flow: &FlowId) -> Result<Hold, StoreError> {
        type Row = (Option<String>, i64, i64, i64, Option<String>, Option<String>);
        let statement = "SELECT criterion, since, holds, releases, why, scores
             FROM quality_hold WHERE flow = $1";
        let found: Option<Row> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(statement)
                .bind(flow.as_str())
                .fetch_optional(c))?;
        let Some((criterion, since, holds, releases, why, scores)) = found else {
            return Ok(Hold::default());
        };
        let release = why.zip(scores).map(|(why, scores)| {
            let scores = serde_json::from_str(&scores);
            Ok::<_, StoreError>(Release {
                why,
                scores: scores.map_err(|_| StoreError::Damaged("scores"))?,
            })
        });
        let known = |name: String| {
            let found = Criterion::ALL.into_iter().find(|one| one.as_str() == name);
            found.ok_or(StoreError::Damaged("criterion"))
        };
        Ok(Hold {
            criterion: criterion.map(known).transpose()?,
            since: Some(moment(since)),
            holds: holds.unsigned_abs(),
            releases: releases.unsigned_abs(),
            release: release.transpose()?,
        })
    }

    /// Writes down that a flow is held, or is not any more. Gives whether that is news.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_hold(
        &self,
        flow: &FlowId,
        criterion: Option<Criterion>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (hold, free) = match criterion {
            Some(_) => (1_i64, 0_i64),
            None => (0, 1),
        };
        let mut transaction = self.store.write().await?;
        begin(&mut transaction, flow, now).await?;
        let statement = "UPDATE quality_hold SET criterion = $2, since = $3, holds = holds + $4,
                 releases = releases + $5
             WHERE flow = $1 AND (criterion IS NULL) <> (CAST($2 AS TEXT) IS NULL)";
        let (flow, name) = (flow.as_str(), criterion.map(Criterion::as_str));
        let now = now.as_millisecond();
        let news = tell!(
            &mut transaction,
            sqlx::query(statement).bind(flow).bind(name).bind(now).bind(hold).bind(free)
        )?;
        let same = "UPDATE quality_hold SET criterion = $2 WHERE flow = $1";
        tell!(&mut transaction, sqlx::query(same).bind(flow).bind(name))?;
        transaction.commit().await?;
        Ok(news == 1)
    }

    /// A person lets a flow go on, or what one said counts no more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_release(
        &self,
        flow: &FlowId,
        release: Option<&Release>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let scores = release.map(|release| serde_json::to_string(&release.scores));
        let scores = scores.transpose().map_err(|_| StoreError::Damaged("scores"))?;
        let mut transaction = self.store.write().await?;
        begin(&mut transaction, flow, now).await?;
        let statement = "UPDATE quality_hold SET why = $2, scores = $3 WHERE flow = $1";
        let (flow, why) = (flow.as_str(), release.map(|release| release.why.as_str()));
        tell!(&mut transaction, sqlx::query(statement).bind(flow).bind(why).bind(&scores))?;
        transaction.commit().await
    }
}

async fn begin(on: &mut Transaction, flow: &FlowId, now: Timestamp) -> Result<(), StoreError> {
    let statement = "INSERT INTO quality_hold (flow, since) VALUES ($1, $2)
         ON CONFLICT (flow) DO NOTHING";
    tell!(on, sqlx::query(statement).bind(flow.as_str()).bind(now.as_millisecond()))?;
    Ok(())
}
