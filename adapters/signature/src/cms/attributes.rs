//! The attributes that a signer signs together with the digest of the content.
//!
//! Must never read a set in which one of them occurs twice.

use cms::signed_data::SignedAttributes;
use der::{
    Any, Encode, Sequence,
    asn1::{GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec, UtcTime},
};
use jiff::Timestamp;
use x509_cert::{attr::Attribute, spki::AlgorithmIdentifierOwned, time::Time};

use super::CmsError;
use crate::algorithm::{Digest, plain};

pub(super) const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.5");
const CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// What they say.
pub(super) struct Attributes {
    /// Of the content.
    pub(super) digest: Vec<u8>,
    pub(super) signed_at: Option<Timestamp>,
    /// The digest of the certificate that signs, and what kind it is.
    pub(super) certificate: Option<(Digest, Vec<u8>)>,
}

/// `SigningCertificateV2` of RFC 5035.
#[derive(Sequence)]
struct SigningCertificate {
    certificates: Vec<CertificateId>,
    policies: Option<Any>,
}

#[derive(Sequence)]
struct CertificateId {
    /// SHA-256 if it is left out.
    algorithm: Option<AlgorithmIdentifierOwned>,
    hash: OctetString,
    issuer: Option<Any>,
}

impl Attributes {
    pub(super) fn read(attributes: &SignedAttributes) -> Result<Self, CmsError> {
        let content_type = only(attributes, CONTENT_TYPE)?.ok_or(CmsError::Attributes)?;
        if content_type.decode_as::<ObjectIdentifier>().ok() != Some(DATA) {
            return Err(CmsError::Attributes);
        }
        let digest = only(attributes, MESSAGE_DIGEST)?.ok_or(CmsError::Attributes)?;
        let digest = digest.decode_as::<OctetString>().map_err(|_| CmsError::Attributes)?;
        let signed_at = only(attributes, SIGNING_TIME)?.map(instant).transpose()?;
        let certificate = only(attributes, CERTIFICATE)?.map(named).transpose()?;
        Ok(Self { digest: digest.into_bytes(), signed_at, certificate })
    }

    /// As they are signed.
    pub(super) fn make(&self) -> der::Result<SignedAttributes> {
        let mut all = vec![
            attribute(CONTENT_TYPE, &DATA)?,
            attribute(MESSAGE_DIGEST, &OctetString::new(self.digest.as_slice())?)?,
        ];
        if let Some(at) = self.signed_at {
            let since = std::time::Duration::from_secs(u64::try_from(at.as_second()).unwrap_or(0));
            // RFC 5652: the short form up to 2049, the long one after.
            let time = UtcTime::from_unix_duration(since)
                .map(Time::UtcTime)
                .or_else(|_| GeneralizedTime::from_unix_duration(since).map(Time::GeneralTime))?;
            all.push(attribute(SIGNING_TIME, &time)?);
        }
        if let Some((digest, hash)) = &self.certificate {
            // What is the default must be left out in DER.
            let algorithm = (*digest != Digest::Sha256).then(|| plain(digest.oid()));
            let hash = OctetString::new(hash.as_slice())?;
            let id = CertificateId { algorithm, hash, issuer: None };
            let named = SigningCertificate { certificates: vec![id], policies: None };
            all.push(attribute(CERTIFICATE, &named)?);
        }
        SetOfVec::try_from(all)
    }
}

fn attribute<T: Encode + der::Tagged + der::EncodeValue>(
    oid: ObjectIdentifier,
    value: &T,
) -> der::Result<Attribute> {
    let values = SetOfVec::try_from(vec![Any::encode_from(value)?])?;
    Ok(Attribute { oid, values })
}

/// The one value of the one attribute of this kind.
fn only(attributes: &SignedAttributes, oid: ObjectIdentifier) -> Result<Option<&Any>, CmsError> {
    let mut found = attributes.iter().filter(|attribute| attribute.oid == oid);
    match (found.next(), found.next()) {
        (None, _) => Ok(None),
        (Some(Attribute { values, .. }), None) if values.len() == 1 => Ok(values.get(0)),
        _ => Err(CmsError::Attributes),
    }
}

fn instant(value: &Any) -> Result<Timestamp, CmsError> {
    let short = || value.decode_as::<UtcTime>().map(|time| time.to_unix_duration());
    let long = |_| value.decode_as::<GeneralizedTime>().map(|time| time.to_unix_duration());
    let since = short().or_else(long).map_err(|_| CmsError::Attributes)?;
    let second = i64::try_from(since.as_secs());
    second.ok().and_then(|s| Timestamp::from_second(s).ok()).ok_or(CmsError::Attributes)
}

/// The first of those named is the one that signs.
fn named(value: &Any) -> Result<(Digest, Vec<u8>), CmsError> {
    let named = value.decode_as::<SigningCertificate>().map_err(|_| CmsError::Attributes)?;
    let first = named.certificates.into_iter().next().ok_or(CmsError::Attributes)?;
    let digest = match first.algorithm {
        None => Digest::Sha256,
        Some(algorithm) => Digest::named(&algorithm.oid).ok_or(CmsError::Algorithm)?,
    };
    Ok((digest, first.hash.into_bytes()))
}
