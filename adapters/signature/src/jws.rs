//! Detached signatures in JWS (RFC 7515, appendix F): `header..signature` over bytes that travel
//! beside it.
//!
//! In: bytes and who signs with what; or a signature, the bytes, the certificates of those who may
//! have signed, and the algorithms that are permitted. Out: the text, or who has signed.
//!
//! Must never take a key from the header, an algorithm that was not permitted or does not fit the
//! key, or a header that asks for something that is not understood.

use std::collections::BTreeSet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use openssl::error::ErrorStack;
use serde_json::{Map, Value, json};

use crate::{
    algorithm::{Curve, Digest, KeyKind},
    canonical,
    certificate::Certificate,
    cms::Verified,
    raw::{self, Form},
    signer::Signer,
    trust::{DEFAULT_LIMIT, TrustError, Verifier},
};

/// Longest signature with its header.
const MAX_TEXT: usize = 16 << 10;
/// Longest name of a key.
const MAX_NAME: usize = 256;

/// Why a signature is not accepted, or not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// The signature or the bytes are longer than was permitted.
    #[error("the signature or the content is too large")]
    TooLarge,
    /// It is something else.
    #[error("the text is not a JWS")]
    NotJws,
    /// It carries a content of its own.
    #[error("the signature carries a content of its own")]
    Attached,
    /// The header asks for something that is not understood.
    #[error("the header names a critical parameter that is not understood")]
    Critical,
    /// The algorithm is not permitted, or does not fit the key.
    #[error("the algorithm is not accepted or does not fit the key")]
    Algorithm,
    /// The header names no key, or one that is not known.
    #[error("the header names no key that is known")]
    Key,
    /// The signature is not of this key over these bytes.
    #[error("the signature is wrong or the content was altered")]
    Signature,
    /// The signer is not trusted, or our own certificate may not be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// OpenSSL could not do its work.
    #[error("the signature could not be made")]
    Failed,
}

impl From<ErrorStack> for JwsError {
    fn from(_: ErrorStack) -> Self {
        Self::Failed
    }
}

/// An algorithm of RFC 7518. There is neither `none` nor any of a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// RSA of PKCS #1 version 1.5 with SHA-256.
    Rs256,
    /// RSA with PSS and SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl Algorithm {
    /// Every one there is.
    pub const ALL: [Self; 4] = [Self::Rs256, Self::Ps256, Self::Es256, Self::Es384];

    /// Its name in headers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// How it is computed with a key of this kind; none if the key does not fit.
    fn with(self, key: KeyKind) -> Option<(Form, Digest)> {
        match (self, key) {
            (Self::Rs256, KeyKind::Rsa(_)) => Some((Form::Rsa, Digest::Sha256)),
            (Self::Ps256, KeyKind::Rsa(_)) => Some((Form::RsaPss, Digest::Sha256)),
            (Self::Es256, KeyKind::Elliptic(curve @ Curve::P256)) => {
                Some((Form::EcdsaPair(curve), Digest::Sha256))
            }
            (Self::Es384, KeyKind::Elliptic(curve @ Curve::P384)) => {
                Some((Form::EcdsaPair(curve), Digest::Sha384))
            }
            _ => None,
        }
    }
}

/// How the header names our key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyName<'a> {
    /// `kid`, as was agreed.
    Kid(&'a str),
    /// `x5t#S256`, the SHA-256 of the certificate.
    Thumbprint,
}

/// Somebody who may have signed: known beforehand.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The `kid` that was agreed, if one was.
    pub kid: Option<String>,
    /// Whose key it is.
    pub certificate: Certificate,
    /// Certificates above that one.
    pub chain: Vec<Certificate>,
}

