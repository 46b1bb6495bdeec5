//! `lienthong keys`: the built program on a node of its own.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::Command,
};

use lienthong_evidence::{
    entry::{Action, Entry, OperatorRole},
    log::{Closing, Log, Settings},
    note::{Signer, Verifier},
    tile,
};
use lienthong_model::sensitive::Sensitive;
use serde_json::Value;
use tempfile::TempDir;

use super::program;

pub(super) const CONFIG: &str = r#"
listen: {address: 127.0.0.1:0}
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors: [{id: city, certificate_file: pki/city.pem, revocation: none}]
policies: {directory: policies, schemas: schemas}
providers: {}
pseudonyms: {key_file: keys/pseudonym.key, period: city}
admin: {socket: admin.sock}
data: {directory: data}
evidence:
  node: node-1
  key_file: keys/evidence.key
  previous_key_file: keys/evidence.key.previous
  digest_keys: keys/digest
  amber_percent: 98
  red_percent: 99
"#;

/// Exit code, standard output and standard error.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    program::run(folder, &[&["keys"], arguments].concat())
}

/// The same, with the configuration.
fn on_node(folder: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    run(folder.path(), &[arguments, &["--config", "gateway.yaml"]].concat())
}

/// A configuration, certificates, and no key yet that `keys new` makes.
fn bare() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("gateway.yaml"), CONFIG).expect("written");
    let made = Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["pki", "example", "pki"])
        .current_dir(folder.path())
        .output()
        .expect("the program runs");
    assert!(made.status.success());
    folder
}

/// A node with every key.
pub(super) fn node() -> TempDir {
    let folder = bare();
    for arguments in [
        &["new", "evidence", "--name", "node-1.example"][..],
        &["new", "digest"],
        &["new", "digest"],
        &["new", "pseudonym"],
    ] {
        let (code, told, error) = on_node(&folder, arguments);
        assert_eq!(code, 0, "{told} {error}");
    }
    folder
}

/// A log with one entry, of the node's key.
pub(super) fn begin_log(folder: &TempDir) {
    let closing = Closing::of_node("node-1", || (0, None)).expect("a node");
    let signer = signer(folder);
    let settings = Settings::new(folder.path().join("data/evidence"), signer, closing);
    let (log, _) = Log::open(settings).expect("a log");
    log.append(b"first").expect("taken").wait().map(drop).expect("durable");
}

fn signer(folder: &TempDir) -> Signer {
    let text = fs::read_to_string(folder.path().join("keys/evidence.key")).expect("a key");
    Signer::parse(&Sensitive::new(text)).expect("a key")
}

/// The entries of a log of fewer than 256.
fn entries(folder: &TempDir) -> Vec<Vec<u8>> {
    let bundles = folder.path().join("data/evidence/tile/entries/000.p");
    let widths = fs::read_dir(&bundles).expect("bundles").flatten();
    let widest = widths.filter_map(|file| file.file_name().to_str()?.parse::<u64>().ok()).max();
    let bundle = fs::read(bundles.join(widest.expect("a bundle").to_string())).expect("a bundle");
    tile::entries(&bundle).map(|entry| entry.expect("an entry").to_vec()).collect()
}

/// What the newest entry says was done, about which period, and why.
pub(super) fn newest(folder: &TempDir) -> (Action, Option<String>, String) {
    let newest = entries(folder).pop().expect("an entry");
    let Ok(Entry::Administration(entry)) = Entry::decode(&newest) else {
        panic!("{}", String::from_utf8_lossy(&newest));
    };
    assert_eq!((entry.node.as_str(), entry.role), ("node-1", OperatorRole::Local));
    let period = entry.key.map(|period| period.as_str().to_owned());
    (entry.action, period, entry.why.expect("a reason").as_str().to_owned())
}

