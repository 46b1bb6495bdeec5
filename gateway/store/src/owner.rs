//! Who owns a database on a server. The lock of a data directory cannot tell: another machine has a
//! directory of its own.
//!
//! The connection that writes holds a shared lock for as long as it lives, and whoever takes the
//! database over must have that lock alone for a moment: so a second process is refused, also after
//! the server was started anew. Taking over makes a new generation. Whoever writes locks the row of
//! the generation first, so that one transaction writes at a time, as with SQLite, and a process
//! that was taken over while it could not reach the server writes nothing any more.

use sqlx::{PgConnection, PgPool, Postgres, Transaction, migrate::Migrator, pool::PoolConnection};

use crate::{
    ServerAddress, StoreError,
    engine::{Mode, bounded, server_options, server_pool},
};

/// The lock of who owns the database, `lienthon` in letters. Each database has locks of its own.
const LOCK: i64 = 0x6c69_656e_7468_6f6e;
/// PostgreSQL's codes for a lock that could not be had in time, and for two that wait for each other.
const NOT_HAD: [&str; 2] = ["55P03", "40P01"];

/// Connects, takes the database over, brings it up to date, and gives the new generation.
pub(crate) async fn take(
    address: &ServerAddress,
    migrator: &Migrator,
) -> Result<(PgPool, i64), StoreError> {
    // The one connection is kept: it holds the lock.
    let pool =
        server_pool(1).idle_timeout(None).max_lifetime(None).after_connect(|connection, _| {
            Box::pin(async move { lock(connection, "SELECT pg_advisory_lock_shared($1)").await })
        });
    let in_use = |error| match error {
        StoreError::Database(sqlx::Error::Database(error))
            if error.code().is_some_and(|code| NOT_HAD.contains(&&*code)) =>
        {
            StoreError::InUse(address.to_string())
        }
        other => other,
    };
    let pool = pool.connect_with(server_options(address, Mode::Write)).await;
    let pool = pool.map_err(|error| in_use(error.into()))?;
    let mut connection = bounded(pool.acquire()).await?;
    alone(&mut connection).await.map_err(in_use)?;
    migrator.run(&mut *connection).await?;
    let generation = begin_generation(&mut connection).await?;
    drop(connection);
    Ok((pool, generation))
}

/// Waits until nobody else's connection is left, but not for long: those of a process that has just
/// ended may be.
async fn alone(connection: &mut PoolConnection<Postgres>) -> Result<(), StoreError> {
    bounded(sqlx::query("SET lock_timeout = '3s'").execute(&mut **connection)).await?;
    bounded(lock(connection, "SELECT pg_advisory_lock($1)")).await?;
    bounded(sqlx::query("RESET lock_timeout").execute(&mut **connection)).await?;
    Ok(())
}

async fn begin_generation(connection: &mut PoolConnection<Postgres>) -> Result<i64, StoreError> {
    let next = "UPDATE owner SET generation = generation + 1 RETURNING generation";
    let generation = bounded(sqlx::query_scalar(next).fetch_one(&mut **connection)).await?;
    bounded(lock(connection, "SELECT pg_advisory_unlock($1)")).await?;
    Ok(generation)
}

async fn lock(connection: &mut PgConnection, how: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(how).bind(LOCK).execute(connection).await.map(drop)
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

/// Whether the database is still of this generation.
pub(crate) async fn confirm(pool: &PgPool, generation: Option<i64>) -> Result<(), StoreError> {
    let row = "SELECT generation FROM owner";
    let now: i64 = bounded(sqlx::query_scalar(row).fetch_one(pool)).await?;
    if generation == Some(now) { Ok(()) } else { Err(StoreError::TakenOver) }
}
