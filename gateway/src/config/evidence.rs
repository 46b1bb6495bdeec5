//! The settings of the evidence log.

use std::path::PathBuf;

use lienthong_evidence::{entry::Name, log::DiskLimits};
use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
};
use lienthong_store::AddressError;

use super::{Reader, Retention, StampSettings, small};
use crate::second_place::SecondPlaceSettings;

/// How evidence is kept.
#[derive(Debug, Clone)]
pub struct EvidenceSettings {
    /// Name of this node in entries.
    pub node: String,
    /// File of the key that signs checkpoints, readable by its owner only. The name of the key is
    /// the origin of the log.
    pub key_file: PathBuf,
    /// File of the key before it, which signs too while verifiers learn the new one. A file that is
    /// not there is no key.
    pub previous_key_file: Option<PathBuf>,
    /// Directory of the city-wide keys of digests, one file for each quarter.
    pub digest_keys: PathBuf,
    /// Where the log stands; `evidence` in the data directory when it is not said.
    pub directory: Option<PathBuf>,
    /// Where a copy of the newest checkpoint is kept.
    pub second_place: Option<SecondPlaceSettings>,
    /// When to worry about the disk.
    pub disk: DiskLimits,
    /// What checkpoints get beside the log's own signature.
    pub stamps: StampSettings,
    /// The NTP server that the clock is compared with, `host:port`.
    pub time_source: Option<String>,
    /// How long it is kept.
    pub retention: Retention,
}

impl Reader<'_> {
    pub(super) fn evidence(
        &self,
        node: &Node,
        found: &mut Diagnostics,
    ) -> Option<EvidenceSettings> {
        let keys = [
            "node",
            "key_file",
            "previous_key_file",
            "digest_keys",
            "directory",
            "second_place",
            "second_place_password_file",
            "amber_percent",
            "red_percent",
            "cms",
            "time_stamp",
            "time_source",
            "retention",
        ];
        let mut map = MapReader::new(self.file, node, "`evidence`", &keys, found)?;
        let name = self.node_name(&mut map, node);
        let key_file = self.path(&mut map, "key_file");
        let previous_key_file = self.optional_path(&mut map, "previous_key_file");
        let digest_keys = self.path(&mut map, "digest_keys");
        let directory = self.optional_path(&mut map, "directory");
        let place = self.second_place(&mut map);
        let retention = map.optional("retention");
        let amber = percent(&mut map, "amber_percent", 85);
        let red = percent(&mut map, "red_percent", 95);
        let time_source = self.time_source(&mut map);
        let (cms, time_stamp) = (map.optional("cms"), map.optional("time_stamp"));
        let stamps = StampSettings {
            cms: cms.and_then(|node| self.cms(node, found)),
            time_stamp: time_stamp.and_then(|node| self.time_stamp(node, found)),
        };
        let second_place = place.unwrap_or_else(|error| {
            found.add(self.file, node.at, format!("`second_place` {error}"));
            None
        });
        if amber > red {
            found.add(self.file, node.at, "`amber_percent` must not be above `red_percent`");
        }
        let disk = DiskLimits { amber, red };
        let retention = self.retention(retention, found);
        Some(EvidenceSettings {
            node: name?,
            key_file: key_file?,
            previous_key_file,
            digest_keys: digest_keys?,
            directory,
            second_place,
            disk,
            stamps,
            time_source,
            retention,
        })
    }
}

impl Reader<'_> {
    fn node_name(&self, map: &mut MapReader<'_, '_>, node: &Node) -> Option<String> {
        let name = map.text("node")?;
        if Name::of_node(name).is_some() {
            return Some(name.to_owned());
        }
        map.found().add_with_help(
            self.file,
            node.at,
            "`node` is no name of a node",
            "expected 1 to 80 letters, digits, `-`, `_`, `.`, and no long number",
        );
        None
    }

    fn second_place(
        &self,
        map: &mut MapReader<'_, '_>,
    ) -> Result<Option<SecondPlaceSettings>, AddressError> {
        let password_file = self.optional_path(map, "second_place_password_file");
        let is_there = map.optional("second_place").is_some();
        let text = if is_there { map.text("second_place") } else { None };
        let parse = |text| SecondPlaceSettings::parse(text, self.base, password_file);
        text.map(parse).transpose()
    }
}

fn percent(map: &mut MapReader<'_, '_>, key: &str, default: usize) -> u8 {
    u8::try_from(small(map, key, 1..=99, default)).unwrap_or(99)
}