#[test]
fn a_first_installation_needs_no_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = ["new", "evidence", "--name", "node-1.example", "--out", "keys/evidence.key"];
    let (code, told, _) = run(folder.path(), &new);
    assert_eq!(code, 0, "{told}");
    let public = told.lines().find_map(|line| line.strip_prefix("public key ")).expect("a key");
    assert_eq!(Verifier::parse(public).expect("a key"), *signer(&folder).verifier());
    let secret = fs::read_to_string(folder.path().join("keys/evidence.key")).expect("a key");
    // `PRIVATE+KEY+name+id+base64`, and base64 may have a `+` of its own.
    let base64 = secret.trim().splitn(5, '+').last().expect("a key");
    assert!(base64.len() > 40 && !told.contains(base64));
    let data = fs::metadata(folder.path().join("keys/evidence.key")).expect("a file");
    assert_eq!(data.permissions().mode() & 0o777, 0o600);
    for (arguments, code) in [
        (&["new", "digest", "--period", "2026-q4", "--out", "d/2026-q4.key"][..], 0),
        (&["new", "pseudonym", "--out", "p.key"], 0),
        (&["new", "lgsp", "--out", "l.key"], 0),
        (&["new", "tls", "--name", "gateway.example", "--out", "t.key"], 0),
        // Again: never over another.
        (&new, 1),
        (&["new", "tls", "--name", "gateway.example", "--out", "t.key"], 1),
        // Something is not said.
        (&["new", "digest", "--out", "x.key"], 2),
        (&["new", "evidence", "--out", "x.key"], 2),
        (&["new", "tls", "--out", "x.key"], 2),
        (&["new", "pseudonym"], 2),
        (&["new", "consent", "--out", "x.key"], 2),
        (&["new", "digest", "--period", "2026q4", "--out", "x.key"], 2),
        (&["new", "digest", "--period", "../2026-q4", "--out", "x.key"], 2),
        (&["new", "evidence", "--name", "two words", "--out", "x.key"], 3),
    ] {
        let (answered, told, error) = run(folder.path(), arguments);
        assert_eq!(answered, code, "{arguments:?}: {told} {error}");
    }
    assert!(!folder.path().join("x.key").exists());
    let after = fs::read_to_string(folder.path().join("keys/evidence.key")).expect("a key");
    assert_eq!(after, secret);
}

