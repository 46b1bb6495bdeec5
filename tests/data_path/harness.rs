//! The world of a test: policies, certificates, a provider under the test's command, and the
//! gateway as its own process.

mod admin;
mod answer;
mod ask;
mod client;
mod evidence;
mod files;
mod frames;
mod gateway;
mod pki;
mod provider;
mod streamed;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use lienthong_model::reason::{ReasonCode, Retry};
use rustls::ClientConfig;
use serde_json::Value;
use tempfile::TempDir;

pub(super) use self::{
    admin::{admin, why},
    answer::Answer,
    ask::{Ask, person, person_body},
    client::{Connection, alert, connect},
    evidence::Evidence,
    files::{Files, Origin, repository},
    frames::{Frame, Frames, HeaderBlock, kind},
    gateway::{Gateway, lienthong},
    pki::{HTTP1, HTTP2, Pki, now},
    provider::{Gate, PERSON, Provider, Recorded, Reply, Written},
    streamed::Streamed,
};

/// Longest a test waits for anything that must happen. The disk of a machine that also runs the tests'
/// databases can take long to sync.
pub(super) const DEADLINE: Duration = Duration::from_secs(60);

/// Waits for `future`, which must end before the deadline.
pub(super) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    within_time(DEADLINE, what, future).await
}

/// Waits for `future`, which must end within `time`.
pub(super) async fn within_time<T>(
    time: Duration,
    what: &str,
    future: impl Future<Output = T>,
) -> T {
    match tokio::time::timeout(time, future).await {
        Ok(done) => done,
        Err(_) => panic!("{what} did not happen within {time:?}"),
    }
}

