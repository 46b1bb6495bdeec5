//! Which message of a key is the first.
//!
//! INVARIANT: of each key at most one message is `waiting`, `leased` or neither; it is the one with
//! the lowest position, unless it was claimed before an earlier one came. A key whose first message is
//! dead, or stands behind a quarantined row, has none that waits.

use sqlx::AssertSqlSafe;

use super::list;
use crate::{
    StoreError,
    engine::{Either, Transaction, tell},
};

/// That a message is the first of a key of the list.
///
/// PERF: PostgreSQL would carry out `IN` by reading all messages where it thinks that there are few.
fn is_head(on: &Transaction) -> String {
    let heads = format!(
        "SELECT (SELECT o.id FROM outbox o WHERE o.flow = $2
             AND o.ordering_key = keys.ordering_key ORDER BY o.position, o.id LIMIT 1)
         FROM (SELECT value ->> 0 AS ordering_key FROM {}) AS keys",
        list(on)
    );
    match on {
        Either::Sqlite(_) => format!("id IN ({heads})"),
        Either::Postgres(_) => format!("id = ANY (ARRAY({heads}))"),
    }
}

/// A quarantined row of the key stands before the message.
const BEHIND_A_ROW: &str = "EXISTS (SELECT 1 FROM quarantine q WHERE q.flow = outbox.flow
     AND q.ordering_key = outbox.ordering_key AND q.position < outbox.position)";

/// Lets the first message of each of these keys wait for its turn to be sent.
pub(super) async fn promote(
    transaction: &mut Transaction,
    flow: &str,
    keys: &[&str],
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let is_head = is_head(transaction);
    let statement = format!(
        "UPDATE outbox SET state = 'waiting' WHERE {is_head} AND state = 'queued'
         AND NOT {BEHIND_A_ROW}
         AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.flow = outbox.flow
             AND o.ordering_key = outbox.ordering_key AND o.id <> outbox.id
             AND o.state IN ('waiting', 'leased'))"
    );
    let keys = json(keys);
    tell!(transaction, sqlx::query(AssertSqlSafe(statement)).bind(keys).bind(flow))?;
    Ok(())
}

/// After messages or rows were put between others: whoever is not the first any more does not wait.
pub(super) async fn arrange(
    transaction: &mut Transaction,
    flow: &str,
    keys: &[&str],
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let (list, is_head) = (list(transaction), is_head(transaction));
    let statement = format!(
        "UPDATE outbox SET state = 'queued' WHERE flow = $2 AND state = 'waiting'
         AND ordering_key IN (SELECT value ->> 0 FROM {list})
         AND (NOT ({is_head}) OR {BEHIND_A_ROW})"
    );
    let all = json(keys);
    tell!(transaction, sqlx::query(AssertSqlSafe(statement)).bind(all).bind(flow))?;
    promote(transaction, flow, keys).await
}

/// A list of lists of one.
fn json(keys: &[&str]) -> String {
    serde_json::Value::from_iter(keys.iter().map(|key| vec![*key])).to_string()
}
