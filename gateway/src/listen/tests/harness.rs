//! A listener with its own authority, what serves its requests, and clients of several kinds.

use std::{
    collections::BTreeMap,
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use jiff::{SignedDuration, Timestamp};
use lienthong_model::{clock::Clock, reason::ReasonCode};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{PrivateKeyDer, ServerName, pem::PemObject as _},
    version::{TLS12, TLS13},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Semaphore,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::super::*;
use crate::{
    pki::{ExamplePki, Issued},
    tls::{RevocationPolicy, Stale, TlsSettings, TrustAnchorSettings},
};

pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// No test waits longer than this for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// The system's clock: the handshake reads it too, so tests cannot invent another time.
#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "rustls checks validity by the system's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// What a test serves: `/large/N`, `/held`, `/peer`, `/body`, `/gate` (waits for a permit), anything else is `ok`.
#[derive(Debug)]
pub(super) struct Echo {
    pub(super) paths: Mutex<Vec<String>>,
    pub(super) gate: Semaphore,
    pub(super) waiting: AtomicUsize,
    pub(super) most_waiting: AtomicUsize,
    pub(super) suspended: AtomicBool,
    /// Cloned into the answer of `/held`.
    pub(super) held: Arc<()>,
}

impl Default for Echo {
    fn default() -> Self {
        Self {
            paths: Mutex::default(),
            gate: Semaphore::new(0),
            waiting: AtomicUsize::new(0),
            most_waiting: AtomicUsize::new(0),
            suspended: AtomicBool::new(false),
            held: Arc::new(()),
        }
    }
}

struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Echo {
    async fn answer(&self, peer: &Arc<Peer>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        self.paths.lock().unwrap().push(path.clone());
        if self.standing(peer).is_err() {
            let mut refusal = Response::new(Full::default());
            *refusal.status_mut() = StatusCode::UNAUTHORIZED;
            return refusal;
        }
        let body = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["", "gate"] => {
                let now = self.waiting.fetch_add(1, Ordering::SeqCst) + 1;
                let waiting = Waiting(&self.waiting);
                self.most_waiting.fetch_max(now, Ordering::SeqCst);
                self.gate.acquire().await.unwrap().forget();
                drop(waiting);
                Bytes::from_static(b"through")
            }
            ["", "large", length] => Bytes::from(vec![b'x'; length.parse().unwrap()]),
            ["", "held"] => {
                let mut response = Response::new(Full::new(vec![b'x'; 32 << 20].into()));
                response.extensions_mut().insert(self.held.clone());
                return response;
            }
            ["", "body"] => match read(request.into_body()).await {
                Some(body) => body,
                None => {
                    let mut refusal = Response::new(Full::default());
                    *refusal.status_mut() = StatusCode::BAD_REQUEST;
                    return refusal;
                }
            },
            ["", "peer"] => peer.certificate.subject.clone().into(),
            _ => Bytes::from_static(b"ok"),
        };
        Response::new(Full::new(body))
    }
}

impl Serve for Echo {
    async fn call(&self, peer: &Arc<Peer>, request: Request<Incoming>) -> Response<Body> {
        self.answer(peer, request).await.map(Body::from)
    }

    fn standing(&self, _: &Peer) -> Result<(), ReasonCode> {
        if self.suspended.load(Ordering::SeqCst) {
            Err(ReasonCode::ConsumerSuspended)
        } else {
            Ok(())
        }
    }
}

/// The whole body, or nothing when it broke off.
pub(super) async fn read(mut body: Incoming) -> Option<Bytes> {
    let mut whole = Vec::new();
    while let Some(frame) = body.frame().await {
        whole.extend_from_slice(frame.ok()?.data_ref()?);
    }
    Some(whole.into())
}

/// A running listener and its authority.
pub(super) struct World {
    pub(super) pki: ExamplePki,
    pub(super) serve: Arc<Echo>,
    pub(super) trust: Arc<ArcSwap<Trust>>,
    pub(super) tls: TlsSettings,
    pub(super) dir: TempDir,
    /// The listener; taken by the test that drains it.
    pub(super) server: Option<Server>,
    pub(super) address: SocketAddr,
}

/// Settings that let nothing time out within a test's patience.
pub(super) fn patient() -> ListenSettings {
    ListenSettings { workers: 2, ..ListenSettings::new(([127, 0, 0, 1], 0).into()) }
}

pub(super) async fn world() -> World {
    world_with(patient(), |_| {}).await
}

pub(super) async fn world_with(
    settings: ListenSettings,
    adapt: impl FnOnce(&mut TlsSettings),
) -> World {
    let dir = tempfile::tempdir().unwrap();
    let now = SystemClock.now();
    let pki = ExamplePki::new("city", now).unwrap();
    let path = |name: &str| dir.path().join(name);
    let mut tls = TlsSettings {
        certificate_file: path("gateway.pem"),
        key_file: path("gateway.key"),
        trust_anchors: vec![TrustAnchorSettings {
            id: "city".parse().unwrap(),
            certificate_file: path("city.pem"),
            crl_files: vec![path("city.crl.pem")],
            revocation: RevocationPolicy::Required { stale: Stale::Refuse },
        }],
        tls12: false,
    };
    adapt(&mut tls);
    std::fs::write(path("city.pem"), pki.certificate_pem()).unwrap();
    let mut world = World {
        pki,
        serve: Arc::default(),
        trust: Arc::new(ArcSwap::from_pointee(placeholder(&mut tls.clone(), &dir, now))),
        tls,
        dir,
        server: None,
        address: settings.address,
    };
    world.write_server();
    world.write_list(now - HOUR, now + HOUR);
    world.reload();
    let server =
        Server::bind(settings, world.trust.clone(), world.serve.clone(), Arc::new(SystemClock));
    let server = server.await.unwrap();
    world.address = server.local_addr();
    world.server = Some(server);
    world
}

