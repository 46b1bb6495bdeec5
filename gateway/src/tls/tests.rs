use std::path::Path;

use rustls::pki_types::pem::PemObject as _;
use tempfile::TempDir;

use super::*;
use crate::pki::{ExamplePki, Issued};

const HOUR: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

fn now() -> Timestamp {
    "2026-11-20T08:00:00Z".parse().unwrap()
}

/// An authority, a server and the files a listener reads.
struct Files {
    dir: TempDir,
    pki: ExamplePki,
    settings: TlsSettings,
}

impl Files {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut pki = ExamplePki::new("city", now()).unwrap();
        let server = pki.issue_server("gateway", now() - HOUR, now() + HOUR * 24 * 90).unwrap();
        let list = pki.revocation_list(now() - HOUR, now() + HOUR).unwrap();
        let files = Self {
            settings: TlsSettings {
                certificate_file: dir.path().join("gateway.pem"),
                key_file: dir.path().join("gateway.key"),
                trust_anchors: vec![TrustAnchorSettings {
                    id: "city".parse().unwrap(),
                    certificate_file: dir.path().join("city.pem"),
                    crl_files: vec![dir.path().join("city.crl.pem")],
                    revocation: RevocationPolicy::Required { stale: Stale::Refuse },
                }],
                tls12: false,
            },
            dir,
            pki,
        };
        files.put("gateway.pem", &server.certificate_pem);
        files.put_key("gateway.key", &server.key_pem);
        files.put("city.pem", files.pki.certificate_pem());
        files.put("city.crl.pem", &list);
        files
    }

    fn put(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.dir.path().join(name), contents).unwrap();
    }

    fn put_key(&self, name: &str, pem: &str) {
        self.put(name, pem);
        set_mode(&self.dir.path().join(name), 0o600);
    }

    fn load(&self) -> Result<Trust, Diagnostics> {
        Trust::load(&self.settings, now())
    }

    fn mistakes(&self) -> Vec<String> {
        let found = self.load().unwrap_err().sorted();
        found.into_iter().map(|mistake| mistake.message).collect()
    }

    fn client(&self) -> Issued {
        self.pki.issue("h29-12", now() - HOUR, now() + HOUR).unwrap()
    }

    fn revoke(&mut self, issued: &Issued) {
        self.pki.revoke(&issued.serial, now());
        let list = self.pki.revocation_list(now() - HOUR, now() + HOUR).unwrap();
        self.put("city.crl.pem", list);
    }

    /// A second anchor `national`, beside `city`.
    fn add_anchor(&mut self, pki: &ExamplePki) {
        self.put("national.pem", pki.certificate_pem());
        self.settings.trust_anchors.push(TrustAnchorSettings {
            id: "national".parse().unwrap(),
            certificate_file: self.dir.path().join("national.pem"),
            crl_files: vec![],
            revocation: RevocationPolicy::None,
        });
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn chain(issued: &Issued) -> Vec<CertificateDer<'static>> {
    vec![issued.certificate_der.clone().into()]
}

#[test]
fn loads_good_files() {
    let files = Files::new();
    let trust = files.load().unwrap();
    assert!(trust.warnings().is_empty(), "{:?}", trust.warnings());
    assert!(trust.stale_revocation(now()).is_empty());
    let config = trust.server_config();
    assert_eq!(config.alpn_protocols, ALPN.map(<[u8]>::to_vec));
    assert_eq!((config.send_tls13_tickets, config.max_early_data_size), (0, 0));
    assert!(!config.session_storage.can_cache() && !config.ticketer.enabled());
}

#[test]
fn tells_every_mistake_at_once() {
    let mut files = Files::new();
    set_mode(&files.settings.key_file, 0o644);
    files.put("city.crl.pem", "nothing");
    files.settings.trust_anchors.push(TrustAnchorSettings {
        id: "national".parse().unwrap(),
        certificate_file: files.dir.path().join("absent.pem"),
        crl_files: vec![],
        revocation: RevocationPolicy::None,
    });
    let mistakes = files.mistakes();
    assert_eq!(mistakes.len(), 3, "{mistakes:?}");
    assert!(mistakes.iter().any(|m| m.contains("key may be read by others")));
    assert!(mistakes.iter().any(|m| m == "file is not a revocation list (PEM or DER)"));
    assert!(mistakes.iter().any(|m| m == "cannot be read: entity not found"));
}

