//! Who owns a database on a server. The lock of a data directory cannot tell: another machine has a
//! directory of its own.
//!
//! The connection that writes holds a shared lock for as long as it lives, and whoever takes the
//! database over must have that lock alone for a moment: so a second process is refused, also after
//! the server was started anew. Taking over makes a new generation. Whoever writes locks the row of
//! the generation first, so that one transaction writes at a time, as with SQLite, and a process
//! that was taken over while it could not reach the server writes nothing any more.
//!
//! Processes that only work on the outbox can share a database instead: then nobody owns it, and what
//! must not happen at once is kept apart by locks of the outbox itself. Each has a name of its own.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use sqlx::{PgConnection, PgPool, Postgres, Transaction, migrate::Migrator, pool::PoolConnection};

use crate::{
    ServerAddress, StoreError,
    engine::{Mode, bounded, server_options, server_pool},
};

/// The lock of who uses the database, `lienthon` in letters. Each database has locks of its own.
const LOCK: i64 = 0x6c69_656e_7468_6f6e;
/// The lock of how: an owner holds it alone, those who share the database hold it together.
const SHARED: i64 = LOCK + 1;
/// The lock of whoever makes the tables of a database that is shared.
const TABLES: i64 = LOCK + 2;
/// PostgreSQL's codes for a lock that could not be had in time, and for two that wait for each other.
const NOT_HAD: [&str; 2] = ["55P03", "40P01"];

/// How often, and how many times, it is looked whether a process that was killed is gone.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 10;
/// The same where whoever is still there keeps us out.
const LONG_LOOKS: u32 = 30;

/// Connects, takes the database over, brings it up to date, and gives the new generation.
pub(crate) async fn take(
    address: &ServerAddress,
    migrator: &Migrator,
) -> Result<(PgPool, i64), StoreError> {
    // The one connection is kept: it holds the locks.
    let owned = Arc::new(OnceLock::new());
    let known = Arc::clone(&owned);
    let pool = server_pool(1).idle_timeout(None).max_lifetime(None);
    let pool = pool.after_connect(move |connection, _| {
        let known = Arc::clone(&known);
        Box::pin(async move {
            lock(connection, LOCK, "SELECT pg_advisory_lock_shared($1)").await?;
            match known.get() {
                None => Ok(()),
                Some(()) => again(connection, SHARED, "SELECT pg_try_advisory_lock($1)").await,
            }
        })
    });
    let in_use = |error| in_use(address, error);
    let pool = pool.connect_with(server_options(address, Mode::Write)).await;
    let pool = pool.map_err(|error| in_use(error.into()))?;
    let mut connection = bounded(pool.acquire()).await?;
    alone(&mut connection).await.map_err(in_use)?;
    // Nobody else is connected, so nobody has it.
    bounded(lock(&mut connection, SHARED, "SELECT pg_advisory_lock($1)")).await?;
    owned.get_or_init(|| ());
    migrator.run(&mut *connection).await?;
    let generation = begin_generation(&mut connection).await?;
    drop(connection);
    Ok((pool, generation))
}

/// A database that is shared, as one of those who share it has it.
pub(crate) struct Shared {
    pub(crate) pool: PgPool,
    pub(crate) generation: i64,
    /// Whether nobody else was there.
    pub(crate) is_alone: bool,
    named: Arc<OnceLock<Named>>,
}

/// What a process is called, and how often one of that name was begun.
#[derive(Debug)]
struct Named {
    name: String,
    run: i64,
}

