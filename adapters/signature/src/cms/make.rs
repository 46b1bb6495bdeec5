//! Making a signed message.
//!
//! Put together here, with the signature by OpenSSL: its own maker of messages takes the time from
//! the machine, and the time is an argument.

use cms::{
    cert::{CertificateChoices, IssuerAndSerialNumber},
    content_info::{CmsVersion, ContentInfo},
    signed_data::{
        CertificateSet, EncapsulatedContentInfo, SignedData, SignerIdentifier, SignerInfo,
        SignerInfos,
    },
};
use der::{
    Any, Encode as _,
    asn1::{OctetString, SetOfVec},
};
use jiff::Timestamp;

use super::{
    CmsError,
    attributes::{Attributes, DATA},
    message::SIGNED,
};
use crate::{
    algorithm::{Digest, Method, plain},
    certificate::Certificate,
    raw::Form,
    signer::Signer,
    trust::DEFAULT_LIMIT,
};

/// Where the content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Inside,
    Beside,
}

pub(super) fn signed(
    content: &[u8],
    signer: &Signer,
    at: Timestamp,
    place: Content,
) -> Result<Vec<u8>, CmsError> {
    if content.len() > DEFAULT_LIMIT {
        return Err(CmsError::TooLarge);
    }
    signer.valid(at)?;
    let digest = signer.kind().digest();
    let certificate = Digest::Sha256.of(&signer.certificate().x509.to_der()?)?;
    let attributes = Attributes {
        digest: digest.of(content)?,
        signed_at: Some(at),
        certificate: Some((Digest::Sha256, certificate)),
    };
    let attributes = attributes.make().map_err(|_| CmsError::Failed)?;
    let over = attributes.to_der().map_err(|_| CmsError::Failed)?;
    let form = match signer.kind() {
        crate::algorithm::KeyKind::Rsa(_) => Form::Rsa,
        crate::algorithm::KeyKind::Elliptic(_) => Form::Ecdsa,
    };
    let signature = signer.sign(form, digest, &over)?;
    let names = &signer.certificate().fields.tbs_certificate;
    let info = || {
        Ok::<_, der::Error>(SignerInfo {
            version: CmsVersion::V1,
            sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
                issuer: names.issuer.clone(),
                serial_number: names.serial_number.clone(),
            }),
            digest_alg: plain(digest.oid()),
            signed_attrs: Some(attributes),
            signature_algorithm: Method::identifier(signer.kind(), digest),
            signature: OctetString::new(signature)?,
            unsigned_attrs: None,
        })
    };
    let inside = (place == Content::Inside).then_some(content);
    info().and_then(|info| whole(info, inside, signer)).map_err(|_| CmsError::Failed)
}

fn whole(info: SignerInfo, content: Option<&[u8]>, signer: &Signer) -> der::Result<Vec<u8>> {
    let choice = |one: &Certificate| CertificateChoices::Certificate(one.fields.clone());
    let mut certificates = vec![choice(signer.certificate())];
    certificates.extend(signer.chain().iter().map(choice));
    let econtent = match content {
        Some(content) => Some(Any::encode_from(&OctetString::new(content)?)?),
        None => None,
    };
    let data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![info.digest_alg.clone()])?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: DATA, econtent },
        certificates: Some(CertificateSet(SetOfVec::try_from(certificates)?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::try_from(vec![info])?),
    };
    ContentInfo { content_type: SIGNED, content: Any::encode_from(&data)? }.to_der()
}
