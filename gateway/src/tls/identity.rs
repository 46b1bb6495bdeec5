//! The listener's own certificate and key.
//!
//! Takes their files; gives what rustls signs with. It must never accept a key that does not
//! belong to the certificate, or a certificate that clients would refuse.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lienthong_model::diagnostic::Diagnostics;
use rustls::{
    crypto::CryptoProvider,
    server::ResolvesServerCert,
    sign::{CertifiedKey, SingleCertAndKey},
};

use super::{
    TlsSettings,
    file::{self, WHOLE},
};
use crate::certificate;

/// How long before its end a certificate is warned about.
pub(super) const NEAR_END: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A checked certificate chain with its key.
pub(super) struct Identity {
    key: CertifiedKey,
    pub(super) not_after: Timestamp,
}

impl Identity {
    /// Reads both files; mistakes go to `found`.
    pub(super) fn load(
        settings: &TlsSettings,
        provider: &CryptoProvider,
        now: Timestamp,
        found: &mut Diagnostics,
        warnings: &mut Diagnostics,
    ) -> Option<Self> {
        let chain = file::certificates(&settings.certificate_file, found);
        let key = file::private_key(&settings.key_file, found);
        let chain = chain?;
        let name = settings.certificate_file.display().to_string();
        let leaf = chain.first().and_then(|der| certificate::parse(der).ok());
        let validity = leaf.and_then(|leaf| {
            let not_before = certificate::timestamp(leaf.validity().not_before).ok()?;
            Some((not_before, certificate::timestamp(leaf.validity().not_after).ok()?))
        });
        let Some((not_before, not_after)) = validity else {
            found.add(&name, WHOLE, "first certificate cannot be read");
            return None;
        };
        if now < not_before {
            found.add(&name, WHOLE, format!("certificate is not valid before {not_before}"));
        } else if now > not_after {
            found.add(&name, WHOLE, format!("certificate has expired at {not_after}"));
        } else if not_after.duration_since(now) < NEAR_END {
            warnings.add(&name, WHOLE, format!("certificate expires at {not_after}"));
        }
        let key_name = settings.key_file.display().to_string();
        let Ok(signer) = provider.key_provider.load_private_key(key?) else {
            found.add_with_help(
                &key_name,
                WHOLE,
                "key is of a kind that is not supported",
                "expected ECDSA P-256 or P-384, Ed25519, or RSA of at least 2048 bits",
            );
            return None;
        };
        let key = CertifiedKey::new(chain, signer);
        // A provider that cannot tell leaves it unknown; ours always can.
        if key.keys_match().is_err() {
            found.add(
                &key_name,
                WHOLE,
                format!("key does not belong to the certificate in `{name}`"),
            );
            return None;
        }
        Some(Self { key, not_after })
    }

    /// What rustls asks for a certificate.
    pub(super) fn resolver(self) -> Arc<dyn ResolvesServerCert> {
        Arc::new(SingleCertAndKey::from(self.key))
    }
}
