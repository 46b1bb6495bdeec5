//! What the lists of an entry hold: data subjects, and commitments to single values.

use super::{
    form::{self, Cursor, Listed},
    key::DigestKey,
    key::Part,
    value::{Commitment, ExchangeId, KeyedDigest, Value, may_be_personal, put_text},
    word::Role,
};

/// A person the data is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// Keyed digest of the identifier.
    pub digest: KeyedDigest,
    /// What the person is to the exchange.
    pub role: Role,
}

impl Subject {
    /// Most that stand in one entry.
    pub const MOST: usize = 512;
    /// Most that stand in an outcome, which may hold commitments too. More have a sidecar.
    pub const MOST_OF_ANSWER: usize = 64;
}

impl<'a> Listed<'a> for Subject {
    const MOST: usize = Self::MOST;
}

impl<'a> Value<'a> for Subject {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        form::one::write(out, "digest", &self.digest);
        form::one::write(out, "role", &self.role);
        out.push(b'}');
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.expect(b"{")?;
        let digest = form::one::read(cursor, "digest")?;
        let role = form::one::read(cursor, "role")?;
        cursor.expect(b"}")?;
        Some(Self { digest, role })
    }
}

/// Where one value stands in an answer: a JSON pointer of names from the schema and indexes of arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValuePointer<'a>(&'a str);

impl<'a> ValuePointer<'a> {
    /// A pointer of at most 200 bytes, of letters, digits, `-`, `_`, `.`, `~` and `/`; one that may
    /// hold a personal number is none.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.~/".contains(&b);
        let fits = text.len() <= 200 && (text.is_empty() || text.starts_with('/'));
        let fits = fits && text.bytes().all(plain) && !may_be_personal(text);
        fits.then_some(Self(text))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }
}

impl<'a> Value<'a> for ValuePointer<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        put_text(out, self.0);
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        Self::new(cursor.text()?)
    }
}

/// A commitment to one value that left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldCommitment<'a> {
    /// Where in the answer it stood.
    pub at: ValuePointer<'a>,
    /// To the bytes of the value, as they stood there.
    pub value: Commitment,
}

impl FieldCommitment<'_> {
    /// Most that stand in one entry.
    pub const MOST: usize = 256;
}

impl<'a> Listed<'a> for FieldCommitment<'a> {
    const MOST: usize = Self::MOST;
}

impl<'a> Value<'a> for FieldCommitment<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        form::one::write(out, "at", &self.at);
        form::one::write(out, "value", &self.value);
        out.push(b'}');
    }

    fn read(cursor: &mut Cursor<'a>) -> Option<Self> {
        cursor.expect(b"{")?;
        let at = form::one::read(cursor, "at")?;
        let value = form::one::read(cursor, "value")?;
        cursor.expect(b"}")?;
        Some(Self { at, value })
    }
}

/// Commitments to the values of one answer, as many as an entry has room for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct FieldCommitments {
    kept: Vec<(String, Commitment)>,
    bytes: usize,
    left: u64,
}

impl FieldCommitments {
    /// Most bytes of pointers in one entry, so that it stays below 64 KiB.
    const MOST_BYTES: usize = 40_000;

    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Commits to the next value, or counts it when there is no room, or no such pointer may stand
    /// in an entry.
    pub fn add(&mut self, key: &DigestKey, exchange: ExchangeId, at: &str, value: &[u8]) {
        let bytes = self.bytes.saturating_add(at.len());
        let room = self.kept.len() < FieldCommitment::MOST && bytes <= Self::MOST_BYTES;
        let Some(pointer) = ValuePointer::new(at).filter(|_| room) else {
            self.left = self.left.saturating_add(1);
            return;
        };
        let mut committer = key.commit(exchange, Part::Field(pointer));
        committer.update(value);
        self.kept.push((at.to_owned(), committer.finish()));
        self.bytes = bytes;
    }

    /// The commitments, for an outcome.
    #[must_use]
    pub fn fields(&self) -> Vec<FieldCommitment<'_>> {
        let fields = self.kept.iter();
        fields
            .filter_map(|(at, value)| {
                Some(FieldCommitment { at: ValuePointer::new(at)?, value: *value })
            })
            .collect()
    }

    /// How many values there was no room for; none when there was room for all.
    #[must_use]
    pub fn left(&self) -> Option<u64> {
        (self.left > 0).then_some(self.left)
    }
}
