//! Checkpoints of evidence logs in a database of their own: SQLite in a file, or PostgreSQL.
//!
//! The second place of a log that has one in a database. Rows are added and never changed: one of fewer
//! entries never comes after one of more, unless a loss was accepted. Calls block; they are for a
//! thread of their own and never for an event loop. What is kept is signed, so nothing here is secret
//! but the password.

mod pool;

use self::pool::Pool;
use crate::Address;
use crate::engine::PATIENCE;

/// How many of the newest checkpoints of a log are kept.
const HISTORY: u32 = 1000;

/// Why the database is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointsError {
    /// It failed, or cannot be reached.
    #[error("database of checkpoints failed")]
    Database(#[from] sqlx::Error),
    /// Its file, or what is needed to ask it, cannot be made.
    #[error("database of checkpoints cannot be used")]
    Io(#[from] std::io::Error),
    /// It did not answer.
    #[error("database of checkpoints did not answer in {} seconds", PATIENCE.as_secs())]
    Late,
    /// It has a checkpoint of more entries, or another one of as many.
    #[error("it has a checkpoint of {0} entries, which is newer or another")]
    Newer(u64),
    /// The thread that asked it is gone.
    #[error("asking the database of checkpoints ended early")]
    Gone,
}

/// A checkpoint to keep.
#[derive(Debug, Clone, Copy)]
pub struct Checkpoint<'a> {
    /// Which log it is of.
    pub origin: &'a str,
    /// How many entries it is of.
    pub size: u64,
    /// The signed note.
    pub note: &'a str,
    /// Whether it is the first after a loss was accepted: it may be of fewer entries.
    pub after_loss: bool,
}

/// A database of checkpoints. Connects when it is first asked, and anew after a failure.
#[derive(Debug)]
pub struct Checkpoints {
    address: Address,
    connected: Option<(tokio::runtime::Runtime, Pool)>,
}

impl Checkpoints {
    /// The database at this address.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self { address, connected: None }
    }

    /// The newest checkpoint of a log.
    ///
    /// # Errors
    /// When the database cannot tell.
    pub fn newest(&mut self, origin: &str) -> Result<Option<String>, CheckpointsError> {
        Ok(self.history(origin, 1)?.pop())
    }

    /// The newest checkpoints of a log, at most `most`, the newest first.
    ///
    /// # Errors
    /// When the database cannot tell.
    pub fn history(&mut self, origin: &str, most: u32) -> Result<Vec<String>, CheckpointsError> {
        self.ask(async |pool| Ok(pool.history(origin, most).await?))
    }

    /// Keeps a checkpoint.
    ///
    /// # Errors
    /// When the database fails or has a newer one.
    pub fn keep(&mut self, checkpoint: Checkpoint<'_>) -> Result<(), CheckpointsError> {
        self.ask(async |pool| {
            if pool.add(checkpoint).await? == 0 {
                let newest = pool.newest(checkpoint.origin).await?;
                if let Some((size, _)) = newest.filter(|(_, note)| note != checkpoint.note) {
                    return Err(CheckpointsError::Newer(u64::try_from(size).unwrap_or_default()));
                }
            }
            Ok(pool.forget(checkpoint.origin, HISTORY).await?)
        })
    }

    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&Pool) -> Result<T, CheckpointsError>,
    ) -> Result<T, CheckpointsError> {
        let (runtime, pool) = match self.connected.take() {
            Some(connected) => connected,
            None => {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                let connect =
                    async { tokio::time::timeout(PATIENCE, Pool::open(&self.address)).await };
                let pool = runtime.block_on(connect).map_err(|_| CheckpointsError::Late)??;
                (runtime, pool)
            }
        };
        let answer = async { tokio::time::timeout(PATIENCE, question(&pool)).await };
        let answer = runtime.block_on(answer).map_err(|_| CheckpointsError::Late)?;
        // After a failure of the database the next call connects anew.
        if !matches!(answer, Err(CheckpointsError::Database(_))) {
            self.connected = Some((runtime, pool));
        }
        answer
    }
}

/// The newest checkpoints of a log in the database at this address, the newest first. May be called
/// from anywhere.
///
/// # Errors
/// When the database cannot tell.
pub fn read(address: Address, origin: &str) -> Result<Vec<String>, CheckpointsError> {
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| Checkpoints::new(address).history(origin, HISTORY));
        asked.join().map_err(|_| CheckpointsError::Gone)?
    })
}

#[cfg(test)]
mod tests;
