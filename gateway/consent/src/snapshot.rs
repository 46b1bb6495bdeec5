//! A local copy of the index, so that a start need not read every record of the store.
//!
//! It is of use only to the registry that wrote it: another key, another store, a store that was set
//! back, a file that was damaged or changed by whoever has not the key: it is left alone, with the
//! reason, and the store is read instead. It is never what is true; the store is.

mod read;
mod write;

use jiff::Timestamp;

pub use self::{
    read::{Loaded, Opened, open},
    write::write,
};
use crate::{index::Slot, period::PackedDate, state::State};

const MAGIC: &[u8; 24] = b"lienthong consents 1\n\n\n\n";
/// Bytes of a statement.
const SLOT: usize = 66;
/// How many statements are read or written at once.
const BLOCK: usize = 4096;

/// What a snapshot is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Of the key of the digests.
    pub fingerprint: [u8; 16],
    /// Of the store.
    pub lineage: [u8; 16],
    /// Every event up to it is in the snapshot.
    pub revision: u64,
    /// What tells the event of this revision from another one.
    pub event: [u8; 32],
    /// The latest time seen.
    pub seen: Timestamp,
    /// About how many statements follow.
    pub statements: u64,
}

/// Why a snapshot is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotUsed {
    /// There is none.
    Absent,
    /// It cannot be read.
    Unreadable(std::io::ErrorKind),
    /// It has another form, of another release.
    Form,
    /// It was made with another key.
    OtherKey,
    /// It is of another store.
    OtherStore,
    /// It has other bytes than were written.
    Damaged,
    /// It has what the store does not have: the store was set back.
    Ahead,
    /// The store has another event in the place of the newest one.
    OtherHistory,
}

impl NotUsed {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Unreadable(_) => "unreadable",
            Self::Form => "form",
            Self::OtherKey => "other_key",
            Self::OtherStore => "other_store",
            Self::Damaged => "damaged",
            Self::Ahead => "ahead",
            Self::OtherHistory => "other_history",
        }
    }
}

impl From<std::io::Error> for NotUsed {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::Absent,
            std::io::ErrorKind::UnexpectedEof => Self::Damaged,
            kind => Self::Unreadable(kind),
        }
    }
}

/// Bytes that are taken from the front one value after the other.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn date(&mut self) -> Option<PackedDate> {
        self.take().map(i32::from_le_bytes).map(PackedDate)
    }
}

impl Header {
    /// Bytes of a header, behind the magic.
    const LENGTH: usize = 16 + 16 + 8 + 32 + 16 + 8;

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(Self::LENGTH);
        bytes.extend_from_slice(&self.fingerprint);
        bytes.extend_from_slice(&self.lineage);
        bytes.extend_from_slice(&self.revision.to_le_bytes());
        bytes.extend_from_slice(&self.event);
        bytes.extend_from_slice(&self.seen.as_nanosecond().to_le_bytes());
        bytes.extend_from_slice(&self.statements.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; Self::LENGTH]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        Some(Self {
            fingerprint: cursor.take()?,
            lineage: cursor.take()?,
            revision: cursor.u64()?,
            event: cursor.take()?,
            seen: Timestamp::from_nanosecond(i128::from_le_bytes(cursor.take()?)).ok()?,
            statements: cursor.u64()?,
        })
    }
}

fn slot_bytes(slot: &Slot, to: &mut Vec<u8>) {
    to.extend_from_slice(&slot.id);
    to.extend_from_slice(&slot.subject);
    to.extend_from_slice(&slot.created.to_le_bytes());
    to.extend_from_slice(&slot.revision.to_le_bytes());
    to.extend_from_slice(&slot.scope.to_le_bytes());
    to.extend_from_slice(&slot.fields.to_le_bytes());
    to.extend_from_slice(&slot.from.0.to_le_bytes());
    to.extend_from_slice(&slot.until.0.to_le_bytes());
    to.extend_from_slice(&[slot.state as u8, u8::from(slot.once)]);
}

fn slot(bytes: &[u8]) -> Option<Slot> {
    let mut cursor = Cursor(bytes);
    Some(Slot {
        id: cursor.take()?,
        subject: cursor.take()?,
        created: cursor.u64()?,
        revision: cursor.u64()?,
        scope: cursor.u32()?,
        fields: cursor.u32()?,
        from: cursor.date()?,
        until: cursor.date()?,
        state: State::ALL.get(usize::from(u8::from_le_bytes(cursor.take()?))).copied()?,
        once: match u8::from_le_bytes(cursor.take()?) {
            0 => false,
            1 => true,
            _ => return None,
        },
    })
}

#[cfg(test)]
mod tests;
