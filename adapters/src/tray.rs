//! Where what a platform tells is laid for the city: a folder, or a table of one of its databases.
//!
//! Takes one item at a time and says whether it is there for good: a file is renamed into place, a
//! row is a transaction of its own. An item that is there already is left as it is, so that it may
//! be laid again after a crash. A table is used only where its key column can hold no key twice.
//!
//! Nothing here may tell a value: errors name folders, tables and columns.

mod column;
mod mysql;
mod postgres;
mod sqlite;

use std::{io, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::sync::Mutex;

use self::{mysql::MysqlLink, postgres::PostgresLink, sqlite::SqliteLink};
use crate::{
    config::{TableTray, TrayAddress, TrayConfig},
    platform::kept::{Kept, blocking},
    source::DatabaseError,
};

/// The end of the name of an item's file.
const END: &str = ".json";
/// How long a connection may take, and how much longer than the server's own bound a statement.
const CONNECT: Duration = Duration::from_secs(10);

/// What is laid.
#[derive(Clone)]
pub(crate) struct Item {
    /// The name of its file: a digest.
    pub(crate) name: String,
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) at: Timestamp,
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Laid {
    New,
    /// It was there.
    There,
    /// The table does not take it as it is. Names no value.
    Not(String),
}

/// What the item column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Json,
    Text,
}

/// Why nothing can be laid.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrayError {
    #[error("{0}")]
    Unfit(String),
    #[error("folder: {0}")]
    Folder(#[from] io::Error),
    #[error("{0}")]
    Database(#[from] DatabaseError),
    #[error("database took too long")]
    TooLong,
}

impl TrayError {
    /// Whether the same may succeed later without anybody doing something.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Unfit(_) => false,
            Self::Folder(_) | Self::TooLong => true,
            Self::Database(error) => error.is_transient(),
        }
    }
}

impl From<sqlx::Error> for TrayError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Where items are laid.
#[derive(Debug)]
pub(crate) enum Tray {
    Folder(Arc<Kept>),
    Table(Box<Table>),
}

/// A table that items are laid into.
#[derive(Debug)]
pub(crate) struct Table {
    config: TableTray,
    holds: Holds,
    /// Nothing until the table was found fit, and after a failure.
    link: Mutex<Option<Link>>,
}

#[derive(Debug)]
enum Link {
    Postgres(PostgresLink),
    Mysql(MysqlLink),
    Sqlite(SqliteLink),
}

impl Tray {
    /// Opens a folder; asks no database anything.
    pub(crate) fn open(config: &TrayConfig, holds: Holds) -> io::Result<Self> {
        Ok(match config {
            TrayConfig::Folder(folder) => Self::Folder(Arc::new(Kept::open(folder)?)),
            TrayConfig::Table(config) => {
                let link = Mutex::new(None);
                Self::Table(Box::new(Table { config: config.clone(), holds, link }))
            }
        })
    }

    pub(crate) fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Makes sure that a table can be reached and is as it must be.
    pub(crate) async fn verify(&self) -> Result<(), TrayError> {
        match self {
            Self::Folder(_) => Ok(()),
            Self::Table(table) => table.verify().await,
        }
    }

    /// What is wrong with a table, looked at once.
    pub(crate) async fn problem(config: &TrayConfig, holds: Holds) -> Option<String> {
        match Self::open(config, holds) {
            Ok(tray) => tray.verify().await.err().map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        }
    }

    /// How many of at most `most` items there is room for: less those that nobody has taken. A table
    /// that does not tell which were taken has no bound.
    pub(crate) async fn room(&self, most: usize) -> Result<usize, TrayError> {
        match self {
            Self::Folder(kept) => {
                let kept = Arc::clone(kept);
                let names = blocking(move || kept.names()).await?;
                let there = names.iter().filter(|name| name.ends_with(END)).count();
                Ok(most.saturating_sub(there))
            }
            Self::Table(table) => table.room(most).await,
        }
    }

    /// Lays an item. It is there for good when this returns.
    pub(crate) async fn lay(&self, item: Item) -> Result<Laid, TrayError> {
        match self {
            Self::Folder(kept) => {
                let kept = Arc::clone(kept);
                let file = format!("{}{END}", item.name);
                let laid = blocking(move || {
                    if kept.has(&file)? {
                        return Ok(Laid::There);
                    }
                    kept.write(&file, item.text.as_bytes()).map(|()| Laid::New)
                });
                Ok(laid.await?)
            }
            Self::Table(table) => table.lay(&item).await,
        }
    }
}

impl Table {
    async fn verify(&self) -> Result<(), TrayError> {
        let mut held = self.link.lock().await;
        // A connection that nobody has used for long may have been cut by whatever is in between.
        if let Some(mut link) = held.take()
            && self.within(link.ping()).await.is_ok_and(|alive| alive)
        {
            *held = Some(link);
            return Ok(());
        }
        *held = Some(self.connect().await?);
        Ok(())
    }

