//! A certificate as two libraries read it, and whom it names.
//!
//! In: DER or PEM. Out: a [`Certificate`] that both OpenSSL and the reader of its extensions accept
//! to the last byte. Must never show in `Debug` whom it names: many are of a person.

use std::fmt;

use cms::cert::IssuerAndSerialNumber;
use der::{Decode as _, asn1::ObjectIdentifier};
use openssl::{
    asn1::Asn1Time,
    pkey::{PKey, Public},
    x509::{X509, X509KeyUsage},
};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, SubjectKeyIdentifier};

use crate::algorithm::{Digest, KeyKind, Method};

/// Longest file of certificates or keys.
pub(crate) const MAX_PEM: usize = 1 << 20;
/// Most certificates of one file or one message.
pub(crate) const MAX_CERTIFICATES: usize = 64;

/// What is wrong with a file of certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is longer, or holds more certificates, than any such file has to.
    #[error("is too long for a file of certificates")]
    TooLong,
    /// There is none in it.
    #[error("holds no certificate in PEM")]
    Missing,
    /// One of them cannot be read.
    #[error("holds a certificate that cannot be read")]
    Unreadable,
}

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// From 64 hexadecimal digits, with or without colons between the bytes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits: Vec<u8> =
            text.bytes().filter(|byte| *byte != b':').map(digit).collect::<Option<_>>()?;
        let bytes: Vec<u8> =
            digits.chunks(2).map(|pair| pair.iter().fold(0, |a, b| a << 4 | b)).collect();
        (digits.len() == 64).then_some(())?;
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whom a certificate names.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The subject, in the form of RFC 4514.
    pub subject: String,
    /// Who issued the certificate, in the same form.
    pub issuer: String,
    /// The number it has there, in hexadecimal.
    pub serial: String,
    /// What tells this certificate from all others.
    pub fingerprint: Fingerprint,
}

impl Identity {
    /// Whether this is one of those that are expected.
    #[must_use]
    pub fn is_among(&self, pins: &[Pin]) -> bool {
        pins.iter().any(|pin| match pin {
            Pin::Fingerprint(fingerprint) => *fingerprint == self.fingerprint,
            Pin::Named { subject, serial } => *subject == self.subject && *serial == self.serial,
        })
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// A certificate that is expected, beyond being trusted.
#[derive(Clone, PartialEq, Eq)]
pub enum Pin {
    /// The one with this SHA-256.
    Fingerprint(Fingerprint),
    /// The one of this subject with this number.
    Named {
        /// In the form of RFC 4514, as [`Identity`] has it.
        subject: String,
        /// In hexadecimal, lower case.
        serial: String,
    },
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fingerprint(fingerprint) => f.debug_tuple("Pin").field(fingerprint).finish(),
            Self::Named { .. } => f.write_str("Pin(..)"),
        }
    }
}

/// A certificate.
#[derive(Clone)]
pub struct Certificate {
    pub(crate) x509: X509,
    pub(crate) fields: x509_cert::Certificate,
    pub(crate) key: PKey<Public>,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Reads one from DER.
    ///
    /// # Errors
    ///
    /// If it cannot be read to its end.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let fields =
            x509_cert::Certificate::from_der(der).map_err(|_| CertificateError::Unreadable)?;
        let read = || {
            let x509 = X509::from_der(der)?;
            let (key, digest) = (x509.public_key()?, Digest::Sha256.of(der)?);
            Ok::<_, openssl::error::ErrorStack>((x509, key, digest))
        };
        let (x509, key, digest) = read().map_err(|_| CertificateError::Unreadable)?;
        let digest = digest.try_into().map_err(|_| CertificateError::Unreadable)?;
        Ok(Self { x509, fields, key, fingerprint: Fingerprint(digest) })
    }

    /// Reads all of a file in PEM.
    ///
    /// # Errors
    ///
    /// If there is none, or one cannot be read.
    pub fn all_from_pem(pem: &[u8]) -> Result<Vec<Self>, CertificateError> {
        if pem.len() > MAX_PEM {
            return Err(CertificateError::TooLong);
        }
        let all = X509::stack_from_pem(pem).map_err(|_| CertificateError::Unreadable)?;
        match all.len() {
            0 => return Err(CertificateError::Missing),
            1..=MAX_CERTIFICATES => {}
            _ => return Err(CertificateError::TooLong),
        }
        all.iter()
            .map(|x509| x509.to_der().map_err(|_| CertificateError::Unreadable))
            .map(|der| der.and_then(|der| Self::from_der(&der)))
            .collect()
    }

    /// Whom it names.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let tbs = &self.fields.tbs_certificate;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Identity {
            subject: tbs.subject.to_string(),
            issuer: tbs.issuer.to_string(),
            serial: hex(tbs.serial_number.as_bytes()),
            fingerprint: self.fingerprint,
        }
    }

    /// What tells it from all others.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    pub(crate) fn kind(&self) -> Option<KeyKind> {
        KeyKind::of(&self.key)
    }

    /// How it was signed by whoever issued it.
    pub(crate) fn signed_by(&self) -> Option<Method> {
        Method::named(&self.fields.signature_algorithm)
    }

    pub(crate) fn is_authority(&self) -> bool {
        let constraints = self.fields.tbs_certificate.get::<BasicConstraints>();
        matches!(constraints, Ok(Some((_, constraints))) if constraints.ca)
    }

    pub(crate) fn key_usage(&self) -> Option<X509KeyUsage> {
        self.x509.key_usage()
    }

    /// What the key may be used for beyond that; empty if the certificate does not say.
    pub(crate) fn extended_key_usages(&self) -> Vec<ObjectIdentifier> {
        let usages = self.fields.tbs_certificate.get::<ExtendedKeyUsage>();
        usages.ok().flatten().map(|(_, usages)| usages.0).unwrap_or_default()
    }

    /// Whether it is the one of this issuer with this number.
    pub(crate) fn is_named(&self, name: &IssuerAndSerialNumber) -> bool {
        let fields = &self.fields.tbs_certificate;
        name.issuer == fields.issuer && name.serial_number == fields.serial_number
    }

    /// Whether it says of its key to be called so.
    pub(crate) fn has_key(&self, identifier: &SubjectKeyIdentifier) -> bool {
        let own = self.fields.tbs_certificate.get::<SubjectKeyIdentifier>();
        matches!(own, Ok(Some((_, own))) if own == *identifier)
    }

    /// Whether an instant, in seconds, is before its validity, in it, or after it.
    pub(crate) fn validity(&self, second: i64) -> Option<Validity> {
        let at = Asn1Time::from_unix(second).ok()?;
        Some(match (*self.x509.not_before() <= at, at <= *self.x509.not_after()) {
            (false, _) => Validity::NotYet,
            (true, false) => Validity::Over,
            (true, true) => Validity::Now,
        })
    }
}

/// Where an instant stands to a certificate's validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Validity {
    NotYet,
    Now,
    Over,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Certificate").field(&self.fingerprint).finish()
    }
}
