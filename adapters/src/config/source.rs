//! The settings of a source: which table, and how new rows are told from old ones.

use std::{path::PathBuf, str::FromStr, time::Duration};

use lienthong_model::document::Node;

use super::Reader;

/// A table of a SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// The database.
    pub file: PathBuf,
    /// The table.
    pub table: String,
    /// How new rows are told from old ones.
    pub mode: SourceMode,
    /// The column that gives the order of rows: an integer that only grows.
    pub position: String,
    /// The column that names a row for ever. Default: `position`.
    pub key: String,
    /// Rows read at once. Default 200.
    pub batch: u32,
    /// How often the table is looked at. Default 2 s.
    pub poll: Duration,
    /// No rows are read while so many messages wait. Default 10,000.
    pub most_waiting: u64,
}

/// How new rows are told from old ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceMode {
    /// Rows whose position is above the highest one read. SQLite has one writer, so with
    /// `AUTOINCREMENT` the order of positions is the order of commits.
    Watermark,
    /// Rows whose column of this name is empty; it is filled once they are safe in the outbox.
    Outbox {
        /// The column.
        taken_at: String,
    },
}

impl<'a> Reader<'a, '_> {
    pub(super) fn source(&mut self, node: &'a Node) -> Option<SourceConfig> {
        let mut map = self.map(node, "`source`", &["sqlite"])?;
        let node = map.required("sqlite")?;
        let known = [
            "file",
            "table",
            "mode",
            "position",
            "key",
            "taken_at",
            "batch",
            "poll_seconds",
            "most_waiting",
        ];
        let folder = self.folder;
        let mut map = self.map(node, "`sqlite`", &known)?;
        let file = map.text("file").map(|name| folder.join(name));
        let table = map.parse::<Column>("table");
        let mode = map.text("mode");
        let position = map.parse::<Column>("position");
        let key = map.parse_optional::<Column>("key");
        let taken_at = map.parse_optional::<Column>("taken_at");
        let batch = map.integer("batch", 1..=10_000, 200);
        let poll = map.integer("poll_seconds", 1..=86_400, 2);
        let most_waiting = map.integer("most_waiting", 1..=10_000_000, 10_000);
        let mode = match (mode?, taken_at) {
            ("watermark", None) => Some(SourceMode::Watermark),
            ("outbox", Some(column)) => Some(SourceMode::Outbox { taken_at: column.0 }),
            ("watermark", Some(_)) => {
                self.mistake(node.at, "`taken_at` is for mode `outbox` only");
                None
            }
            ("outbox", None) => {
                self.mistake(node.at, "mode `outbox` needs `taken_at`");
                None
            }
            _ => {
                self.mistake(node.at, "`mode` must be `watermark` or `outbox`");
                None
            }
        };
        let position = position?.0;
        Some(SourceConfig {
            file: file?,
            table: table?.0,
            mode: mode?,
            key: key.map_or_else(|| position.clone(), |c| c.0),
            position,
            batch: u32::try_from(batch).unwrap_or(200),
            poll: Duration::from_secs(poll.unsigned_abs()),
            most_waiting: most_waiting.unsigned_abs(),
        })
    }
}

/// A name of a table or column.
pub(super) struct Column(pub(super) String);

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
