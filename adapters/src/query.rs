//! A question to a city database, in SQL that a person wrote, and its answer.
//!
//! In: a connection, a [`Template`] and the columns that are wanted. Out: their values as texts, as the
//! database writes them. The session only reads, a statement ends after its time, rows and bytes
//! are bounded. A period is bound as two values and never pasted into the text.
//!
//! Must never tell a value: errors name columns and codes of the engine.

mod mysql;
mod postgres;
mod sqlite;
mod template;

use std::{fmt, time::Duration};

use futures_util::{Stream, TryStreamExt as _};
use jiff::civil::Date;

pub(crate) use self::template::{Bound, Engine, Template};
use crate::{
    config::{ConnectionConfig, ConnectionKind},
    source::DatabaseError,
};

/// Most bytes of an answer.
const MAX_BYTES: usize = 256 << 20;
/// How much longer than a statement may take its answer is waited for.
const SPARE: Duration = Duration::from_secs(5);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// From the first moment of a day until the first moment of another, civil time of the city.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Date,
    pub(crate) to: Date,
}

/// The rows of an answer: the values of the wanted columns, in their order.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Rows(pub(crate) Vec<Vec<Option<String>>>);

// SECURITY: values stay out of every log.
impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Rows").field(&self.0.len()).finish()
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("file `{0}` does not exist")]
    Missing(String),
    #[error("the database gave no connection within {} s", CONNECT.as_secs())]
    NoConnection,
    #[error("the query took longer than {0} s")]
    TooLong(u64),
    #[error("the query gives more than {0} rows")]
    TooMany(u32),
    #[error("the rows of the query hold more than {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    #[error("column `{0}` is not text in UTF-8")]
    NotText(String),
    #[error("{0}")]
    Database(#[from] DatabaseError),
}

impl From<sqlx::Error> for QueryError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error.into())
    }
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) template: &'a Template,
    /// The columns that are wanted.
    pub(crate) columns: &'a [&'a str],
    /// What `:from` and `:to` stand for; of no matter where neither is named.
    pub(crate) span: Span,
}

impl Question<'_> {
    /// Asks a database.
    pub(crate) async fn ask(&self, connection: &ConnectionConfig) -> Result<Rows, QueryError> {
        match &connection.kind {
            ConnectionKind::Postgres(address) => postgres::ask(self, address, connection).await,
            ConnectionKind::Mysql(address) => mysql::ask(self, address, connection).await,
            ConnectionKind::Sqlite(file) => sqlite::ask(self, file, connection).await,
        }
    }

    /// What is bound, in its order: days, at whose midnight a moment begins. SQLite compares texts, and
    /// a day stands before all of its moments there, as it does before none of the day before.
    fn values(&self, bound: &[Bound]) -> Vec<String> {
        let value = |bound: &Bound| match bound {
            Bound::From => self.span.from.to_string(),
            Bound::To => self.span.to.to_string(),
        };
        bound.iter().map(value).collect()
    }

    /// The whole statement. The person's SQL stands in brackets of its own: it can only read.
    fn statement(&self, engine: Engine, most_rows: u32) -> (String, Vec<Bound>) {
        let (sql, bound) = self.template.render(engine);
        let columns: Vec<String> = self.columns.iter().map(|name| engine.as_text(name)).collect();
        let limit = u64::from(most_rows).saturating_add(1);
        let columns = columns.join(", ");
        // On lines of its own, so that a comment at its end does not swallow the bracket.
        (format!("SELECT {columns} FROM (\n{sql}\n) AS q LIMIT {limit}"), bound)
    }

    /// Takes rows as they come.
    async fn take<R: sqlx::Row>(
        &self,
        rows: impl Stream<Item = Result<R, sqlx::Error>> + Unpin,
        most_rows: u32,
        cell: impl Fn(&R, usize) -> Result<Option<String>, sqlx::Error>,
    ) -> Result<Rows, QueryError> {
        let (mut rows, mut taken, mut bytes) = (rows, Vec::new(), 0_usize);
        let most = usize::try_from(most_rows).unwrap_or(usize::MAX);
        while let Some(row) = rows.try_next().await? {
            if taken.len() >= most {
                return Err(QueryError::TooMany(most_rows));
            }
            let mut cells = Vec::with_capacity(self.columns.len());
            for (place, column) in self.columns.iter().enumerate() {
                let cell = cell(&row, place).map_err(|error| match error {
                    sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                        QueryError::NotText((*column).to_owned())
                    }
                    other => other.into(),
                })?;
                bytes = bytes.saturating_add(24 + cell.as_ref().map_or(0, String::len));
                cells.push(cell);
            }
            if bytes > MAX_BYTES {
                return Err(QueryError::TooLarge);
            }
            taken.push(cells);
        }
        Ok(Rows(taken))
    }
}

/// Waits for a connection, but not for ever.
async fn connected<T>(
    connecting: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, QueryError> {
    let connected = tokio::time::timeout(CONNECT, connecting).await;
    Ok(connected.map_err(|_| QueryError::NoConnection)??)
}

/// Waits as long as a statement may take, and a little.
async fn in_time<T>(
    statement: Duration,
    asking: impl Future<Output = Result<T, QueryError>>,
) -> Result<T, QueryError> {
    let asked = tokio::time::timeout(statement.saturating_add(SPARE), asking).await;
    asked.map_err(|_| QueryError::TooLong(statement.as_secs()))?
}

#[cfg(test)]
mod tests;