#[test]
fn refuses_a_key_of_another_certificate() {
    let files = Files::new();
    files.put_key("gateway.key", &files.client().key_pem);
    assert!(files.mistakes().iter().any(|m| m.contains("key does not belong")));
    files.put_key("gateway.key", "-----BEGIN PRIVATE KEY-----");
    assert_eq!(files.mistakes(), ["file holds no private key"]);
}

#[test]
fn refuses_a_server_certificate_out_of_its_validity() {
    let files = Files::new();
    for (not_before, not_after) in
        [(now() - HOUR * 2, now() - HOUR), (now() + HOUR, now() + HOUR * 2)]
    {
        let server = files.pki.issue_server("gateway", not_before, not_after).unwrap();
        files.put("gateway.pem", &server.certificate_pem);
        files.put_key("gateway.key", &server.key_pem);
        assert_eq!(files.mistakes().len(), 1);
    }
}

#[test]
fn warns_before_the_server_certificate_ends() {
    let files = Files::new();
    let server = files.pki.issue_server("gateway", now() - HOUR, now() + HOUR * 24).unwrap();
    files.put("gateway.pem", &server.certificate_pem);
    files.put_key("gateway.key", &server.key_pem);
    let trust = files.load().unwrap();
    assert_eq!(trust.warnings().len(), 1);
    assert_eq!(trust.not_after(), now() + HOUR * 24);
}

#[test]
fn refuses_an_anchor_that_is_no_authority_or_two_in_one_file() {
    let files = Files::new();
    files.put("city.pem", &files.client().certificate_pem);
    assert!(files.mistakes().iter().any(|m| m.contains("not an authority's")));
    let twice = format!("{0}{0}", files.pki.certificate_pem());
    files.put("city.pem", twice);
    assert!(files.mistakes().iter().any(|m| m.contains("file holds 2 certificates")));
}

#[test]
fn refuses_one_authority_under_two_names_and_no_authority_at_all() {
    let mut files = Files::new();
    let same = files.settings.trust_anchors[0].clone();
    files.settings.trust_anchors.push(same.clone());
    assert!(files.mistakes().iter().any(|m| m.contains("`city` is named twice")));
    files.settings.trust_anchors[1].id = "other".parse().unwrap();
    assert!(files.mistakes().iter().any(|m| m.contains("are one authority")));
    files.settings.trust_anchors.clear();
    assert!(files.mistakes().iter().any(|m| m.contains("at least one trust anchor")));
}

#[test]
fn refuses_a_list_that_the_anchor_has_not_signed() {
    let files = Files::new();
    // The same name, another key.
    let mut forger = ExamplePki::new("city", now()).unwrap();
    files.put("city.crl.pem", forger.revocation_list(now() - HOUR, now() + HOUR).unwrap());
    assert!(files.mistakes().iter().any(|m| m.contains("signature of the revocation list")));
    let mut other = ExamplePki::new("other", now()).unwrap();
    files.put("city.crl.pem", other.revocation_list(now() - HOUR, now() + HOUR).unwrap());
    assert!(files.mistakes().iter().any(|m| m.contains("issued by another authority")));
}

#[test]
fn refuses_a_list_dated_in_the_future_and_none_where_one_is_required() {
    let mut files = Files::new();
    let future = files.pki.revocation_list(now() + HOUR, now() + HOUR * 2).unwrap();
    files.put("city.crl.pem", future);
    assert!(files.mistakes().iter().any(|m| m.contains("dated in the future")));
    files.settings.trust_anchors[0].crl_files.clear();
    assert!(files.mistakes().iter().any(|m| m.contains("requires revocation and has no list")));
    files.settings.trust_anchors[0].crl_files.push(files.dir.path().join("city.crl.pem"));
    files.settings.trust_anchors[0].revocation = RevocationPolicy::None;
    let good = files.pki.revocation_list(now() - HOUR, now() + HOUR * 2).unwrap();
    files.put("city.crl.pem", good);
    assert!(files.mistakes().iter().any(|m| m.contains("lists that `none` ignores")));
}

#[test]
fn reads_lists_in_der_too() {
    let mut files = Files::new();
    let issued = files.client();
    files.revoke(&issued);
    let path = files.dir.path().join("city.crl.pem");
    let pem = std::fs::read(&path).unwrap();
    let der = rustls::pki_types::CertificateRevocationListDer::from_pem_slice(&pem).unwrap();
    files.put("city.crl.pem", &*der);
    let refused = files.load().unwrap().identify(&chain(&issued), now());
    assert_eq!(refused.unwrap_err(), ReasonCode::ConsumerCertificateRevoked);
}

