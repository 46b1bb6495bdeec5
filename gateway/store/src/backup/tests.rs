use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, civil::date};
use lienthong_model::sensitive::Sensitive;
use tempfile::TempDir;

use super::{tables::TABLES, *};
use crate::{
    Store,
    check::check,
    engine::{ask, tell},
    ledger::tests::new,
    outbox::{Batch, Effect, Ending, Lease, NewMessage, QuarantinedRow, Standing},
    testing::{Home, on_both},
};

fn at() -> Timestamp {
    "2026-11-29T06:00:00Z".parse().unwrap()
}

fn message(position: i64) -> NewMessage {
    NewMessage {
        kind: "sync".to_owned(),
        idempotency_key: format!("a/{position}"),
        ordering_key: "a".to_owned(),
        position,
        payload: Sensitive::new(vec![0, 255, 7]),
        replaces: Some(format!("{position}")),
    }
}

/// A store with something in every table.
async fn filled(home: &Home) -> Store {
    let store = home.open().await;
    let flow = "cases".parse().unwrap();
    let row = QuarantinedRow {
        source_key: "row".to_owned(),
        ordering_key: None,
        position: 9,
        reason: "`x`".to_owned(),
    };
    let batch = Batch {
        rows: 3,
        messages: vec![message(1), message(2)],
        quarantined: vec![row],
        mark: Some("9".to_owned()),
        standings: vec![Standing { ordering_key: "a".to_owned(), history: "1".to_owned() }],
        ..Batch::default()
    };
    let outbox = store.outbox();
    outbox.enqueue(&flow, &batch, at()).await.unwrap();
    outbox.pause(&flow, "moving", at()).await.unwrap();
    let lease = Lease::of(SignedDuration::from_secs(9));
    let claimed = outbox.claim(&flow, at(), &lease, 1).await.unwrap();
    outbox.end(&flow, claimed[0].ticket, Ending::Delivered, at()).await.unwrap();
    let claimed = outbox.claim(&flow, at(), &lease, 1).await.unwrap();
    outbox
        .end(&flow, claimed[0].ticket, Ending::Bury(Effect::Unknown, "dead".to_owned()), at())
        .await
        .unwrap();
    let agreement = "a".parse().unwrap();
    store.quota().lease(&agreement, date(2026, 11, 29), 5, 10).await.unwrap();
    let mut first = new(1);
    first.once = Some([3; 32]);
    first.due = Some(at());
    store.ledger().append(&[first, new(2), new(3)]).await.unwrap();
    store.ledger().mark("lineage", b"one").await.unwrap();
    store
}

async fn copy(store: &Store, folder: &TempDir) -> (PathBuf, Manifest) {
    let file = folder.path().join("copy.db");
    let manifest = backup(store, &file, at(), &mut |_, _| ()).await.unwrap();
    (file, manifest)
}

async fn put(file: &Path, home: &Home) -> Result<Manifest, BackupError> {
    restore(file, &home.place(), &mut |_, _| ()).await
}

/// A copy of one home goes into an empty one, of either engine, and a copy of that is the same.
async fn comes_back_whole(home: Home, other: Home) {
    let folder = TempDir::new().unwrap();
    let store = filled(&home).await;
    let (file, made) = copy(&store, &folder).await;
    assert_eq!((made.head, made.rows, made.version), (3, 19, 8));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert_eq!(put(&file, &other).await.unwrap(), made);
    let again = other.open().await;
    assert_eq!(check(&again, &mut |_, _| ()).await.unwrap(), (3, Vec::new()));
    fs::remove_file(&file).unwrap();
    assert_eq!(copy(&again, &folder).await.1, made);
    // It goes on from there: revisions, numbers of messages, what may stand there once only.
    let mut used = new(4);
    used.once = Some([3; 32]);
    assert!(again.ledger().append(&[used]).await.is_err());
    assert_eq!(again.ledger().append(&[new(4)]).await.unwrap().last, 4);
    let batch = Batch { messages: vec![message(3)], ..Batch::default() };
    again.outbox().enqueue(&"cases".parse().unwrap(), &batch, at()).await.unwrap();
}

async fn a_copy_comes_back_whole_in_a_directory(home: Home) {
    comes_back_whole(home, Home::sqlite()).await;
}

async fn a_copy_comes_back_whole_on_a_server(home: Home) {
    comes_back_whole(home, Home::postgres()).await;
}

async fn a_store_that_is_not_empty_is_left_as_it_is(home: Home) {
    let folder = TempDir::new().unwrap();
    let (file, _) = copy(&filled(&Home::sqlite()).await, &folder).await;
    let store = home.open().await;
    store.ledger().mark("lineage", b"another").await.unwrap();
    let error = put(&file, &home).await.unwrap_err();
    assert!(matches!(error, BackupError::Store(StoreError::InUse(_))), "{error:?}");
    store.close().await;
    assert!(matches!(put(&file, &home).await.unwrap_err(), BackupError::NotEmpty));
    let store = home.open().await;
    assert_eq!(store.ledger().head().await.unwrap(), 0);
    assert_eq!(store.ledger().mark("lineage", b"one").await.unwrap(), b"another");
}

