//! Taking messages in, with the rows that were put aside beside them.
//!
//! What was read is taken in one transaction: messages, quarantined rows, what was said of their keys,
//! and how far the source has been read.

mod copy;
mod insert;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use lienthong_model::{id::FlowId, sensitive::Sensitive};
use sqlx::AssertSqlSafe;

use super::{Outbox, Total, count, heads, list, milliseconds, reader};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
    quality::{self, Judged},
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
    /// When the message before it in its key says the same here and was never tried, this message
    /// takes its place.
    pub replaces: Option<String>,
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

/// What has been said of a key so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The key.
    pub ordering_key: String,
    /// What has been said, in the words of who keeps it.
    pub history: String,
}

/// Stands for the position of a message of an earlier version, which had none.
const NOWHERE: i64 = i64::MIN + 1;

/// Whether it has been asked which names of a batch are messages already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Names {
    /// Not for certain: each is looked up while the batch is taken.
    #[default]
    Unasked,
    /// By [`Outbox::said`], and none is; whoever asked counted in what it has had taken since, and
    /// nobody else was the reader meanwhile.
    Asked,
}

/// What one reading of a source gave; taken whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// How many rows were read for the first time.
    pub rows: u64,
    /// How many of them are left out because their messages are known.
    pub repeated: u64,
    /// The messages, those of a key in the order in which they were read.
    pub messages: Vec<NewMessage>,
    /// What is known of their names.
    pub names: Names,
    /// The rows put aside.
    pub quarantined: Vec<QuarantinedRow>,
    /// Rows that were in quarantine and are not any more.
    pub released: Vec<String>,
    /// Who read it, when several processes might: the batch is refused when that one is not the reader
    /// of the flow any more.
    pub reader: Option<String>,
    /// How far the source has been read, when the source says so.
    pub mark: Option<String>,
    /// What has been said of keys, these messages included.
    pub standings: Vec<Standing>,
    /// Of its rows, those that were looked at to the end.
    pub judged: Vec<Judged>,
}

/// What has been said of keys and names so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What has been said of keys of which anything has.
    pub standings: HashMap<String, String>,
    /// The lowest position of a row in quarantine, of keys that have one.
    pub held: HashMap<String, i64>,
    /// The names that are messages already, open or done and not forgotten, with their positions;
    /// without one where it is not known any more.
    pub known: HashMap<String, Option<i64>>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Enqueued {
    /// Messages taken.
    pub new: u64,
    /// Messages that were known already.
    pub known: u64,
    /// Of the messages taken or waiting, those that a later one replaced.
    pub superseded: u64,
    /// Of what has to be mended, how many are counted and not kept because there are too many.
    pub unkept: u64,
}

