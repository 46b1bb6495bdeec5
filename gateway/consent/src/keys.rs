//! The two keys of the registry: one under which people are found, one that seals who they are.
//!
//! Both are city-wide and outlive quarters, unlike the keys of the evidence. Neither is ever shown.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    hmac::{self, HMAC_SHA256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use lienthong_model::sensitive::Sensitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::Zeroizing;

use crate::{
    hex,
    identifier::{Identifier, normal},
    record::ConsentId,
};

const NONCE: usize = 12;

/// The key of the digests under which the registry knows people.
#[derive(Clone)]
pub struct SubjectKey(hmac::Key);

impl SubjectKey {
    /// The key of these bytes.
    #[must_use]
    pub fn new(key: &Sensitive<[u8; 32]>) -> Self {
        Self(hmac::Key::new(HMAC_SHA256, key.expose()))
    }

    /// The digest of a person's identifier of this kind.
    #[must_use]
    pub fn digest(&self, kind: &str, value: &str) -> SubjectDigest {
        let value = normal(value);
        SubjectDigest(self.tag(&[b"consent subject", kind.as_bytes(), value.as_bytes()]))
    }

    /// The digest of an identifier.
    #[must_use]
    pub fn digest_of(&self, identifier: &Identifier) -> SubjectDigest {
        self.digest(identifier.kind(), identifier.expose())
    }

    /// What tells this key from others, and nothing about it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        self.tag(&[b"consent subject key fingerprint"])
    }

    /// Begins a checksum that nobody without the key can make.
    pub(crate) fn checksum(&self) -> Checksum {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(b"consent snapshot");
        Checksum(context)
    }

    /// What ties a record to the statement it was made from. A plain hash of a statement would be the
    /// person's number to whoever tries numbers out.
    #[must_use]
    pub fn statement(&self, record: ConsentId, hash: &[u8; 32]) -> [u8; 32] {
        self.tag(&[b"consent statement", record.as_bytes(), hash])
    }

    fn tag<const N: usize>(&self, parts: &[&[u8]]) -> [u8; N] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            // The length in front keeps apart what would run together.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut tag = [0; N];
        tag.iter_mut().zip(context.sign().as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }
}

/// A keyed checksum of a file.
pub(crate) struct Checksum(hmac::Context);

impl Checksum {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        let mut tag = [0; 32];
        tag.iter_mut().zip(self.0.sign().as_ref()).for_each(|(to, from)| *to = *from);
        tag
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectKey").finish_non_exhaustive()
    }
}

/// A person, as the registry knows one. With the key and a guess it tells who, so it is not shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectDigest([u8; 16]);

impl SubjectDigest {
    /// The digest of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for SubjectDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectDigest([redacted])")
    }
}

impl Serialize for SubjectDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for SubjectDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(&text).map(Self).ok_or_else(|| D::Error::custom("not a digest"))
    }
}

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// The identifier of the data subject.
    DataSubject,
    /// The identifier of the representative.
    Representative,
    /// The word of a witness, which has a hash of the statement in it.
    Proof,
}

/// The key that seals identifiers in the registry.
pub struct SealKey {
    key: RandomizedNonceKey,
    fingerprint: [u8; 16],
}

/// Why nothing was sealed or opened. Says nothing of what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key cannot be used.
    #[error("seal key cannot be used")]
    Key,
    /// What is sealed was sealed with another key or for another record, or was changed.
    #[error("sealed identifier does not open with this key")]
    Sealed,
}

impl SealKey {
    /// The key of these bytes.
    ///
    /// # Errors
    /// When the library does not take them.
    pub fn new(key: &Sensitive<[u8; 32]>) -> Result<Self, SealError> {
        let fingerprint = SubjectKey::new(key).tag(&[b"consent seal key fingerprint"]);
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose());
        Ok(Self { key: key.map_err(|_| SealError::Key)?, fingerprint })
    }

    /// What tells this key from others, and nothing about it.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 16] {
        &self.fingerprint
    }

    /// Seals an identifier for one record alone.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal(
        &self,
        record: ConsentId,
        whose: Sealing,
        identifier: &Identifier,
    ) -> Result<Sealed, SealError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 + identifier.expose().len()));
        bytes.extend_from_slice(identifier.kind().as_bytes());
        bytes.push(0);
        bytes.extend_from_slice(identifier.expose().as_bytes());
        self.seal_bytes(record, whose, bytes)
    }

    /// Seals the word of a witness for one record alone.
    ///
    /// # Errors
    /// When the library fails.
    pub fn seal_proof(&self, record: ConsentId, proof: &str) -> Result<Sealed, SealError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(64 + proof.len()));
        bytes.extend_from_slice(proof.as_bytes());
        self.seal_bytes(record, Sealing::Proof, bytes)
    }

    /// Opens the word of a witness.
    ///
    /// # Errors
    /// When it was sealed otherwise.
    pub fn open_proof(&self, record: ConsentId, sealed: &Sealed) -> Result<String, SealError> {
        let bytes = self.open_bytes(record, Sealing::Proof, sealed)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| SealError::Sealed)
    }

    fn seal_bytes(
        &self,
        record: ConsentId,
        whose: Sealing,
        mut bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Sealed, SealError> {
        let bound = Aad::from(bound(record, whose));
        let nonce = self.key.seal_in_place_append_tag(bound, &mut *bytes);
        let nonce = nonce.map_err(|_| SealError::Key)?;
        Ok(Sealed([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// Opens what was sealed for this record.
    ///
    /// # Errors
    /// When it was sealed otherwise.
    pub fn open(
        &self,
        record: ConsentId,
        whose: Sealing,
        sealed: &Sealed,
    ) -> Result<Identifier, SealError> {
        let opened = self.open_bytes(record, whose, sealed)?;
        let text = std::str::from_utf8(&opened).map_err(|_| SealError::Sealed)?;
        let (kind, value) = text.split_once('\0').ok_or(SealError::Sealed)?;
        Identifier::new(kind, value, "data_subject").map_err(|_| SealError::Sealed)
    }

    fn open_bytes(
        &self,
        record: ConsentId,
        whose: Sealing,
        sealed: &Sealed,
    ) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, rest) = sealed.0.split_at_checked(NONCE).ok_or(SealError::Sealed)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Sealed)?;
        let mut rest = Zeroizing::new(rest.to_vec());
        let bound = Aad::from(bound(record, whose));
        let opened =
            self.key.open_in_place(nonce, bound, &mut rest).map_err(|_| SealError::Sealed)?;
        let length = opened.len();
        rest.truncate(length);
        Ok(rest)
    }
}

/// What ties a sealed identifier to its place, so that it cannot be moved to another.
fn bound(record: ConsentId, whose: Sealing) -> [u8; 17] {
    let mut bound = [0; 17];
    let place: u8 = match whose {
        Sealing::DataSubject => 0,
        Sealing::Representative => 1,
        Sealing::Proof => 2,
    };
    let bytes = record.as_bytes().iter().copied().chain([place]);
    bound.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    bound
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealKey").finish_non_exhaustive()
    }
}

/// A sealed identifier.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed")
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD_NO_PAD.decode(&text).map(Self).map_err(|_| D::Error::custom("not base64"))
    }
}

#[cfg(test)]
mod tests;