#[test]
fn a_key_is_not_made_through_a_link() {
    let folder = tempfile::tempdir().expect("a folder");
    symlink("elsewhere", folder.path().join("link.key")).expect("a link");
    let (code, _, _) = run(folder.path(), &["new", "lgsp", "--out", "link.key"]);
    assert_eq!(code, 1);
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn every_secret_is_listed_and_none_shown() {
    let folder = node();
    let (code, told, _) = on_node(&folder, &["list", "--json"]);
    let listed: Vec<Value> = serde_json::from_str(&told).expect("JSON");
    assert_eq!(code, 0);
    let rows: Vec<(&str, &str)> = listed
        .iter()
        .map(|row| (row["purpose"].as_str().expect("text"), row["state"].as_str().expect("text")))
        .collect();
    let expected = [
        ("tls", "current"),
        ("evidence", "current"),
        ("digest", "current"),
        ("digest", "next"),
        ("pseudonym", "current"),
    ];
    assert_eq!(rows, expected);
    assert!(listed.iter().all(|row| row["mode"] == "0600"), "{told}");
    let (_, table, _) = on_node(&folder, &["list"]);
    assert_eq!(table.lines().count(), 6, "{table}");
    for file in ["keys/pseudonym.key", "keys/evidence.key"] {
        let secret = fs::read_to_string(folder.path().join(file)).expect("a key");
        // Base64 may have a `+` of its own.
        let whole = secret.trim();
        let secret = whole
            .strip_prefix("PRIVATE+KEY+")
            .map_or(whole, |rest| rest.splitn(3, '+').last().expect("a key"));
        assert!(!told.contains(secret) && !table.contains(secret), "{file}");
    }
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let folder = node();
    let (code, told, _) = on_node(&folder, &["check"]);
    assert_eq!((code, told.as_str()), (0, "5 secrets, nothing is wrong\n"));
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(folder.path().join("keys/pseudonym.key"), mode).expect("set");
    fs::write(folder.path().join("keys/digest/winter.key"), "x").expect("written");
    fs::remove_file(folder.path().join("keys/evidence.key")).expect("removed");
    let (code, told, _) = on_node(&folder, &["check"]);
    assert_eq!(code, 1, "{told}");
    for part in ["mode 0644", "chmod 600", "no quarter", "is missing", "keys new evidence"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (code, told, _) = on_node(&folder, &["check", "--json"]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["sound"]), (1, &Value::Bool(false)));
    assert_eq!(told["findings"].as_array().expect("a list").len(), 3, "{told}");
    let (code, told, _) = run(folder.path(), &["check", "--config", "nowhere.yaml"]);
    assert_eq!(code, 1, "{told}");
}

#[test]
fn what_is_done_to_keys_stands_in_the_log() {
    let folder = node();
    begin_log(&folder);
    let (code, _, told) = on_node(&folder, &["rotate", "digest", "--why", "the year turns"]);
    assert_eq!(code, 1, "both quarters have their key: {told}");
    assert_eq!(entries(&folder).len(), 1, "what was not done is not on record");

    fs::remove_dir_all(folder.path().join("keys/digest")).expect("removed");
    let (code, _, told) = on_node(&folder, &["new", "digest", "--why", "it was lost"]);
    assert_eq!(code, 0, "{told}");
    let (action, period, why) = newest(&folder);
    assert_eq!(action, Action::KeyNew);
    assert!(period.is_some() && why.ends_with(": it was lost"), "{why}");

    let old = signer(&folder).verifier().to_string();
    let (code, told, error) = on_node(&folder, &["rotate", "evidence", "--json"]);
    assert_eq!(code, 0, "{error}");
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let new = signer(&folder).verifier().to_string();
    assert_eq!(told["public"], new.as_str());
    let (action, _, why) = newest(&folder);
    assert_eq!((action, why), (Action::KeyRotate, format!("evidence {new}")));
    let note = fs::read(folder.path().join("data/evidence/checkpoint")).expect("a checkpoint");
    let opens = |key: &str, note: &[u8]| Verifier::parse(key).expect("a key").open(note).is_ok();
    assert!(opens(&old, &note) && !opens(&new, &note), "the older key vouches for the newer");

    let (code, told, _) = on_node(&folder, &["rotate", "evidence", "--finish"]);
    assert_eq!(code, 1, "{told}");
    let (code, told, _) = on_node(&folder, &["rotate", "evidence"]);
    assert_eq!(code, 1, "{told}");
    // Any entry of the command, like a gateway that opens the log, signs with both.
    let (code, _, told) = on_node(&folder, &["new", "digest"]);
    assert_eq!(code, 0, "{told}");
    let note = fs::read(folder.path().join("data/evidence/checkpoint")).expect("a checkpoint");
    assert!(opens(&old, &note) && opens(&new, &note));
    let (code, told, error) = on_node(&folder, &["rotate", "evidence", "--finish"]);
    assert_eq!(code, 0, "{told} {error}");
    assert_eq!(newest(&folder).0, Action::KeyDestroy);
    assert!(!folder.path().join("keys/evidence.key.previous").exists());
    let (code, told, _) = on_node(&folder, &["check"]);
    assert_eq!(code, 0, "{told}");
}

#[test]
fn nothing_is_made_or_changed_that_cannot_be_recorded() {
    let folder = node();
    begin_log(&folder);
    let closing = Closing::of_node("node-1", || (0, None)).expect("a node");
    let directory = folder.path().join("data/evidence");
    let held = Log::open(Settings::new(directory, signer(&folder), closing)).expect("a log");
    let before = signer(&folder).verifier().to_string();
    fs::remove_dir_all(folder.path().join("keys/digest")).expect("removed");
    for arguments in [&["new", "digest"][..], &["rotate", "evidence"], &["rotate", "digest"]] {
        let (code, told, error) = on_node(&folder, arguments);
        assert_eq!(code, 3, "{told}");
        assert!(error.contains("evidence log"), "{error}");
    }
    drop(held);
    assert_eq!(signer(&folder).verifier().to_string(), before);
    assert!(!folder.path().join("keys/evidence.key.new").exists());
    let left = fs::read_dir(folder.path().join("keys/digest")).expect("a folder").count();
    assert_eq!(left, 0);
    let mut why = "a number: 079123456789".to_owned();
    let (code, _, _) = on_node(&folder, &["rotate", "evidence", "--why", &why]);
    assert_eq!(code, 2, "a reason is no place for a personal number");
    why.clear();
    let (code, _, _) = on_node(&folder, &["rotate", "evidence", "--why", &why]);
    assert_eq!(code, 2);
}

#[test]
fn the_key_of_a_quarter_is_destroyed_when_it_may_be_and_someone_says_so() {
    let folder = node();
    begin_log(&folder);
    let old = |name: &str| folder.path().join("keys/digest").join(name);
    let (code, told, _) = run(
        folder.path(),
        &["new", "digest", "--period", "2019-q3", "--out", "keys/digest/2019-q3.key"],
    );
    assert_eq!(code, 0, "{told}");
    let (_, listed, _) = on_node(&folder, &["list", "--json"]);
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("JSON");
    let current = listed.iter().find(|row| row["purpose"] == "digest" && row["state"] == "current");
    let current = current.expect("a key")["period"].as_str().expect("text");
    let destroy =
        |period: &str, more: &[&str]| on_node(&folder, &[&["destroy", period], more].concat());
    let why = ["--why", "retention is over"];
    let (code, told, _) = destroy(current, &["--why", "too early", "--yes"]);
    assert_eq!(code, 1);
    assert!(told.contains("must be kept until"), "{told}");
    assert_eq!(destroy("2019-q3", &["--yes"]).0, 2, "without a reason");
    assert_eq!(destroy("2019", &[&why[..], &["--yes"]].concat()).0, 2, "no such period");
    assert_eq!(destroy("2019-q2", &[&why[..], &["--yes"]].concat()).0, 1, "no such key");

    let (code, told, _) = destroy("2019-q3", &why);
    assert_eq!(code, 1, "not without --yes");
    for duty in ["answering data subjects", "withdrawals of consent", "to a court", "add --yes"] {
        assert!(told.contains(duty), "{duty}: {told}");
    }
    assert!(old("2019-q3.key").exists());
    assert_eq!(entries(&folder).len(), 1);

    let (code, told, error) = destroy("2019-q3", &[&why[..], &["--yes"]].concat());
    assert_eq!(code, 0, "{told} {error}");
    assert!(!old("2019-q3.key").exists() && old("2019-q3.destroyed").exists());
    let (action, period, said) = newest(&folder);
    assert_eq!((action, period.as_deref()), (Action::KeyDestroy, Some("2019-q3")));
    assert!(said.ends_with(": retention is over"), "{said}");
    assert_eq!(destroy("2019-q3", &[&why[..], &["--yes"]].concat()).0, 1, "it is gone");
    let (_, table, _) = on_node(&folder, &["list"]);
    assert!(table.contains("destroyed"), "{table}");
    assert_eq!(on_node(&folder, &["check"]).0, 0);
}

#[test]
fn a_retention_below_its_floor_is_a_mistake() {
    let folder = bare();
    for (retention, code) in [
        ("{online_months: 11}", 1),
        ("{breach_years: 4}", 1),
        ("{online_months: 12, breach_years: 5}", 0),
        ("{online_months: 24}", 0),
        ("{years: 5}", 1),
    ] {
        let text = format!("{CONFIG}  retention: {retention}\n");
        fs::write(folder.path().join("gateway.yaml"), text).expect("written");
        let (answered, told, _) = on_node(&folder, &["list"]);
        assert_eq!(answered, code, "{retention}: {told}");
    }
}

const ADAPTERS: &str = "
data_dir: state
seal_key_file: seal.key
gateway: {url: 'https://127.0.0.1:9', client: VN/GOV/H29/BUS, certificate_file: tls.pem, key_file: tls.key}
ndc: {signature: {kind: jws, certificate_file: ndc.pem, key_file: ndc.key}}
flows: []
";

const PACKAGES: &str = "
data_dir: state-packages
own: H29.20
signing: {certificate_file: sign.pem, key_file: sign.key}
decryption: {certificate_file: open.pem, key_file: open.key}
";

/// Configurations of adapters and packages whose keys are not there yet.
fn elsewhere() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("adapters.yaml"), ADAPTERS).expect("written");
    fs::write(folder.path().join("packages.yaml"), PACKAGES).expect("written");
    folder
}

