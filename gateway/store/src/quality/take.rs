//! Counting the rows of a batch, within the transaction that takes them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use lienthong_model::{
    clock::civil_date,
    quality::{Criterion, Marks},
};
use sqlx::AssertSqlSafe;

use super::{
    Judged, MAX_OPEN, columns,
    settle::{Changes, Kept, Name, settle},
};
use crate::{
    StoreError,
    engine::{Either, Transaction, ask, tell},
};

/// So many that have to be mended are read as a whole; of more only those of the batch.
const FEW: i64 = 2_000;

/// Counts rows, and rows that left the quarantine. Gives how many of what has to be mended are not
/// kept because there are too many.
pub(crate) async fn take(
    on: &mut Transaction,
    flow: &str,
    judged: &[Judged],
    released: &[String],
    now: Timestamp,
) -> Result<u64, StoreError> {
    if judged.is_empty() && released.is_empty() {
        return Ok(0);
    }
    let known = known(on, flow, judged, released).await?;
    let mut changes = settle(known, judged, released, (civil_date(now), now));
    let unkept = bound(on, flow, &mut changes).await?;
    write(on, flow, &changes, now).await?;
    Ok(unkept)
}

/// What has to be mended and may be mended now.
async fn known(
    on: &mut Transaction,
    flow: &str,
    judged: &[Judged],
    released: &[String],
) -> Result<BTreeMap<Name, Kept>, StoreError> {
    type Row = (String, String, String, String, String, i64, String);
    let all = "SELECT call, key, unit, day, marks, criteria, reasons FROM quality_defect
         WHERE flow = $1 AND mended IS NULL LIMIT $2";
    let mut found: Vec<Row> =
        ask!(&mut *on, |c| sqlx::query_as(all).bind(flow).bind(FEW).fetch_all(c))?;
    if i64::try_from(found.len()).unwrap_or(i64::MAX) >= FEW {
        let of_rows = judged.iter().map(|row| ("", row.key.as_str()));
        let of_messages = judged.iter().filter_map(|row| row.message.as_ref());
        let of_messages = of_messages.map(|(call, key)| (call.as_str(), key.as_str()));
        let of_released = released.iter().map(|key| ("", key.as_str()));
        let names: BTreeSet<_> = of_rows.chain(of_messages).chain(of_released).collect();
        let statement = format!(
            "SELECT call, key, unit, day, marks, criteria, reasons FROM quality_defect
             WHERE flow = $2 AND mended IS NULL
             AND (call, key) IN (SELECT value ->> 0, value ->> 1 FROM {})",
            list(on)
        );
        found = ask!(on, |c| sqlx::query_as(AssertSqlSafe(statement))
            .bind(json(names))
            .bind(flow)
            .fetch_all(c))?;
    }
    let kept = |(call, key, unit, day, marks, criteria, reasons): Row| {
        let day: Date = day.parse().map_err(|_| StoreError::Damaged("day"))?;
        let marks: Marks =
            serde_json::from_str(&marks).map_err(|_| StoreError::Damaged("marks"))?;
        let criteria = u8::try_from(criteria).map_err(|_| StoreError::Damaged("criteria"))?;
        Ok(((call, key), Kept { unit, day, marks, criteria, reasons }))
    };
    found.into_iter().map(kept).collect()
}

/// Keeps no more of messages open than may be.
async fn bound(on: &mut Transaction, flow: &str, changes: &mut Changes) -> Result<u64, StoreError> {
    let is_of_message = |(call, _): &Name| !call.is_empty();
    let of_messages = changes.open.keys().filter(|name| is_of_message(name)).count();
    let of_messages = i64::try_from(of_messages).unwrap_or(i64::MAX);
    if of_messages == 0 {
        return Ok(0);
    }
    let statement = "SELECT count(*) FROM quality_defect WHERE flow = $1 AND mended IS NULL";
    let open: i64 = ask!(on, |c| sqlx::query_scalar(statement).bind(flow).fetch_one(c))?;
    if open.saturating_add(of_messages) <= MAX_OPEN {
        return Ok(0);
    }
    changes.open.retain(|name, _| !is_of_message(name));
    Ok(of_messages.unsigned_abs())
}

