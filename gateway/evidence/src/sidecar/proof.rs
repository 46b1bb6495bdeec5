//! Proofs that a digest is in the sidecar of an outcome, which need the outcome and nothing else.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{BLOCK, DIGEST, Sealed, blocks, digests};
use crate::{
    checkpoint,
    entry::KeyedDigest,
    hash::Hash,
    tree::{self, ProofError},
};

const FIRST_LINE: &str = "lienthong sidecar-proof v1";
/// More hashes than the path of any tree has.
const MOST: usize = 64;

/// That a block of digests is in a sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarProof {
    size: u64,
    index: u64,
    block: Vec<u8>,
    hashes: Vec<Hash>,
}

/// Why a proof does not show that a digest is in a sidecar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SidecarProofError {
    /// Not the text of a proof.
    #[error("not a proof of a digest in a sidecar")]
    Form,
    /// The outcome names a sidecar of another size.
    #[error("proof is of a sidecar of another size")]
    Size,
    /// The digest is not in the block.
    #[error("block does not hold the digest")]
    Digest,
    /// The block is not in the sidecar.
    #[error(transparent)]
    Tree(#[from] ProofError),
}

impl SidecarProof {
    pub(super) fn new(size: u64, index: u64, block: Vec<u8>, hashes: Vec<Hash>) -> Self {
        Self { size, index, block, hashes }
    }

    /// Reads the text of a proof.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, SidecarProofError> {
        Self::read(text).ok_or(SidecarProofError::Form)
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        lines.next().filter(|line| *line == FIRST_LINE)?;
        let size = checkpoint::decimal(lines.next()?.strip_prefix("size ")?)?;
        let index = checkpoint::decimal(lines.next()?.strip_prefix("block ")?)?;
        let digests = lines.next()?.strip_prefix("digests ")?;
        let block = STANDARD.decode(digests).ok().filter(|block| block.len() <= BLOCK)?;
        let hashes: Vec<Hash> = lines.take(MOST + 1).map(Hash::parse).collect::<Option<_>>()?;
        (hashes.len() <= MOST).then_some(Self { size, index, block, hashes })
    }

    /// Checks that the sidecar which an outcome names holds this digest.
    ///
    /// # Errors
    /// When the proof does not show it.
    pub fn check(&self, digest: KeyedDigest, sealed: Sealed) -> Result<(), SidecarProofError> {
        if self.size != sealed.size {
            return Err(SidecarProofError::Size);
        }
        if !self.block.len().is_multiple_of(DIGEST)
            || !digests(&self.block).any(|found| found == digest)
        {
            return Err(SidecarProofError::Digest);
        }
        let leaf = Hash::of_leaf(&self.block);
        tree::check_inclusion(leaf, self.index, blocks(self.size), sealed.root, &self.hashes)?;
        Ok(())
    }
}

/// The text of the proof, for a file that ends in `.sidecar-proof`.
impl fmt::Display for SidecarProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}\nsize {}\nblock {}", self.size, self.index)?;
        writeln!(f, "digests {}", STANDARD.encode(&self.block))?;
        self.hashes.iter().try_for_each(|hash| writeln!(f, "{hash}"))
    }
}
