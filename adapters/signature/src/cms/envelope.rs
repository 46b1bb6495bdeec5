//! Packages that only their recipients open.
//!
//! In: bytes and recipients, or a message and an [`Opener`]. Out: a message in DER, or what is in
//! it. AES-256-GCM (`AuthEnvelopedData`, RFC 5083) shows when it was altered; AES-256-CBC
//! (`EnvelopedData`) does not, so it has to hold something signed.
//!
//! Must never hand out anything of a message whose check of authenticity fails.

use cms::enveloped_data::{
    EncryptedContentInfo, EnvelopedData, KeyAgreeRecipientIdentifier, RecipientIdentifier,
    RecipientInfo, RecipientInfos,
};
use der::{
    Decode as _, Sequence,
    asn1::{ObjectIdentifier, OctetString, SetOfVec},
};
use jiff::Timestamp;
use openssl::{
    cms::{CMSOptions, CmsContentInfo},
    stack::Stack,
    symm,
};
use x509_cert::attr::Attribute;

use super::{CmsError, message};
use crate::{
    certificate::Certificate,
    signer::{Opener, Recipient},
    trust::{self, DEFAULT_LIMIT},
};

const AUTHENTICATED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.23");
const ENVELOPED: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const AES_256_GCM: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.46");
const AES_256_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.1.42");
/// Bytes of the tag of GCM; OpenSSL would take a shorter one.
const TAG: usize = 16;
/// Most recipients of one message.
const MAX_RECIPIENTS: usize = 64;

/// How a package is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cipher {
    /// AES-256-GCM: authenticated.
    Aes256Gcm,
    /// AES-256-CBC: for who cannot read the former, and only around something signed.
    Aes256Cbc,
}

#[derive(Sequence)]
struct Authenticated {
    version: u8,
    recipients: RecipientInfos,
    content: EncryptedContentInfo,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    authenticated: Option<SetOfVec<Attribute>>,
    tag: OctetString,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    others: Option<SetOfVec<Attribute>>,
}

#[derive(Sequence)]
struct Outer<'a> {
    kind: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: der::AnyRef<'a>,
}

/// Encrypts a content for everyone named.
///
/// # Errors
///
/// If there is nobody, or a certificate is not valid at this instant.
pub fn encrypt(
    content: &[u8],
    recipients: &[Recipient],
    cipher: Cipher,
    at: Timestamp,
) -> Result<Vec<u8>, CmsError> {
    match recipients.len() {
        0 => return Err(CmsError::NoRecipient),
        1..=MAX_RECIPIENTS => {}
        _ => return Err(CmsError::TooMany),
    }
    if content.len() > DEFAULT_LIMIT {
        return Err(CmsError::TooLarge);
    }
    let mut certificates = Stack::new()?;
    for recipient in recipients {
        trust::valid(recipient.certificate(), at)?;
        certificates.push(recipient.certificate().x509.clone())?;
    }
    let cipher = match cipher {
        Cipher::Aes256Gcm => symm::Cipher::aes_256_gcm(),
        Cipher::Aes256Cbc => symm::Cipher::aes_256_cbc(),
    };
    let message = CmsContentInfo::encrypt(&certificates, content, cipher, CMSOptions::BINARY)?;
    Ok(message.to_der()?)
}

/// Opens a package that was encrypted for us with one of these ciphers.
///
/// # Errors
///
/// Why it cannot be opened.
pub fn decrypt(
    message: &[u8],
    opener: &Opener,
    accepted: &[Cipher],
    limit: usize,
) -> Result<Vec<u8>, CmsError> {
    let (cms, der) = message::open(message, &[AUTHENTICATED, ENVELOPED], limit)?;
    let (cipher, recipients) = shape(&der)?;
    if !accepted.contains(&cipher) {
        return Err(CmsError::Algorithm);
    }
    match recipients.0.len() {
        0..=MAX_RECIPIENTS => {}
        _ => return Err(CmsError::TooMany),
    }
    if !recipients.0.iter().any(|recipient| is_for(recipient, opener.certificate())) {
        return Err(CmsError::NotForUs);
    }
    // SECURITY: whatever goes wrong from here on is told as one thing, so that nobody learns from it
    // how far a forged key or padding came.
    let opened = cms.decrypt(opener.key(), &opener.certificate().x509);
    opened.map_err(|_| CmsError::Altered)
}

/// The cipher of a message whose shape is right, and whom it is for.
fn shape(der: &[u8]) -> Result<(Cipher, RecipientInfos), CmsError> {
    let outer = Outer::from_der(der).map_err(|_| CmsError::Damaged)?;
    let (cipher, wanted, recipients, content) = if outer.kind == AUTHENTICATED {
        let inner: Authenticated = outer.content.decode_as().map_err(|_| CmsError::Damaged)?;
        if inner.tag.as_bytes().len() != TAG {
            return Err(CmsError::Algorithm);
        }
        (Cipher::Aes256Gcm, AES_256_GCM, inner.recipients, inner.content)
    } else {
        let inner: EnvelopedData = outer.content.decode_as().map_err(|_| CmsError::Damaged)?;
        (Cipher::Aes256Cbc, AES_256_CBC, inner.recip_infos, inner.encrypted_content)
    };
    if content.content_enc_alg.oid == wanted {
        Ok((cipher, recipients))
    } else {
        Err(CmsError::Algorithm)
    }
}

fn is_for(recipient: &RecipientInfo, certificate: &Certificate) -> bool {
    match recipient {
        RecipientInfo::Ktri(key) => match &key.rid {
            RecipientIdentifier::IssuerAndSerialNumber(name) => certificate.is_named(name),
            RecipientIdentifier::SubjectKeyIdentifier(key) => certificate.has_key(key),
        },
        RecipientInfo::Kari(keys) => keys.recipient_enc_keys.iter().any(|key| match &key.rid {
            KeyAgreeRecipientIdentifier::IssuerAndSerialNumber(name) => certificate.is_named(name),
            KeyAgreeRecipientIdentifier::RKeyId(key) => {
                certificate.has_key(&key.subject_key_identifier)
            }
        }),
        // Passwords and keys that were agreed on otherwise.
        RecipientInfo::Kekri(_) | RecipientInfo::Pwri(_) | RecipientInfo::Ori(_) => false,
    }
}
