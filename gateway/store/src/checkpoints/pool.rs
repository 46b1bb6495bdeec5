//! The statements, which read the same for both databases.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt as _};

use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Address, Checkpoint, CheckpointsError, PATIENCE};

/// One row for each checkpoint. `losses` counts how often a loss was accepted before it.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS lienthong_checkpoints (
    origin TEXT NOT NULL,
    losses BIGINT NOT NULL CHECK (losses >= 0),
    size BIGINT NOT NULL CHECK (size >= 0),
    note TEXT NOT NULL,
    PRIMARY KEY (origin, losses, size)
)";

/// In one statement, so that nobody can come in between.
const ADD: &str = "INSERT INTO lienthong_checkpoints (origin, losses, size, note)
    SELECT $1, now.losses, $2, $3
    FROM (
        SELECT COALESCE(MAX(losses), 0) + $4 AS losses
        FROM lienthong_checkpoints WHERE origin = $1
    ) AS now
    WHERE NOT EXISTS (
        SELECT 1 FROM lienthong_checkpoints AS other
        WHERE other.origin = $1 AND other.losses = now.losses AND other.size > $2
    )
    ON CONFLICT DO NOTHING";

const NEWEST: &str = "SELECT size, note FROM lienthong_checkpoints WHERE origin = $1
    ORDER BY losses DESC, size DESC LIMIT $2";

/// All but the newest since the last loss, and the last one before each loss.
const FORGET: &str = "DELETE FROM lienthong_checkpoints
    WHERE origin = $1
    AND size < (
        SELECT MAX(last.size) FROM lienthong_checkpoints AS last
        WHERE last.origin = $1 AND last.losses = lienthong_checkpoints.losses
    )
    AND (losses, size) NOT IN (
        SELECT kept.losses, kept.size FROM lienthong_checkpoints AS kept
        WHERE kept.origin = $1 ORDER BY kept.losses DESC, kept.size DESC LIMIT $2
    )";

/// Either database.
#[derive(Debug)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// Does the same with either.
macro_rules! either {
    ($self:expr, $pool:ident => $does:expr) => {
        match $self {
            Pool::Sqlite($pool) => $does,
            Pool::Postgres($pool) => $does,
        }
    };
}

impl Pool {
    pub(super) async fn open(address: &Address) -> Result<Self, CheckpointsError> {
        let pool = match (address.file(), address.server()) {
            (Some(file), _) => {
                let mut new = OpenOptions::new();
                new.create(true).truncate(false).write(true).mode(0o600).open(file)?;
                let options = SqliteConnectOptions::new()
                    .filename(file)
                    .busy_timeout(PATIENCE)
                    .synchronous(SqliteSynchronous::Full);
                let one = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
                Self::Sqlite(one.connect_with(options).await?)
            }
            (None, server) => {
                let server = server.cloned().unwrap_or_default();
                let one = PgPoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
                Self::Postgres(one.connect_with(server).await?)
            }
        };
        // Where the table is there already, nobody has to be allowed to make one.
        if pool.newest("").await.is_err() {
            either!(&pool, pool => sqlx::query(TABLE).execute(pool).await.map(drop))?;
        }
        Ok(pool)
    }

    pub(super) async fn newest(&self, origin: &str) -> Result<Option<(i64, String)>, sqlx::Error> {
        Ok(self.rows(origin, 1).await?.pop())
    }

    pub(super) async fn history(
        &self,
        origin: &str,
        most: u32,
    ) -> Result<Vec<String>, sqlx::Error> {
        Ok(self.rows(origin, most).await?.into_iter().map(|(_, note)| note).collect())
    }

    async fn rows(&self, origin: &str, most: u32) -> Result<Vec<(i64, String)>, sqlx::Error> {
        either!(self, pool => {
            sqlx::query_as(NEWEST).bind(origin).bind(i64::from(most)).fetch_all(pool).await
        })
    }

    /// How many rows were added.
    pub(super) async fn add(&self, new: Checkpoint<'_>) -> Result<u64, sqlx::Error> {
        let size = i64::try_from(new.size).unwrap_or(i64::MAX);
        let losses = i64::from(new.after_loss);
        either!(self, pool => {
            let add = sqlx::query(ADD).bind(new.origin).bind(size).bind(new.note).bind(losses);
            Ok(add.execute(pool).await?.rows_affected())
        })
    }

    pub(super) async fn forget(&self, origin: &str, most: u32) -> Result<(), sqlx::Error> {
        either!(self, pool => {
            let most = i64::from(most);
            sqlx::query(FORGET).bind(origin).bind(most).execute(pool).await.map(drop)
        })
    }
}
