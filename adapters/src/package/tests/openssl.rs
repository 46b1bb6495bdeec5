//! The command line of OpenSSL, tar and gzip open our packages, and make packages that we take.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::*;

/// Runs a program in a folder; gives what it wrote.
fn run(folder: &Path, program: &str, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new(program);
    let command = command.args(arguments).current_dir(folder);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
    output.stdout
}

#[tokio::test]
async fn openssl_opens_and_checks_a_package_by_itself() {
    let world = World::new().await;
    let file = world.package().await;
    let folder = world.path("by-hand");
    fs::create_dir(&folder).unwrap();
    run(&folder, "tar", &["xf", &file.display().to_string()], b"");
    let names = ["data-0001.p7m", "manifest.json", "manifest.p7s", "schema.json"];
    assert_eq!(world.names("by-hand"), names);
    let verify = "cms -verify -binary -inform DER -in manifest.p7s -content manifest.json \
                  -CAfile ../ca.pem -purpose any -out verified.json";
    let verify: Vec<&str> = verify.split_whitespace().collect();
    run(&folder, "openssl", &verify, b"");
    let manifest = fs::read(folder.join("manifest.json")).unwrap();
    assert_eq!(fs::read(folder.join("verified.json")).unwrap(), manifest);
    let decrypt = "cms -decrypt -binary -inform DER -in data-0001.p7m -recip ../city-open.pem \
                   -inkey ../city-open.key";
    let decrypt: Vec<&str> = decrypt.split_whitespace().collect();
    let gzip = run(&folder, "openssl", &decrypt, b"");
    let plain = run(&folder, "gzip", &["-dc"], &gzip);
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let part = &manifest["parts"][0];
    let digest = String::from_utf8(run(&folder, "sha256sum", &[], &plain)).unwrap();
    assert_eq!(digest.split(' ').next(), part["plain_sha256"].as_str());
    let member = String::from_utf8(run(&folder, "sha256sum", &["data-0001.p7m"], b"")).unwrap();
    assert_eq!(member.split(' ').next(), part["sha256"].as_str());
    let text = String::from_utf8(plain).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), &lines[0]["part"]), (7, &Value::from(1)));
    assert_eq!(lines[1]["name"], CANARY);
    // Changed, it does not verify there either.
    fs::write(folder.join("manifest.json"), b"{}").unwrap();
    let refused = Command::new("openssl").args(&verify).current_dir(&folder).output().unwrap();
    assert!(!refused.status.success());
}

/// A package that is made without a line of ours.
fn by_hand(world: &World, cipher: &str) -> PathBuf {
    let folder = world.path("by-hand");
    fs::create_dir(&folder).unwrap();
    let id = "3f0c2f5e-8a1b-4c3d-9e2f-0123456789ab";
    let salt = String::from_utf8(run(&folder, "openssl", &["rand", "-hex", "32"], b"")).unwrap();
    let plain = format!(
        "{{\"package\":\"{id}\",\"part\":1,\"salt\":\"{}\"}}\n\
         {{\"code\":\"BD-9\",\"ward\":\"25744\",\"day\":\"2025-01-31\"}}\n",
        salt.trim()
    );
    let gzip = run(&folder, "gzip", &["-9c"], plain.as_bytes());
    fs::write(folder.join("part.gz"), &gzip).unwrap();
    let encrypt = format!(
        "cms -encrypt -binary {cipher} -outform DER -in part.gz -out data-0001.p7m ../city-open.pem"
    );
    run(&folder, "openssl", &encrypt.split_whitespace().collect::<Vec<_>>(), b"");
    fs::write(folder.join("schema.json"), SCHEMA).unwrap();
    let sha256 = |name: &str| {
        let told = String::from_utf8(run(&folder, "sha256sum", &[name], b"")).unwrap();
        told.split(' ').next().unwrap().to_owned()
    };
    let size = |name: &str| folder.join(name).metadata().unwrap().len();
    fs::write(folder.join("plain"), &plain).unwrap();
    let manifest = format!(
        r#"{{
  "format": 1, "package": "{id}", "dataset": "cases", "title": "Hồ sơ đã số hóa",
  "sender": "H09.12",
  "recipients": [{{"participant": "H29.20", "certificate": "{}"}}],
  "agreement": "bd-cases", "legal_basis": "Luật 91/2025/QH15, Điều 17",
  "purpose": "reorganisation", "classes": ["basic"], "created_at": "2026-11-29T00:00:00Z",
  "as_of": "2025-06-30", "wards": "dated", "records": 1,
  "schema": {{"bytes": {}, "sha256": "{}"}},
  "parts": [{{"name": "data-0001.p7m", "records": 1, "bytes": {}, "sha256": "{}",
    "gzip_bytes": {}, "plain_bytes": {}, "plain_sha256": "{}"}}]
}}
"#,
        world.fingerprint("city-open"),
        size("schema.json"),
        sha256("schema.json"),
        size("data-0001.p7m"),
        sha256("data-0001.p7m"),
        size("part.gz"),
        size("plain"),
        sha256("plain"),
    );
    fs::write(folder.join("manifest.json"), manifest).unwrap();
    let sign = "cms -sign -binary -outform DER -md sha256 -in manifest.json -out manifest.p7s \
                -signer ../province-sign.pem -inkey ../province-sign.key";
    run(&folder, "openssl", &sign.split_whitespace().collect::<Vec<_>>(), b"");
    let pack = "cf ../by-hand.tar manifest.json manifest.p7s schema.json data-0001.p7m";
    run(&folder, "tar", &pack.split_whitespace().collect::<Vec<_>>(), b"");
    world.path("by-hand.tar")
}

#[tokio::test]
async fn a_package_that_openssl_made_is_received() {
    let world = World::new().await;
    let received = world.receive(&by_hand(&world, "-aes-256-gcm")).await.unwrap();
    let table = fs::read_to_string(received.folder.join("records-0001.csv")).unwrap();
    assert_eq!(table.lines().nth(1), Some(r#""BD-9","2025-01-31",,,"25750","25744""#));
    // The receipt is one that OpenSSL believes.
    let folder = received.folder;
    let verify =
        "cms -verify -binary -inform DER -in receipt.p7m -CAfile ../../ca.pem -purpose any";
    let receipt = run(&folder, "openssl", &verify.split_whitespace().collect::<Vec<_>>(), b"");
    let receipt: Value = serde_json::from_slice(&receipt).unwrap();
    assert_eq!(
        (&receipt["taken"], &receipt["receiver"]),
        (&Value::from(1), &Value::from("H29.20"))
    );
}

#[tokio::test]
async fn a_package_of_an_older_openssl_without_gcm_is_received() {
    let world = World::new().await;
    let received = world.receive(&by_hand(&world, "-aes-256-cbc")).await.unwrap();
    assert_eq!(received.taken, 1);
}
