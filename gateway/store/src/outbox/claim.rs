//! Handing out messages.

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{id::FlowId, sensitive::Sensitive};
use sqlx::FromRow;

use super::{Claimed, Earlier, Outbox, Ticket, free, milliseconds};
use crate::{
    StoreError,
    engine::{ask, tell},
};

const READY: &str = concat!(
    "SELECT id, kind, idempotency_key, ordering_key, payload, attempts, uncertain, state,
         EXISTS (SELECT 1 FROM begun b WHERE b.flow = m.flow AND b.kind = m.kind
             AND b.ordering_key = m.ordering_key) AS follows
     FROM outbox m WHERE flow = $1 AND state IN ('waiting', 'leased')
     AND ready_at <= $2 AND (state = 'waiting' OR leased_until <= $2) AND ",
    free!(),
    " ORDER BY ready_at, id LIMIT $3"
);

#[derive(FromRow)]
struct Ready {
    id: i64,
    kind: String,
    idempotency_key: String,
    ordering_key: String,
    payload: Vec<u8>,
    attempts: i64,
    uncertain: bool,
    state: String,
    follows: bool,
}

impl Outbox<'_> {
    /// Claims up to `limit` messages that are ready and not held by an earlier one of their key.
    /// Each is this caller's for the length of `lease`.
    ///
    /// # Errors
    /// When the database fails; nothing is claimed then.
    pub async fn claim(
        &self,
        flow: &FlowId,
        now: Timestamp,
        lease: SignedDuration,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        let mut transaction = self.store.write().await?;
        let ready: Vec<Ready> = ask!(&mut transaction, |c| sqlx::query_as(READY)
            .bind(flow.as_str())
            .bind(now.as_millisecond())
            .bind(i64::from(limit))
            .fetch_all(c))?;
        let until = milliseconds(now.saturating_add(lease).unwrap_or(Timestamp::MAX));
        let mut claimed = Vec::with_capacity(ready.len());
        for message in ready {
            // A lease that ran out belonged to an attempt that nobody heard of again.
            let uncertain = message.uncertain || message.state == "leased";
            tell!(&mut transaction, sqlx::query(
                "UPDATE outbox SET state = 'leased', leased_until = $1, attempts = attempts + 1,
                 uncertain = $2 WHERE id = $3",
            )
            .bind(until)
            .bind(uncertain)
            .bind(message.id))?;
            let attempt = message.attempts.saturating_add(1);
            claimed.push(Claimed {
                ticket: Ticket { id: message.id, attempt },
                kind: message.kind,
                idempotency_key: message.idempotency_key,
                ordering_key: message.ordering_key,
                payload: Sensitive::new(message.payload),
                attempts: u32::try_from(attempt).unwrap_or(u32::MAX),
                earlier: if uncertain { Earlier::Uncertain } else { Earlier::NoEffect },
                follows: message.follows,
            });
        }
        transaction.commit().await?;
        Ok(claimed)
    }

    /// Ends the leases that an earlier process left behind; its attempts are uncertain. Only the
    /// owner of the data directory may call this, before it claims.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(&self) -> Result<u64, StoreError> {
        let mut transaction = self.store.write().await?;
        let done = tell!(
            &mut transaction,
            sqlx::query(
                "UPDATE outbox SET state = 'waiting', leased_until = NULL, uncertain = TRUE
             WHERE state = 'leased'",
            )
        )?;
        transaction.commit().await?;
        Ok(done)
    }
}
