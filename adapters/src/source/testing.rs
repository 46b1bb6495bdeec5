//! Real database servers, and writers that interleave, for tests of sources.

pub(crate) mod mariadb;
#[path = "../../../gateway/store/src/testing/postgres.rs"]
#[allow(dead_code, reason = "its crate needs all of it")]
pub(crate) mod postgres;

mod interleave;

use std::time::Duration;

use jiff::Timestamp;
use lienthong_model::sensitive::Sensitive;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection};

pub(crate) use self::interleave::{Interleaving, Pace};
use super::{Mark, Reading, Source};
use crate::{
    config::{
        DeliveryConfig, FlowConfig, MysqlConfig, PlatformName, PostgresConfig, SourceConfig,
        SourceKind, TableConfig, TableMode,
    },
    row::Row,
};

/// A connection to a database of a test's own.
pub(crate) enum Link {
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

impl Link {
    /// Runs a statement.
    pub(crate) async fn run(&mut self, text: &str) {
        let done = match self {
            Self::Postgres(link) => link.execute(AssertSqlSafe(text)).await.map(drop),
            Self::Mysql(link) => link.execute(AssertSqlSafe(text)).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// Whole numbers that a statement gives.
    pub(crate) async fn numbers(&mut self, text: &str) -> Vec<i64> {
        let text = AssertSqlSafe(text);
        match self {
            Self::Postgres(link) => sqlx::query_scalar(text).fetch_all(link).await.unwrap(),
            Self::Mysql(link) => sqlx::query_scalar(text).fetch_all(link).await.unwrap(),
        }
    }
}

/// A connection to a PostgreSQL database.
pub(crate) async fn postgres_link(server: &postgres::Server, database: &str) -> Link {
    let options = postgres_address(server, database).options();
    Link::Postgres(PgConnection::connect_with(&options).await.unwrap())
}

/// The address of a PostgreSQL database.
pub(crate) fn postgres_address(
    server: &postgres::Server,
    database: &str,
) -> lienthong_store::ServerAddress {
    let address: lienthong_store::ServerAddress = server.url(database).parse().unwrap();
    address.with_password(&Sensitive::new(postgres::PASSWORD.to_owned()))
}

/// A connection to a MariaDB database.
pub(crate) async fn mariadb_link(server: &mariadb::Server, database: &str) -> Link {
    let address: crate::config::MysqlAddress = server.url(database).parse().unwrap();
    Link::Mysql(MySqlConnection::connect_with(&address.options()).await.unwrap())
}

/// The table that tests read.
pub(crate) fn table(name: &str, mode: TableMode) -> TableConfig {
    TableConfig { table: name.to_owned(), mode, position: "id".to_owned(), key: "event".to_owned() }
}

/// A table of a PostgreSQL database.
pub(crate) fn postgres_config(
    server: &postgres::Server,
    database: &str,
    table: TableConfig,
) -> PostgresConfig {
    PostgresConfig {
        address: postgres_address(server, database),
        table,
        transaction_column: None,
        overlap: Duration::from_secs(60),
        statement: Duration::from_secs(30),
    }
}

/// A table of a MariaDB database.
pub(crate) fn mysql_config(
    server: &mariadb::Server,
    database: &str,
    table: TableConfig,
) -> MysqlConfig {
    MysqlConfig {
        address: server.url(database).parse().unwrap(),
        table,
        overlap: Duration::from_secs(1_800),
        statement: Duration::from_secs(30),
    }
}

/// A flow that reads `case_code` beside position and key, and one more column.
pub(crate) fn flow(kind: SourceKind, other: Option<&str>) -> FlowConfig {
    FlowConfig {
        id: "tested".parse().unwrap(),
        platform: PlatformName::Npsp,
        source: SourceConfig {
            kind,
            batch: 200,
            poll: Duration::from_secs(2),
            most_waiting: 10_000,
            compare: None,
        },
        order_by: "case_code".to_owned(),
        dossier: "case_code".to_owned(),
        officer: other.map(str::to_owned),
        delivery: DeliveryConfig::default(),
        messages: Vec::new(),
        quality: crate::config::QualityConfig::default(),
    }
}

/// A moment of tests.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// The keys of rows.
pub(crate) fn keys(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.key.as_str()).collect()
}

/// Reads until there is no more; gives the rows and the last mark.
pub(crate) async fn drain(
    source: &Source,
    mut mark: Option<Mark>,
    limit: u32,
    now: Timestamp,
) -> (Vec<Row>, Option<Mark>) {
    let mut all = Vec::new();
    loop {
        let Reading { rows, mark: next, more } =
            source.next(mark.as_ref(), limit, now).await.unwrap();
        source.taken(&rows, now).await.unwrap();
        all.extend(rows);
        mark = next.or(mark);
        if !more {
            return (all, mark);
        }
    }
}
