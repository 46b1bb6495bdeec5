//! What became of claimed messages. Many are written down in one transaction: what costs is the
//! commit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use lienthong_model::{clock::civil_date, id::FlowId};
use sqlx::{AssertSqlSafe, FromRow};

use super::{
    Effect, Outbox, Ticket, Total, heads, list, milliseconds,
    receipt::{self, Receipt, Row},
};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
    quality,
};

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The platform has the message. Its payload is deleted.
    Delivered,
    /// The same, and it gave a receipt, which is kept.
    Receipted(Receipt),
    /// It failed; another attempt follows at that time. An `Unknown` effect stays on record until
    /// an attempt clears it.
    Retry(Timestamp, Effect, String),
    /// It was not tried after all; the claim does not count.
    GiveBack,
    /// Nobody tries again until a person has looked. Later messages of the key wait.
    Bury(Effect, String),
    /// It must not be sent any more, whatever a person says: consent is missing. Its payload is
    /// deleted and later messages of the key go on.
    Withhold(String),
}

/// A message that an ending found still leased.
#[derive(FromRow)]
struct Found {
    id: i64,
    claims: i64,
    flow: String,
    ordering_key: String,
}

impl Found {
    fn ticket(&self) -> Ticket {
        Ticket { id: self.id, claim: self.claims }
    }
}

/// What follows from all endings of a call, by flow.
#[derive(Default)]
struct After {
    found: BTreeSet<Ticket>,
    /// Keys whose first message is gone.
    freed: BTreeMap<String, BTreeSet<String>>,
    /// Keys whose message waits again.
    again: BTreeMap<String, BTreeSet<String>>,
    totals: BTreeMap<(String, Total), u64>,
}

impl Outbox<'_> {
    /// Writes down how these attempts of a flow ended, all of them or none. Gives the tickets whose lease had
    /// ended before: someone else has their messages.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle(
        &self,
        flow: &FlowId,
        ended: &[(Ticket, Ending)],
        now: Timestamp,
    ) -> Result<Vec<Ticket>, StoreError> {
        let mut transaction = self.store.write().await?;
        self.store.settling(&mut transaction, flow.as_str()).await?;
        let (day, now) = (civil_date(now), milliseconds(now));
        let mut after = After::default();
        let on = &mut transaction;
        done(on, ended, now, &mut after).await?;
        let mut again = Vec::new();
        let mut dead = Vec::new();
        for (ticket, ending) in ended {
            let Ticket { id, claim } = ticket;
            match ending {
                Ending::Delivered | Ending::Receipted(_) | Ending::Withhold(_) => {}
                Ending::GiveBack => again.push((*id, *claim, 1, None, None, None)),
                Ending::Retry(at, effect, reason) => {
                    let uncertain = i64::from(*effect == Effect::Unknown);
                    let at = Some(milliseconds(*at));
                    again.push((*id, *claim, 0, at, Some(uncertain), Some(reason.as_str())));
                }
                Ending::Bury(effect, reason) => {
                    let uncertain = i64::from(*effect == Effect::Unknown);
                    dead.push((*id, *claim, uncertain, reason.as_str()));
                }
            }
        }
        wait_again(on, &again, &mut after).await?;
        bury(on, &dead, now, &mut after).await?;
        after.carry_out(on, day).await?;
        transaction.commit().await?;
        let lost = ended.iter().map(|(ticket, _)| *ticket);
        Ok(lost.filter(|ticket| !after.found.contains(ticket)).collect())
    }

    /// Writes down how one attempt ended.
    ///
    /// # Errors
    /// When the lease has ended or the database fails.
    pub async fn end(
        &self,
        flow: &FlowId,
        ticket: Ticket,
        ending: Ending,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let lost = self.settle(flow, &[(ticket, ending)], now).await?;
        if lost.is_empty() { Ok(()) } else { Err(StoreError::LeaseLost) }
    }
}

#[derive(FromRow)]
struct Gone {
    id: i64,
    claims: i64,
    flow: String,
    kind: String,
    idempotency_key: String,
    ordering_key: String,
    position: i64,
}

/// The receipts among the endings.
fn receipts(ended: &[(Ticket, Ending)]) -> BTreeMap<Ticket, &Receipt> {
    ended
        .iter()
        .filter_map(|(ticket, ending)| match ending {
            Ending::Receipted(receipt) => Some((*ticket, receipt)),
            _ => None,
        })
        .collect()
}

