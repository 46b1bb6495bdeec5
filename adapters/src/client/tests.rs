use std::sync::Arc;

use lienthong_sandbox::{
    Listen, Portal, TlsFiles,
    portal::{PortalHandle, PortalSettings},
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use super::*;
use crate::testing::Ticking;

struct Pki {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let anchor = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("anchor.pem"), anchor.pem()).unwrap();
        let pki = Self { folder, issuer: Issuer::new(params, key) };
        for name in ["localhost", "h29-20.gov.example"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &pki.issuer).unwrap();
            std::fs::write(pki.file(&format!("{name}.pem")), certificate.pem()).unwrap();
            std::fs::write(pki.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
        }
        pki
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    async fn portal(&self) -> PortalHandle {
        let files = TlsFiles {
            certificate_file: self.file("localhost.pem"),
            key_file: self.file("localhost.key"),
            client_trust_anchor_file: self.file("anchor.pem"),
        };
        let settings = PortalSettings::new(Listen::loopback_tls(files));
        Portal::start(settings, Ticking::new()).await.unwrap()
    }

    /// A client that trusts `anchor` and shows this authority's certificate.
    fn client(&self, portal: &PortalHandle, host: &str, anchor: &Self) -> GatewayClient {
        let config = GatewayConfig {
            url: format!("https://{host}:{}", portal.addr.port()),
            client: "VN/GOV/H29.20/TTHC".to_owned(),
            tls: Some(GatewayTls {
                trust_anchor_file: anchor.file("anchor.pem"),
                certificate_file: self.file("h29-20.gov.example.pem"),
                key_file: self.file("h29-20.gov.example.key"),
            }),
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(2),
        };
        GatewayClient::new(&config).unwrap()
    }
}

async fn post(client: &GatewayClient) -> Result<u16, NoAnswer> {
    let call = Call {
        service: "VN/GOV/G22/DVCQG/cases",
        operation: "login",
        id: "1",
        dossier: None,
        officer: None,
        purpose: None,
        headers: Vec::new(),
        body: Body::Json(b"{}".to_vec()),
    };
    client.post(call).await.map(|received| received.status)
}

#[tokio::test]
async fn refuses_a_gateway_of_another_anchor_or_name_before_anything_is_sent() {
    let (ours, others) = (Pki::new(), Pki::new());
    let portal = ours.portal().await;
    let wrong_anchor = ours.client(&portal, "localhost", &others);
    assert_eq!(post(&wrong_anchor).await, Err(NoAnswer::NotSent));
    let wrong_name = ours.client(&portal, "127.0.0.1", &ours);
    assert_eq!(post(&wrong_name).await, Err(NoAnswer::NotSent));
    // A certificate that the gateway does not trust.
    let stranger = others.client(&portal, "localhost", &ours);
    assert!(post(&stranger).await.is_err());
    assert_eq!(portal.report().refused.len(), 0);
    assert_eq!(post(&ours.client(&portal, "localhost", &ours)).await, Ok(200));
}

#[tokio::test]
async fn follows_no_redirect_and_reads_no_endless_answer() {
    let pki = Pki::new();
    let portal = pki.portal().await;
    let client = pki.client(&portal, "localhost", &pki);
    portal.faults.once("login", lienthong_sandbox::Fault::Redirect);
    assert_eq!(post(&client).await, Ok(302));
    portal.faults.once("login", lienthong_sandbox::Fault::ResetMidBody);
    assert_eq!(post(&client).await, Err(NoAnswer::MaybeSent));
    portal.faults.once("login", lienthong_sandbox::Fault::WrongLength);
    assert_eq!(post(&client).await, Err(NoAnswer::MaybeSent));
}

#[tokio::test]
async fn gives_up_after_its_deadline() {
    let pki = Pki::new();
    let portal = Arc::new(pki.portal().await);
    let client = pki.client(&portal, "localhost", &pki);
    portal.faults.set("login", lienthong_sandbox::Fault::Slow(600_000));
    assert_eq!(post(&client).await, Err(NoAnswer::MaybeSent));
}

#[test]
fn waits_that_an_answer_asks_for_are_bounded() {
    let wait = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", text.parse().unwrap());
        retry_after(&headers)
    };
    assert_eq!(wait("7"), Some(SignedDuration::from_secs(7)));
    assert_eq!(wait("999999999"), Some(SignedDuration::from_secs(MAX_WAIT_SECONDS)));
    assert_eq!(wait("-1"), Some(SignedDuration::ZERO));
    assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT"), None);
}
