//! The settings of a source: where it is, which table or folder, and how new rows are told from old.

mod folder;
mod server;
mod table;

use std::{path::PathBuf, str::FromStr, time::Duration};

use lienthong_model::document::{MapReader, Node};

pub use self::{
    folder::{CsvConfig, Encoding},
    server::{MysqlAddress, MysqlConfig, PostgresConfig},
    table::{TableConfig, TableMode, Taken},
};
pub(super) use self::{
    server::{address, password},
    table::Table,
};
use super::Reader;

/// Where rows come from, and at what pace.
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Where they come from.
    pub kind: SourceKind,
    /// Most rows read at once. Default 2,000.
    pub batch: u32,
    /// How often new rows are looked for. Default 2 s.
    pub poll: Duration,
    /// No rows are read while so many messages wait. Default 10,000.
    pub most_waiting: u64,
    /// How often all keys are compared with those that were read. Default 24 h; 0 means never.
    pub compare: Option<Duration>,
}

/// Where rows come from.
#[derive(Debug, Clone)]
pub enum SourceKind {
    /// A table of a PostgreSQL database.
    Postgres(PostgresConfig),
    /// A table of a MySQL or MariaDB database.
    Mysql(MysqlConfig),
    /// A table of a SQLite database.
    Sqlite(SqliteConfig),
    /// A folder into which CSV files are put.
    Csv(CsvConfig),
    /// The releases of indicators in the durable state.
    Releases,
}

/// A table of a SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteConfig {
    /// The database.
    pub file: PathBuf,
    /// The table.
    pub table: TableConfig,
}

/// The settings of every source.
const PACE: [&str; 4] = ["batch", "poll_seconds", "most_waiting", "compare_hours"];
/// The settings of every table.
const TABLE: [&str; 6] = ["table", "mode", "position", "key", "taken_at", "taken"];

impl<'a> Reader<'a, '_> {
    pub(super) fn source(&mut self, node: &'a Node) -> Option<SourceConfig> {
        let kinds = ["postgres", "mysql", "sqlite", "csv", "releases"];
        let map = self.map(node, "`source`", &kinds)?;
        let given: Vec<(&str, &'a Node)> =
            kinds.iter().filter_map(|kind| Some((*kind, map.optional(kind)?))).collect();
        let [(kind, node)] = given[..] else {
            self.mistake(
                node.at,
                "`source` needs one of `postgres`, `mysql`, `sqlite`, `csv` and `releases`",
            );
            return None;
        };
        match kind {
            "postgres" => self.postgres(node),
            "mysql" => self.mysql(node),
            "sqlite" => self.sqlite(node),
            "releases" => {
                let mut map = self.map(node, "`releases`", &PACE)?;
                Some(Pace::read(&mut map).of(SourceKind::Releases))
            }
            _ => self.csv(node),
        }
    }

    fn sqlite(&mut self, node: &'a Node) -> Option<SourceConfig> {
        let known = [&["file"], &TABLE[..], &PACE[..]].concat();
        let folder = self.folder;
        let mut map = self.map(node, "`sqlite`", &known)?;
        let file = map.text("file").map(|name| folder.join(name));
        let table = table::table(&mut map);
        let pace = Pace::read(&mut map);
        Some(pace.of(SourceKind::Sqlite(SqliteConfig { file: file?, table: table? })))
    }
}

/// What all sources have.
struct Pace {
    batch: i64,
    poll: i64,
    most_waiting: i64,
    compare: i64,
}

impl Pace {
    fn read(map: &mut MapReader<'_, '_>) -> Self {
        Self {
            batch: map.integer("batch", 1..=10_000, 2_000),
            poll: map.integer("poll_seconds", 1..=86_400, 2),
            most_waiting: map.integer("most_waiting", 1..=10_000_000, 10_000),
            compare: map.integer("compare_hours", 0..=8_760, 24),
        }
    }

    fn of(self, kind: SourceKind) -> SourceConfig {
        let compare = Duration::from_secs(self.compare.unsigned_abs().saturating_mul(3_600));
        SourceConfig {
            kind,
            batch: u32::try_from(self.batch).unwrap_or(2_000),
            poll: Duration::from_secs(self.poll.unsigned_abs()),
            most_waiting: self.most_waiting.unsigned_abs(),
            compare: (!compare.is_zero()).then_some(compare),
        }
    }
}

/// A name of a table or column.
pub(crate) struct Column(pub(crate) String);

impl FromStr for Column {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        match (1..=64).contains(&text.len()) && text.bytes().all(letters) {
            true => Ok(Self(text.to_owned())),
            false => Err("not a name of letters, digits and `_`"),
        }
    }
}

#[cfg(test)]
mod tests;
