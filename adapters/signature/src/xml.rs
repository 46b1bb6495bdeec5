//! Enveloped signatures of whole XML documents (XML-DSig, exclusive canonicalisation).
//!
//! In: a document and who signs, or a signed document and a [`Verifier`]. Out: the signed document,
//! or who has signed and the canonical form of what was signed, without comments and signature.
//!
//! Must never accept a signature over a part of a document, or more than one. Nobody may read
//! anything of the document but the canonical form that is handed out.

use std::fmt;

use bergshamra_c14n::C14nMode;
use bergshamra_xml::NodeSet;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use uppsala::{Document, NodeId, Parser};

use crate::{
    algorithm::KeyKind,
    certificate::Certificate,
    cms::Verified,
    raw::{self, Form},
    signer::Signer,
    trust::{TrustError, Verifier},
};

mod make;
mod shape;

use shape::{Method, Scope, Shape};

/// The namespace of signatures.
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Deepest nesting of elements.
const MAX_DEPTH: u32 = 100;

/// Why a document is not accepted, or not signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is longer than was permitted.
    #[error("the document is too large")]
    TooLarge,
    /// It is not XML in UTF-8, or nested too deeply.
    #[error("the document is not XML in UTF-8, or is nested too deeply")]
    NotXml,
    /// It has a document type declaration.
    #[error("the document has a document type declaration")]
    Doctype,
    /// Nobody has signed.
    #[error("the document has no signature")]
    NoSignature,
    /// There is more than one signature.
    #[error("the document has more than one signature")]
    TooMany,
    /// The signature is somewhere else than it has to be, or of another shape.
    #[error("the signature is not of the shape that is accepted: {0}")]
    Shape(&'static str),
    /// A digest, a signature or a transform is not accepted.
    #[error("the signature uses an algorithm that is not accepted: {0}")]
    Algorithm(&'static str),
    /// There is no certificate of who has signed.
    #[error("the signature comes with no certificate")]
    CertificateMissing,
    /// The document is not the one that was signed.
    #[error("the content was altered")]
    Altered,
    /// The signature is not of the key of a certificate that came with it.
    #[error("the signature is wrong")]
    Signature,
    /// The signer is not trusted, or our own certificate may not be used.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// OpenSSL or the canonicalisation could not do its work.
    #[error("the signature could not be made or judged")]
    Failed,
}

impl From<ErrorStack> for XmlError {
    fn from(_: ErrorStack) -> Self {
        Self::Failed
    }
}

/// A document whose signature is good.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedXml {
    /// What was signed, in canonical form.
    pub document: Vec<u8>,
    /// By whom.
    pub signer: Verified,
}

impl fmt::Debug for SignedXml {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedXml").field("signer", &self.signer).finish_non_exhaustive()
    }
}

/// Signs a document. What comes out is its canonical form with the signature at the end of the
/// root element; comments and the XML declaration are gone.
///
/// # Errors
///
/// If it cannot be signed, or the certificate is not valid at this instant.
pub fn sign(document: &[u8], signer: &Signer, at: Timestamp) -> Result<Vec<u8>, XmlError> {
    signer.valid(at)?;
    make::signed(document, signer)
}

/// Judges the one signature of a document.
///
/// # Errors
///
/// Why it is not accepted.
pub fn verify(document: &[u8], verifier: &Verifier<'_>) -> Result<SignedXml, XmlError> {
    let text = text(document, verifier.limit)?;
    let document = parse(text)?;
    let shape = Shape::read(&document)?;
    if !verifier.accepts(shape.digest) || !verifier.accepts(shape.method.digest()) {
        return Err(XmlError::Algorithm("digest"));
    }
    let signed = canonical(&document, Some(&without(&document, &shape)))?;
    if shape.digest.of(&signed)? != shape.digest_value {
        return Err(XmlError::Altered);
    }
    let certificates: Vec<Certificate> = shape
        .certificates
        .iter()
        .map(|der| Certificate::from_der(der).map_err(|_| XmlError::CertificateMissing))
        .collect::<Result<_, _>>()?;
    if certificates.is_empty() {
        return Err(XmlError::CertificateMissing);
    }
    let part = NodeSet::tree_without_comments(shape.signed_info, &document);
    let over = canonical(&document, Some(&part))?;
    let made = |one: &&Certificate| is_by(one, shape.method, &over, &shape.value);
    let signer = certificates.iter().find(made).ok_or(XmlError::Signature)?;
    verifier.trust.check(signer, &certificates, verifier.at)?;
    let signer = Verified { signer: signer.identity(), signed_at: None };
    Ok(SignedXml { document: signed, signer })
}

/// What the reference of a signature selects: all of it but the signature.
fn without(document: &Document<'_>, shape: &Shape) -> NodeSet {
    let mut selected = match shape.scope {
        Scope::Document => NodeSet::all_without_comments(document),
        Scope::Root(root) => NodeSet::tree_without_comments(root, document),
    };
    selected.remove_id(shape.signature);
    document.descendants(shape.signature).into_iter().for_each(|node| selected.remove_id(node));
    selected
}

fn is_by(certificate: &Certificate, method: Method, over: &[u8], value: &[u8]) -> bool {
    let form = match (method, certificate.kind()) {
        (Method::Rsa(_), Some(KeyKind::Rsa(_))) => Form::Rsa,
        (Method::Ecdsa(_), Some(KeyKind::Elliptic(curve))) => Form::EcdsaPair(curve),
        _ => return false,
    };
    raw::verify(&certificate.key, form, method.digest(), (over, value))
}

/// UTF-8 without a document type.
fn text(document: &[u8], limit: usize) -> Result<&str, XmlError> {
    if document.len() > limit {
        return Err(XmlError::TooLarge);
    }
    let text = std::str::from_utf8(document).map_err(|_| XmlError::NotXml)?;
    // Also where it would be only text: nobody needs to write it.
    if text.contains("<!DOCTYPE") { Err(XmlError::Doctype) } else { Ok(text) }
}

fn parse(text: &str) -> Result<Document<'_>, XmlError> {
    let parser = Parser::new().with_forbid_dtd(true).with_max_depth(MAX_DEPTH);
    parser.parse(text).map_err(|_| XmlError::NotXml)
}

fn canonical(document: &Document<'_>, selected: Option<&NodeSet>) -> Result<Vec<u8>, XmlError> {
    const PREFIXES: &[&str] = &[];
    bergshamra_c14n::canonicalize_doc(document, C14nMode::Exclusive, selected, PREFIXES)
        .map_err(|_| XmlError::Failed)
}

/// Every element of the namespace of signatures with this name.
fn elements(document: &Document<'_>, name: &str) -> Vec<NodeId> {
    document.get_elements_by_tag_name_ns(DSIG, name)
}

#[cfg(test)]
mod tests;