/// Connects beside others that share the database, and brings it up to date when nobody else uses it.
///
/// SECURITY: every connection holds both locks for as long as it lives, so nobody takes the database
/// over while a statement of ours is under way; one that comes back after that finds another
/// generation and is of no use.
pub(crate) async fn share(
    address: &ServerAddress,
    migrator: &Migrator,
    most: u32,
) -> Result<Shared, StoreError> {
    let known = Arc::new(OnceLock::new());
    let named = Arc::new(OnceLock::new());
    let pool = server_pool(most).idle_timeout(None).max_lifetime(None);
    let (generation, name) = (Arc::clone(&known), Arc::clone(&named));
    let pool = pool.after_connect(move |connection, _| {
        let (generation, name) = (Arc::clone(&generation), Arc::clone(&name));
        Box::pin(async move {
            lock(connection, LOCK, "SELECT pg_advisory_lock_shared($1)").await?;
            match generation.get().copied() {
                None => Ok(()),
                Some(generation) => join_again(connection, generation, name.get()).await,
            }
        })
    });
    let pool = pool.connect_with(server_options(address, Mode::Write)).await;
    let pool = pool.map_err(|error| in_use(address, error.into()))?;
    let mut first = bounded(pool.acquire()).await?;
    if !bounded(attempt(&mut first, SHARED, "SELECT pg_try_advisory_lock_shared($1)")).await? {
        return Err(StoreError::InUse(address.to_string()));
    }
    let is_alone = soon_alone(&mut first, LOCK, LOOKS).await?;
    // Of those that come to an empty database at once none is alone: one makes the tables, and the others
    // wait for it.
    bounded(lock(&mut first, TABLES, "SELECT pg_advisory_lock($1)")).await?;
    let none = "SELECT to_regclass('_sqlx_migrations') IS NULL";
    let none: bool = bounded(sqlx::query_scalar(none).fetch_one(&mut *first)).await?;
    if is_alone || none {
        migrator.run(&mut *first).await?;
    }
    bounded(lock(&mut first, TABLES, "SELECT pg_advisory_unlock($1)")).await?;
    if is_alone {
        bounded(lock(&mut first, LOCK, "SELECT pg_advisory_unlock($1)")).await?;
    }
    let row = sqlx::query_scalar("SELECT generation FROM owner").fetch_one(&mut *first);
    let generation: i64 = bounded(row).await?;
    known.get_or_init(|| generation);
    drop(first);
    Ok(Shared { pool, generation, is_alone, named })
}

impl Shared {
    /// Takes a name, before anything else is done: whoever has the same one, as a copy of a data
    /// directory has it, is refused, because either would end the leases of the other.
    ///
    /// SECURITY: as with the database itself, every connection holds a shared lock of the name for as
    /// long as it lives, and whoever takes the name must have that lock alone for a moment. Taking it
    /// begins a new run, so that the connections of an earlier one are of no use when they come back.
    pub(crate) async fn take_name(
        &self,
        address: &ServerAddress,
        name: &str,
    ) -> Result<(), StoreError> {
        let mut connection = bounded(self.pool.acquire()).await?;
        let which = of("process", name);
        if !soon_alone(&mut connection, which, LONG_LOOKS).await? {
            return Err(StoreError::NameInUse(address.to_string()));
        }
        let next = "INSERT INTO process (name, run) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET run = process.run + 1 RETURNING run";
        let next = sqlx::query_scalar(next).bind(name);
        let run = bounded(next.fetch_one(&mut *connection)).await?;
        bounded(lock(&mut connection, which, "SELECT pg_advisory_lock_shared($1)")).await?;
        bounded(lock(&mut connection, which, "SELECT pg_advisory_unlock($1)")).await?;
        self.named.get_or_init(|| Named { name: name.to_owned(), run });
        Ok(())
    }
}

/// Whether nobody else's connection holds a lock after a moment: those of a process that was killed are
/// there until the server notices. Asks again instead of waiting for the lock, for which others who come would
/// have to wait as well.
async fn soon_alone(
    connection: &mut PgConnection,
    which: i64,
    looks: u32,
) -> Result<bool, StoreError> {
    // A lock of one's own never keeps one from taking it alone.
    let alone = "SELECT pg_try_advisory_lock($1)";
    for _ in 0..looks {
        if bounded(attempt(connection, which, alone)).await? {
            return Ok(true);
        }
        tokio::time::sleep(LOOK).await;
    }
    bounded(attempt(connection, which, alone)).await
}

/// A connection that comes later, or comes back.
async fn join_again(
    connection: &mut PgConnection,
    known: i64,
    named: Option<&Named>,
) -> Result<(), sqlx::Error> {
    let how = "SELECT pg_try_advisory_lock_shared($1)";
    again(connection, SHARED, how).await?;
    let now = sqlx::query_scalar::<_, i64>("SELECT generation FROM owner");
    if now.fetch_one(&mut *connection).await? != known {
        return Err(taken_over());
    }
    let Some(Named { name, run }) = named else { return Ok(()) };
    again(connection, of("process", name), how).await?;
    let now = sqlx::query_scalar::<_, i64>("SELECT run FROM process WHERE name = $1").bind(name);
    let now = now.fetch_optional(connection).await?;
    if now == Some(*run) { Ok(()) } else { Err(taken_over()) }
}

