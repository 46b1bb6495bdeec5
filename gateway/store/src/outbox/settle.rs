//! Saying what became of a claimed message.

use jiff::Timestamp;
use lienthong_model::id::FlowId;

use super::{Effect, Outbox, Ticket, Total, add_total, milliseconds};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
};

/// What is left of a payload.
const NOTHING: &[u8] = &[];

impl Outbox<'_> {
    /// The platform has the message. Its payload is deleted.
    ///
    /// # Errors
    /// When the lease has ended or the database fails.
    pub async fn delivered(&self, ticket: Ticket, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        let found: Option<(String,)> = ask!(&mut transaction, |c| sqlx::query_as(
            "UPDATE outbox SET state = 'delivered', payload = $2, leased_until = NULL,
             uncertain = FALSE, reason = NULL, done_at = $1
             WHERE id = $3 AND attempts = $4 AND state = 'leased' RETURNING flow",
        )
        .bind(milliseconds(now))
        .bind(NOTHING)
        .bind(ticket.id)
        .bind(ticket.attempt)
        .fetch_optional(c))?;
        let (flow,) = found.ok_or(StoreError::LeaseLost)?;
        tell!(
            &mut transaction,
            sqlx::query(
                "INSERT INTO begun (flow, kind, ordering_key)
             SELECT flow, kind, ordering_key FROM outbox WHERE id = $1 ON CONFLICT DO NOTHING",
            )
            .bind(ticket.id)
        )?;
        add_total(&mut transaction, &flow, Total::Delivered, 1).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The attempt failed; another follows at `at`. An `Unknown` effect stays on record until an
    /// attempt clears it.
    ///
    /// # Errors
    /// When the lease has ended or the database fails.
    pub async fn retry(
        &self,
        ticket: Ticket,
        at: Timestamp,
        effect: Effect,
        reason: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        let found: Option<(String,)> = ask!(&mut transaction, |c| sqlx::query_as(
            "UPDATE outbox SET state = 'waiting', leased_until = NULL, ready_at = $1,
             uncertain = $2, reason = $3
             WHERE id = $4 AND attempts = $5 AND state = 'leased' RETURNING flow",
        )
        .bind(milliseconds(at))
        .bind(effect == Effect::Unknown)
        .bind(reason)
        .bind(ticket.id)
        .bind(ticket.attempt)
        .fetch_optional(c))?;
        let (flow,) = found.ok_or(StoreError::LeaseLost)?;
        add_total(&mut transaction, &flow, Total::Retried, 1).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Gives a message back that was not tried after all; the claim does not count.
    ///
    /// # Errors
    /// When the lease has ended or the database fails.
    pub async fn give_back(&self, ticket: Ticket) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        let done =
            tell!(&mut transaction, sqlx::query(
            "UPDATE outbox SET state = 'waiting', leased_until = NULL, attempts = attempts - 1
             WHERE id = $1 AND attempts = $2 AND state = 'leased'",
        )
        .bind(ticket.id)
        .bind(ticket.attempt))?;
        settled(done, transaction).await
    }

    /// Nobody tries again until a person has looked. Later messages of the key wait.
    ///
    /// # Errors
    /// When the lease has ended or the database fails.
    pub async fn bury(
        &self,
        ticket: Ticket,
        effect: Effect,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        let done = tell!(&mut transaction, sqlx::query(
            "UPDATE outbox SET state = 'dead', leased_until = NULL, uncertain = $1, reason = $2,
             done_at = $3 WHERE id = $4 AND attempts = $5 AND state = 'leased'",
        )
        .bind(effect == Effect::Unknown)
        .bind(reason)
        .bind(milliseconds(now))
        .bind(ticket.id)
        .bind(ticket.attempt))?;
        settled(done, transaction).await
    }

    /// A person wants a dead message to be tried again. `false` when there is no such dead message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replay(
        &self,
        flow: &FlowId,
        idempotency_key: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.write().await?;
        let done = tell!(&mut transaction, sqlx::query(
            "UPDATE outbox SET state = 'waiting', attempts = 0, uncertain = FALSE, ready_at = $1,
             done_at = NULL WHERE flow = $2 AND idempotency_key = $3 AND state = 'dead'",
        )
        .bind(milliseconds(now))
        .bind(flow.as_str())
        .bind(idempotency_key))?;
        transaction.commit().await?;
        Ok(done == 1)
    }

    /// Forgets delivered messages that were done before `before`, up to `limit` of them. Their
    /// idempotency keys are forgotten too, so `before` must lie further back than any repeat of the
    /// source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_delivered(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut transaction = self.store.write().await?;
        let done = tell!(
            &mut transaction,
            sqlx::query(
                "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox
             WHERE state = 'delivered' AND done_at < $1 ORDER BY done_at LIMIT $2)",
            )
            .bind(before.as_millisecond())
            .bind(i64::from(limit))
        )?;
        transaction.commit().await?;
        Ok(done)
    }
}

async fn settled(affected: u64, transaction: Transaction) -> Result<(), StoreError> {
    if affected != 1 {
        return Err(StoreError::LeaseLost);
    }
    transaction.commit().await?;
    Ok(())
}
