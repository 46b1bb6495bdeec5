//! `lienthong adapters` as its operator uses it: beside a running process and without one.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use lienthong_evidence::entry::Action;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    keys::{self, newest},
    program,
    sandbox::{self, Sandbox},
};

const FLOW: &str = "ward-cases";

/// A city whose portal answers every dossier with an error page, and adapters that try once.
struct City {
    folder: TempDir,
    sandbox: Sandbox,
}

impl City {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let faults = "[{call: DongBoHoSoMC, fault: stack_trace}]";
        fs::write(folder.path().join("sandbox.yaml"), sandbox::configuration(faults))
            .expect("written");
        let sandbox = Sandbox::start(folder.path());
        let schema =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/services/v1/portal-case-sync.yaml");
        let text = include_str!("../../adapters/examples/ward-cases.yaml")
            .replace("https://127.0.0.1:7443", &format!("http://{}", sandbox.portal))
            .replace("  trust_anchor_file: pki/city.pem\n", "")
            .replace("  certificate_file: pki/h29-20.pem\n", "")
            .replace("  key_file: pki/h29-20.key\n", "")
            .replace(
                "../../schemas/services/v1/portal-case-sync.yaml",
                &schema.display().to_string(),
            )
            .replace("attempts: 12", "attempts: 1");
        fs::write(folder.path().join("adapters.yaml"), text).expect("written");
        let secret = folder.path().join("portal-password");
        fs::write(&secret, "sandbox-only\n").expect("written");
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).expect("set");
        let key = ["keys", "new", "outbox-seal", "--out", "seal.key"];
        let (code, told, error) = program::run(folder.path(), &key);
        assert_eq!(code, 0, "{told} {error}");
        Self { folder, sandbox }
    }

    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let config = ["--config", "adapters.yaml"];
        program::run(self.folder.path(), &[&["adapters"], arguments, &config].concat())
    }

    fn status(&self) -> Value {
        let (code, told, error) = self.run(&["status", "--json"]);
        if code != 0 {
            // Nothing, or not every table, is there before the first start has made it.
            assert!(error.contains("no durable state") || error.contains("ask again"), "{error}");
            return Value::Null;
        }
        let report: Value = serde_json::from_str(&told).expect("JSON");
        report["flows"][0].clone()
    }

    fn start(&self) -> Running {
        let child = Command::new(env!("CARGO_BIN_EXE_lienthong"))
            .args(["--lang", "en", "adapters", "run", "--config", "adapters.yaml"])
            .current_dir(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        Running(child)
    }

    /// The key of a dead message.
    fn dead(&self) -> String {
        let (code, told, error) = self.run(&["dead", "list", FLOW, "--json"]);
        assert_eq!(code, 0, "{error}");
        let letters: Value = serde_json::from_str(&told).expect("JSON");
        letters[0]["key"].as_str().expect("a key").to_owned()
    }
}

/// A process that is killed when this is dropped.
struct Running(Child);

impl Running {
    fn end(mut self) -> i32 {
        let kill = format!("kill -TERM {}", self.0.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("sh runs").success());
        self.0.wait().expect("ended").code().expect("a code")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn what_needs_a_person_is_looked_at_and_decided_beside_the_running_adapters() {
    let city = City::new();
    let running = city.start();
    while city.status()["dead"].as_u64().is_none_or(|dead| dead < 20) {
        std::thread::yield_now();
    }
    let key = city.dead();
    let (code, told, _) = city.run(&["dead", "list", FLOW, "--limit", "3"]);
    assert_eq!((code, told.lines().count()), (0, 6), "{told}");
    assert!(told.contains("DongBoHoSoMC") && told.contains("1 attempts"), "{told}");

    // Without its values, unless a reason goes into the evidence first.
    let (code, told, _) = city.run(&["dead", "show", FLOW, &key]);
    let shown: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &shown["record"]["ChuHoSo"]), (0, &Value::from("•••")));
    assert_eq!(city.run(&["dead", "show", FLOW, &key, "--reveal"]).0, 2);
    let node = keys::node();
    let gateway = node.path().join("gateway.yaml").display().to_string();
    let reveal = |why: &str| {
        let how = ["--reveal", "--why", why, "--gateway", &gateway];
        city.run(&[&["dead", "show", FLOW, &key], &how[..]].concat())
    };
    let (code, told, error) = reveal("the applicant asks");
    assert_eq!((code, told.as_str()), (1, ""), "no log, no values: {error}");
    keys::begin_log(&node);
    let (code, _, error) = reveal("a \"quote\"");
    assert_eq!(code, 2, "{error}");
    let (code, told, error) = reveal("the applicant asks");
    assert_eq!(code, 0, "{error}");
    let shown: Value = serde_json::from_str(&told).expect("JSON");
    assert_ne!(shown["record"]["ChuHoSo"], "•••");
    let (action, _, why) = newest(&node);
    assert_eq!((action, why.as_str()), (Action::Reveal, "flow ward-cases: the applicant asks"));

