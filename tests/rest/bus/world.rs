//! The four processes and their files: gateway, sandbox, adapters, and a PostgreSQL server that holds
//! both the city's outbox table and the adapters' own state.

use std::{
    fmt::Write as _,
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
};

use lienthong_gateway::evidence::signer;
use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::{process::Command, task::JoinHandle};

use super::{
    cases::Plan,
    supervisor::{EXITS, Ended, Program},
};
use crate::rest::{
    program,
    store::postgres::{PASSWORD, Server},
};

/// What may be killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Adapters,
    Gateway,
    Sandbox,
    Database,
}

impl Target {
    pub(super) const ALL: [Self; 4] =
        [Self::Adapters, Self::Gateway, Self::Sandbox, Self::Database];
}

/// How the lives of the programs went.
#[derive(Debug)]
pub(super) struct Lives {
    pub(super) adapters: Ended,
    pub(super) gateway: Ended,
    pub(super) sandbox: Ended,
}

/// Everything that runs.
pub(super) struct World {
    folder: TempDir,
    server: Arc<Server>,
    /// The server on its way back, after a kill.
    back: Option<JoinHandle<()>>,
    programs: Option<[Program; 3]>,
    /// The city's database.
    pub(super) city: PgConnectOptions,
    /// Where the portal tells what it has seen.
    pub(super) report: SocketAddr,
}

/// The columns of the city's outbox table, texts but for the status.
const TABLE: &str = "CREATE TABLE case_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text NOT NULL UNIQUE,
    kind text NOT NULL, case_code text NOT NULL, officer text NOT NULL, happened_at text NOT NULL,
    status int NOT NULL, procedure_code text, procedure_name text, field_code text,
    field_name text, receipt text, applicant_name text, applicant_kind text, applicant_number text,
    other_info text, email text, phone text, summary text, received_at text, due_at text,
    finished_at text, returned_at text, by_post text, unit text, documents text, fees text,
    officer_name text, officer_title text, department text, step text, taken_at timestamptz);
    CREATE INDEX waiting ON case_outbox (id) WHERE taken_at IS NULL";

impl World {
    /// Makes all files, starts everything.
    pub(super) async fn start(plan: &Plan) -> Self {
        Self::with(plan, |_| ()).await
    }

    /// The same, after the gateway's files were changed.
    pub(super) async fn with(plan: &Plan, change: impl FnOnce(&Path)) -> Self {
        let folder = TempDir::with_prefix("lienthong-bus-").expect("a folder");
        let server = Arc::new(Server::start());
        let (city, state) = (server.database(), server.database());
        let options: PgConnectOptions = server.url(&city).parse().expect("an address");
        let options = options.password(PASSWORD);
        let mut connection = PgConnection::connect_with(&options).await.expect("connected");
        connection.execute(TABLE).await.expect("a table");
        connection.close().await.expect("closed");

        let [exchange, portal, report] = free_ports();
        prepare(folder.path());
        change(folder.path());
        write(folder.path(), "gateway.yaml", &gateway(folder.path(), exchange, portal));
        write(folder.path(), "sandbox.yaml", &sandbox(portal, report));
        let (city, state) = (server.url(&city), server.url(&state));
        write(folder.path(), "adapters.yaml", &adapters(exchange, &city, &state, plan));
        let most = EXITS * 100;
        let start = |name| Program::start(folder.path(), name, most);
        let programs = Some(["sandbox", "gateway", "adapters"].map(start));
        let report = SocketAddr::from(([127, 0, 0, 1], report));
        Self { folder, server, back: None, programs, city: options, report }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the program beside the adapters, which it asks; it must succeed.
    pub(super) fn run(&self, arguments: &[&str]) {
        let arguments = [arguments, &["--config", "adapters.yaml"]].concat();
        let (code, told, error) = program::run(self.folder.path(), &arguments);
        assert_eq!(code, 0, "{told}{error}");
    }

    /// Kills one with SIGKILL; returns when it is dead. It comes back by itself.
    pub(super) async fn kill(&mut self, target: Target) {
        let [sandbox, gateway, adapters] = self.programs.as_ref().expect("they run");
        match target {
            Target::Adapters => adapters.kill().await,
            Target::Gateway => gateway.kill().await,
            Target::Sandbox => sandbox.kill().await,
            Target::Database => self.kill_database().await,
        }
    }

    async fn kill_database(&mut self) {
        if let Some(back) = self.back.take() {
            back.await.expect("the database comes back");
        }
        let server = Arc::clone(&self.server);
        tokio::task::spawn_blocking(move || server.kill()).await.expect("it is killed");
        let server = Arc::clone(&self.server);
        self.back = Some(tokio::task::spawn_blocking(move || server.restart()));
    }

    /// What `adapters status` says; none while it cannot tell.
    pub(super) async fn status(&self) -> Option<Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_lienthong"))
            .args(["adapters", "status", "--config", "adapters.yaml", "--json"])
            .current_dir(self.folder.path())
            .kill_on_drop(true)
            .output()
            .await
            .expect("the program runs");
        output.status.success().then(|| serde_json::from_slice(&output.stdout).expect("JSON"))
    }

