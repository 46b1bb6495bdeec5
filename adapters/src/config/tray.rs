//! The settings of where what a platform tells is laid for the city: a folder, or a table of one of
//! its databases.

use std::{path::PathBuf, time::Duration};

use lienthong_model::document::{MapReader, Node};
use lienthong_store::ServerAddress;

use super::Reader;
use crate::config::{
    MysqlAddress, mistake,
    source::{Column, Table, address, password},
};

/// Where what a platform tells is laid.
#[derive(Debug, Clone)]
pub enum TrayConfig {
    /// A folder, one file for each item.
    Folder(PathBuf),
    /// A table, one row for each item.
    Table(TableTray),
}

/// A table that items are laid into.
#[derive(Debug, Clone)]
pub struct TableTray {
    /// Its database.
    pub address: TrayAddress,
    /// Its name and columns.
    pub table: TrayTable,
    /// How long a statement may take. Default 30 s.
    pub statement: Duration,
}

/// The database of a table that items are laid into.
#[derive(Debug, Clone)]
pub enum TrayAddress {
    /// A PostgreSQL server.
    Postgres(ServerAddress),
    /// A MySQL or MariaDB server.
    Mysql(MysqlAddress),
    /// A file of SQLite.
    Sqlite(PathBuf),
}

/// The name of a table and the columns that are used of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrayTable {
    /// Its name, with that of its schema where it has one.
    pub table: String,
    /// The column of the key, which no two rows may have alike.
    pub key: String,
    /// The column of the item.
    pub item: String,
    /// The column of the time at which it came.
    pub received_at: Option<String>,
    /// The column that the city fills once it has taken an item.
    pub taken_at: Option<String>,
}

/// What may stand where something is laid.
pub(super) const KINDS: [&str; 4] = ["folder", "postgres", "mysql", "sqlite"];

impl<'a> Reader<'a, '_> {
    /// Reads one of the kinds.
    pub(super) fn tray(&mut self, node: &'a Node, what: &str) -> Option<TrayConfig> {
        let beside = self.folder;
        let mut map = self.map(node, what, &KINDS)?;
        let given: Vec<(&str, &'a Node)> =
            KINDS.iter().filter_map(|kind| Some((*kind, map.optional(kind)?))).collect();
        let [(kind, inner)] = given[..] else {
            let kinds = KINDS.join("`, `");
            mistake(&mut map, format!("{what} needs one of `{kinds}`"));
            return None;
        };
        match kind {
            "folder" => map.text("folder").map(|name| TrayConfig::Folder(beside.join(name))),
            "sqlite" => self.file_tray(inner).map(TrayConfig::Table),
            kind => self.server_tray(inner, kind).map(TrayConfig::Table),
        }
    }

    fn file_tray(&mut self, node: &'a Node) -> Option<TableTray> {
        let folder = self.folder;
        let known = ["file", "table", "columns", "statement_seconds"];
        let mut map = self.map(node, "`sqlite`", &known)?;
        let file = map.text("file").map(|name| folder.join(name));
        let (table, columns, statement) = rest(&mut map);
        let table = self.columns(columns?, table);
        Some(TableTray { address: TrayAddress::Sqlite(file?), table: table?, statement })
    }

    fn server_tray(&mut self, node: &'a Node, kind: &str) -> Option<TableTray> {
        let known = ["database", "password_file", "table", "columns", "statement_seconds"];
        let mut map = self.map(node, &format!("`{kind}`"), &known)?;
        let (postgres, mysql) = match kind {
            "postgres" => (address::<ServerAddress>(&mut map), None),
            _ => (None, address::<MysqlAddress>(&mut map)),
        };
        let password = password(&mut map);
        let (table, columns, statement) = rest(&mut map);
        let table = columns.and_then(|columns| self.columns(columns, table));
        let password = match password {
            Some(name) => Some(self.secret(node.at, name)?),
            None => None,
        };
        let address = match (postgres, mysql, password) {
            (Some(address), _, None) => TrayAddress::Postgres(address),
            (Some(address), _, Some(word)) => TrayAddress::Postgres(address.with_password(&word)),
            (None, Some(address), None) => TrayAddress::Mysql(address),
            (None, Some(address), Some(word)) => TrayAddress::Mysql(address.with_password(&word)),
            (None, None, _) => return None,
        };
        Some(TableTray { address, table: table?, statement })
    }

    fn columns(&mut self, node: &'a Node, table: Option<Table>) -> Option<TrayTable> {
        let known = ["key", "item", "received_at", "taken_at"];
        let mut map = self.map(node, "`columns`", &known)?;
        let [key, item] = ["key", "item"].map(|name| map.parse::<Column>(name).map(|c| c.0));
        let [received_at, taken_at] = ["received_at", "taken_at"]
            .map(|name| map.parse_optional::<Column>(name).map(|column| column.0));
        let (key, item) = (key?, item?);
        let names = [Some(&key), Some(&item), received_at.as_ref(), taken_at.as_ref()];
        let names: Vec<&String> = names.into_iter().flatten().collect();
        if names.iter().enumerate().any(|(at, name)| names.iter().take(at).any(|n| n == name)) {
            mistake(&mut map, "`columns` names a column twice");
            return None;
        }
        Some(TrayTable { table: table?.0, key, item, received_at, taken_at })
    }
}

fn rest<'a>(map: &mut MapReader<'a, '_>) -> (Option<Table>, Option<&'a Node>, Duration) {
    let seconds = map.integer("statement_seconds", 1..=600, 30).unsigned_abs();
    (map.parse::<Table>("table"), map.required("columns"), Duration::from_secs(seconds))
}
