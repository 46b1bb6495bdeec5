//! The configuration of data packages: one YAML file of its own, read strictly, every mistake told.
//!
//! It is not part of the configuration of the flows: packages are made and received by other people,
//! often on a machine without flows, with keys that the flows must not have. Files of certificates,
//! keys and schemas are read here; none of what is in them is told.

mod dataset;
mod keys;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    document::{MapReader, Node},
    id::ParticipantId,
};
use lienthong_signature::{
    certificate::Pin,
    signer::{Opener, Recipient, Signer},
    trust::Trust,
};
use lienthong_store::Place;

pub use self::dataset::DatasetConfig;
pub(crate) use self::dataset::{Class, SendConfig, WardField, WardsOf};
use super::{Reader, read_file, state};

/// The checked configuration of packages.
#[derive(Debug, Clone)]
pub struct PackagesConfig {
    /// Where the durable state of packages lives.
    pub(crate) state: Place,
    /// The code that we make and receive packages under.
    pub(crate) own: ParticipantId,
    /// Who signs packages and receipts.
    pub(crate) signer: Option<Signer>,
    /// Who opens what is for us.
    pub(crate) opener: Option<Opening>,
    /// Whom signatures are believed of.
    pub(crate) trust: Arc<Trust>,
    /// Everyone who packages go to and come from.
    pub(crate) peers: BTreeMap<ParticipantId, Peer>,
    pub(crate) limits: Limits,
    pub(crate) datasets: Vec<DatasetConfig>,
}

/// Our certificate and key, and how the certificate is known.
#[derive(Debug, Clone)]
pub(crate) struct Opening {
    pub(crate) opener: Opener,
    pub(crate) fingerprint: String,
}

/// Another participant.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// The certificate that packages for it are encrypted for.
    pub(crate) recipient: Option<Recipient>,
    /// The certificates that it signs with.
    pub(crate) signers: Vec<Pin>,
}

/// What a package may be at most, whoever made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) parts: u32,
    pub(crate) records: u64,
    pub(crate) record_bytes: u64,
    /// Of one part, inflated.
    pub(crate) part_bytes: u64,
    /// Of all parts, inflated.
    pub(crate) bytes: u64,
}

pub(super) const KEYS: [&str; 10] = [
    "data_dir",
    "database",
    "database_password_file",
    "own",
    "signing",
    "decryption",
    "trust",
    "participants",
    "limits",
    "datasets",
];

impl PackagesConfig {
    /// Reads a configuration file; paths in it are relative to its folder.
    ///
    /// # Errors
    /// Every mistake in the file.
    pub fn read(path: &Path) -> Result<Self, Diagnostics> {
        read_file(path, read)
    }

    /// The data set of a name.
    pub(crate) fn dataset(&self, name: &str) -> Option<&DatasetConfig> {
        self.datasets.iter().find(|one| one.id.as_str() == name)
    }
}

fn read(file: &str, folder: &Path, root: &Node, found: &mut Diagnostics) -> Option<PackagesConfig> {
    let mut map = MapReader::new(file, root, "the configuration", &KEYS, found)?;
    let state = state(&mut map, folder);
    let own = map.parse::<ParticipantId>("own");
    let (signing, decryption) = (map.optional("signing"), map.optional("decryption"));
    let (trust, peers) = (map.required("trust"), map.required("participants"));
    let limits = map.optional("limits");
    let datasets = map.required("datasets").map_or(&[][..], |_| map.list("datasets"));
    let mut reader = Reader { file, folder, found };
    let signer = signing.map(|node| reader.signer(node));
    let opener = decryption.map(|node| reader.opening(node));
    let trust = trust.and_then(|node| reader.trust(node));
    let peers = peers.map(|node| reader.peers(node));
    let limits = limits.map_or_else(|| Some(Limits::default()), |node| reader.limits(node));
    let datasets: Vec<Option<DatasetConfig>> =
        datasets.iter().map(|node| reader.dataset(node)).collect();
    let datasets: Vec<DatasetConfig> = datasets.into_iter().flatten().collect();
    if datasets.is_empty() {
        reader.mistake(root.at, "there is no data set");
    }
    let config = PackagesConfig {
        state: state?,
        own: own?,
        signer: signer.map_or(Some(None), |signer| signer.map(Some))?,
        opener: opener.map_or(Some(None), |opener| opener.map(Some))?,
        trust: trust?,
        peers: peers?,
        limits: limits?,
        datasets,
    };
    reader.agrees(root.at, &config);
    Some(config)
}

impl<'a> Reader<'a, '_> {
    /// Tells what the parts of the configuration need of each other.
    fn agrees(&mut self, at: Position, config: &PackagesConfig) {
        for (index, dataset) in config.datasets.iter().enumerate() {
            let id = &dataset.id;
            if config.datasets.iter().take(index).any(|earlier| earlier.id == *id) {
                self.mistake(at, format!("data set `{id}` stands twice"));
            }
            let (send, receive) = (dataset.send.as_ref(), dataset.receive.as_ref());
            for code in send.into_iter().flat_map(|send| &send.to) {
                if config.peers.get(code).is_none_or(|peer| peer.recipient.is_none()) {
                    let what = "is not among `participants` with a `certificate_file`";
                    self.mistake(at, format!("recipient `{code}` of data set `{id}` {what}"));
                }
            }
            for code in receive.into_iter().flat_map(|receive| &receive.from) {
                if config.peers.get(code).is_none_or(|peer| peer.signers.is_empty()) {
                    let what = "is not among `participants` with `signers`";
                    self.mistake(at, format!("sender `{code}` of data set `{id}` {what}"));
                }
            }
            if config.signer.is_none() {
                self.mistake(at, format!("data set `{id}` needs `signing`"));
            }
            if receive.is_some() && config.opener.is_none() {
                self.mistake(at, format!("data set `{id}` is received, which needs `decryption`"));
            }
        }
    }

    fn limits(&mut self, node: &'a Node) -> Option<Limits> {
        let known = ["parts", "records", "record_bytes", "part_megabytes", "megabytes"];
        let mut map = self.map(node, "`limits`", &known)?;
        let default = Limits::default();
        let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let parts = map.integer("parts", 1..=9_999, i64::from(default.parts));
        let records = map.integer("records", 1..=1_000_000_000, whole(default.records));
        let record = map.integer("record_bytes", 100..=1_048_576, whole(default.record_bytes));
        let part = map.integer("part_megabytes", 1..=64, whole(default.part_bytes >> 20));
        let all = map.integer("megabytes", 1..=1_048_576, whole(default.bytes >> 20));
        Some(Limits {
            parts: u32::try_from(parts).unwrap_or(default.parts),
            records: records.unsigned_abs(),
            record_bytes: record.unsigned_abs(),
            part_bytes: part.unsigned_abs() << 20,
            bytes: all.unsigned_abs() << 20,
        })
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parts: 2_000,
            records: 20_000_000,
            record_bytes: 64 << 10,
            part_bytes: 64 << 20,
            bytes: 64 << 30,
        }
    }
}

#[cfg(test)]
mod tests;
