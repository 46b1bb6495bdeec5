//! Signatures in CMS (RFC 5652) and packages encrypted for their recipients.
//!
//! In: bytes and who signs, or a message and a [`Verifier`]. Out: a message in DER, or everyone who
//! signed it. A message with several signers is good only if all of them are.
//!
//! Must never hand out content that is not signed by someone trusted, take a certificate that the
//! message names twice, or believe the time that a signer states.

use std::fmt;

use jiff::Timestamp;
use openssl::{cms::CMSOptions, error::ErrorStack, stack::Stack};

use crate::{
    certificate::{Certificate, Identity},
    signer::Signer,
    trust::{TrustError, Verifier},
};

mod attributes;
mod envelope;
mod make;
mod message;

pub use envelope::{Cipher, decrypt, encrypt};
pub(crate) use message::length;
use message::{Message, Signature};

/// Why a message is not accepted, or not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CmsError {
    /// It is longer than was permitted.
    #[error("the message is too large")]
    TooLarge,
    /// It is something else.
    #[error("the bytes are not a CMS message of the kind that is expected")]
    NotCms,
    /// It begins like one and is broken.
    #[error("the CMS message is damaged")]
    Damaged,
    /// A detached signature was expected.
    #[error("the signature carries a content of its own")]
    Attached,
    /// Content was expected in the message.
    #[error("the message carries no content")]
    Detached,
    /// Nobody has signed.
    #[error("the message has no signer")]
    NoSigner,
    /// More signers, certificates or recipients than any message has.
    #[error("the message has too many signers, certificates or recipients")]
    TooMany,
    /// There is no certificate of a signer, or two.
    #[error("the message does not hold exactly one certificate of each signer")]
    CertificateMissing,
    /// The signed attributes are missing, contradictory, or name another certificate.
    #[error("the signed attributes of the message are not as they have to be")]
    Attributes,
    /// A digest, a signature or a cipher is weak or not known.
    #[error("the message uses an algorithm that is not accepted")]
    Algorithm,
    /// The content is not the one that was signed or encrypted.
    #[error("the content was altered")]
    Altered,
    /// The signature is not by the key of the certificate.
    #[error("the signature is wrong")]
    Signature,
    /// A signer is not trusted, or our own certificate or a recipient's may not be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It was encrypted for others.
    #[error("the message is not encrypted for this certificate")]
    NotForUs,
    /// It is to be encrypted for nobody.
    #[error("there is no recipient")]
    NoRecipient,
    /// OpenSSL could not do its work.
    #[error("the message could not be made or judged")]
    Failed,
}

impl From<ErrorStack> for CmsError {
    fn from(_: ErrorStack) -> Self {
        Self::Failed
    }
}

/// Somebody who has signed, and whom we believe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who it is.
    pub signer: Identity,
    /// When, as the signer says. Nobody else vouches for it.
    pub signed_at: Option<Timestamp>,
}

/// A content and everyone who has signed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub content: Vec<u8>,
    /// By whom; never empty.
    pub signers: Vec<Verified>,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed").field("signers", &self.signers).finish_non_exhaustive()
    }
}

/// Whether a signer has to name the certificate in what is signed (RFC 5035).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    Required,
    IfPresent,
}

/// Signs a content, and puts it into the message.
///
/// # Errors
///
/// If the certificate is not valid at this instant.
pub fn sign(content: &[u8], signer: &Signer, at: Timestamp) -> Result<Vec<u8>, CmsError> {
    make::signed(content, signer, at, make::Content::Inside)
}

/// Signs a content that travels beside the message.
///
/// # Errors
///
/// If the certificate is not valid at this instant.
pub fn sign_detached(content: &[u8], signer: &Signer, at: Timestamp) -> Result<Vec<u8>, CmsError> {
    make::signed(content, signer, at, make::Content::Beside)
}

/// Opens a message with its content in it.
///
/// # Errors
///
/// Why it is not accepted.
pub fn verify(message: &[u8], verifier: &Verifier<'_>) -> Result<Signed, CmsError> {
    let message = Message::read(message, verifier.limit)?;
    let content = message.content().ok_or(CmsError::Detached)?.to_vec();
    let signers = judge(message, &content, Naming::IfPresent, verifier)?;
    Ok(Signed { content, signers })
}

/// Judges a signature over a content that came beside it.
///
/// # Errors
///
/// Why it is not accepted.
pub fn verify_detached(
    message: &[u8],
    content: &[u8],
    verifier: &Verifier<'_>,
) -> Result<Vec<Verified>, CmsError> {
    detached(message, content, Naming::IfPresent, verifier)
}

pub(crate) fn detached(
    message: &[u8],
    content: &[u8],
    naming: Naming,
    verifier: &Verifier<'_>,
) -> Result<Vec<Verified>, CmsError> {
    if content.len() > verifier.limit {
        return Err(CmsError::TooLarge);
    }
    let message = Message::read(message, verifier.limit)?;
    if message.content().is_some() {
        return Err(CmsError::Attached);
    }
    judge(message, content, naming, verifier)
}

fn judge(
    mut message: Message,
    content: &[u8],
    naming: Naming,
    verifier: &Verifier<'_>,
) -> Result<Vec<Verified>, CmsError> {
    let signatures = message.signatures(verifier)?;
    for signature in &signatures {
        if signature.digest.of(content)? != signature.attributes.digest {
            return Err(CmsError::Altered);
        }
        match &signature.attributes.certificate {
            Some((digest, hash)) if digest.of(&der(&signature.certificate)?)? == *hash => {}
            None if naming == Naming::IfPresent => {}
            _ => return Err(CmsError::Attributes),
        }
    }
    // SECURITY: with these certificates and no others (NOINTERN), so that OpenSSL judges by the same
    // keys whose chains are judged below.
    let mut signers = Stack::new()?;
    for signature in &signatures {
        signers.push(signature.certificate.x509.clone())?;
    }
    let options = CMSOptions::BINARY | CMSOptions::NOINTERN | CMSOptions::NO_SIGNER_CERT_VERIFY;
    let beside = message.content().is_none().then_some(content);
    let mut signed = Vec::new();
    message
        .cms
        .verify(Some(&signers), None, beside, Some(&mut signed), options)
        .map_err(|_| CmsError::Signature)?;
    if signed != content {
        return Err(CmsError::Damaged);
    }
    let verified = |signature: Signature| {
        verifier.trust.check(&signature.certificate, &message.certificates, verifier.at)?;
        let signed_at = signature.attributes.signed_at;
        Ok(Verified { signer: signature.certificate.identity(), signed_at })
    };
    signatures.into_iter().map(verified).collect()
}

fn der(certificate: &Certificate) -> Result<Vec<u8>, ErrorStack> {
    certificate.x509.to_der()
}

#[cfg(test)]
mod tests;
