//! The state of a flow in numbers. What was counted since ever tells how many are open, so that a long
//! backlog costs no more to count than a short one.

use jiff::Timestamp;
use lienthong_model::id::FlowId;

use super::{Outbox, Total, count, moment};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
};

/// The state of one flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages to be delivered, those held by an earlier one of their key included.
    pub waiting: u64,
    /// Those of the waiting that are held behind a dead message or a quarantined row.
    pub held: u64,
    /// When the oldest message that is still to be delivered was enqueued.
    pub oldest: Option<Timestamp>,
    /// Messages that need a person now.
    pub dead: u64,
    /// Rows that are in quarantine now.
    pub quarantined: u64,
    /// Rows read from the source, since ever.
    pub rows: u64,
    /// Messages taken, since ever.
    pub enqueued: u64,
    /// Rows whose message was known already, since ever.
    pub duplicates: u64,
    /// Messages delivered, since ever.
    pub delivered: u64,
    /// Attempts that are followed by another, since ever.
    pub retried: u64,
    /// Messages that a later one replaced before they were sent, since ever.
    pub superseded: u64,
    /// Messages that were not sent because consent was missing at delivery, since ever.
    pub withheld: u64,
    /// Messages that a person dropped, since ever.
    pub dropped: u64,
}

const HELD: &str = "SELECT count(*) FROM outbox m WHERE flow = $1 AND state = 'queued'
     AND ordering_key IN (SELECT ordering_key FROM outbox WHERE flow = $1 AND state = 'dead'
         UNION SELECT ordering_key FROM quarantine WHERE flow = $1)
     AND (EXISTS (SELECT 1 FROM outbox e WHERE e.flow = m.flow AND e.state = 'dead'
             AND e.ordering_key = m.ordering_key AND (e.position, e.id) < (m.position, m.id))
       OR EXISTS (SELECT 1 FROM quarantine q WHERE q.flow = m.flow
             AND q.ordering_key = m.ordering_key AND q.position < m.position))";

impl Outbox<'_> {
    /// The counters of a flow.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counters(&self, flow: &FlowId) -> Result<Counters, StoreError> {
        let mut snapshot = self.store.read().await?;
        let mut one = async |question: &'static str| -> Result<u64, StoreError> {
            let n: i64 = ask!(&mut snapshot, |c| sqlx::query_scalar(question)
                .bind(flow.as_str())
                .fetch_one(c))?;
            Ok(count(n))
        };
        let dead = one("SELECT count(*) FROM outbox WHERE flow = $1 AND state = 'dead'").await?;
        let held = one(HELD).await?;
        let quarantined = one("SELECT count(*) FROM quarantine WHERE flow = $1").await?;
        let oldest: Option<i64> = ask!(&mut snapshot, |c| sqlx::query_scalar(
            "SELECT min(enqueued_at) FROM outbox WHERE flow = $1 AND state <> 'dead'"
        )
        .bind(flow.as_str())
        .fetch_one(c))?;
        let totals = totals(&mut snapshot, flow).await?;
        let total =
            |what: Total| totals.iter().find(|(n, _)| n == what.as_str()).map_or(0, |t| t.1);
        Ok(Counters {
            waiting: still_open(&totals).saturating_sub(dead),
            held,
            oldest: oldest.map(moment),
            dead,
            quarantined,
            rows: total(Total::Rows),
            enqueued: total(Total::Enqueued),
            duplicates: total(Total::Duplicates),
            delivered: total(Total::Delivered),
            retried: total(Total::Retried),
            superseded: total(Total::Superseded),
            withheld: total(Total::Withheld),
            dropped: total(Total::Dropped),
        })
    }

    /// How many messages of a flow are not done, dead ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self, flow: &FlowId) -> Result<u64, StoreError> {
        Ok(still_open(&totals(&mut self.store.read().await?, flow).await?))
    }
}

async fn totals(
    snapshot: &mut Transaction,
    flow: &FlowId,
) -> Result<Vec<(String, u64)>, StoreError> {
    let totals: Vec<(String, i64)> =
        ask!(snapshot, |c| sqlx::query_as("SELECT what, count FROM total WHERE flow = $1")
            .bind(flow.as_str())
            .fetch_all(c))?;
    Ok(totals.into_iter().map(|(what, n)| (what, count(n))).collect())
}

fn still_open(totals: &[(String, u64)]) -> u64 {
    let sum = |of: &[Total]| -> u64 {
        let is_one = |name: &str| of.iter().any(|what| what.as_str() == name);
        totals.iter().filter(|(name, _)| is_one(name)).map(|(_, n)| n).sum()
    };
    let done = [Total::Delivered, Total::Superseded, Total::Withheld, Total::Dropped];
    sum(&[Total::Enqueued]).saturating_sub(sum(&done))
}

/// Adds to what is counted since ever.
pub(super) async fn add(
    transaction: &mut Transaction,
    flow: &str,
    what: Total,
    by: u64,
) -> Result<(), StoreError> {
    if by == 0 {
        return Ok(());
    }
    tell!(
        transaction,
        sqlx::query(
            "INSERT INTO total (flow, what, count) VALUES ($1, $2, $3)
         ON CONFLICT (flow, what) DO UPDATE SET count = total.count + excluded.count",
        )
        .bind(flow)
        .bind(what.as_str())
        .bind(i64::try_from(by).unwrap_or(i64::MAX))
    )?;
    Ok(())
}
