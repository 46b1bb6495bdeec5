//! Claiming messages, and ending the claims of a process that is gone.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{id::FlowId, sensitive::Sensitive};
use sqlx::FromRow;

use super::{Claimed, Earlier, Outbox, Ticket, count, heads, milliseconds};
use crate::{
    StoreError,
    engine::{Either, ask, tell},
};

/// A lease that ran out belonged to an attempt that nobody heard of again.
const EXPIRE: &str = "UPDATE outbox SET state = 'waiting', leased_until = NULL, uncertain = TRUE
     WHERE flow = $1 AND state = 'leased' AND leased_until <= $2 RETURNING ordering_key";
/// Nobody is left who could end these leases.
const RECOVER: &str = "UPDATE outbox SET state = 'waiting', leased_until = NULL, uncertain = TRUE
     WHERE state = 'leased' RETURNING flow, ordering_key";

/// Claims the ready messages; `$how` is how rows that another claims at this moment are passed over.
macro_rules! claim {
    ($how:literal) => {
        concat!(
            "UPDATE outbox SET state = 'leased', leased_until = $3, attempts = attempts + 1
             WHERE id IN (SELECT id FROM outbox WHERE flow = $1 AND state = 'waiting'
                 AND ready_at <= $2 ORDER BY ready_at, id LIMIT $4 ",
            $how,
            ") RETURNING id, kind, idempotency_key, ordering_key, payload, attempts, uncertain, ready_at,
             (SELECT 1 FROM begun b WHERE b.flow = outbox.flow AND b.kind = outbox.kind
                 AND b.ordering_key = outbox.ordering_key LIMIT 1) IS NOT NULL AS follows"
        )
    };
}

#[derive(FromRow)]
struct Ready {
    id: i64,
    kind: String,
    idempotency_key: String,
    ordering_key: String,
    payload: Vec<u8>,
    attempts: i64,
    uncertain: bool,
    ready_at: i64,
    follows: bool,
}

impl Outbox<'_> {
    /// Claims up to `limit` messages that are ready and the first of their key, the longest ready
    /// first. Each is this caller's for the length of `lease`. Callers beside each other, also in
    /// other processes, never get the same message and do not wait for each other.
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
        self.expire(flow, now).await?;
        let mut transaction = self.store.write().await?;
        let until = milliseconds(now.saturating_add(lease).unwrap_or(Timestamp::MAX));
        let claim = match &transaction {
            Either::Sqlite(_) => claim!(""),
            Either::Postgres(_) => claim!("FOR UPDATE SKIP LOCKED"),
        };
        let mut ready: Vec<Ready> = ask!(&mut transaction, |c| sqlx::query_as(claim)
            .bind(flow.as_str())
            .bind(now.as_millisecond())
            .bind(until)
            .bind(i64::from(limit))
            .fetch_all(c))?;
        transaction.commit().await?;
        ready.sort_unstable_by_key(|message| (message.ready_at, message.id));
        Ok(ready.into_iter().map(Claimed::from).collect())
    }

    /// Ends the leases that are over.
    async fn expire(&self, flow: &FlowId, now: Timestamp) -> Result<(), StoreError> {
        let some = "SELECT EXISTS (SELECT 1 FROM outbox
             WHERE flow = $1 AND state = 'leased' AND leased_until <= $2)";
        let is_due: bool = ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(some)
            .bind(flow.as_str())
            .bind(now.as_millisecond())
            .fetch_one(c))?;
        if !is_due {
            return Ok(());
        }
        let mut transaction = self.store.write_flow(flow.as_str()).await?;
        let expired: Vec<String> = ask!(&mut transaction, |c| sqlx::query_scalar(EXPIRE)
            .bind(flow.as_str())
            .bind(now.as_millisecond())
            .fetch_all(c))?;
        heads::arrange(&mut transaction, flow.as_str(), &borrowed(&expired)).await?;
        transaction.commit().await
    }

    /// Ends the leases that an earlier process left behind, of messages and of reading; its attempts are
    /// uncertain. Only a
    /// process that has the store alone may call this, before it claims.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(&self) -> Result<u64, StoreError> {
        let mut transaction = self.store.write().await?;
        let left: Vec<(String, String)> =
            ask!(&mut transaction, |c| sqlx::query_as(RECOVER).fetch_all(c))?;
        let mut keys = BTreeMap::<&str, Vec<&str>>::new();
        for (flow, key) in &left {
            keys.entry(flow).or_default().push(key);
        }
        for (flow, keys) in keys {
            heads::arrange(&mut transaction, flow, &keys).await?;
        }
        tell!(&mut transaction, sqlx::query("DELETE FROM reader"))?;
        transaction.commit().await?;
        Ok(count(i64::try_from(left.len()).unwrap_or(i64::MAX)))
    }
}

fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

impl From<Ready> for Claimed {
    fn from(message: Ready) -> Self {
        Self {
            ticket: Ticket { id: message.id, attempt: message.attempts },
            kind: message.kind,
            idempotency_key: message.idempotency_key,
            ordering_key: message.ordering_key,
            payload: Sensitive::new(message.payload),
            attempts: u32::try_from(message.attempts).unwrap_or(u32::MAX),
            earlier: if message.uncertain { Earlier::Uncertain } else { Earlier::NoEffect },
            follows: message.follows,
        }
    }
}
