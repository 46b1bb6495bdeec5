//! `lienthong adapters package` as a clerk uses it, also when it is killed on the way.

mod bad;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use lienthong_evidence::entry::Action;
use serde_json::Value;
use tempfile::TempDir;

use super::{
    keys::{self, newest},
    program,
    store::postgres::{PASSWORD, Server},
};

const ROWS: usize = 4_000;

/// Both sides in one folder, and the gateway that keeps the evidence of both.
struct Sides {
    folder: TempDir,
    node: TempDir,
}

fn openssl(folder: &Path, arguments: &str) {
    let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let done = done.expect("openssl runs");
    assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
}

const SCHEMA: &str = r#"{"type": "object", "additionalProperties": false,
    "required": ["code", "ward"], "properties": {
    "code": {"type": "string", "maxLength": 40}, "ward": {"type": "string", "maxLength": 5}}}"#;

const CONFIG: &str = r#"
data_dir: state-SIDE
own: OWN
signing: {certificate_file: SIDE.pem, key_file: SIDE.key}
decryption: {certificate_file: SIDE-open.pem, key_file: SIDE-open.key}
trust: {trust_anchor_file: ca.pem, revocation: unchecked}
participants:
  H09.12: {certificate_file: province-open.pem, signers: ["<province>"]}
  H29.20: {certificate_file: city-open.pem, signers: ["<city>"]}
datasets:
  - id: cases
    title: Digitised cases
    agreement: bd-cases
    legal_basis: Law 91/2025/QH15, Article 17
    purpose: reorganisation
    classes: [basic]
    schema: schema.json
    key: code
    wards: old
"#;

const SEND: &str = "    send:
      to: [H29.20]
      source: {csv: {folder: export, key: code}}
      map: {code: {column: code}, ward: {column: ward}}
";

const RECEIVE: &str = "    receive:
      from: [H09.12]
      wards: [{field: ward, as_of: '2025-06-30', keep: old_ward}]
      csv_folder: csv
";

/// Keys on a curve, and what a certificate of one that opens is for.
const CURVE: [&str; 2] = ["ec -pkeyopt ec_paramgen_curve:P-256", "keyAgreement"];

impl Sides {
    fn new() -> Self {
        Self::with(CURVE, |_| String::new())
    }

    /// With keys of this kind; what `more` gives stands in the configuration of a side.
    fn with([kind, opens]: [&str; 2], more: impl Fn(&Self) -> String) -> Self {
        let sides = Self { folder: tempfile::tempdir().expect("a folder"), node: keys::node() };
        let folder = sides.folder.path();
        let key = &format!("req -x509 -newkey {kind} -nodes -days 30");
        openssl(folder, &format!("{key} -keyout ca.key -out ca.pem -subj /CN=ca"));
        for side in ["province", "city"] {
            let usage = format!("-addext keyUsage=critical,{opens}");
            let open = format!("-keyout {side}-open.key -out {side}-open.pem -subj /CN=open");
            openssl(folder, &format!("{key} {usage} {open}"));
            let usage =
                "-addext keyUsage=critical,digitalSignature -addext basicConstraints=CA:FALSE";
            let files = format!("-keyout {side}.key -out {side}.pem -subj /CN={side}");
            openssl(folder, &format!("{key} {usage} -CA ca.pem -CAkey ca.key {files}"));
        }
        for entry in fs::read_dir(folder).expect("files") {
            let path = entry.expect("a file").path();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("set");
        }
        fs::write(folder.join("schema.json"), SCHEMA).expect("written");
        for (side, own, dataset) in [("province", "H09.12", SEND), ("city", "H29.20", RECEIVE)] {
            let text = CONFIG.replace("SIDE", side).replace("OWN", own);
            let text = format!("{}{text}{dataset}", more(&sides));
            let text = ["province", "city"].iter().fold(text, |text, name| {
                text.replace(&format!("<{name}>"), &sides.fingerprint(name))
            });
            fs::write(folder.join(format!("{side}.yaml")), text).expect("written");
        }
        for name in ["export", "inbox", "csv"] {
            fs::create_dir(folder.join(name)).expect("made");
        }
        sides.export(ROWS);
        sides
    }

    /// Puts rows into the folder that the province sends from.
    fn export(&self, rows: usize) {
        // Every tenth of a ward that was split.
        let ward = |n: usize| if n.is_multiple_of(10) { "25741" } else { "25744" };
        let rows: String = (0..rows).map(|n| format!("BD-{n},{}\n", ward(n))).collect();
        fs::write(self.path("export/all.csv"), format!("code,ward\n{rows}")).expect("written");
    }

    fn fingerprint(&self, name: &str) -> String {
        let arguments =
            ["x509", "-noout", "-fingerprint", "-sha256", "-in", &format!("{name}.pem")];
        let told = Command::new("openssl").args(arguments).current_dir(self.folder.path()).output();
        let told = String::from_utf8(told.expect("openssl runs").stdout).expect("a text");
        told.trim().rsplit('=').next().expect("a digest").to_owned()
    }

