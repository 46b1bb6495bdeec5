//! A signed message, read twice: by OpenSSL, which judges it, and for what OpenSSL does not tell.
//!
//! In: bytes in BER or DER. Out: who signed it with what, each with exactly one certificate. What
//! is read here is what OpenSSL has written again from its own reading, in DER, so that both speak
//! of the same message.

use cms::{
    cert::CertificateChoices,
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier, SignerInfo},
};
use der::{
    Decode as _, Encode as _, Header, Reader as _, SliceReader,
    asn1::{ObjectIdentifier, OctetStringRef},
};
use openssl::cms::CmsContentInfo;

use super::{
    CmsError,
    attributes::{Attributes, DATA},
};
use crate::{
    algorithm::{Digest, Method},
    certificate::{Certificate, MAX_CERTIFICATES},
    trust::Verifier,
};

pub(super) const SIGNED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
/// Most signers of one message.
const MAX_SIGNERS: usize = 16;

pub(super) struct Message {
    pub(super) cms: CmsContentInfo,
    data: SignedData,
    content: Option<Vec<u8>>,
    /// All that came with it.
    pub(super) certificates: Vec<Certificate>,
}

/// One signer's part.
pub(super) struct Signature {
    pub(super) certificate: Certificate,
    pub(super) digest: Digest,
    pub(super) attributes: Attributes,
}

impl Message {
    pub(super) fn read(bytes: &[u8], limit: usize) -> Result<Self, CmsError> {
        let (cms, der) = open(bytes, &[SIGNED], limit)?;
        let data = || {
            let info = ContentInfo::from_der(&der)?;
            info.content.decode_as::<SignedData>()
        };
        let data = data().map_err(|_| CmsError::Damaged)?;
        if data.encap_content_info.econtent_type != DATA {
            return Err(CmsError::NotCms);
        }
        let certificates = data.certificates.as_ref().map(|set| set.0.as_slice());
        let certificates = certificates.unwrap_or_default();
        if data.signer_infos.0.is_empty() {
            return Err(CmsError::NoSigner);
        }
        if data.signer_infos.0.len() > MAX_SIGNERS || certificates.len() > MAX_CERTIFICATES {
            return Err(CmsError::TooMany);
        }
        let certificates = certificates.iter().filter_map(read).collect::<Result<_, _>>()?;
        let content = match &data.encap_content_info.econtent {
            Some(content) => {
                let content = content.decode_as::<OctetStringRef<'_>>();
                Some(content.map_err(|_| CmsError::Damaged)?.as_bytes().to_vec())
            }
            None => None,
        };
        Ok(Self { cms, data, content, certificates })
    }

    /// What was signed, if it is inside.
    pub(super) fn content(&self) -> Option<&[u8]> {
        self.content.as_deref()
    }

    /// Every signer's part, of algorithms that are accepted.
    pub(super) fn signatures(&self, verifier: &Verifier<'_>) -> Result<Vec<Signature>, CmsError> {
        self.data.signer_infos.0.iter().map(|info| self.signature(info, verifier)).collect()
    }

    fn signature(&self, info: &SignerInfo, verifier: &Verifier<'_>) -> Result<Signature, CmsError> {
        let digest = Digest::named(&info.digest_alg.oid).ok_or(CmsError::Algorithm)?;
        let method = Method::named(&info.signature_algorithm).ok_or(CmsError::Algorithm)?;
        let agree = method.digest().is_none_or(|named| named == digest);
        if !agree || !verifier.accepts(digest) {
            return Err(CmsError::Algorithm);
        }
        // SECURITY: without them a signature over attributes would pass for one over a content.
        let attributes = info.signed_attrs.as_ref().ok_or(CmsError::Attributes)?;
        let attributes = Attributes::read(attributes)?;
        let mut named = self.certificates.iter().filter(|one| is_named(one, &info.sid));
        match (named.next(), named.next()) {
            (Some(one), None) => Ok(Signature { certificate: one.clone(), digest, attributes }),
            _ => Err(CmsError::CertificateMissing),
        }
    }
}

fn is_named(certificate: &Certificate, by: &SignerIdentifier) -> bool {
    match by {
        SignerIdentifier::IssuerAndSerialNumber(name) => certificate.is_named(name),
        SignerIdentifier::SubjectKeyIdentifier(key) => certificate.has_key(key),
    }
}

/// Certificates of other kinds than X.509 are left alone.
fn read(choice: &CertificateChoices) -> Option<Result<Certificate, CmsError>> {
    let CertificateChoices::Certificate(fields) = choice else { return None };
    let der = fields.to_der().map_err(|_| CmsError::Damaged);
    Some(der.and_then(|der| Certificate::from_der(&der).map_err(|_| CmsError::Damaged)))
}

/// Reads a message of one of these kinds with OpenSSL; also hands out what OpenSSL has read, in
/// DER.
pub(super) fn open(
    bytes: &[u8],
    kinds: &[ObjectIdentifier],
    limit: usize,
) -> Result<(CmsContentInfo, Vec<u8>), CmsError> {
    if bytes.len() > limit {
        return Err(CmsError::TooLarge);
    }
    if !kind(bytes).is_some_and(|kind| kinds.contains(&kind)) {
        return Err(CmsError::NotCms);
    }
    if length(bytes).is_some_and(|length| length != bytes.len()) {
        return Err(CmsError::Damaged);
    }
    let cms = CmsContentInfo::from_der(bytes).map_err(|_| CmsError::Damaged)?;
    let der = cms.to_der().map_err(|_| CmsError::Damaged)?;
    Ok((cms, der))
}

/// What kind of message the bytes begin like.
fn kind(bytes: &[u8]) -> Option<ObjectIdentifier> {
    // The tag of a sequence, then its length in one to five bytes, then the identifier.
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let more = if *length > 0x80 { usize::from(length & 0x7f) } else { 0 };
    let identifier = rest.get(more..)?;
    let size = usize::from(*identifier.get(1)?);
    let whole = identifier.get(..size.checked_add(2)?)?;
    (*tag == 0x30).then(|| ObjectIdentifier::from_der(whole).ok()).flatten()
}

/// How long the message says to be; none where that shows at its end only.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    usize::try_from((reader.position() + header.length).ok()?).ok()
}