    // Decisions, and those that cannot be made.
    assert_eq!(city.run(&["dead", "drop", FLOW, "nothing", "--why", "x"]).0, 1);
    assert_eq!(city.run(&["dead", "retry", "no-flow", &key, "--why", "x"]).0, 1);
    assert_eq!(city.run(&["dead", "retry", FLOW, &key, "--why", " "]).0, 2);
    let (code, told, _) = city.run(&["dead", "drop", FLOW, &key, "--why", "entered by hand"]);
    assert_eq!((code, told), (0, format!("{key} is dropped\n")));
    assert_eq!(city.status()["dropped"], 1);
    let (code, told, _) = city.run(&["pause", FLOW, "--why", "the portal is moved"]);
    assert_eq!((code, told.as_str()), (0, "flow ward-cases is paused\n"));
    assert_eq!(city.status()["paused"], "the portal is moved");
    assert_eq!(city.run(&["resume", FLOW]).0, 0);
    assert_eq!(city.run(&["resume", FLOW]).0, 1);
    let (code, told, _) = city.run(&["compare", FLOW]);
    assert_eq!((code, told.as_str()), (0, "0 rows had been missed and are taken now\n"));
    let rows = city.status()["rows"].as_u64().expect("rows");
    let (code, told, error) = city.run(&["backfill", FLOW]);
    assert_eq!(code, 0, "{error}");
    assert!(told.ends_with(&format!("{rows} rows read again, 0 of them new\n")), "{told}");

    assert_eq!(running.end(), 0);
    // Nobody runs: the same commands have the durable state to themselves.
    let key = city.dead();
    let taken = ["dead", "drop", FLOW, &key, "--taken", "--why", "the portal shows it"];
    let (code, told, error) = city.run(&taken);
    assert_eq!((code, told), (0, format!("{key} counts as delivered\n")), "{error}");
    assert_eq!(city.run(&["backfill", FLOW]).0, 1);
    let delivered = city.status()["delivered"].as_u64().expect("a number");
    assert_eq!(delivered, 1, "by a person's word alone");
    assert_eq!(city.sandbox.told()["cases"], 0);
}

#[test]
fn a_flow_that_quality_holds_is_told_of_and_let_go_on_by_a_person_with_a_reason() {
    let city = City::new();
    let file = city.folder.path().join("adapters.yaml");
    let order = "    order_by: case_code\n";
    let quality = "    quality: {thresholds: {correct: 1}, at_least_rows: 20, \
                   unit: {column: applicant_ward, as_of: received_at}}\n";
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, text.replace(order, &format!("{order}{quality}"))).expect("written");
    assert_eq!(city.run(&["quality", "no-flow"]).0, 1);
    assert_eq!(city.run(&["quality", "--unit", "99999"]).0, 2);
    let running = city.start();
    while city.status()["quality"]["held"].is_null() {
        std::thread::yield_now();
    }
    let held = &city.status()["quality"]["held"];
    assert_eq!((&held["criterion"], &held["threshold"]), (&"correct".into(), &"1.0".into()));
    let (_, told, _) = city.run(&["status"]);
    assert!(told.contains("held by quality: correct"), "{told}");
    let (code, told, error) =
        city.run(&["quality", "--html", "quality.html", "--svg", "quality.svg", "--defects"]);
    assert_eq!(code, 0, "{error}");
    assert!(told.contains("held by quality") && told.contains("to be mended:"), "{told}");
    let page = fs::read_to_string(city.folder.path().join("quality.html")).expect("a page");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("held by quality"));
    let picture = fs::read_to_string(city.folder.path().join("quality.svg")).expect("a picture");
    assert!(picture.starts_with("<svg "));
    let (code, told, _) = city.run(&["quality", FLOW, "--json"]);
    let report: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, report["flows"][0]["units"].as_array().map(Vec::len)), (0, Some(168)));
    // Nothing is done before it stands in the evidence.
    let node = keys::node();
    let gateway = node.path().join("gateway.yaml").display().to_string();
    let release =
        |why: &str| city.run(&["quality", "release", FLOW, "--why", why, "--gateway", &gateway]);
    assert_eq!(city.run(&["quality", "release", FLOW, "--why", "x"]).0, 2);
    assert_eq!(release("the ward has mended it").0, 1, "no log");
    assert!(!city.status()["quality"]["held"].is_null());
    keys::begin_log(&node);
    let (code, told, error) = release("the ward has mended it");
    assert_eq!((code, told.as_str()), (0, "flow ward-cases goes on\n"), "{error}");
    let (action, _, why) = newest(&node);
    assert_eq!(action, Action::QualityRelease);
    assert_eq!(why, "flow ward-cases: the ward has mended it");
    // It goes on: the portal is asked, and answers every dossier with an error page.
    while city.status()["dead"] == 0 {
        std::thread::yield_now();
    }
    let status = city.status();
    assert_eq!(status["quality"]["released"], "the ward has mended it");
    assert!(status["quality"]["held"].is_null());
    assert_eq!(release("once more").0, 1, "nothing holds it");
    assert_eq!(running.end(), 0);
}