    fn arguments(&self, side: &str, arguments: &[&str], records: bool) -> Vec<String> {
        let mut all: Vec<String> =
            ["adapters", "package"].iter().chain(arguments).map(|one| (*one).to_owned()).collect();
        all.extend(["--config".to_owned(), format!("{side}.yaml"), "--json".to_owned()]);
        if records {
            let gateway = self.node.path().join("gateway.yaml").display().to_string();
            all.extend(["--gateway".to_owned(), gateway]);
        }
        all
    }

    fn run(&self, side: &str, arguments: &[&str], records: bool) -> (i32, Value, String) {
        let arguments = self.arguments(side, arguments, records);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, told, error) = program::run(self.folder.path(), &arguments);
        (code, serde_json::from_str(&told).unwrap_or(Value::Null), error)
    }

    fn create(&self, out: &str) -> String {
        let (code, told, error) =
            self.run("province", &["create", "--dataset", "cases", "--out", out], true);
        assert_eq!((code, &told["records"]), (0, &Value::from(ROWS)), "{told} {error}");
        told["package"].as_str().expect("an id").to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The members of a package, as files of a folder.
    fn unpack(&self, package: &str, into: &str) {
        let done = Command::new("tar")
            .args(["xf", package, "-C", into])
            .current_dir(self.folder.path())
            .status();
        assert!(done.expect("tar runs").success());
    }
}

#[test]
fn a_package_is_made_looked_at_received_and_closed() {
    let sides = Sides::new();
    let create = ["create", "--dataset", "cases", "--out", "cases.tar"];
    let (code, told, _) = sides.run("province", &create, true);
    assert_eq!(
        (code, &told["refused"]),
        (1, &Value::from("package.evidence")),
        "no log, no package"
    );
    assert!(!sides.path("cases.tar").exists());
    keys::begin_log(&sides.node);
    let id = sides.create("cases.tar");
    let (action, _, why) = newest(&sides.node);
    assert_eq!((action, why.as_str()), (Action::PackageCreate, "data set cases for H29.20"));
    assert_eq!(sides.run("province", &create, true).1["refused"], "package.exists");
    let (code, told, _) = sides.run("province", &["list"], false);
    assert_eq!((code, &told[0]["package"]), (0, &Value::from(id.as_str())));

    let (code, told, error) = sides.run("city", &["verify", "cases.tar"], false);
    assert_eq!((code, &told["decrypted"]), (0, &Value::Bool(true)), "{told} {error}");
    let receive = ["receive", "cases.tar", "--into", "inbox"];
    let (code, told, error) = sides.run("city", &receive, true);
    assert_eq!(
        (code, &told["taken"], &told["for_a_person"]),
        (0, &3_600.into(), &400.into()),
        "{error}"
    );
    assert_eq!(newest(&sides.node).0, Action::PackageReceive);
    let receipt = told["receipt"].as_str().expect("a receipt");
    let (code, told, _) = sides.run("city", &receive, true);
    assert_eq!((code, &told["refused"]), (1, &Value::from("package.replayed")));
    let (action, _, why) = newest(&sides.node);
    assert!(action == Action::PackageRefuse && why.starts_with("package.replayed"), "{why}");
    let again = [&receive[..], &["--again", "--why", "the folder was lost"]].concat();
    assert_eq!(sides.run("city", &again, true).0, 0);
    assert_eq!(newest(&sides.node).2, "data set cases from H09.12, again: the folder was lost");
    let quoted = [&receive[..], &["--again", "--why", "a \"quote\""]].concat();
    assert_eq!(sides.run("city", &quoted, true).0, 2);
    assert_eq!(sides.run("city", &[&receive[..], &["--again"]].concat(), true).0, 2);

    let (code, told, error) = sides.run("province", &["receipt", receipt], true);
    assert_eq!((code, &told["taken"]), (0, &3_600.into()), "{error}");
    assert_eq!(newest(&sides.node).0, Action::PackageClose);
    assert_eq!(sides.run("province", &["list"], false).1, Value::Array(Vec::new()));
    fs::write(sides.path("none.tar"), "nothing").expect("written");
    let (code, told, _) = sides.run("city", &["verify", "none.tar"], false);
    assert_eq!((code, &told["refused"]), (1, &Value::from("package.truncated")));
    assert_eq!(sides.run("city", &["verify", "missing.tar"], false).0, 3);
}

