//! Messages that need a person: which they are, and what the person decides.

use jiff::Timestamp;
use lienthong_model::{clock::civil_date, id::FlowId, sensitive::Sensitive};
use sqlx::FromRow;

use super::{Effect, Outbox, Rests, Total, count, heads, milliseconds, moment};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
    quality,
};

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
    /// How many attempts there were.
    pub attempts: u32,
    /// Whether an attempt may have had its effect.
    pub effect: Effect,
    /// Whether its payload was erased.
    pub is_erased: bool,
}

/// A dead message with what it says.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it is.
    pub letter: DeadLetter,
    /// What was to be sent; empty when it was erased.
    pub payload: Sensitive<Vec<u8>>,
}

/// How a dead message is tried again.
#[derive(Debug, Clone)]
pub struct Again<'a> {
    /// What a person knows of its attempts.
    pub effect: Effect,
    /// What is sent in place of what was to be sent.
    pub payload: Option<&'a Sensitive<Vec<u8>>>,
    /// How long messages rest whose attempts are uncertain.
    pub rests: &'a Rests,
}

#[derive(FromRow)]
struct Found {
    idempotency_key: String,
    kind: String,
    reason: Option<String>,
    dead_at: Option<i64>,
    attempts: i64,
    uncertain: bool,
    is_erased: bool,
    payload: Vec<u8>,
}

/// The columns of a letter, with its payload or with nothing in its place.
macro_rules! letters {
    ($payload:literal, $rest:literal) => {
        concat!(
            "SELECT idempotency_key, kind, reason, dead_at, attempts, uncertain,
             length(payload) = 0 AS is_erased, ",
            $payload,
            " FROM outbox WHERE flow = $1 AND state = 'dead' AND ",
            $rest
        )
    };
}

const NEWEST: &str = letters!("$3 AS payload", "TRUE ORDER BY dead_at DESC, id DESC LIMIT $2");
const ONE: &str = letters!("payload", "idempotency_key = $2");

