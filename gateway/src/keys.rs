//! Every secret of a configuration: what it is for, where it is, whether it is sound, and how it is
//! made, changed and destroyed.
//!
//! Takes the configuration and the time. Of a secret only its id is ever told, which gives nothing of
//! it away. What each is for and what is lost with it: `gateway/docs/keys.md`.

mod certificate;
mod destroy;
mod examine;
mod files;
mod id;
mod inventory;
mod make;
mod problem;
mod rotate;
mod successor;

use std::{fmt, path::PathBuf, str::FromStr};

use jiff::civil::Date;
use serde::{Serialize, Serializer};

pub use self::{
    destroy::{DestroyError, Destroyed, Destruction, destroyed},
    files::KeyFileError,
    inventory::{Inventory, Named},
    make::{Made, MakeError, digest, evidence, receipt, symmetric, tls},
    problem::{Finding, Problem},
    rotate::{RotateError, Swap, log_signer},
    successor::{Successor, Wanted, due},
};

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The key of the gateway's own certificate.
    Tls,
    /// The key of the certificate that the gateway shows to a provider.
    Provider,
    /// Signs checkpoints of the evidence log.
    Evidence,
    /// Makes digests of identifiers and commitments to bodies, for a quarter.
    Digest,
    /// Makes pseudonyms, for a period.
    Pseudonym,
    /// Seals tokens of present LGSP clients.
    Lgsp,
    /// Seals checkpoints with the agency's certificate.
    Cms,
    /// Makes the digests under which the registry of consents knows people.
    ConsentSubject,
    /// Seals identifiers in the registry of consents.
    ConsentSeal,
    /// Signs receipts of consents.
    ConsentReceipt,
    /// Seals what waits in the outbox of the adapters.
    OutboxSeal,
    /// The key of the certificate that the adapters show to the gateway.
    Adapters,
    /// Signs messages to the National Data Centre.
    NdcSignature,
    /// Signs data packages and their receipts.
    PackageSignature,
    /// Opens data packages.
    PackageDecryption,
}

/// Who shares a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One node alone.
    Node,
    /// Every node of the city has the same.
    City,
}

impl Scope {
    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::City => "city",
        }
    }
}

impl Purpose {
    /// Every one.
    pub const ALL: [Self; 15] = [
        Self::Tls,
        Self::Provider,
        Self::Evidence,
        Self::Digest,
        Self::Pseudonym,
        Self::Lgsp,
        Self::Cms,
        Self::ConsentSubject,
        Self::ConsentSeal,
        Self::ConsentReceipt,
        Self::OutboxSeal,
        Self::Adapters,
        Self::NdcSignature,
        Self::PackageSignature,
        Self::PackageDecryption,
    ];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::Provider => "provider",
            Self::Evidence => "evidence",
            Self::Digest => "digest",
            Self::Pseudonym => "pseudonym",
            Self::Lgsp => "lgsp",
            Self::Cms => "cms",
            Self::ConsentSubject => "consent-subject",
            Self::ConsentSeal => "consent-seal",
            Self::ConsentReceipt => "consent-receipt",
            Self::OutboxSeal => "outbox-seal",
            Self::Adapters => "adapters",
            Self::NdcSignature => "ndc-signature",
            Self::PackageSignature => "package-signature",
            Self::PackageDecryption => "package-decryption",
        }
    }

    /// Who shares it.
    #[must_use]
    pub fn scope(self) -> Scope {
        match self {
            Self::Tls
            | Self::Provider
            | Self::Evidence
            | Self::Cms
            | Self::ConsentReceipt
            | Self::Adapters
            | Self::PackageSignature
            | Self::PackageDecryption => Scope::Node,
            Self::Digest
            | Self::Pseudonym
            | Self::Lgsp
            | Self::ConsentSubject
            | Self::ConsentSeal
            | Self::OutboxSeal
            | Self::NdcSignature => Scope::City,
        }
    }

    /// Whether its key belongs to a certificate that an authority gives.
    #[must_use]
    pub fn has_certificate(self) -> bool {
        matches!(self, Self::Tls | Self::Provider | Self::Cms) || self.is_elsewhere()
    }

    /// Whether its certificate is named by the configuration of the adapters or of packages.
    #[must_use]
    pub fn is_elsewhere(self) -> bool {
        matches!(
            self,
            Self::Adapters | Self::NdcSignature | Self::PackageSignature | Self::PackageDecryption
        )
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `tls`, `provider`, `evidence`, `digest`, `pseudonym`, `lgsp`, `cms`, `consent-subject`, \
     `consent-seal`, `consent-receipt`, `outbox-seal`, `adapters`, `ndc-signature`, \
     `package-signature` or `package-decryption`"
)]
pub struct UnknownPurpose;

impl FromStr for Purpose {
    type Err = UnknownPurpose;

    fn from_str(text: &str) -> Result<Self, UnknownPurpose> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text).ok_or(UnknownPurpose)
    }
}

impl Serialize for Purpose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How a secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In use.
    Current,
    /// Of a period that has not begun.
    Next,
    /// Of a time that is over; kept to read what was made with it.
    Old,
    /// Named by the configuration, and not there.
    Missing,
    /// There, and not what it should be.
    Unusable,
    /// Destroyed on purpose.
    Destroyed,
}

/// A secret of the configuration. Holds nothing of the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Secret {
    /// What it is for.
    pub purpose: Purpose,
    /// The setting that names it.
    pub setting: String,
    /// Who shares it.
    pub scope: Scope,
    /// What kind of key it is.
    pub algorithm: String,
    /// What stands for it where it was used.
    pub id: Option<String>,
    /// Where it is.
    pub file: PathBuf,
    /// Mode of the file, such as `0600`.
    pub mode: Option<String>,
    /// The period it is of.
    pub period: Option<String>,
    /// How it stands.
    pub state: State,
    /// The last day on which it must be kept: retention of what was made with it.
    pub keep_until: Option<Date>,
}

#[cfg(test)]
mod tests;