async fn a_copy_is_of_one_moment(home: Home) {
    let folder = TempDir::new().unwrap();
    let store = filled(&home).await;
    let mut snapshot = store.read().await.unwrap();
    assert_eq!(crate::Ledger::head_in(&mut snapshot).await.unwrap(), 3);
    store.ledger().append(&[new(4)]).await.unwrap();
    assert_eq!(crate::Ledger::head_in(&mut snapshot).await.unwrap(), 3);
    drop(snapshot);
    assert_eq!(copy(&store, &folder).await.1.head, 4);
}

/// A table or a column that is forgotten would be lost.
async fn every_column_of_every_table_is_copied(home: Home) {
    let store = home.open().await;
    let mut snapshot = store.read().await.unwrap();
    let all = match snapshot {
        crate::engine::Either::Sqlite(_) => {
            "SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c
             WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        crate::engine::Either::Postgres(_) => {
            "SELECT table_name::text, column_name::text FROM information_schema.columns
             WHERE table_schema = 'public'"
        }
    };
    let there: Vec<(String, String)> =
        ask!(&mut snapshot, |c| sqlx::query_as(all).fetch_all(c)).unwrap();
    let left_out = ["_sqlx_migrations", "owner", "process"];
    let there = there.into_iter().filter(|(table, _)| !left_out.contains(&&**table));
    let copied = TABLES.iter().flat_map(|table| {
        table.columns.iter().map(|(column, _)| (table.name.to_owned(), (*column).to_owned()))
    });
    assert_eq!(there.collect::<BTreeSet<_>>(), copied.collect());
}

on_both! {
    a_copy_comes_back_whole_in_a_directory,
    a_copy_comes_back_whole_on_a_server,
    a_store_that_is_not_empty_is_left_as_it_is,
    a_copy_is_of_one_moment,
    every_column_of_every_table_is_copied,
}

async fn tampered(file: &Path, statement: &'static str) {
    let pool = crate::engine::file(crate::engine::plain(file), 1).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn what_is_not_the_copy_that_was_made_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = filled(&Home::sqlite()).await;
    let (whole, _) = copy(&store, &folder).await;
    let empty = Home::sqlite();
    let file = folder.path().join("other.db");
    for (statement, name) in [
        ("UPDATE ledger_record SET party = 'x' WHERE revision = 1", "Damaged"),
        ("DELETE FROM quarantine", "Damaged"),
        ("UPDATE outbox SET leased_until = 0 WHERE id = 2", "Damaged"),
        ("UPDATE backup SET sha256 = upper(sha256)", "Damaged"),
        ("UPDATE backup SET rows = rows + 1", "Damaged"),
        ("DELETE FROM backup", "NoBackup"),
        ("DROP TABLE backup", "NoBackup"),
        ("UPDATE backup SET format = 2", "Format(2)"),
        ("UPDATE backup SET version = 99", "Version { found: 99, known: 8 }"),
    ] {
        fs::copy(&whole, &file).unwrap();
        tampered(&file, statement).await;
        let error = put(&file, &empty).await.unwrap_err();
        assert_eq!(format!("{error:?}"), name, "{statement}");
    }
    // Cut short, and no database at all.
    let bytes = fs::read(&whole).unwrap();
    for length in (0..bytes.len()).step_by(bytes.len() / 40) {
        fs::write(&file, &bytes[..length]).unwrap();
        let error = put(&file, &empty).await.unwrap_err();
        assert!(
            matches!(error, BackupError::NoBackup | BackupError::Damaged),
            "{length} {error:?}"
        );
    }
    let error = put(&folder.path().join("nowhere"), &empty).await.unwrap_err();
    assert!(matches!(error, BackupError::File { .. }), "{error:?}");
    // Nothing was put there meanwhile.
    put(&whole, &empty).await.unwrap();
}

#[tokio::test]
async fn a_file_is_never_overwritten_and_a_failed_copy_leaves_none() {
    let folder = TempDir::new().unwrap();
    let home = Home::sqlite();
    let store = filled(&home).await;
    let (file, _) = copy(&store, &folder).await;
    let error = backup(&store, &file, at(), &mut |_, _| ()).await.unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error:?}");
    let mut transaction = store.write().await.unwrap();
    tell!(&mut transaction, sqlx::query("DROP TABLE quarantine")).unwrap();
    transaction.commit().await.unwrap();
    let other = folder.path().join("other.db");
    assert!(backup(&store, &other, at(), &mut |_, _| ()).await.is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