/// What the command tells of both configurations.
fn look(folder: &TempDir, what: &str) -> (i32, Value) {
    let both = [what, "--adapters", "adapters.yaml", "--packages", "packages.yaml", "--json"];
    let (code, told, error) = run(folder.path(), &both);
    (code, serde_json::from_str(&told).unwrap_or_else(|_| panic!("{told} {error}")))
}

/// Makes the keys by the command, and a certificate for each that has one.
fn make_keys(folder: &TempDir) {
    for (purpose, file) in [
        ("adapters", "tls"),
        ("ndc-signature", "ndc"),
        ("package-signature", "sign"),
        ("package-decryption", "open"),
    ] {
        let key = format!("{file}.key");
        let (code, told, error) =
            run(folder.path(), &["new", purpose, "--name", "city.example", "--out", &key]);
        assert_eq!(code, 0, "{told} {error}");
        let subject = "req -x509 -new -days 60 -subj /CN=city.example";
        openssl(folder, &format!("{subject} -key {key} -out {file}.pem"));
    }
    assert_eq!(run(folder.path(), &["new", "outbox-seal", "--out", "seal.key"]).0, 0);
}

fn openssl(folder: &TempDir, arguments: &str) -> String {
    let mut command = Command::new("openssl");
    let done = command.args(arguments.split(' ')).current_dir(folder.path()).output();
    let done = done.expect("openssl runs");
    assert!(done.status.success(), "{arguments}");
    String::from_utf8(done.stdout).expect("a text")
}

