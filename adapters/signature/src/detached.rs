//! A signature that travels as a text beside the JSON document it is about, in one of three kinds.
//!
//! In: the canonical form of a document and who signs; or a text and those who may have signed it.
//! Out: the text, or who has signed. Which kind a platform takes is often not public: whoever calls
//! has one configured, and never takes another because the text looks like it.

use std::{collections::BTreeSet, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::Timestamp;

use crate::{
    algorithm::Digest,
    certificate::{Certificate, CertificateError, Identity},
    cms::{self, CmsError},
    jws::{self, Algorithm, JwsError, KeyName, Peer},
    signer::Signer,
    trust::{Trust, Verifier},
    xml::{self, SignedXml, XmlError},
};

/// Longest text.
const MAX_TEXT: usize = 64 << 10;

/// A kind of signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A detached JSON web signature (RFC 7515 appendix F).
    Jws,
    /// Detached CMS signed data (RFC 5652) in Base64.
    Cms,
    /// An XML signature of a document that holds the SHA-256 of the content.
    Xml,
}

impl Kind {
    /// Every kind and its name in configuration files.
    pub const NAMES: [(&'static str, Self); 3] =
        [("jws", Self::Jws), ("cms", Self::Cms), ("xml", Self::Xml)];
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found.map(|(_, kind)| *kind).ok_or("not `jws`, `cms` or `xml`")
    }
}

/// Why a signature is not accepted, or not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DetachedError {
    /// The text is longer than any such signature.
    #[error("the signature is too large")]
    TooLarge,
    /// It is no Base64.
    #[error("the signature is not Base64")]
    NotBase64,
    /// Of the kind CMS.
    #[error(transparent)]
    Cms(#[from] CmsError),
    /// Of the kind JWS.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// Of the kind XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The signed document is about another content.
    #[error("the content was altered")]
    Altered,
    /// OpenSSL could not do its work.
    #[error("the content could not be hashed")]
    Failed,
    /// A signed document came out that is no text.
    #[error("the signature is not a text")]
    NotText,
    /// Someone has signed who is trusted and not expected.
    #[error("the signer is not one of those who are expected")]
    NotExpected,
}

/// Signs a content.
///
/// # Errors
///
/// If the certificate is not valid at this instant, or its key is of no use for this kind.
pub fn sign(
    kind: Kind,
    content: &[u8],
    signer: &Signer,
    at: Timestamp,
) -> Result<String, DetachedError> {
    match kind {
        Kind::Jws => {
            // The first that fits the key.
            let sign =
                |algorithm| jws::sign_detached(content, signer, algorithm, KeyName::Thumbprint, at);
            let mut signed = Algorithm::ALL.into_iter().map(sign);
            let fits = signed.find(|signed| *signed != Err(JwsError::Algorithm));
            Ok(fits.unwrap_or(Err(JwsError::Algorithm))?)
        }
        Kind::Cms => Ok(BASE64_STANDARD.encode(cms::sign_detached(content, signer, at)?)),
        Kind::Xml => {
            let signed = xml::sign(&statement(content)?, signer, at)?;
            String::from_utf8(signed).map_err(|_| DetachedError::NotText)
        }
    }
}

/// The document that an XML signature is made of, in canonical form.
fn statement(content: &[u8]) -> Result<Vec<u8>, DetachedError> {
    let digest = Digest::Sha256.of(content).map_err(|_| DetachedError::Failed)?;
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("<noiDung thuatToan=\"SHA-256\">{hex}</noiDung>").into_bytes())
}

/// Those who may have signed: known beforehand, and trusted besides.
#[derive(Debug, Clone)]
pub struct Signers {
    trust: Trust,
    peers: Vec<Peer>,
}

impl Signers {
    /// Reads their certificates, PEM. A file of several expects any of them.
    ///
    /// # Errors
    ///
    /// If there is none, or one cannot be read.
    pub fn new(trust: Trust, certificates: &[u8]) -> Result<Self, CertificateError> {
        let certificates = Certificate::all_from_pem(certificates)?;
        let peer = |certificate| Peer { kid: None, certificate, chain: Vec::new() };
        Ok(Self { trust, peers: certificates.into_iter().map(peer).collect() })
    }

    /// Judges a signature over a content.
    ///
    /// # Errors
    ///
    /// Why it is not accepted.
    pub fn verify(
        &self,
        kind: Kind,
        text: &str,
        content: &[u8],
        at: Timestamp,
    ) -> Result<Identity, DetachedError> {
        if text.len() > MAX_TEXT {
            return Err(DetachedError::TooLarge);
        }
        let verifier = Verifier::new(&self.trust, at);
        let signers = match kind {
            Kind::Jws => {
                let permitted = BTreeSet::from(Algorithm::ALL);
                vec![jws::verify_detached(text, content, &self.peers, &permitted, &verifier)?]
            }
            Kind::Cms => {
                let message = BASE64_STANDARD.decode(text).map_err(|_| DetachedError::NotBase64)?;
                cms::verify_detached(&message, content, &verifier)?
            }
            Kind::Xml => {
                let SignedXml { document, signer } = xml::verify(text.as_bytes(), &verifier)?;
                if document != statement(content)? {
                    return Err(DetachedError::Altered);
                }
                vec![signer]
            }
        };
        let expected = signers.into_iter().map(|verified| verified.signer).find(|signer| {
            let is = |peer: &Peer| peer.certificate.fingerprint() == signer.fingerprint;
            self.peers.iter().any(is)
        });
        expected.ok_or(DetachedError::NotExpected)
    }
}

#[cfg(test)]
mod tests;
