//! Whether the durable state is as this program left it.
//!
//! Only looks: a store that is not sound is for a person and a backup. Says where something is wrong,
//! never what stands there.

use lienthong_model::text::Language;

use crate::{
    Store, StoreError,
    engine::{Either, Transaction, ask},
    quality,
    schema::Versions,
};

/// Revisions that are looked at in one statement.
const STEP: i64 = 10_000;
/// Most findings that are told.
const MOST: usize = 100;

/// What is wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The database is of another version of the program.
    Version(Versions),
    /// The engine says that the file is damaged.
    Damaged(String),
    /// Revisions are missing between these two, the last one included.
    Gap(u64, u64),
    /// The newest revision is not the head.
    Head {
        /// What the head says.
        head: u64,
        /// The newest event.
        newest: u64,
    },
    /// So many records whose newest event is at these revisions are not what the event left.
    Record(u64, u64, u64),
    /// So many events at these revisions have no record.
    NoRecord(u64, u64, u64),
    /// So many counters in a table are below nothing.
    Negative(&'static str, u64),
}

impl Problem {
    /// What to tell a person.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Vietnamese => self.vietnamese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Version(Versions { found, known, .. }) if found > known => {
                format!("version {found} is newer than this program's, {known}")
            }
            Self::Version(Versions { found, known, .. }) if found < known => {
                format!(
                    "version {found} is older than this program's, {known}: run `store migrate`"
                )
            }
            Self::Version(Versions { found, .. }) => {
                format!("version {found} was made by other statements than this program's")
            }
            Self::Damaged(what) => format!("the database is damaged: {what}"),
            Self::Gap(first, last) => format!("revisions are missing from {first} to {last}"),
            Self::Head { head, newest } => {
                format!("the head is revision {head}, the newest event revision {newest}")
            }
            Self::Record(count, first, last) => {
                format!(
                    "{count} records of revisions {first} to {last} are not what their events left"
                )
            }
            Self::NoRecord(count, first, last) => {
                format!("{count} events of revisions {first} to {last} have no record")
            }
            Self::Negative(table, count) => format!("{count} counters of `{table}` are negative"),
        }
    }

    fn vietnamese(&self) -> String {
        match self {
            Self::Version(Versions { found, known, .. }) if found > known => {
                format!("phiên bản {found} mới hơn phiên bản {known} của chương trình này")
            }
            Self::Version(Versions { found, known, .. }) if found < known => format!(
                "phiên bản {found} cũ hơn phiên bản {known} của chương trình này: chạy `store migrate`"
            ),
            Self::Version(Versions { found, .. }) => {
                format!("phiên bản {found} không phải do các câu lệnh của chương trình này tạo ra")
            }
            Self::Damaged(what) => format!("cơ sở dữ liệu bị hỏng: {what}"),
            Self::Gap(first, last) => format!("thiếu số hiệu sửa đổi từ {first} đến {last}"),
            Self::Head { head, newest } => {
                format!("số hiệu đầu sổ là {head}, sự kiện mới nhất là {newest}")
            }
            Self::Record(count, first, last) => format!(
                "{count} bản ghi ở số hiệu {first} đến {last} không khớp với sự kiện của chúng"
            ),
            Self::NoRecord(count, first, last) => {
                format!("{count} sự kiện ở số hiệu {first} đến {last} không có bản ghi")
            }
            Self::Negative(table, count) => format!("{count} bộ đếm của `{table}` bị âm"),
        }
    }
}

