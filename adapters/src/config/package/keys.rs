//! The settings of certificates and keys: who signs, who opens, who is believed, who the others are.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use lienthong_model::{
    diagnostic::Position,
    document::{self, Node},
    id::ParticipantId,
};
use lienthong_signature::{
    certificate::{Certificate, Fingerprint, Pin},
    signer::{Opener, Recipient, Signer},
    trust::{Policy, Revocation, Trust},
};

use super::{Opening, Peer};
use crate::config::Reader;

/// Longest file of certificates or a revocation list.
const MAX_FILE: u64 = 16 << 20;

/// A certificate by its SHA-256, in hexadecimal.
struct Signs(Pin);

impl FromStr for Signs {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fingerprint = Fingerprint::parse(text).map(Pin::Fingerprint).map(Self);
        fingerprint.ok_or("not the SHA-256 of a certificate in 64 hexadecimal digits")
    }
}

impl<'a> Reader<'a, '_> {
    pub(super) fn signer(&mut self, node: &'a Node) -> Option<Signer> {
        let (certificate, key) = self.pair(node, "`signing`")?;
        self.made(node.at, "`signing`", Signer::from_pem(&certificate, &key))
    }

    pub(super) fn opening(&mut self, node: &'a Node) -> Option<Opening> {
        let (certificate, key) = self.pair(node, "`decryption`")?;
        let opener = self.made(node.at, "`decryption`", Opener::from_pem(&certificate, &key))?;
        let all = Certificate::all_from_pem(&certificate);
        let fingerprint = self.made(node.at, "`decryption`", all)?.first()?.fingerprint();
        Some(Opening { opener, fingerprint: fingerprint.to_string() })
    }

    /// A certificate and the key that only its owner may read.
    fn pair(&mut self, node: &'a Node, what: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut map = self.map(node, what, &["certificate_file", "key_file"])?;
        let (certificate, key) = (map.text("certificate_file"), map.text("key_file"));
        let (certificate, key) = (certificate?, key?);
        let path = self.folder.join(key);
        self.owner_only(node.at, &path);
        let (certificate, key) = (self.bytes(node.at, certificate), self.bytes(node.at, key));
        Some((certificate?, key?))
    }

    pub(super) fn trust(&mut self, node: &'a Node) -> Option<Arc<Trust>> {
        let known = ["trust_anchor_file", "intermediate_files", "revocation_lists", "revocation"];
        let mut map = self.map(node, "`trust`", &known)?;
        let anchors = map.text("trust_anchor_file");
        let between = map.parse_list::<String>("intermediate_files");
        let lists = map.parse_list::<String>("revocation_lists");
        let revocation = map.optional("revocation");
        let revocation = match revocation {
            None => Revocation::Required,
            Some(node) => self.choice(node, REVOCATION)?,
        };
        if revocation == Revocation::Required && lists.is_empty() {
            let message = "`trust` needs `revocation_lists`, or says `revocation: unchecked`";
            self.mistake(node.at, message);
        }
        let anchors = self.bytes(node.at, anchors?);
        let mut read = |names: Vec<String>| -> Option<Vec<Vec<u8>>> {
            names.iter().map(|name| self.bytes(node.at, name)).collect()
        };
        let (between, lists) = (read(between), read(lists));
        let policy = Policy { revocation, ..Policy::default() };
        let trust = Trust::new(&anchors?, &between?.concat(), &lists?, policy);
        self.made(node.at, "`trust`", trust).map(Arc::new)
    }

    pub(super) fn peers(&mut self, node: &'a Node) -> BTreeMap<ParticipantId, Peer> {
        let entries = document::entries(self.file, node, "`participants`", self.found);
        let mut peers = BTreeMap::new();
        for (key, value) in entries {
            match key.text.parse::<ParticipantId>() {
                Ok(id) => {
                    if let Some(peer) = self.peer(value) {
                        peers.insert(id, peer);
                    }
                }
                Err(error) => self.mistake(key.at, format!("`{}` is {error}", key.text)),
            }
        }
        peers
    }

    fn peer(&mut self, node: &'a Node) -> Option<Peer> {
        let mut map = self.map(node, "a participant", &["certificate_file", "signers"])?;
        let certificate =
            map.optional("certificate_file").and_then(|_| map.text("certificate_file"));
        let signers = map.parse_list::<Signs>("signers").into_iter().map(|signs| signs.0).collect();
        let recipient = match certificate {
            None => None,
            Some(name) => {
                let pem = self.bytes(node.at, name)?;
                Some(self.made(node.at, "a participant", Recipient::from_pem(&pem))?)
            }
        };
        Some(Peer { recipient, signers })
    }

    /// The content of a file that is not secret, or whose readers were looked at before.
    pub(super) fn bytes(&mut self, at: Position, name: &str) -> Option<Vec<u8>> {
        let path = self.folder.join(name);
        let size = path.metadata().map(|metadata| metadata.len());
        match size.and_then(
            |size| if size > MAX_FILE { Ok(None) } else { std::fs::read(&path).map(Some) },
        ) {
            Ok(Some(bytes)) => return Some(bytes),
            Ok(None) => self.mistake(at, format!("`{name}` is larger than 16 MiB")),
            Err(error) => self.mistake(at, format!("`{name}` cannot be read: {error}")),
        }
        None
    }

    fn made<T, E: std::fmt::Display>(
        &mut self,
        at: Position,
        what: &str,
        made: Result<T, E>,
    ) -> Option<T> {
        made.map_err(|error| self.mistake(at, format!("{what}: {error}"))).ok()
    }
}

const REVOCATION: &[(&str, Revocation)] =
    &[("required", Revocation::Required), ("unchecked", Revocation::Unchecked)];
