//! Opening the durable state.
//!
//! One connection writes and a few read: SQLite has one writer anyway, and waiting for it in a queue
//! is fairer than polling for its lock.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use sqlx::{
    PgPool,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use crate::{
    Place, ServerAddress,
    directory::{Directory, DirectoryError, private_file},
    engine::{self, Either, Mode, Pool, Transaction, bounded},
    indicator::Indicators,
    ledger::Ledger,
    outbox::Outbox,
    owner,
    package::Packages,
    quality::Quality,
    quota::DailyQuota,
    schema::{self, Versions},
};

/// Name of the database in the data directory.
const DATABASE: &str = "lienthong.db";
/// Readers at once.
const READERS: u32 = 4;
/// Writers at once, where a database is shared.
const WRITERS: u32 = 4;

/// Codes of SQLite and PostgreSQL for data that is damaged, or no data of theirs.
const DAMAGE: [&str; 5] = ["11", "26", "267", "XX001", "XX002"];

/// Codes of SQLite (full, a write that failed) and PostgreSQL for a disk that takes no more.
const FULL: [&str; 3] = ["13", "778", "53100"];

/// Why the durable state cannot be used. Says nothing about what is in it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process owns the data directory or the database.
    #[error("durable state `{0}` is in use by another process")]
    InUse(String),
    /// Another process works on the database under the name of this data directory.
    #[error(
        "another process works on `{0}` under the name of this data directory: give each process a \
         `data_dir` of its own, and where this one is a copy delete its file `name`"
    )]
    NameInUse(String),
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
    Missing(String),
    /// The database is of a newer program, or damaged.
    #[error("database cannot be brought up to date")]
    Migrate(#[from] MigrateError),
    /// A statement failed. What it was to change is as before, or changed: nobody knows.
    #[error("database failed")]
    Database(#[source] sqlx::Error),
    /// Its disk takes no more. What was acknowledged is kept, and nothing else was.
    #[error("its disk is full or failing: free space, then start again")]
    Full(#[source] sqlx::Error),
    /// The server did not answer. What was to be changed is as before, or changed: nobody knows.
    #[error("database did not answer in time")]
    Late,
    /// Another process has taken the database over; this one changes nothing any more.
    #[error("another process has taken over the database")]
    TakenOver,
    /// The database holds a value that this program never wrote there.
    #[error("database holds an unusable `{0}`")]
    Damaged(&'static str),
    /// Its tables are not yet those of this program: an older program made them, or they are being made.
    #[error(
        "durable state is of version {0}, this program of {1}: what works on it brings it up to date \
         when it starts; ask again then"
    )]
    Behind(i64, i64),
    /// Others use a database whose tables are of another version.
    #[error(
        "database is of version {0}, this program of {1}: end the other processes and start again"
    )]
    Version(i64, i64),
    /// A lease ended before the outcome was written; someone else has the message.
    #[error("lease of the message has ended")]
    LeaseLost,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if has_code(&error, &FULL) { Self::Full(error) } else { Self::Database(error) }
    }
}

fn has_code(error: &sqlx::Error, codes: &[&str]) -> bool {
    let error = error.as_database_error();
    error.and_then(|error| error.code()).is_some_and(|code| codes.contains(&&*code))
}

impl StoreError {
    /// Whether the database's own data is damaged, and not only out of reach.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Database(error) => has_code(error, &DAMAGE),
            _ => false,
        }
    }

    /// What to tell a person: this and what it rests on.
    #[must_use]
    pub fn told(&self) -> String {
        let source = std::error::Error::source(self);
        source.map_or_else(|| self.to_string(), |source| format!("{self}: {source}"))
    }
}

/// The durable state of one process.
#[derive(Debug)]
pub struct Store {
    writer: Pool,
    readers: Pool,
    /// Where a server has it: what says whether it is still ours.
    generation: Option<i64>,
    /// Whether other processes write beside this one.
    is_shared: bool,
    /// In whose name messages are leased: that of the data directory.
    name: Option<String>,
    directory: Mutex<Option<Directory>>,
}

