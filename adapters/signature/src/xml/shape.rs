//! The one shape of a signature that is accepted.
//!
//! In: a document. Out: a [`Shape`], if the signature is the only one, stands directly in the root
//! element, and refers to the whole document without itself and to nothing else.
//!
//! Must never pass over an element, a parameter or a transform that it does not know.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use uppsala::{Document, NodeId, NodeKind};

use super::{DSIG, XmlError, elements};
use crate::algorithm::Digest;

pub(super) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const MORE: &str = "http://www.w3.org/2001/04/xmldsig-more#";
/// Most certificates of one signature.
const MAX_CERTIFICATES: usize = 16;

/// How the signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Rsa(Digest),
    Ecdsa(Digest),
}

impl Method {
    const ALL: [Self; 6] = [
        Self::Rsa(Digest::Sha256),
        Self::Rsa(Digest::Sha384),
        Self::Rsa(Digest::Sha512),
        Self::Ecdsa(Digest::Sha256),
        Self::Ecdsa(Digest::Sha384),
        Self::Ecdsa(Digest::Sha512),
    ];

    pub(super) fn digest(self) -> Digest {
        match self {
            Self::Rsa(digest) | Self::Ecdsa(digest) => digest,
        }
    }

    pub(super) fn name(self) -> String {
        let (kind, digest) = match self {
            Self::Rsa(digest) => ("rsa", digest),
            Self::Ecdsa(digest) => ("ecdsa", digest),
        };
        let digest = match digest {
            Digest::Sha256 => "sha256",
            Digest::Sha384 => "sha384",
            Digest::Sha512 => "sha512",
        };
        format!("{MORE}{kind}-{digest}")
    }
}

/// The name of a digest in XML.
pub(super) fn digest_name(digest: Digest) -> &'static str {
    match digest {
        Digest::Sha256 => "http://www.w3.org/2001/04/xmlenc#sha256",
        Digest::Sha384 => "http://www.w3.org/2001/04/xmldsig-more#sha384",
        Digest::Sha512 => "http://www.w3.org/2001/04/xmlenc#sha512",
    }
}

/// What the signature refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// With what stands outside of the root element.
    Document,
    Root(NodeId),
}

/// A signature of the right shape.
pub(super) struct Shape {
    pub(super) signature: NodeId,
    pub(super) signed_info: NodeId,
    pub(super) scope: Scope,
    pub(super) method: Method,
    pub(super) digest: Digest,
    pub(super) digest_value: Vec<u8>,
    pub(super) value: Vec<u8>,
    /// In DER; nobody has said yet that they may be believed.
    pub(super) certificates: Vec<Vec<u8>>,
}

impl Shape {
    pub(super) fn read(document: &Document<'_>) -> Result<Self, XmlError> {
        let signature = match elements(document, "Signature").as_slice() {
            [] => return Err(XmlError::NoSignature),
            [one] => *one,
            _ => return Err(XmlError::TooMany),
        };
        let root = document.document_element().ok_or(XmlError::NotXml)?;
        if document.parent(signature) != Some(root) {
            return Err(XmlError::Shape("the signature does not stand in the root element"));
        }
        let [signed_info, value, key_info] = children(document, signature)?;
        named(document, signed_info, "SignedInfo")?;
        named(document, value, "SignatureValue")?;
        named(document, key_info, "KeyInfo")?;
        let [canonicalisation, method, reference] = children(document, signed_info)?;
        if algorithm(document, canonicalisation, "CanonicalizationMethod")? != EXCLUSIVE {
            return Err(XmlError::Algorithm("canonicalisation"));
        }
        let name = algorithm(document, method, "SignatureMethod")?;
        let method = Method::ALL.into_iter().find(|method| method.name() == name);
        let (scope, digest, digest_value) = refers(document, root, reference)?;
        Ok(Self {
            signature,
            signed_info,
            scope,
            method: method.ok_or(XmlError::Algorithm("signature"))?,
            digest,
            digest_value,
            value: decoded(document, value)?,
            certificates: certificates(document, key_info)?,
        })
    }
}

