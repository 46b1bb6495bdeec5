//! What is remembered of a file that passed whole: what it was, never what stood in it.

use std::fmt;

use lienthong_disclosure::OpaqueFile;
use serde::{Deserialize, Serialize};

/// A file that passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// `request` or `answer`.
    pub of: String,
    /// The part of the body that it was, as the schema names it; `/` is the whole body.
    pub part: String,
    /// Its media type, recognised by its bytes.
    pub media_type: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// How many there are.
    pub bytes: u64,
}

impl FileRecord {
    /// What is remembered of a file of a request or answer.
    pub(super) fn new(of: &str, file: &OpaqueFile) -> Self {
        let part = file.at.to_string();
        Self {
            of: of.to_owned(),
            part: if part.is_empty() { "/".to_owned() } else { part },
            media_type: file.media_type.to_string(),
            sha256: super::hex(&file.sha256),
            bytes: file.bytes,
        }
    }
}

impl fmt::Display for FileRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, part, media_type, sha256, bytes } = self;
        write!(f, "{of} {part} {media_type} {sha256} {bytes}")
    }
}