impl Outbox<'_> {
    /// The messages of a flow that need a person, the newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dead(&self, flow: &FlowId, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        let nothing: &[u8] = &[];
        let found: Vec<Found> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(NEWEST)
            .bind(flow.as_str())
            .bind(i64::from(limit))
            .bind(nothing)
            .fetch_all(c))?;
        Ok(found.into_iter().map(|found| Opened::from(found).letter).collect())
    }

    /// A message that needs a person, with what it says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_letter(
        &self,
        flow: &FlowId,
        key: &str,
    ) -> Result<Option<Opened>, StoreError> {
        let found: Option<Found> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(ONE)
            .bind(flow.as_str())
            .bind(key)
            .fetch_optional(c))?;
        Ok(found.map(Opened::from))
    }

    /// A person wants a dead message to be tried again. With `Effect::None` the person has made sure
    /// that no attempt took effect; otherwise what is known of earlier attempts stays, and where they
    /// are uncertain the message rests first. A payload given takes the place of the old one. `false`
    /// when there is no such dead message, or it was erased and no payload is given.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replay(
        &self,
        flow: &FlowId,
        key: &str,
        again: &Again<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.write_flow(flow.as_str()).await?;
        let found: Option<(String, Option<i64>)> = ask!(&mut transaction, |c| sqlx::query_as(
            "SELECT kind, dead_at FROM outbox
             WHERE flow = $1 AND idempotency_key = $2 AND state = 'dead'"
        )
        .bind(flow.as_str())
        .bind(key)
        .fetch_optional(c))?;
        let Some((kind, dead_at)) = found else { return Ok(false) };
        let rested = dead_at.map_or(now, moment).saturating_add(again.rests.of(flow, &kind));
        let rested = rested.unwrap_or(Timestamp::MAX).max(now);
        let payload = again.payload.map(|payload| payload.expose().as_slice());
        let found: Option<String> = ask!(&mut transaction, |c| sqlx::query_scalar(
            "UPDATE outbox SET state = 'queued', attempts = 0, dead_at = NULL,
                 ready_at = CASE WHEN uncertain AND $4 THEN $6 ELSE $3 END,
                 uncertain = uncertain AND $4, payload = coalesce($5, payload)
             WHERE flow = $1 AND idempotency_key = $2 AND state = 'dead'
             AND length(coalesce($5, payload)) > 0 RETURNING ordering_key",
        )
        .bind(flow.as_str())
        .bind(key)
        .bind(milliseconds(now))
        .bind(again.effect == Effect::Unknown)
        .bind(payload)
        .bind(milliseconds(rested))
        .fetch_optional(c))?;
        if let Some(key) = &found {
            heads::arrange(&mut transaction, flow.as_str(), &[key]).await?;
        }
        transaction.commit().await?;
        Ok(found.is_some())
    }

    /// A person wants a dead message never to be sent: its payload is deleted, the reason stays beside
    /// its name, and the later messages of its key go on. `false` when there is no such dead message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn drop_letter(
        &self,
        flow: &FlowId,
        key: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.finish(flow, key, "dropped", why, now).await
    }

    /// A person has found that the platform has a dead message, so that it counts as delivered.
    /// `false` when there is no such dead message.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn confirm_taken(
        &self,
        flow: &FlowId,
        key: &str,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.finish(flow, key, "delivered", why, now).await
    }

    async fn finish(
        &self,
        flow: &FlowId,
        key: &str,
        outcome: &'static str,
        why: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.store.write_flow(flow.as_str()).await?;
        let gone: Option<(String, String, i64)> = ask!(&mut transaction, |c| sqlx::query_as(
            "DELETE FROM outbox WHERE flow = $1 AND idempotency_key = $2 AND state = 'dead'
             RETURNING kind, ordering_key, position",
        )
        .bind(flow.as_str())
        .bind(key)
        .fetch_optional(c))?;
        let Some((kind, ordering_key, position)) = gone else { return Ok(false) };
        let (day, now) = (civil_date(now), milliseconds(now));
        tell!(
            &mut transaction,
            sqlx::query(
                "INSERT INTO known (flow, idempotency_key, outcome, reason, position, done_at)
             VALUES ($1, $2, $3, $4, $5, $6)"
            )
            .bind(flow.as_str())
            .bind(key)
            .bind(outcome)
            .bind(why)
            .bind(position)
            .bind(now)
        )?;
        let total = if outcome == "delivered" {
            begin(&mut transaction, flow, &kind, &ordering_key, now).await?;
            quality::count_shared(&mut transaction, flow.as_str(), day, 1).await?;
            Total::Delivered
        } else {
            Total::Dropped
        };
        count::add(&mut transaction, flow.as_str(), total, 1).await?;
        heads::promote(&mut transaction, flow.as_str(), &[&ordering_key]).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn begin(
    transaction: &mut Transaction,
    flow: &FlowId,
    kind: &str,
    ordering_key: &str,
    now: i64,
) -> Result<(), StoreError> {
    let begun = "INSERT INTO begun (flow, kind, ordering_key, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (flow, kind, ordering_key) DO NOTHING";
    let flow = flow.as_str();
    tell!(transaction, sqlx::query(begun).bind(flow).bind(kind).bind(ordering_key).bind(now))?;
    Ok(())
}

impl From<Found> for Opened {
    fn from(found: Found) -> Self {
        let letter = DeadLetter {
            key: found.idempotency_key,
            kind: found.kind,
            reason: found.reason.unwrap_or_default(),
            at: moment(found.dead_at.unwrap_or_default()),
            attempts: u32::try_from(found.attempts).unwrap_or(u32::MAX),
            effect: if found.uncertain { Effect::Unknown } else { Effect::None },
            is_erased: found.is_erased,
        };
        Self { letter, payload: Sensitive::new(found.payload) }
    }
}
