//! Items into a table of a MySQL or MariaDB database.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection};

use super::{
    Holds, Item, TrayError,
    column::{Column, Types},
    written,
};
use crate::config::{MysqlAddress, TableTray};

const TYPES: Types = Types {
    texts: &["char", "varchar", "tinytext", "text", "mediumtext", "longtext"],
    jsons: &["json"],
    times: &["datetime", "timestamp"],
};

/// What the server says of a column; the names of its types are lower case already.
const COLUMNS: &str = "
    SELECT CAST(column_name AS CHAR) AS name, CAST(data_type AS CHAR) AS kind,
           EXISTS (SELECT 1 FROM information_schema.statistics s
                   WHERE s.table_schema = c.table_schema AND s.table_name = c.table_name
                     AND s.column_name = c.column_name AND s.non_unique = 0
                     AND s.sub_part IS NULL
                     AND NOT EXISTS (SELECT 1 FROM information_schema.statistics o
                                     WHERE o.table_schema = s.table_schema
                                       AND o.table_name = s.table_name
                                       AND o.index_name = s.index_name AND o.seq_in_index = 2))
             AS is_unique,
           coalesce(collation_name LIKE '%\\_bin', false) AS is_exact,
           privileges LIKE '%select%' AS may_read, privileges LIKE '%insert%' AS may_write
    FROM information_schema.columns c
    WHERE table_schema = coalesce(?, DATABASE()) AND table_name = ?";

const ENGINE: &str = "
    SELECT CAST(coalesce(engine, '') AS CHAR) FROM information_schema.tables
    WHERE table_schema = coalesce(?, DATABASE()) AND table_name = ?";

/// A table that was found fit, and a connection to it.
#[derive(Debug)]
pub(super) struct MysqlLink {
    connection: MySqlConnection,
    /// `` `schema`.`table` ``.
    table: String,
    key: String,
    insert: String,
    is_timed: bool,
}

impl MysqlLink {
    pub(super) async fn open(
        address: &MysqlAddress,
        config: &TableTray,
        holds: Holds,
    ) -> Result<Self, TrayError> {
        let options = address.options().timezone(Some("+00:00".to_owned())).charset("utf8mb4");
        let mut connection = MySqlConnection::connect_with(&options).await?;
        prepare(&mut connection, config.statement.as_secs()).await?;
        let name = &config.table.table;
        let (schema, bare) =
            name.split_once('.').map_or((None, name.as_str()), |(s, name)| (Some(s), name));
        let columns: Vec<Column> =
            sqlx::query_as(COLUMNS).bind(schema).bind(bare).fetch_all(&mut connection).await?;
        let fields = TYPES.verify(&config.table, holds, &columns)?;
        let engine: String =
            sqlx::query_scalar(ENGINE).bind(schema).bind(bare).fetch_one(&mut connection).await?;
        if !engine.eq_ignore_ascii_case("InnoDB") {
            let words = format!("table `{name}` must be of InnoDB: else a crash loses rows");
            return Err(TrayError::Unfit(words));
        }
        let table = name.split('.').map(|part| format!("`{part}`")).collect::<Vec<_>>().join(".");
        let columns: Vec<String> = written(config).iter().map(|name| format!("`{name}`")).collect();
        let values = vec!["?"; columns.len()].join(", ");
        let insert = format!("INSERT INTO {table} ({}) VALUES ({values})", columns.join(", "));
        let key = config.table.key.clone();
        Ok(Self { connection, table, key, insert, is_timed: fields.received_at.is_some() })
    }

    pub(super) async fn ping(&mut self) -> Result<(), sqlx::Error> {
        self.connection.ping().await
    }

    pub(super) async fn insert(&mut self, item: &Item) -> Result<u64, sqlx::Error> {
        let query = sqlx::query(AssertSqlSafe(self.insert.as_str()));
        let mut query = query.bind(&item.key).bind(&item.text);
        if self.is_timed {
            query = query.bind(item.at.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string());
        }
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    pub(super) async fn stored(&mut self, key: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        let (table, column) = (&self.table, &self.key);
        let text =
            format!("SELECT CAST(`{column}` AS BINARY) FROM {table} WHERE `{column}` = ? LIMIT 1");
        let query = sqlx::query_scalar::<_, Vec<u8>>(AssertSqlSafe(text)).bind(key);
        query.fetch_optional(&mut self.connection).await
    }

    pub(super) async fn waiting(&mut self, taken: &str, most: i64) -> Result<i64, sqlx::Error> {
        let table = &self.table;
        let text = format!(
            "SELECT count(*) FROM (SELECT 1 FROM {table} WHERE `{taken}` IS NULL LIMIT ?) AS waiting"
        );
        sqlx::query_scalar(AssertSqlSafe(text)).bind(most).fetch_one(&mut self.connection).await
    }
}

/// What a session must be like: a value that does not fit is refused, never cut short.
async fn prepare(connection: &mut MySqlConnection, seconds: u64) -> Result<(), TrayError> {
    for text in [
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')".to_owned(),
        "SET SESSION autocommit = 1".to_owned(),
        "SET SESSION TRANSACTION READ WRITE".to_owned(),
        format!("SET SESSION innodb_lock_wait_timeout = {seconds}"),
    ] {
        connection.execute(AssertSqlSafe(text)).await?;
    }
    let version: String =
        sqlx::query_scalar("SELECT VERSION()").fetch_one(&mut *connection).await?;
    if version.contains("MariaDB") {
        let limit = format!("SET SESSION max_statement_time = {seconds}");
        connection.execute(AssertSqlSafe(limit)).await?;
    }
    let flush: i64 = sqlx::query_scalar("SELECT CAST(@@innodb_flush_log_at_trx_commit AS SIGNED)")
        .fetch_one(&mut *connection)
        .await?;
    if flush != 1 {
        tracing::warn!(
            "the server of a table for items has `innodb_flush_log_at_trx_commit` other than 1: a \
             power cut may lose what it has taken"
        );
    }
    Ok(())
}
