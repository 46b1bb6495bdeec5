//! How messages are signed, and what makes a receipt one.

use std::path::PathBuf;

use lienthong_model::document::Node;
use lienthong_signature::detached::Kind;

use super::super::{Reader, message::named};

/// How messages are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureConfig {
    /// The kind of signature.
    pub kind: Kind,
    /// The city's certificate for it, and those between it and its anchor, PEM.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
}

/// What makes a receipt one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptConfig {
    /// The kind of its signature.
    pub kind: Kind,
    /// The anchors that the signer's certificate may rest on, PEM.
    pub trust_anchor_file: PathBuf,
    /// Revocation lists, PEM.
    pub crl_files: Vec<PathBuf>,
    /// Whether a list must say that the signer's certificate is not revoked.
    pub crl: CrlPolicy,
    /// The certificates that may sign receipts, PEM: of those that rest on the anchors only these.
    pub signer_file: PathBuf,
}

/// Whether revocation lists are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlPolicy {
    /// Without a list that is in force nothing is trusted.
    Required,
    /// No list is asked.
    None,
}

impl CrlPolicy {
    const NAMES: [(&'static str, Self); 2] = [("required", Self::Required), ("none", Self::None)];
}

impl<'a> Reader<'a, '_> {
    pub(super) fn signature(&mut self, node: &'a Node) -> Option<SignatureConfig> {
        let folder = self.folder;
        let known = ["kind", "certificate_file", "key_file"];
        let mut map = self.map(node, "`signature`", &known)?;
        let kind = map.parse::<Kind>("kind");
        let certificate = map.text("certificate_file").map(|name| folder.join(name));
        let key = map.text("key_file").map(|name| folder.join(name));
        if let Some(key) = &key {
            let at = node.at;
            self.owner_only(at, key);
        }
        Some(SignatureConfig { kind: kind?, certificate_file: certificate?, key_file: key? })
    }

    pub(super) fn receipt(&mut self, node: &'a Node) -> Option<ReceiptConfig> {
        let folder = self.folder;
        let known = ["kind", "trust_anchor_file", "signer_file", "crl_files", "crl"];
        let mut map = self.map(node, "`receipt`", &known)?;
        let kind = map.parse::<Kind>("kind");
        let anchor = map.text("trust_anchor_file").map(|name| folder.join(name));
        let signer = map.text("signer_file").map(|name| folder.join(name));
        let crls = map.parse_list::<String>("crl_files");
        let crl = map.parse_optional::<Policy>("crl").map_or(CrlPolicy::Required, |crl| crl.0);
        if (crl == CrlPolicy::Required) == crls.is_empty() {
            let message = "`crl: required` needs `crl_files`, and `crl: none` has none";
            self.mistake(node.at, message);
        }
        Some(ReceiptConfig {
            kind: kind?,
            trust_anchor_file: anchor?,
            crl_files: crls.iter().map(|name| folder.join(name)).collect(),
            crl,
            signer_file: signer?,
        })
    }
}

struct Policy(CrlPolicy);

impl std::str::FromStr for Policy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        named(text, &CrlPolicy::NAMES).map(Self)
    }
}
