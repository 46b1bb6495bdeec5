//! Taking messages.

use jiff::Timestamp;
use lienthong_model::{id::FlowId, sensitive::Sensitive};

use super::{Outbox, Total, add_total, milliseconds};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
};

/// A message to be taken.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Its type.
    pub kind: String,
    /// Names the message: another with the same key is the same message.
    pub idempotency_key: String,
    /// Messages with the same ordering key are delivered one after the other.
    pub ordering_key: String,
    /// Its place within the ordering key.
    pub position: i64,
    /// What is to be sent.
    pub payload: Sensitive<Vec<u8>>,
}

/// A row that is put aside. Its values are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantinedRow {
    /// Names the row in its source.
    pub source_key: String,
    /// What it would be ordered by, when that can be told.
    pub ordering_key: Option<String>,
    /// Its place within the ordering key.
    pub position: i64,
    /// Why: names of fields and rules, never a value.
    pub reason: String,
}

/// What one reading of a source gave; taken whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// How many rows were read for the first time.
    pub rows: u64,
    /// The messages.
    pub messages: Vec<NewMessage>,
    /// The rows put aside.
    pub quarantined: Vec<QuarantinedRow>,
    /// Rows that were in quarantine and are not any more.
    pub released: Vec<String>,
    /// How far the source has been read, when it is read by a watermark.
    pub watermark: Option<i64>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Enqueued {
    /// Messages taken.
    pub new: u64,
    /// Messages that were known already.
    pub known: u64,
}

impl Outbox<'_> {
    /// Takes a batch in one transaction. When this returns, the messages survive anything.
    ///
    /// # Errors
    /// When the database fails; nothing of the batch is taken then.
    pub async fn enqueue(
        &self,
        flow: &FlowId,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        let mut transaction = self.store.write().await?;
        let mut enqueued = Enqueued::default();
        for message in &batch.messages {
            if insert(&mut transaction, flow, message, now).await? {
                enqueued.new += 1;
            } else {
                enqueued.known += 1;
            }
        }
        for row in &batch.quarantined {
            quarantine(&mut transaction, flow, row, now).await?;
        }
        for source_key in &batch.released {
            tell!(
                &mut transaction,
                sqlx::query("DELETE FROM quarantine WHERE flow = $1 AND source_key = $2")
                    .bind(flow.as_str())
                    .bind(source_key)
            )?;
        }
        if let Some(position) = batch.watermark {
            advance(&mut transaction, flow, position).await?;
        }
        let flow = flow.as_str();
        add_total(&mut transaction, flow, Total::Rows, batch.rows).await?;
        add_total(&mut transaction, flow, Total::Enqueued, enqueued.new).await?;
        add_total(&mut transaction, flow, Total::Duplicates, enqueued.known).await?;
        transaction.commit().await?;
        Ok(enqueued)
    }

    /// How far the source of a flow has been read.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn watermark(&self, flow: &FlowId) -> Result<Option<i64>, StoreError> {
        let position = ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(
            "SELECT position FROM watermark WHERE flow = $1"
        )
        .bind(flow.as_str())
        .fetch_optional(c))?;
        Ok(position)
    }

    /// The rows of a flow in quarantine, in order of their keys, after `after`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quarantined(
        &self,
        flow: &FlowId,
        after: &str,
        limit: u32,
    ) -> Result<Vec<QuarantinedRow>, StoreError> {
        let rows: Vec<(String, Option<String>, i64, String)> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(
                "SELECT source_key, ordering_key, position, reason FROM quarantine
             WHERE flow = $1 AND source_key > $2 ORDER BY source_key LIMIT $3",
            )
            .bind(flow.as_str())
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(c))?;
        let row = |(source_key, ordering_key, position, reason)| QuarantinedRow {
            source_key,
            ordering_key,
            position,
            reason,
        };
        Ok(rows.into_iter().map(row).collect())
    }
}

/// Whether the message is new.
async fn insert(
    transaction: &mut Transaction,
    flow: &FlowId,
    message: &NewMessage,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let now = milliseconds(now);
    let done = tell!(transaction, sqlx::query(
        "INSERT INTO outbox (flow, kind, idempotency_key, ordering_key, position, payload, state,
             ready_at, enqueued_at) VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8)
         ON CONFLICT (flow, idempotency_key) DO NOTHING",
    )
    .bind(flow.as_str())
    .bind(&message.kind)
    .bind(&message.idempotency_key)
    .bind(&message.ordering_key)
    .bind(message.position)
    .bind(message.payload.expose().as_slice())
    .bind(now)
    .bind(now))?;
    Ok(done == 1)
}

async fn quarantine(
    transaction: &mut Transaction,
    flow: &FlowId,
    row: &QuarantinedRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    tell!(
        transaction,
        sqlx::query(
            "INSERT INTO quarantine (flow, source_key, ordering_key, position, reason, at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (flow, source_key) DO UPDATE
         SET reason = excluded.reason, ordering_key = excluded.ordering_key",
        )
        .bind(flow.as_str())
        .bind(&row.source_key)
        .bind(&row.ordering_key)
        .bind(row.position)
        .bind(&row.reason)
        .bind(milliseconds(now))
    )?;
    Ok(())
}

async fn advance(
    transaction: &mut Transaction,
    flow: &FlowId,
    position: i64,
) -> Result<(), StoreError> {
    tell!(
        transaction,
        sqlx::query(
            "INSERT INTO watermark (flow, position) VALUES ($1, $2)
         ON CONFLICT (flow) DO UPDATE SET position = excluded.position
         WHERE watermark.position < excluded.position",
        )
        .bind(flow.as_str())
        .bind(position)
    )?;
    Ok(())
}
