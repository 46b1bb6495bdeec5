//! Makes keys. Each goes into a file of its own with mode 0600, never over another.

use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use lienthong_consent::receipt::{ReceiptKey, jwks};
use lienthong_evidence::note::{NoteError, Signer};
use lienthong_model::{quarter::Quarter, sensitive::Sensitive};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use zeroize::Zeroizing;

use super::{Purpose, destroy, files, files::KeyFileError, id};
use crate::digest_keys;

/// A key that was made. Holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Where it is.
    pub file: PathBuf,
    /// Its id.
    pub id: String,
    /// The public half, where there is one: what verifies, or a request for a certificate.
    pub public: Option<String>,
    /// The file with the request for a certificate.
    pub request: Option<PathBuf>,
}

impl Made {
    /// Takes it away again, before anybody has used it.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn undo(&self) -> Result<(), KeyFileError> {
        for file in [Some(&self.file), self.request.as_ref()].into_iter().flatten() {
            files::overwrite_and_remove(file)?;
        }
        Ok(())
    }
}

/// Why a key could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// Its file.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The name is none that a log can have.
    #[error(transparent)]
    Name(#[from] NoteError),
    /// A key that was destroyed is not made again: what was made with it would seem to be others'.
    #[error("the key of {0} was destroyed; another under its name would mislead")]
    Destroyed(Quarter),
    /// The name is none that a certificate can have.
    #[error("cannot make a request for a certificate of this name")]
    Certificate(#[from] rcgen::Error),
}

/// A new key that signs checkpoints of the log named `name`.
///
/// # Errors
/// When the name is no name, or the file cannot be made.
pub fn evidence(name: &str, file: &Path) -> Result<Made, MakeError> {
    let signer = Signer::generate(name)?;
    let text = Sensitive::new(format!("{}\n", signer.secret().expose()));
    files::write_new(file, text.expose().as_bytes())?;
    Ok(Made {
        file: file.to_owned(),
        id: signer.verifier().key().to_string(),
        public: Some(signer.verifier().to_string()),
        request: None,
    })
}

/// A new key of 32 random bytes.
///
/// # Errors
/// When the file cannot be made.
pub fn symmetric(purpose: Purpose, file: &Path) -> Result<Made, MakeError> {
    let mut key = Zeroizing::new([0; 32]);
    rand::fill(key.as_mut_slice()).map_err(|_| KeyFileError::Random)?;
    let mut text = Zeroizing::new(String::with_capacity(65));
    for byte in key.iter() {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text.push('\n');
    files::write_new(file, text.as_bytes())?;
    let id = id::of_secret(purpose, &key);
    Ok(Made { file: file.to_owned(), id, public: None, request: None })
}

/// A new key that signs receipts of consents.
///
/// # Errors
/// When the file cannot be made.
pub fn receipt(file: &Path) -> Result<Made, MakeError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let pem = Sensitive::new(key.serialize_pem());
    files::write_new(file, pem.expose().as_bytes())?;
    let public = ReceiptKey::from_pem(&pem).map_err(|_| KeyFileError::Random)?.public().clone();
    let jwks = jwks(&[&public]).to_string();
    let id = public.kid();
    Ok(Made { file: file.to_owned(), id, public: Some(jwks), request: None })
}

/// The new key of a quarter, in the directory of such keys.
///
/// # Errors
/// When it was destroyed before, or the file cannot be made.
pub fn digest(directory: &Path, quarter: Quarter) -> Result<Made, MakeError> {
    if destroy::is_marked(directory, quarter) {
        return Err(MakeError::Destroyed(quarter));
    }
    symmetric(Purpose::Digest, &digest_keys::file(directory, quarter))
}

/// A new key pair, and beside it a request (`FILE.csr`) for a certificate with these DNS names.
///
/// # Errors
/// When a name is none, or a file cannot be made.
pub fn tls(names: &[String], file: &Path) -> Result<Made, MakeError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    if let Some(first) = names.first() {
        params.distinguished_name.push(DnType::CommonName, first.as_str());
    }
    let request = params.serialize_request(&key)?.pem()?;
    let mut beside = file.as_os_str().to_owned();
    beside.push(".csr");
    let beside = PathBuf::from(beside);
    let pem = Zeroizing::new(key.serialize_pem());
    if let Some(taken) = [file, &beside].into_iter().find(|path| path.exists()) {
        return Err(KeyFileError::Exists(taken.to_owned()).into());
    }
    files::write_new(file, pem.as_bytes())?;
    files::write_new_public(&beside, request.as_bytes())?;
    let id = id::of_public(&rcgen::PublicKeyData::subject_public_key_info(&key));
    Ok(Made { file: file.to_owned(), id, public: Some(request), request: Some(beside) })
}
