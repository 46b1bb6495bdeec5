//! A city, a portal and flows between them, for tests. The portal stands where the gateway would:
//! what the gateway adds is tested with the whole program.

use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::Clock;
use lienthong_sandbox::{
    Faults, Listen, Portal,
    portal::{PortalHandle, PortalReport, PortalSettings},
    synthetic,
};
use rand::{SeedableRng as _, rngs::StdRng};
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    Config, Error, FlowReport,
    flow::Until,
    run::drive,
    source::testing::postgres::{PASSWORD, Server},
};

/// A clock that moves a little each time somebody looks at it, so that waits end.
#[derive(Debug)]
pub(crate) struct Ticking(Mutex<Timestamp>);

impl Ticking {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-11-21T01:00:00Z".parse().unwrap())))
    }
}

impl Ticking {
    /// Time goes by.
    pub(crate) fn forward(&self, by: SignedDuration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_millis(20);
        *now
    }
}

/// A row of the procedure system's outbox.
#[derive(Debug, Clone)]
pub(crate) struct TestRow {
    pub(crate) event: String,
    pub(crate) case: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) status: i64,
    pub(crate) minute: i64,
}

pub(crate) fn sync(case: &'static str, status: i64) -> TestRow {
    TestRow { event: format!("{case}/sync/{status}"), case, kind: "sync", status, minute: status }
}

pub(crate) fn progress(case: &'static str, status: i64, minute: i64) -> TestRow {
    TestRow { event: format!("{case}/step/{minute}"), case, kind: "progress", status, minute }
}

/// Dossier codes for tests.
pub(crate) const A: &str = "H29.40-261102-0001";
pub(crate) const B: &str = "H29.40-261102-0002";
pub(crate) const C: &str = "H29.40-261102-0003";

pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) portal: PortalHandle,
    pub(crate) clock: Arc<Ticking>,
    text: String,
}

impl World {
    /// An empty outbox table and a portal that nothing is wrong with.
    pub(crate) async fn new() -> Self {
        let world = Self::populated().await;
        world.execute("DELETE FROM case_outbox; DELETE FROM sqlite_sequence").await;
        world
    }

    /// The synthetic city's own dossiers.
    pub(crate) async fn populated() -> Self {
        let folder = TempDir::new().unwrap();
        synthetic::generate(&folder.path().join("city.db"), 5, 200).await.unwrap();
        let clock = Ticking::new();
        let settings = PortalSettings::new(Listen::loopback());
        let portal = Portal::start(settings, clock.clone()).await.unwrap();
        let secret = folder.path().join("portal-password");
        std::fs::write(&secret, "sandbox-only\n").unwrap();
        std::fs::set_permissions(&secret, PermissionsExt::from_mode(0o600)).unwrap();
        let key = folder.path().join("seal.key");
        std::fs::write(&key, "5a".repeat(32)).unwrap();
        std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
        let openapi = include_str!("../../schemas/services/v1/portal-case-sync.yaml");
        std::fs::write(folder.path().join("portal.yaml"), openapi).unwrap();
        let mut world = Self { folder, portal, clock, text: EXAMPLE.to_owned() };
        let url = format!("http://{}", world.portal.addr);
        world.set("https://127.0.0.1:7443", &url);
        for line in [
            "trust_anchor_file: pki/city.pem",
            "certificate_file: pki/h29-20.pem",
            "key_file: pki/h29-20.key",
        ] {
            world.set(&format!("  {line}\n"), "");
        }
        world.set("../../schemas/services/v1/portal-case-sync.yaml", "portal.yaml");
        world.set("first_wait_ms: 1000", "look_up_after_seconds: 0, first_wait_ms: 1");
        world.set("longest_wait_seconds: 600", "longest_wait_seconds: 1");
        world
    }

    /// Changes the configuration.
    pub(crate) fn set(&mut self, from: &str, to: &str) {
        assert!(self.text.contains(from), "the example has no `{from}`");
        self.text = self.text.replace(from, to);
    }

    pub(crate) fn path(&self) -> PathBuf {
        let path = self.folder.path().join("adapters.yaml");
        std::fs::write(&path, &self.text).unwrap();
        path
    }

    pub(crate) fn config(&self) -> Config {
        Config::read(&self.path()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The configuration of another process beside this one, with a directory of its own.
    pub(crate) fn beside(&self) -> Config {
        let path = self.folder.path().join("beside.yaml");
        std::fs::write(&path, self.text.replace("data_dir: state", "data_dir: beside")).unwrap();
        Config::read(&path).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// Puts the durable state into a database of a server.
    pub(crate) fn on_a_server(&mut self, server: &Server) {
        let file = self.folder.path().join("state-password");
        std::fs::write(&file, PASSWORD).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        let url = server.url(&server.database());
        let database = format!("database: '{url}'\ndatabase_password_file: state-password");
        self.set("data_dir: state", &format!("data_dir: state\n{database}"));
    }

    pub(crate) fn faults(&self) -> &Faults {
        &self.portal.faults
    }

    pub(crate) async fn execute(&self, query: &'static str) {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("city.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        connection.execute(query).await.unwrap();
        connection.close().await.unwrap();
    }

    pub(crate) async fn write(&self, rows: &[TestRow]) {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("city.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        for row in rows {
            let is_sync = row.kind == "sync";
            let at = format!("2026-11-02 08:{:02}:00", row.minute);
            sqlx::query(
                "INSERT INTO case_outbox (event_id, kind, case_code, officer, happened_at, status,
                 procedure_code, applicant_name, phone, received_at, other_info, officer_name)
                 VALUES (?, ?, ?, 'cb.01', ?, ?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(&row.event)
            .bind(row.kind)
            .bind(row.case)
            .bind(at)
            .bind(row.status)
            .bind(is_sync.then_some("1.000894"))
            .bind(is_sync.then_some(CANARY))
            .bind(is_sync.then_some("0599000001"))
            .bind(is_sync.then_some("2026-11-02 08:00:00"))
            .bind(is_sync.then_some(CANARY))
            .bind((!is_sync).then_some("Cán bộ mẫu"))
            .execute(&mut connection)
            .await
            .unwrap();
        }
        connection.close().await.unwrap();
    }

    /// Runs until nothing is left to deliver.
    pub(crate) async fn run(&self) -> FlowReport {
        self.try_run().await.unwrap()
    }

    pub(crate) async fn try_run(&self) -> Result<FlowReport, Error> {
        let rng = StdRng::seed_from_u64(11);
        let forever = std::future::pending();
        let report = drive(&self.config(), self.clock.clone(), rng, Until::Idle, forever).await?;
        Ok(report.flows.into_iter().next().unwrap())
    }

    pub(crate) fn seen(&self) -> PortalReport {
        self.portal.report()
    }
}

/// A value that must not occur in any report, error or log line.
pub(crate) const CANARY: &str = "Canary Thị Bảy Ba Không";

const EXAMPLE: &str = include_str!("../examples/ward-cases.yaml");

/// What is logged on this thread, at every level.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Takes down what is logged until the guard is dropped. Without the times, in whose fractions any
    /// digits may stand that a test looks for.
    pub(crate) fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let writer = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}
