//! Making a copy.

use std::{
    fs::{self, File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sqlx::{SqlitePool, sqlite::SqliteJournalMode};

use super::{
    BackupError, FORMAT, Manifest,
    rows::{Copying, count},
};
use crate::{
    Ledger, Store,
    engine::{self, Either, Transaction, tell},
    schema,
};

const MANIFEST: &str = "CREATE TABLE backup (
    format INTEGER NOT NULL,
    version INTEGER NOT NULL,
    head INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT";

/// Copies the whole store, as it is at one moment, to a new file that its owner alone may read.
/// `progress` hears how many rows are done, of how many.
///
/// # Errors
/// When the file is there already, or either cannot be used. No file is left then.
pub async fn backup(
    store: &Store,
    out: &Path,
    at: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    if out.try_exists().map_err(file_error(out))? {
        return Err(BackupError::Exists(out.to_owned()));
    }
    let mut name = out.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let new = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&part);
    new.map_err(file_error(&part))?;
    let done = match fill(store, &part, at, progress).await {
        Ok(manifest) => publish(&part, out).map(|()| manifest),
        Err(error) => Err(error),
    };
    // What did not become the copy is of no use, and whoever removes nothing leaves personal data.
    let removed = fs::remove_file(&part).map_err(file_error(&part));
    let manifest = done?;
    removed?;
    Ok(manifest)
}

async fn fill(
    store: &Store,
    part: &Path,
    at: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    let versions = store.versions().await?;
    if !versions.alike {
        let (found, known) = (versions.found, versions.known);
        return Err(BackupError::Version { found, known });
    }
    // A copy that is cut short has no manifest, so it needs no journal.
    let options = engine::plain(part).journal_mode(SqliteJournalMode::Off);
    let pool = engine::file(options, 1).await?;
    schema::SQLITE.run(&pool).await.map_err(|error| BackupError::Store(error.into()))?;
    let manifest = write(store, &pool, versions.found, at, progress).await;
    pool.close().await;
    manifest
}

async fn write(
    store: &Store,
    copy: &SqlitePool,
    version: i64,
    at: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    let mut target: Transaction = Either::Sqlite(copy.begin_with("BEGIN IMMEDIATE").await?);
    tell!(&mut target, sqlx::query("DELETE FROM ledger_head"))?;
    let mut source = store.read().await?;
    let head = Ledger::head_in(&mut source).await?;
    let all = count(&mut source).await?;
    let mut heard = |done| progress(done, all);
    let (rows, sha256) = Copying::new(Some(&mut target), &mut heard).run(&mut source).await?;
    tell!(&mut target, sqlx::query(MANIFEST))?;
    let line = "INSERT INTO backup (format, version, head, rows, sha256, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    tell!(
        &mut target,
        sqlx::query(line)
            .bind(FORMAT)
            .bind(version)
            .bind(i64::try_from(head).unwrap_or(i64::MAX))
            .bind(i64::try_from(rows).unwrap_or(i64::MAX))
            .bind(sha256.as_str())
            .bind(at.to_string())
    )?;
    target.commit().await?;
    Ok(Manifest { version, head, rows, sha256, at })
}

/// Gives the file its name, which nothing else may have, once it is on disk.
fn publish(part: &Path, out: &Path) -> Result<(), BackupError> {
    File::open(part).and_then(|file| file.sync_all()).map_err(file_error(part))?;
    fs::hard_link(part, out).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => BackupError::Exists(out.to_owned()),
        _ => file_error(out)(error),
    })?;
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_error(folder))
}

pub(super) fn file_error(path: &Path) -> impl Fn(std::io::Error) -> BackupError {
    move |source| BackupError::File { path: path.to_owned(), source }
}
