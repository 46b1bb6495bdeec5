//! Which version of the tables a database has.

use sqlx::migrate::Migrator;

use crate::{
    Place, Store, StoreError,
    engine::{Either, Transaction, ask},
};

pub(crate) static SQLITE: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES: Migrator = sqlx::migrate!("./migrations/postgres");

/// The version of a database and that of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// Of the database; 0 when there is none yet.
    pub found: i64,
    /// Of this program.
    pub known: i64,
    /// Whether the database was made by exactly the statements that this program has.
    pub alike: bool,
}

/// The tables of the engine of a place.
pub(crate) fn migrator(place: &Place) -> &'static Migrator {
    match place {
        Place::Directory(_) => &SQLITE,
        Place::Server { .. } => &POSTGRES,
    }
}

/// The version of this program.
pub(crate) fn newest() -> i64 {
    SQLITE.iter().map(|one| one.version).max().unwrap_or_default()
}

/// Brings a database up to date; gives the versions before and after.
///
/// # Errors
/// When another process owns it, or it cannot be brought up to date.
pub async fn migrate(place: &Place) -> Result<(i64, i64), StoreError> {
    let before = match Store::look(place.clone()).await {
        Ok(store) => store.versions().await?.found,
        Err(StoreError::Missing(_)) => 0,
        Err(error) => return Err(error),
    };
    let store = Store::open(place.clone()).await?;
    let after = store.versions().await?.found;
    store.close().await;
    Ok((before, after))
}

impl Store {
    /// Which version the database has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn versions(&self) -> Result<Versions, StoreError> {
        let mut snapshot = self.read().await?;
        let migrator = match &snapshot {
            Either::Sqlite(_) => &SQLITE,
            Either::Postgres(_) => &POSTGRES,
        };
        let applied = applied(&mut snapshot).await?;
        let known: Vec<_> = migrator.iter().map(|one| (one.version, &*one.checksum)).collect();
        let agrees =
            |(version, checksum): &(i64, Vec<u8>)| known.contains(&(*version, checksum.as_slice()));
        let newest = |versions: &mut dyn Iterator<Item = i64>| versions.max().unwrap_or_default();
        Ok(Versions {
            found: newest(&mut applied.iter().map(|(version, _)| *version)),
            known: newest(&mut known.iter().map(|(version, _)| *version)),
            alike: applied.len() == known.len() && applied.iter().all(agrees),
        })
    }
}

async fn applied(snapshot: &mut Transaction) -> Result<Vec<(i64, Vec<u8>)>, StoreError> {
    let is_there = match snapshot {
        Either::Sqlite(_) => {
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')"
        }
        Either::Postgres(_) => "SELECT to_regclass('_sqlx_migrations') IS NOT NULL",
    };
    let is_there: bool = ask!(&mut *snapshot, |c| sqlx::query_scalar(is_there).fetch_one(c))?;
    if !is_there {
        return Ok(Vec::new());
    }
    let all = "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";
    ask!(snapshot, |c| sqlx::query_as(all).fetch_all(c))
}