#[test]
fn judges_a_certificate_at_each_moment() {
    let files = Files::new();
    let trust = files.load().unwrap();
    let certificate = trust.identify(&chain(&files.client()), now()).unwrap();
    assert_eq!(certificate.trust_anchor.as_str(), "city");
    assert_eq!(trust.standing(&certificate, now()), Ok(()));
    let late = now() + HOUR * 2;
    assert_eq!(trust.standing(&certificate, late), Err(ReasonCode::ConsumerCertificateExpired));
    let early = now() - HOUR * 2;
    assert_eq!(trust.standing(&certificate, early), Err(ReasonCode::ConsumerCertificateExpired));
}

#[test]
fn judges_revocation_as_the_policy_says_when_the_list_is_stale() {
    let mut files = Files::new();
    let issued = files.pki.issue("a", now() - HOUR, now() + HOUR * 100).unwrap();
    let late = now() + HOUR * 2;
    let trust = files.load().unwrap();
    let certificate = trust.identify(&chain(&issued), now()).unwrap();
    assert_eq!(trust.standing(&certificate, late), Err(ReasonCode::ConsumerRevocationUnknown));
    assert_eq!(trust.stale_revocation(late), ["city".parse().unwrap()]);

    let grace = Stale::Grace { seconds: 3 * 3600 };
    files.settings.trust_anchors[0].revocation = RevocationPolicy::Required { stale: grace };
    let trust = files.load().unwrap();
    assert_eq!(trust.standing(&certificate, late), Ok(()));
    assert_eq!(trust.stale_revocation(late).len(), 1, "readiness still shows it");
    assert_eq!(
        trust.standing(&certificate, now() + HOUR * 5),
        Err(ReasonCode::ConsumerRevocationUnknown)
    );
}

#[test]
fn a_revoked_certificate_stays_revoked_within_the_grace() {
    let mut files = Files::new();
    let issued = files.pki.issue("a", now() - HOUR, now() + HOUR * 100).unwrap();
    let certificate = files.load().unwrap().identify(&chain(&issued), now()).unwrap();
    files.revoke(&issued);
    let grace = Stale::Grace { seconds: 3 * 3600 };
    files.settings.trust_anchors[0].revocation = RevocationPolicy::Required { stale: grace };
    let trust = files.load().unwrap();
    for at in [now(), now() + HOUR * 2, now() + HOUR * 50] {
        assert_eq!(trust.standing(&certificate, at), Err(ReasonCode::ConsumerCertificateRevoked));
    }
}

#[test]
fn tells_which_of_several_anchors_verified() {
    let mut files = Files::new();
    let national = ExamplePki::new("national", now()).unwrap();
    files.add_anchor(&national);
    let trust = files.load().unwrap();
    let name = |pki: &ExamplePki| {
        let issued = pki.issue("a", now() - HOUR, now() + HOUR).unwrap();
        trust.identify(&chain(&issued), now()).map(|c| c.trust_anchor.to_string())
    };
    assert_eq!(name(&files.pki), Ok("city".to_owned()));
    assert_eq!(name(&national), Ok("national".to_owned()));
    let unknown = ExamplePki::new("unknown", now()).unwrap();
    assert_eq!(name(&unknown), Err(ReasonCode::ConsumerUnknown));
}

#[test]
fn an_anchor_replaced_under_its_id_no_longer_vouches() {
    let files = Files::new();
    let certificate = files.load().unwrap().identify(&chain(&files.client()), now()).unwrap();
    let mut successor = ExamplePki::new("city", now()).unwrap();
    files.put("city.pem", successor.certificate_pem());
    files.put("city.crl.pem", successor.revocation_list(now() - HOUR, now() + HOUR).unwrap());
    assert_eq!(
        files.load().unwrap().standing(&certificate, now()),
        Err(ReasonCode::ConsumerUnknown)
    );
}

#[test]
fn debug_shows_no_key() {
    let files = Files::new();
    let key = std::fs::read_to_string(&files.settings.key_file).unwrap();
    let shown = format!("{:?}", files.load().unwrap());
    assert!(key.lines().skip(1).all(|line| !shown.contains(line)));
}
