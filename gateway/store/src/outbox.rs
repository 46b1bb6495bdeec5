//! The outbox: accepted messages until the platform has them, or a person must look.
//!
//! - Idempotent: a message whose key is known is not taken again, also after it was delivered.
//! - Ordered: only the first open message of an ordering key is `waiting` and can be claimed; the
//!   later ones are `queued`. A dead message or a quarantined row holds the later ones of its key,
//!   and only those. Claiming looks at the waiting ones alone, however many are queued.
//! - Leased: a claim ends by itself, or when its process comes back. A claim that ended without an
//!   outcome leaves the message `uncertain`, because nobody knows what its attempt did.
//!
//! Payloads are opaque here. What is done leaves its name and no payload.

mod claim;
mod count;
mod enqueue;
mod forget;
mod heads;
mod lease;
mod letters;
mod pause;
mod reader;
mod receipt;
mod settle;

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{id::FlowId, sensitive::Sensitive};

pub use count::Counters;
pub use enqueue::{Batch, Enqueued, Names, NewMessage, QuarantinedRow, Said, Standing};
pub use lease::{Lease, Left, Rests};
pub use letters::{Again, DeadLetter, Opened};
pub use pause::Pause;
pub use receipt::{KeptReceipt, Receipt};
pub use settle::Ending;

use crate::{
    Store, StoreError,
    engine::{Either, Transaction, ask},
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
    /// When the lease ends.
    pub until: Timestamp,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    id: i64,
    claim: i64,
}

/// What is known about the attempt that ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It had no effect.
    None,
    /// It may have had its effect.
    Unknown,
}

impl<'a> Outbox<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// How far the source of a flow has been read, in the source's own words.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark(&self, flow: &FlowId) -> Result<Option<String>, StoreError> {
        ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(
            "SELECT mark FROM source_mark WHERE flow = $1"
        )
        .bind(flow.as_str())
        .fetch_optional(c))
    }

    /// When the next message of a flow becomes ready, or the next lease ends.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_ready(&self, flow: &FlowId) -> Result<Option<Timestamp>, StoreError> {
        let mut snapshot = self.store.read().await?;
        let ready: Option<i64> = ask!(&mut snapshot, |c| sqlx::query_scalar(
            "SELECT min(ready_at) FROM outbox WHERE flow = $1 AND state = 'waiting'"
        )
        .bind(flow.as_str())
        .fetch_one(c))?;
        let ends: Option<i64> = ask!(&mut snapshot, |c| sqlx::query_scalar(
            "SELECT min(leased_until) FROM outbox WHERE flow = $1 AND state = 'leased'"
        )
        .bind(flow.as_str())
        .fetch_one(c))?;
        Ok(ready.into_iter().chain(ends).min().map(moment))
    }
}

/// What is counted since ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Total {
    Rows,
    Enqueued,
    Duplicates,
    Delivered,
    Retried,
    Superseded,
    Withheld,
    Dropped,
}

impl Total {
    fn as_str(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Enqueued => "enqueued",
            Self::Duplicates => "duplicates",
            Self::Delivered => "delivered",
            Self::Retried => "retried",
            Self::Superseded => "superseded",
            Self::Withheld => "withheld",
            Self::Dropped => "dropped",
        }
    }
}

/// The rows of a JSON list, the first value of a statement, as either engine says it. Each is `value`.
fn list(on: &Transaction) -> &'static str {
    match on {
        Either::Sqlite(_) => "json_each($1)",
        Either::Postgres(_) => "json_array_elements($1::json) AS list (value)",
    }
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

pub(crate) fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

/// The instant in milliseconds, rounded up: nothing becomes ready before its time.
pub(crate) fn milliseconds(at: Timestamp) -> i64 {
    at.saturating_add(SignedDuration::from_nanos(999_999)).unwrap_or(at).as_millisecond()
}

#[cfg(test)]
mod shared;
#[cfg(test)]
mod tests;
