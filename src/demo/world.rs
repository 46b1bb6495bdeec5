//! Everything the demo runs: certificates, people, providers, platforms, gateway, adapters.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use http_body_util::Full;
use hyper::{Request, body::Bytes};
use indicatif::{ProgressBar, ProgressStyle};
use lienthong_adapters::{FlowReport, Report};
use lienthong_gateway::{
    config::{Config, LogFormat},
    evidence, keys, log, pki,
    record::Exchange,
    run::Running,
    xroad,
};
use lienthong_model::sensitive::Sensitive;
use lienthong_sandbox::{
    City, Listen, Population, Portal, TlsFiles,
    agent_node::AgentNodeHandle,
    city::{CityHandle, CitySettings},
    population::{PopulationHandle, PopulationSettings},
    portal::{PortalHandle, PortalSettings},
    synthetic::{self, Person},
};
use rustls::ClientConfig;
use sqlx::{Connection as _, SqliteConnection};

use super::{
    centre,
    client::{self, Reply},
    consent,
    evidence::{EvidenceResult, examine},
    lgsp,
    scene::{Parcel, STRANGER, Scene, UNKNOWN_AUTHORITY},
    show::{AdapterResult, ExchangeResult},
    stream::{CENTRE, Progress, StreamResult, StreamScene},
};
use crate::{
    clock,
    output::Output,
    pki::{GATEWAY_CLIENT, OPENERS, PARTICIPANTS, SIGNERS},
    why,
};

/// The field that the city sends and the agreement stops on its way to the portal.
pub(crate) const STOPPED: &str = "ThongTinKhac";
/// People of the synthetic city.
const CITIZENS: u32 = 10_000;
/// Every run makes the same people.
const SEED: u64 = 20_250_701;

/// What is copied into the demo's directory.
pub(crate) struct Files<'a> {
    pub(crate) policies: &'a Path,
    pub(crate) schemas: &'a Path,
}

/// Everything that runs.
pub(crate) struct World {
    pub(crate) person: Person,
    pub(crate) parcel: Parcel,
    pub(crate) gateway: Running,
    /// The token of a present LGSP client.
    pub(crate) token: Sensitive<String>,
    pub(crate) pki: PathBuf,
    directory: PathBuf,
    identities: BTreeMap<String, Arc<ClientConfig>>,
    pub(crate) portal: PortalHandle,
    /// The Agent Node of the National Data Centre.
    pub(crate) centre: AgentNodeHandle,
    city: CityHandle,
    _population: PopulationHandle,
}

impl World {
    /// Starts everything in `directory`.
    pub(crate) async fn start(
        directory: &Path,
        files: &Files<'_>,
        health_records: u32,
        output: &Output,
    ) -> anyhow::Result<Self> {
        let steps = Steps::new(output);
        fs::create_dir_all(directory)?;
        steps.next(output.choose("cấp chứng thư mẫu", "making certificates"));
        let pki = directory.join("pki");
        make_pki(directory, &pki)?;
        steps.next(output.choose("sinh dân cư tổng hợp", "making a synthetic population"));
        let database = directory.join("city.db");
        synthetic::generate(&database, SEED, CITIZENS).await?;
        steps.next(output.choose("mở các bên cung cấp", "opening providers and platforms"));
        let tls = TlsFiles {
            certificate_file: pki.join("provider.pem"),
            key_file: pki.join("provider.key"),
            client_trust_anchor_file: pki.join("city.pem"),
        };
        let listen = || Listen::loopback_tls(tls.clone());
        let city = CitySettings { listen: listen(), database: database.clone(), health_records };
        let city = City::start(city).await?;
        let population = PopulationSettings { listen: listen(), database: database.clone() };
        let population = Population::start(population).await?;
        let portal = Portal::start(PortalSettings::new(listen()), clock::system()).await?;
        let centre = centre::start(listen(), directory).await?;
        steps.next(
            output.choose("chép chính sách, mở cổng", "copying policies, opening the gateway"),
        );
        copy(files.policies, &directory.join("policies"))?;
        copy(files.schemas, &directory.join("schemas"))?;
        log_to(&directory.join("gateway.log"))?;
        let sheet = lgsp::prepare(directory)?;
        let file = directory.join("gateway.yaml");
        let addresses = Addresses {
            city: city.addr,
            population: population.addr,
            portal: portal.addr,
            centre: centre.addr,
        };
        fs::write(&file, gateway_configuration(&addresses))?;
        let config = Config::read(&file)?;
        let gateway = Running::start(config, clock::system()).await?;
        let person = synthetic::people(&database, 1).await?.pop().context("nobody to ask about")?;
        let parcel = parcel(&database).await?;
        let identities = identities(directory, &pki)?;
        let client = identities.get(lgsp::CERTIFICATE).context("no such certificate")?;
        let token = lgsp::token(gateway.local_addr(), client, &sheet).await?;
        steps.done();
        Ok(Self {
            person,
            parcel,
            gateway,
            token,
            pki,
            directory: directory.to_owned(),
            identities,
            portal,
            centre,
            city,
            _population: population,
        })
    }

