//! The settings of a folder into which CSV files are put.

use std::{path::PathBuf, str::FromStr};

use lienthong_model::document::Node;

use super::{Column, PACE, Pace, SourceConfig, SourceKind};
use crate::config::Reader;

/// A folder into which CSV files are put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvConfig {
    /// The folder; files that were read are moved into `done` in it.
    pub folder: PathBuf,
    /// The column that names a row for ever.
    pub key: String,
    /// What stands between two values. Default `,`.
    pub delimiter: u8,
    /// How letters are written. Default `utf-8`.
    pub encoding: Encoding,
    /// The longest row, in bytes. Default 64 KiB.
    pub line_bytes: usize,
    /// The largest file, in bytes. Default 256 MiB.
    pub file_bytes: u64,
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 after a byte order mark.
    Utf8Bom,
    /// TCVN 5712, as `.VnTime` fonts show it.
    Tcvn3,
    /// VNI for Windows.
    Vni,
}

impl FromStr for Encoding {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "utf-8" => Ok(Self::Utf8),
            "utf-8-bom" => Ok(Self::Utf8Bom),
            "tcvn3" => Ok(Self::Tcvn3),
            "vni" => Ok(Self::Vni),
            _ => Err("not one of `utf-8`, `utf-8-bom`, `tcvn3` and `vni`"),
        }
    }
}

/// One byte of ASCII between values.
struct Delimiter(u8);

impl FromStr for Delimiter {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "tab" => Ok(Self(b'\t')),
            "," | ";" | "|" => Ok(Self(text.bytes().next().unwrap_or(b','))),
            _ => Err("not one of `,`, `;`, `|` and `tab`"),
        }
    }
}

impl<'a> Reader<'a, '_> {
    pub(super) fn csv(&mut self, node: &'a Node) -> Option<SourceConfig> {
        let own = ["folder", "key", "delimiter", "encoding", "line_bytes", "file_megabytes"];
        let known = [&own[..], &PACE[..]].concat();
        let beside = self.folder;
        let mut map = self.map(node, "`csv`", &known)?;
        let folder = map.text("folder").map(|name| beside.join(name));
        let key = map.parse::<Column>("key").map(|column| column.0);
        let delimiter = map.parse_optional::<Delimiter>("delimiter").map_or(b',', |d| d.0);
        let encoding = map.parse_optional::<Encoding>("encoding").unwrap_or(Encoding::Utf8);
        let line = map.integer("line_bytes", 100..=1_048_576, 65_536);
        let file = map.integer("file_megabytes", 1..=4_096, 256).unsigned_abs();
        let pace = Pace::read(&mut map);
        Some(pace.of(SourceKind::Csv(CsvConfig {
            folder: folder?,
            key: key?,
            delimiter,
            encoding,
            line_bytes: usize::try_from(line).unwrap_or(65_536),
            file_bytes: file.saturating_mul(1 << 20),
        })))
    }
}
