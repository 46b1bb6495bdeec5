//! The keys that a configuration names, found without opening any of them.
//!
//! In: a configuration of the flows or of packages. Out: where each key is and what it is for, also
//! when it is missing or damaged, since that is what whoever asks wants to be told. Whether the rest of the
//! configuration is right is not looked at; a setting that there is not is told, so that a file
//! of another kind is not taken for one without keys.

use std::path::{Path, PathBuf};

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{self, Content, MapReader, Node},
};

use super::{KNOWN, package::KEYS, read_file};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUse {
    /// Proves the adapters to the gateway.
    Gateway,
    /// Seals what waits in the outbox.
    OutboxSeal,
    /// Opens what was sealed before a change.
    PreviousOutboxSeal,
    /// Signs messages to the National Data Centre.
    NdcSignature,
    /// Signs packages and receipts.
    PackageSignature,
    /// Opens packages.
    PackageDecryption,
}

/// A key that a configuration names. Nothing of the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    /// What it is for.
    pub used_for: SecretUse,
    /// The setting that names it.
    pub setting: String,
    /// Where it is.
    pub file: PathBuf,
    /// The certificate that it belongs to.
    pub certificate_file: Option<PathBuf>,
}

/// The keys of a configuration of the flows.
///
/// # Errors
/// When the file cannot be read, is no YAML, or is of another kind.
pub fn of_adapters(path: &Path) -> Result<Vec<SecretFile>, Diagnostics> {
    read_file(path, |file, folder, root, found| {
        MapReader::new(file, root, "the configuration", &KNOWN, found)?;
        let mut look = Look { file, folder, found, keys: Vec::new() };
        look.pair(SecretUse::Gateway, root, &["gateway"]);
        look.one(SecretUse::OutboxSeal, "seal_key_file", root.get("seal_key_file"));
        if let Some(Node { content: Content::List(previous), .. }) =
            root.get("previous_seal_key_files")
        {
            for node in previous {
                let used_for = SecretUse::PreviousOutboxSeal;
                look.one(used_for, "previous_seal_key_files", Some(node));
            }
        }
        look.pair(SecretUse::NdcSignature, root, &["ndc", "signature"]);
        Some(look.keys)
    })
}

/// The keys of a configuration of packages.
///
/// # Errors
/// When the file cannot be read, is no YAML, or is of another kind.
pub fn of_packages(path: &Path) -> Result<Vec<SecretFile>, Diagnostics> {
    read_file(path, |file, folder, root, found| {
        MapReader::new(file, root, "the configuration", &KEYS, found)?;
        let mut look = Look { file, folder, found, keys: Vec::new() };
        look.pair(SecretUse::PackageSignature, root, &["signing"]);
        look.pair(SecretUse::PackageDecryption, root, &["decryption"]);
        Some(look.keys)
    })
}

/// The look, under way.
struct Look<'a, 'd> {
    file: &'a str,
    folder: &'a Path,
    found: &'d mut Diagnostics,
    keys: Vec<SecretFile>,
}

impl Look<'_, '_> {
    /// A key with its certificate, in a section.
    fn pair(&mut self, used_for: SecretUse, root: &Node, section: &[&str]) {
        let node = section.iter().try_fold(root, |node, key| node.get(key));
        let Some(node) = node else { return };
        let section = section.join(".");
        let Some(file) = self.path(node.get("key_file")) else { return };
        let certificate_file = self.path(node.get("certificate_file"));
        if certificate_file.is_none() {
            let message = format!("`{section}` has a key and no `certificate_file`");
            self.found.add(self.file, node.at, message);
        }
        let setting = format!("{section}.key_file");
        self.keys.push(SecretFile { used_for, setting, file, certificate_file });
    }

    /// A key of its own.
    fn one(&mut self, used_for: SecretUse, setting: &str, node: Option<&Node>) {
        if let Some(file) = self.path(node) {
            let setting = setting.to_owned();
            self.keys.push(SecretFile { used_for, setting, file, certificate_file: None });
        }
    }

    fn path(&mut self, node: Option<&Node>) -> Option<PathBuf> {
        document::text(self.file, node?, self.found).map(|name| self.folder.join(name))
    }
}

#[cfg(test)]
mod tests;