    /// Plays one scene and tells how it ended.
    pub(crate) async fn play(&self, scene: &Scene) -> anyhow::Result<ExchangeResult> {
        if let Some((call, fault)) = scene.fault {
            self.city.faults.set(call, fault);
        }
        let identity = self.identities.get(scene.certificate).context("no such certificate")?;
        let mut reply = Reply::RefusedByTls;
        let mut micros = 0;
        for _ in 0..scene.times {
            let started = tokio::time::Instant::now();
            reply = client::send(self.gateway.local_addr(), Arc::clone(identity), request(scene)?)
                .await
                .with_context(|| format!("scene `{}`", scene.name))?;
            micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        }
        self.city.faults.clear();
        Ok(ExchangeResult::new(scene, &reply, &self.gateway, micros))
    }

    /// Whoever shows this certificate.
    pub(crate) fn identity(&self, certificate: &str) -> anyhow::Result<&Arc<ClientConfig>> {
        self.identities.get(certificate).context("no such certificate")
    }

    /// Lets one extract stream and tells how it ended.
    pub(crate) async fn stream(
        &self,
        scene: &StreamScene,
        output: &Output,
    ) -> anyhow::Result<StreamResult> {
        if let Some((call, fault)) = scene.fault {
            self.city.faults.set(call, fault);
        }
        let identity = self.identities.get(CENTRE.0).context("no such certificate")?;
        let request = scene.request()?;
        let progress = Progress::new(scene, output);
        let address = self.gateway.local_addr();
        let begun = tokio::time::Instant::now();
        let told = |elements, bytes| progress.tell(elements, bytes);
        let streamed = client::stream(address, Arc::clone(identity), request, told)
            .await
            .with_context(|| format!("scene `{}`", scene.name))?;
        let elapsed = begun.elapsed();
        progress.done();
        self.city.faults.clear();
        let id = streamed.headers.get(xroad::REQUEST_ID).and_then(|v| v.to_str().ok());
        let id = id.unwrap_or_default().to_owned();
        let record = self.record(&id).await?;
        Ok(StreamResult::new(scene, &streamed, record, elapsed))
    }

