//! The three programs and their files, with a city database in SQLite.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Instant};

use lienthong_gateway::evidence::signer;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;
use tokio::process::Command;

use crate::rest::{
    bus::{
        LOOK, STALL, portal,
        supervisor::{EXITS, Program},
        world::{changed, free_ports, gateway, prepare, write},
    },
    program,
};

/// The indicator and first day, as the Agent Node knows them.
pub(super) const OCTOBER: &str = "dossiers/2026-10-01";

const INDICATOR: &str = "
id: dossiers
name: {vi: Hồ sơ, en: Dossiers}
group: test
steward: Office of tests
legal_basis: [a document]
period: month
due_days: 10
revise_for_days: 3000
unit: {vi: hồ sơ, en: dossiers}
kind: count
source: city
sql: SELECT sex, n AS value FROM figures WHERE '2' < :to
columns: {value: value}
dimensions:
  - name: sex
    categories:
      - {code: '1', vi: Nam, en: Male}
      - {code: '2', vi: Nữ, en: Female}
      - {code: '3', vi: Khác, en: Other}
rules: {threshold: 5}
";

const FIGURES: &str = "CREATE TABLE figures (sex TEXT, n INTEGER);
    INSERT INTO figures VALUES ('1', 40), ('2', 3), ('3', 50)";

const PACKAGES: &str = r#"
data_dir: state-packages
own: H29.20
signing: {certificate_file: pki/h29-signature.pem, key_file: pki/h29-signature.key}
trust: {trust_anchor_file: pki/city.pem, revocation: unchecked}
participants:
  H26: {certificate_file: pki/recipient.pem}
datasets:
  - id: cases
    title: Digitised cases
    agreement: ndc-packages
    legal_basis: Law 91/2025/QH15, Article 17
    purpose: national_database
    classes: [basic]
    schema: package.json
    key: code
    wards: none
    send:
      to: [H26]
      announcements: announcements
      source: {csv: {folder: export, key: code}}
      map: {code: {column: code}}
"#;

const PACKAGE: &str = r#"{"type": "object", "additionalProperties": false, "required": ["code"],
    "properties": {"code": {"type": "string", "maxLength": 40}}}"#;

/// Everything that runs.
pub(super) struct World {
    folder: TempDir,
    programs: Option<[Program; 3]>,
    exchange: u16,
    report: std::net::SocketAddr,
}

/// The number under a name.
pub(super) fn number(told: &Value, name: &str) -> u64 {
    told[name].as_u64().unwrap_or_else(|| panic!("`{name}` is no number in {told:#}"))
}

/// Changes a file.
pub(super) fn edit(folder: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(folder.join(file)).expect("a text");
    write(folder, file, &changed(&text, &[(from, to)]));
}