/// Makes a package, looks at it, takes it once and closes it.
fn travel(sides: &Sides) {
    keys::begin_log(&sides.node);
    sides.create("cases.tar");
    assert_eq!(sides.run("province", &["list"], false).1[0]["closed"], Value::Null);
    let (code, told, error) = sides.run("city", &["verify", "cases.tar"], false);
    assert_eq!((code, &told["decrypted"]), (0, &Value::Bool(true)), "{told} {error}");
    let receive = ["receive", "cases.tar", "--into", "inbox"];
    let (code, told, error) = sides.run("city", &receive, true);
    assert_eq!((code, &told["taken"]), (0, &3_600.into()), "{told} {error}");
    let receipt = told["receipt"].as_str().expect("a receipt").to_owned();
    let (code, told, _) = sides.run("city", &receive, true);
    assert_eq!((code, &told["refused"]), (1, &Value::from("package.replayed")));
    let (code, told, error) = sides.run("province", &["receipt", &receipt], true);
    assert_eq!((code, &told["taken"]), (0, &3_600.into()), "{told} {error}");
    let (code, told, _) = sides.run("province", &["receipt", &receipt], true);
    assert_eq!((code, &told["refused"]), (1, &Value::from("package.receipt")));
    assert_eq!(sides.run("province", &["list"], false).1, Value::Array(Vec::new()));
    let listed = sides.run("city", &["list", "--all"], false).1;
    assert!(!listed[0]["closed"].is_null(), "{listed}");
}

#[test]
fn a_package_travels_with_rsa_keys_and_openssl_opens_it() {
    for bits in [2_048, 3_072] {
        let sides = Sides::with([&format!("rsa:{bits}"), "keyEncipherment"], |_| String::new());
        travel(&sides);
        let by_hand = sides.path("by-hand");
        fs::create_dir(&by_hand).expect("made");
        sides.unpack("cases.tar", "by-hand");
        openssl(
            &by_hand,
            "cms -verify -binary -inform DER -in manifest.p7s -content manifest.json -CAfile \
             ../ca.pem -purpose any -out verified.json",
        );
        openssl(
            &by_hand,
            "cms -decrypt -binary -inform DER -in data-0001.p7m -recip ../city-open.pem -inkey \
             ../city-open.key -out part.gz",
        );
        let begin = fs::read(by_hand.join("part.gz")).expect("a part");
        assert_eq!(begin.get(..2), Some(&[0x1f, 0x8b][..]), "RSA of {bits} bits");
    }
}

#[test]
fn a_package_travels_with_its_state_in_postgresql() {
    let server = Server::shared();
    let sides = Sides::with(CURVE, |sides| {
        let password = sides.path("password");
        fs::write(&password, PASSWORD).expect("written");
        fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("private");
        let url = server.url(&server.database());
        format!("database: {url}\ndatabase_password_file: password\n")
    });
    travel(&sides);
}

/// Lines of every table in a folder, without headers.
fn rows(folder: &Path) -> usize {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let tables = files.filter(|path| path.extension().is_some_and(|end| end == "csv"));
    tables.map(|path| fs::read_to_string(path).expect("a text").lines().count() - 1).sum()
}

#[test]
fn a_kill_at_any_step_leaves_nothing_half_taken_and_the_same_command_goes_on() {
    let sides = Sides::new();
    keys::begin_log(&sides.node);
    let mut finished = 0;
    for step in 0..6 {
        let file = format!("cases-{step}.tar");
        let id = sides.create(&file);
        let hidden = sides.path("inbox").join(format!(".package-{id}.part"));
        let folder = sides.path("inbox").join(&id);
        let table = sides.path("csv").join(format!("cases-{id}-records-0001.csv"));
        let seen = [
            sides.path("."),
            hidden.clone(),
            hidden.join("records-0001.csv"),
            hidden.join("receipt.p7m"),
            folder.clone(),
            table.clone(),
        ];
        let arguments = sides.arguments("city", &["receive", &file, "--into", "inbox"], true);
        let mut command = Command::new(env!("CARGO_BIN_EXE_lienthong"));
        let command = command.args(&arguments).current_dir(sides.folder.path());
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program runs");
        while !seen[step].exists() && child.try_wait().expect("asked").is_none() {
            std::thread::yield_now();
        }
        child.kill().expect("killed");
        child.wait().expect("ended");
        if folder.exists() {
            assert_eq!(rows(&folder), 3_600, "step {step}");
        }
        assert!(!table.exists() || folder.exists(), "step {step}");
        let (code, told, error) = sides.run("city", &["receive", &file, "--into", "inbox"], true);
        let replayed = told["refused"] == "package.replayed";
        assert!(code == 0 || replayed, "step {step}: {told} {error}");
        finished += usize::from(code == 0);
        assert!(!hidden.exists() && table.exists(), "step {step}");
        assert_eq!(rows(&folder), 3_600, "step {step}");
    }
    assert!(finished >= 3, "killed too late in most steps: {finished}");
    assert_eq!(rows(&sides.path("csv")), 6 * 3_600);
    let listed = sides.run("city", &["list", "--all"], false).1;
    let closed = listed.as_array().expect("a list").iter().filter(|one| !one["closed"].is_null());
    assert_eq!(closed.count(), 6);
}
