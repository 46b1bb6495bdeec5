use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::{
    engine::{ask, tell},
    outbox::{Left, Rests},
    testing::{
        Home, change, on_both,
        postgres::{PASSWORD, Server},
    },
};

impl Store {
    /// The same owner's durable state through connections of their own.
    pub(crate) async fn beside(&self, place: &Place) -> Result<Self, StoreError> {
        let writer = match place {
            Place::Directory(path) => {
                Either::Sqlite(engine::file(writing(&path.join(DATABASE)), 1).await?)
            }
            Place::Server { address, .. } => {
                Either::Postgres(engine::server(address, Mode::Write, 1).await?)
            }
        };
        let readers = Self::look(place.clone()).await?.readers;
        let directory = Mutex::default();
        let (generation, is_shared, name) = (self.generation, self.is_shared, self.name.clone());
        Ok(Self { writer, readers, generation, is_shared, name, directory })
    }
}

async fn recover(store: &Store) -> Result<u64, StoreError> {
    let at = jiff::Timestamp::UNIX_EPOCH;
    store.outbox().recover(Left::ByAnyone, at, &Rests::default()).await
}

async fn refuses_a_second_process(home: Home) {
    let store = home.open().await;
    assert!(matches!(Store::open(home.place()).await, Err(StoreError::InUse(_))));
    store.close().await;
    home.open().await;
}

async fn looking_needs_a_database_and_cannot_write(home: Home) {
    assert!(matches!(Store::look(home.place()).await, Err(StoreError::Missing(_))));
    let store = home.open().await;
    let looker = Store::look(home.place()).await.unwrap();
    assert!(recover(&looker).await.is_err());
    assert!(looker.ledger().mark("a", b"b").await.is_err());
    recover(&store).await.unwrap();
}

async fn what_needs_todays_tables_waits_until_they_are_made(home: Home) {
    let looked = Store::look_up_to_date(home.place()).await;
    assert!(matches!(looked, Err(StoreError::Missing(_))));
    let store = home.open().await;
    assert!(Store::look_up_to_date(home.place()).await.is_ok());
    // As they stand while they are made, one version after the other.
    change(&store, "DELETE FROM _sqlx_migrations WHERE version > 2").await;
    let looked = Store::look_up_to_date(home.place()).await;
    assert!(matches!(looked, Err(StoreError::Behind(2, _))));
    change(&store, "DELETE FROM _sqlx_migrations").await;
    let looked = Store::look_up_to_date(home.place()).await;
    assert!(matches!(looked, Err(StoreError::Missing(_))));
}

on_both! {
    what_needs_todays_tables_waits_until_they_are_made,
    refuses_a_second_process,
    looking_needs_a_database_and_cannot_write,
}

#[tokio::test]
async fn keeps_what_it_accepted_on_disk() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(folder.path()).await.unwrap();
    let mut transaction = store.write().await.unwrap();
    let mut pragma = async |query: &'static str| -> i64 {
        ask!(&mut transaction, |c| sqlx::query_scalar(query).fetch_one(c)).unwrap()
    };
    assert_eq!(pragma("PRAGMA synchronous").await, 2);
    assert_eq!(pragma("PRAGMA foreign_keys").await, 1);
    let mut snapshot = store.read().await.unwrap();
    let query = "PRAGMA journal_mode";
    let mode: String = ask!(&mut snapshot, |c| sqlx::query_scalar(query).fetch_one(c)).unwrap();
    assert_eq!(mode, "wal");
}

/// A machine with another data directory and the same database.
#[tokio::test]
async fn refuses_a_second_process_of_another_directory() {
    let home = Home::postgres();
    let store = home.open().await;
    let folder = TempDir::new().unwrap();
    let elsewhere = Place::new(folder.path(), home.address());
    let error = Store::open(elsewhere.clone()).await.unwrap_err();
    let StoreError::InUse(place) = error else { panic!("{error:?}") };
    assert!(!place.contains(PASSWORD), "{place}");
    store.close().await;
    Store::open(elsewhere).await.unwrap();
}

