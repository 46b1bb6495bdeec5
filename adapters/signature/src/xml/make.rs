//! Signing a document.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bergshamra_xml::NodeSet;

use super::{
    DSIG, XmlError, canonical, elements, parse,
    shape::{ENVELOPED, EXCLUSIVE, Method, digest_name},
    text,
};
use crate::{
    algorithm::{Digest, KeyKind},
    raw::Form,
    signer::Signer,
    trust::DEFAULT_LIMIT,
};

pub(super) fn signed(document: &[u8], signer: &Signer) -> Result<Vec<u8>, XmlError> {
    let text = text(document, DEFAULT_LIMIT)?;
    let document = parse(text)?;
    if !elements(&document, "Signature").is_empty() {
        return Err(XmlError::TooMany);
    }
    let whole = canonical(&document, Some(&NodeSet::all_without_comments(&document)))?;
    let root = document.document_element().and_then(|root| document.element(root));
    let end = format!("</{}>", root.ok_or(XmlError::NotXml)?.name.prefixed_name());
    // What stands behind the root element would come between the signature and the end.
    let body = whole
        .strip_suffix(end.as_bytes())
        .ok_or(XmlError::Shape("something stands behind the root element"))?;

    let digest = signer.kind().digest();
    let (method, form) = match signer.kind() {
        KeyKind::Rsa(_) => (Method::Rsa(digest), Form::Rsa),
        KeyKind::Elliptic(curve) => (Method::Ecdsa(digest), Form::EcdsaPair(curve)),
    };
    let info = signed_info(method, digest, &digest.of(&whole)?);
    let parts = Parts { body, end: &end, info: &info };
    let over = {
        let unsigned = parts.join("", signer)?;
        let document = parse(std::str::from_utf8(&unsigned).map_err(|_| XmlError::Failed)?)?;
        // The document may have one of its own; ours is the last.
        let info = *elements(&document, "SignedInfo").last().ok_or(XmlError::Failed)?;
        canonical(&document, Some(&NodeSet::tree_without_comments(info, &document)))?
    };
    let value = BASE64_STANDARD.encode(signer.sign(form, digest, &over)?);
    parts.join(&value, signer)
}

fn signed_info(method: Method, digest: Digest, value: &[u8]) -> String {
    let (method, digest) = (method.name(), digest_name(digest));
    let value = BASE64_STANDARD.encode(value);
    format!(
        "<ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>\
         <ds:SignatureMethod Algorithm=\"{method}\"/><ds:Reference URI=\"\"><ds:Transforms>\
         <ds:Transform Algorithm=\"{ENVELOPED}\"/><ds:Transform Algorithm=\"{EXCLUSIVE}\"/>\
         </ds:Transforms><ds:DigestMethod Algorithm=\"{digest}\"/>\
         <ds:DigestValue>{value}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
    )
}

struct Parts<'a> {
    body: &'a [u8],
    end: &'a str,
    info: &'a str,
}

impl Parts<'_> {
    fn join(&self, value: &str, signer: &Signer) -> Result<Vec<u8>, XmlError> {
        let mut certificates = String::new();
        for certificate in std::iter::once(signer.certificate()).chain(signer.chain()) {
            let der = BASE64_STANDARD.encode(certificate.x509.to_der()?);
            certificates.push_str(&format!("<ds:X509Certificate>{der}</ds:X509Certificate>"));
        }
        let Self { body, end, info } = self;
        let signature = format!(
            "<ds:Signature xmlns:ds=\"{DSIG}\">{info}<ds:SignatureValue>{value}\
             </ds:SignatureValue><ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data>\
             </ds:KeyInfo></ds:Signature>{end}"
        );
        Ok([body, signature.as_bytes()].concat())
    }
}
