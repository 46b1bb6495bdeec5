//! Files that pass whole or not at all: scans and signed documents.

use std::fmt;

/// A type of file that can be recognised by its bytes. A type of text is never one: a text can be
/// looked into, and is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpaqueType {
    /// Portable Document Format (ISO 32000).
    Pdf,
    /// JPEG image.
    Jpeg,
    /// PNG image.
    Png,
    /// TIFF image.
    Tiff,
    /// ZIP archive, of anything.
    Zip,
    /// Word document without macros (ISO/IEC 29500).
    Docx,
    /// Excel workbook without macros (ISO/IEC 29500).
    Xlsx,
    /// CMS signed data in DER (RFC 5652).
    Cms,
}

impl OpaqueType {
    /// Every type.
    pub const ALL: &[Self] = &[
        Self::Pdf,
        Self::Jpeg,
        Self::Png,
        Self::Tiff,
        Self::Zip,
        Self::Docx,
        Self::Xlsx,
        Self::Cms,
    ];

    /// Its media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Tiff => "image/tiff",
            Self::Zip => "application/zip",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Cms => "application/pkcs7-signature",
        }
    }

    /// The usual end of a file's name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Tiff => "tif",
            Self::Zip => "zip",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Cms => "p7s",
        }
    }

    /// The type of a media type without parameters, in any case.
    #[must_use]
    pub fn from_media_type(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.media_type().eq_ignore_ascii_case(text))
    }

    /// Whether a file of this type is also one of `other`.
    #[must_use]
    pub fn is(self, other: Self) -> bool {
        self == other || other == Self::Zip && matches!(self, Self::Docx | Self::Xlsx)
    }
}

impl fmt::Display for OpaqueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.media_type())
    }
}

/// On what terms a file passes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpaqueTerms {
    /// The article that lets it pass, `instrument#article`.
    pub article: String,
    /// Most bytes.
    pub bytes: u64,
}