    /// Rows of the city that were not marked as taken.
    pub(super) async fn rows_not_taken(&self) -> i64 {
        let mut connection = PgConnection::connect_with(&self.city).await.expect("connected");
        let count = "SELECT count(*) FROM case_outbox WHERE taken_at IS NULL";
        sqlx::query_scalar(count).fetch_one(&mut connection).await.expect("a count")
    }

    /// Ends everything in order, the sender first.
    pub(super) async fn end(&mut self) -> Lives {
        let [sandbox, gateway, adapters] = self.programs.take().expect("they run");
        let adapters = adapters.end().await;
        Lives { adapters, gateway: gateway.end().await, sandbox: sandbox.end().await }
    }

    /// The evidence log is what was signed, after all the kills.
    pub(super) fn verify_evidence(&self) {
        let folder = self.folder.path();
        let signer = signer(&folder.join("pki/evidence.key")).expect("a key");
        write(folder, "evidence.vkey", &format!("{}\n", signer.verifier()));
        let arguments = ["evidence", "verify", "evidence", "--key", "evidence.vkey", "--json"];
        let (code, told, error) = program::run(folder, &arguments);
        assert_eq!(code, 0, "{told}{error}");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!((&told["verified"], &told["open_count"]), (&true.into(), &0.into()), "{told}");
        assert!(told["intents"].as_u64() > Some(0), "{told}");
    }

    /// No program panicked, and none wrote a value of a row or the password.
    pub(super) fn assert_the_logs_tell_nothing(&self) {
        for name in ["sandbox", "gateway", "adapters"] {
            let log = fs::read_to_string(self.folder.path().join(format!("{name}.log")));
            let log = log.expect("a log");
            for word in ["panicked", "Canary", "0599000001", "sandbox-only", PASSWORD] {
                assert!(!log.contains(word), "the log of `{name}` holds `{word}`");
            }
        }
    }

    /// The last lines of every log.
    pub(super) fn logs(&self) -> String {
        let mut all = String::new();
        for name in ["sandbox", "gateway", "adapters"] {
            let log = fs::read_to_string(self.folder.path().join(format!("{name}.log")));
            let log = log.unwrap_or_default();
            let lines: Vec<&str> = log.lines().rev().take(30).collect();
            writeln!(all, "--- {name}").expect("memory");
            lines.iter().rev().for_each(|line| writeln!(all, "{line}").expect("memory"));
        }
        all
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        // Before their folder goes.
        self.programs.take().into_iter().flatten().for_each(Program::abandon);
    }
}

/// Ports that no other test is given by chance: below those that the system gives away.
pub(in crate::rest) fn free_ports<const N: usize>() -> [u16; N] {
    let first = 10_000 + u16::try_from(std::process::id() % 7_000).expect("a port") * 3;
    let mut held = Vec::new();
    let listeners = (first..32_000).chain(10_000..first);
    let mut listeners = listeners.filter_map(|port| TcpListener::bind(("127.0.0.1", port)).ok());
    [(); N].map(|()| {
        let listener = listeners.next().expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        held.push(listener);
        port
    })
}

pub(in crate::rest) fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("written");
}

fn secret(folder: &Path, name: &str, text: &str) {
    write(folder, name, text);
    fs::set_permissions(folder.join(name), PermissionsExt::from_mode(0o600)).expect("private");
}

