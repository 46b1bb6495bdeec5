//! Payloads sealed at rest: whoever reads the database, a copy or a disk of it reads nothing of them.
//!
//! AES-256-GCM with a nonce of its own for each payload. What is sealed is bound to its flow, kind and
//! name: put under another message it does not open. The key's id stands before it, so that keys can
//! change while messages wait.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
};
use lienthong_model::{id::FlowId, sensitive::Sensitive};

/// First byte of what is sealed in this form.
const FORM: u8 = 1;
/// Bytes of a key's id.
const ID: usize = 8;
/// Bytes before the sealed text.
const HEAD: usize = 1 + ID + NONCE_LEN;

/// What a payload is bound to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Binding<'a> {
    pub(crate) flow: &'a FlowId,
    pub(crate) kind: &'a str,
    pub(crate) key: &'a str,
}

/// Seals with the newest key and opens with any.
pub(crate) struct Sealer {
    keys: Vec<SealKey>,
}

struct SealKey {
    id: [u8; ID],
    key: RandomizedNonceKey,
}

/// Why a payload does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenError {
    Erased,
    NotSealed,
    UnknownKey,
    Damaged,
}

impl OpenError {
    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Erased => "payload was erased by rule",
            Self::NotSealed => "payload is not sealed",
            Self::UnknownKey => "payload is sealed with a key that is not configured",
            Self::Damaged => "payload is damaged or of another message",
        }
    }
}

/// Why nothing can be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("payload cannot be sealed")]
pub(crate) struct SealError;

impl Sealer {
    /// A sealer of keys, the newest first. Nothing when there is none.
    pub(crate) fn new(keys: &[Sensitive<[u8; 32]>]) -> Option<Self> {
        let keys: Option<Vec<SealKey>> = keys.iter().map(SealKey::new).collect();
        keys.filter(|keys| !keys.is_empty()).map(|keys| Self { keys })
    }

    /// Seals a payload.
    pub(crate) fn seal(
        &self,
        binding: Binding<'_>,
        mut payload: Vec<u8>,
    ) -> Result<Vec<u8>, SealError> {
        let newest = self.keys.first().ok_or(SealError)?;
        let aad = Aad::from(binding.bytes());
        let sealed = newest.key.seal_in_place_append_tag(aad, &mut payload);
        let nonce = sealed.map_err(|_| SealError)?;
        let mut whole = Vec::with_capacity(HEAD + payload.len());
        whole.push(FORM);
        whole.extend_from_slice(&newest.id);
        whole.extend_from_slice(nonce.as_ref());
        whole.extend_from_slice(&payload);
        Ok(whole)
    }

    /// Opens a payload.
    pub(crate) fn open(
        &self,
        binding: Binding<'_>,
        sealed: &[u8],
    ) -> Result<Sensitive<Vec<u8>>, OpenError> {
        if sealed.is_empty() {
            return Err(OpenError::Erased);
        }
        let Some((head, text)) = sealed.split_at_checked(HEAD) else {
            return Err(OpenError::NotSealed);
        };
        let Some((FORM, head)) = head.split_first().map(|(form, rest)| (*form, rest)) else {
            return Err(OpenError::NotSealed);
        };
        let (id, nonce) = head.split_at(ID);
        let key = self.keys.iter().find(|key| key.id == id).ok_or(OpenError::UnknownKey)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Damaged)?;
        let mut text = text.to_vec();
        let opened = key.key.open_in_place(nonce, Aad::from(binding.bytes()), &mut text);
        let length = opened.map_err(|_| OpenError::Damaged)?.len();
        text.truncate(length);
        Ok(Sensitive::new(text))
    }
}

impl SealKey {
    fn new(key: &Sensitive<[u8; 32]>) -> Option<Self> {
        let hash = digest(&SHA256, &[b"lienthong seal key\n", key.expose().as_slice()].concat());
        let id = hash.as_ref().first_chunk().copied()?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, key.expose()).ok()?;
        Some(Self { id, key })
    }
}

impl Binding<'_> {
    fn bytes(&self) -> Vec<u8> {
        // None of the three can hold a line break, so that they cannot be cut at another place.
        format!("{}\n{}\n{}", self.flow, self.kind, self.key).into_bytes()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").field("keys", &self.keys.len()).finish()
    }
}

#[cfg(test)]
mod tests;
