//! The two engines of the durable state, SQLite and PostgreSQL, behind one set of statements.
//!
//! A statement is written once, with `$1` for its first value, and asked through `ask!` or `tell!` of
//! whichever engine is there. A server is asked for so long only: a connection that leads nowhere must not
//! hold whoever waits.

use std::{path::Path, time::Duration};

use sqlx::{
    PgPool, Postgres, Sqlite, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{ServerAddress, StoreError};

/// How long a statement waits for another's lock, and a caller for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How long an answer of a server is waited for; longer than it waits for a lock itself.
const LONGEST: Duration = Duration::from_secs(30);

/// One thing of either engine.
#[derive(Debug)]
pub(crate) enum Either<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// Connections.
pub(crate) type Pool = Either<SqlitePool, PgPool>;
/// A transaction.
pub(crate) type Transaction =
    Either<sqlx::Transaction<'static, Sqlite>, sqlx::Transaction<'static, Postgres>>;

/// Does the same with either.
macro_rules! either {
    ($on:expr, |$inner:ident| $does:expr) => {
        match $on {
            $crate::engine::Either::Sqlite($inner) => $does,
            $crate::engine::Either::Postgres($inner) => $does,
        }
    };
}
pub(crate) use either;

/// Asks either the same, within a transaction.
macro_rules! ask {
    ($transaction:expr, |$connection:ident| $question:expr) => {
        match $transaction {
            $crate::engine::Either::Sqlite(inner) => {
                let $connection = &mut **inner;
                $question.await.map_err($crate::StoreError::from)
            }
            $crate::engine::Either::Postgres(inner) => {
                let $connection = &mut **inner;
                $crate::engine::bounded($question).await
            }
        }
    };
}
pub(crate) use ask;

/// Tells either the same, within a transaction; gives how many rows changed.
macro_rules! tell {
    ($transaction:expr, $statement:expr) => {
        match $transaction {
            $crate::engine::Either::Sqlite(inner) => {
                let done = $statement.execute(&mut **inner).await;
                done.map(|done| done.rows_affected()).map_err($crate::StoreError::from)
            }
            $crate::engine::Either::Postgres(inner) => {
                let done = $crate::engine::bounded($statement.execute(&mut **inner)).await;
                done.map(|done| done.rows_affected())
            }
        }
    };
}
pub(crate) use tell;

/// Waits for a server's answer, but not for ever.
pub(crate) async fn bounded<T>(
    question: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    let answer = tokio::time::timeout(LONGEST, question).await;
    Ok(answer.map_err(|_| StoreError::Late)??)
}

impl Transaction {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => Ok(transaction.commit().await?),
            Self::Postgres(transaction) => bounded(transaction.commit()).await,
        }
    }
}

impl Pool {
    pub(crate) async fn close(&self) {
        either!(self, |pool| pool.close().await);
    }
}

/// Whether connections to a server may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Look,
}

/// A file as every use of it opens it. It must be there.
pub(crate) fn plain(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .busy_timeout(PATIENCE)
        // What is acknowledged survives a power cut.
        .synchronous(SqliteSynchronous::Full)
}

/// Connects to a file, `most` times at once.
pub(crate) async fn file(
    options: SqliteConnectOptions,
    most: u32,
) -> Result<SqlitePool, sqlx::Error> {
    let pool = SqlitePoolOptions::new().max_connections(most).acquire_timeout(PATIENCE);
    pool.connect_with(options).await
}

/// Connects to a server, `most` times at once.
pub(crate) async fn server(
    address: &ServerAddress,
    mode: Mode,
    most: u32,
) -> Result<PgPool, sqlx::Error> {
    server_pool(most).connect_with(server_options(address, mode)).await
}

pub(crate) fn server_pool(most: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(most).acquire_timeout(PATIENCE)
}

pub(crate) fn server_options(
    address: &ServerAddress,
    mode: Mode,
) -> sqlx::postgres::PgConnectOptions {
    let wait = PATIENCE.as_secs();
    let read_only = if mode == Mode::Look { "on" } else { "off" };
    address.options().application_name("lienthong").options([
        // Neither the server's nor the role's settings make an acknowledgement worth less.
        ("synchronous_commit", "on".to_owned()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("default_transaction_read_only", read_only.to_owned()),
        ("lock_timeout", format!("{wait}s")),
        ("idle_in_transaction_session_timeout", format!("{}s", LONGEST.as_secs())),
        // PERF: `lienthong-bench bus`. Everything is asked for by keys; a plan that was made while a table
        // was small and is kept while it grows must not read all of it.
        ("enable_seqscan", "off".to_owned()),
        // The server notices within a minute that a machine which owned the database is gone.
        ("tcp_keepalives_idle", "30".to_owned()),
        ("tcp_keepalives_interval", "10".to_owned()),
        ("tcp_keepalives_count", "3".to_owned()),
    ])
}