/// Takes a lock once more, or is of no use.
async fn again(
    connection: &mut PgConnection,
    which: i64,
    how: &'static str,
) -> Result<(), sqlx::Error> {
    if attempt(connection, which, how).await? { Ok(()) } else { Err(taken_over()) }
}

fn taken_over() -> sqlx::Error {
    sqlx::Error::Configuration("another process has taken over the database".into())
}

async fn attempt(
    connection: &mut PgConnection,
    which: i64,
    how: &'static str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(how).bind(which).fetch_one(connection).await
}

fn in_use(address: &ServerAddress, error: StoreError) -> StoreError {
    match error {
        StoreError::Database(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| NOT_HAD.contains(&&*code)) =>
        {
            StoreError::InUse(address.to_string())
        }
        other => other,
    }
}

/// Waits until nobody else's connection is left, but not for long: those of a process that has just
/// ended may be.
async fn alone(connection: &mut PoolConnection<Postgres>) -> Result<(), StoreError> {
    bounded(sqlx::query("SET lock_timeout = '3s'").execute(&mut **connection)).await?;
    bounded(lock(connection, LOCK, "SELECT pg_advisory_lock($1)")).await?;
    bounded(sqlx::query("RESET lock_timeout").execute(&mut **connection)).await?;
    Ok(())
}

async fn begin_generation(connection: &mut PoolConnection<Postgres>) -> Result<i64, StoreError> {
    let next = "UPDATE owner SET generation = generation + 1 RETURNING generation";
    let generation = bounded(sqlx::query_scalar(next).fetch_one(&mut **connection)).await?;
    bounded(lock(connection, LOCK, "SELECT pg_advisory_unlock($1)")).await?;
    Ok(generation)
}

async fn lock(
    connection: &mut PgConnection,
    which: i64,
    how: &'static str,
) -> Result<(), sqlx::Error> {
    sqlx::query(how).bind(which).execute(connection).await.map(drop)
}

/// Makes this transaction the one that writes.
///
/// SECURITY: a process that was taken over must not lease, claim or append beside its successor.
pub(crate) async fn begin(
    pool: &PgPool,
    generation: Option<i64>,
) -> Result<Transaction<'static, Postgres>, StoreError> {
    let mut transaction = bounded(pool.begin()).await?;
    let row = "SELECT generation FROM owner FOR UPDATE";
    let now: i64 = bounded(sqlx::query_scalar(row).fetch_one(&mut *transaction)).await?;
    if generation == Some(now) { Ok(transaction) } else { Err(StoreError::TakenOver) }
}

/// Whether no process bears a name at this moment.
pub(crate) async fn is_gone(pool: &PgPool, name: &str) -> Result<bool, StoreError> {
    // Of the transaction, which is this statement alone.
    let free = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)");
    bounded(free.bind(of("process", name)).fetch_one(pool)).await
}

/// Keeps every other transaction of a flow that changes which messages there are, or settles any, out
/// until this one ends.
pub(crate) async fn alone_in(
    on: &mut Transaction<'static, Postgres>,
    flow: &str,
) -> Result<(), StoreError> {
    let lock = "SELECT pg_advisory_xact_lock($1)";
    bounded(sqlx::query(lock).bind(of("flow", flow)).execute(&mut **on)).await.map(drop)
}

/// Keeps every other transaction that changes which messages of a flow there are out.
pub(crate) async fn beside_in(
    on: &mut Transaction<'static, Postgres>,
    flow: &str,
) -> Result<(), StoreError> {
    let lock = "SELECT pg_advisory_xact_lock_shared($1)";
    bounded(sqlx::query(lock).bind(of("flow", flow)).execute(&mut **on)).await.map(drop)
}

/// The lock of a flow or a process. Two flows of one lock only wait for each other more often.
fn of(what: &str, name: &str) -> i64 {
    let hash = digest(&SHA256, format!("lienthong {what}\n{name}").as_bytes());
    hash.as_ref().first_chunk().copied().map_or(0, i64::from_be_bytes)
}

/// Whether the database is still of this generation.
pub(crate) async fn confirm(pool: &PgPool, generation: Option<i64>) -> Result<(), StoreError> {
    let row = "SELECT generation FROM owner";
    let now: i64 = bounded(sqlx::query_scalar(row).fetch_one(pool)).await?;
    if generation == Some(now) { Ok(()) } else { Err(StoreError::TakenOver) }
}
