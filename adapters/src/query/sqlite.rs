//! Asking SQLite. It has no time-out of its own: the engine looks every so many steps whether its
//! time is over.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection, sqlite::SqliteConnectOptions,
};

use super::{Engine, QueryError, Question, Rows, connected};
use crate::config::ConnectionConfig;

/// Steps of the engine between two looks: some milliseconds.
const STEPS: i32 = 100_000;

pub(super) async fn ask(
    question: &Question<'_>,
    file: &Path,
    connection: &ConnectionConfig,
) -> Result<Rows, QueryError> {
    if !file.exists() {
        return Err(QueryError::Missing(file.display().to_string()));
    }
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(false)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5));
    let mut link = connected(SqliteConnection::connect_with(&options)).await?;
    let over = Arc::new(AtomicBool::new(false));
    let look = Arc::clone(&over);
    link.lock_handle().await?.set_progress_handler(STEPS, move || !look.load(Ordering::Relaxed));
    let (text, bound) = question.statement(Engine::Sqlite, connection.most_rows);
    let asking = async {
        let mut query = sqlx::query(AssertSqlSafe(text)).persistent(false);
        for value in question.values(&bound) {
            query = query.bind(value);
        }
        let rows = query.fetch(&mut link);
        question.take(rows, connection.most_rows, |row, at| row.try_get(at)).await
    };
    let asked = tokio::time::timeout(connection.statement, asking).await;
    // Whatever is still at work in the engine ends at its next look.
    over.store(true, Ordering::Relaxed);
    asked.map_err(|_| QueryError::TooLong(connection.statement.as_secs()))?
}
