//! Keys of a period: what makes digests of identifiers and commitments to bodies.
//!
//! A plain hash of a twelve-digit number is the number to anyone who tries them all, and so is the
//! hash of a request that holds little else. So digests are keyed, and commitments are salted with
//! what only the key gives. When the key is destroyed both say nothing any more.

use std::fmt;

use aws_lc_rs::{
    digest::{self, SHA256},
    hmac::{self, HMAC_SHA256},
};
use lienthong_model::sensitive::Sensitive;

use super::{
    list::ValuePointer,
    value::{Commitment, ExchangeId, KeyedDigest, Period},
};

/// What an identifier is of. The same text of another domain has another digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain<'a> {
    /// A data subject, by this type of identifier.
    DataSubject(&'a str),
    /// An official.
    Officer,
    /// A case.
    Dossier,
    /// A consumer's id of an exchange.
    Correlation,
}

/// What of an exchange, or of a record of consent, is committed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part<'a> {
    /// The request as the provider gets it.
    Request,
    /// The answer as the consumer gets it.
    Answer,
    /// One value of the answer, as its bytes stand there.
    Field(ValuePointer<'a>),
    /// The record of consent with this id, after the change of this revision.
    Record(u64),
}

/// The key of a period.
pub struct DigestKey {
    period: String,
    key: hmac::Key,
}

impl DigestKey {
    /// The key of this period.
    #[must_use]
    pub fn new(period: Period<'_>, key: &Sensitive<[u8; 32]>) -> Self {
        let key = hmac::Key::new(HMAC_SHA256, key.expose());
        Self { period: period.as_str().to_owned(), key }
    }

    /// Its period, as it stands in entries.
    #[must_use]
    pub fn period(&self) -> Option<Period<'_>> {
        Period::new(&self.period)
    }

    /// The digest of an identifier.
    #[must_use]
    pub fn digest(&self, domain: Domain<'_>, identifier: &str) -> KeyedDigest {
        let (label, kind) = match domain {
            Domain::DataSubject(kind) => ("data subject", kind),
            Domain::Officer => ("officer", ""),
            Domain::Dossier => ("dossier", ""),
            Domain::Correlation => ("correlation", ""),
        };
        let tag = self.tag(&[label.as_bytes(), kind.as_bytes(), identifier.as_bytes()]);
        let mut digest = [0; 16];
        digest.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
        KeyedDigest(digest)
    }

    /// Begins the commitment to a body.
    #[must_use]
    pub fn commit(&self, exchange: ExchangeId, part: Part<'_>) -> Committer {
        Committer::new(&self.salt(exchange, part))
    }

    /// The salt of a commitment. Whoever has it can try bodies out.
    #[must_use]
    pub fn salt(&self, exchange: ExchangeId, part: Part<'_>) -> Salt {
        let exchange = exchange.as_bytes();
        let tag = match part {
            Part::Request => self.tag(&[b"salt", b"request", exchange]),
            Part::Answer => self.tag(&[b"salt", b"answer", exchange]),
            Part::Record(revision) => {
                self.tag(&[b"salt", b"record", exchange, &revision.to_be_bytes()])
            }
            Part::Field(at) => self.tag(&[b"salt", b"field", exchange, at.as_str().as_bytes()]),
        };
        Salt(Sensitive::new(tag))
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            // The length in front keeps apart what would run together.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; 32];
        tag.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }
}

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DigestKey").field(&self.period).finish()
    }
}

/// What opens one commitment.
#[derive(Debug)]
pub struct Salt(Sensitive<[u8; 32]>);

impl Salt {
    /// The bytes that stand before a body when it is committed to. Whoever gets them can try bodies out
    /// on this one commitment.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// Whether a commitment is to these bytes.
    #[must_use]
    pub fn opens(&self, commitment: Commitment, body: &[u8]) -> bool {
        let mut committer = Committer::new(self);
        committer.update(body);
        committer.finish() == commitment
    }
}

/// A commitment that is being made, as a body passes.
#[derive(Clone)]
pub struct Committer(digest::Context);

impl Committer {
    fn new(salt: &Salt) -> Self {
        let mut context = digest::Context::new(&SHA256);
        context.update(salt.0.expose());
        Self(context)
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The commitment to all of them.
    #[must_use]
    pub fn finish(self) -> Commitment {
        let mut commitment = [0; 32];
        let digest = self.0.finish();
        commitment.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
        Commitment(commitment)
    }
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Committer")
    }
}