/// To what, by which digest, and which value it has.
fn refers(
    document: &Document<'_>,
    root: NodeId,
    reference: NodeId,
) -> Result<(Scope, Digest, Vec<u8>), XmlError> {
    named(document, reference, "Reference")?;
    let scope = match document.get_attribute(reference, "URI") {
        Some("") => Scope::Document,
        Some(uri) => match uri.strip_prefix('#') {
            Some(id) if is_root(document, root, id) => Scope::Root(root),
            _ => return Err(XmlError::Shape("the reference is not to the whole document")),
        },
        None => return Err(XmlError::Shape("the reference names nothing")),
    };
    let [transforms, method, value] = children(document, reference)?;
    named(document, transforms, "Transforms")?;
    let [first, second] = children(document, transforms)?;
    let both =
        [algorithm(document, first, "Transform")?, algorithm(document, second, "Transform")?];
    if both != [ENVELOPED, EXCLUSIVE] {
        return Err(XmlError::Algorithm("transform"));
    }
    let name = algorithm(document, method, "DigestMethod")?;
    let digest = Digest::ALL.into_iter().find(|digest| digest_name(*digest) == name);
    named(document, value, "DigestValue")?;
    Ok((scope, digest.ok_or(XmlError::Algorithm("digest"))?, decoded(document, value)?))
}

/// Whether the root element, and nothing else, is called so.
fn is_root(document: &Document<'_>, root: NodeId, id: &str) -> bool {
    let mut bearers = Vec::new();
    for node in document.descendants(document.root()) {
        let attributes = document.element(node).map(|element| element.attributes.as_slice());
        let is_called = |attribute: &uppsala::Attribute<'_>| {
            attribute.name.local_name.eq_ignore_ascii_case("id") && attribute.value == id
        };
        if attributes.unwrap_or_default().iter().any(is_called) {
            bearers.push(node);
        }
    }
    bearers == [root]
}

/// The elements in an element that holds so many of them, and white space.
fn children<const N: usize>(
    document: &Document<'_>,
    parent: NodeId,
) -> Result<[NodeId; N], XmlError> {
    let mut found = Vec::new();
    for child in document.children(parent) {
        match document.node_kind(child) {
            Some(NodeKind::Element(_)) => found.push(child),
            Some(NodeKind::Text(text)) if text.trim().is_empty() => {}
            _ => return Err(XmlError::Shape("there is something else than elements")),
        }
    }
    found.try_into().map_err(|_| XmlError::Shape("there are too many or too few elements"))
}

fn named(document: &Document<'_>, node: NodeId, name: &str) -> Result<(), XmlError> {
    let fits = document.element(node).is_some_and(|element| element.matches_name_ns(DSIG, name));
    fits.then_some(()).ok_or(XmlError::Shape("there is an element that is not expected"))
}

/// What an element without anything in it names as its algorithm.
fn algorithm<'d>(
    document: &'d Document<'_>,
    node: NodeId,
    name: &str,
) -> Result<&'d str, XmlError> {
    named(document, node, name)?;
    let [] = children(document, node)?;
    document.get_attribute(node, "Algorithm").ok_or(XmlError::Shape("an algorithm is not named"))
}

fn decoded(document: &Document<'_>, node: NodeId) -> Result<Vec<u8>, XmlError> {
    let mut text = String::new();
    for child in document.children(node) {
        let Some(NodeKind::Text(part)) = document.node_kind(child) else {
            return Err(XmlError::Shape("there is something else than text"));
        };
        text.extend(part.split_ascii_whitespace());
    }
    BASE64_STANDARD.decode(text).map_err(|_| XmlError::Shape("there is text that is not base64"))
}

/// Whatever else the key info holds is left alone: none of it is signed, and none is believed.
fn certificates(document: &Document<'_>, key_info: NodeId) -> Result<Vec<Vec<u8>>, XmlError> {
    let mut found = Vec::new();
    for data in document.child_elements_by_name_ns(key_info, DSIG, "X509Data") {
        for one in document.child_elements_by_name_ns(data, DSIG, "X509Certificate") {
            if found.len() >= MAX_CERTIFICATES {
                return Err(XmlError::Shape("there are too many certificates"));
            }
            found.push(decoded(document, one)?);
        }
    }
    Ok(found)
}
