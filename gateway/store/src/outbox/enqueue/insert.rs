//! Putting messages in, many at a time. This is what a reading of a source waits for, so it is one
//! statement for all of them where the engine can.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AssertSqlSafe, Postgres, Sqlite};

use super::{Names, NewMessage, copy};
use crate::{
    StoreError,
    engine::{Either, Transaction, ask, bounded},
    outbox::list,
};

/// What became of the messages.
pub(super) struct Taken<'a> {
    pub(super) new: u64,
    pub(super) known: u64,
    /// Keys of which the first message may be another now.
    pub(super) shifted: BTreeSet<&'a str>,
}

/// Puts messages in, those that are known already left out.
pub(super) async fn insert<'a>(
    on: &mut Transaction,
    flow: &str,
    messages: &[&'a NewMessage],
    names: Names,
    now: i64,
) -> Result<Taken<'a>, StoreError> {
    let mut taken = Taken { new: 0, known: 0, shifted: BTreeSet::new() };
    if messages.is_empty() {
        return Ok(taken);
    }
    let last = last_positions(on, flow, messages).await?;
    let mut begun = BTreeSet::new();
    let mut states = Vec::with_capacity(messages.len());
    for message in messages {
        let key = message.ordering_key.as_str();
        let is_first = !last.contains_key(key) && begun.insert(key);
        states.push(if is_first { "waiting" } else { "queued" });
        if last.get(key).is_some_and(|last| *last > message.position) {
            taken.shifted.insert(key);
        }
    }
    taken.shifted.extend(disordered(messages));
    taken.new = match on {
        Either::Sqlite(inner) => one_by_one(inner, flow, messages, &states, now).await?,
        Either::Postgres(inner) => match names {
            Names::Asked => bounded(copy::copy(inner, flow, messages, &states, now)).await?,
            Names::Unasked => bounded(at_once(inner, flow, messages, &states, now)).await?,
        },
    };
    let all = u64::try_from(messages.len()).unwrap_or(u64::MAX);
    taken.known = all.saturating_sub(taken.new);
    if taken.known > 0 {
        // One that was to be the first was known: another is.
        taken.shifted.extend(messages.iter().map(|message| message.ordering_key.as_str()));
    }
    Ok(taken)
}

/// Keys whose messages do not stand in the order of their positions.
fn disordered<'a>(messages: &[&'a NewMessage]) -> Vec<&'a str> {
    let mut last = BTreeMap::<&str, i64>::new();
    let mut found = Vec::new();
    for message in messages {
        let before = last.insert(&message.ordering_key, message.position);
        if before.is_some_and(|before| before > message.position) {
            found.push(message.ordering_key.as_str());
        }
    }
    found
}

/// The position of the last open message of each key, or of the row in quarantine that holds it.
async fn last_positions(
    on: &mut Transaction,
    flow: &str,
    messages: &[&NewMessage],
) -> Result<BTreeMap<String, i64>, StoreError> {
    let keys: BTreeSet<&str> = messages.iter().map(|m| m.ordering_key.as_str()).collect();
    let keys: Vec<[&str; 1]> = keys.into_iter().map(|key| [key]).collect();
    let keys = serde_json::to_string(&keys).unwrap_or_default();
    let statement = format!(
        "SELECT ordering_key, position FROM (SELECT k.ordering_key,
             coalesce((SELECT o.position FROM outbox o WHERE o.flow = $2
                 AND o.ordering_key = k.ordering_key ORDER BY o.position DESC, o.id DESC LIMIT 1),
             (SELECT min(q.position) FROM quarantine q WHERE q.flow = $2
                 AND q.ordering_key = k.ordering_key)) AS position
         FROM (SELECT value ->> 0 AS ordering_key FROM {}) k) p WHERE position IS NOT NULL",
        list(on)
    );
    let found: Vec<(String, i64)> =
        ask!(on, |c| sqlx::query_as(AssertSqlSafe(statement)).bind(keys).bind(flow).fetch_all(c))?;
    Ok(found.into_iter().collect())
}

async fn one_by_one(
    on: &mut sqlx::Transaction<'static, Sqlite>,
    flow: &str,
    messages: &[&NewMessage],
    states: &[&str],
    now: i64,
) -> Result<u64, StoreError> {
    let mut new = 0;
    for (message, state) in messages.iter().zip(states) {
        let done = sqlx::query(
            "INSERT INTO outbox (flow, kind, idempotency_key, ordering_key, position, payload,
                 replaces, state, ready_at, enqueued_at)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $9
             WHERE NOT EXISTS (SELECT 1 FROM known WHERE flow = $1 AND idempotency_key = $3)
             ON CONFLICT (flow, idempotency_key) DO NOTHING",
        )
        .bind(flow)
        .bind(&message.kind)
        .bind(&message.idempotency_key)
        .bind(&message.ordering_key)
        .bind(message.position)
        .bind(message.payload.expose().as_slice())
        .bind(&message.replaces)
        .bind(*state)
        .bind(now)
        .execute(&mut **on)
        .await?;
        new += done.rows_affected();
    }
    Ok(new)
}

async fn at_once(
    on: &mut sqlx::Transaction<'static, Postgres>,
    flow: &str,
    messages: &[&NewMessage],
    states: &[&str],
    now: i64,
) -> Result<u64, sqlx::Error> {
    let texts = |of: fn(&NewMessage) -> &str| messages.iter().map(|m| of(m)).collect::<Vec<_>>();
    let payloads: Vec<&[u8]> = messages.iter().map(|m| m.payload.expose().as_slice()).collect();
    let replaces: Vec<Option<&str>> = messages.iter().map(|m| m.replaces.as_deref()).collect();
    let positions: Vec<i64> = messages.iter().map(|m| m.position).collect();
    let done = sqlx::query(
        "INSERT INTO outbox (flow, kind, idempotency_key, ordering_key, position, payload,
             replaces, state, ready_at, enqueued_at)
         SELECT $1, n.kind, n.idempotency_key, n.ordering_key, n.position, n.payload,
             n.replaces, n.state, $2, $2
         FROM UNNEST($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bytea[], $8::text[],
             $9::text[]) WITH ORDINALITY AS n (kind, idempotency_key, ordering_key, position,
             payload, replaces, state, place)
         WHERE (SELECT 1 FROM known k
             WHERE k.flow = $1 AND k.idempotency_key = n.idempotency_key LIMIT 1) IS NULL
         ORDER BY n.place ON CONFLICT (flow, idempotency_key) DO NOTHING",
    )
    .bind(flow)
    .bind(now)
    .bind(texts(|m| &m.kind))
    .bind(texts(|m| &m.idempotency_key))
    .bind(texts(|m| &m.ordering_key))
    .bind(positions)
    .bind(payloads)
    .bind(replaces)
    .bind(states)
    .execute(&mut **on)
    .await?;
    Ok(done.rows_affected())
}