    /// What `lienthong why` says of an exchange, once it has ended in the gateway too.
    async fn record(&self, request_id: &str) -> anyhow::Result<Exchange> {
        let socket = self.directory.join("admin.sock");
        for _ in 0..500 {
            if let Some(exchange) = why::look_up(&socket, request_id).await? {
                return Ok(exchange);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::bail!("the gateway knows nothing of a stream that has ended")
    }

    /// Pushes the dossiers of the city's procedure system to the national portal.
    pub(crate) async fn push(&self) -> anyhow::Result<Vec<AdapterResult>> {
        let file = self.directory.join("adapters.yaml");
        let secret = self.directory.join("portal-password");
        let mut options = fs::OpenOptions::new();
        let mut written =
            options.write(true).create(true).truncate(true).mode(0o600).open(&secret)?;
        std::io::Write::write_all(&mut written, b"sandbox-only")?;
        let seal = self.directory.join("seal.key");
        if !seal.exists() {
            keys::symmetric(keys::Purpose::OutboxSeal, &seal).context("making the seal key")?;
        }
        fs::write(&file, adapters_configuration(self.gateway.local_addr()))?;
        let config = lienthong_adapters::Config::read(&file)?;
        let report = lienthong_adapters::run_until_idle(&config, clock::system()).await?;
        let seen = self.portal.report();
        let leaked = self.portal.accepted().iter().filter(|m| holds(m, STOPPED)).count();
        Ok(report.flows.iter().map(|flow| AdapterResult::new(flow, &seen, leaked)).collect())
    }

    /// Delivers what has come into the city's procedure system since. Gives what the flow had done
    /// before, and what it has done now.
    pub(crate) async fn deliver(&self) -> anyhow::Result<(FlowReport, FlowReport)> {
        let config = lienthong_adapters::Config::read(&self.directory.join("adapters.yaml"))?;
        let first = |report: Report| report.flows.into_iter().next().context("a flow");
        let before = first(lienthong_adapters::status(&config, clock::system()).await?)?;
        let now = lienthong_adapters::run_until_idle(&config, clock::system()).await?;
        Ok((before, first(now)?))
    }

    /// Signs what has been recorded so far, and examines the log with the proof of one exchange.
    pub(crate) async fn examine(&self, request_id: &str) -> anyhow::Result<EvidenceResult> {
        let evidence = Arc::clone(self.gateway.gateway().evidence());
        let request_id = request_id.to_owned();
        let examined = tokio::task::spawn_blocking(move || {
            evidence.checkpoint()?;
            let key = evidence.verifier().map_err(anyhow::Error::msg)?;
            let log = evidence.directory();
            fs::write(log.with_file_name("evidence.vkey"), format!("{key}\n"))?;
            examine(log, &key, &request_id)
        });
        examined.await?
    }

    /// Ends everything.
    pub(crate) async fn end(self) {
        self.gateway.drain().await;
    }
}

fn make_pki(directory: &Path, pki: &Path) -> anyhow::Result<()> {
    let now = clock::system().now();
    let mut clients = PARTICIPANTS.to_vec();
    clients.extend([GATEWAY_CLIENT, STRANGER, consent::DESK]);
    let names = pki::Names { clients: &clients, signers: SIGNERS, openers: OPENERS };
    pki::write_example(pki, now, &names).context("making certificates")?;
    let unknown = pki::Names::clients(&[UNKNOWN_AUTHORITY]);
    pki::write_example(&directory.join("pki-unknown"), now, &unknown)?;
    let key = directory.join("pseudonym.key");
    keys::symmetric(keys::Purpose::Pseudonym, &key).context("making a key")?;
    make_consent_keys(directory).context("making the keys of consents")?;
    let keys = (directory.join("evidence.key"), directory.join("digest-keys"));
    let keys = (keys.0.as_path(), keys.1.as_path());
    evidence::create_keys(keys, "demo.example", now)
        .map_err(anyhow::Error::msg)
        .context("making the keys of evidence")
}

fn make_consent_keys(directory: &Path) -> anyhow::Result<()> {
    keys::symmetric(keys::Purpose::ConsentSubject, &directory.join("consent-subject.key"))?;
    keys::symmetric(keys::Purpose::ConsentSeal, &directory.join("consent-seal.key"))?;
    keys::receipt(&directory.join("receipt.key"))?;
    Ok(())
}

fn identities(directory: &Path, pki: &Path) -> anyhow::Result<BTreeMap<String, Arc<ClientConfig>>> {
    let anchor = pki.join("city.pem");
    let mut identities = BTreeMap::new();
    for name in PARTICIPANTS.iter().chain(&[STRANGER, consent::DESK]) {
        let (certificate, key) = (pki.join(format!("{name}.pem")), pki.join(format!("{name}.key")));
        identities.insert((*name).to_owned(), client::identity(&anchor, &certificate, &key)?);
    }
    let other = directory.join("pki-unknown");
    let certificate = other.join(format!("{UNKNOWN_AUTHORITY}.pem"));
    let key = other.join(format!("{UNKNOWN_AUTHORITY}.key"));
    let identity = client::identity(&anchor, &certificate, &key)?;
    identities.insert(UNKNOWN_AUTHORITY.to_owned(), identity);
    Ok(identities)
}

async fn parcel(database: &Path) -> anyhow::Result<Parcel> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database).read_only(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let row: (String, String, i64, i64) =
        sqlx::query_as("SELECT geohash, ward, sheet, parcel FROM parcels ORDER BY geohash LIMIT 1")
            .fetch_one(&mut connection)
            .await?;
    connection.close().await?;
    Ok(Parcel { geohash: row.0, ward: row.1, sheet: row.2, number: row.3 })
}

fn request(scene: &Scene) -> anyhow::Result<Request<Full<Bytes>>> {
    let mut builder = Request::builder()
        .method(scene.method)
        .uri(&scene.target)
        .header("host", "localhost")
        .header("accept", "application/json");
    builder = match &scene.bearer {
        Some(token) => builder.header("authorization", format!("Bearer {}", token.expose())),
        None => builder.header("x-road-client", scene.client),
    };
    for (name, value) in &scene.headers {
        builder = builder.header(*name, *value);
    }
    let body = scene.body.clone().unwrap_or_default();
    Ok(builder.body(Full::new(Bytes::from(body)))?)
}

/// Copies a directory of policies or schemas, so that edits in the demo touch nothing else.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(from).with_context(|| {
        format!("`{}` is not here; run from the repository or name it", from.display())
    })?;
    fs::create_dir_all(to)?;
    for entry in entries {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Whether a field of this name stands anywhere in a message.
fn holds(message: &serde_json::Value, field: &str) -> bool {
    match message {
        serde_json::Value::Object(map) => {
            map.contains_key(field) || map.values().any(|value| holds(value, field))
        }
        serde_json::Value::Array(items) => items.iter().any(|value| holds(value, field)),
        _ => false,
    }
}

/// The gateway's log goes to a file, so that the terminal stays readable.
fn log_to(file: &Path) -> anyhow::Result<()> {
    let file = fs::File::create(file)?;
    log::begin(LogFormat::Json, file.try_clone()?)?;
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(Mutex::new(file))
        .with_env_filter(tracing_subscriber::EnvFilter::new("info"))
        .try_init()
        .ok();
    Ok(())
}

/// Where those listen to whom the gateway forwards.
struct Addresses {
    city: SocketAddr,
    population: SocketAddr,
    portal: SocketAddr,
    centre: SocketAddr,
}

fn gateway_configuration(addresses: &Addresses) -> String {
    let providers = providers(addresses);
    format!(
        "listen:
  address: 127.0.0.1:0
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors:
    - {{id: city, certificate_file: pki/city.pem, crl_files: [pki/city.crl.pem], revocation: required}}
policies:
  directory: policies
  schemas: schemas
  watch_seconds: 1
providers:
{providers}{lgsp}pseudonyms:
  key_file: pseudonym.key
  period: \"2026\"
admin:
  socket: admin.sock
  address: 127.0.0.1:0
consent:
  subject_key_file: consent-subject.key
  seal_key_file: consent-seal.key
  receipt_key_file: receipt.key
  address: 127.0.0.1:0
data:
  directory: gateway-data
evidence:
  node: demo
  key_file: evidence.key
  digest_keys: digest-keys
  directory: evidence
  second_place: evidence-copy/checkpoint
",
        lgsp = lgsp::SETTINGS,
    )
}

/// Where the gateway finds each service.
fn providers(addresses: &Addresses) -> String {
    let Addresses { city, population, portal, centre } = addresses;
    let provider = |service: &str, port: u16| {
        format!(
            "  {service}:
    url: https://localhost:{port}
    trust_anchor_file: pki/city.pem
    client_certificate_file: pki/{GATEWAY_CLIENT}.pem
    client_key_file: pki/{GATEWAY_CLIENT}.key
"
        )
    };
    [
        provider("civil-status", city.port()),
        provider("health-book", city.port()),
        provider("land-registration", city.port()),
        provider("population-verification", population.port()),
        provider("portal-case-sync", portal.port()),
        provider("portal-catalogues", portal.port()),
        provider("portal-files", portal.port()),
        provider("portal-questions", portal.port()),
        // The stand-in of the portal takes what goes to the other systems as well.
        provider("civil-status-registrations", portal.port()),
        provider("agent-node", centre.port()),
        provider("land-changes", portal.port()),
        provider("ministry-portal-2026", portal.port()),
        provider("reports-1022", portal.port()),
        provider("reports-1022-desk", portal.port()),
    ]
    .concat()
}

/// The shipped example of a flow, pointed at this demo's gateway and files.
fn adapters_configuration(gateway: SocketAddr) -> String {
    include_str!("../../adapters/examples/ward-cases.yaml")
        .replace("https://127.0.0.1:7443", &format!("https://localhost:{}", gateway.port()))
        .replace("../../schemas/", "schemas/")
        // Whoever watches does not wait a minute for a portal that takes a moment.
        .replace("first_wait_ms: 1000", "look_up_after_seconds: 1, first_wait_ms: 1000")
}

/// One step a line where nobody watches, one bar where somebody does.
struct Steps {
    bar: Option<ProgressBar>,
    output: Output,
}

impl Steps {
    fn new(output: &Output) -> Self {
        let bar = output.is_terminal().then(|| {
            let bar = ProgressBar::new(4);
            if let Ok(style) = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg} {elapsed}")
            {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        Self { bar, output: *output }
    }

    fn next(&self, text: &str) {
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                bar.set_message(text.to_owned());
            }
            None => self.output.line(format!("... {text}")),
        }
    }

    fn done(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