#[tokio::test]
async fn a_process_that_was_taken_over_changes_nothing_any_more() {
    let home = Home::postgres();
    let store = home.open().await;
    let before = store.ledger().mark("a", b"first").await.unwrap();
    assert_eq!(before, b"first");
    store.confirm().await.unwrap();
    let mut transaction = store.write().await.unwrap();
    // The row as a successor leaves it that came while the server was out of reach.
    tell!(&mut transaction, sqlx::query("UPDATE owner SET generation = generation + 1")).unwrap();
    transaction.commit().await.unwrap();
    assert!(matches!(store.confirm().await, Err(StoreError::TakenOver)));
    let error = store.ledger().mark("b", b"second").await.unwrap_err();
    assert!(matches!(error, StoreError::TakenOver), "{error:?}");
    assert!(matches!(recover(&store).await, Err(StoreError::TakenOver)));
}

#[tokio::test]
async fn settings_of_the_role_do_not_make_an_acknowledgement_worth_less() {
    let home = Home::on(&Arc::new(Server::start()));
    let store = home.open().await;
    let mut transaction = store.write().await.unwrap();
    let weaken = "ALTER ROLE lienthong SET synchronous_commit = off";
    tell!(&mut transaction, sqlx::query(weaken)).unwrap();
    transaction.commit().await.unwrap();
    store.close().await;
    let store = home.open().await;
    let mut transaction = store.write().await.unwrap();
    let query = "SHOW synchronous_commit";
    let commit: String =
        ask!(&mut transaction, |c| sqlx::query_scalar(query).fetch_one(c)).unwrap();
    assert_eq!(commit, "on");
}

#[tokio::test]
async fn who_owns_a_database_shares_it_with_nobody() {
    let home = Home::postgres();
    let store = home.open().await;
    let folder = TempDir::new().unwrap();
    let elsewhere = Place::new(folder.path(), home.address());
    assert!(matches!(Store::share(elsewhere.clone()).await, Err(StoreError::InUse(_))));
    store.close().await;
    let (shared, alone) = Store::share(elsewhere).await.unwrap();
    assert!(alone);
    assert!(matches!(Store::open(home.place()).await, Err(StoreError::InUse(_))));
    shared.close().await;
    home.open().await;
}

#[tokio::test]
async fn those_who_share_a_database_work_beside_each_other() {
    let home = Home::postgres();
    let (first, alone) = Store::share(home.place()).await.unwrap();
    assert!(alone);
    assert!(matches!(Store::share(home.place()).await, Err(StoreError::InUse(_))), "one directory");
    let folder = TempDir::new().unwrap();
    let elsewhere = Place::new(folder.path(), home.address());
    let (second, alone) = Store::share(elsewhere).await.unwrap();
    assert!(!alone);
    // Neither holds the other up, even in the middle of a transaction.
    let mut transaction = first.write().await.unwrap();
    tell!(&mut transaction, sqlx::query("DELETE FROM pause")).unwrap();
    let flow = "cases".parse().unwrap();
    let at = jiff::Timestamp::UNIX_EPOCH;
    second.outbox().pause(&flow, "x", at).await.unwrap();
    drop(transaction);
    assert!(first.outbox().paused(&flow).await.unwrap().is_some());
}

#[tokio::test]
async fn a_directory_is_never_shared() {
    let folder = TempDir::new().unwrap();
    let (_store, alone) = Store::share(folder.path()).await.unwrap();
    assert!(alone);
    assert!(matches!(Store::share(folder.path()).await, Err(StoreError::InUse(_))));
    assert!(folder.path().join("name").exists(), "leases stand in its name there too");
}

#[tokio::test]
async fn a_directory_of_a_damaged_name_is_refused_on_either_engine() {
    for home in [Home::sqlite(), Home::postgres()] {
        let folder = home.place().directory().unwrap().to_owned();
        std::fs::write(folder.join("name"), "x").unwrap();
        let error = Store::share(home.place()).await.unwrap_err();
        assert!(error.told().contains("file `name` holds no name"), "{}", error.told());
        std::fs::remove_file(folder.join("name")).unwrap();
        Store::share(home.place()).await.unwrap();
    }
}

#[tokio::test]
async fn those_who_come_to_an_empty_database_at_once_find_its_tables() {
    let home = Home::postgres();
    let folders: Vec<_> = (0..4).map(|_| TempDir::new().unwrap()).collect();
    let share = |folder: &TempDir| Store::share(Place::new(folder.path(), home.address()));
    let [a, b, c, d] = [0, 1, 2, 3].map(|n| share(&folders[n]));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    let flow = "cases".parse().unwrap();
    for shared in [a, b, c, d] {
        assert_eq!(shared.unwrap().0.outbox().paused(&flow).await.unwrap(), None);
    }
}
