//! Checks a compact JWS by one key and one algorithm.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::{RECEIPT_TYPE, ReceiptError, ReceiptPublicKey};

/// Longest compact JWS that is read.
pub const MOST_JWS_BYTES: usize = 128 * 1024;
/// Two numbers of 32 bytes (RFC 7518 section 3.4).
const SIGNATURE: usize = 64;

// SECURITY: members that would change what is checked, or bring a key (`crit`, `b64`, `jwk`, `jku`,
// `x5c`, `zip`), are unknown here and so refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

/// A compact JWS whose header is allowed and whose signature is not yet checked.
pub(super) struct Parsed<'a> {
    header: Header,
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Parsed<'a> {
    pub(super) fn read(jws: &'a str) -> Result<Self, ReceiptError> {
        if jws.len() > MOST_JWS_BYTES {
            return Err(ReceiptError::Form);
        }
        let (signed, signature) = jws.rsplit_once('.').ok_or(ReceiptError::Form)?;
        let (header, payload) = signed.split_once('.').ok_or(ReceiptError::Form)?;
        if payload.contains('.') {
            return Err(ReceiptError::Form);
        }
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| ReceiptError::Header)?;
        if header.alg != "ES256" {
            return Err(ReceiptError::Header);
        }
        let signature = decode(signature)?;
        if signature.len() != SIGNATURE {
            return Err(ReceiptError::Signature);
        }
        Ok(Self { header, signed, payload, signature })
    }

    /// The key a receipt names.
    pub(super) fn receipt_kid(&self) -> Result<&str, ReceiptError> {
        match (&self.header.kid, self.header.typ.as_deref()) {
            (Some(kid), Some(RECEIPT_TYPE)) => Ok(kid),
            _ => Err(ReceiptError::Header),
        }
    }

    /// The payload, if the key signed it.
    pub(super) fn verify(&self, key: &ReceiptPublicKey) -> Result<Vec<u8>, ReceiptError> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.point());
        let held = key.verify(self.signed.as_bytes(), &self.signature);
        held.map_err(|_| ReceiptError::Signature)?;
        decode(self.payload)
    }
}

/// The payload of a compact JWS that the key of this SPKI signed with ES256.
///
/// # Errors
/// When the key is none on P-256, the text is none or too long, its header has anything but `alg`,
/// `kid` and `typ`, or the signature does not hold.
pub fn verify_es256(spki: &[u8], jws: &str) -> Result<Vec<u8>, ReceiptError> {
    let key = ReceiptPublicKey::from_spki(spki)?;
    Parsed::read(jws)?.verify(&key)
}

fn decode(part: &str) -> Result<Vec<u8>, ReceiptError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| ReceiptError::Form)
}
