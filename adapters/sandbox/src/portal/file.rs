//! Files: what they are by their first bytes, how long they are, and their digest. The same
//! content has the same id, and the files themselves are not kept.

use std::collections::BTreeMap;

use super::{
    digest,
    journal::Entry,
    ledger::Ledger,
    refusal::{FILE_SIZE, FILE_TYPE, FULL, PortalError},
};

/// Longest file.
pub(crate) const LONGEST: usize = 10 << 20;
/// Most files remembered.
const MOST_FILES: usize = 2_000_000;

/// Types by the bytes they begin with.
const BEGINNINGS: &[(&[&str], &[u8])] = &[
    (&["application/pdf"], b"%PDF-"),
    (&["image/jpeg"], &[0xff, 0xd8, 0xff]),
    (&["image/png"], b"\x89PNG\r\n\x1a\n"),
    (&["image/tiff"], b"II*\0"),
    (&["image/tiff"], b"MM\0*"),
    (
        &[
            "application/zip",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ],
        b"PK\x03\x04",
    ),
    (&["application/pkcs7-signature"], &[0x30]),
];

/// A file that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) id: String,
    pub(crate) sha256: String,
}

/// Length and digest of a file of the type that it says it is. Done before any lock is held.
pub(crate) fn examine(media: &str, bytes: &[u8]) -> Result<Taken, PortalError> {
    if bytes.is_empty() || bytes.len() > LONGEST {
        return Err(FILE_SIZE);
    }
    let essence = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut known = BEGINNINGS.iter().filter(|(types, _)| types.contains(&essence.as_str()));
    if !known.any(|(_, beginning)| bytes.starts_with(beginning)) {
        return Err(FILE_TYPE);
    }
    let sha256 = digest::sha256(bytes);
    let id = sha256.get(..32).unwrap_or_default().to_owned();
    Ok(Taken { id, sha256 })
}

/// The files by digest, with their lengths.
#[derive(Debug, Default)]
pub(crate) struct Files(BTreeMap<String, u64>);

impl Files {
    pub(crate) fn take(
        &mut self,
        file: &Taken,
        length: u64,
        ledger: &mut Ledger,
    ) -> Result<(), PortalError> {
        if self.0.contains_key(&file.sha256) {
            ledger.repeated();
            return Ok(());
        }
        if self.0.len() >= MOST_FILES {
            return Err(FULL);
        }
        ledger.note(Entry::File { sha256: file.sha256.clone(), length });
        self.apply(file.sha256.clone(), length);
        Ok(())
    }

    /// Takes a file as the journal has it.
    pub(crate) fn apply(&mut self, sha256: String, length: u64) {
        self.0.insert(sha256, length);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The length of the file of this digest.
    pub(crate) fn length_of(&self, sha256: &str) -> Option<u64> {
        self.0.get(sha256).copied()
    }
}

#[cfg(test)]
mod tests;