    async fn room(&self, most: usize) -> Result<usize, TrayError> {
        if self.config.table.taken_at.is_none() {
            return Ok(usize::MAX);
        }
        let bound = i64::try_from(most).unwrap_or(i64::MAX);
        let mut held = self.link.lock().await;
        let mut link = self.linked(held.take()).await?;
        let waiting = self.within(link.waiting(&self.config, bound)).await?;
        *held = Some(link);
        Ok(most.saturating_sub(usize::try_from(waiting).unwrap_or(usize::MAX)))
    }

    async fn lay(&self, item: &Item) -> Result<Laid, TrayError> {
        let mut held = self.link.lock().await;
        // A link that failed is not put back: the next one looks at the table again.
        let mut link = self.linked(held.take()).await?;
        let laid = self.within(link.lay(item)).await?;
        *held = Some(link);
        Ok(laid)
    }

    async fn linked(&self, link: Option<Link>) -> Result<Link, TrayError> {
        match link {
            Some(link) => Ok(link),
            None => self.connect().await,
        }
    }

    async fn connect(&self) -> Result<Link, TrayError> {
        let connecting = async {
            Ok(match &self.config.address {
                TrayAddress::Postgres(address) => {
                    Link::Postgres(PostgresLink::open(address, &self.config, self.holds).await?)
                }
                TrayAddress::Mysql(address) => {
                    Link::Mysql(MysqlLink::open(address, &self.config, self.holds).await?)
                }
                TrayAddress::Sqlite(file) => {
                    Link::Sqlite(SqliteLink::open(file, &self.config, self.holds).await?)
                }
            })
        };
        self.within(connecting).await
    }

    /// A server that says nothing must not hold up whoever waits for it.
    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, TrayError>>,
    ) -> Result<T, TrayError> {
        let longest = self.config.statement.saturating_add(CONNECT);
        tokio::time::timeout(longest, work).await.unwrap_or(Err(TrayError::TooLong))
    }
}

impl Link {
    /// Whether it may be used again.
    async fn ping(&mut self) -> Result<bool, TrayError> {
        match self {
            Self::Postgres(link) => link.ping().await?,
            Self::Mysql(link) => link.ping().await?,
            // A file that was taken away under us and put back is another one.
            Self::Sqlite(_) => return Ok(false),
        }
        Ok(true)
    }

    async fn waiting(&mut self, config: &TableTray, bound: i64) -> Result<i64, TrayError> {
        let Some(taken_at) = &config.table.taken_at else { return Ok(0) };
        Ok(match self {
            Self::Postgres(link) => link.waiting(taken_at, bound).await?,
            Self::Mysql(link) => link.waiting(taken_at, bound).await?,
            Self::Sqlite(link) => link.waiting(taken_at, bound).await?,
        })
    }

    async fn lay(&mut self, item: &Item) -> Result<Laid, TrayError> {
        let inserted = match self {
            Self::Postgres(link) => link.insert(item).await,
            Self::Mysql(link) => link.insert(item).await,
            Self::Sqlite(link) => link.insert(item).await,
        };
        match inserted {
            Ok(1) => return Ok(Laid::New),
            Ok(_) => {}
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {}
            Err(error) => return refused(error),
        }
        let stored = match self {
            Self::Postgres(link) => link.stored(&item.key).await?,
            Self::Mysql(link) => link.stored(&item.key).await?,
            Self::Sqlite(link) => link.stored(&item.key).await?,
        };
        // A collation, or another unique column, may take one key for another: that is not the item.
        Ok(match stored {
            Some(stored) if stored == item.key.as_bytes() => Laid::There,
            Some(_) => Laid::Not("another key is the same to the table".to_owned()),
            None => Laid::Not("the table keeps no such row".to_owned()),
        })
    }
}

/// What a statement that failed says of the item; a failure that is not about it.
fn refused(error: sqlx::Error) -> Result<Laid, TrayError> {
    if let sqlx::Error::Database(told) = &error {
        let code = told.code().unwrap_or_default().into_owned();
        let is_rule = !matches!(told.kind(), sqlx::error::ErrorKind::Other);
        // MySQL: 1366 is a letter that the column cannot hold, 3819 a check.
        let number = told.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>();
        let number = number.map(sqlx::mysql::MySqlDatabaseError::number);
        if is_rule || code.starts_with("22") || matches!(number, Some(1366 | 3819)) {
            return Ok(Laid::Not(format!("the table does not take it (code `{code}`)")));
        }
    }
    Err(error.into())
}

/// The columns that are written, in the order of what is bound: key, item, time.
fn written(config: &TableTray) -> Vec<&str> {
    let table = &config.table;
    let mut columns = vec![table.key.as_str(), table.item.as_str()];
    columns.extend(table.received_at.as_deref());
    columns
}

#[cfg(test)]
pub(crate) mod tests;
