//! Looking things up.

use jiff::Timestamp;

use super::{Book, Event, Ledger, Row, id, moment, nanoseconds, revision, stored};
use crate::{
    StoreError,
    engine::{Transaction, ask, tell},
};

type StoredRow = (Vec<u8>, Vec<u8>, String, i64, i64, Vec<u8>, bool, Option<i64>);
type StoredEvent = (i64, String, Vec<u8>, Vec<u8>, String, String, i64, Vec<u8>, Vec<u8>);

/// Records, by this condition and in this order.
macro_rules! rows {
    ($rest:literal) => {
        concat!(
            "SELECT id, subject, party, revision, at, record, is_open, due FROM ledger_record
             WHERE book = $1 AND ",
            $rest
        )
    };
}

/// Events, by this condition and in this order.
macro_rules! events {
    ($rest:literal) => {
        concat!(
            "SELECT revision, book, id, subject, party, action, at, event, record
             FROM ledger_event WHERE ",
            $rest
        )
    };
}

impl Ledger<'_> {
    /// The newest revision; 0 when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn head(&self) -> Result<u64, StoreError> {
        Self::head_in(&mut self.store.read().await?).await
    }

    pub(crate) async fn head_in(transaction: &mut Transaction) -> Result<u64, StoreError> {
        let newest = "SELECT revision FROM ledger_head";
        revision(ask!(transaction, |c| sqlx::query_scalar(newest).fetch_one(c))?)
    }

    /// A record.
    ///
    /// # Errors
    /// When the database fails, or holds what is no record.
    pub async fn record(&self, book: Book, id: [u8; 16]) -> Result<Option<Row>, StoreError> {
        let text = rows!("id = $2");
        let mut snapshot = self.store.read().await?;
        let found: Option<StoredRow> = ask!(&mut snapshot, |c| {
            sqlx::query_as(text).bind(book.as_str()).bind(&id[..]).fetch_optional(c)
        })?;
        found.map(row).transpose()
    }

    /// The records of a data subject whose newest event is after the revision, in its order.
    ///
    /// # Errors
    /// When the database fails, or holds what is no record.
    pub async fn of_subject(
        &self,
        book: Book,
        subject: [u8; 16],
        after: u64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let text = rows!("subject = $2 AND revision > $3 ORDER BY revision LIMIT $4");
        let mut snapshot = self.store.read().await?;
        let found: Vec<StoredRow> = ask!(&mut snapshot, |c| sqlx::query_as(text)
            .bind(book.as_str())
            .bind(&subject[..])
            .bind(stored(after))
            .bind(i64::from(limit))
            .fetch_all(c))?;
        found.into_iter().map(row).collect()
    }

    /// The open records, of one party or of all, whose newest event is after the revision, in its
    /// order.
    ///
    /// # Errors
    /// When the database fails, or holds what is no record.
    pub async fn open(
        &self,
        book: Book,
        party: Option<&str>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let of_all = rows!("is_open AND revision > $2 ORDER BY revision LIMIT $3");
        let of_one = rows!("is_open AND revision > $2 AND party = $4 ORDER BY revision LIMIT $3");
        let mut snapshot = self.store.read().await?;
        let found: Vec<StoredRow> = ask!(&mut snapshot, |c| {
            let text = if party.is_some() { of_one } else { of_all };
            let query = sqlx::query_as(text).bind(book.as_str());
            let query = query.bind(stored(after)).bind(i64::from(limit));
            match party {
                Some(party) => query.bind(party),
                None => query,
            }
            .fetch_all(c)
        })?;
        found.into_iter().map(row).collect()
    }

    /// The open records that are due at the instant or before it, the most urgent first.
    ///
    /// # Errors
    /// When the database fails, or holds what is no record.
    pub async fn due(
        &self,
        book: Book,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let text = rows!("is_open AND due <= $2 ORDER BY due, revision LIMIT $3");
        let mut snapshot = self.store.read().await?;
        let found: Vec<StoredRow> = ask!(&mut snapshot, |c| sqlx::query_as(text)
            .bind(book.as_str())
            .bind(nanoseconds(until))
            .bind(i64::from(limit))
            .fetch_all(c))?;
        found.into_iter().map(row).collect()
    }

    /// The records of a book in order of their ids, after this one.
    ///
    /// # Errors
    /// When the database fails, or holds what is no record.
    pub async fn records(
        &self,
        book: Book,
        after: Option<[u8; 16]>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let text = rows!("id > $2 ORDER BY id LIMIT $3");
        let after = after.as_ref().map_or(&[][..], |id| &id[..]);
        let mut snapshot = self.store.read().await?;
        let found: Vec<StoredRow> = ask!(&mut snapshot, |c| sqlx::query_as(text)
            .bind(book.as_str())
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(c))?;
        found.into_iter().map(row).collect()
    }

    /// The newest events of a record, at most `limit`, in their order.
    ///
    /// # Errors
    /// When the database fails, or holds what is no event.
    pub async fn history(
        &self,
        book: Book,
        id: [u8; 16],
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let text = events!("book = $1 AND id = $2 ORDER BY revision DESC LIMIT $3");
        let mut snapshot = self.store.read().await?;
        let found: Vec<StoredEvent> = ask!(&mut snapshot, |c| sqlx::query_as(text)
            .bind(book.as_str())
            .bind(&id[..])
            .bind(i64::from(limit))
            .fetch_all(c))?;
        found.into_iter().rev().map(event).collect()
    }

    /// The events after a revision, of all books, in their order.
    ///
    /// # Errors
    /// When the database fails, or holds what is no event.
    pub async fn since(&self, revision: u64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let text = events!("revision > $1 ORDER BY revision LIMIT $2");
        let mut snapshot = self.store.read().await?;
        let found: Vec<StoredEvent> = ask!(&mut snapshot, |c| {
            sqlx::query_as(text).bind(stored(revision)).bind(i64::from(limit)).fetch_all(c)
        })?;
        found.into_iter().map(event).collect()
    }

    /// Sets a value that is set once; gives the value that stands there.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark(&self, name: &str, value: &[u8]) -> Result<Vec<u8>, StoreError> {
        let set = "INSERT INTO ledger_mark (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let stands = "SELECT value FROM ledger_mark WHERE name = $1";
        let mut transaction = self.store.write().await?;
        tell!(&mut transaction, sqlx::query(set).bind(name).bind(value))?;
        let value = ask!(&mut transaction, |c| sqlx::query_scalar(stands).bind(name).fetch_one(c))?;
        transaction.commit().await?;
        Ok(value)
    }
}

fn row(stored: StoredRow) -> Result<Row, StoreError> {
    let (record_id, subject, party, newest, at, record, open, due) = stored;
    Ok(Row {
        id: id(&record_id)?,
        subject: id(&subject)?,
        party,
        revision: revision(newest)?,
        record,
        open,
        due: due.map(moment).transpose()?,
        at: moment(at)?,
    })
}

fn event(stored: StoredEvent) -> Result<Event, StoreError> {
    let (place, book, record_id, subject, party, action, at, event, record) = stored;
    Ok(Event {
        revision: revision(place)?,
        book: Book::read(&book)?,
        id: id(&record_id)?,
        subject: id(&subject)?,
        party,
        action,
        at: moment(at)?,
        event,
        record,
    })
}
