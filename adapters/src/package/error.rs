//! Why a package is refused, and why nothing could be done. No value, and no name from a package.

use lienthong_signature::cms::CmsError;
use lienthong_store::StoreError;

use super::container::ContainerError;
use crate::source::SourceError;

/// Why a package or a receipt is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The file is not the archive that a package is.
    #[error("container: {0}")]
    Container(#[from] ContainerError),
    /// The manifest cannot be read, or contradicts itself.
    #[error("manifest: {0}")]
    Manifest(&'static str),
    /// The signature is not one that is believed.
    #[error("signature: {0}")]
    Signature(CmsError),
    /// The package is of somebody else, or for somebody else.
    #[error("the package {0}")]
    Foreign(&'static str),
    /// It is not the data set that was agreed.
    #[error("the package {0} of the data set as it is configured here")]
    Agreed(&'static str),
    /// It is larger than is allowed here.
    #[error("the package has {0} than `limits` allow")]
    TooMuch(&'static str),
    /// A member is not what the manifest says.
    #[error("`{member}` {problem}")]
    Member {
        /// The name that it should have.
        member: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// A part does not open.
    #[error("`{member}`: {problem}")]
    Closed {
        /// The part.
        member: String,
        /// Why.
        problem: CmsError,
    },
    /// A record is not fit.
    #[error("record {record} of `{member}` {problem}")]
    Record {
        /// The part.
        member: String,
        /// Which one, counted from one.
        record: u64,
        /// Names of fields and rules.
        problem: String,
    },
    /// A record has the key of an earlier one.
    #[error("record {record} of `{member}` has the key of an earlier record")]
    Repeated {
        /// The part.
        member: String,
        /// Which one, counted from one.
        record: u64,
    },
    /// It was received before.
    #[error("the package was received before, on {0}")]
    Replayed(jiff::Timestamp),
    /// Another package of its id was received before.
    #[error("another package of the same id was received before")]
    SameId,
    /// The receipt is of no package that was made here, or says something else than was sent.
    #[error("the receipt {0}")]
    Receipt(&'static str),
}

impl Refused {
    /// The stable name of the reason.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Container(ContainerError::Truncated) => "package.truncated",
            Self::Container(_) => "package.container",
            Self::Manifest(_) => "package.manifest",
            Self::Signature(_) => "package.signature",
            Self::Foreign(_) => "package.foreign",
            Self::Agreed(_) => "package.agreement",
            Self::TooMuch(_) => "package.too_large",
            Self::Member { .. } => "package.tampered",
            Self::Closed { .. } => "package.encryption",
            Self::Record { .. } => "package.record",
            Self::Repeated { .. } => "package.repeated",
            Self::Replayed(_) => "package.replayed",
            Self::SameId => "package.same_id",
            Self::Receipt(_) => "package.receipt",
        }
    }
}

/// Why nothing was done, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The answer is no, and that could not be recorded.
    #[error("{refused}; and the refusal is not recorded as evidence: {why}")]
    Unrecorded {
        /// Why it is refused.
        refused: Refused,
        /// Why it is not recorded.
        why: String,
    },
    /// The configuration has no such thing.
    #[error("{0}")]
    Configuration(String),
    /// Too many rows of the source are not fit.
    #[error("{unfit} of {rows} rows are not fit, more than `unfit_per_mille` allows")]
    Unfit {
        /// Rows that are not fit.
        unfit: u64,
        /// Rows of the source.
        rows: u64,
    },
    /// There is nothing to make a package of.
    #[error("the source has no row that is fit")]
    Empty,
    /// The source cannot be read.
    #[error("the source cannot be read: {0}")]
    Source(String),
    /// Something cannot be signed or encrypted.
    #[error("cannot be signed or encrypted: {0}")]
    Cms(#[from] CmsError),
    /// A file cannot be read or written.
    #[error("`{what}` cannot be read or written")]
    File {
        /// Which one.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// There is something where a file or folder should come.
    #[error("`{0}` stands there already")]
    Exists(String),
    /// It could not be recorded, so it was not done.
    #[error("not recorded as evidence, so not done: {0}")]
    Evidence(String),
    /// The durable state failed.
    #[error("durable state of packages")]
    Store(#[from] StoreError),
    /// Should not be.
    #[error("{0}")]
    Internal(&'static str),
}

impl From<SourceError> for PackageError {
    fn from(error: SourceError) -> Self {
        Self::Source(error.to_string())
    }
}

/// What is wrong with a file that is named.
pub(super) fn file(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> PackageError {
    move |source| PackageError::File { what: what.to_string(), source }
}
