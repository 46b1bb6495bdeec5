//! Key pairs with certificates: whether the two belong together, and until when.

use std::{fs, path::Path, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::civil_date;
use rustls::{crypto::aws_lc_rs, sign::SigningKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

use super::Problem;
use crate::certificate;

/// How long before its end a certificate is missed.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Longest file of certificates.
const MAX_CHAIN: u64 = 1 << 20;

/// The key of a PEM text.
pub(super) fn key(pem: &[u8]) -> Option<Arc<dyn SigningKey>> {
    let der = PrivateKeyDer::from_pem_slice(pem).ok()?;
    aws_lc_rs::default_provider().key_provider.load_private_key(der).ok()
}

/// The public half of a key, as certificates have it.
pub(super) fn public(key: &dyn SigningKey) -> Option<Vec<u8>> {
    key.public_key().map(|spki| spki.as_ref().to_vec())
}

/// The first certificate of a file.
pub(super) fn leaf(file: &Path) -> Option<CertificateDer<'static>> {
    let fits = fs::metadata(file).ok()?;
    if !fits.is_file() || fits.len() > MAX_CHAIN {
        return None;
    }
    let bytes = fs::read(file).ok()?;
    CertificateDer::pem_slice_iter(&bytes).next()?.ok()
}

/// What is wrong between a key and its certificate.
pub(super) fn judge(key: &dyn SigningKey, file: &Path, now: Timestamp) -> Option<Problem> {
    let unreadable = || Some(Problem::Certificate(file.to_owned()));
    let Some(leaf) = leaf(file) else { return unreadable() };
    let Ok(parsed) = certificate::parse(&leaf) else { return unreadable() };
    if public(key).is_none_or(|public| public != parsed.public_key().raw) {
        return Some(Problem::Pair(file.to_owned()));
    }
    let Ok(ends) = certificate::timestamp(parsed.validity().not_after) else { return unreadable() };
    (ends.duration_since(now) < AHEAD).then(|| Problem::Ends(file.to_owned(), civil_date(ends)))
}

/// The DNS names of the certificate in a file.
pub(super) fn names(file: &Path) -> Vec<String> {
    use x509_parser::extensions::GeneralName;
    let Some(leaf) = leaf(file) else { return Vec::new() };
    let Ok(parsed) = certificate::parse(&leaf) else { return Vec::new() };
    let Ok(Some(names)) = parsed.subject_alternative_name() else { return Vec::new() };
    let names = names.value.general_names.iter();
    let dns = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        _ => None,
    });
    dns.collect()
}
