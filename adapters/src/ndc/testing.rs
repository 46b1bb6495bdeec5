//! A city and an Agent Node between which flows run, for tests. The Agent Node stands where the gateway
//! would.

use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use lienthong_model::{clock::Clock, exchange_mode::ExchangeMode};
use lienthong_sandbox::{
    AgentNode, Listen,
    agent_node::{AgentNodeHandle, AgentNodeSettings, AgreementSettings, DatasetSettings},
    synthetic,
};
use lienthong_signature::detached::Kind;
use lienthong_store::Store;
use rand::{SeedableRng as _, rngs::StdRng};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    Config, FlowReport,
    flow::Until,
    indicator::{CASES, Indicators, Outcome},
    run::drive,
    testing::Ticking,
};

const EXAMPLE: &str = include_str!("../../examples/national-data-centre.yaml");
const OPENAPI: &str = include_str!("../../../schemas/services/v1/agent-node.yaml");

/// Makes an authority and certificates that it has issued for signing, in files of a folder.
fn certificates(folder: &Path, names: &[&str]) {
    std::fs::create_dir_all(folder).unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.distinguished_name.push(DnType::CommonName, "Test signing authority");
    let anchor = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("city.pem"), anchor.pem()).unwrap();
    let issuer = Issuer::new(params, key);
    for name in names {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, *name);
        let certificate = params.signed_by(&key, &issuer).unwrap();
        std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
        let file = folder.join(format!("{name}.key"));
        std::fs::write(&file, key.serialize_pem()).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    }
}

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) node: AgentNodeHandle,
    pub(crate) clock: Arc<Ticking>,
    text: String,
}

/// What may be exchanged with the Agent Node of the tests.
fn agreements() -> Vec<AgreementSettings> {
    let agreement = |number: &str, receiver: &str, dataset: &str, mode| AgreementSettings {
        number: number.to_owned(),
        sender: "H29".to_owned(),
        receiver: receiver.to_owned(),
        dataset: dataset.to_owned(),
        mode,
    };
    vec![
        agreement("NDC-H29-01", "G01.NDC", "HOTICH", ExchangeMode::SyncNational),
        agreement("NDC-H29-02", "G13", "DATDAI", ExchangeMode::SyncPeer),
        agreement("NDC-H29-03", "H26", "HOTICH", ExchangeMode::QueryPeer),
        agreement("NDC-H29-04", "G01.NDC", "GOI", ExchangeMode::Package),
        agreement("NDC-H29-05", "G01.NDC", "CHISO", ExchangeMode::SyncNational),
    ]
}

/// What the Agent Node of the tests asks of records.
fn datasets() -> BTreeMap<String, DatasetSettings> {
    let members = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let registrations = DatasetSettings {
        required: members(&["SoDangKy"]),
        citizen_numbers: members(&["SoDinhDanh"]),
        wards: members(&["NoiDangKy"]),
        least_percent: 98,
        at_least: 100,
        ..DatasetSettings::default()
    };
    let figures = DatasetSettings {
        required: members(&["MaChiSo"]),
        releases: members(&["NoiDung"]),
        at_least: 100,
        ..DatasetSettings::default()
    };
    BTreeMap::from([("HOTICH".to_owned(), registrations), ("CHISO".to_owned(), figures)])
}