impl World {
    /// Makes all files and starts everything: the Agent Node with these faults, the adapters with these
    /// changes of their configuration, after the gateway's files were changed.
    pub(super) async fn start(
        faults: &str,
        adapters: &[(&str, &str)],
        change: impl FnOnce(&Path),
    ) -> Self {
        let folder = TempDir::with_prefix("lienthong-centre-").expect("a folder");
        let path = folder.path();
        let [exchange, node, report] = free_ports();
        prepare(path);
        certificates(path);
        for name in ["indicators", "announcements", "export"] {
            fs::create_dir(path.join(name)).expect("made");
        }
        write(path, "indicators/dossiers.yaml", INDICATOR);
        write(path, "export/all.csv", "code\nBD-1\nBD-2\n");
        write(path, "package.json", PACKAGE);
        write(path, "packages.yaml", PACKAGES);
        let openapi = path.join("schemas/services/v1/agent-node.yaml");
        fs::copy(openapi, path.join("agent-node.yaml")).expect("copied");
        change(path);
        write(path, "gateway.yaml", &gateway(path, exchange, node));
        write(path, "sandbox.yaml", &sandbox(node, report, faults));
        let report = ([127, 0, 0, 1], report).into();
        let mut world = Self { folder, programs: None, exchange, report };
        world.configure(adapters);
        let start = |name| Program::start(world.folder.path(), name, EXITS);
        let sandbox = start("sandbox");
        // The city is there before anybody reads it.
        world.report().await;
        world.execute(FIGURES).await;
        world.programs = Some([sandbox, start("gateway"), start("adapters")]);
        world
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn configure(&self, changes: &[(&str, &str)]) {
        let text = changed(&adapters(self.exchange), changes);
        write(self.folder(), "adapters.yaml", &text);
    }

    /// Starts the adapters again, with these changes of what they were at first.
    pub(super) async fn reconfigure(&self, changes: &[(&str, &str)]) {
        self.configure(changes);
        let [_, _, adapters] = self.programs.as_ref().expect("they run");
        adapters.kill().await;
    }

    /// Ends the gateway in order, so that what it counted is in its log, and starts it again.
    pub(super) async fn restart_gateway(&mut self) {
        let [sandbox, gateway, adapters] = self.programs.take().expect("they run");
        assert_eq!(gateway.end().await.code, Some(0));
        let gateway = Program::start(self.folder.path(), "gateway", EXITS);
        self.programs = Some([sandbox, gateway, adapters]);
    }

    /// Runs the program; it must succeed, once those that it asks are there.
    pub(super) fn run(&self, arguments: &[&str]) -> String {
        let arguments = [arguments, &["--config", "adapters.yaml"]].concat();
        let begun = Instant::now();
        loop {
            let (code, told, error) = program::run(self.folder(), &arguments);
            if code == 0 {
                return told;
            }
            assert!(begun.elapsed() < STALL, "{arguments:?}: {told}{error}\n{}", self.logs());
        }
    }

    /// Runs the program, whose answer must be no.
    pub(super) fn refused(&self, arguments: &[&str]) -> String {
        let arguments = [arguments, &["--config", "adapters.yaml"]].concat();
        let (code, told, error) = program::run(self.folder(), &arguments);
        assert_eq!(code, 1, "{told}{error}");
        format!("{told}{error}")
    }

    /// Makes a package, and gives its id.
    pub(super) fn package(&self) -> String {
        let arguments = ["adapters", "package", "create", "--dataset", "cases", "--json"];
        let files =
            ["--out", "cases.tar", "--config", "packages.yaml", "--gateway", "gateway.yaml"];
        let (code, told, error) = program::run(self.folder(), &[&arguments[..], &files].concat());
        assert_eq!(code, 0, "{told}{error}");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        told["package"].as_str().expect("an id").to_owned()
    }

    /// The receipts of a flow.
    pub(super) fn proofs(&self, flow: &str) -> Vec<Value> {
        let told = self.run(&["adapters", "receipts", flow, "--json", "--limit", "10000"]);
        serde_json::from_str(&told).expect("a list")
    }

    async fn city(&self) -> SqliteConnection {
        let url = format!("sqlite://{}", self.folder().join("city.db").display());
        SqliteConnection::connect(&url).await.expect("connected")
    }

    pub(super) async fn execute(&self, text: &str) {
        let mut city = self.city().await;
        city.execute(AssertSqlSafe(text)).await.expect("done");
        city.close().await.expect("closed");
    }

    /// How many rows a table of the city has.
    pub(super) async fn rows(&self, table: &str) -> u64 {
        let mut city = self.city().await;
        let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        let count: i64 = count.fetch_one(&mut city).await.expect("a count");
        city.close().await.expect("closed");
        count.unsigned_abs()
    }

    /// Name and number of somebody who is registered.
    pub(super) async fn person(&self) -> [String; 2] {
        let mut city = self.city().await;
        let found =
            "SELECT person_name, person_number FROM civil_status_outbox ORDER BY id LIMIT 1";
        let (name, number) = sqlx::query_as(found).fetch_one(&mut city).await.expect("a person");
        city.close().await.expect("closed");
        [name, number]
    }

    /// What the Agent Node has seen, as soon as it is there.
    pub(super) async fn report(&self) -> Value {
        self.until("the Agent Node", |_| true).await
    }

    /// What the Agent Node has seen, as soon as it has seen this.
    pub(super) async fn until(&self, what: &str, seen: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let told = portal::report(self.report).await;
            if let Some(told) = told.as_ref().filter(|told| seen(told)) {
                return told.clone();
            }
            let late = begun.elapsed() >= STALL;
            assert!(!late, "{what} does not come: {told:?}\n{}", self.logs());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// What `adapters status` says of a flow, as soon as it is so.
    pub(super) async fn flow_until(&self, flow: &str, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let told = self.flow(flow).await;
            if let Some(told) = told.as_ref().filter(|told| is(told)) {
                return told.clone();
            }
            let late = begun.elapsed() >= STALL;
            assert!(!late, "`{flow}` does not get there: {told:?}\n{}", self.logs());
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A flow when so many rows were read, and nothing is left that could be sent.
    pub(super) async fn settled(&self, flow: &str, rows: u64) -> Value {
        self.flow_until(flow, |flow| {
            let read = number(flow, "enqueued") + number(flow, "quarantined");
            read + number(flow, "duplicates") >= rows && flow["waiting"] == flow["held"]
        })
        .await
    }

    /// A flow; none while nobody can tell.
    async fn flow(&self, flow: &str) -> Option<Value> {
        let output = Command::new(env!("CARGO_BIN_EXE_lienthong"))
            .args(["adapters", "status", "--config", "adapters.yaml", "--json"])
            .current_dir(self.folder())
            .kill_on_drop(true)
            .output()
            .await
            .expect("the program runs");
        let told: Value = serde_json::from_slice(&output.stdout).ok()?;
        let flows = told["flows"].as_array()?;
        flows.iter().find(|told| told["name"] == flow).cloned()
    }

    /// Ends everything in order, the sender first.
    pub(super) async fn end(&mut self) {
        let [sandbox, gateway, adapters] = self.programs.take().expect("they run");
        for program in [adapters, gateway, sandbox] {
            assert_eq!(program.end().await.code, Some(0));
        }
    }

    /// The evidence log is what was signed, and every exchange in it has its end.
    pub(super) fn verify_evidence(&self) {
        let signer = signer(&self.folder().join("pki/evidence.key")).expect("a key");
        write(self.folder(), "evidence.vkey", &format!("{}\n", signer.verifier()));
        let arguments = ["evidence", "verify", "evidence", "--key", "evidence.vkey", "--json"];
        let (code, told, error) = program::run(self.folder(), &arguments);
        assert_eq!(code, 0, "{told}{error}");
        let told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!((&told["verified"], &told["open_count"]), (&true.into(), &0.into()), "{told}");
    }

    /// What the evidence has of such exchanges.
    pub(super) fn found(&self, wanted: &[&str]) -> Vec<Value> {
        let search = ["evidence", "search", "evidence", "--copy", "--key", "evidence.vkey"];
        let search = [&search[..], &["--json", "--limit", "100000"], wanted].concat();
        let (code, told, error) = program::run(self.folder(), &search);
        assert!(code <= 1, "{told}{error}");
        let mut told: Value = serde_json::from_str(&told).expect("JSON");
        assert_eq!(told["more"], false);
        serde_json::from_value(told["found"].take()).expect("a list")
    }

    pub(super) fn assert_the_logs_are_without(&self, words: &[String]) {
        let logs = self.logs();
        let words = words.iter().map(String::as_str).chain(["panicked"]);
        words.for_each(|word| assert!(!logs.contains(word), "a log holds `{word}`"));
    }

    fn logs(&self) -> String {
        let name = |name: &str| self.folder().join(format!("{name}.log"));
        let logs = ["sandbox", "gateway", "adapters"];
        logs.map(|log| fs::read_to_string(name(log)).unwrap_or_default()).join("---\n")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.programs.take().into_iter().flatten().for_each(Program::abandon);
    }
}

/// Certificates for signatures and for who opens packages, issued by the example authority.
fn certificates(folder: &Path) {
    let issue = |name: &str, usage: &str| {
        let pki = folder.join("pki");
        let arguments = format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -CA city.pem \
             -CAkey city.key -keyout {name}.key -out {name}.pem -subj /CN={name} \
             -addext keyUsage=critical,{usage} -addext basicConstraints=CA:FALSE"
        );
        let mut openssl = std::process::Command::new("openssl");
        let openssl = openssl.args(arguments.split_whitespace()).current_dir(&pki);
        let done = openssl.output().expect("openssl runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let key = pki.join(format!("{name}.key"));
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("private");
    };
    for name in ["h29-signature", "other-signature", "agent-node-signature"] {
        issue(name, "digitalSignature");
    }
    issue("recipient", "keyAgreement");
}

fn sandbox(node: u16, report: u16, faults: &str) -> String {
    format!(
        "database: {{file: city.db, citizens: 200}}
agent_node:
  listen: 127.0.0.1:{node}
  tls:
    certificate_file: pki/provider.pem
    key_file: pki/provider.key
    client_trust_anchor_file: pki/city.pem
  report: 127.0.0.1:{report}
  signature: jws
  certificate_file: pki/agent-node-signature.pem
  key_file: pki/agent-node-signature.key
  sender_trust_anchor_file: pki/city.pem
  senders: {{H29: pki/h29-signature.pem}}
  agreements:
    - {{number: NDC-H29-01, sender: H29, receiver: G01.NDC, dataset: HOTICH, mode: sync_national}}
    - {{number: NDC-H29-02, sender: H29, receiver: G13, dataset: DATDAI, mode: sync_peer}}
    - {{number: NDC-H29-04, sender: H29, receiver: G01.NDC, dataset: GOI, mode: package}}
    - {{number: NDC-H29-05, sender: H29, receiver: G01.NDC, dataset: CHISO, mode: sync_national}}
  datasets:
    HOTICH: {{required: [SoDangKy], citizen_numbers: [SoDinhDanh], wards: [NoiDangKy]}}
    CHISO: {{required: [MaChiSo], releases: [NoiDung]}}
  {faults}
"
    )
}

/// The shipped example, with quick repeats.
fn adapters(exchange: u16) -> String {
    let example = include_str!("../../../adapters/examples/national-data-centre.yaml");
    let quick = "look_up_after_seconds: 1, first_wait_ms: 50, longest_wait_seconds: 1";
    let delivery = format!("    delivery: {{{quick}}}\n    messages:\n");
    let slow = "    delivery: {attempts: 1000, longest_wait_seconds: 3600}\n";
    let text = changed(
        example,
        &[
            ("https://127.0.0.1:7443", &format!("https://localhost:{exchange}")),
            ("../../schemas/services/v1/agent-node.yaml", "agent-node.yaml"),
            (slow, ""),
            ("poll_seconds: 30", "poll_seconds: 1"),
        ],
    );
    text.replace("    messages:\n", &delivery)
}
