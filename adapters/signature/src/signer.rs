//! Our own certificate and key, and those whom we encrypt for.
//!
//! In: PEM. Out: a [`Signer`], an [`Opener`] or a [`Recipient`] whose key is strong enough and
//! fits. Must never show anything of a key.

use std::fmt;

use jiff::Timestamp;
use openssl::{
    pkey::{PKey, Private},
    x509::X509KeyUsage,
};

use crate::{
    algorithm::{Digest, KeyKind},
    certificate::{Certificate, CertificateError, Identity, MAX_PEM},
    raw::{self, Form},
    trust::{self, TrustError},
};

const MIN_RSA_BITS: u32 = 2048;

/// Why a certificate and a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignerError {
    /// The certificates cannot be read.
    #[error("the file of the certificate {0}")]
    Certificate(CertificateError),
    /// The key cannot be read.
    #[error("the file of the key holds no private key in PEM, or it has a password")]
    Key,
    /// They are of two pairs.
    #[error("the key is not the key of the certificate")]
    Mismatch,
    /// The key is too short or of a kind that is not known.
    #[error("the key is neither RSA of at least 2048 bits nor of a known curve")]
    Weak,
    /// The certificate is for something else.
    #[error("the certificate is not for this use")]
    WrongUse,
}

/// A certificate with those above it, and its key.
#[derive(Clone)]
struct Pair {
    certificate: Certificate,
    chain: Vec<Certificate>,
    key: PKey<Private>,
    kind: KeyKind,
}

impl Pair {
    fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, SignerError> {
        let (certificate, chain) = first(certificates)?;
        let kind = strong(&certificate)?;
        if key.len() > MAX_PEM {
            return Err(SignerError::Key);
        }
        // SECURITY: without a callback OpenSSL would ask the terminal for a password.
        let key = PKey::private_key_from_pem_callback(key, |_| Ok(0));
        let key = key.map_err(|_| SignerError::Key)?;
        if !certificate.key.public_eq(&key) {
            return Err(SignerError::Mismatch);
        }
        Ok(Self { certificate, chain, key, kind })
    }
}

fn first(pem: &[u8]) -> Result<(Certificate, Vec<Certificate>), SignerError> {
    let mut all = Certificate::all_from_pem(pem).map_err(SignerError::Certificate)?.into_iter();
    let first = all.next().ok_or(SignerError::Certificate(CertificateError::Missing))?;
    Ok((first, all.collect()))
}

fn strong(certificate: &Certificate) -> Result<KeyKind, SignerError> {
    match certificate.kind() {
        Some(KeyKind::Rsa(bits)) if bits < MIN_RSA_BITS => Err(SignerError::Weak),
        Some(kind) => Ok(kind),
        None => Err(SignerError::Weak),
    }
}

/// Whether a certificate is for any of these. One that does not say is for all of them.
fn is_for(certificate: &Certificate, usages: X509KeyUsage) -> Result<(), SignerError> {
    let fits = certificate.key_usage().is_none_or(|usage| usage.intersects(usages));
    fits.then_some(()).ok_or(SignerError::WrongUse)
}

/// Who signs.
#[derive(Clone)]
pub struct Signer(Pair);

impl Signer {
    /// Reads a certificate, followed by those above it but the anchor, and its key.
    ///
    /// # Errors
    ///
    /// If they cannot be read, do not fit, or are not for signing.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, SignerError> {
        let pair = Pair::from_pem(certificates, key)?;
        let signs = X509KeyUsage::DIGITAL_SIGNATURE | X509KeyUsage::NON_REPUDIATION;
        is_for(&pair.certificate, signs)?;
        Ok(Self(pair))
    }

    /// Whom the certificate names.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.0.certificate.identity()
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    pub(crate) fn chain(&self) -> &[Certificate] {
        &self.0.chain
    }

    pub(crate) fn kind(&self) -> KeyKind {
        self.0.kind
    }

    /// Whether the certificate is valid at an instant.
    pub(crate) fn valid(&self, at: Timestamp) -> Result<(), TrustError> {
        trust::valid(&self.0.certificate, at)
    }

    pub(crate) fn sign(
        &self,
        form: Form,
        digest: Digest,
        bytes: &[u8],
    ) -> Result<Vec<u8>, openssl::error::ErrorStack> {
        raw::sign(&self.0.key, form, digest, bytes)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.0.certificate.fingerprint()).finish()
    }
}

/// What a certificate has to be for, for the key of a package to be wrapped for it.
const WRAPS: X509KeyUsage = X509KeyUsage::KEY_ENCIPHERMENT.union(X509KeyUsage::KEY_AGREEMENT);

/// Who opens what was encrypted for us.
#[derive(Clone)]
pub struct Opener(Pair);

impl Opener {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    ///
    /// If they cannot be read, do not fit, or are not for this use.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, SignerError> {
        let pair = Pair::from_pem(certificate, key)?;
        is_for(&pair.certificate, WRAPS)?;
        Ok(Self(pair))
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    pub(crate) fn key(&self) -> &PKey<Private> {
        &self.0.key
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Opener").field(&self.0.certificate.fingerprint()).finish()
    }
}

/// Whom a package is encrypted for: known beforehand, never found in a message.
#[derive(Debug, Clone)]
pub struct Recipient(Certificate);

impl Recipient {
    /// Reads the first certificate of a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, its key is weak, or it is not for this use.
    pub fn from_pem(certificate: &[u8]) -> Result<Self, SignerError> {
        let (certificate, _) = first(certificate)?;
        strong(&certificate)?;
        is_for(&certificate, WRAPS)?;
        Ok(Self(certificate))
    }

    /// Whom the certificate names.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.0.identity()
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.0
    }
}

#[cfg(test)]
mod tests;