/// Cases of October by ward and sex, in the table that the indicator of the tests counts.
const CASES_OF_OCTOBER: &str = "CREATE TABLE cases (ward TEXT, sex TEXT, day TEXT, n);
    INSERT INTO cases VALUES ('a', '1', '2026-10-15', 48), ('a', '2', '2026-10-15', 2),
        ('b', '1', '2026-10-15', 29), ('b', '2', '2026-10-15', 31),
        ('c', '1', '2026-10-15', 37), ('c', '2', '2026-10-15', 40);";

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Kind::Jws, |_, _| ()).await
    }

    /// With signatures of this kind and other settings of the Agent Node.
    pub(crate) async fn with(
        kind: Kind,
        change: impl FnOnce(&mut AgentNodeSettings, &Path),
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let pki = folder.path().join("pki");
        certificates(&pki, &["h29-signature", "agent-node-signature", "another"]);
        synthetic::generate(&folder.path().join("city.db"), 5, 200).await.unwrap();
        let mut settings = AgentNodeSettings {
            listen: Listen::loopback(),
            report: None,
            database: folder.path().join("city.db"),
            kind,
            certificate_file: pki.join("agent-node-signature.pem"),
            key_file: pki.join("agent-node-signature.key"),
            sender_trust_anchor_file: pki.join("city.pem"),
            senders: BTreeMap::from([("H29".to_owned(), pki.join("h29-signature.pem"))]),
            agreements: agreements(),
            datasets: datasets(),
            open_packages: 1,
            tolerance_seconds: 600,
        };
        change(&mut settings, &pki);
        let clock = Ticking::new();
        let node = AgentNode::start(settings, clock.clone()).await.unwrap();
        std::fs::write(folder.path().join("seal.key"), "5a".repeat(32)).unwrap();
        let key = folder.path().join("seal.key");
        std::fs::set_permissions(key, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(folder.path().join("agent-node.yaml"), OPENAPI).unwrap();
        for name in ["indicators", "announcements"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        std::fs::write(folder.path().join("indicators/cases.yaml"), CASES).unwrap();
        let mut world = Self { folder, node, clock, text: EXAMPLE.to_owned() };
        world.execute(CASES_OF_OCTOBER).await;
        let url = format!("http://{}", world.node.addr);
        world.set("https://127.0.0.1:7443", &url);
        let tls = [
            "trust_anchor_file: pki/city.pem",
            "certificate_file: pki/h29-20.pem",
            "key_file: pki/h29-20.key",
        ];
        let (gateway, rest) = world.text.split_once("\nndc:").unwrap();
        let gateway = tls
            .iter()
            .fold(gateway.to_owned(), |text, line| text.replace(&format!("  {line}\n"), ""));
        world.text = format!("{gateway}\nndc:{rest}");
        world.set("../../schemas/services/v1/agent-node.yaml", "agent-node.yaml");
        let name = Kind::NAMES.iter().find(|(_, known)| *known == kind).unwrap().0;
        world.set("kind: jws", &format!("kind: {name}"));
        world
    }

    /// Changes the configuration.
    pub(crate) fn set(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "the example has no `{from}`");
        self.text = self.text.replace(from, to);
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Another configuration.
    pub(crate) fn replace(&mut self, text: String) {
        self.text = text;
    }

    /// Leaves one flow, whose first rows are as many, with quick repeats.
    pub(crate) async fn only(&mut self, flow: &str, rows: u32) {
        self.leave(&[flow]);
        for table in ["civil_status_outbox", "land_outbox"] {
            self.execute(&format!("DELETE FROM {table} WHERE id > {rows}")).await;
        }
    }

    /// Leaves these flows, with quick repeats.
    pub(crate) fn leave(&mut self, flows: &[&str]) {
        let quick =
            "    delivery: {look_up_after_seconds: 0, first_wait_ms: 1, longest_wait_seconds: 1}\n";
        let (head, all) = self.text.split_once("\nflows:\n").unwrap();
        let mut text = format!("{head}\nflows:\n");
        for flow in flows {
            let found = all.split("  - id: ").find(|text| text.starts_with(flow)).unwrap();
            let (before, messages) = found.split_once("    messages:\n").unwrap();
            let slow = |line: &&str| !line.starts_with("    delivery:");
            let before: String = before.split_inclusive('\n').filter(slow).collect();
            text.push_str(&format!("  - id: {before}{quick}    messages:\n{messages}"));
        }
        self.text = text;
    }

    /// Computes October, as the adapters do it beside their flows.
    pub(crate) async fn compute(&self) -> Outcome {
        let config = self.config();
        let store = Arc::new(Store::open(config.state.clone()).await.unwrap());
        let clock: Arc<dyn Clock> = self.clock.clone();
        let indicators = Indicators::of(&config, &store, &clock).unwrap();
        let task = indicators.task("cases", "2026-10", None).unwrap();
        let outcome = indicators.compute(task).await.unwrap();
        drop(indicators);
        store.close().await;
        outcome
    }

    pub(crate) async fn execute(&self, query: &str) {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("city.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        connection.execute(sqlx::AssertSqlSafe(query.to_owned())).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        let path = self.folder.path().join("adapters.yaml");
        std::fs::write(&path, &self.text).unwrap();
        path
    }

    pub(crate) fn config(&self) -> Config {
        Config::read(&self.path()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// Runs until nothing is left to deliver. What became of the first flow.
    pub(crate) async fn run(&self) -> FlowReport {
        self.run_all().await.remove(0)
    }

    /// What became of each flow.
    pub(crate) async fn run_all(&self) -> Vec<FlowReport> {
        let rng = StdRng::seed_from_u64(11);
        let forever = std::future::pending();
        let report = drive(&self.config(), self.clock.clone(), rng, Until::Idle, forever).await;
        report.unwrap().flows
    }

    /// The files that lie in the folder for answers.
    pub(crate) fn answers(&self) -> Vec<serde_json::Value> {
        let Ok(folder) = std::fs::read_dir(self.folder.path().join("answers")) else {
            return Vec::new();
        };
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap()
        };
        folder.map(read).collect()
    }
}
