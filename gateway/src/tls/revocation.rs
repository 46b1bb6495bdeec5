//! The serial numbers an authority has revoked.
//!
//! Takes the revocation lists of one trust anchor; gives the answer to "is this serial revoked,
//! and how old is that answer". It must never use a list that the anchor has not signed, or one
//! that covers only a part of its certificates.

use std::{collections::HashSet, path::Path};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::diagnostic::Diagnostics;
use rustls::pki_types::{CertificateRevocationListDer, pem::PemObject};
use x509_parser::{
    certificate::X509Certificate, prelude::FromDer, revocation_list::CertificateRevocationList,
    x509::AlgorithmIdentifier,
};

use super::{
    RevocationPolicy, TrustAnchorSettings,
    file::{self, WHOLE},
};
use crate::certificate;

/// Longest revocation list file.
const MAX_CRL_BYTES: u64 = 64 << 20;
/// RSA with SHA-1, in both spellings: a forged list is within reach.
const SHA1_ALGORITHMS: [&str; 2] = ["1.2.840.113549.1.1.5", "1.3.14.3.2.29"];

/// Revoked serial numbers of one trust anchor.
#[derive(Debug, Default)]
pub(super) struct RevocationIndex {
    serials: HashSet<Box<[u8]>>,
    next_update: Option<Timestamp>,
}

impl RevocationIndex {
    /// Reads the lists of `anchor`; mistakes go to `found`.
    pub(super) fn load(
        settings: &TrustAnchorSettings,
        anchor: &X509Certificate<'_>,
        now: Timestamp,
        found: &mut Diagnostics,
        warnings: &mut Diagnostics,
    ) -> Self {
        let name = settings.certificate_file.display().to_string();
        let mut index = Self::default();
        match settings.revocation {
            RevocationPolicy::Required { .. } if settings.crl_files.is_empty() => found
                .add_with_help(
                    &name,
                    WHOLE,
                    format!("trust anchor `{}` requires revocation and has no list", settings.id),
                    "name its `crl_files`, or say `revocation: none`",
                ),
            RevocationPolicy::None if !settings.crl_files.is_empty() => {
                let message =
                    format!("trust anchor `{}` has lists that `none` ignores", settings.id);
                found.add_with_help(&name, WHOLE, message, "say `revocation: required`");
            }
            _ => {}
        }
        for path in &settings.crl_files {
            index.add_file(path, anchor, now, found);
        }
        if !settings.crl_files.is_empty() && !index.is_fresh(now, SignedDuration::ZERO) {
            let message = format!("revocation list of trust anchor `{}` is stale", settings.id);
            warnings.add(&name, WHOLE, message);
        }
        index
    }

    /// Whether the serial number stands on a list.
    pub(super) fn revokes(&self, serial: &[u8]) -> bool {
        self.serials.contains(serial)
    }

    /// Whether the newest list's next update, with a grace, is still to come.
    pub(super) fn is_fresh(&self, now: Timestamp, grace: SignedDuration) -> bool {
        self.next_update
            .is_some_and(|next| now <= next.saturating_add(grace).unwrap_or(Timestamp::MAX))
    }

    fn add_file(
        &mut self,
        path: &Path,
        anchor: &X509Certificate<'_>,
        now: Timestamp,
        found: &mut Diagnostics,
    ) {
        let Some(bytes) = file::read(path, MAX_CRL_BYTES, found) else {
            return;
        };
        let name = path.display().to_string();
        let Some(lists) = decode(bytes) else {
            found.add(&name, WHOLE, "file is not a revocation list (PEM or DER)");
            return;
        };
        for der in &lists {
            if let Err(message) = self.add_list(der, anchor, now) {
                found.add(&name, WHOLE, message);
            }
        }
    }

    fn add_list(
        &mut self,
        der: &[u8],
        anchor: &X509Certificate<'_>,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let Ok(([], list)) = CertificateRevocationList::from_der(der) else {
            return Err("revocation list cannot be read");
        };
        check_signature(&list, anchor)?;
        if list.extensions().iter().any(|extension| extension.critical) {
            return Err(
                "revocation list is partial, indirect or a delta; a complete one is needed",
            );
        }
        let this_update = certificate::timestamp(list.last_update());
        if this_update.is_ok_and(|time| time > now) {
            return Err("revocation list is dated in the future");
        }
        let next_update = list.next_update().and_then(|time| certificate::timestamp(time).ok());
        let Some(next_update) = next_update else {
            return Err("revocation list does not say when the next one is due");
        };
        for entry in list.iter_revoked_certificates() {
            if entry.extensions().iter().any(|extension| extension.critical) {
                return Err("revocation list names certificates of another authority");
            }
            self.serials.insert(certificate::serial(entry.raw_serial()));
        }
        self.next_update = self.next_update.max(Some(next_update));
        Ok(())
    }
}

/// One DER list, or every list of a PEM file.
fn decode(bytes: Vec<u8>) -> Option<Vec<CertificateRevocationListDer<'static>>> {
    // DER of a list always begins with the tag of a SEQUENCE.
    if bytes.first() == Some(&0x30) {
        return Some(vec![CertificateRevocationListDer::from(bytes)]);
    }
    let lists: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(&bytes).collect();
    lists.ok().filter(|lists| !lists.is_empty())
}

fn check_signature(
    list: &CertificateRevocationList<'_>,
    anchor: &X509Certificate<'_>,
) -> Result<(), &'static str> {
    if list.issuer().as_raw() != anchor.subject().as_raw() {
        return Err("revocation list was issued by another authority than its trust anchor");
    }
    if anchor.key_usage().ok().flatten().is_some_and(|usage| !usage.value.crl_sign()) {
        return Err("trust anchor may not sign revocation lists (key usage)");
    }
    if is_weak(&list.signature_algorithm)
        || list.tbs_cert_list.signature != list.signature_algorithm
    {
        return Err("revocation list is signed with an algorithm that is not accepted");
    }
    list.verify_signature(anchor.public_key())
        .map_err(|_| "signature of the revocation list is not the trust anchor's")
}

fn is_weak(algorithm: &AlgorithmIdentifier<'_>) -> bool {
    SHA1_ALGORITHMS.contains(&algorithm.algorithm.to_id_string().as_str())
}
