//! Whom a listener trusts, and with which key it answers: one immutable value, loaded from files.
//!
//! Takes the paths of certificates, key, trust anchors and revocation lists; gives the rustls
//! configuration and the judgement on a peer's certificate, at the handshake and for each request.
//! It must never resume a session, accept early data, or judge a certificate by a list whose
//! signature it has not verified.

mod anchor;
mod file;
mod identity;
mod revocation;
mod verifier;

use std::{fmt, path::PathBuf, sync::Arc};

use jiff::Timestamp;
use lienthong_model::{
    diagnostic::{Diagnostic, Diagnostics},
    id::TrustAnchorId,
    reason::ReasonCode,
};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, UnixTime},
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};

use self::{anchor::Anchor, identity::Identity, verifier::AnyAnchor};
use crate::certificate::PeerCertificate;

/// Protocols offered in the handshake, best first.
pub const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where a listener's certificates are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// PEM file of the listener's certificate chain, leaf first.
    pub certificate_file: PathBuf,
    /// PEM file of its private key; only its owner may read it.
    pub key_file: PathBuf,
    /// The authorities that issue certificates to participants.
    pub trust_anchors: Vec<TrustAnchorSettings>,
    /// Whether TLS 1.2 is spoken beside 1.3 (default: no).
    pub tls12: bool,
}

/// One authority that issues certificates to participants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchorSettings {
    /// The name that participants' certificate rules use.
    pub id: TrustAnchorId,
    /// PEM file of the authority's one certificate. With revocation `required` name the issuing
    /// authority itself, not a root above it: participants' certificates must be issued directly.
    pub certificate_file: PathBuf,
    /// Its complete revocation lists, PEM or DER.
    pub crl_files: Vec<PathBuf>,
    /// How revocation is judged.
    pub revocation: RevocationPolicy,
}

/// How revocation is judged for one trust anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationPolicy {
    /// Every certificate is looked up in the revocation lists.
    Required {
        /// What happens after a list's next update is due.
        stale: Stale,
    },
    /// The authority publishes no lists; only validity and the participant's status count.
    None,
}

/// What happens when the newest revocation list is past its next update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stale {
    /// Nobody of that trust anchor gets in.
    Refuse,
    /// The list is used for a while longer, and readiness shows it.
    Grace {
        /// How long.
        seconds: u64,
    },
}

/// A listener's identity and whom it trusts.
pub struct Trust {
    config: Arc<ServerConfig>,
    anchors: Arc<[Anchor]>,
    not_after: Timestamp,
    warnings: Vec<Diagnostic>,
}

impl Trust {
    /// Reads and checks every file.
    ///
    /// # Errors
    /// All mistakes at once: a missing or unreadable file, a key that others may read or that does
    /// not fit, an expired certificate, a revocation list with a bad signature, and so on.
    pub fn load(settings: &TlsSettings, now: Timestamp) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut warnings = Diagnostics::new();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let identity = Identity::load(settings, &provider, now, &mut found, &mut warnings);
        let anchors = anchor::load_all(settings, &provider, now, &mut found, &mut warnings);
        let anchors: Arc<[Anchor]> = anchors.into();
        let Some(identity) = identity else {
            return Err(found);
        };
        let mut found = found.into_result(()).err().unwrap_or_default();
        let not_after = identity.not_after;
        let versions: &[_] = if settings.tls12 { &[&TLS13, &TLS12] } else { &[&TLS13] };
        let verifier = Arc::new(AnyAnchor::new(anchors.clone(), &provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .map(|b| b.with_client_cert_verifier(verifier).with_cert_resolver(identity.resolver()));
        let mut config = match config {
            Ok(config) => config,
            Err(error) => {
                let file = settings.certificate_file.display().to_string();
                found.add(&file, file::WHOLE, format!("no TLS configuration: {error}"));
                return Err(found);
            }
        };
        // SECURITY: a resumed session would carry an old chain past the verifier.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.send_half_rtt_data = false;
        config.alpn_protocols = ALPN.iter().map(|protocol| protocol.to_vec()).collect();
        let warnings = warnings.sorted();
        found.into_result(Self { config: Arc::new(config), anchors, not_after, warnings })
    }

    /// The configuration for a handshake.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Reads the chain of a finished handshake: which trust anchor verified it, and what it says.
    ///
    /// # Errors
    /// `consumer.unknown` when no trust anchor verifies it, or what [`Trust::standing`] says.
    pub fn identify(
        &self,
        chain: &[CertificateDer<'_>],
        now: Timestamp,
    ) -> Result<PeerCertificate, ReasonCode> {
        let (leaf, intermediates) = chain.split_first().ok_or(ReasonCode::ConsumerUnknown)?;
        let anchor = match &*self.anchors {
            // The handshake has verified the chain up to the only anchor there is.
            [only] => only,
            several => several
                .iter()
                .find(|anchor| anchor.verify(leaf, intermediates, unix_time(now)).is_ok())
                .ok_or(ReasonCode::ConsumerUnknown)?,
        };
        let certificate = PeerCertificate::parse(leaf, &anchor.id, anchor.sha256)
            .map_err(|_| ReasonCode::ConsumerUnknown)?;
        self.standing(&certificate, now)?;
        Ok(certificate)
    }

    /// Whether a certificate that was verified once may still be used.
    ///
    /// # Errors
    /// `consumer.unknown` when its trust anchor is gone, `consumer.certificate_expired`,
    /// `consumer.certificate_revoked`, or `consumer.revocation_unknown`.
    pub fn standing(
        &self,
        certificate: &PeerCertificate,
        now: Timestamp,
    ) -> Result<(), ReasonCode> {
        self.anchors
            .iter()
            .find(|anchor| {
                anchor.id == certificate.trust_anchor && anchor.sha256 == certificate.anchor_sha256
            })
            .ok_or(ReasonCode::ConsumerUnknown)?
            .standing(certificate, now)
    }

    /// Trust anchors whose newest revocation list is past its next update.
    #[must_use]
    pub fn stale_revocation(&self, now: Timestamp) -> Vec<TrustAnchorId> {
        let stale = self.anchors.iter().filter(|anchor| anchor.is_stale(now));
        stale.map(|anchor| anchor.id.clone()).collect()
    }

    /// Every trust anchor.
    pub fn trust_anchors(&self) -> impl Iterator<Item = &TrustAnchorId> {
        self.anchors.iter().map(|anchor| &anchor.id)
    }

    /// Last instant of the listener's own certificate.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// What an operator should look at soon: near expiry, stale lists.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let anchors: Vec<_> = self.trust_anchors().collect();
        f.debug_struct("Trust").field("anchors", &anchors).finish_non_exhaustive()
    }
}

fn unix_time(instant: Timestamp) -> UnixTime {
    let seconds = u64::try_from(instant.as_second()).unwrap_or(0);
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests;