async fn write(
    on: &mut Transaction,
    flow: &str,
    changes: &Changes,
    now: Timestamp,
) -> Result<(), StoreError> {
    if changes.is_empty() {
        return Ok(());
    }
    add(on, flow, changes).await?;
    if !changes.mended.is_empty() {
        let names = changes.mended.iter();
        let names = names.map(|((call, key), at)| (call, key, at.as_millisecond()));
        let statement = format!(
            "UPDATE quality_defect SET mended = e.at
             FROM (SELECT value ->> 0 AS call, value ->> 1 AS key,
                 CAST(value ->> 2 AS BIGINT) AS at FROM {}) AS e
             WHERE quality_defect.flow = $2 AND quality_defect.call = e.call
             AND quality_defect.key = e.key",
            list(on)
        );
        tell!(&mut *on, sqlx::query(AssertSqlSafe(statement)).bind(json(names)).bind(flow))?;
    }
    if changes.open.is_empty() {
        return Ok(());
    }
    let rows = changes.open.iter().map(|((call, key), kept)| {
        let marks = serde_json::to_string(&kept.marks).unwrap_or_default();
        (call, key, &kept.unit, kept.day.to_string(), kept.criteria, &kept.reasons, marks)
    });
    let statement = format!(
        "INSERT INTO quality_defect (flow, call, key, unit, day, criteria, reasons, marks, seen)
         SELECT $2, value ->> 0, value ->> 1, value ->> 2, value ->> 3,
             CAST(value ->> 4 AS BIGINT), value ->> 5, value ->> 6, $3 FROM {} WHERE TRUE
         ON CONFLICT (flow, call, key) DO UPDATE SET unit = excluded.unit, day = excluded.day,
             criteria = excluded.criteria, reasons = excluded.reasons, marks = excluded.marks,
             seen = excluded.seen, mended = NULL",
        list(on)
    );
    let rows = json(rows);
    let now = now.as_millisecond();
    tell!(on, sqlx::query(AssertSqlSafe(statement)).bind(rows).bind(flow).bind(now))?;
    Ok(())
}

/// Adds to the counts.
async fn add(on: &mut Transaction, flow: &str, changes: &Changes) -> Result<(), StoreError> {
    if changes.counts.is_empty() {
        return Ok(());
    }
    let rows = changes.counts.iter().map(|((day, unit), counts)| {
        let counts = counts.iter().flat_map(|(good, all)| [*good, *all]);
        let counts: Vec<i64> = counts.collect();
        (day.to_string(), unit, counts)
    });
    let mut place = -1;
    let values: Vec<String> = Criterion::ALL
        .into_iter()
        .flat_map(|_| ["good", "all"])
        .map(|_| {
            place += 1;
            format!("CAST(value -> 2 ->> {place} AS BIGINT)")
        })
        .collect();
    let sums = columns(|name| format!("{name} = quality_day.{name} + excluded.{name}"));
    let statement = format!(
        "INSERT INTO quality_day (flow, day, unit, {})
         SELECT $2, value ->> 0, value ->> 1, {} FROM {} WHERE TRUE
         ON CONFLICT (flow, day, unit) DO UPDATE SET {sums}",
        columns(str::to_owned),
        values.join(", "),
        list(on)
    );
    tell!(on, sqlx::query(AssertSqlSafe(statement)).bind(json(rows)).bind(flow))?;
    Ok(())
}

/// Counts messages that the platform has taken.
pub(crate) async fn count_shared(
    on: &mut Transaction,
    flow: &str,
    day: Date,
    taken: u64,
) -> Result<(), StoreError> {
    let taken = i64::try_from(taken).unwrap_or(i64::MAX);
    let statement = "INSERT INTO quality_day (flow, day, unit, shared_good, shared_all)
         VALUES ($1, $2, '', $3, $3) ON CONFLICT (flow, day, unit) DO UPDATE
         SET shared_good = quality_day.shared_good + excluded.shared_good,
             shared_all = quality_day.shared_all + excluded.shared_all";
    tell!(on, sqlx::query(statement).bind(flow).bind(day.to_string()).bind(taken))?;
    Ok(())
}

fn list(on: &Transaction) -> &'static str {
    match on {
        Either::Sqlite(_) => "json_each($1)",
        Either::Postgres(_) => "json_array_elements($1::json) AS list (value)",
    }
}

fn json(rows: impl IntoIterator<Item = impl serde::Serialize>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    serde_json::to_string(&rows).unwrap_or_default()
}