/// Delivered and withheld messages leave the outbox; their names stay.
async fn done(
    on: &mut Transaction,
    ended: &[(Ticket, Ending)],
    now: i64,
    after: &mut After,
) -> Result<(), StoreError> {
    // By ticket: of one message an earlier claim may be heard of at the same time as the present one.
    let receipts = receipts(ended);
    let reasons: BTreeMap<Ticket, Option<&str>> = ended
        .iter()
        .filter_map(|(ticket, ending)| match ending {
            Ending::Delivered | Ending::Receipted(_) => Some((*ticket, None)),
            Ending::Withhold(reason) => Some((*ticket, Some(reason.as_str()))),
            _ => None,
        })
        .collect();
    if reasons.is_empty() {
        return Ok(());
    }
    let tickets: Vec<[i64; 2]> = reasons.keys().map(|ticket| [ticket.id, ticket.claim]).collect();
    let statement = format!(
        "DELETE FROM outbox WHERE state = 'leased' AND (id, claims) IN (SELECT
             CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT) FROM {})
         RETURNING id, claims, flow, kind, idempotency_key, ordering_key, position",
        list(on)
    );
    let gone: Vec<Gone> = ask!(&mut *on, |c| sqlx::query_as(AssertSqlSafe(statement))
        .bind(json(&tickets))
        .fetch_all(c))?;
    let mut names = Vec::with_capacity(gone.len());
    let mut begun = BTreeSet::new();
    let mut kept = Vec::new();
    for one in &gone {
        let ticket = Ticket { id: one.id, claim: one.claims };
        let reason = reasons.get(&ticket).copied().flatten();
        let outcome = if reason.is_none() { "delivered" } else { "withheld" };
        names.push((&one.flow, &one.idempotency_key, outcome, reason, one.position));
        if reason.is_none() {
            begun.insert((&one.flow, &one.kind, &one.ordering_key));
        }
        if let Some(receipt) = receipts.get(&ticket) {
            let key = one.idempotency_key.as_str();
            kept.push(Row { flow: &one.flow, kind: &one.kind, key, receipt });
        }
        let total = if reason.is_none() { Total::Delivered } else { Total::Withheld };
        *after.totals.entry((one.flow.clone(), total)).or_default() += 1;
        after.found.insert(ticket);
        after.freed.entry(one.flow.clone()).or_default().insert(one.ordering_key.clone());
    }
    let list = list(on);
    let known = format!(
        "INSERT INTO known (flow, idempotency_key, outcome, reason, position, done_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3,
             CAST(value ->> 4 AS BIGINT), $2 FROM {list}"
    );
    tell!(&mut *on, sqlx::query(AssertSqlSafe(known)).bind(json(&names)).bind(now))?;
    // `WHERE TRUE`: without it SQLite would take `ON` for a part of a join.
    let follow = format!(
        "INSERT INTO begun (flow, kind, ordering_key, at)
         SELECT value ->> 0, value ->> 1, value ->> 2, $2 FROM {list} WHERE TRUE
         ON CONFLICT (flow, kind, ordering_key) DO UPDATE SET at = excluded.at
         WHERE begun.at < excluded.at - 86400000"
    );
    tell!(&mut *on, sqlx::query(AssertSqlSafe(follow)).bind(json(&begun)).bind(now))?;
    receipt::keep(on, &kept, now).await
}

/// Ticket, whether the claim does not count, when it is ready, whether it is uncertain, and why.
type Again<'a> = (i64, i64, i64, Option<i64>, Option<i64>, Option<&'a str>);

async fn wait_again(
    on: &mut Transaction,
    again: &[Again<'_>],
    after: &mut After,
) -> Result<(), StoreError> {
    if again.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "UPDATE outbox SET state = 'waiting', leased_until = NULL, leased_by = NULL,
             attempts = attempts - e.back, ready_at = coalesce(e.ready_at, outbox.ready_at), reason = coalesce(e.reason, outbox.reason),
             uncertain = CASE e.uncertain WHEN 1 THEN TRUE WHEN 0 THEN FALSE ELSE outbox.uncertain END
         FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS BIGINT) AS claim,
                 CAST(value ->> 2 AS BIGINT) AS back, CAST(value ->> 3 AS BIGINT) AS ready_at,
                 CAST(value ->> 4 AS BIGINT) AS uncertain, value ->> 5 AS reason FROM {}) AS e
         WHERE outbox.id = e.id AND outbox.claims = e.claim AND outbox.state = 'leased'
         RETURNING outbox.id, outbox.claims, outbox.flow, outbox.ordering_key",
        list(on)
    );
    let found: Vec<Found> = ask!(&mut *on, |c| sqlx::query_as(AssertSqlSafe(statement))
        .bind(json(&again))
        .fetch_all(c))?;
    let retried: BTreeSet<Ticket> = again
        .iter()
        .filter(|(_, _, back, ..)| *back == 0)
        .map(|(id, claim, ..)| Ticket { id: *id, claim: *claim })
        .collect();
    for one in found {
        let ticket = one.ticket();
        if retried.contains(&ticket) {
            *after.totals.entry((one.flow.clone(), Total::Retried)).or_default() += 1;
        }
        after.found.insert(ticket);
        after.again.entry(one.flow).or_default().insert(one.ordering_key);
    }
    Ok(())
}

async fn bury(
    on: &mut Transaction,
    dead: &[(i64, i64, i64, &str)],
    now: i64,
    after: &mut After,
) -> Result<(), StoreError> {
    if dead.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "UPDATE outbox SET state = 'dead', leased_until = NULL, leased_by = NULL, dead_at = $2,
             reason = e.reason, uncertain = CASE e.uncertain WHEN 1 THEN TRUE ELSE FALSE END
         FROM (SELECT CAST(value ->> 0 AS BIGINT) AS id, CAST(value ->> 1 AS BIGINT) AS claim,
                 CAST(value ->> 2 AS BIGINT) AS uncertain, value ->> 3 AS reason FROM {}) AS e
         WHERE outbox.id = e.id AND outbox.claims = e.claim AND outbox.state = 'leased'
         RETURNING outbox.id, outbox.claims, outbox.flow, outbox.ordering_key",
        list(on)
    );
    let found: Vec<Found> = ask!(&mut *on, |c| sqlx::query_as(AssertSqlSafe(statement))
        .bind(json(&dead))
        .bind(now)
        .fetch_all(c))?;
    after.found.extend(found.iter().map(Found::ticket));
    Ok(())
}

impl After {
    async fn carry_out(&self, on: &mut Transaction, day: Date) -> Result<(), StoreError> {
        for (flow, keys) in &self.freed {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            heads::promote(on, flow, &keys).await?;
        }
        for (flow, keys) in &self.again {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            heads::arrange(on, flow, &keys).await?;
        }
        for ((flow, what), by) in &self.totals {
            super::count::add(on, flow, *what, *by).await?;
            if *what == Total::Delivered {
                quality::count_shared(on, flow, day, *by).await?;
            }
        }
        Ok(())
    }
}

pub(super) fn json(rows: &impl serde::Serialize) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}
