//! `lienthong consent` against a running gateway.

use std::{
    io::Write as _,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value;

use super::desk::{Desk, NUMBER, changed, profile, statement};
use crate::data_path::harness::lienthong;

/// Runs a command with something on its standard input.
fn run(profile: &Path, arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut command = lienthong();
    command.arg("consent").args(arguments).arg("--profile").arg(profile);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_is_given_looked_at_withdrawn_and_its_receipt_verifies() {
    let desk = Desk::new().await;
    let profile = profile(&desk, "counter");
    let folder = desk.world.directory.path();
    let receipt = folder.join("receipt.jws");
    let receipt = receipt.to_str().unwrap();
    let given = ["give", "--statement", "-", "--receipt", receipt, "--json"];
    let (code, told, wrong) = run(&profile, &given, &statement().to_string());
    assert_eq!(code, 0, "{wrong}");
    let given: Value = serde_json::from_str(&told).unwrap();
    let id = given["id"].as_str().unwrap();
    let (code, told, _) = run(&profile, &["show", id], "");
    assert_eq!(code, 0);
    assert!(told.contains("consent_work") && told.contains("given"), "{told}");
    let (code, told, _) = run(&profile, &["list", "--subject", "citizen_number"], NUMBER);
    assert_eq!(code, 0);
    assert!(told.contains(id) && !told.contains(NUMBER), "{told}");
    let (code, told, _) = run(&profile, &["withdraw", id, "--channel", "officer"], "");
    assert_eq!((code, told.contains("withdrawn")), (0, true), "{told}");
    let (code, _, wrong) = run(&profile, &["withdraw", id, "--channel", "officer"], "");
    assert_eq!(code, 1);
    assert!(wrong.contains("consent.state") && wrong.contains("new consent"), "{wrong}");
    let (code, told, _) = run(&profile, &["history", id], "");
    assert_eq!((code, told.lines().count()), (0, 2), "{told}");
    let keys =
        desk.ask(&crate::data_path::harness::Ask::get("counter", "/.well-known/jwks.json")).await;
    let jwks = folder.join("jwks.json");
    std::fs::write(&jwks, &keys.body).unwrap();
    let jwks = jwks.to_str().unwrap();
    let (code, told, wrong) = run(&profile, &["receipt", "--verify", receipt, "--jwks", jwks], "");
    assert_eq!(code, 0, "{told}{wrong}");
    let text = std::fs::read_to_string(receipt).unwrap();
    let forged = text.replacen('e', "f", 1);
    let (code, _, _) = run(&profile, &["receipt", "--verify", "-", "--jwks", jwks], &forged);
    assert_eq!(code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_has_its_own_exit_code_and_says_what_to_do() {
    let desk = Desk::new().await;
    let profile = profile(&desk, "counter");
    let other = changed(&statement(), &[("/purpose", "unheard_of".into())]);
    let (code, _, wrong) = run(&profile, &["give", "--statement", "-"], &other.to_string());
    assert_eq!(code, 1);
    assert!(wrong.contains("consent.no_agreement") && wrong.contains("policy explain"), "{wrong}");
    assert!(!wrong.contains(NUMBER));
    let (code, _, _) = run(&profile, &["list", "--subject", "citizen_number"], NUMBER);
    assert_eq!(code, 1);
    let (code, _, wrong) = run(&profile, &["show", NUMBER], "");
    assert_eq!(code, 2);
    assert!(!wrong.contains(NUMBER));
    let (code, told, _) = run(&profile, &["notices"], "");
    assert_eq!(code, 0);
    assert!(told.contains("clinic-notice"), "{told}");
    let nowhere = desk.world.directory.path().join("nowhere.yaml");
    let (code, _, _) = run(&nowhere, &["notices"], "");
    assert_eq!(code, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_is_exercised_and_a_participant_acknowledges() {
    let desk = Desk::new().await;
    desk.used_by_clinic().await;
    let (counter, clinic) = (profile(&desk, "counter"), profile(&desk, "clinic"));
    let subject = ["--subject", "citizen_number"];
    let open = ["rights", "open", "--right", "delete", "--service", "people", "--channel"];
    let open = [&open[..], &["officer", "--json"], &subject].concat();
    let (code, told, wrong) = run(&counter, &open, NUMBER);
    assert_eq!(code, 0, "{wrong}");
    let opened: Value = serde_json::from_str(&told).unwrap();
    let id = opened["id"].as_str().unwrap();
    let (code, told, _) = run(&counter, &[&["rights", "list"], &subject[..]].concat(), NUMBER);
    assert_eq!((code, told.contains(id), told.contains(NUMBER)), (0, true, false));
    let (code, _, _) = run(&counter, &["rights", "due"], "");
    assert_eq!(code, 1);
    let (code, told, _) = run(&counter, &["rights", "due", "--until", "2999-12-31"], "");
    assert_eq!((code, told.contains(id)), (0, true));
    let (code, _, wrong) = run(&counter, &["rights", "fulfil", id], "");
    assert_eq!((code, wrong.contains("consent.state")), (1, true), "{wrong}");
    for step in ["acknowledge", "fulfil"] {
        let (code, told, wrong) = run(&counter, &["rights", step, id], "");
        assert_eq!(code, 0, "{told}{wrong}");
    }
    desk.told(1).await;
    let out = desk.world.directory.path().join("notices.json");
    let list = ["participant-notices", "list", "--json", "--out", out.to_str().unwrap()];
    let (code, told, wrong) = run(&clinic, &list, "");
    assert_eq!((code, told.contains(NUMBER)), (0, false), "{wrong}");
    assert!(std::fs::read_to_string(&out).unwrap().contains(NUMBER));
    let notices: Value = serde_json::from_str(&told).unwrap();
    let notice = notices["notices"][0]["id"].as_str().unwrap();
    let acknowledge = ["participant-notices", "acknowledge", notice, "--handled", "deleted"];
    let (code, told, _) = run(&clinic, &acknowledge, "");
    assert_eq!((code, told.contains("deleted")), (0, true), "{told}");
    let (code, _, _) = run(&clinic, &["participant-notices", "list"], "");
    assert_eq!(code, 1);
    let (code, told, _) = run(&counter, &["rights", "show", id], "");
    assert_eq!((code, told.contains("T01.21  deleted")), (0, true), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_view_verify_and_a_changed_one_does_not() {
    let mut desk = Desk::new().await;
    desk.used_by_clinic().await;
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    desk.restart().await;
    let profile = profile(&desk, "counter");
    let folder = desk.world.directory.path().join("proofs");
    let out = folder.to_str().unwrap();
    let (code, told, wrong) =
        run(&profile, &["disclosures", "--subject", "citizen_number", "--out", out], NUMBER);
    assert_eq!(code, 0, "{wrong}");
    assert!(told.contains("clinic") && !told.contains(NUMBER), "{told}");
    let key = desk.world.directory.path().join("log.pub");
    let public = crate::data_path::harness::Evidence::key(desk.world.directory.path());
    std::fs::write(&key, public.to_string()).unwrap();
    let verify = || {
        let command = &mut lienthong();
        command.args(["evidence", "verify-proof"]).arg(folder.join("proofs.json"));
        command.arg("--key").arg(&key).output().unwrap().status.code()
    };
    assert_eq!(verify(), Some(0));
    let entry = folder.join("1.entry.json");
    let mut bytes = std::fs::read(&entry).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&entry, bytes).unwrap();
    assert_eq!(verify(), Some(1));
}
