//! What a person gets to show what was agreed: a signed receipt, and how anybody checks one.
//!
//! A record goes in; a compact JWS (RFC 7515) with ES256 comes out, and a JWKS document (RFC 7517)
//! with public keys alone. Nothing in a receipt says who the person is: no identifier, no digest.

mod jwk;
mod verify;

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use lienthong_model::sensitive::Sensitive;
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub use self::{
    jwk::{ReceiptKeys, ReceiptPublicKey, jwks},
    verify::{MOST_JWS_BYTES, verify_es256},
};
use crate::{record::ConsentRecord, rights::RightKind};

/// The type in the header of a receipt.
pub const RECEIPT_TYPE: &str = "consent-receipt+jwt";

/// Why a receipt was not made or does not count. Says nothing of what is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The key is none of ECDSA on P-256 in PKCS#8 PEM.
    #[error("key is not a P-256 private key in PKCS#8 PEM")]
    Key,
    /// The public key is none of ECDSA on P-256.
    #[error("key is not a P-256 public key")]
    PublicKey,
    /// Signing failed.
    #[error("receipt could not be signed")]
    Sign,
    /// The text is no compact JWS of a size that is read.
    #[error("text is not a compact JWS")]
    Form,
    /// The header asks for what is not allowed: another algorithm, `crit`, a key of its own.
    #[error("header of the JWS is not allowed")]
    Header,
    /// The header names a key that is not in the set.
    #[error("key of the JWS is not known")]
    UnknownKey,
    /// The signature is not one of this key over this text.
    #[error("signature of the JWS does not hold")]
    Signature,
}

/// The key that signs receipts.
pub struct ReceiptKey {
    pair: EcdsaKeyPair,
    public: ReceiptPublicKey,
}

impl fmt::Debug for ReceiptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl ReceiptKey {
    /// The key of a PKCS#8 PEM text.
    ///
    /// # Errors
    /// When it is another kind of key, on another curve, encrypted, or none.
    pub fn from_pem(pem: &Sensitive<String>) -> Result<Self, ReceiptError> {
        let der = pkcs8(pem.expose())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der);
        let pair = pair.map_err(|_| ReceiptError::Key)?;
        let public = ReceiptPublicKey::from_point(pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> &ReceiptPublicKey {
        &self.public
    }

    /// Signs the receipt of a consent as it is at this revision.
    ///
    /// # Errors
    /// When the library fails.
    pub fn receipt(
        &self,
        record: &ConsentRecord,
        revision: u64,
        issuer: &str,
        at: Timestamp,
    ) -> Result<String, ReceiptError> {
        self.sign(&claims(record, revision, issuer, at))
    }

    /// Signs claims.
    ///
    /// # Errors
    /// When the library fails.
    pub fn sign(&self, claims: &Value) -> Result<String, ReceiptError> {
        let header = json!({"alg": "ES256", "kid": self.public.kid(), "typ": RECEIPT_TYPE});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| ReceiptError::Sign)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}

/// What a receipt says.
#[must_use]
pub fn claims(record: &ConsentRecord, revision: u64, issuer: &str, at: Timestamp) -> Value {
    json!({
        "iss": issuer,
        "iat": at.as_second(),
        "jti": format!("urn:uuid:{}", record.id),
        "consent": record.view(revision),
        "rights": RightKind::ALL.map(RightKind::as_str),
    })
}

fn pkcs8(pem: &str) -> Result<Zeroizing<Vec<u8>>, ReceiptError> {
    let body = pem.trim().strip_prefix("-----BEGIN PRIVATE KEY-----");
    let body = body.and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"));
    let body = body.ok_or(ReceiptError::Key)?;
    let joined: String = body.split_ascii_whitespace().collect();
    let joined = Zeroizing::new(joined);
    let der = STANDARD.decode(joined.as_bytes()).map_err(|_| ReceiptError::Key)?;
    Ok(Zeroizing::new(der))
}

#[cfg(test)]
mod tests;
