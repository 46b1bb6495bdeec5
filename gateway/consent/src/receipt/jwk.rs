//! Public keys of receipts, as JWK (RFC 7517) and by thumbprint (RFC 7638).

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ReceiptError, verify};

const COORDINATE: usize = 32;
const UNCOMPRESSED: u8 = 4;
/// What stands before the point in the SPKI of every P-256 key (RFC 5480).
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// Keys that a JWKS document may have.
const MOST_KEYS: usize = 16;

/// A public key on P-256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPublicKey {
    x: [u8; COORDINATE],
    y: [u8; COORDINATE],
}

/// A JWK as this gateway publishes it. Not a key of another kind, and never a private one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    #[serde(rename = "use")]
    usage: String,
    alg: String,
    kid: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Jwks {
    keys: Vec<Jwk>,
}

impl ReceiptPublicKey {
    /// The key of an uncompressed point.
    pub(super) fn from_point(point: &[u8]) -> Result<Self, ReceiptError> {
        let coordinates = match point.split_first() {
            Some((&UNCOMPRESSED, rest)) => rest.split_at_checked(COORDINATE),
            _ => None,
        };
        let (x, y) = coordinates.ok_or(ReceiptError::PublicKey)?;
        let read = |bytes: &[u8]| bytes.try_into().map_err(|_| ReceiptError::PublicKey);
        Ok(Self { x: read(x)?, y: read(y)? })
    }

    /// The key of a DER `SubjectPublicKeyInfo`.
    ///
    /// # Errors
    /// When it is of another kind or curve, or compressed.
    pub fn from_spki(spki: &[u8]) -> Result<Self, ReceiptError> {
        Self::from_point(spki.strip_prefix(&SPKI).ok_or(ReceiptError::PublicKey)?)
    }

    /// Its DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki(&self) -> Vec<u8> {
        [SPKI.as_slice(), &self.point()].concat()
    }

    pub(super) fn point(&self) -> Vec<u8> {
        [[UNCOMPRESSED].as_slice(), &self.x, &self.y].concat()
    }

    /// Its thumbprint, which is the `kid` of what it signs.
    #[must_use]
    pub fn kid(&self) -> String {
        // RFC 7638: the required members alone, sorted, without white space.
        let (x, y) = self.coordinates();
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        URL_SAFE_NO_PAD.encode(digest(&SHA256, members.as_bytes()))
    }

    fn coordinates(&self) -> (String, String) {
        (URL_SAFE_NO_PAD.encode(self.x), URL_SAFE_NO_PAD.encode(self.y))
    }

    fn jwk(&self) -> Jwk {
        let (x, y) = self.coordinates();
        let [kty, crv, usage, alg] = ["EC", "P-256", "sig", "ES256"].map(str::to_owned);
        Jwk { kty, crv, x, y, usage, alg, kid: self.kid() }
    }
}

impl Jwk {
    fn key(&self) -> Result<ReceiptPublicKey, ReceiptError> {
        let read = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok();
            bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(ReceiptError::PublicKey)
        };
        let key = ReceiptPublicKey { x: read(&self.x)?, y: read(&self.y)? };
        let told = [&self.kty, &self.crv, &self.usage, &self.alg].map(String::as_str);
        let is_ours = told == ["EC", "P-256", "sig", "ES256"] && self.kid == key.kid();
        is_ours.then_some(key).ok_or(ReceiptError::PublicKey)
    }
}

/// The JWKS document of public keys.
#[must_use]
pub fn jwks(keys: &[&ReceiptPublicKey]) -> Value {
    let keys: Vec<Jwk> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys })
}

/// The keys of a JWKS document.
#[derive(Debug, Clone)]
pub struct ReceiptKeys(Vec<ReceiptPublicKey>);

impl ReceiptKeys {
    /// Reads a JWKS document.
    ///
    /// # Errors
    /// When it has other keys than a gateway publishes, or too many.
    pub fn read(document: &[u8]) -> Result<Self, ReceiptError> {
        let document: Jwks =
            serde_json::from_slice(document).map_err(|_| ReceiptError::PublicKey)?;
        if document.keys.len() > MOST_KEYS {
            return Err(ReceiptError::PublicKey);
        }
        document.keys.iter().map(Jwk::key).collect::<Result<_, _>>().map(Self)
    }

    /// What a receipt says, if one of the keys signed it.
    ///
    /// # Errors
    /// When it is none, or no key of these signed it.
    pub fn verify(&self, receipt: &str) -> Result<Value, ReceiptError> {
        let jws = verify::Parsed::read(receipt)?;
        let kid = jws.receipt_kid()?;
        let key = self.0.iter().find(|key| key.kid() == kid).ok_or(ReceiptError::UnknownKey)?;
        serde_json::from_slice(&jws.verify(key)?).map_err(|_| ReceiptError::Form)
    }
}
