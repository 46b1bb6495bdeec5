//! Receipts: what a platform gave for a message that it took. They hold no value of the message and
//! outlive its name.

use jiff::Timestamp;
use lienthong_model::id::FlowId;
use sqlx::{AssertSqlSafe, FromRow};

use super::{Outbox, list, moment, settle::json};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
};

/// A receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the platform calls it.
    pub id: String,
    /// SHA-256 of the record in its canonical form, in hexadecimal digits.
    pub digest: String,
    /// The receipt as it was signed.
    pub content: String,
    /// Its signature.
    pub signature: String,
}

/// A receipt that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReceipt {
    /// The key of the message's row in its source.
    pub key: String,
    /// The message's type.
    pub kind: String,
    /// When the message was settled.
    pub at: Timestamp,
    /// The receipt.
    pub receipt: Receipt,
}

/// A receipt and its message.
pub(super) struct Row<'a> {
    pub(super) flow: &'a str,
    pub(super) kind: &'a str,
    pub(super) key: &'a str,
    pub(super) receipt: &'a Receipt,
}

#[derive(FromRow)]
struct Found {
    idempotency_key: String,
    kind: String,
    receipt: String,
    digest: String,
    content: String,
    signature: String,
    done_at: i64,
}

/// Keeps receipts, in the transaction that settles their messages. One that is there already stays: its
/// message was sent again on a person's word.
pub(super) async fn keep(
    on: &mut Transaction,
    rows: &[Row<'_>],
    now: i64,
) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<[&str; 7]> = rows
        .iter()
        .map(|Row { flow, kind, key, receipt }| {
            let Receipt { id, digest, content, signature } = receipt;
            [*flow, *key, *kind, id, digest, content, signature]
        })
        .collect();
    // `WHERE TRUE`: without it SQLite would take `ON` for a part of a join.
    let statement = format!(
        "INSERT INTO receipt (flow, idempotency_key, kind, receipt, digest, content, signature,
             done_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
             value ->> 6, $2 FROM {} WHERE TRUE
         ON CONFLICT (flow, idempotency_key) DO NOTHING",
        list(on)
    );
    tell!(on, sqlx::query(AssertSqlSafe(statement)).bind(json(&rows)).bind(now))?;
    Ok(())
}

impl Outbox<'_> {
    /// The receipts of a flow, newest first, or that of one message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn receipts(
        &self,
        flow: &FlowId,
        key: Option<&str>,
        limit: u32,
    ) -> Result<Vec<KeptReceipt>, StoreError> {
        let statement = "SELECT idempotency_key, kind, receipt, digest, content, signature, done_at
             FROM receipt WHERE flow = $1 AND ($2 IS NULL OR idempotency_key = $2)
             ORDER BY done_at DESC, idempotency_key LIMIT $3";
        let found: Vec<Found> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(statement)
            .bind(flow.as_str())
            .bind(key)
            .bind(i64::from(limit))
            .fetch_all(c))?;
        Ok(found.into_iter().map(KeptReceipt::from).collect())
    }

    /// Forgets receipts of messages that were settled before `before`, up to `limit` of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_receipts(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let receipts = "DELETE FROM receipt WHERE (flow, idempotency_key) IN (
             SELECT flow, idempotency_key FROM receipt WHERE done_at < $1 ORDER BY done_at LIMIT $2)";
        self.forget(receipts, before, limit).await
    }
}

impl From<Found> for KeptReceipt {
    fn from(found: Found) -> Self {
        let Found { idempotency_key, kind, receipt, digest, content, signature, done_at } = found;
        let receipt = Receipt { id: receipt, digest, content, signature };
        Self { key: idempotency_key, kind, at: moment(done_at), receipt }
    }
}

#[cfg(test)]
mod tests;
