//! A disk that is full: the kernel refuses the adapters' writes beyond a size, as it does when no block
//! is left. The city's rows stay unmarked until they are durable here.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use lienthong_model::clock::ManualClock;
use lienthong_sandbox::{
    Listen, Portal,
    portal::{PortalHandle, PortalSettings},
    synthetic,
};
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::{LOOK, STALL};

/// Rows, each of a case of its own.
const ROWS: i64 = 2_000;
const WRITE: &str = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 2000)
    INSERT INTO case_outbox (event_id, kind, case_code, officer, happened_at, status, procedure_code,
        applicant_name, received_at)
    SELECT 'full/' || n, 'sync', printf('H29.40-261104-%04d', n), 'cb.01', '2026-11-02 08:00:00', 1,
        '1.000894', 'Canary Thị Bảy Ba Không', '2026-11-02 08:00:00' FROM number";
/// No gateway is here: what waits needs room.
const NOWHERE: &str = "http://127.0.0.1:1";
/// Blocks of 512 bytes that a file may have: more than the empty state has, less than it will need.
const BLOCKS: u32 = 3_000;

struct World {
    folder: TempDir,
    portal: PortalHandle,
}

impl World {
    async fn new() -> Self {
        let folder = TempDir::with_prefix("lienthong-disk-").expect("a folder");
        let path = folder.path();
        synthetic::generate(&path.join("city.db"), 5, 200).await.expect("a city");
        let instant = "2026-11-21T01:00:00Z".parse().expect("an instant");
        let clock = std::sync::Arc::new(ManualClock::at(instant));
        let settings = PortalSettings::new(Listen::loopback());
        let portal = Portal::start(settings, clock).await.expect("a portal");
        for (name, text) in [("portal-password", "sandbox-only"), ("seal.key", &"5a".repeat(32))] {
            fs::write(path.join(name), text).expect("written");
            fs::set_permissions(path.join(name), PermissionsExt::from_mode(0o600))
                .expect("private");
        }
        let example = include_str!("../../../adapters/examples/ward-cases.yaml");
        let schemas = format!("{}/schemas/", env!("CARGO_MANIFEST_DIR"));
        let text = [
            ("https://127.0.0.1:7443", NOWHERE.to_owned()),
            ("  trust_anchor_file: pki/city.pem\n", String::new()),
            ("  certificate_file: pki/h29-20.pem\n", String::new()),
            ("  key_file: pki/h29-20.key\n", String::new()),
            ("../../schemas/", schemas),
            ("mode: watermark", "mode: outbox\n        taken_at: taken_at".to_owned()),
            ("poll_seconds: 2", "poll_seconds: 1".to_owned()),
            ("first_wait_ms: 1000", "look_up_after_seconds: 1, first_wait_ms: 10".to_owned()),
            ("workers: 4", "workers: 16".to_owned()),
        ];
        let text = text.iter().fold(example.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "the example has no `{from}`");
            text.replace(from, to)
        });
        fs::write(path.join("adapters.yaml"), text).expect("written");
        let world = Self { folder, portal };
        world.execute("DELETE FROM case_outbox").await;
        world.execute(WRITE).await;
        world
    }

    /// Opens the way to the portal.
    fn open_the_way(&self) {
        let file = self.folder.path().join("adapters.yaml");
        let text = fs::read_to_string(&file).expect("a configuration");
        let portal = format!("http://{}", self.portal.addr);
        fs::write(file, text.replace(NOWHERE, &portal)).expect("written");
    }

    async fn city(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new()
            .filename(self.folder.path().join("city.db"))
            .busy_timeout(Duration::from_secs(10));
        SqliteConnection::connect_with(&options).await.expect("connected")
    }

    async fn execute(&self, statement: &'static str) {
        let mut city = self.city().await;
        city.execute(statement).await.expect("done");
        city.close().await.expect("closed");
    }

    /// Rows of the city that are marked as taken.
    async fn taken(&self) -> i64 {
        let count = "SELECT count(*) FROM case_outbox WHERE taken_at IS NOT NULL";
        let mut city = self.city().await;
        let count = sqlx::query_scalar(count).fetch_one(&mut city).await.expect("a count");
        city.close().await.expect("closed");
        count
    }

    fn enqueued(&self) -> i64 {
        let told = run(
            self.folder.path(),
            "exec \"$0\" --lang en adapters status --config adapters.yaml --json",
        );
        assert!(told.status.success(), "{told:?}");
        let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
        told["flows"][0]["enqueued"].as_i64().expect("a figure")
    }
}

/// Runs the program by a line of shell, which knows it as `$0`.
fn run(folder: &Path, line: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_lienthong")]).current_dir(folder);
    command.stdin(Stdio::null()).output().expect("sh runs")
}

#[tokio::test]
async fn a_full_disk_leaves_the_rows_with_the_city_and_later_all_arrive_once() {
    let world = World::new().await;
    let folder = world.folder.path().to_owned();
    // Without the trap the signal would end it before it can say anything.
    let line = format!(
        "trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$0\" --lang en adapters run --config adapters.yaml"
    );
    for _ in 0..3 {
        let (folder, line) = (folder.clone(), line.clone());
        let full = tokio::task::spawn_blocking(move || run(&folder, &line)).await.expect("it ends");
        assert_eq!(full.status.code(), Some(3), "{full:?}");
        let said = String::from_utf8_lossy(&full.stderr);
        assert!(said.contains("free space"), "{said}");
        assert!(!said.contains("Canary"), "{said}");
        let (taken, enqueued) = (world.taken().await, world.enqueued());
        assert!(taken <= enqueued, "{taken} marked and only {enqueued} durable");
        assert!(enqueued < ROWS, "the disk was not full");
    }

    world.open_the_way();
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["--lang", "en", "adapters", "run", "--config", "adapters.yaml"])
        .current_dir(&folder)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs");
    let begun = Instant::now();
    while i64::try_from(world.portal.report().cases).expect("a count") < ROWS {
        assert!(begun.elapsed() < STALL, "{:?}", world.portal.report());
        assert_eq!(child.try_wait().expect("a status"), None, "it goes on");
        tokio::time::sleep(LOOK).await;
    }
    while world.taken().await < ROWS {
        assert!(begun.elapsed() < STALL, "{} rows are marked", world.taken().await);
        tokio::time::sleep(LOOK).await;
    }
    let seen = world.portal.report();
    assert_eq!((seen.duplicates, seen.order_violations), (0, 0), "{seen:?}");
}
