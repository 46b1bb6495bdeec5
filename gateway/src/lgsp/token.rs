//! Bearer tokens without a table: everything a token means stands in it, under a keyed digest.
//!
//! Takes claims and gives the token's text, and back. A token is bound to one certificate and to
//! the connection sheet as it was; it holds no name of anybody. Never in a log or `Debug`: what is
//! told of a token is its id.

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use lienthong_model::{reason::ReasonCode, sensitive::Sensitive};
use uuid::Uuid;

const VERSION: u8 = 1;
/// Version, key id, token id, two instants, two hashes.
const CLAIM_BYTES: usize = 1 + 8 + 16 + 8 + 8 + 32 + 32;
const TAG_BYTES: usize = 32;
/// Length of every token as text.
pub const TOKEN_TEXT: usize = ((CLAIM_BYTES + TAG_BYTES) * 4).div_ceil(3);

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claims {
    /// Its id, for logs.
    pub id: Uuid,
    /// When it was given; whole seconds count.
    pub issued: Timestamp,
    /// When it ends; whole seconds count.
    pub expires: Timestamp,
    /// SHA-256 of the certificate that may show it.
    pub certificate: [u8; 32],
    /// Fingerprint of the connection sheet for which it was given.
    pub sheet: [u8; 32],
}

/// The keys of tokens: the newest seals, all open.
pub struct TokenKeys {
    newest: TokenKey,
    previous: Option<TokenKey>,
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKeys")
    }
}

struct TokenKey {
    id: [u8; 8],
    key: hmac::Key,
}

/// Why a token counts for nothing. Tells a token by its id, once the digest has proven it ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not the shape of a token.
    #[error("no token of this gateway")]
    Malformed,
    /// Sealed by a key that is no longer, or not yet, known.
    #[error("token of an unknown key")]
    UnknownKey,
    /// The digest does not fit.
    #[error("token was changed")]
    Forged,
    /// Shown with another certificate than the one it was given to.
    #[error("token {0} was given to another certificate")]
    AnotherCertificate(Uuid),
    /// Its time is over.
    #[error("token {0} has expired")]
    Expired(Uuid),
    /// From the future, further than clocks may differ.
    #[error("token {0} is not valid yet: clocks differ")]
    NotYet(Uuid),
    /// The connection sheet is another one by now, or gone.
    #[error("connection sheet of token {0} has changed")]
    SheetChanged(Uuid),
}

impl TokenError {
    /// The reason code.
    #[must_use]
    pub fn reason(self) -> ReasonCode {
        match self {
            Self::Expired(_) => ReasonCode::ConsumerTokenExpired,
            Self::AnotherCertificate(_) => ReasonCode::ConsumerTokenMismatch,
            _ => ReasonCode::ConsumerTokenInvalid,
        }
    }
}

impl TokenKey {
    /// Derives from the file's key, so that it serves this one use and its id tells nothing of it.
    fn new(secret: &Sensitive<[u8; 32]>) -> Self {
        let secret = hmac::Key::new(hmac::HMAC_SHA256, secret.expose());
        let derived = |label: &str| hmac::sign(&secret, label.as_bytes());
        let mut id = [0; 8];
        copy(&mut id, derived("lienthong lgsp token v1 key id").as_ref());
        let key =
            hmac::Key::new(hmac::HMAC_SHA256, derived("lienthong lgsp token v1 digest").as_ref());
        Self { id, key }
    }
}

impl TokenKeys {
    /// Keys of 32 bytes each.
    #[must_use]
    pub fn new(newest: &Sensitive<[u8; 32]>, previous: Option<&Sensitive<[u8; 32]>>) -> Self {
        Self { newest: TokenKey::new(newest), previous: previous.map(TokenKey::new) }
    }

    /// The text of a token, under the newest key.
    #[must_use]
    pub fn seal(&self, claims: &Claims) -> Sensitive<String> {
        let mut bytes = Vec::with_capacity(CLAIM_BYTES + TAG_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.newest.id);
        bytes.extend_from_slice(claims.id.as_bytes());
        bytes.extend_from_slice(&claims.issued.as_second().to_be_bytes());
        bytes.extend_from_slice(&claims.expires.as_second().to_be_bytes());
        bytes.extend_from_slice(&claims.certificate);
        bytes.extend_from_slice(&claims.sheet);
        let tag = hmac::sign(&self.newest.key, &bytes);
        bytes.extend_from_slice(tag.as_ref());
        Sensitive::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What a token says, once its digest fits. Nothing else is judged here.
    ///
    /// # Errors
    /// [`TokenError::Malformed`], [`TokenError::UnknownKey`], [`TokenError::Forged`].
    pub fn open(&self, token: &str) -> Result<Claims, TokenError> {
        let mut bytes = [0; CLAIM_BYTES + TAG_BYTES];
        let whole = token.len() == TOKEN_TEXT
            && URL_SAFE_NO_PAD.decode_slice(token, &mut bytes) == Ok(bytes.len());
        let (claimed, tag) = bytes.split_at_checked(CLAIM_BYTES).ok_or(TokenError::Malformed)?;
        let mut parts = Parts(claimed);
        let [version] = parts.take()?;
        if !whole || version != VERSION {
            return Err(TokenError::Malformed);
        }
        let key_id: [u8; 8] = parts.take()?;
        let mut known = std::iter::once(&self.newest).chain(&self.previous);
        let key = known.find(|key| key.id == key_id).ok_or(TokenError::UnknownKey)?;
        // SECURITY: in constant time, and before anything that the token says is believed.
        hmac::verify(&key.key, claimed, tag).map_err(|_| TokenError::Forged)?;
        Ok(Claims {
            id: Uuid::from_bytes(parts.take()?),
            issued: parts.instant()?,
            expires: parts.instant()?,
            certificate: parts.take()?,
            sheet: parts.take()?,
        })
    }
}

impl Claims {
    /// Judges a token that is shown with `certificate` for the sheet of `fingerprint`. A token
    /// lives no longer than `lifetime`, whatever it says, so that a shorter one counts at once.
    ///
    /// # Errors
    /// Why it counts for nothing.
    pub fn judge(
        &self,
        certificate: &[u8; 32],
        fingerprint: Option<&[u8; 32]>,
        now: Timestamp,
        (lifetime, skew): (SignedDuration, SignedDuration),
    ) -> Result<(), TokenError> {
        if self.certificate != *certificate {
            return Err(TokenError::AnotherCertificate(self.id));
        }
        let longest = self.issued.saturating_add(lifetime).unwrap_or(Timestamp::MIN);
        if now >= self.expires.min(longest) {
            return Err(TokenError::Expired(self.id));
        }
        // The clock of the node that gave it may be ahead of ours.
        if self.issued > now.saturating_add(skew).unwrap_or(Timestamp::MAX) {
            return Err(TokenError::NotYet(self.id));
        }
        if fingerprint != Some(&self.sheet) {
            return Err(TokenError::SheetChanged(self.id));
        }
        Ok(())
    }
}

/// A new token id.
///
/// # Errors
/// When the system gives no randomness.
pub fn new_id() -> Result<Uuid, aws_lc_rs::error::Unspecified> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// Takes fixed parts off the front.
struct Parts<'a>(&'a [u8]);

impl Parts<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], TokenError> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or(TokenError::Malformed)?;
        self.0 = rest;
        Ok(*part)
    }

    fn instant(&mut self) -> Result<Timestamp, TokenError> {
        let seconds = i64::from_be_bytes(self.take()?);
        Timestamp::from_second(seconds).map_err(|_| TokenError::Malformed)
    }
}

fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

#[cfg(test)]
mod tests;
