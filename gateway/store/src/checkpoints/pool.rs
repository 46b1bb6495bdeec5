//! The statements, which read the same for both databases.

use super::{Address, Checkpoint, CheckpointsError};
use crate::{
    directory::private_file,
    engine::{self, Either, Mode, either},
};

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

/// The database.
#[derive(Debug)]
pub(super) struct Pool(pub(super) engine::Pool);

impl Pool {
    pub(super) async fn open(address: &Address) -> Result<Self, CheckpointsError> {
        let pool = match address {
            Address::Sqlite(file) => {
                private_file(file)?;
                Either::Sqlite(engine::file(engine::plain(file), 1).await?)
            }
            Address::Postgres(server) => {
                Either::Postgres(engine::server(server, Mode::Write, 1).await?)
            }
        };
        let pool = Self(pool);
        // Where the table is there already, nobody has to be allowed to make one.
        if pool.newest("").await.is_err() {
            either!(&pool.0, |pool| sqlx::query(TABLE).execute(pool).await.map(drop))?;
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
        either!(&self.0, |pool| {
            sqlx::query_as(NEWEST).bind(origin).bind(i64::from(most)).fetch_all(pool).await
        })
    }

    /// How many rows were added.
    pub(super) async fn add(&self, new: Checkpoint<'_>) -> Result<u64, sqlx::Error> {
        let size = i64::try_from(new.size).unwrap_or(i64::MAX);
        let losses = i64::from(new.after_loss);
        either!(&self.0, |pool| {
            let add = sqlx::query(ADD).bind(new.origin).bind(size).bind(new.note).bind(losses);
            Ok(add.execute(pool).await?.rows_affected())
        })
    }

    pub(super) async fn forget(&self, origin: &str, most: u32) -> Result<(), sqlx::Error> {
        either!(&self.0, |pool| {
            let most = i64::from(most);
            sqlx::query(FORGET).bind(origin).bind(most).execute(pool).await.map(drop)
        })
    }
}
