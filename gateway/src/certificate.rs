//! What a verified certificate says: the only source of a peer's identity.
//!
//! Takes the DER of a leaf that TLS has verified; gives its names, key hash, serial and validity.
//! It must never decide who the peer is: it only matches a participant's rule, exactly.

mod name;

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;
use lienthong_model::id::TrustAnchorId;
use lienthong_policy::{CertificateMatcher, CertificateRule};
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, prelude::FromDer, time::ASN1Time,
};

pub(crate) use name::rfc4514;

/// Most DNS names read from one certificate; one with more is refused.
const MAX_DNS_NAMES: usize = 64;

/// Why a certificate cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The bytes are not one X.509 certificate.
    #[error("not an X.509 certificate")]
    Malformed,
    /// The alternative names cannot be read, or there are too many.
    #[error("the alternative names of the certificate cannot be read")]
    AlternativeNames,
    /// The validity lies outside what a timestamp can hold.
    #[error("the validity of the certificate is out of range")]
    Validity,
}

/// A peer's certificate, verified up to `trust_anchor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The trust anchor that verified it.
    pub trust_anchor: TrustAnchorId,
    /// SHA-256 of that trust anchor's public key, so that an anchor replaced under the same id is
    /// noticed.
    pub anchor_sha256: [u8; 32],
    /// The subject as RFC 4514 writes it: most specific part first, no space after a comma.
    pub subject: String,
    /// The issuer, written like the subject.
    pub issuer: String,
    /// DNS names of the subject alternative name, in lower case.
    pub dns_names: Vec<String>,
    /// The serial number: big-endian, without leading zeros.
    pub serial: Box<[u8]>,
    /// SHA-256 of the public key (`SubjectPublicKeyInfo`).
    pub spki_sha256: [u8; 32],
    /// SHA-256 of the whole certificate.
    pub sha256: [u8; 32],
    /// First instant of its validity.
    pub not_before: Timestamp,
    /// Last instant of its validity.
    pub not_after: Timestamp,
}

impl PeerCertificate {
    /// Reads a leaf that `trust_anchor` has verified.
    ///
    /// # Errors
    /// When it is not one whole X.509 certificate.
    pub fn parse(
        der: &[u8],
        trust_anchor: &TrustAnchorId,
        anchor_sha256: [u8; 32],
    ) -> Result<Self, CertificateError> {
        let certificate = parse(der)?;
        Ok(Self {
            trust_anchor: trust_anchor.clone(),
            anchor_sha256,
            subject: rfc4514(certificate.subject()),
            issuer: rfc4514(certificate.issuer()),
            dns_names: dns_names(&certificate)?,
            serial: serial(certificate.raw_serial()),
            spki_sha256: sha256(certificate.public_key().raw),
            sha256: sha256(der),
            not_before: timestamp(certificate.validity().not_before)?,
            not_after: timestamp(certificate.validity().not_after)?,
        })
    }

    /// Whether a participant's rule means this certificate. Only exact equality counts, DNS names
    /// without regard to case; a wildcard matches nothing but itself.
    #[must_use]
    pub fn matches(&self, rule: &CertificateRule) -> bool {
        rule.trust_anchor == self.trust_anchor
            && match &rule.matcher {
                CertificateMatcher::Subject(subject) => *subject == self.subject,
                CertificateMatcher::San(name) => {
                    self.dns_names.iter().any(|own| own.eq_ignore_ascii_case(name))
                }
                CertificateMatcher::SpkiSha256(hash) => *hash == self.spki_sha256,
            }
    }

    /// The serial number in lower-case hexadecimal, as revocation tools print it.
    #[must_use]
    pub fn serial_hex(&self) -> String {
        hex(&self.serial)
    }
}

/// Reads one whole certificate.
pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, CertificateError> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(CertificateError::Malformed),
    }
}

/// The serial number without the zero that DER puts before a high bit.
pub(crate) fn serial(raw: &[u8]) -> Box<[u8]> {
    let start = raw.iter().position(|byte| *byte != 0).unwrap_or(raw.len());
    raw.get(start..).unwrap_or_default().into()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a `String` cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

pub(crate) fn timestamp(time: ASN1Time) -> Result<Timestamp, CertificateError> {
    Timestamp::from_second(time.timestamp()).map_err(|_| CertificateError::Validity)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

fn dns_names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, CertificateError> {
    let extension =
        certificate.subject_alternative_name().map_err(|_| CertificateError::AlternativeNames)?;
    let Some(extension) = extension else {
        return Ok(Vec::new());
    };
    let names = &extension.value.general_names;
    if names.len() > MAX_DNS_NAMES {
        return Err(CertificateError::AlternativeNames);
    }
    let dns = names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    Ok(dns.collect())
}

#[cfg(test)]
mod tests;