/// Looks at everything; `progress` hears how many revisions are done, of how many. Gives the newest
/// revision and what is wrong, at most a hundred findings.
///
/// # Errors
/// When the database cannot be read.
pub async fn check(
    store: &Store,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(u64, Vec<Problem>), StoreError> {
    let versions = store.versions().await?;
    if !versions.alike {
        return Ok((0, vec![Problem::Version(versions)]));
    }
    let mut snapshot = store.read().await?;
    let mut found = engine(&mut snapshot).await?;
    for (table, negative) in [
        ("quota", "SELECT count(*) FROM quota WHERE used < 0"),
        ("total", "SELECT count(*) FROM total WHERE count < 0"),
        ("outbox", "SELECT count(*) FROM outbox WHERE attempts < 0"),
        ("quality_day", quality::NEGATIVE),
    ] {
        let count: i64 = ask!(&mut snapshot, |c| sqlx::query_scalar(negative).fetch_one(c))?;
        if count > 0 {
            found.push(Problem::Negative(table, count.unsigned_abs()));
        }
    }
    let head = ledger(&mut snapshot, &mut found, progress).await?;
    found.truncate(MOST);
    Ok((head, found))
}

/// What the engine itself can tell. A server checks its own files.
async fn engine(snapshot: &mut Transaction) -> Result<Vec<Problem>, StoreError> {
    let Either::Sqlite(file) = snapshot else { return Ok(Vec::new()) };
    let told: Vec<String> =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut **file).await?;
    let strays = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut **file).await?;
    let mut found: Vec<_> =
        told.into_iter().filter(|line| line != "ok").map(Problem::Damaged).collect();
    if !strays.is_empty() {
        found.push(Problem::Damaged(format!("{} references lead nowhere", strays.len())));
    }
    Ok(found)
}

const EVENTS: &str = "SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (
        SELECT 1 FROM ledger_record r WHERE r.book = e.book AND r.id = e.id))
    FROM ledger_event e WHERE revision > $1 AND revision <= $2";

const RECORDS: &str = "SELECT count(*) FROM ledger_record r
    LEFT JOIN ledger_event e ON e.revision = r.revision
    WHERE r.revision > $1 AND r.revision <= $2 AND (
        e.revision IS NULL OR e.book <> r.book OR e.id <> r.id OR e.subject <> r.subject
        OR e.party <> r.party OR e.at <> r.at OR e.record <> r.record
        OR EXISTS (SELECT 1 FROM ledger_event n
            WHERE n.book = r.book AND n.id = r.id AND n.revision > r.revision))";

async fn ledger(
    snapshot: &mut Transaction,
    found: &mut Vec<Problem>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, StoreError> {
    let heads = "SELECT (SELECT max(revision) FROM ledger_head),
        COALESCE((SELECT max(revision) FROM ledger_event), 0),
        COALESCE((SELECT max(revision) FROM ledger_record), 0)";
    let (head, newest, of_records): (Option<i64>, i64, i64) =
        ask!(&mut *snapshot, |c| sqlx::query_as(heads).fetch_one(c))?;
    let head = head.ok_or(StoreError::Damaged("head"))?;
    if head != newest {
        let (head, newest) = (head.unsigned_abs(), newest.unsigned_abs());
        found.push(Problem::Head { head, newest });
    }
    let end = head.max(newest).max(of_records);
    let mut after = 0;
    while after < end && found.len() < MOST {
        let last = after.saturating_add(STEP).min(end);
        let range = (after.unsigned_abs() + 1, last.unsigned_abs());
        let (events, alone): (i64, i64) = ask!(&mut *snapshot, |c| {
            sqlx::query_as(EVENTS).bind(after).bind(last).fetch_one(c)
        })?;
        let wrong: i64 = ask!(&mut *snapshot, |c| {
            sqlx::query_scalar(RECORDS).bind(after).bind(last).fetch_one(c)
        })?;
        if events != last - after {
            found.push(Problem::Gap(range.0, range.1));
        }
        if wrong > 0 {
            found.push(Problem::Record(wrong.unsigned_abs(), range.0, range.1));
        }
        if alone > 0 {
            found.push(Problem::NoRecord(alone.unsigned_abs(), range.0, range.1));
        }
        after = last;
        progress(after.unsigned_abs(), end.unsigned_abs());
    }
    Ok(head.unsigned_abs())
}

#[cfg(test)]
mod tests;
