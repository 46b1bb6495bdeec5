//! Items into a table of a PostgreSQL database.

use lienthong_store::ServerAddress;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::{
    Holds, Item, TrayError,
    column::{Column, Fields, Types},
    written,
};
use crate::config::TableTray;

const TYPES: Types = Types {
    texts: &["text", "varchar"],
    jsons: &["json", "jsonb"],
    times: &["timestamptz", "timestamp"],
};

/// A constraint that may be deferred is none for `ON CONFLICT`.
const COLUMNS: &str = "
    SELECT a.attname::text AS name, coalesce(b.typname, t.typname)::text AS kind,
           EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique
                   AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
                   AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum) AS is_unique,
           coalesce(c.collisdeterministic, true) AS is_exact,
           has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS may_read,
           has_column_privilege(a.attrelid, a.attnum, 'INSERT') AS may_write
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
    LEFT JOIN pg_collation c ON c.oid = a.attcollation
    WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped";

/// A row must be on disk when its statement ends, whatever the server does for others.
const DURABLE: &str = "SELECT set_config('synchronous_commit', 'on', false)
                       WHERE current_setting('synchronous_commit') = 'off'";

/// A table that was found fit, and a connection to it.
#[derive(Debug)]
pub(super) struct PostgresLink {
    connection: PgConnection,
    /// `"schema"."table"`.
    table: String,
    key: String,
    insert: String,
    is_timed: bool,
}

impl PostgresLink {
    pub(super) async fn open(
        address: &ServerAddress,
        config: &TableTray,
        holds: Holds,
    ) -> Result<Self, TrayError> {
        let statement = format!("{}s", config.statement.as_secs());
        let options = address.options().application_name("lienthong-adapters").options([
            ("statement_timeout", statement.as_str()),
            ("lock_timeout", statement.as_str()),
            ("default_transaction_read_only", "off"),
            ("timezone", "UTC"),
        ]);
        let mut connection = PgConnection::connect_with(&options).await?;
        sqlx::query(DURABLE).execute(&mut connection).await?;
        let table = quoted(&config.table.table);
        let columns: Vec<Column> =
            sqlx::query_as(COLUMNS).bind(&table).fetch_all(&mut connection).await?;
        let fields = TYPES.verify(&config.table, holds, &columns)?;
        let insert = insert(config, &table, &fields);
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
            query = query.bind(item.at.to_string());
        }
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    pub(super) async fn stored(&mut self, key: &str) -> Result<Option<Vec<u8>>, sqlx::Error> {
        let (table, column) = (&self.table, &self.key);
        let text = format!("SELECT \"{column}\"::text FROM {table} WHERE \"{column}\" = $1");
        let query = sqlx::query_scalar::<_, String>(AssertSqlSafe(text)).bind(key);
        Ok(query.fetch_optional(&mut self.connection).await?.map(String::into_bytes))
    }

    pub(super) async fn waiting(&mut self, taken: &str, most: i64) -> Result<i64, sqlx::Error> {
        let table = &self.table;
        let text = format!(
            "SELECT count(*) FROM (SELECT FROM {table} WHERE \"{taken}\" IS NULL LIMIT $1) AS waiting"
        );
        sqlx::query_scalar(AssertSqlSafe(text)).bind(most).fetch_one(&mut self.connection).await
    }
}

fn insert(config: &TableTray, table: &str, fields: &Fields) -> String {
    let columns: Vec<String> = written(config).iter().map(|name| format!("\"{name}\"")).collect();
    let mut values = vec!["$1".to_owned(), format!("$2::text::{}", fields.item)];
    values.extend(fields.received_at.as_ref().map(|kind| format!("$3::text::{kind}")));
    format!(
        "INSERT INTO {table} ({}) VALUES ({}) ON CONFLICT (\"{}\") DO NOTHING",
        columns.join(", "),
        values.join(", "),
        config.table.key,
    )
}

fn quoted(name: &str) -> String {
    name.split('.').map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")
}
