//! Data packages: which were made here and wait for a receipt, and which were received.
//!
//! A package is received once. Taking it has two ends: [`Packages::take`] before anything of it can
//! be seen, [`Packages::taken`] after all of it can; what died in between is taken up again. What is
//! in a package is not here.

use jiff::Timestamp;

use crate::{
    Store, StoreError,
    engine::{Transaction, ask, tell},
};

/// Most packages that are listed at once.
const MAX_LISTED: u32 = 10_000;

/// The packages of a store.
#[derive(Debug, Clone, Copy)]
pub struct Packages<'a> {
    store: &'a Store,
}

/// A package, as its manifest names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package<'a> {
    /// Its id.
    pub id: [u8; 16],
    /// Whom it is for, or whom it is from: the code of a participant.
    pub peer: &'a str,
    /// The data set.
    pub dataset: &'a str,
    /// SHA-256 of its manifest.
    pub manifest: [u8; 32],
    /// How many records are in it.
    pub records: u64,
}

/// Whether a package was made here or received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Made here.
    Out,
    /// Received.
    In,
}

impl Way {
    /// Its name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::In => "in",
        }
    }
}

/// What became of the records of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Taken.
    pub taken: u64,
    /// Put aside for a person.
    pub aside: u64,
}

/// What a package that was received before means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// It is refused.
    Refused,
    /// A person wants it once more.
    Wanted,
}

/// Whether a package may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// It may: how often it was begun, this time included.
    Begun(u64),
    /// It was received before.
    Replayed {
        /// When.
        at: Timestamp,
    },
    /// Another package of this id was received before.
    Other,
}

/// What a receipt does to the package it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// It is closed.
    Closed,
    /// It was closed before.
    Repeated {
        /// When.
        at: Timestamp,
    },
    /// No package of this id was made here for this participant.
    Unknown,
    /// The package that was made here has another manifest or another number of records.
    Other,
}

/// A package as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Made here or received.
    pub way: Way,
    /// Its id.
    pub id: [u8; 16],
    /// Whom it is for, or from.
    pub peer: String,
    /// The data set.
    pub dataset: String,
    /// How many records are in it.
    pub records: u64,
    /// When it was made, or begun to be taken.
    pub opened: Timestamp,
    /// When its receipt came, or it was taken.
    pub closed: Option<Timestamp>,
    /// What became of its records, where that is known.
    pub counts: Option<Counts>,
    /// How often it was begun to be taken.
    pub times: u64,
}

/// What is known of a package before it is changed.
type Before = (Vec<u8>, i64, String, i64, Option<i64>);

const KNOWN: &str = "SELECT manifest, records, state, times, closed_at FROM package
    WHERE way = $1 AND id = $2 AND ($3 = '' OR peer = $3) LIMIT 1";

const NEW: &str = "INSERT INTO package
    (way, id, peer, dataset, manifest, records, state, times, opened_at)
    VALUES ($1, $2, $3, $4, $5, $6, 'open', 1, $7)";

