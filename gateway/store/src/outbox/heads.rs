//! Which message of a key is the first.
//!
//! INVARIANT: of each key at most one message is `waiting`, `leased` or neither; it is the one with
//! the lowest position, unless it was claimed before an earlier one came. A key whose first message is
//! dead, or stands behind a quarantined row, has none that waits.

use sqlx::AssertSqlSafe;

use super::list;
use crate::{
    StoreError,
    engine::{Transaction, tell},
};

/// Of each key of the list, the first message.
macro_rules! heads {
    ($list:expr) => {
        format!(
            "SELECT (SELECT o.id FROM outbox o WHERE o.flow = $2
                 AND o.ordering_key = keys.ordering_key ORDER BY o.position, o.id LIMIT 1)
             FROM (SELECT value ->> 0 AS ordering_key FROM {}) AS keys",
            $list
        )
    };
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
    let heads = heads!(list(transaction));
    let statement = format!(
        "UPDATE outbox SET state = 'waiting' WHERE id IN ({heads}) AND state = 'queued'
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
    let (list, heads) = (list(transaction), heads!(list(transaction)));
    let statement = format!(
        "UPDATE outbox SET state = 'queued' WHERE flow = $2 AND state = 'waiting'
         AND ordering_key IN (SELECT value ->> 0 FROM {list})
         AND (id NOT IN ({heads}) OR {BEHIND_A_ROW})"
    );
    let all = json(keys);
    tell!(transaction, sqlx::query(AssertSqlSafe(statement)).bind(all).bind(flow))?;
    promote(transaction, flow, keys).await
}

/// A list of lists of one.
fn json(keys: &[&str]) -> String {
    serde_json::Value::from_iter(keys.iter().map(|key| vec![*key])).to_string()
}
