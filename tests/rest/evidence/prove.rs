//! `lienthong evidence prove` of data subjects and single values, and `verify-proof`.

use std::{fs, path::Path};

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use super::{EXCHANGE, NUMBER, digest_keys, log, run, run_with};

const COPY: [&str; 5] = ["prove", "evidence", "--copy", "--key", "key"];

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

#[test]
fn everything_about_a_data_subject_is_proven_without_the_log() {
    let folder = log();
    digest_keys(folder.path());
    let person = ["--digest-keys", "keys", "--subject", "citizen_number", "--out", "proofs"];
    let (code, told, noted) = run_with(folder.path(), &[&COPY[..], &person].concat(), NUMBER);
    assert_eq!(code, 0, "{noted}");
    assert!(!told.contains(NUMBER));
    let proofs = folder.path().join("proofs");
    let list = read(&proofs.join("proofs.json"));
    assert_eq!(list["exchanges"].as_array().map(Vec::len), Some(2), "{list}");
    assert_eq!(list["entries_not_signed_yet"], 0);
    fs::remove_dir_all(folder.path().join("evidence")).expect("removed");
    let verify = || run(folder.path(), &["verify-proof", "proofs/proofs.json", "--key", "key"]);
    let (code, told) = verify();
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("4 entries proven; 2 exchanges about the data subject"), "{told}");
    let one = ["verify-proof", "proofs/2.tlog-proof", "proofs/3.tlog-proof", "--key", "key"];
    assert_eq!(run(folder.path(), &one).0, 0);
    // Someone whom only the sidecar names.
    assert_eq!(list["exchanges"][0]["entries"][2]["sidecar_proof"], "2.sidecar-proof");
    let sidecar = fs::read_to_string(proofs.join("2.sidecar-proof")).expect("a proof");
    let cut: String = sidecar.lines().take(4).map(|line| format!("{line}\n")).collect();
    fs::write(proofs.join("2.sidecar-proof"), cut).expect("written");
    assert_eq!(verify().0, 1);
    fs::write(proofs.join("2.sidecar-proof"), sidecar).expect("written");
    // Another person's list, an entry that was changed, a proof of another entry.
    let text = fs::read_to_string(proofs.join("proofs.json")).expect("a list");
    let of = list["subject"][0]["digest"].as_str().expect("a digest");
    let other = text.replace(of, "GNzZY_gUKZCYgT0juupenQ");
    fs::write(proofs.join("proofs.json"), other).expect("written");
    assert_eq!(verify().0, 1);
    fs::write(proofs.join("proofs.json"), &text).expect("written");
    let entry = fs::read_to_string(proofs.join("0.entry.json")).expect("an entry");
    fs::write(proofs.join("0.entry.json"), entry.replace("H29.40", "H29.41")).expect("written");
    assert_eq!(verify().0, 1);
    fs::write(proofs.join("0.entry.json"), &entry).expect("written");
    assert_eq!(verify().0, 0);
    fs::copy(proofs.join("1.tlog-proof"), proofs.join("2.tlog-proof")).expect("copied");
    assert_eq!(verify().0, 1);
}

#[test]
fn one_value_is_opened_and_no_other() {
    let folder = log();
    digest_keys(folder.path());
    let field = |at: &str| {
        let value =
            ["--exchange", EXCHANGE, "--field", at, "--digest-keys", "keys", "--out", "proofs"];
        run(folder.path(), &[&COPY[..], &value].concat())
    };
    let (code, told) = field("/HoVaTen");
    assert_eq!(code, 0, "{told}");
    let proofs = folder.path().join("proofs");
    let opening = read(&proofs.join("2.field-1.json"));
    let salt = fs::read(proofs.join(opening["salt"].as_str().expect("a name"))).expect("a salt");
    // What the golden entries say of every value.
    let hash = digest(&SHA256, &[salt.as_slice(), b"{}"].concat());
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(opening["sha256"], hex);
    let entry = read(&proofs.join("2.entry.json"));
    assert_eq!(entry["fields"][1]["value"], opening["commitment"]);
    assert_eq!(entry["fields"][1]["at"], "/HoVaTen");
    assert_eq!(field("/DiaChi").0, 1);
}
