//! SHA-256 over leaves and nodes of the tree, as RFC 6962 section 2.1 has it.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What stands before the bytes of a leaf, and before the two hashes of a node, so that neither
/// can pass for the other.
const LEAF: u8 = 0;
const NODE: u8 = 1;

/// A SHA-256 hash in the tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; Hash::LENGTH]);

impl Hash {
    /// Bytes of a hash.
    pub const LENGTH: usize = 32;

    /// A hash of these bytes; anything but 32 of them is none.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// SHA-256 of bytes outside the tree.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        // SHA-256 has 32 bytes; were it not so, the hash would match nothing.
        Self(digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default())
    }

    /// The root of a tree without leaves.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::of(&[])
    }

    /// The hash of a leaf.
    #[must_use]
    pub fn of_leaf(bytes: &[u8]) -> Self {
        LeafHasher::default().hash(bytes)
    }

    /// The hash of the node above two others.
    #[must_use]
    pub fn of_node(left: Self, right: Self) -> Self {
        let mut bytes = [NODE; 1 + 2 * Self::LENGTH];
        let [_, both @ ..] = &mut bytes;
        both.as_chunks_mut().0.iter_mut().zip([left.0, right.0]).for_each(|(to, from)| *to = from);
        Self::of(&bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Reads the form of [`fmt::Display`], strictly: there is one text for each hash.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_slice(&STANDARD.decode(text).ok()?)
    }
}

/// Base 64 with padding, as checkpoints and proofs have it.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hashes many leaves without allocating for each.
#[derive(Debug, Default)]
pub struct LeafHasher {
    buffer: Vec<u8>,
}

impl LeafHasher {
    /// The hash of a leaf.
    pub fn hash(&mut self, bytes: &[u8]) -> Hash {
        self.buffer.clear();
        self.buffer.push(LEAF);
        self.buffer.extend_from_slice(bytes);
        Hash::of(&self.buffer)
    }
}
