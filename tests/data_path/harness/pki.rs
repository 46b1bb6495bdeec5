//! Certificates of a test's own authority.

use std::{
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use lienthong_gateway::{
    evidence::create_keys,
    pki::{ExamplePki, Issued},
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};

pub(crate) const HTTP1: &[u8] = b"http/1.1";
pub(crate) const HTTP2: &[u8] = b"h2";

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The machine's clock, which is the gateway's too.
#[expect(clippy::disallowed_methods, reason = "the gateway is a process with the machine's clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// The authority and what it has issued.
pub(crate) struct Pki {
    directory: PathBuf,
    authority: Mutex<ExamplePki>,
}

impl Pki {
    /// Makes an authority and the gateway's files in a folder below `directory`.
    pub(crate) fn write(directory: &Path, name: &str) -> Self {
        let folder = directory.join(name);
        std::fs::create_dir(&folder).unwrap();
        let authority = ExamplePki::new(name, now() - HOUR).unwrap();
        std::fs::write(folder.join("city.pem"), authority.certificate_pem()).unwrap();
        let pki = Self { directory: folder, authority: Mutex::new(authority) };
        pki.renew_gateway();
        pki.publish(HOUR);
        secret(&directory.join("pseudonym.key"), &"5a".repeat(32));
        secret(&directory.join("token.key"), &"7b".repeat(32));
        let keys = (directory.join("evidence.key"), directory.join("digest-keys"));
        create_keys((&keys.0, &keys.1), "node-1.example", now()).unwrap();
        pki
    }

    /// A new certificate for the gateway; gives its DER.
    pub(crate) fn renew_gateway(&self) -> Vec<u8> {
        let authority = self.authority.lock().unwrap();
        let issued = authority.issue_server("gateway", now() - HOUR, now() + HOUR).unwrap();
        std::fs::write(self.directory.join("gateway.pem"), &issued.certificate_pem).unwrap();
        secret(&self.directory.join("gateway.key"), &issued.key_pem);
        issued.certificate_der
    }

    /// Publishes a revocation list that is good for `validity`; a negative one is stale.
    pub(crate) fn publish(&self, validity: SignedDuration) {
        let mut authority = self.authority.lock().unwrap();
        let list = authority.revocation_list(now() - HOUR * 2, now() + validity).unwrap();
        std::fs::write(self.directory.join("city.crl.pem"), list).unwrap();
    }

    /// A certificate, valid for an hour.
    pub(crate) fn issue(&self, name: &str) -> Issued {
        self.issue_until(name, now() + HOUR)
    }

    /// A certificate, valid until an instant.
    pub(crate) fn issue_until(&self, name: &str, until: Timestamp) -> Issued {
        let authority = self.authority.lock().unwrap();
        authority.issue(name, until - HOUR * 2, until).unwrap()
    }

    /// Writes a client certificate and its key beside the gateway's own.
    pub(crate) fn write_client(&self, name: &str) {
        let issued = self.issue(name);
        std::fs::write(self.directory.join(format!("{name}.pem")), &issued.certificate_pem)
            .unwrap();
        secret(&self.directory.join(format!("{name}.key")), &issued.key_pem);
    }

    /// Writes the keys of consents below the directory of a world.
    pub(crate) fn write_consent_keys(&self, directory: &Path) {
        secret(&directory.join("consent-subject.key"), &"1c".repeat(32));
        secret(&directory.join("consent-seal.key"), &"2d".repeat(32));
        let key = rcgen::KeyPair::generate().unwrap();
        secret(&directory.join("receipt.key"), &key.serialize_pem());
    }

    /// A server on loopback that demands a certificate of this authority.
    pub(crate) fn server(&self) -> Arc<ServerConfig> {
        let issued = self.issue_server();
        let chain = vec![CertificateDer::from(issued.certificate_der.clone())];
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
        let mut roots = RootCertStore::empty();
        let authority = self.authority.lock().unwrap();
        roots.add(CertificateDer::from(authority.certificate_der().to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(chain, key)
            .unwrap();
        Arc::new(config)
    }

    /// A certificate for servers.
    pub(crate) fn issue_server(&self) -> Issued {
        let authority = self.authority.lock().unwrap();
        authority.issue_server("desk", now() - HOUR, now() + HOUR).unwrap()
    }

    /// A client whose certificate bears several names.
    pub(crate) fn client_of_names(&self, names: &[&str], protocol: &[u8]) -> Arc<ClientConfig> {
        let authority = self.authority.lock().unwrap();
        let key = rcgen::KeyPair::from_pem(&authority.key_pem()).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(authority.certificate_pem(), key).unwrap();
        let names: Vec<_> = names.iter().map(|name| format!("{name}.gov.example")).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        params.use_authority_key_identifier_extension = true;
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        drop(authority);
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let chain = vec![certificate.der().clone()];
        speaking(self.roots(&[&TLS13]).with_client_auth_cert(chain, key).unwrap(), protocol)
    }

    /// A client that trusts this gateway and shows a certificate of another authority.
    pub(crate) fn client_of(&self, other: &Self, name: &str) -> Arc<ClientConfig> {
        self.client_with(&other.issue(name), HTTP1)
    }

    /// Puts a certificate on every list from now on.
    pub(crate) fn revoke(&self, issued: &Issued) {
        self.authority.lock().unwrap().revoke(&issued.serial, now() - HOUR);
    }

    /// A client with a fresh certificate of `name`, speaking one protocol.
    pub(crate) fn client(&self, name: &str, protocol: &[u8]) -> Arc<ClientConfig> {
        self.client_with(&self.issue(name), protocol)
    }

    /// A client with a certificate.
    pub(crate) fn client_with(&self, issued: &Issued, protocol: &[u8]) -> Arc<ClientConfig> {
        let chain = vec![CertificateDer::from(issued.certificate_der.clone())];
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
        let config = self.roots(&[&TLS13]).with_client_auth_cert(chain, key).unwrap();
        speaking(config, protocol)
    }

    /// A client that shows no certificate.
    pub(crate) fn client_without_certificate(&self) -> Arc<ClientConfig> {
        speaking(self.roots(&[&TLS13]).with_no_client_auth(), HTTP1)
    }

    /// A client that speaks only TLS 1.2.
    pub(crate) fn client_of_tls12(&self, name: &str) -> Arc<ClientConfig> {
        let issued = self.issue(name);
        let chain = vec![CertificateDer::from(issued.certificate_der.clone())];
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
        speaking(self.roots(&[&TLS12]).with_client_auth_cert(chain, key).unwrap(), HTTP1)
    }

    fn roots(
        &self,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        let authority = self.authority.lock().unwrap();
        roots.add(CertificateDer::from(authority.certificate_der().to_vec())).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
    }
}

fn speaking(mut config: ClientConfig, protocol: &[u8]) -> Arc<ClientConfig> {
    config.alpn_protocols = vec![protocol.to_vec()];
    Arc::new(config)
}

fn secret(file: &Path, text: &str) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    std::io::Write::write_all(&mut options.open(file).unwrap(), text.as_bytes()).unwrap();
}
