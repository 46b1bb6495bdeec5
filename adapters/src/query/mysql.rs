//! Asking MySQL or MariaDB.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, Row as _};

use super::{Engine, QueryError, Question, Rows, connected, in_time};
use crate::config::{ConnectionConfig, MysqlAddress};

pub(super) async fn ask(
    question: &Question<'_>,
    address: &MysqlAddress,
    connection: &ConnectionConfig,
) -> Result<Rows, QueryError> {
    // Civil time of the city.
    let options = address.options().timezone(Some("+07:00".to_owned())).charset("utf8mb4");
    let mut link = connected(MySqlConnection::connect_with(&options)).await?;
    let (text, bound) = question.statement(Engine::Mysql, connection.most_rows);
    let asking = async {
        read_only(&mut link, connection.statement.as_secs()).await?;
        let mut query = sqlx::query(AssertSqlSafe(text)).persistent(false);
        for value in question.values(&bound) {
            query = query.bind(value);
        }
        let rows = query.fetch(&mut link);
        question.take(rows, connection.most_rows, |row, at| row.try_get(at)).await
    };
    let asked = in_time(connection.statement, asking).await;
    // Nothing was written: how the session ends is of no matter.
    drop(link.close().await);
    asked
}

/// A session that writes nothing and ends a statement that takes too long.
async fn read_only(link: &mut MySqlConnection, seconds: u64) -> Result<(), sqlx::Error> {
    link.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY").await?;
    let version: String = sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *link).await?;
    let limit = if version.contains("MariaDB") {
        format!("SET SESSION max_statement_time = {seconds}")
    } else {
        format!("SET SESSION max_execution_time = {}", seconds.saturating_mul(1_000))
    };
    link.execute(AssertSqlSafe(limit)).await?;
    Ok(())
}