/// Any trust at all, until the first reload.
fn placeholder(tls: &mut TlsSettings, dir: &TempDir, now: Timestamp) -> Trust {
    let files = dir.path().join("placeholder");
    crate::pki::write_example(&files, now, &crate::pki::Names::default()).unwrap();
    tls.certificate_file = files.join("gateway.pem");
    tls.key_file = files.join("gateway.key");
    for anchor in &mut tls.trust_anchors {
        anchor.certificate_file = files.join("city.pem");
        anchor.crl_files = vec![files.join("city.crl.pem")];
    }
    Trust::load(tls, now).unwrap()
}

impl World {
    pub(super) fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    pub(super) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// A new server certificate and key.
    pub(super) fn write_server(&self) {
        let now = self.now();
        let server = self.pki.issue_server("gateway", now - HOUR, now + HOUR * 24 * 90).unwrap();
        std::fs::write(&self.tls.certificate_file, server.certificate_pem).unwrap();
        std::fs::write(&self.tls.key_file, &*server.key_pem).unwrap();
        std::fs::set_permissions(
            &self.tls.key_file,
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )
        .unwrap();
    }

    /// A new revocation list.
    pub(super) fn write_list(&mut self, this_update: Timestamp, next_update: Timestamp) {
        let list = self.pki.revocation_list(this_update, next_update).unwrap();
        std::fs::write(self.dir.path().join("city.crl.pem"), list).unwrap();
    }

    /// What the program does on a reload, without the recheck.
    pub(super) fn reload(&self) {
        self.trust.store(Arc::new(Trust::load(&self.tls, self.now()).unwrap()));
    }

    pub(super) fn revoke(&mut self, issued: &Issued) {
        let now = self.now();
        self.pki.revoke(&issued.serial, now);
        self.write_list(now - HOUR, now + HOUR);
        self.reload();
    }

    /// A client certificate that is good for an hour.
    pub(super) fn client(&self) -> Issued {
        self.pki.issue("h29-12", self.now() - HOUR, self.now() + HOUR).unwrap()
    }

    pub(super) fn client_config(&self, client: Option<&Issued>, alpn: &[&str]) -> ClientConfig {
        self.client_config_of(client, alpn, &[&TLS13, &TLS12])
    }

    pub(super) fn client_config_of(
        &self,
        client: Option<&Issued>,
        alpn: &[&str],
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.pki.certificate_der().to_vec().into()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match client {
            Some(issued) => {
                let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
                let chain = vec![issued.certificate_der.clone().into()];
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }

    pub(super) async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Connects; in TLS 1.3 a refused client certificate shows only at the first read.
    pub(super) async fn connect_with(
        &self,
        config: ClientConfig,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, self.tcp().await).await
    }

    pub(super) async fn connect(&self, client: &Issued, alpn: &str) -> TlsStream<TcpStream> {
        self.connect_with(self.client_config(Some(client), &[alpn])).await.unwrap()
    }

    /// An HTTP/1.1 connection that has answered one request.
    pub(super) async fn http1(&self, client: &Issued) -> Http1 {
        let mut http1 = Http1(self.connect(client, "http/1.1").await);
        assert_eq!(http1.get("/").await.unwrap(), (200, b"ok".to_vec()));
        http1
    }

    /// An HTTP/2 connection by the h2 crate, and the task that drives it.
    pub(super) async fn http2(
        &self,
        client: &Issued,
    ) -> (h2::client::SendRequest<Bytes>, tokio::task::JoinHandle<Result<(), h2::Error>>) {
        let tls = self.connect(client, "h2").await;
        let (send, connection) = h2::client::handshake(tls).await.unwrap();
        (send, tokio::spawn(connection))
    }

    pub(super) fn paths(&self) -> Vec<String> {
        self.serve.paths.lock().unwrap().clone()
    }

    /// Still serves somebody else.
    pub(super) async fn assert_serves(&self) {
        within(self.http1(&self.client())).await;
    }
}

/// A request by hand: what a client library would refuse to send can be sent.
pub(super) struct Http1(pub(super) TlsStream<TcpStream>);

impl Http1 {
    pub(super) async fn send(&mut self, text: &str) -> io::Result<()> {
        self.0.write_all(text.as_bytes()).await?;
        self.0.flush().await
    }

    pub(super) async fn get(&mut self, path: &str) -> io::Result<(u16, Vec<u8>)> {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await?;
        self.answer().await
    }

    /// One answer with a content length.
    pub(super) async fn answer(&mut self) -> io::Result<(u16, Vec<u8>)> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
        self.0.read_exact(&mut body).await?;
        Ok((*statuses(head.to_ascii_uppercase().as_bytes()).keys().next().unwrap(), body))
    }

    /// Everything until the server ends the connection, however it does.
    pub(super) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset after the last byte is an end too.
        self.0.read_to_end(&mut rest).await.unwrap_or_default();
        rest
    }
}

/// Awaits with a bound, so that a hanging test fails instead.
pub(super) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("takes too long")
}

/// Awaits a state of the server that no socket shows.
pub(super) async fn until(mut holds: impl FnMut() -> bool) {
    within(async {
        let mut look = tokio::time::interval(Duration::from_millis(5));
        while !holds() {
            look.tick().await;
        }
    })
    .await;
}

/// How often each status was answered.
pub(super) fn statuses(answers: &[u8]) -> BTreeMap<u16, usize> {
    let text = String::from_utf8_lossy(answers);
    text.split("HTTP/1.1 ").skip(1).fold(BTreeMap::new(), |mut counts, answer| {
        *counts.entry(answer.split(' ').next().unwrap().parse().unwrap()).or_default() += 1;
        counts
    })
}