/// A month that is over wherever the clock of the machine stands, and figures of it in the city.
const FIGURES: &str = "
id: dossiers
name: {vi: Hồ sơ, en: Dossiers}
group: test
steward: Office of tests
legal_basis: [a document]
period: month
due_days: 10
unit: {vi: hồ sơ, en: dossiers}
kind: count
source: city
sql: |
  SELECT sex, n AS value FROM (SELECT '1' AS sex, 40 AS n UNION ALL SELECT '2', 3
                               UNION ALL SELECT '3', 50) WHERE '2' < :to
columns: {value: value}
dimensions:
  - name: sex
    categories:
      - {code: '1', vi: Nam, en: Male}
      - {code: '2', vi: Nữ, en: Female}
      - {code: '3', vi: Khác, en: Other}
rules: {threshold: 5}
";

#[test]
fn indicators_are_computed_beside_running_adapters_and_without_them() {
    let city = City::new();
    let file = city.folder.path().join("adapters.yaml");
    let text = fs::read_to_string(&file).expect("read");
    let (code, _, error) = city.run(&["indicators", "list"]);
    assert_eq!(code, 1, "{error}");
    let figures = "connections: {city: {sqlite: {file: city.db}}}\n\
                   indicators: {folder: indicators, since: 2026-01-01}\n";
    fs::write(&file, format!("{text}{figures}")).expect("written");
    fs::create_dir(city.folder.path().join("indicators")).expect("made");
    fs::write(city.folder.path().join("indicators/dossiers.yaml"), FIGURES).expect("written");

    let of = ["--indicator", "dossiers"];
    let compute = |period: &str| {
        city.run(&[&["indicators", "compute", "--period", period], &of[..]].concat())
    };
    assert_eq!(compute("2025-12").0, 1, "before the first");
    assert_eq!(compute("2026-w01").0, 1, "no month");
    let (code, told, error) = compute("2026-01");
    assert_eq!(code, 0, "{error}");
    assert!(told.contains("revision 1: 2 cells published, 2 withheld"), "{told}");

    let running = city.start();
    let state = |told: &str| -> String {
        let reports: Value = serde_json::from_str(told).expect("JSON");
        reports[0]["periods"][1]["state"].as_str().expect("a state").to_owned()
    };
    let computed = (0..500).any(|_| {
        let (_, told, error) = city.run(&["indicators", "status", "--json"]);
        assert!(!told.is_empty(), "{error}");
        state(&told) == "computed"
    });
    assert!(computed, "the running adapters compute what is due");
    let (code, told, _) = compute("2026-01");
    assert_eq!(code, 0);
    assert!(told.contains("those of revision 1"), "{told}");
    assert_eq!(running.end(), 0);

    let (code, told, _) = city.run(&[
        "indicators",
        "show",
        "--json",
        "--period",
        "2026-01",
        "--indicator",
        "dossiers",
    ]);
    assert_eq!(code, 0);
    let shown: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(shown["releases"][0]["cells"][2]["withheld"], true);
    let html = ["indicators", "status", "--html", "page.html"];
    city.run(&html);
    let page = fs::read_to_string(city.folder.path().join("page.html")).expect("a page");
    assert!(page.contains("withheld") && page.contains("<svg"), "{page}");
}
