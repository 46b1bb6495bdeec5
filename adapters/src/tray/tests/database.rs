//! A database of each kind, for tests of tables that items are laid into.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::{
    config::TrayTable,
    source::testing::{Link, mariadb, mariadb_link, postgres, postgres_address, postgres_link},
};

/// A database.
pub(crate) enum Base {
    Postgres(Arc<postgres::Server>, String),
    Mysql(Arc<mariadb::Server>),
    Sqlite(TempDir),
}

/// One of each kind.
pub(crate) fn all() -> [Base; 3] {
    let postgres = postgres::Server::shared();
    let database = postgres.database();
    let folder = TempDir::new().unwrap();
    // An empty file is a database.
    std::fs::write(file(&folder), "").unwrap();
    [
        Base::Sqlite(folder),
        Base::Postgres(postgres, database),
        Base::Mysql(mariadb::Server::shared()),
    ]
}

/// A tray of all columns.
pub(crate) fn tray(address: TrayAddress, table: &str, holds: Holds) -> Tray {
    let config = TableTray {
        address,
        table: TrayTable {
            table: table.to_owned(),
            key: "event_id".to_owned(),
            item: "body".to_owned(),
            received_at: Some("received_at".to_owned()),
            taken_at: Some("taken_at".to_owned()),
        },
        statement: Duration::from_secs(30),
    };
    Tray::open(&TrayConfig::Table(config), holds).unwrap()
}

impl Base {
    /// A name of a table that nobody has.
    pub(crate) fn name(&self) -> String {
        static NAMES: AtomicU32 = AtomicU32::new(0);
        let number = NAMES.fetch_add(1, Ordering::Relaxed);
        format!("items_{}_{number}", std::process::id())
    }

    /// A table with all columns, its key with a constraint and the table with more.
    pub(crate) fn table(&self, key: &str, more: &str) -> String {
        let (text, time, end) = match self {
            Self::Postgres(..) => ("text", "timestamptz", ""),
            Self::Mysql(..) => (
                "varchar(60) COLLATE utf8mb4_bin",
                "datetime(6)",
                "ENGINE = InnoDB CHARACTER SET utf8mb4",
            ),
            Self::Sqlite(..) => ("TEXT", "TEXT", ""),
        };
        format!(
            "CREATE TABLE TABLE_NAME (event_id {text} {key}, body text, received_at {time}, \
             taken_at {time}, body_of varchar(10), other varchar(10){more}) {end}"
        )
    }

    /// The ways in which a column of items may be declared.
    pub(crate) fn jsons(&self) -> &'static [&'static str] {
        match self {
            Self::Postgres(..) => &["body text", "body varchar", "body json", "body jsonb"],
            Self::Mysql(..) => &["body text", "body longtext", "body json"],
            Self::Sqlite(..) => &["body text", "body JSON"],
        }
    }

    pub(crate) fn address(&self) -> TrayAddress {
        match self {
            Self::Postgres(server, database) => {
                TrayAddress::Postgres(postgres_address(server, database))
            }
            Self::Mysql(server) => TrayAddress::Mysql(server.url("mysql").parse().unwrap()),
            Self::Sqlite(folder) => TrayAddress::Sqlite(file(folder)),
        }
    }

    pub(crate) fn tray(&self, table: &str, holds: Holds) -> Tray {
        tray(self.address(), table, holds)
    }

    /// Runs a statement.
    pub(crate) async fn run(&self, text: &str) {
        match self {
            Self::Postgres(server, database) => {
                postgres_link(server, database).await.run(text).await
            }
            Self::Mysql(server) => mariadb_link(server, "mysql").await.run(text).await,
            Self::Sqlite(folder) => {
                let mut link = open(folder).await;
                let done = link.execute(AssertSqlSafe(text)).await;
                done.unwrap_or_else(|error| panic!("{text}: {error}"));
                link.close().await.unwrap();
            }
        }
    }

    /// The keys of a table's rows, in order.
    pub(crate) async fn keys(&self, table: &str) -> Vec<String> {
        let mut keys = self.texts(&format!("SELECT event_id FROM {table}")).await;
        keys.sort();
        keys
    }

    /// Texts that a statement gives, of one column.
    pub(crate) async fn texts(&self, text: &str) -> Vec<String> {
        let column = text.split(' ').nth(1).unwrap();
        let cast = match self {
            Self::Postgres(..) | Self::Sqlite(..) => format!("CAST({column} AS text)"),
            Self::Mysql(..) => format!("CAST({column} AS CHAR)"),
        };
        let text = AssertSqlSafe(text.replacen(column, &cast, 1));
        match self {
            Self::Postgres(server, database) => match postgres_link(server, database).await {
                Link::Postgres(mut link) => {
                    sqlx::query_scalar(text).fetch_all(&mut link).await.unwrap()
                }
                Link::Mysql(_) => panic!("it is PostgreSQL"),
            },
            Self::Mysql(server) => match mariadb_link(server, "mysql").await {
                Link::Mysql(mut link) => {
                    sqlx::query_scalar(text).fetch_all(&mut link).await.unwrap()
                }
                Link::Postgres(_) => panic!("it is MariaDB"),
            },
            Self::Sqlite(folder) => {
                sqlx::query_scalar(text).fetch_all(&mut open(folder).await).await.unwrap()
            }
        }
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("city.db")
}

async fn open(folder: &TempDir) -> SqliteConnection {
    let options = sqlite::SqliteConnectOptions::new().filename(file(folder));
    SqliteConnection::connect_with(&options.create_if_missing(true)).await.unwrap()
}