impl Outbox<'_> {
    /// Takes a batch in one transaction. When this returns, the messages survive anything.
    ///
    /// # Errors
    /// When the database fails, or another process reads the flow now; nothing of the batch is taken
    /// then.
    pub async fn enqueue(
        &self,
        flow: &FlowId,
        batch: &Batch,
        now: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        match self.try_enqueue(flow, batch, batch.names, now).await {
            // A name that was thought to be new is not. Nothing was taken; now each is looked up.
            Err(StoreError::Database(error)) if is_taken(&error) && batch.names == Names::Asked => {
                self.try_enqueue(flow, batch, Names::Unasked, now).await
            }
            done => done,
        }
    }

    async fn try_enqueue(
        &self,
        flow: &FlowId,
        batch: &Batch,
        names: Names,
        now: Timestamp,
    ) -> Result<Enqueued, StoreError> {
        let mut transaction = self.store.write_flow(flow.as_str()).await?;
        let (on, flow, at, now) = (&mut transaction, flow.as_str(), now, milliseconds(now));
        reader::still(on, flow, batch.reader.as_deref()).await?;
        put_aside(on, flow, batch, now).await?;
        let (messages, repeated) = distinct(&batch.messages);
        let taken = insert::insert(on, flow, &messages, names, now).await?;
        let mut enqueued = Enqueued {
            new: taken.new,
            known: taken.known + repeated + batch.repeated,
            superseded: 0,
            unkept: 0,
        };
        enqueued.superseded = supersede(on, flow, &messages, now).await?;
        let mut shifted: BTreeSet<&str> = taken.shifted;
        shifted.extend(batch.quarantined.iter().filter_map(|row| row.ordering_key.as_deref()));
        if enqueued.superseded > 0 {
            shifted.extend(messages.iter().map(|message| message.ordering_key.as_str()));
        }
        heads::arrange(on, flow, &shifted.into_iter().collect::<Vec<_>>()).await?;
        remember(on, flow, batch, now).await?;
        enqueued.unkept = quality::take(on, flow, &batch.judged, &batch.released, at).await?;
        count::add(on, flow, Total::Rows, batch.rows).await?;
        count::add(on, flow, Total::Enqueued, enqueued.new).await?;
        count::add(on, flow, Total::Duplicates, enqueued.known).await?;
        count::add(on, flow, Total::Superseded, enqueued.superseded).await?;
        transaction.commit().await?;
        Ok(enqueued)
    }

    /// What has been said so far of these keys and names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn said(
        &self,
        flow: &FlowId,
        keys: &BTreeSet<&str>,
        names: &[&str],
    ) -> Result<Said, StoreError> {
        let mut snapshot = self.store.read().await?;
        let list = list(&snapshot);
        let keys = json(keys.iter().map(|key| [key]));
        // PERF: a join, or `EXISTS`, may be carried out by reading all of a table; these are one look
        // for each key, however old the plan is.
        let standings = format!(
            "SELECT value ->> 0, (SELECT s.history FROM standing s
                 WHERE s.flow = $2 AND s.ordering_key = value ->> 0) FROM {list}"
        );
        let standings: Vec<(String, Option<String>)> =
            ask!(&mut snapshot, |c| sqlx::query_as(AssertSqlSafe(standings))
                .bind(keys.as_str())
                .bind(flow.as_str())
                .fetch_all(c))?;
        let held = format!(
            "SELECT ordering_key, min(position) FROM quarantine WHERE flow = $2
             AND ordering_key IN (SELECT value ->> 0 FROM {list}) GROUP BY ordering_key"
        );
        let held: Vec<(String, i64)> =
            ask!(&mut snapshot, |c| sqlx::query_as(AssertSqlSafe(held))
                .bind(keys.as_str())
                .bind(flow.as_str())
                .fetch_all(c))?;
        let known = format!(
            "SELECT name, position FROM (SELECT k.name, coalesce(
                 (SELECT o.position FROM outbox o
                     WHERE o.flow = $2 AND o.idempotency_key = k.name LIMIT 1),
                 (SELECT coalesce(d.position, {NOWHERE}) FROM known d
                     WHERE d.flow = $2 AND d.idempotency_key = k.name LIMIT 1)) AS position
             FROM (SELECT value ->> 0 AS name FROM {list}) k) p WHERE position IS NOT NULL"
        );
        let names = json(names.iter().map(|name| [name]));
        let known: Vec<(String, i64)> =
            ask!(&mut snapshot, |c| sqlx::query_as(AssertSqlSafe(known))
                .bind(names)
                .bind(flow.as_str())
                .fetch_all(c))?;
        let place = |(name, position)| (name, Some(position).filter(|at| *at != NOWHERE));
        Ok(Said {
            standings: standings
                .into_iter()
                .filter_map(|(key, history)| Some((key, history?)))
                .collect(),
            held: held.into_iter().collect(),
            known: known.into_iter().map(place).collect(),
        })
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

    /// The lowest position of all messages and rows of a flow that are open, in quarantine, or done and
    /// not forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn oldest_position(&self, flow: &FlowId) -> Result<Option<i64>, StoreError> {
        ask!(&mut self.store.read().await?, |c| sqlx::query_scalar(
            "SELECT min(position) FROM (
                 SELECT min(position) AS position FROM outbox WHERE flow = $1
                 UNION ALL SELECT min(position) FROM known WHERE flow = $1
                 UNION ALL SELECT min(position) FROM quarantine WHERE flow = $1) AS positions"
        )
        .bind(flow.as_str())
        .fetch_one(c))
    }

    /// Which of these names of messages are known: open, or done and not forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known(
        &self,
        flow: &FlowId,
        names: &[String],
    ) -> Result<BTreeSet<String>, StoreError> {
        let mut snapshot = self.store.read().await?;
        let statement = format!(
            "SELECT k.name FROM (SELECT value ->> 0 AS name FROM {}) k
             WHERE coalesce(
                 (SELECT 1 FROM outbox o WHERE o.flow = $2 AND o.idempotency_key = k.name LIMIT 1),
                 (SELECT 1 FROM known d WHERE d.flow = $2 AND d.idempotency_key = k.name LIMIT 1),
                 (SELECT 1 FROM quarantine q WHERE q.flow = $2 AND q.source_key = k.name LIMIT 1))
             IS NOT NULL",
            list(&snapshot)
        );
        let found: Vec<String> =
            ask!(&mut snapshot, |c| sqlx::query_scalar(AssertSqlSafe(statement))
                .bind(json(names.iter().map(|name| [name])))
                .bind(flow.as_str())
                .fetch_all(c))?;
        Ok(found.into_iter().collect())
    }
}

/// Each message once; the number of those that repeat another of the batch.
fn distinct(messages: &[NewMessage]) -> (Vec<&NewMessage>, u64) {
    let mut seen = HashSet::with_capacity(messages.len());
    let distinct: Vec<_> =
        messages.iter().filter(|message| seen.insert(&message.idempotency_key)).collect();
    let repeated = messages.len() - distinct.len();
    (distinct, u64::try_from(repeated).unwrap_or(u64::MAX))
}

/// Whether a row is refused because another has its name.
fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

