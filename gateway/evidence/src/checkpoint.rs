//! Checkpoints: how large the tree is and what its root is, signed; `c2sp.org/tlog-checkpoint`.

use crate::{
    hash::Hash,
    note::{NoteError, Signer, Verifier},
};

/// The head of a tree, of the log named by its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log it is of.
    pub origin: String,
    /// How many entries there were.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Why a text is no checkpoint of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a note that the log's key has signed.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A signed note, and something else than a checkpoint.
    #[error("not a checkpoint")]
    Form,
    /// A checkpoint of another log.
    #[error("checkpoint of another log")]
    Origin,
}

impl Checkpoint {
    /// Reads a signed checkpoint of the log that is named like the key.
    ///
    /// # Errors
    /// When it is none, is of another log, or was not signed by this key.
    pub fn open(note: &[u8], verifier: &Verifier) -> Result<Self, CheckpointError> {
        let checkpoint = Self::parse(verifier.open(note)?).ok_or(CheckpointError::Form)?;
        if checkpoint.origin != verifier.key().name() {
            return Err(CheckpointError::Origin);
        }
        Ok(checkpoint)
    }

    /// What a note says of itself, whoever signed it.
    pub(crate) fn claimed(note: &[u8]) -> Option<Self> {
        let (text, _) = std::str::from_utf8(note).ok()?.split_once("\n\n")?;
        Self::parse(&format!("{text}\n"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?.to_owned();
        let size = decimal(lines.next()?)?;
        let root = Hash::parse(lines.next()?)?;
        // Lines after these are for others to define.
        lines.all(|line| !line.is_empty()).then_some(Self { origin, size, root })
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, signer: &Signer) -> String {
        signer.sign(&format!("{}\n{}\n{}\n", self.origin, self.size, self.root))
    }
}

/// A number as these formats write it: digits, no zero before others.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests;
