//! Revisions of the registry of consents, as a log has them: the newest one, whether they stand in
//! order, and the entries after one of them.
//!
//! Every change of the registry has the next revision of one row for all, and an entry with it in the log of the
//! node that made it. So a registry that is behind its log was put back to an older state. Revisions
//! are never used again, also not when a registry has been brought up to its log.

mod since;
mod track;

pub use self::since::{SinceError, Told, since};
pub(crate) use self::track::{Revisions, Wrong};
use crate::entry::{Entry, ExchangeId};

/// Most entries in a row that may have lower revisions than an entry before them. Changes that are made
/// at one time may come into the log in another order; never so many.
pub const WINDOW: u64 = 4096;

/// What an entry of a change of the registry begins with. PERF: no other kind but `administration`
/// does, so exchanges cost the comparison alone.
const BEGINS: &[u8] = b"{\"action\":\"";

/// A change of the registry: its revision, and the record of consent or the request it is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The registry's revision.
    pub revision: u64,
    /// The record of consent, or the request.
    pub record: ExchangeId,
}

impl Change {
    /// That of an entry; none when it is of another kind.
    #[must_use]
    pub fn of(entry: &Entry<'_>) -> Option<Self> {
        match entry {
            Entry::Consent(entry) => Some(Self { revision: entry.revision, record: entry.consent }),
            Entry::Right(entry) => Some(Self { revision: entry.revision, record: entry.request }),
            _ => None,
        }
    }

    /// That of an entry in bytes; none when it is of another kind, or no entry.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let entry = bytes.starts_with(BEGINS).then(|| Entry::decode(bytes))?;
        Self::of(&entry.ok()?)
    }
}
