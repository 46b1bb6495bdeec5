//! City databases that figures and record sets are computed from, each by a name.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use lienthong_model::{
    document::{self, MapReader, Node},
    sensitive::Sensitive,
};
use lienthong_store::ServerAddress;

use super::{
    MysqlAddress, Reader,
    source::{Column, address, password},
};

/// A city database that is asked.
#[derive(Debug, Clone)]
pub struct ConnectionConfig {
    /// Where it is.
    pub kind: ConnectionKind,
    /// How long a query may take. Default 60 s.
    pub statement: Duration,
    /// Most rows of a query; more are refused. Default 100,000.
    pub most_rows: u32,
}

/// Where a database is.
#[derive(Debug, Clone)]
pub enum ConnectionKind {
    /// A PostgreSQL server.
    Postgres(ServerAddress),
    /// A MySQL or MariaDB server.
    Mysql(MysqlAddress),
    /// An SQLite file.
    Sqlite(PathBuf),
}

const BOUNDS: [&str; 2] = ["statement_seconds", "most_rows"];
const SERVER: [&str; 2] = ["database", "password_file"];

/// What all kinds have.
struct Limits {
    statement: Duration,
    most_rows: u32,
}

impl Limits {
    fn read(map: &mut MapReader<'_, '_>) -> Self {
        let seconds = map.integer("statement_seconds", 1..=3_600, 60).unsigned_abs();
        let rows = map.integer("most_rows", 1..=1_000_000, 100_000);
        let most_rows = u32::try_from(rows).unwrap_or(100_000);
        Self { statement: Duration::from_secs(seconds), most_rows }
    }

    fn of(self, kind: ConnectionKind) -> ConnectionConfig {
        ConnectionConfig { kind, statement: self.statement, most_rows: self.most_rows }
    }
}

impl<'a> Reader<'a, '_> {
    /// Named connections.
    pub(super) fn connections(&mut self, node: &'a Node) -> BTreeMap<String, ConnectionConfig> {
        let entries = document::entries(self.file, node, "`connections`", self.found);
        let mut connections = BTreeMap::new();
        for (key, node) in entries {
            if key.text.parse::<Column>().is_err() {
                self.mistake(key.at, "a connection's name has letters, digits and `_` only");
                continue;
            }
            if let Some(connection) = self.connection(node) {
                connections.insert(key.text.clone(), connection);
            }
        }
        connections
    }

    fn connection(&mut self, node: &'a Node) -> Option<ConnectionConfig> {
        let kinds = ["postgres", "mysql", "sqlite"];
        let map = self.map(node, "a connection", &kinds)?;
        let given: Vec<(&str, &'a Node)> =
            kinds.iter().filter_map(|kind| Some((*kind, map.optional(kind)?))).collect();
        let [(kind, node)] = given[..] else {
            self.mistake(node.at, "a connection needs one of `postgres`, `mysql` and `sqlite`");
            return None;
        };
        match kind {
            "sqlite" => {
                let folder = self.folder;
                let mut map = self.map(node, "`sqlite`", &[&["file"], &BOUNDS[..]].concat())?;
                let file = map.text("file").map(|name| folder.join(name));
                let limits = Limits::read(&mut map);
                Some(limits.of(ConnectionKind::Sqlite(file?)))
            }
            "mysql" => {
                let (address, password, limits) = self.server::<MysqlAddress>(node, "`mysql`")?;
                let address = match password {
                    Some(password) => address.with_password(&password),
                    None => address,
                };
                Some(limits.of(ConnectionKind::Mysql(address)))
            }
            _ => {
                let (address, password, limits) =
                    self.server::<ServerAddress>(node, "`postgres`")?;
                let address = match password {
                    Some(password) => address.with_password(&password),
                    None => address,
                };
                Some(limits.of(ConnectionKind::Postgres(address)))
            }
        }
    }

    fn server<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        node: &'a Node,
        what: &str,
    ) -> Option<(T, Option<Sensitive<String>>, Limits)> {
        let mut map = self.map(node, what, &[&SERVER[..], &BOUNDS[..]].concat())?;
        let (place, file) = (address::<T>(&mut map), password(&mut map));
        let limits = Limits::read(&mut map);
        let password = match file {
            Some(file) => Some(self.secret(node.at, file)?),
            None => None,
        };
        Some((place?, password, limits))
    }
}
