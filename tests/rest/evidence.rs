//! `lienthong evidence`: the built program on logs made by the evidence crate.

mod anchors;
mod archive;
mod export;
mod prove;
mod search;

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use lienthong_evidence::{
    entry::{DigestKey, Domain, Entry, ExchangeId, Period},
    log::{Closing, Log, Settings},
    note::{Signer, Verifier},
    proof::Proof,
    sidecar::SidecarWriter,
};
use lienthong_model::sensitive::Sensitive;
use serde_json::Value;
use tempfile::TempDir;

const GOLDEN: &str = include_str!("../../gateway/evidence/tests/evidence/entries.jsonl");
const EXCHANGE: &str = "018f3c5e-8d2a-4c1b-9e77-0123456789ab";
const OTHER: &str = "018f3c5e-8d2a-4c1b-9e77-0123456789ac";

fn signer() -> Signer {
    Signer::from_seed("log.example/node-1", Sensitive::new([7; 32])).expect("a key")
}

/// The key that made the digests in the golden entries.
fn digest_key() -> DigestKey {
    DigestKey::new(Period::new("2026-q4").expect("a period"), &Sensitive::new([3; 32]))
}

/// The golden outcome, with a sidecar that is there: the answer was about 600 people.
fn outcome(directory: &Path, golden: &str) -> String {
    let mut writer = SidecarWriter::begin(directory, ExchangeId::parse(EXCHANGE).expect("an id"));
    for number in 0..600 {
        let identifier = format!("079000000{number:03}");
        let digest = digest_key().digest(Domain::DataSubject("citizen_number"), &identifier);
        writer.add(digest).expect("room");
    }
    let sealed = writer.finish().expect("sealed").expect("a sidecar");
    let Ok(Entry::Outcome(mut outcome)) = Entry::decode(golden.as_bytes()) else { panic!() };
    outcome.subjects.clear();
    (outcome.sidecar, outcome.sidecar_size) = (Some(sealed.root), Some(sealed.size));
    String::from_utf8(Entry::Outcome(outcome).encode()).expect("UTF-8")
}

/// A log with a whole exchange and an intent without an outcome, and the key beside it.
fn log() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let closing = Closing::new(|_| b"never".to_vec());
    let directory = folder.path().join("evidence");
    let (log, _) = Log::open(Settings::new(directory.clone(), signer(), closing)).expect("a log");
    let lines: Vec<&str> = GOLDEN.lines().collect();
    let intent = lines[0].replace(EXCHANGE, OTHER);
    let outcome = outcome(&directory, lines[2]);
    for entry in [lines[0], lines[1], &outcome, &intent] {
        let queued = log.append(entry.as_bytes()).expect("taken");
        assert!(queued.wait().is_ok());
    }
    fs::write(folder.path().join("key"), signer().verifier().to_string()).expect("written");
    folder
}

/// Exit code and what the program printed.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let (code, told, _) = run_with(folder, arguments, "");
    (code, told)
}

/// Exit code, and what the program printed on both channels, when it is given this input.
fn run_with(folder: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_lienthong"))
        .args(["--lang", "en", "evidence"])
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    // A program that refuses its arguments reads nothing.
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).ok();
    let Output { status, stdout, stderr } = child.wait_with_output().expect("the program ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code().expect("an exit code"), text(stdout), text(stderr))
}

/// The identifier of nobody that the golden entries are about.
const NUMBER: &str = "079000000001";

/// Writes the key of digests that made the golden entries.
fn digest_keys(folder: &Path) {
    fs::create_dir(folder.join("keys")).expect("a folder");
    let path = folder.join("keys/2026-q4.key");
    let mut file =
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).expect("a file");
    file.write_all("03".repeat(32).as_bytes()).expect("written");
}

#[test]
fn a_good_log_is_verified_and_the_lack_of_an_anchor_told() {
    let folder = log();
    let (code, told) = run(folder.path(), &["verify", "evidence", "--key", "key"]);
    assert_eq!(code, 0, "{told}");
    for part in ["4 entries", "2 exchanges permitted, 1 without", "no anchor", "the log is good"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let anchored =
        ["verify", "evidence", "--key", "key", "--against", "evidence/checkpoint", "--json"];
    let (code, told) = run(folder.path(), &anchored);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["verified"], &told["anchors"][0]), (0, &true.into(), &4.into()));
    assert_eq!(told["open"], Value::from(vec![3]));
}

