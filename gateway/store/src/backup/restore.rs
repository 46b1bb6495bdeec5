//! Putting a copy back.

use std::{fs::File, path::Path};

use super::{
    BackupError, FORMAT, Manifest,
    rows::{Copying, count},
    write::file_error,
};
use crate::{
    Ledger, Place, Store,
    engine::{self, Either, Transaction, ask, tell},
    schema,
};

/// Puts a copy into an empty store, whole or not at all, after every value of it was compared with
/// its digest. `progress` hears how many rows are done, of how many; each is read twice.
///
/// # Errors
/// When the copy is not sound, the store is not empty, or either cannot be used. Nothing is put there
/// then.
pub async fn restore(
    file: &Path,
    place: &Place,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Manifest, BackupError> {
    File::open(file).map_err(file_error(file))?;
    let mut copy = open(file).await.map_err(|_| BackupError::NoBackup)?;
    let told: Result<Vec<String>, _> =
        ask!(&mut copy, |c| sqlx::query_scalar("PRAGMA integrity_check").fetch_all(c));
    // A file that was cut short may still answer, with nothing where its end was.
    if told.map_err(|_| BackupError::NoBackup)? != ["ok"] {
        return Err(BackupError::Damaged);
    }
    let manifest = manifest(&mut copy).await?;
    let all = manifest.rows.saturating_mul(2);
    let agrees = |copied: (u64, String)| copied == (manifest.rows, manifest.sha256.clone());
    let read = Copying::new(None, &mut |done| progress(done, all)).run(&mut copy).await;
    // What cannot be read at all is damaged too.
    if !read.is_ok_and(agrees) {
        return Err(BackupError::Damaged);
    }
    let store = Store::open(place.clone()).await?;
    let mut target = store.write().await?;
    if Ledger::head_in(&mut target).await? != 0 || count(&mut target).await? != 1 {
        return Err(BackupError::NotEmpty);
    }
    tell!(&mut target, sqlx::query("DELETE FROM ledger_head"))?;
    let mut heard = |done: u64| progress(manifest.rows.saturating_add(done), all);
    // Once more, because the file may be another by now.
    if !agrees(Copying::new(Some(&mut target), &mut heard).run(&mut copy).await?) {
        return Err(BackupError::Damaged);
    }
    number_on(&mut target).await?;
    target.commit().await?;
    store.close().await;
    Ok(manifest)
}

async fn open(file: &Path) -> Result<Transaction, sqlx::Error> {
    let pool = engine::file(engine::plain(file).read_only(true), 1).await?;
    Ok(Either::Sqlite(pool.begin().await?))
}

async fn manifest(copy: &mut Transaction) -> Result<Manifest, BackupError> {
    let line = "SELECT format, version, head, rows, sha256, at FROM backup";
    let found: Result<(i64, i64, i64, i64, String, String), _> =
        ask!(copy, |c| sqlx::query_as(line).fetch_one(c));
    let (format, version, head, rows, sha256, at) = found.map_err(|_| BackupError::NoBackup)?;
    if format != FORMAT {
        return Err(BackupError::Format(format));
    }
    let known = schema::newest();
    if version != known {
        return Err(BackupError::Version { found: version, known });
    }
    let at = at.parse().map_err(|_| BackupError::NoBackup)?;
    let (head, rows) = (head.unsigned_abs(), rows.unsigned_abs());
    Ok(Manifest { version, head, rows, sha256, at })
}

/// New messages get numbers after those that were put back. SQLite sees to that itself.
async fn number_on(target: &mut Transaction) -> Result<(), BackupError> {
    if let Either::Postgres(_) = target {
        let next = "SELECT setval(pg_get_serial_sequence('outbox', 'id'),
            (SELECT COALESCE(max(id), 0) + 1 FROM outbox), false)";
        let _next: i64 = ask!(target, |c| sqlx::query_scalar(next).fetch_one(c))?;
    }
    Ok(())
}