/// Signs bytes.
///
/// # Errors
///
/// If the certificate is not valid at this instant, or the algorithm does not fit its key.
pub fn sign_detached(
    content: &[u8],
    signer: &Signer,
    algorithm: Algorithm,
    name: KeyName<'_>,
    at: Timestamp,
) -> Result<String, JwsError> {
    signer.valid(at)?;
    if content.len() > DEFAULT_LIMIT {
        return Err(JwsError::TooLarge);
    }
    let (form, digest) = algorithm.with(signer.kind()).ok_or(JwsError::Algorithm)?;
    let header = match name {
        KeyName::Kid(kid) if kid.len() > MAX_NAME => return Err(JwsError::TooLarge),
        KeyName::Kid(kid) => json!({ "alg": algorithm.name(), "kid": kid }),
        KeyName::Thumbprint => {
            let thumbprint = thumbprint(signer.certificate());
            json!({ "alg": algorithm.name(), "x5t#S256": thumbprint })
        }
    };
    let header = BASE64_URL_SAFE_NO_PAD.encode(header.to_string());
    let signature = signer.sign(form, digest, &input(&header, content))?;
    Ok(format!("{header}..{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
}

/// Judges a signature over bytes that came beside it.
///
/// # Errors
///
/// Why it is not accepted.
pub fn verify_detached(
    text: &str,
    content: &[u8],
    peers: &[Peer],
    permitted: &BTreeSet<Algorithm>,
    verifier: &Verifier<'_>,
) -> Result<Verified, JwsError> {
    if text.len() > MAX_TEXT || content.len() > verifier.limit {
        return Err(JwsError::TooLarge);
    }
    let mut parts = text.split('.');
    let (Some(header), Some(inside), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(JwsError::NotJws);
    };
    if !inside.is_empty() {
        return Err(JwsError::Attached);
    }
    let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::NotJws);
    let signature = decode(signature)?;
    let Ok(Value::Object(fields)) = canonical::strict(&decode(header)?) else {
        return Err(JwsError::NotJws);
    };
    // Whatever is critical is not understood; `b64` has to be named among it (RFC 7797).
    if fields.contains_key("crit") || fields.contains_key("b64") {
        return Err(JwsError::Critical);
    }
    let algorithm = fields.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
    let algorithm = algorithm.filter(|algorithm| permitted.contains(algorithm));
    let algorithm = algorithm.ok_or(JwsError::Algorithm)?;
    let peer = named(&fields, peers)?;
    let kind = peer.certificate.kind().ok_or(JwsError::Algorithm)?;
    let (form, digest) = algorithm.with(kind).ok_or(JwsError::Algorithm)?;
    if !verifier.accepts(digest) {
        return Err(JwsError::Algorithm);
    }
    let signed = input(header, content);
    if !raw::verify(&peer.certificate.key, form, digest, (&signed, &signature)) {
        return Err(JwsError::Signature);
    }
    verifier.trust.check(&peer.certificate, &peer.chain, verifier.at)?;
    Ok(Verified { signer: peer.certificate.identity(), signed_at: None })
}

/// The one peer that fits every name the header gives.
fn named<'a>(fields: &Map<String, Value>, peers: &'a [Peer]) -> Result<&'a Peer, JwsError> {
    let (kid, print) = (fields.get("kid"), fields.get("x5t#S256"));
    if kid.is_none() && print.is_none() {
        return Err(JwsError::Key);
    }
    let fits = |peer: &&Peer| {
        let by_kid =
            kid.is_none_or(|kid| peer.kid.is_some() && kid.as_str() == peer.kid.as_deref());
        let by_print = print
            .is_none_or(|print| print.as_str() == Some(thumbprint(&peer.certificate).as_str()));
        by_kid && by_print
    };
    let mut found = peers.iter().filter(fits);
    match (found.next(), found.next()) {
        (Some(peer), None) => Ok(peer),
        _ => Err(JwsError::Key),
    }
}

fn thumbprint(certificate: &Certificate) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(certificate.fingerprint().bytes())
}

/// What is signed: the header and the content as they would stand in a whole JWS.
fn input(header: &str, content: &[u8]) -> Vec<u8> {
    format!("{header}.{}", BASE64_URL_SAFE_NO_PAD.encode(content)).into_bytes()
}

#[cfg(test)]
mod tests;
