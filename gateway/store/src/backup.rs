//! A copy of everything in one file, and back.
//!
//! The file is an SQLite database with the tables of `migrations/sqlite`, made in one read
//! transaction, and a table `backup` of one row, which is written last: what the copy is of, and a
//! SHA-256 over every value of every row, in order of tables and keys. The digest is the same on
//! either engine, so a copy of one can be put into the other. A copy goes into an empty store only,
//! whole or not at all.

mod restore;
mod rows;
mod tables;
mod write;

use std::path::PathBuf;

use jiff::Timestamp;

pub use self::{restore::restore, write::backup};
use crate::StoreError;

/// The format of the file.
const FORMAT: i64 = 1;

/// What a copy is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The version of the tables.
    pub version: i64,
    /// The newest revision of the ledger.
    pub head: u64,
    /// How many rows it has.
    pub rows: u64,
    /// Digest of all rows, in hexadecimal.
    pub sha256: String,
    /// When it was made.
    pub at: Timestamp,
}

/// Why there is no copy, or it was not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file is never overwritten.
    #[error("`{0}` is there already")]
    Exists(PathBuf),
    /// A file cannot be read or written.
    #[error("`{path}` cannot be used")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is none that was made by a backup which came to its end.
    #[error("no backup, or one that was cut short")]
    NoBackup,
    /// The file is of another format.
    #[error("backup is of format {0}; this program reads format {FORMAT}")]
    Format(i64),
    /// The file, or the database to copy, is of another version of the program.
    #[error("version {found} of the tables; this program has version {known}")]
    Version {
        /// What it is of.
        found: i64,
        /// What this program has.
        known: i64,
    },
    /// What is in the file is not what was put there.
    #[error("backup is damaged, or was changed after it was made")]
    Damaged,
    /// Something stands where the copy is to be put.
    #[error("durable state is not empty")]
    NotEmpty,
    /// The durable state cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

#[cfg(test)]
mod tests;