impl Store {
    /// Opens the durable state for this process alone and brings the database up to date.
    ///
    /// # Errors
    /// When another process owns the data directory or the database, or they cannot be used.
    pub async fn open(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        let directory = place.directory().map(own).transpose()?;
        let (writer, readers, generation) = match &place {
            Place::Directory(path) => {
                let file = database(path)?;
                let writer = engine::file(writing(&file), 1).await?;
                schema::migrator(&place).run(&writer).await?;
                let readers = engine::file(looking(&file), READERS).await?;
                (Either::Sqlite(writer), Either::Sqlite(readers), None)
            }
            Place::Server { address, .. } => {
                let (writer, generation) = owner::take(address, schema::migrator(&place)).await?;
                let readers = engine::server(address, Mode::Look, READERS).await?;
                (Either::Postgres(writer), Either::Postgres(readers), Some(generation))
            }
        };
        let directory = Mutex::new(directory);
        Ok(Self { writer, readers, generation, is_shared: false, name: None, directory })
    }

    /// Opens the durable state for the outbox alone, beside other processes that do the same, where it
    /// is on a server; in a directory it is this process's alone. Gives whether no other process was
    /// there.
    ///
    /// # Errors
    /// When a process owns it, or one of the same data directory, or of a copy of that, works on it; or
    /// when it cannot be used.
    pub async fn share(place: impl Into<Place>) -> Result<(Self, bool), StoreError> {
        let place = place.into();
        let Place::Server { address, .. } = &place else {
            let mut store = Self::open(place).await?;
            store.name = store.name_of_directory()?;
            return Ok((store, true));
        };
        let directory = place.directory().map(own).transpose()?;
        let shared = owner::share(address, schema::migrator(&place), WRITERS).await?;
        let readers = engine::server(address, Mode::Look, READERS).await?;
        let mut store = Self {
            writer: Either::Postgres(shared.pool.clone()),
            readers: Either::Postgres(readers),
            generation: Some(shared.generation),
            is_shared: true,
            name: None,
            directory: Mutex::new(directory),
        };
        if let Err(error) = store.join(&shared, address).await {
            store.close().await;
            return Err(error);
        }
        Ok((store, shared.is_alone))
    }

    /// Makes sure that the tables are ours, and takes the name of the data directory.
    async fn join(
        &mut self,
        shared: &owner::Shared,
        address: &ServerAddress,
    ) -> Result<(), StoreError> {
        let versions = self.versions().await?;
        if !versions.alike {
            return Err(StoreError::Version(versions.found, versions.known));
        }
        self.name = self.name_of_directory()?;
        match &self.name {
            Some(name) => shared.take_name(address, name).await,
            None => Ok(()),
        }
    }

    /// Opens the database beside the process that owns it, to look only: writing fails.
    ///
    /// # Errors
    /// When there is no database or it cannot be read.
    pub async fn look(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        let readers = match &place {
            Place::Directory(path) => {
                let file = path.join(DATABASE);
                if !file.exists() {
                    return Err(StoreError::Missing(place.to_string()));
                }
                Either::Sqlite(engine::file(looking(&file), READERS).await?)
            }
            Place::Server { address, .. } => Either::Postgres(look_at(address).await?),
        };
        let writer = match &readers {
            Either::Sqlite(pool) => Either::Sqlite(pool.clone()),
            Either::Postgres(pool) => Either::Postgres(pool.clone()),
        };
        let directory = Mutex::new(None);
        Ok(Self { writer, readers, generation: None, is_shared: false, name: None, directory })
    }

    /// Opens the database to look only, where it has the tables that this program knows.
    ///
    /// # Errors
    /// When there is no database, it is older, or it cannot be read.
    pub async fn look_up_to_date(place: impl Into<Place>) -> Result<Self, StoreError> {
        let place = place.into();
        let store = Self::look(place.clone()).await?;
        let Versions { found, known, .. } = store.versions().await?;
        match found {
            0 => Err(StoreError::Missing(place.to_string())),
            _ if found < known => Err(StoreError::Behind(found, known)),
            _ => Ok(store),
        }
    }

