//! Asking PostgreSQL.

use lienthong_store::ServerAddress;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, Row as _};

use super::{Engine, QueryError, Question, Rows, connected, in_time};
use crate::config::ConnectionConfig;

pub(super) async fn ask(
    question: &Question<'_>,
    address: &ServerAddress,
    connection: &ConnectionConfig,
) -> Result<Rows, QueryError> {
    let statement = format!("{}s", connection.statement.as_secs());
    let options = address.options().application_name("lienthong-indicators").options([
        ("statement_timeout", statement.as_str()),
        ("lock_timeout", statement.as_str()),
        ("default_transaction_read_only", "on"),
        ("datestyle", "ISO"),
    ]);
    let mut link = connected(PgConnection::connect_with(&options)).await?;
    let (text, bound) = question.statement(Engine::Postgres, connection.most_rows);
    let asking = async {
        // Civil time of the city, whatever the server's own tables of zones are.
        link.execute("SET TIME ZONE INTERVAL '+07:00' HOUR TO MINUTE").await?;
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
