//! Lists of revoked certificates.
//!
//! In: lists in PEM or DER. Out: whether a certificate stands on a list of its issuer that holds at
//! an instant. Judged here because the binding of OpenSSL takes lists from files only.
//!
//! Must never read a list as if it were complete when it says that it is not.

use std::{collections::BTreeSet, sync::Arc};

use der::{Decode as _, asn1::ObjectIdentifier};
use openssl::{
    asn1::Asn1Time,
    x509::{CrlStatus, X509Crl, X509KeyUsage},
};
use x509_cert::{crl::CertificateList, ext::Extensions};

use super::TrustError;
use crate::{
    algorithm::{Digest, Method},
    certificate::Certificate,
};

/// Longest list.
const MAX_LIST: usize = 32 << 20;
/// Most lists in one file.
const MAX_LISTS: usize = 64;
const BEGIN: &[u8] = b"-----BEGIN X509 CRL-----";
/// Only what has changed since another list.
const DELTA: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.27");
/// Only some certificates, or those of others too.
const SCOPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

/// Why a list cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It is longer than any list has to be.
    #[error("is too long")]
    TooLong,
    /// It is no list.
    #[error("cannot be read")]
    Unreadable,
    /// It says that it is not the whole list of its issuer.
    #[error("is not the whole list of one issuer")]
    Partial,
    /// It holds something that must be understood and is not.
    #[error("holds a critical extension that is not understood")]
    Critical,
    /// It says no time at which a newer one follows.
    #[error("says nothing of the next list")]
    NoEnd,
    /// It is signed with an algorithm that is not accepted.
    #[error("is signed with an algorithm that is not accepted")]
    Weak,
}

/// A list that says itself to be complete.
#[derive(Clone)]
pub(super) struct RevocationList(Arc<X509Crl>);

impl RevocationList {
    /// All lists of a file.
    pub(super) fn all(bytes: &[u8], digests: &BTreeSet<Digest>) -> Result<Vec<Self>, ListError> {
        if bytes.len() > MAX_LIST {
            return Err(ListError::TooLong);
        }
        let starts: Vec<usize> =
            memchr::memmem::find_iter(bytes, BEGIN).take(MAX_LISTS + 1).collect();
        if starts.is_empty() {
            return Self::read(bytes, digests).map(|list| vec![list]);
        }
        if starts.len() > MAX_LISTS {
            return Err(ListError::TooLong);
        }
        let read = |start: &usize| {
            let pem = bytes.get(*start..).unwrap_or_default();
            let crl = X509Crl::from_pem(pem).and_then(|crl| crl.to_der());
            Self::read(&crl.map_err(|_| ListError::Unreadable)?, digests)
        };
        starts.iter().map(read).collect()
    }

    fn read(der: &[u8], digests: &BTreeSet<Digest>) -> Result<Self, ListError> {
        let fields = CertificateList::from_der(der).map_err(|_| ListError::Unreadable)?;
        let crl = X509Crl::from_der(der).map_err(|_| ListError::Unreadable)?;
        let list = &fields.tbs_cert_list;
        understood(list.crl_extensions.as_ref())?;
        for entry in list.revoked_certificates.iter().flatten() {
            understood(entry.crl_entry_extensions.as_ref())?;
        }
        if list.next_update.is_none() {
            return Err(ListError::NoEnd);
        }
        let digest = Method::named(&fields.signature_algorithm).and_then(Method::digest);
        if !digest.is_some_and(|digest| digests.contains(&digest)) {
            return Err(ListError::Weak);
        }
        Ok(Self(Arc::new(crl)))
    }

    fn is_of(&self, issuer: &Certificate) -> bool {
        let same = self.0.issuer_name().try_cmp(issuer.x509.subject_name());
        same.is_ok_and(|order| order.is_eq()) && self.0.verify(&issuer.key).unwrap_or(false)
    }

    fn holds(&self, at: &Asn1Time) -> bool {
        let ends = self.0.next_update();
        *self.0.last_update() <= *at && ends.is_some_and(|end| *at <= *end)
    }

    fn names(&self, certificate: &Certificate) -> bool {
        !matches!(self.0.get_by_cert(&certificate.x509), CrlStatus::NotRevoked)
    }
}

fn understood(extensions: Option<&Extensions>) -> Result<(), ListError> {
    for extension in extensions.into_iter().flatten() {
        match extension.extn_id {
            DELTA | SCOPE => return Err(ListError::Partial),
            _ if extension.critical => return Err(ListError::Critical),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a list of the issuer holds at this second and does not name the certificate.
pub(super) fn check(
    certificate: &Certificate,
    issuer: &Certificate,
    lists: &[RevocationList],
    second: i64,
) -> Result<(), TrustError> {
    let at = Asn1Time::from_unix(second)?;
    // An authority whose certificate does not say what its key is for may sign lists.
    let may_sign = issuer.key_usage().is_none_or(|usage| usage.contains(X509KeyUsage::CRL_SIGN));
    let known: Vec<_> = lists.iter().filter(|list| may_sign && list.is_of(issuer)).collect();
    if known.is_empty() {
        return Err(TrustError::ListMissing);
    }
    let mut holding = known.into_iter().filter(|list| list.holds(&at)).peekable();
    if holding.peek().is_none() {
        return Err(TrustError::ListStale);
    }
    if holding.any(|list| list.names(certificate)) { Err(TrustError::Revoked) } else { Ok(()) }
}