async fn put_aside(
    on: &mut Transaction,
    flow: &str,
    batch: &Batch,
    now: i64,
) -> Result<(), StoreError> {
    if !batch.released.is_empty() {
        let statement = format!(
            "DELETE FROM quarantine WHERE flow = $2
             AND source_key IN (SELECT value ->> 0 FROM {}) RETURNING ordering_key",
            list(on)
        );
        let released = json(batch.released.iter().map(|key| [key]));
        let freed: Vec<Option<String>> =
            ask!(&mut *on, |c| sqlx::query_scalar(AssertSqlSafe(statement))
                .bind(released)
                .bind(flow)
                .fetch_all(c))?;
        let freed: Vec<&str> = freed.iter().flatten().map(String::as_str).collect();
        heads::promote(on, flow, &freed).await?;
    }
    if batch.quarantined.is_empty() {
        return Ok(());
    }
    let rows = batch.quarantined.iter();
    let rows = rows.map(|row| (&row.source_key, &row.ordering_key, row.position, &row.reason));
    let statement = format!(
        "INSERT INTO quarantine (flow, source_key, ordering_key, position, reason, at)
         SELECT $2, value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT), value ->> 3, $3 FROM {}
         WHERE TRUE ON CONFLICT (flow, source_key) DO UPDATE
         SET reason = excluded.reason, ordering_key = excluded.ordering_key",
        list(on)
    );
    // Of rows of one name the last counts: a statement may change a row once only.
    let last: BTreeMap<_, _> = rows.map(|row| (row.0, row)).collect();
    tell!(
        &mut *on,
        sqlx::query(AssertSqlSafe(statement)).bind(json(last.values())).bind(flow).bind(now)
    )?;
    Ok(())
}

/// A message takes the place of the one right before it in its key, when that one was never tried and
/// says the same in `replaces`.
async fn supersede(
    on: &mut Transaction,
    flow: &str,
    messages: &[&NewMessage],
    now: i64,
) -> Result<u64, StoreError> {
    let replacing: Vec<[&String; 1]> = messages
        .iter()
        .filter(|message| message.replaces.is_some())
        .map(|message| [&message.idempotency_key])
        .collect();
    if replacing.is_empty() {
        return Ok(0);
    }
    let statement = format!(
        "DELETE FROM outbox WHERE id IN (
             SELECT (SELECT o.id FROM outbox o WHERE o.flow = n.flow
                 AND o.ordering_key = n.ordering_key AND (o.position, o.id) < (n.position, n.id)
                 ORDER BY o.position DESC, o.id DESC LIMIT 1)
             FROM (SELECT value ->> 0 AS name FROM {}) k
             JOIN outbox n ON n.flow = $2 AND n.idempotency_key = k.name
             WHERE n.replaces = (SELECT o.replaces FROM outbox o WHERE o.flow = n.flow
                 AND o.ordering_key = n.ordering_key AND (o.position, o.id) < (n.position, n.id)
                 ORDER BY o.position DESC, o.id DESC LIMIT 1))
         AND state IN ('queued', 'waiting') AND attempts = 0 AND NOT uncertain
         RETURNING idempotency_key, position",
        list(on)
    );
    let gone: Vec<(String, i64)> = ask!(&mut *on, |c| sqlx::query_as(AssertSqlSafe(statement))
        .bind(json(&replacing))
        .bind(flow)
        .fetch_all(c))?;
    let known = format!(
        "INSERT INTO known (flow, idempotency_key, outcome, position, done_at)
         SELECT $2, value ->> 0, 'superseded', CAST(value ->> 1 AS BIGINT), $3 FROM {}",
        list(on)
    );
    let names = json(&gone);
    tell!(&mut *on, sqlx::query(AssertSqlSafe(known)).bind(names).bind(flow).bind(now))?;
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}

async fn remember(
    on: &mut Transaction,
    flow: &str,
    batch: &Batch,
    now: i64,
) -> Result<(), StoreError> {
    if !batch.standings.is_empty() {
        let statement = format!(
            "INSERT INTO standing (flow, ordering_key, history, at)
             SELECT $2, value ->> 0, value ->> 1, $3 FROM {} WHERE TRUE
             ON CONFLICT (flow, ordering_key) DO UPDATE
             SET history = excluded.history, at = excluded.at",
            list(on)
        );
        let last: BTreeMap<_, _> =
            batch.standings.iter().map(|one| (&one.ordering_key, &one.history)).collect();
        tell!(
            &mut *on,
            sqlx::query(AssertSqlSafe(statement)).bind(json(last)).bind(flow).bind(day_end(now))
        )?;
    }
    let Some(mark) = &batch.mark else { return Ok(()) };
    tell!(
        on,
        sqlx::query(
            "INSERT INTO source_mark (flow, mark) VALUES ($1, $2)
         ON CONFLICT (flow) DO UPDATE SET mark = excluded.mark",
        )
        .bind(flow)
        .bind(mark)
    )?;
    Ok(())
}

/// The end of the day of an instant, in milliseconds.
///
/// PERF: a key of which more is said on the same day keeps its place in the index by time: PostgreSQL
/// writes no index then.
fn day_end(now: i64) -> i64 {
    const DAY: i64 = 24 * 60 * 60 * 1_000;
    now.saturating_sub(now.rem_euclid(DAY)).saturating_add(DAY)
}

fn json(rows: impl IntoIterator<Item = impl serde::Serialize>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    serde_json::to_string(&rows).unwrap_or_default()
}

#[cfg(test)]
mod tests;