/// Certificates, keys, policies, schemas.
pub(in crate::rest) fn prepare(folder: &Path) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["policies", "schemas"] {
        copy(&repository.join(name), &folder.join(name));
    }
    // The adapters have their own.
    let openapi = "schemas/services/v1/portal-case-sync.yaml";
    fs::copy(folder.join(openapi), folder.join("portal.yaml")).expect("copied");
    let agreement = folder.join("policies/agreements/case-sync-to-portal.yaml");
    let text = fs::read_to_string(&agreement).expect("an agreement");
    let text = changed(
        &text,
        &[(
            "limits: {burst: 200, per_second: 100, in_flight: 32}",
            "limits: {burst: 20000, per_second: 20000, in_flight: 64}",
        )],
    );
    fs::write(agreement, text).expect("written");
    let made = |arguments: &[&str]| {
        let (code, told, error) = program::run(folder, arguments);
        assert_eq!(code, 0, "{told}{error}");
    };
    made(&["pki", "example", "pki"]);
    for (purpose, file) in [
        ("consent-subject", "consent-subject.key"),
        ("consent-seal", "consent-seal.key"),
        ("consent-receipt", "receipt.key"),
        ("outbox-seal", "seal.key"),
    ] {
        made(&["keys", "new", purpose, "--out", file]);
    }
    secret(folder, "portal-password", "sandbox-only\n");
    secret(folder, "database-password", PASSWORD);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("copied");
        }
    }
}

pub(in crate::rest) fn changed(text: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "there is no `{from}`");
        text.replace(from, to)
    })
}

/// All services, each of which the sandbox stands for.
pub(in crate::rest) fn gateway(folder: &Path, exchange: u16, portal: u16) -> String {
    let provider = |service: &str| {
        format!(
            "  {service}:
    url: https://localhost:{portal}
    trust_anchor_file: pki/city.pem
    client_certificate_file: pki/gateway-client.pem
    client_key_file: pki/gateway-client.key
"
        )
    };
    let services = fs::read_dir(folder.join("policies/services")).expect("services");
    let services = services.map(|file| file.expect("an entry").path());
    let services = services.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()));
    let providers: String = services.map(|service| provider(&service)).collect();
    format!(
        "listen:
  address: 127.0.0.1:{exchange}
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors:
    - {{id: city, certificate_file: pki/city.pem, crl_files: [pki/city.crl.pem], revocation: required}}
policies:
  directory: policies
  schemas: schemas
providers:
{providers}pseudonyms:
  key_file: pki/pseudonym.key
  period: \"2026\"
admin:
  socket: admin.sock
consent:
  subject_key_file: consent-subject.key
  seal_key_file: consent-seal.key
  receipt_key_file: receipt.key
  address: 127.0.0.1:0
data:
  directory: gateway-data
evidence:
  node: node-1
  key_file: pki/evidence.key
  digest_keys: pki/digest
  directory: evidence
"
    )
}

fn sandbox(portal: u16, report: u16) -> String {
    format!(
        "database: {{file: people.db, citizens: 100}}
portal:
  listen: 127.0.0.1:{portal}
  tls:
    certificate_file: pki/provider.pem
    key_file: pki/provider.key
    client_trust_anchor_file: pki/city.pem
  report: 127.0.0.1:{report}
  state_dir: portal-state
  keep_bodies: 100
  random_faults: {{seed: 3, per_mille: 5, kinds: [reset_after_accept, unavailable, html_with_200]}}
"
    )
}

/// The shipped example of a flow, with rows and state in PostgreSQL.
fn adapters(exchange: u16, city: &str, state: &str, plan: &Plan) -> String {
    let example = include_str!("../../../adapters/examples/ward-cases.yaml");
    let address = format!("https://localhost:{exchange}");
    let place = format!(
        "data_dir: state\ndatabase: '{state}'\ndatabase_password_file: database-password\n"
    );
    let source = format!(
        "      postgres:
        database: '{city}'
        password_file: database-password
        table: case_outbox
        mode: outbox
        taken_at: taken_at
"
    );
    let many = plan.len() >= super::LARGE;
    let (workers, batch) =
        if many { ("workers: 32", "batch: 2000") } else { ("workers: 8", "batch: 200") };
    changed(
        example,
        &[
            ("data_dir: state\n", &place),
            ("https://127.0.0.1:7443", &address),
            ("../../schemas/services/v1/portal-case-sync.yaml", "portal.yaml"),
            (
                "      sqlite:
        file: city.db
        table: case_outbox
        mode: watermark
",
                &source,
            ),
            ("batch: 200", batch),
            ("poll_seconds: 2", "poll_seconds: 1"),
            ("workers: 4", workers),
            ("first_wait_ms: 1000", "look_up_after_seconds: 1, first_wait_ms: 50"),
            ("longest_wait_seconds: 600", "longest_wait_seconds: 1"),
        ],
    )
}
