//! Whom a provider must prove to be, and what it is shown in turn: anchors, chain and key.

use std::{path::Path, sync::Arc};

use lienthong_model::diagnostic::{Diagnostics, Position};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

use super::{name, owner_only};
use crate::config::ClientIdentity;

/// Verified TLS with the anchors and keys of one provider.
///
/// # Errors
/// Files that cannot be used, each with its name.
pub(super) fn client_config(
    anchor_file: &Path,
    client: Option<&ClientIdentity>,
) -> Result<Arc<ClientConfig>, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut roots = RootCertStore::empty();
    for certificate in certificates(anchor_file, &mut found) {
        if let Err(error) = roots.add(certificate) {
            found.add(&name(anchor_file), Position::default(), format!("unusable anchor: {error}"));
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = match ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
    {
        Ok(builder) => builder.with_root_certificates(roots),
        Err(error) => {
            found.add(&name(anchor_file), Position::default(), error.to_string());
            return Err(found);
        }
    };
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = certificates(&identity.certificate_file, &mut found);
            let Some(key) = private_key(&identity.key_file, &mut found) else { return Err(found) };
            match builder.with_client_auth_cert(chain, key) {
                Ok(config) => config,
                Err(error) => {
                    let file = name(&identity.certificate_file);
                    found.add(&file, Position::default(), format!("unusable: {error}"));
                    return Err(found);
                }
            }
        }
    };
    found.into_result(Arc::new(config))
}

fn certificates(file: &Path, found: &mut Diagnostics) -> Vec<CertificateDer<'static>> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => certificates,
        Ok(_) => {
            found.add(&name(file), Position::default(), "holds no certificate");
            Vec::new()
        }
        Err(error) => {
            found.add(&name(file), Position::default(), format!("no certificate: {error}"));
            Vec::new()
        }
    }
}

fn private_key(file: &Path, found: &mut Diagnostics) -> Option<PrivateKeyDer<'static>> {
    if let Err(problem) = owner_only(file) {
        found.add(&name(file), Position::default(), problem);
        return None;
    }
    match PrivateKeyDer::from_pem_file(file) {
        Ok(key) => Some(key),
        Err(error) => {
            found.add(&name(file), Position::default(), format!("no private key: {error}"));
            None
        }
    }
}