#[test]
fn keys_of_the_adapters_and_of_packages_that_are_missing_are_told() {
    let folder = elsewhere();
    let (code, told) = look(&folder, "check");
    assert_eq!((code, &told["sound"], &told["secrets"]), (1, &false.into(), &5.into()), "{told}");
    let findings = told["findings"].as_array().expect("a list");
    let settings: Vec<_> = findings.iter().filter_map(|found| found["setting"].as_str()).collect();
    let expected = [
        "gateway.key_file",
        "seal_key_file",
        "ndc.signature.key_file",
        "signing.key_file",
        "decryption.key_file",
    ];
    assert_eq!(settings, expected);
    let remedy = findings[3]["remedy"].as_str();
    assert_eq!(remedy, Some("lienthong keys new package-signature --name … --out …"));
    // No configuration at all, and one in the place of another.
    assert_eq!(run(folder.path(), &["list"]).0, 2);
    let (code, told, error) = run(folder.path(), &["check", "--packages", "adapters.yaml"]);
    assert!(code != 0 && told.contains("unknown key"), "{code} {told} {error}");
}

#[test]
fn keys_of_the_adapters_and_of_packages_are_made_checked_and_listed() {
    let folder = elsewhere();
    make_keys(&folder);
    let (code, told) = look(&folder, "check");
    assert_eq!((code, &told["findings"]), (0, &Value::Array(Vec::new())), "{told}");
    let (code, told) = look(&folder, "list");
    let listed: Vec<_> = told.as_array().expect("a list").iter().collect();
    assert_eq!((code, listed.len()), (0, 5), "{told}");
    assert!(listed.iter().all(|one| one["state"] == "current" && one["mode"] == "0600"), "{told}");
    let fingerprint = openssl(&folder, "x509 -noout -fingerprint -sha256 -in sign.pem");
    let id = listed[3]["id"].as_str().expect("an id").to_uppercase();
    assert!(fingerprint.replace(':', "").trim().ends_with(&id), "{fingerprint} {id}");

    // Beside the gateway's.
    let node = node();
    let adapters = folder.path().join("adapters.yaml").display().to_string();
    let (code, told, error) = on_node(&node, &["check", "--adapters", &adapters]);
    assert_eq!(code, 0, "{told} {error}");
    for purpose in ["adapters", "ndc-signature", "package-signature", "package-decryption"] {
        assert_eq!(on_node(&node, &["rotate", purpose]).0, 1, "{purpose}");
    }
}
