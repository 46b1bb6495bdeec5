//! One trust anchor: its certificate, its verifier and its revocation lists.
//!
//! Takes the settings of an anchor; gives the judgement on a certificate it issued. It must never
//! let a certificate in that its policy cannot judge.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{diagnostic::Diagnostics, id::TrustAnchorId, reason::ReasonCode};
use rustls::{
    RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, UnixTime},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use x509_parser::certificate::X509Certificate;

use super::{
    RevocationPolicy, Stale, TlsSettings, TrustAnchorSettings,
    file::{self, WHOLE},
    identity::NEAR_END,
    revocation::RevocationIndex,
};
use crate::certificate::{self, PeerCertificate};

/// A loaded trust anchor.
#[derive(Debug)]
pub(super) struct Anchor {
    pub(super) id: TrustAnchorId,
    /// SHA-256 of its public key.
    pub(super) sha256: [u8; 32],
    not_before: Timestamp,
    not_after: Timestamp,
    policy: RevocationPolicy,
    revocation: RevocationIndex,
    verifier: Arc<dyn ClientCertVerifier>,
}

/// Loads every trust anchor; mistakes go to `found`.
pub(super) fn load_all(
    settings: &TlsSettings,
    provider: &Arc<CryptoProvider>,
    now: Timestamp,
    found: &mut Diagnostics,
    warnings: &mut Diagnostics,
) -> Vec<Anchor> {
    let mut anchors: Vec<Anchor> = Vec::with_capacity(settings.trust_anchors.len());
    if settings.trust_anchors.is_empty() {
        let name = settings.certificate_file.display().to_string();
        found.add(&name, WHOLE, "listener needs at least one trust anchor");
    }
    for one in &settings.trust_anchors {
        let Some(anchor) = Anchor::load(one, provider, now, found, warnings) else {
            continue;
        };
        let name = one.certificate_file.display().to_string();
        if anchors.iter().any(|other| other.id == anchor.id) {
            found.add(&name, WHOLE, format!("trust anchor `{}` is named twice", anchor.id));
        } else if let Some(other) = anchors.iter().find(|other| other.sha256 == anchor.sha256) {
            // A certificate would have two trust anchors, and rules name one.
            let message =
                format!("trust anchors `{}` and `{}` are one authority", other.id, anchor.id);
            found.add(&name, WHOLE, message);
        } else {
            anchors.push(anchor);
        }
    }
    anchors
}

impl Anchor {
    fn load(
        settings: &TrustAnchorSettings,
        provider: &Arc<CryptoProvider>,
        now: Timestamp,
        found: &mut Diagnostics,
        warnings: &mut Diagnostics,
    ) -> Option<Self> {
        let name = settings.certificate_file.display().to_string();
        let all = file::certificates(&settings.certificate_file, found)?;
        let [der] = all.as_slice() else {
            let message =
                format!("file holds {} certificates; expected the anchor's one", all.len());
            found.add(&name, WHOLE, message);
            return None;
        };
        let Ok(parsed) = certificate::parse(der) else {
            found.add(&name, WHOLE, "file is not an X.509 certificate");
            return None;
        };
        let (not_before, not_after) = check(&parsed, &name, now, found, warnings)?;
        let revocation = RevocationIndex::load(settings, &parsed, now, found, warnings);
        let verifier = verifier(der, provider).or_else(|| {
            found.add(&name, WHOLE, "certificate cannot serve as a trust anchor");
            None
        })?;
        Some(Self {
            id: settings.id.clone(),
            sha256: certificate::sha256(parsed.public_key().raw),
            not_before,
            not_after,
            policy: settings.revocation,
            revocation,
            verifier,
        })
    }

    /// Verifies a chain up to this anchor: signatures, validity, key usage. Not revocation.
    pub(super) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let intermediates = match self.policy {
            // SECURITY: the lists are this anchor's own, so they judge only what it issued itself.
            RevocationPolicy::Required { .. } => &[],
            RevocationPolicy::None => intermediates,
        };
        self.verifier.verify_client_cert(leaf, intermediates, now).map(|_| ())
    }

    /// The distinguished names that clients are told this anchor goes by.
    pub(super) fn hints(&self) -> &[rustls::DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    /// Whether a certificate of this anchor may be used at `now`.
    pub(super) fn standing(
        &self,
        certificate: &PeerCertificate,
        now: Timestamp,
    ) -> Result<(), ReasonCode> {
        let own = (self.not_before..=self.not_after).contains(&now);
        if !own || !(certificate.not_before..=certificate.not_after).contains(&now) {
            return Err(ReasonCode::ConsumerCertificateExpired);
        }
        let RevocationPolicy::Required { stale } = self.policy else {
            return Ok(());
        };
        if self.revocation.revokes(&certificate.serial) {
            return Err(ReasonCode::ConsumerCertificateRevoked);
        }
        let grace = match stale {
            Stale::Refuse => SignedDuration::ZERO,
            Stale::Grace { seconds } => {
                SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
            }
        };
        if self.revocation.is_fresh(now, grace) {
            Ok(())
        } else {
            Err(ReasonCode::ConsumerRevocationUnknown)
        }
    }

    /// Whether revocation matters here and the newest list is past its next update.
    pub(super) fn is_stale(&self, now: Timestamp) -> bool {
        matches!(self.policy, RevocationPolicy::Required { .. })
            && !self.revocation.is_fresh(now, SignedDuration::ZERO)
    }
}

/// Checks what webpki does not look at in a trust anchor; gives its validity.
fn check(
    parsed: &X509Certificate<'_>,
    name: &str,
    now: Timestamp,
    found: &mut Diagnostics,
    warnings: &mut Diagnostics,
) -> Option<(Timestamp, Timestamp)> {
    if !parsed.is_ca() {
        found.add(name, WHOLE, "certificate is not an authority's (basic constraints say no)");
    }
    if parsed.key_usage().ok().flatten().is_some_and(|usage| !usage.value.key_cert_sign()) {
        found.add(name, WHOLE, "certificate may not sign certificates (key usage)");
    }
    let validity = parsed.validity();
    let times = certificate::timestamp(validity.not_before)
        .and_then(|not_before| Ok((not_before, certificate::timestamp(validity.not_after)?)));
    let Ok((not_before, not_after)) = times else {
        found.add(name, WHOLE, "validity of the certificate is out of range");
        return None;
    };
    if now < not_before {
        found.add(name, WHOLE, format!("certificate is not valid before {not_before}"));
    } else if now > not_after {
        found.add(name, WHOLE, format!("certificate has expired at {not_after}"));
    } else if not_after.duration_since(now) < NEAR_END {
        warnings.add(name, WHOLE, format!("certificate expires at {not_after}"));
    }
    Some((not_before, not_after))
}

fn verifier(
    der: &CertificateDer<'static>,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add(der.clone()).ok()?;
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().ok()
}
