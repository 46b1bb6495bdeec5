//! The rustls verifier over several trust anchors.
//!
//! Takes a client's chain during the handshake; accepts it when one trust anchor verifies it and
//! its revocation policy is content, else ends the handshake with an alert.

use std::sync::Arc;

use jiff::Timestamp;
use lienthong_model::reason::ReasonCode;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
    pki_types::{CertificateDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};

use super::anchor::Anchor;
use crate::certificate::PeerCertificate;

/// Most certificates of a chain that are looked at.
const MAX_CHAIN: usize = 8;

/// Accepts what any one trust anchor accepts.
#[derive(Debug)]
pub(super) struct AnyAnchor {
    anchors: Arc<[Anchor]>,
    hints: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl AnyAnchor {
    /// A verifier over `anchors`.
    pub(super) fn new(anchors: Arc<[Anchor]>, provider: &CryptoProvider) -> Self {
        let hints = anchors.iter().flat_map(|anchor| anchor.hints().iter().cloned()).collect();
        Self { anchors, hints, algorithms: provider.signature_verification_algorithms }
    }
}

impl ClientCertVerifier for AnyAnchor {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if intermediates.len() > MAX_CHAIN {
            return Err(CertificateError::BadEncoding.into());
        }
        let mut refusal = Error::from(CertificateError::UnknownIssuer);
        for anchor in &*self.anchors {
            match anchor.verify(end_entity, intermediates, now) {
                Ok(()) => {
                    return standing(anchor, end_entity, now)
                        .map(|()| ClientCertVerified::assertion());
                }
                Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {}
                // The anchor that knows the issuer says best what is wrong.
                Err(error) => refusal = error,
            }
        }
        Err(refusal)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn standing(anchor: &Anchor, leaf: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let certificate = PeerCertificate::parse(leaf, &anchor.id, anchor.sha256)
        .map_err(|_| Error::from(CertificateError::BadEncoding))?;
    let now = i64::try_from(now.as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| Error::FailedToGetCurrentTime)?;
    anchor.standing(&certificate, now).map_err(|reason| {
        let error = match reason {
            ReasonCode::ConsumerCertificateRevoked => CertificateError::Revoked,
            ReasonCode::ConsumerCertificateExpired => CertificateError::Expired,
            _ => CertificateError::UnknownRevocationStatus,
        };
        error.into()
    })
}