/// Puts a seal and a time stamp on the newest checkpoint with the `openssl` program; the authority
/// is `ca.pem`.
fn stamp(folder: &Path, size: u64) {
    let to = folder.join(format!("evidence/stamps/{size}"));
    fs::create_dir_all(&to).expect("a folder");
    fs::copy(folder.join("evidence/checkpoint"), to.join("checkpoint")).expect("copied");
    let request = "[req]\ndistinguished_name = name\n[name]\n";
    let service = "[tsa]\ndefault_tsa = here\n[here]\nserial = serial\nsigner_digest = sha256\n\
        default_policy = 1.2.3.4.1\ndigests = sha256\n";
    fs::write(folder.join("request.cnf"), request).expect("written");
    fs::write(folder.join("service.cnf"), service).expect("written");
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config request.cnf \
               -days 20000 -subj /CN=example -addext";
    let stamps = to.display();
    for command in [
        format!("{new} basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem"),
        format!(
            "{new} extendedKeyUsage=critical,timeStamping -keyout tsa.key -out tsa.pem -CA ca.pem \
             -CAkey ca.key"
        ),
        format!(
            "cms -sign -binary -md sha256 -in {stamps}/checkpoint -signer tsa.pem -inkey tsa.key \
             -outform DER -out {stamps}/checkpoint.cms"
        ),
        format!("ts -query -data {stamps}/checkpoint -sha256 -cert -out query.tsq"),
        format!(
            "ts -reply -config service.cnf -queryfile query.tsq -signer tsa.pem -inkey tsa.key \
             -out {stamps}/checkpoint.tsr"
        ),
    ] {
        let mut openssl = Command::new("openssl");
        openssl.args(command.split_whitespace()).current_dir(folder);
        let ran = openssl.output().expect("the program `openssl`");
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

#[test]
fn seals_and_time_stamps_are_judged_with_the_log() {
    let folder = log();
    stamp(folder.path(), 4);
    let command = ["verify", "evidence", "--key", "key", "--ca", "ca.pem"];
    let (code, told) = run(folder.path(), &command);
    assert_eq!(code, 0, "{told}");
    for part in ["good stamps: 1 seals, 1 time stamps", "4 entries were there at", "no anchor"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (_, told) = run(folder.path(), &command[..4]);
    assert!(told.contains("not known without `--ca`"), "{told}");
    // An authority of the same name, and a stamp of something else.
    let path = folder.path().join("evidence/stamps/4/checkpoint.cms");
    let seal = fs::read(&path).expect("the seal");
    stamp(folder.path(), 4);
    fs::write(&path, seal).expect("written");
    let (code, told) = run(folder.path(), &command);
    assert_eq!(code, 1, "{told}");
    assert!(told.starts_with("stamps/4: signature") || told.contains("\nstamps/4: signature"));
    assert!(told.contains("THE LOG IS NOT GOOD"), "{told}");
}

#[test]
fn a_tampered_copy_is_rejected_with_the_place() {
    let folder = log();
    let bundle = folder.path().join("evidence/tile/entries/000.p/4");
    let mut bytes = fs::read(&bundle).expect("the bundle");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&bundle, bytes).expect("written");
    let (code, told) = run(folder.path(), &["verify", "evidence", "--key", "key"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.starts_with("entry 3: "), "{told}");
    let (code, _) = run(folder.path(), &["verify", "evidence", "--key", "nowhere"]);
    assert_eq!(code, 3);
    let (code, _) = run(folder.path(), &["verify", "evidence"]);
    assert_eq!(code, 2);
}

#[test]
fn an_exchange_is_proven_with_files_that_verify_without_the_log() {
    let folder = log();
    let prove = |exchange: &str| {
        let arguments = [
            "prove",
            "evidence",
            "--copy",
            "--key",
            "key",
            "--exchange",
            exchange,
            "--out",
            "proofs",
        ];
        run(folder.path(), &arguments)
    };
    let (code, told) = prove(EXCHANGE);
    assert_eq!((code, told.lines().count()), (0, 6), "{told}");
    fs::remove_dir_all(folder.path().join("evidence")).expect("removed");
    let key = fs::read_to_string(folder.path().join("key")).expect("the key");
    let key = Verifier::parse(&key).expect("a key");
    for index in 0..3 {
        let file = |end: &str| folder.path().join(format!("proofs/{index}.{end}"));
        let proof = fs::read_to_string(file("tlog-proof")).expect("a proof");
        let entry = fs::read(file("entry.json")).expect("an entry");
        let proof = Proof::parse(&proof).expect("a proof");
        assert_eq!(proof.check(&entry, &key).expect("proven").size, 4);
    }
}

#[test]
fn what_is_not_in_the_log_is_not_proven() {
    let folder = log();
    let unknown = "018f3c5e-8d2a-4c1b-9e77-000000000000";
    let by = |arguments: &[&str]| {
        let all = [&["prove", "evidence", "--copy", "--key", "key"], arguments].concat();
        run(folder.path(), &all).0
    };
    assert_eq!(by(&["--exchange", unknown]), 1);
    assert_eq!(by(&["--index", "4"]), 1);
    assert_eq!(by(&["--exchange", "abc"]), 3);
    assert_eq!(by(&[]), 2);
}
