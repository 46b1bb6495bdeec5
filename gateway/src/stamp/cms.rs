//! Signatures in CMS (RFC 5652), made with the agency's key and judged against anchors.
//!
//! The only module that uses OpenSSL: TLS has another library, which has no CMS.

use std::{fs, path::Path};

use jiff::Timestamp;
use lienthong_model::diagnostic::{Diagnostics, Position};
use openssl::{
    cms::{CMSOptions, CmsContentInfo},
    error::ErrorStack,
    pkey::{PKey, Private},
    stack::Stack,
    x509::{
        X509, X509PurposeId,
        store::{X509Store, X509StoreBuilder},
        verify::{X509VerifyFlags, X509VerifyParam},
    },
};
use zeroize::Zeroizing;

use super::StampError;
use crate::{config::CmsSettings, provider::owner_only};

/// Longest file of certificates or a key.
const MAX_PEM: u64 = 1 << 20;
/// `CMS_CADES` of OpenSSL, which its binding has no name for: the signed attributes must name the
/// certificate that signed (RFC 5035), as RFC 3161 wants it.
const NAMES_ITS_CERTIFICATE: CMSOptions = CMSOptions::from_bits_retain(0x10_0000);

/// The agency's certificate and key.
pub(super) struct Sealer {
    certificate: X509,
    above: Stack<X509>,
    key: PKey<Private>,
}

impl Sealer {
    /// Reads both, and sees that they belong together.
    pub(super) fn load(settings: &CmsSettings) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let chain = read(&settings.certificate_file, certificates, &mut found);
        let key = owner_only(&settings.key_file).and_then(|()| bytes(&settings.key_file));
        let key = key.map(Zeroizing::new).and_then(|pem| private_key(&pem));
        if let Err(problem) = &key {
            tell(&settings.key_file, problem, &mut found);
        }
        let (Some(mut chain), Ok(key)) = (chain, key) else { return Err(found) };
        let certificate = chain.remove(0);
        let is_its_key = certificate.public_key().is_ok_and(|public| public.public_eq(&key));
        if !is_its_key {
            tell(&settings.key_file, "is not the key of the certificate", &mut found);
        }
        match stack(chain) {
            Ok(above) => found.into_result(Self { certificate, above, key }),
            Err(error) => {
                tell(&settings.certificate_file, &error.to_string(), &mut found);
                Err(found)
            }
        }
    }

    /// A detached signature of these bytes in DER: SHA-256, with the time and the certificates.
    pub(super) fn seal(&self, bytes: &[u8]) -> Result<Vec<u8>, StampError> {
        let options = CMSOptions::DETACHED | CMSOptions::BINARY | CMSOptions::NOSMIMECAP;
        let (certificate, key) = (Some(self.certificate.as_ref()), Some(self.key.as_ref()));
        let above = Some(self.above.as_ref());
        CmsContentInfo::sign(certificate, key, above, Some(bytes), options)
            .and_then(|cms| cms.to_der())
            .map_err(signature)
    }
}

/// Authorities that are believed.
pub(super) struct Anchors(Vec<X509>);

impl Anchors {
    pub(super) fn load(file: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let anchors = read(file, certificates, &mut found);
        anchors.map(Self).ok_or(found)
    }

    /// A store of them for one purpose, at an instant, or with no regard to time.
    fn store(
        &self,
        purpose: X509PurposeId,
        at: Option<Timestamp>,
    ) -> Result<X509Store, ErrorStack> {
        let mut store = X509StoreBuilder::new()?;
        for anchor in &self.0 {
            store.add_cert(anchor.clone())?;
        }
        let mut how = X509VerifyParam::new()?;
        how.set_purpose(purpose)?;
        match at {
            Some(at) => how.set_time(at.as_second()),
            None => how.set_flags(X509VerifyFlags::NO_CHECK_TIME)?,
        }
        store.set_param(&how)?;
        Ok(store.build())
    }
}

/// Whether this is a detached signature over these bytes; with anchors also whether it is of
/// someone they answer for.
pub(super) fn verify_seal(
    cms: &[u8],
    content: &[u8],
    anchors: Option<&Anchors>,
    at: Option<Timestamp>,
) -> Result<(), StampError> {
    let options = CMSOptions::BINARY;
    let verified = CmsContentInfo::from_der(cms).and_then(|mut cms| match anchors {
        Some(anchors) => {
            let store = anchors.store(X509PurposeId::ANY, at)?;
            cms.verify(None, Some(&store), Some(content), None, options)
        }
        None => {
            let options = options | CMSOptions::NO_SIGNER_CERT_VERIFY;
            cms.verify(None, None, Some(content), None, options)
        }
    });
    verified.map_err(signature)
}

/// What a time stamp's token says, once its signature has been found right; with anchors also that
/// it is of a time-stamp service they answer for.
pub(super) fn open_token(
    token: &[u8],
    anchors: Option<&Anchors>,
    at: Option<Timestamp>,
) -> Result<Vec<u8>, StampError> {
    let mut content = Vec::new();
    let options = CMSOptions::BINARY | NAMES_ITS_CERTIFICATE;
    let opened = CmsContentInfo::from_der(token).and_then(|mut cms| match anchors {
        Some(anchors) => {
            let store = anchors.store(X509PurposeId::TIMESTAMP_SIGN, at)?;
            cms.verify(None, Some(&store), None, Some(&mut content), options)
        }
        None => {
            let options = CMSOptions::BINARY | CMSOptions::NO_SIGNER_CERT_VERIFY;
            cms.verify(None, None, None, Some(&mut content), options)
        }
    });
    opened.map(|()| content).map_err(signature)
}

/// The last thing that OpenSSL says is why.
fn signature(errors: ErrorStack) -> StampError {
    let last = errors.errors().last();
    let why = last.and_then(|error| error.data().or_else(|| error.reason()));
    StampError::Signature(why.unwrap_or("no reason given").to_owned())
}

fn stack(certificates: Vec<X509>) -> Result<Stack<X509>, ErrorStack> {
    let mut stack = Stack::new()?;
    certificates.into_iter().try_for_each(|certificate| stack.push(certificate))?;
    Ok(stack)
}

fn certificates(pem: &[u8]) -> Result<Vec<X509>, String> {
    match X509::stack_from_pem(pem) {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) | Err(_) => Err("holds no certificate in PEM".to_owned()),
    }
}

fn private_key(pem: &[u8]) -> Result<PKey<Private>, String> {
    // SECURITY: without a callback OpenSSL would ask the terminal for a password.
    PKey::private_key_from_pem_callback(pem, |_| Ok(0))
        .map_err(|_| "holds no private key in PEM, or it has a password".to_owned())
}

fn bytes(file: &Path) -> Result<Vec<u8>, String> {
    match fs::metadata(file) {
        Ok(data) if data.len() > MAX_PEM => return Err("is too long".to_owned()),
        Ok(data) if !data.is_file() => return Err("is no file".to_owned()),
        _ => {}
    }
    fs::read(file).map_err(|error| format!("cannot be read: {error}"))
}

fn read<T>(
    file: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
    found: &mut Diagnostics,
) -> Option<T> {
    match bytes(file).and_then(|bytes| parse(&bytes)) {
        Ok(value) => Some(value),
        Err(problem) => {
            tell(file, &problem, found);
            None
        }
    }
}

fn tell(file: &Path, problem: &str, found: &mut Diagnostics) {
    found.add(&file.display().to_string(), Position::default(), problem);
}