/// How the world of a test differs from the usual one.
#[derive(Debug, Clone, Default)]
pub(super) struct Setup {
    /// Changed policies.
    pub(super) files: Files,
    /// Settings of the listener.
    pub(super) listen: Vec<(&'static str, u32)>,
    /// Settings of the data path.
    pub(super) limits: Vec<(&'static str, u32)>,
    /// Settings of the provider of `people`.
    pub(super) people: Vec<(&'static str, u32)>,
    /// Settings of the provider of `roll`.
    pub(super) roll: Vec<(&'static str, u32)>,
    /// Settings of the provider of `vault`.
    pub(super) vault: Vec<(&'static str, u32)>,
    /// How often files are looked at, in seconds.
    pub(super) watch: Option<u32>,
    /// The trust anchors beside `city`.
    pub(super) anchors: Anchors,
    /// How the provider of `people` is reached.
    pub(super) provider: ProviderLink,
    /// Settings of the evidence log.
    pub(super) evidence: Vec<(&'static str, u32)>,
    /// Settings of the listener's TLS, as lines of the configuration.
    pub(super) tls: &'static str,
    /// For how many seconds a stale revocation list is still used.
    pub(super) grace: u32,
    /// Settings of the dialect of LGSP clients, as lines of the configuration; none when it is not
    /// spoken.
    pub(super) lgsp: Option<&'static str>,
    /// Where traces of all exchanges are sent.
    pub(super) otlp: Option<SocketAddr>,
    /// Whether the listeners for operators are open.
    pub(super) operators: bool,
    /// What is logged; by default what the gateway logs by default.
    pub(super) log: Option<&'static str>,
}

/// How the gateway reaches its provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ProviderLink {
    /// In the clear, on loopback.
    #[default]
    Plain,
    /// Mutual TLS under the city's authority.
    Tls,
    /// A provider whose certificate another authority has issued.
    TlsOfAnother,
    /// A provider of the city to which the gateway shows no certificate.
    TlsWithoutIdentity,
    /// A provider whose certificate is for another name than it is reached at.
    TlsOfAnotherName,
}

/// The authorities that issue certificates to consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Anchors {
    /// `city` alone.
    #[default]
    City,
    /// `city`, and `national`, which publishes no revocation list.
    CityAndNational,
}

impl Setup {
    /// The configuration file, beside the directories it names.
    fn configuration(&self, provider: SocketAddr, nobody: SocketAddr) -> String {
        let lines = |settings: &[(&str, u32)], indent: &str| -> String {
            settings.iter().map(|(key, value)| format!("{indent}{key}: {value}\n")).collect()
        };
        let watch = self.watch.map(|seconds| format!("  watch_seconds: {seconds}\n"));
        let national = match self.anchors {
            Anchors::City => "",
            Anchors::CityAndNational => NATIONAL,
        };
        let lgsp = self.lgsp.map(|lines| format!("lgsp:\n  key_file: token.key\n{lines}"));
        let limits = match self.limits.as_slice() {
            [] => String::new(),
            some => format!("limits:\n{}", lines(some, "  ")),
        };
        format!(
            "listen:
  address: 127.0.0.1:0
{listen}tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors:
    - id: city
      certificate_file: pki/city.pem
      crl_files: [pki/city.crl.pem]
      revocation: required
      stale_grace_seconds: {grace}
{national}{tls}{lgsp}policies:
  directory: policies
  schemas: schemas
{watch}providers:
{providers}{limits}pseudonyms:
  key_file: pseudonym.key
  period: \"2026\"
admin:
  socket: admin.sock
  address: 127.0.0.1:0
{operators}{consents}data:
  directory: data
evidence:
  node: node-1
  key_file: evidence.key
  digest_keys: digest-keys
{evidence}{otlp}",
            listen = lines(&self.listen, "  "),
            evidence = lines(&self.evidence, "  "),
            grace = self.grace,
            lgsp = lgsp.unwrap_or_default(),
            tls = self.tls,
            otlp = self.telemetry(),
            operators = if self.operators { OPERATORS } else { "" },
            consents = if self.files.rest_on_consent() { CONSENTS } else { "" },
            watch = watch.unwrap_or_default(),
            providers = self.providers(provider, nobody),
        )
    }

    fn telemetry(&self) -> String {
        let Some(address) = self.otlp else { return String::new() };
        let endpoint = format!("endpoint: http://{address}/v1/traces");
        format!("telemetry:\n  otlp: {{{endpoint}, sample_share: 1, timeout_seconds: 2}}\n")
    }

    fn providers(&self, provider: SocketAddr, nobody: SocketAddr) -> String {
        let one = |service: &str, address: SocketAddr, path: &str, settings: &[(&str, u32)]| {
            let settings: String =
                settings.iter().map(|(key, value)| format!("    {key}: {value}\n")).collect();
            format!("  {service}:\n    url: http://{address}{path}\n{settings}")
        };
        match self.files.origin() {
            Origin::Test => [
                self.link(one("people", provider, "/registry", &self.people), provider),
                one("roll", provider, "/roll", &self.roll),
                one("vault", provider, "/vault", &self.vault),
                one("void", nobody, "", &[]),
            ]
            .concat(),
            Origin::Shipped => SHIPPED.map(|service| one(service, provider, "", &[])).concat(),
        }
    }
}

impl Setup {
    /// The provider of `people`, reached as the setup says.
    fn link(&self, plain: String, provider: SocketAddr) -> String {
        let identity = "    client_certificate_file: pki/gateway-client.pem
    client_key_file: pki/gateway-client.key
";
        let (host, identity) = match self.provider {
            ProviderLink::Plain => return plain,
            ProviderLink::Tls | ProviderLink::TlsOfAnother => ("localhost", identity),
            ProviderLink::TlsWithoutIdentity => ("localhost", ""),
            ProviderLink::TlsOfAnotherName => ("127.0.0.2", identity),
        };
        let address = format!("http://{provider}");
        let tls = format!("https://{host}:{}", provider.port());
        format!("{}    trust_anchor_file: pki/city.pem\n{identity}", plain.replace(&address, &tls))
    }
}

/// What follows `admin.address` where the listeners for operators are open.
const OPERATORS: &str = "  tls_address: 127.0.0.1:0
monitor:
  address: 127.0.0.1:0
";

/// What is set where agreements rest on consent.
const CONSENTS: &str = "consent:
  subject_key_file: consent-subject.key
  seal_key_file: consent-seal.key
  receipt_key_file: receipt.key
  address: 127.0.0.1:0
";

const NATIONAL: &str = "    - id: national
      certificate_file: pki-national/city.pem
      revocation: none
";

/// The services of the shipped policies.
const SHIPPED: [&str; 14] = [
    "agent-node",
    "civil-status",
    "civil-status-registrations",
    "health-book",
    "land-changes",
    "land-registration",
    "ministry-portal-2026",
    "population-verification",
    "portal-case-sync",
    "portal-catalogues",
    "portal-files",
    "portal-questions",
    "reports-1022",
    "reports-1022-desk",
];

/// Everything a test has.
pub(super) struct World {
    pub(super) gateway: Gateway,
    pub(super) provider: Provider,
    pub(super) pki: Pki,
    /// The second authority, where there is one.
    pub(super) national: Option<Pki>,
    pub(super) directory: TempDir,
    /// Bound and never listened on: a connection to it is refused.
    _nobody: tokio::net::TcpSocket,
}

impl World {
    /// The usual world.
    pub(super) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// A world that differs. Its gateway serves exchanges when this returns.
    pub(super) async fn with(setup: Setup) -> Self {
        let (directory, pki, provider, nobody) = Self::prepare(&setup).await;
        let national = (setup.anchors == Anchors::CityAndNational)
            .then(|| Pki::write(directory.path(), "pki-national"));
        let gateway = Gateway::start(directory.path(), setup.log).await;
        Self { gateway, provider, pki, national, directory, _nobody: nobody }
    }

    /// Starts the gateway anew, after it has ended.
    pub(super) async fn restart(&mut self) {
        self.gateway = Gateway::start(self.directory.path(), None).await;
    }

    /// A world whose gateway must not start; gives what it said.
    pub(super) async fn refused(setup: Setup) -> (i32, String) {
        let (directory, _, _, _) = Self::prepare(&setup).await;
        Gateway::refused(directory.path()).await
    }

    async fn prepare(setup: &Setup) -> (TempDir, Pki, Provider, tokio::net::TcpSocket) {
        let directory = TempDir::with_prefix("lienthong-").unwrap();
        let pki = Pki::write(directory.path(), "pki");
        let tls = match setup.provider {
            ProviderLink::Plain => None,
            ProviderLink::TlsOfAnother => Some(Pki::write(directory.path(), "pki-other").server()),
            _ => Some(pki.server()),
        };
        let host = match setup.provider {
            // The machine's own, and in no certificate of these tests.
            ProviderLink::TlsOfAnotherName => "127.0.0.2",
            _ => "127.0.0.1",
        };
        pki.write_client("gateway-client");
        let provider = Provider::start(host, tls).await;
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        setup.files.write(directory.path());
        if setup.files.rest_on_consent() {
            pki.write_consent_keys(directory.path());
        }
        let text = setup.configuration(provider.address, nobody.local_addr().unwrap());
        std::fs::write(directory.path().join("gateway.yaml"), text).unwrap();
        (directory, pki, provider, nobody)
    }

    /// An HTTP/1.1 connection with the certificate of `name`.
    pub(super) async fn connection(&self, name: &str) -> Connection {
        self.connection_as(self.pki.client(name, HTTP1)).await
    }

    /// A connection as `identity`.
    pub(super) async fn connection_as(&self, identity: Arc<ClientConfig>) -> Connection {
        connect(self.gateway.address, identity).await.expect("handshake")
    }

    /// One request over a connection of its own.
    pub(super) async fn ask(&self, ask: &Ask) -> Answer {
        let mut connection = self.connection(&ask.certificate).await;
        connection.send(&ask.bytes()).await;
        connection.answer().await
    }

    /// Writes policy files anew and reloads.
    pub(super) async fn reload(&self) -> Answer {
        admin(self.directory.path(), "POST", "/reload").await
    }

    /// Reloads, which must succeed.
    pub(super) async fn reloaded(&self) {
        let answer = self.reload().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// Changes one file below the world's directory.
    pub(super) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.directory.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{file}` does not hold `{from}`");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Everything logged so far, with the line of every exchange that has ended.
    pub(super) async fn logged(&self) -> String {
        let metrics = admin(self.directory.path(), "GET", "/metrics").await.text();
        let ended = metrics.lines().filter_map(|line| {
            let (_, count) = line.strip_prefix("gateway_exchanges_total{")?.rsplit_once(' ')?;
            count.parse::<usize>().ok()
        });
        self.gateway.exchanges(ended.sum()).await;
        self.gateway.logged()
    }

    /// What `lienthong why` knows of an answer.
    pub(super) async fn why(&self, answer: &Answer) -> Value {
        why(self.directory.path(), answer.header("lienthong-request-id").unwrap()).await
    }

    /// Checks a refusal from all sides: status, problem details, headers, and the exact reason in
    /// the record.
    pub(super) async fn assert_refused(&self, answer: &Answer, reason: ReasonCode) -> Value {
        let public = reason.public();
        let problem = answer.json();
        let told = format!("expected {reason}, got {}", answer.text());
        assert_eq!(answer.status, public.status(), "{told}");
        assert_eq!(problem["reason"], public.as_str(), "{told}");
        assert_eq!(problem["type"], format!("urn:lienthong:reason:{public}"));
        assert_eq!(problem["status"], public.status());
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        assert!(problem["cites"].is_array());
        let known = ["type", "title", "status", "reason", "request_id", "cites", "detail", "error"];
        for member in problem.as_object().unwrap().keys() {
            assert!(known.contains(&member.as_str()), "unknown member `{member}`");
        }
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json; charset=utf-8"),
            "{told}"
        );
        assert_eq!(answer.header("x-road-error"), Some(public.as_str()));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let request_id = answer.header("lienthong-request-id").unwrap();
        assert_eq!(problem["request_id"], request_id);
        let waits = reason.retry() == Retry::Later && reason.status() >= 429;
        let seconds: Option<u64> = answer.header("retry-after").map(|s| s.parse().unwrap());
        assert_eq!(seconds.is_some(), waits, "{told}");
        assert!(seconds.is_none_or(|s| s >= 1));
        let record = self.why(answer).await;
        assert_eq!(record["reason"], reason.as_str(), "{told}; recorded {record}");
        assert_eq!(record["decision"], "deny");
        assert_eq!(record["status"], public.status());
        record
    }
}