    /// The outbox.
    #[must_use]
    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::new(self)
    }

    /// The data quality of flows.
    #[must_use]
    pub fn quality(&self) -> Quality<'_> {
        Quality::new(self)
    }

    /// The daily counters.
    #[must_use]
    pub fn quota(&self) -> DailyQuota<'_> {
        DailyQuota::new(self)
    }

    /// The data packages.
    #[must_use]
    pub fn packages(&self) -> Packages<'_> {
        Packages::new(self)
    }

    /// The releases of indicators.
    #[must_use]
    pub fn indicators(&self) -> Indicators<'_> {
        Indicators::new(self)
    }

    /// The ledger of consents, rights and notices.
    #[must_use]
    pub fn ledger(&self) -> Ledger<'_> {
        Ledger::new(self)
    }

    /// Makes sure that this process still owns the durable state: whoever answers from memory must stop
    /// when another process may have changed what is kept. Nobody takes a directory over.
    ///
    /// # Errors
    /// When another process has taken it over, or the server cannot be reached.
    pub async fn confirm(&self) -> Result<(), StoreError> {
        match &self.readers {
            Either::Sqlite(_) => Ok(()),
            Either::Postgres(pool) => owner::confirm(pool, self.generation).await,
        }
    }

    /// Closes all connections and gives the directory back. Whoever still has the store gets errors.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
        self.directory.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// In whose name this process leases messages.
    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether no process works here in a name: one that is not shared has nobody beside us.
    pub(crate) async fn is_gone(&self, name: &str) -> Result<bool, StoreError> {
        match &self.writer {
            Either::Postgres(pool) if self.is_shared => owner::is_gone(pool, name).await,
            _ => Ok(true),
        }
    }

    fn name_of_directory(&self) -> Result<Option<String>, StoreError> {
        let directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        directory
            .as_ref()
            .map(|directory| directory.name().map_err(unusable(directory.path())))
            .transpose()
    }

    /// A transaction in which everything is seen as it was at one moment.
    pub(crate) async fn read(&self) -> Result<Transaction, StoreError> {
        Ok(match &self.readers {
            Either::Sqlite(pool) => Either::Sqlite(pool.begin().await?),
            Either::Postgres(pool) => {
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
                Either::Postgres(bounded(pool.begin_with(begin)).await?)
            }
        })
    }

    /// A transaction that alone writes from its beginning: one that read first and wrote later could
    /// fail, or lose what another wrote in between.
    pub(crate) async fn write(&self) -> Result<Transaction, StoreError> {
        Ok(match &self.writer {
            Either::Sqlite(pool) => Either::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Either::Postgres(pool) if self.is_shared => {
                Either::Postgres(bounded(pool.begin()).await?)
            }
            Either::Postgres(pool) => Either::Postgres(owner::begin(pool, self.generation).await?),
        })
    }

    /// A transaction that changes which messages of a flow there are: no other of the flow does so, nor
    /// settles any, until it ends.
    pub(crate) async fn write_flow(&self, flow: &str) -> Result<Transaction, StoreError> {
        let mut transaction = self.write().await?;
        if self.is_shared
            && let Either::Postgres(on) = &mut transaction
        {
            owner::alone_in(on, flow).await?;
        }
        Ok(transaction)
    }

    /// Within a transaction: others may settle messages of these flows too, and nobody adds any.
    pub(crate) async fn settling(
        &self,
        on: &mut Transaction,
        flow: &str,
    ) -> Result<(), StoreError> {
        match on {
            Either::Postgres(on) if self.is_shared => owner::beside_in(on, flow).await,
            _ => Ok(()),
        }
    }
}

fn own(path: &Path) -> Result<Directory, StoreError> {
    Directory::own(path).map_err(|error| match error {
        DirectoryError::InUse => StoreError::InUse(path.display().to_string()),
        DirectoryError::Io(source) => unusable(path)(source),
    })
}

fn unusable(path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Directory { path, source }
}

/// The database's file, made when it is missing.
fn database(directory: &Path) -> Result<PathBuf, StoreError> {
    let file = directory.join(DATABASE);
    private_file(&file).map_err(unusable(directory))?;
    Ok(file)
}

fn writing(file: &Path) -> SqliteConnectOptions {
    engine::plain(file)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .pragma("secure_delete", "ON")
}

fn looking(file: &Path) -> SqliteConnectOptions {
    engine::plain(file).read_only(true)
}

async fn look_at(address: &ServerAddress) -> Result<PgPool, StoreError> {
    let pool = engine::server(address, Mode::Look, READERS).await?;
    let known = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL");
    let is_there: bool = bounded(known.fetch_one(&pool)).await?;
    if is_there { Ok(pool) } else { Err(StoreError::Missing(address.to_string())) }
}

#[cfg(test)]
mod tests;
