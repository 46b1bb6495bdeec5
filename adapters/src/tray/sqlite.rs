//! Items into a table of a SQLite database.

use std::{path::Path, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

use super::{
    Holds, Item, TrayError,
    column::{Column, Types},
    written,
};
use crate::config::TableTray;

/// Kinds are affinities, as SQLite tells them from the words of a type, and `json`.
const TYPES: Types = Types { texts: &["text"], jsons: &["json"], times: &["time"] };

/// A primary key of texts has an index of its own in the list. A column is exact unless its
/// collation is another than the plain one, which is told of the index that makes it unique.
const COLUMNS: &str = "
    SELECT c.name AS name,
           CASE WHEN upper(c.type) LIKE '%CHAR%' OR upper(c.type) LIKE '%TEXT%'
                  OR upper(c.type) LIKE '%CLOB%' THEN 'text'
                WHEN upper(c.type) LIKE 'JSON%' THEN 'json'
                WHEN upper(c.type) LIKE '%DATE%' OR upper(c.type) LIKE '%TIME%' THEN 'time'
                ELSE 'other' END AS kind,
           EXISTS (SELECT 1 FROM pragma_index_list(?1) l
                   WHERE l.\"unique\" = 1 AND l.partial = 0
                     AND (SELECT count(*) FROM pragma_index_info(l.name)) = 1
                     AND (SELECT i.name FROM pragma_index_info(l.name) i) = c.name) AS is_unique,
           NOT EXISTS (SELECT 1 FROM pragma_index_list(?1) l
                       JOIN pragma_index_xinfo(l.name) x
                       WHERE l.\"unique\" = 1 AND x.\"key\" = 1 AND x.name = c.name
                         AND x.coll <> 'BINARY') AS is_exact,
           1 AS may_read, 1 AS may_write
    FROM pragma_table_info(?1) c";

/// A table that was found fit, and a connection to it.
#[derive(Debug)]
pub(super) struct SqliteLink {
    connection: SqliteConnection,
    table: String,
    key: String,
    insert: String,
    is_timed: bool,
}

impl SqliteLink {
    pub(super) async fn open(
        file: &Path,
        config: &TableTray,
        holds: Holds,
    ) -> Result<Self, TrayError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(false)
            .synchronous(SqliteSynchronous::Extra)
            .busy_timeout(config.statement.min(Duration::from_secs(5)));
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let name = &config.table.table;
        let columns: Vec<Column> =
            sqlx::query_as(COLUMNS).bind(name).fetch_all(&mut connection).await?;
        let fields = TYPES.verify(&config.table, holds, &columns)?;
        let table = format!("\"{name}\"");
        let columns: Vec<String> =
            written(config).iter().map(|name| format!("\"{name}\"")).collect();
        let values = vec!["?"; columns.len()].join(", ");
        let key = config.table.key.clone();
        let insert = format!(
            "INSERT INTO {table} ({}) VALUES ({values}) ON CONFLICT (\"{key}\") DO NOTHING",
            columns.join(", ")
        );
        Ok(Self { connection, table, key, insert, is_timed: fields.received_at.is_some() })
    }

    pub(super) async fn insert(&mut self, item: &Item) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(self.insert.as_str()));
        let mut query = query.bind(&item.key).bind(&item.text);
        if self.is_timed {
            query = query.bind(item.at.to_string());
        }
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    pub(super) async fn stored(&mut self, key: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        let (table, column) = (&self.table, &self.key);
        let text = format!("SELECT CAST(\"{column}\" AS BLOB) FROM {table} WHERE \"{column}\" = ?");
        let query = sqlx::query_scalar::<_, Vec<u8>>(AssertSqlSafe(text)).bind(key);
        query.fetch_optional(&mut self.connection).await
    }

    pub(super) async fn waiting(&mut self, taken: &str, most: i64) -> Result<i64, sqlx::Error> {
        let table = &self.table;
        let text = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE \"{taken}\" IS NULL LIMIT ?)"
        );
        sqlx::query_scalar(AssertSqlSafe(text)).bind(most).fetch_one(&mut self.connection).await
    }
}
