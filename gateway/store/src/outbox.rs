//! The outbox: accepted messages until the platform has them, or a person must look.
//!
//! - Idempotent: a message whose key is known is not taken again.
//! - Ordered: a message is claimed only when every earlier one of its ordering key is done; a dead
//!   message or a quarantined row holds the later ones of its key, and only those.
//! - Leased: a claim ends by itself. A claim that ended without an outcome leaves the message
//!   `uncertain`, because nobody knows what its attempt did.
//!
//! Payloads are opaque here and are emptied when a message is done.

mod claim;
mod enqueue;
mod settle;

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{id::FlowId, sensitive::Sensitive};

pub use enqueue::{Batch, Enqueued, NewMessage, QuarantinedRow};

use crate::{
    Store, StoreError,
    engine::{Transaction, ask, tell},
};

/// The outbox of a store.
#[derive(Debug, Clone, Copy)]
pub struct Outbox<'a> {
    store: &'a Store,
}

/// A message that this process may now try to deliver.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The message.
    pub ticket: Ticket,
    /// Its type.
    pub kind: String,
    /// Its idempotency key.
    pub idempotency_key: String,
    /// What it is ordered by.
    pub ordering_key: String,
    /// What is to be sent.
    pub payload: Sensitive<Vec<u8>>,
    /// How many attempts there have been, this one included.
    pub attempts: u32,
    /// What is known about earlier attempts.
    pub earlier: Earlier,
    /// Whether a message of this kind and ordering key was delivered before.
    pub follows: bool,
}

/// What is known about the attempts before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// None took effect.
    NoEffect,
    /// One began, and nobody knows what it did.
    Uncertain,
}

/// The right to say what became of one claimed message; it ends with the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    id: i64,
    attempt: i64,
}

/// What is known about the attempt that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It had no effect.
    None,
    /// It may have had its effect.
    Unknown,
}

/// A message that needs a person. No value of it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its idempotency key.
    pub key: String,
    /// Its type.
    pub kind: String,
    /// Why nobody tries again.
    pub reason: String,
    /// When that was.
    pub at: Timestamp,
}

/// The state of one flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages to be delivered, those held by an earlier one of their key included.
    pub waiting: u64,
    /// Those of the waiting that are held behind a dead message or a quarantined row.
    pub held: u64,
    /// When the oldest waiting message was enqueued.
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
}

impl<'a> Outbox<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// The counters of a flow.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn counters(&self, flow: &FlowId) -> Result<Counters, StoreError> {
        let mut snapshot = self.store.read().await?;
        let now: (i64, i64, Option<i64>) = ask!(&mut snapshot, |c| {
            sqlx::query_as(
            "SELECT count(*) FILTER (WHERE state <> 'dead'), count(*) FILTER (WHERE state = 'dead'),
             min(enqueued_at) FILTER (WHERE state <> 'dead')
             FROM outbox WHERE flow = $1 AND state <> 'delivered'",
        )
        .bind(flow.as_str()).fetch_one(c)
        })?;
        let held: i64 =
            ask!(&mut snapshot, |c| sqlx::query_scalar(HELD).bind(flow.as_str()).fetch_one(c))?;
        let quarantined: i64 = ask!(&mut snapshot, |c| sqlx::query_scalar(
            "SELECT count(*) FROM quarantine WHERE flow = $1"
        )
        .bind(flow.as_str())
        .fetch_one(c))?;
        let totals: Vec<(String, i64)> = ask!(&mut snapshot, |c| sqlx::query_as(
            "SELECT what, count FROM total WHERE flow = $1"
        )
        .bind(flow.as_str())
        .fetch_all(c))?;
        let total = |what: Total| {
            totals.iter().find(|(name, _)| name == what.as_str()).map_or(0, |(_, n)| count(*n))
        };
        Ok(Counters {
            waiting: count(now.0),
            held: count(held),
            oldest: now.2.map(moment),
            dead: count(now.1),
            quarantined: count(quarantined),
            rows: total(Total::Rows),
            enqueued: total(Total::Enqueued),
            duplicates: total(Total::Duplicates),
            delivered: total(Total::Delivered),
            retried: total(Total::Retried),
        })
    }

    /// How many messages of a flow are not delivered, dead ones included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open(&self, flow: &FlowId) -> Result<u64, StoreError> {
        let open: i64 = ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(
            "SELECT count(*) FROM outbox WHERE flow = $1 AND state <> 'delivered'",
        )
        .bind(flow.as_str())
        .fetch_one(c))?;
        Ok(count(open))
    }

    /// The messages of a flow that need a person, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead(&self, flow: &FlowId, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let rows: Vec<(String, String, Option<String>, Option<i64>)> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(
                "SELECT idempotency_key, kind, reason, done_at FROM outbox
             WHERE flow = $1 AND state = 'dead' ORDER BY done_at DESC, id DESC LIMIT $2",
            )
            .bind(flow.as_str())
            .bind(i64::from(limit))
            .fetch_all(c))?;
        let letter = |(key, kind, reason, at): (_, _, Option<String>, Option<i64>)| DeadLetter {
            key,
            kind,
            reason: reason.unwrap_or_default(),
            at: moment(at.unwrap_or_default()),
        };
        Ok(rows.into_iter().map(letter).collect())
    }

    /// When the next message of a flow that nothing holds becomes ready, or its lease ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_ready(&self, flow: &FlowId) -> Result<Option<Timestamp>, StoreError> {
        let at: Option<i64> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(NEXT_READY)
                .bind(flow.as_str())
                .fetch_one(c))?;
        Ok(at.map(moment))
    }
}

/// A message is free when no earlier one of its key is open and no earlier row is in quarantine.
macro_rules! free {
    () => {
        "NOT EXISTS (SELECT 1 FROM outbox e WHERE e.flow = m.flow
             AND e.ordering_key = m.ordering_key AND e.state <> 'delivered'
             AND (e.position, e.id) < (m.position, m.id))
         AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.flow = m.flow
             AND q.ordering_key = m.ordering_key AND q.position < m.position)"
    };
}
pub(crate) use free;

const NEXT_READY: &str = concat!(
    "SELECT min(CASE state WHEN 'leased' THEN leased_until ELSE ready_at END) FROM outbox m
     WHERE flow = $1 AND state IN ('waiting', 'leased') AND ",
    free!()
);

const HELD: &str = "SELECT count(*) FROM outbox m WHERE flow = $1 AND state = 'waiting'
     AND (EXISTS (SELECT 1 FROM outbox e WHERE e.flow = m.flow AND e.state = 'dead'
             AND e.ordering_key = m.ordering_key AND (e.position, e.id) < (m.position, m.id))
       OR EXISTS (SELECT 1 FROM quarantine q WHERE q.flow = m.flow
             AND q.ordering_key = m.ordering_key AND q.position < m.position))";

/// What is counted since ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Total {
    Rows,
    Enqueued,
    Duplicates,
    Delivered,
    Retried,
}

impl Total {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Enqueued => "enqueued",
            Self::Duplicates => "duplicates",
            Self::Delivered => "delivered",
            Self::Retried => "retried",
        }
    }
}

async fn add_total(
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

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

/// The instant in milliseconds, rounded up: nothing becomes ready before its time.
fn milliseconds(at: Timestamp) -> i64 {
    at.saturating_add(SignedDuration::from_nanos(999_999)).unwrap_or(at).as_millisecond()
}

#[cfg(test)]
mod tests;
