//! The settings of a table on a database server: how it is reached, and how late a commit may come.
//!
//! An address has no secret in it, and leads to another machine only over TLS that proves the server.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use lienthong_model::{
    document::{MapReader, Node},
    sensitive::Sensitive,
};
use lienthong_store::ServerAddress;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use super::{Column, PACE, Pace, SourceConfig, SourceKind, TABLE, TableConfig, TableMode, table};
use crate::config::{Reader, mistake};

/// A table of a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresConfig {
    /// The database.
    pub address: ServerAddress,
    /// The table.
    pub table: TableConfig,
    /// Mode `watermark`: the column of type `xid8` that holds the transaction of a row.
    pub transaction_column: Option<String>,
    /// Mode `watermark` without such a column: how long a position may be given before the
    /// transaction begins to write. Default 10 min.
    pub overlap: Duration,
    /// How long a statement may take. Default 30 s.
    pub statement: Duration,
}

/// A table of a MySQL or MariaDB database.
#[derive(Debug, Clone)]
pub struct MysqlConfig {
    /// The database.
    pub address: MysqlAddress,
    /// The table.
    pub table: TableConfig,
    /// Mode `watermark`: how long a position may be given before it is committed. Default 30 min.
    pub overlap: Duration,
    /// How long a statement may take. Default 30 s.
    pub statement: Duration,
}

const SERVER: [&str; 4] = ["database", "password_file", "overlap_minutes", "statement_seconds"];

impl<'a> Reader<'a, '_> {
    pub(super) fn postgres(&mut self, node: &'a Node) -> Option<SourceConfig> {
        let known = [&["transaction_column"], &SERVER[..], &TABLE[..], &PACE[..]].concat();
        let mut map = self.map(node, "`postgres`", &known)?;
        let address = address::<ServerAddress>(&mut map);
        let password = password(&mut map);
        let transaction_column = map.parse_optional::<Column>("transaction_column").map(|c| c.0);
        let (overlap, statement) = times(&mut map, 10);
        let table = watermark(&mut map, &["transaction_column", "overlap_minutes"]);
        if transaction_column.is_some() && map.optional("overlap_minutes").is_some() {
            mistake(
                &mut map,
                "with `transaction_column` there is no `overlap_minutes`: none is needed",
            );
        }
        let pace = Pace::read(&mut map);
        let address = match password {
            Some(file) => address?.with_password(&self.secret(node.at, file)?),
            None => address?,
        };
        let table = table?;
        let config = PostgresConfig { address, table, transaction_column, overlap, statement };
        Some(pace.of(SourceKind::Postgres(config)))
    }

    pub(super) fn mysql(&mut self, node: &'a Node) -> Option<SourceConfig> {
        let known = [&SERVER[..], &TABLE[..], &PACE[..]].concat();
        let mut map = self.map(node, "`mysql`", &known)?;
        let address = address::<MysqlAddress>(&mut map);
        let password = password(&mut map);
        let (overlap, statement) = times(&mut map, 30);
        let table = watermark(&mut map, &["overlap_minutes"]);
        let pace = Pace::read(&mut map);
        let address = match password {
            Some(file) => address?.with_password(&self.secret(node.at, file)?),
            None => address?,
        };
        let config = MysqlConfig { address, table: table?, overlap, statement };
        Some(pace.of(SourceKind::Mysql(config)))
    }
}

/// The text is never told: it may have a password in it, which is the mistake.
pub(in crate::config) fn address<T: FromStr<Err: fmt::Display>>(
    map: &mut MapReader<'_, '_>,
) -> Option<T> {
    match map.text("database")?.parse() {
        Ok(address) => Some(address),
        Err(error) => {
            mistake(map, format!("`database` {error}"));
            None
        }
    }
}

pub(in crate::config) fn password<'a>(map: &mut MapReader<'a, '_>) -> Option<&'a str> {
    map.optional("password_file").and_then(|_| map.text("password_file"))
}

fn times(map: &mut MapReader<'_, '_>, overlap: i64) -> (Duration, Duration) {
    let overlap = map.integer("overlap_minutes", 1..=1_440, overlap).unsigned_abs();
    let statement = map.integer("statement_seconds", 1..=600, 30).unsigned_abs();
    (Duration::from_secs(overlap.saturating_mul(60)), Duration::from_secs(statement))
}

/// The table, of which only mode `watermark` has these settings.
fn watermark(map: &mut MapReader<'_, '_>, only: &[&str]) -> Option<TableConfig> {
    let table = table::table(map)?;
    for name in only {
        if table.mode != TableMode::Watermark && map.optional(name).is_some() {
            mistake(map, format!("`{name}` is for mode `watermark` only"));
        }
    }
    Some(table)
}

/// A database on a MySQL or MariaDB server.
#[derive(Clone)]
pub struct MysqlAddress {
    text: String,
    options: Box<MySqlConnectOptions>,
}

impl MysqlAddress {
    /// The same, with a password.
    #[must_use]
    pub fn with_password(self, password: &Sensitive<String>) -> Self {
        Self { options: Box::new(self.options.password(password.expose())), ..self }
    }

    /// How to connect.
    pub(crate) fn options(&self) -> MySqlConnectOptions {
        (*self.options).clone()
    }
}

impl fmt::Debug for MysqlAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MysqlAddress").field(&self.text).finish()
    }
}

impl FromStr for MysqlAddress {
    type Err = &'static str;

    /// Reads `mysql://…`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "must be `mysql://USER@HOST/DATABASE`";
        let rest = text.strip_prefix("mysql://").ok_or(FORM)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').ok_or(FORM)?;
        let (user, host) = authority.rsplit_once('@').ok_or(FORM)?;
        if user.contains(':') {
            return Err("must not have a password in it: a password comes by file");
        }
        if user.is_empty() || database.is_empty() {
            return Err(FORM);
        }
        let known = ["ssl-mode", "ssl-ca", "socket"];
        if query
            .split('&')
            .any(|p| !p.is_empty() && !known.contains(&p.split('=').next().unwrap_or_default()))
        {
            return Err(
                "may have `ssl-mode`, `ssl-ca` and `socket` behind its `?`, and nothing else",
            );
        }
        let options = MySqlConnectOptions::from_str(text).map_err(|_| FORM)?;
        let address = host.split(':').next().unwrap_or_default().parse::<IpAddr>();
        let here = options.get_socket().is_some()
            || options.get_host() == "localhost"
            || address.is_ok_and(|address| address.is_loopback());
        let proves = matches!(options.get_ssl_mode(), MySqlSslMode::VerifyIdentity);
        let asks = query.split('&').any(|pair| pair.starts_with("ssl-mode="));
        let anchored =
            query.split('&').any(|pair| pair.starts_with("ssl-ca=") && pair != "ssl-ca=");
        if !here && (!proves || !anchored) {
            return Err("on another machine needs `ssl-mode=VERIFY_IDENTITY` and `ssl-ca=FILE`");
        }
        // SECURITY: any other mode falls back to the clear, or believes whoever answers.
        if asks && !(proves && anchored) {
            return Err("has no other TLS than `ssl-mode=VERIFY_IDENTITY` with `ssl-ca=FILE`");
        }
        let options = if proves { options } else { options.ssl_mode(MySqlSslMode::Disabled) };
        Ok(Self { text: text.to_owned(), options: Box::new(options) })
    }
}
