//! A seeded, entirely synthetic city: people, civil status, parcels and dossiers, in SQLite.
//!
//! The same seed gives the same database. Nobody in it exists: personal numbers have serials of
//! `9xxxxx`, telephones begin with `0599`, mail domains are `example`. A file is replaced only when
//! an earlier run of this module made it.

mod case;
pub(crate) mod health;
mod land;
mod names;
mod outbox;
mod person;
mod wards;

use std::path::Path;

use rand::{SeedableRng as _, rngs::StdRng};
use sqlx::{
    Connection as _, Executor as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

pub use case::{BAD_ROWS, PROCEDURES, Procedure, REPEATED_ROWS};
pub use health::MAX_RECORDS;
pub use wards::{OldWard, Ward, old_wards, wards};

use crate::Error;

/// Marks files of this module in SQLite's header ("LTSY").
const APPLICATION_ID: i32 = 0x4c54_5359;
/// Most people of one database.
pub const MAX_CITIZENS: u32 = 500_000;

/// What a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// People.
    pub citizens: u32,
    /// Birth registrations.
    pub births: u32,
    /// Parcels of land.
    pub parcels: u32,
    /// Dossiers.
    pub cases: u32,
    /// Rows of the dossiers' outbox table `case_outbox`, bad and repeated ones included.
    pub events: u32,
    /// Rows of `report_outbox`.
    pub reports: u32,
    /// Rows of `civil_status_outbox`.
    pub registrations: u32,
    /// Rows of `land_outbox`.
    pub changes: u32,
}

/// How much to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// People, at least 100.
    pub citizens: u32,
    /// Dossiers.
    pub cases: u32,
}

/// A person of the database, to ask about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Personal identification number.
    pub number: String,
    /// Full name, NFC.
    pub name: String,
    /// Birth date, `yyyyMMdd`.
    pub born: String,
    /// Ethnic group, as a code.
    pub ethnicity: String,
    /// Number of the birth registration.
    pub registration: String,
}

/// Makes a database of `citizens` people and 24 dossiers at `path`.
///
/// # Errors
/// When the file cannot be written, or another program made it.
pub async fn generate(path: &Path, seed: u64, citizens: u32) -> Result<Summary, Error> {
    generate_size(path, seed, Size { citizens, cases: 24 }).await
}

/// Makes a database of a given size at `path`.
///
/// # Errors
/// When the file cannot be written, or another program made it.
pub async fn generate_size(path: &Path, seed: u64, size: Size) -> Result<Summary, Error> {
    let size = Size { citizens: size.citizens.clamp(100, MAX_CITIZENS), ..size };
    clear(path).await?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    connection.execute(include_str!("synthetic/schema.sql")).await?;
    let mut rng = StdRng::seed_from_u64(seed);
    let mut transaction = connection.begin().await?;
    let people = person::make(&mut rng, size.citizens);
    person::write(&mut transaction, &people).await?;
    let parcels = land::make(&mut rng, &people);
    land::write(&mut transaction, &parcels, &people).await?;
    let events = case::make(&mut rng, &people, size.cases);
    case::write(&mut transaction, &events).await?;
    let rows = outbox::make(&mut rng, &people, &parcels, size.cases / 2);
    outbox::write(&mut transaction, &rows).await?;
    transaction.commit().await?;
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA optimize").await?;
    connection.close().await?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let [reports, registrations, changes] = rows.counts().map(count);
    Ok(Summary {
        citizens: count(people.len()),
        births: count(people.iter().filter(|p| p.registration.is_some()).count()),
        parcels: count(parcels.len()),
        cases: size.cases,
        events: count(events.len()),
        reports,
        registrations,
        changes,
    })
}

/// The first `limit` people with a full birth date and a birth registration, by number.
///
/// # Errors
/// When the database cannot be read.
pub async fn people(path: &Path, limit: u32) -> Result<Vec<Person>, Error> {
    let mut connection = open(path).await?;
    let rows: Vec<(String, String, String, String, String)> = sqlx::query_as(
        "SELECT c.number, c.full_name, c.birth_date, c.ethnicity, b.registration
         FROM citizens c JOIN births b ON b.number = c.number
         WHERE c.birth_date IS NOT NULL AND c.ethnicity IS NOT NULL AND b.status = 'HIEU_LUC'
         ORDER BY c.number LIMIT ?",
    )
    .bind(limit)
    .fetch_all(&mut connection)
    .await?;
    connection.close().await?;
    let person = |(number, name, born, ethnicity, registration)| Person {
        number,
        name,
        born,
        ethnicity,
        registration,
    };
    Ok(rows.into_iter().map(person).collect())
}

async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false);
    SqliteConnection::connect_with(&options).await
}

/// Removes a file of an earlier run. Anything else stays, and is an error.
async fn clear(path: &Path) -> Result<(), Error> {
    let fail = |source| Error::File { file: path.to_owned(), source };
    if !path.exists() {
        return Ok(());
    }
    let mut connection = open(path).await?;
    let id: i32 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut connection).await?;
    connection.close().await?;
    if id != APPLICATION_ID {
        let kind = std::io::ErrorKind::AlreadyExists;
        return Err(fail(std::io::Error::new(kind, "the file was made by another program")));
    }
    for ending in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
