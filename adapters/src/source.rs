//! Where rows come from: a table of a database, or a folder of files.
//!
//! A reading is bounded and resumable: it begins at a [`Mark`] and gives the rows that follow and the
//! mark behind them, which the caller keeps in the same transaction as the rows. What was read twice
//! is recognised by its key. The order of calls is: `next`, rows durable, `taken`, `next`.
//!
//! Nothing here may tell a value: errors name files, tables and columns.

mod again;
mod bounded;
mod coverage;
mod csv;
mod error;
mod guarantee;
mod late;
mod layout;
mod mark;
mod mysql;
mod postgres;
pub(crate) mod releases;
mod sqlite;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tls;
mod whole;

use std::sync::Arc;

use jiff::Timestamp;
use lienthong_store::Store;

use self::{
    csv::Csv, layout::Layout, mysql::Mysql, postgres::Postgres, releases::Releases, sqlite::Sqlite,
};
pub(crate) use self::{
    error::{DatabaseError, SourceError},
    guarantee::{Guarantee, Reach},
    mark::Mark,
    whole::Whole,
};
use crate::{
    config::{FlowConfig, SourceConfig, SourceKind, TableConfig, TableMode},
    row::Row,
};

/// Most bytes of the rows of one reading.
const MAX_BYTES: usize = 16 << 20;

/// A source that rows are read from.
#[derive(Debug)]
pub(crate) enum Source {
    Postgres(Box<Postgres>),
    Mysql(Box<Mysql>),
    Sqlite(Box<Sqlite>),
    Csv(Csv),
    Releases(Releases),
}

/// What was read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The rows, in order of their positions. There may be none although there are more.
    pub(crate) rows: Vec<Row>,
    /// How far that is, to be kept with the rows; nothing when the mark given still says it.
    pub(crate) mark: Option<Mark>,
    /// Whether the next reading may begin at once.
    pub(crate) more: bool,
}

/// A page of the keys of a source.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The keys, in an order that stays. A row without a usable key has the one of its place.
    pub(crate) keys: Vec<String>,
    /// Where the next page begins; nothing at the end.
    pub(crate) next: Option<String>,
}

impl Source {
    /// Opens the source of a flow; releases of indicators are those of the durable state.
    pub(crate) async fn beside(flow: &FlowConfig, store: &Arc<Store>) -> Result<Self, SourceError> {
        match &flow.source.kind {
            SourceKind::Releases => Releases::open(flow, store).map(Self::Releases),
            _ => Self::open(flow).await,
        }
    }

    /// Opens the source of a flow in the city and makes sure that table and columns are as the flow
    /// says.
    pub(crate) async fn open(flow: &FlowConfig) -> Result<Self, SourceError> {
        match &flow.source.kind {
            SourceKind::Postgres(config) => {
                Ok(Self::Postgres(Box::new(Postgres::open(flow, config).await?)))
            }
            SourceKind::Mysql(config) => {
                Ok(Self::Mysql(Box::new(Mysql::open(flow, config).await?)))
            }
            SourceKind::Sqlite(config) => {
                Ok(Self::Sqlite(Box::new(Sqlite::open(flow, config).await?)))
            }
            SourceKind::Csv(config) => Csv::open(flow, config).await.map(Self::Csv),
            SourceKind::Releases => Err(SourceError::NoTable("releases".to_owned())),
        }
    }

    /// What a source of this configuration promises.
    pub(crate) fn guarantee(config: &SourceConfig) -> Guarantee {
        match &config.kind {
            SourceKind::Postgres(_) => Postgres::guarantee(),
            SourceKind::Mysql(config) => Mysql::guarantee(config),
            SourceKind::Sqlite(_) => Sqlite::guarantee(),
            SourceKind::Csv(_) => Csv::guarantee(),
            SourceKind::Releases => Releases::guarantee(),
        }
    }

