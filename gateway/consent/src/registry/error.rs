//! Why the registry says no.

use lienthong_model::reason::ReasonCode;
use lienthong_store::{StoreError, ledger::LedgerError};

use crate::{
    index::{IndexFull, Missing},
    keys::SealError,
    record::Unreadable,
    state::StateError,
};

/// The ledger may have what is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("whether the newest change is durable is not known")]
pub struct Uncertain;

impl Uncertain {
    /// The reason it is refused with.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        ReasonCode::FactsUnavailable
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// No such consent.
    #[error("consent is not known")]
    Unknown,
    /// The consent is what does not allow it.
    #[error(transparent)]
    State(#[from] StateError),
    /// The consent has changed since the revision that was named.
    #[error("consent has changed")]
    Changed,
    /// Something else was asked for under the same key before.
    #[error("idempotency key stands for another request")]
    Mismatch,
    /// The proof was used before.
    #[error("proof has been used")]
    ProofUsed,
    /// An identifier could not be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store has what cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The index has no room.
    #[error(transparent)]
    Full(#[from] IndexFull),
    /// The store has fewer events than are in force here: it was set back or is another one.
    #[error("store has fewer events than were read from it")]
    Behind,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegistryError {
    /// The reason it is refused with.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        match self {
            Self::Unknown => ReasonCode::ConsentUnknown,
            Self::State(_) | Self::Changed | Self::Mismatch => ReasonCode::ConsentState,
            Self::ProofUsed => ReasonCode::ConsentOwnFavour,
            Self::Seal(_) => ReasonCode::GatewayInternal,
            Self::Unreadable(_) | Self::Full(_) | Self::Behind | Self::Store(_) => {
                ReasonCode::FactsUnavailable
            }
        }
    }
}

/// Why an exchange does not get a consent that is for one exchange.
#[derive(Debug, thiserror::Error)]
pub enum UseError {
    /// It does not hold any more.
    #[error("consent does not hold any more")]
    Missing(Missing),
    /// The registry failed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl UseError {
    /// The reason it is refused with.
    #[must_use]
    pub fn reason(&self) -> ReasonCode {
        match self {
            Self::Missing(missing) => missing.reason(),
            // It was active a moment ago and is something else now; which, the next request is told.
            Self::Registry(RegistryError::Changed | RegistryError::Unknown) => {
                ReasonCode::FactsUnavailable
            }
            Self::Registry(error) => error.reason(),
        }
    }
}

/// Why a registry cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The registry was made with another subject key: with this one it would find nobody.
    #[error("registry was made with another `subject_key_file`")]
    SubjectKey,
    /// The registry was made with another seal key.
    #[error("registry was made with another `seal_key_file`")]
    SealKey,
    /// No random numbers.
    #[error("no random numbers")]
    Random,
    /// The registry could not be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Why no snapshot was written.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is no file for it.
    #[error("no snapshot file is set")]
    NoFile,
    /// What is in memory may not be what is in the ledger.
    #[error(transparent)]
    Uncertain(#[from] Uncertain),
    /// The store failed, or has not what is in force here.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The file could not be written.
    #[error("snapshot could not be written")]
    Write(#[from] std::io::Error),
}

/// What the ledger says, where nothing is left to try.
impl From<LedgerError> for RegistryError {
    fn from(error: LedgerError) -> Self {
        match error {
            // A repeated request is answered before it comes to this.
            LedgerError::Conflict | LedgerError::Repeated { .. } => Self::Changed,
            LedgerError::Used => Self::ProofUsed,
            LedgerError::Mismatch => Self::Mismatch,
            LedgerError::Store(error) => Self::Store(error),
        }
    }
}
