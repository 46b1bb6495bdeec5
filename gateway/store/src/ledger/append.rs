//! Adding events.

use super::{Appended, Change, Expected, Ledger, LedgerError, id, nanoseconds, revision, stored};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
};

/// Holds the row until the transaction ends, so that revisions are committed in their order.
const TAKE: &str = "UPDATE ledger_head SET revision = revision + $1 RETURNING revision";

const KNOWN: &str = "SELECT id, revision, idempotency_request FROM ledger_event
    WHERE idempotency_key = $1";

const USED: &str = "SELECT EXISTS (SELECT 1 FROM ledger_event WHERE book = $1 AND once = $2)";

const EVENT: &str =
    "INSERT INTO ledger_event (revision, book, id, subject, party, action, at, event,
        record, once, idempotency_key, idempotency_request)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

const NEW: &str =
    "INSERT INTO ledger_record (revision, at, record, is_open, due, book, id, subject,
        party)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (book, id) DO NOTHING";

const NEXT: &str = "UPDATE ledger_record
    SET revision = $1, at = $2, record = $3, is_open = $4, due = $5
    WHERE book = $6 AND id = $7 AND subject = $8 AND party = $9 AND revision = $10";

/// What both statements on a record begin with.
macro_rules! record {
    ($text:expr, $revision:expr, $change:expr) => {
        sqlx::query($text)
            .bind(stored($revision))
            .bind(nanoseconds($change.at))
            .bind($change.record)
            .bind($change.open)
            .bind($change.due.map(nanoseconds))
            .bind($change.book.as_str())
            .bind(&$change.id[..])
            .bind(&$change.subject[..])
            .bind($change.party)
    };
}

impl Ledger<'_> {
    /// Appends the changes in one transaction, each with the next revision, in their order. When
    /// this returns, they survive anything.
    ///
    /// # Errors
    /// When a change may not be made; nothing is appended then. When the store fails; whether the
    /// changes were appended is not known then.
    pub async fn append(&self, changes: &[Change<'_>]) -> Result<Appended, LedgerError> {
        let mut transaction = self.store.write().await?;
        let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
        let take = ask!(&mut transaction, |c| sqlx::query_scalar(TAKE).bind(count).fetch_one(c));
        let last = revision(take?)?;
        let first = last.saturating_sub(changes.len() as u64).saturating_add(1);
        // A repeated request is told from one whose record has changed since, or whose proof is used.
        for change in changes {
            refuse_repeated(&mut transaction, change).await?;
        }
        for (revision, change) in (first..).zip(changes) {
            add(&mut transaction, revision, change).await?;
        }
        transaction.commit().await?;
        Ok(Appended { first, last })
    }
}

async fn refuse_repeated(
    transaction: &mut Transaction,
    change: &Change<'_>,
) -> Result<(), LedgerError> {
    let Some(asked) = change.idempotency else { return Ok(()) };
    let known: Option<(Vec<u8>, i64, Vec<u8>)> =
        ask!(transaction, |c| sqlx::query_as(KNOWN).bind(&asked.key[..]).fetch_optional(c))?;
    match known {
        None => Ok(()),
        Some((record, at, request)) if request == asked.request => {
            Err(LedgerError::Repeated { id: id(&record)?, revision: revision(at)? })
        }
        Some(_) => Err(LedgerError::Mismatch),
    }
}

async fn add(
    transaction: &mut Transaction,
    revision: u64,
    change: &Change<'_>,
) -> Result<(), LedgerError> {
    if let Some(once) = change.once {
        let used: bool = ask!(transaction, |c| {
            sqlx::query_scalar(USED).bind(change.book.as_str()).bind(&once[..]).fetch_one(c)
        })?;
        if used {
            return Err(LedgerError::Used);
        }
    }
    write_event(transaction, revision, change).await?;
    if write_record(transaction, revision, change).await? == 1 {
        Ok(())
    } else {
        Err(LedgerError::Conflict)
    }
}

async fn write_event(
    transaction: &mut Transaction,
    revision: u64,
    change: &Change<'_>,
) -> Result<(), StoreError> {
    tell!(
        transaction,
        sqlx::query(EVENT)
            .bind(stored(revision))
            .bind(change.book.as_str())
            .bind(&change.id[..])
            .bind(&change.subject[..])
            .bind(change.party)
            .bind(change.action)
            .bind(nanoseconds(change.at))
            .bind(change.event)
            .bind(change.record)
            .bind(change.once.as_ref().map(|once| &once[..]))
            .bind(change.idempotency.as_ref().map(|asked| &asked.key[..]))
            .bind(change.idempotency.as_ref().map(|asked| &asked.request[..]))
    )?;
    Ok(())
}

/// How many records were written: none where the change follows another event than it should.
async fn write_record(
    transaction: &mut Transaction,
    revision: u64,
    change: &Change<'_>,
) -> Result<u64, StoreError> {
    match change.expected {
        Expected::New => tell!(transaction, record!(NEW, revision, change)),
        Expected::Revision(known) => {
            tell!(transaction, record!(NEXT, revision, change).bind(stored(known)))
        }
    }
}