    /// Whether `next` of a mark gives the same whether the rows before it were called `taken` or not.
    pub(crate) fn goes_on_by_mark(&self) -> bool {
        let watermark = |table: &TableConfig| table.mode == TableMode::Watermark;
        match self {
            Self::Postgres(source) => watermark(source.table()),
            Self::Mysql(source) => watermark(source.table()),
            Self::Sqlite(source) => watermark(source.table()),
            // A file is put away when the mark behind it is durable.
            Self::Csv(_) => false,
            Self::Releases(_) => true,
        }
    }

    /// The next rows behind a mark, from the beginning without one; at most `limit`.
    pub(crate) async fn next(
        &self,
        mark: Option<&Mark>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Reading, SourceError> {
        match self {
            Self::Postgres(source) => source.next(mark, limit, now).await,
            Self::Mysql(source) => source.next(mark, limit, now).await,
            Self::Sqlite(source) => source.next(mark, limit).await,
            Self::Csv(source) => source.next(mark, limit).await,
            Self::Releases(source) => source.next(mark, limit).await,
        }
    }

    /// Tells the source that rows are durable here. Only then may it forget them.
    pub(crate) async fn taken(&self, rows: &[Row], now: Timestamp) -> Result<(), SourceError> {
        match self {
            Self::Postgres(source) => source.taken(rows).await,
            Self::Mysql(source) => source.taken(rows).await,
            Self::Sqlite(source) => source.taken(rows, now).await,
            // A file is put away when the mark behind it is durable.
            Self::Csv(_) => Ok(()),
            Self::Releases(source) => source.taken(rows, now).await,
        }
    }

    /// The rows with these keys, taken or not, as they are now.
    pub(crate) async fn with_keys(&self, keys: &[String]) -> Result<Vec<Row>, SourceError> {
        match self {
            Self::Postgres(source) => source.with_keys(keys).await,
            Self::Mysql(source) => source.with_keys(keys).await,
            Self::Sqlite(source) => source.with_keys(keys).await,
            Self::Csv(source) => source.with_keys(keys).await,
            Self::Releases(source) => source.with_keys(keys).await,
        }
    }

    /// A page of all keys, for the comparison with what was read: a key that is not known here and not
    /// in quarantine is of a row that was missed, and `with_keys` gives it. That is all a source
    /// without changes and deletions can tell. `after` is the `next` of the page before, or the
    /// position (of a folder: the name of the file) behind which to begin, which the caller sets so that
    /// rows whose messages were forgotten are not taken for missing.
    pub(crate) async fn keys(&self, after: Option<&str>, limit: u32) -> Result<Keys, SourceError> {
        match self {
            Self::Postgres(source) => source.keys(after, limit).await,
            Self::Mysql(source) => source.keys(after, limit).await,
            Self::Sqlite(source) => source.keys(after, limit).await,
            Self::Csv(source) => source.keys(after, limit).await,
            Self::Releases(source) => source.keys(after, limit).await,
        }
    }

    /// A mark from which `next` first reads again every row behind a position (of a folder: a
    /// file), or every row there is, and then goes on where `mark` stands.
    pub(crate) async fn again(
        &self,
        mark: Option<&Mark>,
        from: Option<&str>,
    ) -> Result<Mark, SourceError> {
        match self {
            Self::Postgres(source) => source.again(mark, from).await,
            Self::Mysql(source) => source.again(mark, from).await,
            Self::Sqlite(source) => source.again(mark, from).await,
            Self::Csv(source) => source.again(mark, from).await,
            Self::Releases(source) => source.again(mark, from).await,
        }
    }
}

impl Keys {
    /// A page of keys in order of their positions.
    fn page(rows: Vec<(i64, Option<String>)>, limit: u32) -> Self {
        let full = u32::try_from(rows.len()).is_ok_and(|rows| rows >= limit);
        let next = rows.last().filter(|_| full).map(|(position, _)| position.to_string());
        let keys = rows.into_iter().map(|(position, key)| Layout::known_as(position, key));
        Self { keys: keys.collect(), next }
    }
}

/// A position that a person or an earlier page names; before the first without one.
fn position(text: Option<&str>) -> Result<i64, SourceError> {
    text.map_or(Ok(i64::MIN), |text| text.parse().map_err(|_| SourceError::Mark))
}
