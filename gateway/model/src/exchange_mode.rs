//! The ways in which mandatory sharing takes place.
//!
//! Decree 252/2026 Art. 56.1 lists four for tax data, in words that those of Decree 278/2025 are close
//! to; one source has its text.

/// How data is exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExchangeMode {
    /// One question, one answer, between two participants.
    QueryPeer,
    /// Records are sent to the other participant.
    SyncPeer,
    /// Records are sent up to the national database.
    SyncNational,
    /// Packaged data.
    Package,
}

impl ExchangeMode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::QueryPeer, Self::SyncPeer, Self::SyncNational, Self::Package];

    /// The word used in policy and configuration files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueryPeer => "query_peer",
            Self::SyncPeer => "sync_peer",
            Self::SyncNational => "sync_national",
            Self::Package => "package",
        }
    }
}