impl<'a> Packages<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }

    /// Remembers packages that are about to leave, one for each recipient, until their receipts come.
    ///
    /// # Errors
    /// When the database fails; none is remembered then.
    pub async fn made(&self, packages: &[Package<'_>], at: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        for package in packages {
            insert(&mut transaction, Way::Out, package, at).await?;
        }
        transaction.commit().await
    }

    /// Begins to take a package, or goes on with one that was begun.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take(
        &self,
        package: &Package<'_>,
        again: Again,
        at: Timestamp,
    ) -> Result<Taking, StoreError> {
        let mut transaction = self.store.write().await?;
        let Some((manifest, _, state, times, closed)) =
            known(&mut transaction, Way::In, &package.id, "").await?
        else {
            insert(&mut transaction, Way::In, package, at).await?;
            transaction.commit().await?;
            return Ok(Taking::Begun(1));
        };
        if manifest != package.manifest {
            return Ok(Taking::Other);
        }
        let times = number(times, "times")?;
        if state == "open" {
            return Ok(Taking::Begun(times));
        }
        if again == Again::Refused {
            return Ok(Taking::Replayed { at: moment(closed)? });
        }
        tell!(
            &mut transaction,
            sqlx::query(
                "UPDATE package SET state = 'open', closed_at = NULL, taken = NULL, aside = NULL,
                 times = times + 1, opened_at = $1 WHERE way = 'in' AND id = $2"
            )
            .bind(at.as_millisecond())
            .bind(&package.id[..])
        )?;
        transaction.commit().await?;
        Ok(Taking::Begun(times.saturating_add(1)))
    }

    /// Ends the taking of a package that was begun.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn taken(
        &self,
        id: &[u8; 16],
        counts: Counts,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        close(&mut transaction, Way::In, (id, ""), counts, at).await?;
        transaction.commit().await
    }

    /// What [`Self::close`] would do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn closing(&self, package: &Package<'_>) -> Result<Closing, StoreError> {
        closing(&mut self.store.read().await?, package).await
    }

    /// Closes a package that was made here, by the receipt of a recipient.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn close(
        &self,
        package: &Package<'_>,
        counts: Counts,
        at: Timestamp,
    ) -> Result<Closing, StoreError> {
        let mut transaction = self.store.write().await?;
        let closing = closing(&mut transaction, package).await?;
        if closing != Closing::Closed {
            return Ok(closing);
        }
        close(&mut transaction, Way::Out, (&package.id, package.peer), counts, at).await?;
        transaction.commit().await?;
        Ok(Closing::Closed)
    }

    /// Packages, the oldest first: those that are open, or all.
    ///
    /// # Errors
    /// When the database fails, or holds what is no package.
    pub async fn list(&self, only_open: bool, limit: u32) -> Result<Vec<Kept>, StoreError> {
        type Row =
            (String, Vec<u8>, String, String, i64, i64, i64, Option<i64>, Option<i64>, Option<i64>);
        let state = if only_open { "open" } else { "" };
        let rows: Vec<Row> = ask!(&mut self.store.read().await?, |c| sqlx::query_as(
            "SELECT way, id, peer, dataset, records, times, opened_at, closed_at, taken, aside
             FROM package WHERE $1 = '' OR state = $1 ORDER BY opened_at, way, id, peer LIMIT $2"
        )
        .bind(state)
        .bind(i64::from(limit.min(MAX_LISTED)))
        .fetch_all(c))?;
        rows.into_iter()
            .map(|(way, id, peer, dataset, records, times, opened, closed, taken, aside)| {
                let counts = match (taken, aside) {
                    (Some(taken), Some(aside)) => Some(Counts {
                        taken: number(taken, "taken")?,
                        aside: number(aside, "aside")?,
                    }),
                    _ => None,
                };
                Ok(Kept {
                    way: if way == "in" { Way::In } else { Way::Out },
                    id: id.try_into().map_err(|_| StoreError::Damaged("id"))?,
                    peer,
                    dataset,
                    records: number(records, "records")?,
                    opened: moment(Some(opened))?,
                    closed: closed.map(|at| moment(Some(at))).transpose()?,
                    counts,
                    times: number(times, "times")?,
                })
            })
            .collect()
    }
}

async fn closing(
    transaction: &mut Transaction,
    package: &Package<'_>,
) -> Result<Closing, StoreError> {
    let before = known(transaction, Way::Out, &package.id, package.peer).await?;
    let Some((manifest, records, state, _, closed)) = before else { return Ok(Closing::Unknown) };
    if manifest != package.manifest || number(records, "records")? != package.records {
        return Ok(Closing::Other);
    }
    match state == "closed" {
        true => Ok(Closing::Repeated { at: moment(closed)? }),
        false => Ok(Closing::Closed),
    }
}

/// What is known of a package; of whichever peer when none is named.
async fn known(
    transaction: &mut Transaction,
    way: Way,
    id: &[u8; 16],
    peer: &str,
) -> Result<Option<Before>, StoreError> {
    ask!(transaction, |c| sqlx::query_as(KNOWN)
        .bind(way.as_str())
        .bind(&id[..])
        .bind(peer)
        .fetch_optional(c))
}

async fn insert(
    transaction: &mut Transaction,
    way: Way,
    package: &Package<'_>,
    at: Timestamp,
) -> Result<(), StoreError> {
    tell!(
        transaction,
        sqlx::query(NEW)
            .bind(way.as_str())
            .bind(&package.id[..])
            .bind(package.peer)
            .bind(package.dataset)
            .bind(&package.manifest[..])
            .bind(stored(package.records))
            .bind(at.as_millisecond())
    )
    .map(drop)
}

async fn close(
    transaction: &mut Transaction,
    way: Way,
    (id, peer): (&[u8; 16], &str),
    counts: Counts,
    at: Timestamp,
) -> Result<(), StoreError> {
    tell!(
        transaction,
        sqlx::query(
            "UPDATE package SET state = 'closed', closed_at = $1, taken = $2, aside = $3
             WHERE way = $4 AND id = $5 AND ($6 = '' OR peer = $6)"
        )
        .bind(at.as_millisecond())
        .bind(stored(counts.taken))
        .bind(stored(counts.aside))
        .bind(way.as_str())
        .bind(&id[..])
        .bind(peer)
    )
    .map(drop)
}

fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(stored: i64, what: &'static str) -> Result<u64, StoreError> {
    u64::try_from(stored).map_err(|_| StoreError::Damaged(what))
}

fn moment(milliseconds: Option<i64>) -> Result<Timestamp, StoreError> {
    let at = milliseconds.and_then(|at| Timestamp::from_millisecond(at).ok());
    at.ok_or(StoreError::Damaged("instant"))
}

#[cfg(test)]
mod tests;
