//! Claiming messages, and ending the claims of a process that is gone.

use jiff::Timestamp;
use lienthong_model::{id::FlowId, sensitive::Sensitive};
use sqlx::{AssertSqlSafe, FromRow};

use super::{
    Claimed, Earlier, Lease, Left, Outbox, Rests, Ticket, heads, list, milliseconds, moment,
};
use crate::{
    StoreError,
    engine::{Either, Transaction, ask},
};

/// A lease that ran out belonged to an attempt that nobody heard of again.
const RAN_OUT: &str = "leased_until <= $3";
/// Leases in one name, or in none.
const LEFT_BEHIND: &str = "leased_by IS NOT DISTINCT FROM $4";

/// Claims the ready messages; `$how` is how rows that another claims at this moment are passed over.
macro_rules! claim {
    ($how:literal) => {
        concat!(
            "UPDATE outbox SET state = 'leased', leased_until = $3, leased_by = $5,
                 attempts = attempts + 1, claims = claims + 1
             WHERE id IN (SELECT id FROM outbox WHERE flow = $1 AND state = 'waiting'
                 AND ready_at <= $2 ORDER BY ready_at, id LIMIT $4 ",
            $how,
            ") RETURNING id, kind, idempotency_key, ordering_key, payload, attempts, claims, uncertain,
             ready_at, leased_until, (SELECT 1 FROM begun b WHERE b.flow = outbox.flow AND b.kind = outbox.kind
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
    claims: i64,
    uncertain: bool,
    ready_at: i64,
    leased_until: i64,
    follows: bool,
}

impl Outbox<'_> {
    /// Claims up to `limit` messages that are ready and the first of their key, the longest ready
    /// first. Each is this caller's for the length of the lease. Callers beside each other, also in
    /// other processes, never get the same message and do not wait for each other.
    ///
    /// # Errors
    /// When the database fails; nothing is claimed then.
    pub async fn claim(
        &self,
        flow: &FlowId,
        now: Timestamp,
        lease: &Lease,
        limit: u32,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.expire(flow, now, &lease.rests).await?;
        let mut transaction = self.store.write().await?;
        let until = milliseconds(now.saturating_add(lease.length).unwrap_or(Timestamp::MAX));
        let claim = match &transaction {
            Either::Sqlite(_) => claim!(""),
            Either::Postgres(_) => claim!("FOR UPDATE SKIP LOCKED"),
        };
        let mut ready: Vec<Ready> = ask!(&mut transaction, |c| sqlx::query_as(claim)
            .bind(flow.as_str())
            .bind(now.as_millisecond())
            .bind(until)
            .bind(i64::from(limit))
            .bind(self.store.name())
            .fetch_all(c))?;
        transaction.commit().await?;
        ready.sort_unstable_by_key(|message| (message.ready_at, message.id));
        Ok(ready.into_iter().map(Claimed::from).collect())
    }

    /// Ends the leases that are over.
    async fn expire(&self, flow: &FlowId, now: Timestamp, rests: &Rests) -> Result<(), StoreError> {
        let some = "SELECT EXISTS (SELECT 1 FROM outbox
             WHERE flow = $1 AND state = 'leased' AND leased_until <= $2)";
        let is_due: bool = ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(some)
            .bind(flow.as_str())
            .bind(now.as_millisecond())
            .fetch_one(c))?;
        if is_due {
            self.release(flow.as_str(), RAN_OUT, None, now, rests).await?;
        }
        Ok(())
    }

    /// Ends the leases that earlier processes left behind, of messages and of reading; their attempts
    /// are uncertain. A process calls this before it claims: for anybody's leases when it has the
    /// store alone, otherwise for those in its own name, which nobody else bears.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recover(
        &self,
        left: Left,
        now: Timestamp,
        rests: &Rests,
    ) -> Result<u64, StoreError> {
        let ours = self.store.name();
        // Without a name there is nothing that is known to be ours.
        if left == Left::ByOurselves && ours.is_none() {
            return Ok(0);
        }
        let leased = "SELECT DISTINCT flow, leased_by FROM outbox WHERE state = 'leased'";
        let leased: Vec<(String, Option<String>)> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(leased).fetch_all(c))?;
        let mut ended = 0_u64;
        for (flow, name) in leased {
            let name = name.as_deref();
            // Whoever found nobody here may have been followed by others who are at work by now.
            let is_left = name == ours
                || left == Left::ByAnyone && self.store.is_gone(name.unwrap_or_default()).await?;
            if is_left {
                let released = self.release(&flow, LEFT_BEHIND, name, now, rests).await?;
                ended = ended.saturating_add(released);
            }
        }
        self.stop_reading(ours.filter(|_| left == Left::ByOurselves)).await?;
        Ok(ended)
    }

    /// Ends leases of a flow: those that ran out by `now`, or those in a name, or in none.
    async fn release(
        &self,
        flow: &str,
        which: &'static str,
        name: Option<&str>,
        now: Timestamp,
        rests: &Rests,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.store.write_flow(flow).await?;
        let keys = end_leases(&mut transaction, flow, which, name, now, rests).await?;
        let borrowed: Vec<&str> = keys.iter().map(String::as_str).collect();
        heads::arrange(&mut transaction, flow, &borrowed).await?;
        transaction.commit().await?;
        Ok(u64::try_from(keys.len()).unwrap_or(u64::MAX))
    }
}

/// When the attempts ended is not known, so that their messages rest from now on. Gives their keys.
async fn end_leases(
    on: &mut Transaction,
    flow: &str,
    which: &'static str,
    name: Option<&str>,
    now: Timestamp,
    rests: &Rests,
) -> Result<Vec<String>, StoreError> {
    let statement = format!(
        "UPDATE outbox SET state = 'waiting', leased_until = NULL, leased_by = NULL, uncertain = TRUE,
             ready_at = coalesce((SELECT $3 + CAST(value ->> 1 AS BIGINT) FROM {}
                 WHERE value ->> 0 = outbox.kind), ready_at)
         WHERE flow = $2 AND state = 'leased' AND {which} RETURNING ordering_key",
        list(on)
    );
    let rests = rests.list(flow);
    ask!(on, |c| sqlx::query_scalar(AssertSqlSafe(statement))
        .bind(rests)
        .bind(flow)
        .bind(now.as_millisecond())
        .bind(name)
        .fetch_all(c))
}

impl From<Ready> for Claimed {
    fn from(message: Ready) -> Self {
        Self {
            ticket: Ticket { id: message.id, claim: message.claims },
            kind: message.kind,
            idempotency_key: message.idempotency_key,
            ordering_key: message.ordering_key,
            payload: Sensitive::new(message.payload),
            attempts: u32::try_from(message.attempts).unwrap_or(u32::MAX),
            earlier: if message.uncertain { Earlier::Uncertain } else { Earlier::NoEffect },
            follows: message.follows,
            until: moment(message.leased_until),
        }
    }
}
