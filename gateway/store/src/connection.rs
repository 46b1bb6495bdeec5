//! Opening the database of a data directory.
//!
//! One connection writes and a few read: SQLite has one writer anyway, and waiting for it in a queue
//! is fairer than polling for its lock.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Sqlite, SqlitePool, Transaction,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    directory::{Directory, DirectoryError},
    outbox::Outbox,
    quota::DailyQuota,
};

/// Name of the database in the data directory.
const DATABASE: &str = "lienthong.db";
/// Readers at once.
const READERS: u32 = 4;
/// How long a statement waits for another process's lock, and a caller for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Why the durable state cannot be used. Says nothing about what is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the data directory.
    #[error("data directory `{0}` is in use by another process")]
    InUse(PathBuf),
    /// The data directory cannot be made or opened.
    #[error("data directory `{path}` cannot be used")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is no database yet.
    #[error("no durable state in `{0}` yet")]
    Missing(PathBuf),
    /// The database is of a newer program, or damaged.
    #[error("database cannot be brought up to date")]
    Migrate(#[from] MigrateError),
    /// A statement failed.
    #[error("database failed")]
    Database(#[from] sqlx::Error),
    /// The database holds a value that this program never wrote there.
    #[error("database holds an unusable `{0}`")]
    Damaged(&'static str),
    /// A lease ended before the outcome was written; someone else has the message.
    #[error("lease of the message has ended")]
    LeaseLost,
}

/// The durable state of one data directory.
#[derive(Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    _directory: Option<Directory>,
}

impl Store {
    /// Opens the data directory for this process alone and brings the database up to date.
    ///
    /// # Errors
    /// When another process owns the directory, or the database cannot be used.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let io = |source| StoreError::Directory { path: path.to_owned(), source };
        let directory = Directory::own(path).map_err(|error| match error {
            DirectoryError::InUse => StoreError::InUse(path.to_owned()),
            DirectoryError::Io(source) => io(source),
        })?;
        let file = directory.private_file(DATABASE).map_err(io)?;
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .connect_with(options(&file))
            .await?;
        MIGRATOR.run(&writer).await?;
        let readers = readers(&file).await?;
        Ok(Self { writer, readers, _directory: Some(directory) })
    }

    /// Opens the database beside the process that owns it, to look only: writing fails.
    ///
    /// # Errors
    /// When there is no database or it cannot be read.
    pub async fn look(path: &Path) -> Result<Self, StoreError> {
        let file = path.join(DATABASE);
        if !file.exists() {
            return Err(StoreError::Missing(path.to_owned()));
        }
        let readers = readers(&file).await?;
        Ok(Self { writer: readers.clone(), readers, _directory: None })
    }

    /// The outbox.
    #[must_use]
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::new(self)
    }

    /// The daily counters.
    #[must_use]
    pub fn quota(&self) -> DailyQuota<'_> {
        DailyQuota::new(self)
    }

    /// Closes all connections and gives the directory back.
    pub async fn close(self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// A transaction that holds the write lock from its beginning: one that read first and wrote
    /// later could fail when another wrote in between.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .journal_mode(SqliteJournalMode::Wal)
        // A message counts as accepted only when it survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON")
}

async fn readers(file: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(PATIENCE);
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await
}

#[cfg(test)]
mod tests;
