//! What is durable stays so over an end of the process, and a registry that was put back is not
//! believed.

use std::{fs, path::Path};

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::desk::{Desk, NUMBER, OTHER, change, give, path, refused, search, statement, with};
use crate::data_path::harness::{Answer, Ask, Evidence, Setup, World, admin, lienthong};

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let mut desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    desk.change(&id, "withdraw").await;
    desk.world.gateway.signal("KILL");
    desk.world.gateway.ended().await;
    desk.restart().await;
    assert_eq!(desk.record(&id).await["state"], "withdrawn");
    refused(&desk.change(&id, "withdraw").await, ReasonCode::ConsentState);
    let evidence = desk.world.evidence().await;
    assert_eq!(evidence.of("consent").len(), 2);
}

/// The registry has a change, and the log could not take its entry: it is written at the next start.
#[tokio::test]
async fn entries_that_are_missing_are_written_at_the_next_start() {
    let mut desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    // The log of a disk that is full takes nothing; the store is on another.
    desk.world.edit(
        "gateway.yaml",
        "  digest_keys:",
        "  amber_percent: 1\n  red_percent: 1\n  digest_keys:",
    );
    desk.restart().await;
    let withdraw = change("counter", &id, "withdraw").header("idempotency-key", "withdraw-17");
    refused(&desk.ask(&withdraw).await, ReasonCode::EvidenceUnavailable);
    // It counts all the same: nothing takes a withdrawal back.
    assert_eq!(desk.record(&id).await["state"], "withdrawn");
    let ready = admin(desk.world.directory.path(), "GET", "/ready").await.text();
    assert!(ready.contains("wait to be written to the evidence"), "{ready}");
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    assert_eq!(Evidence::read(desk.world.directory.path()).of("consent").len(), 1);
    desk.world.edit("gateway.yaml", "  amber_percent: 1\n  red_percent: 1\n", "");
    desk.restart().await;
    // Whoever was not told that it was done asks again, and is.
    assert_eq!(desk.ask(&withdraw).await.json()["state"], "withdrawn");
    let evidence = desk.world.evidence().await;
    let actions: Vec<_> = evidence.of("consent").iter().map(|e| e["action"].clone()).collect();
    assert_eq!(actions, [json!("give"), json!("withdraw")]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

async fn end(desk: &mut Desk) {
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
}

/// Ends the gateway and keeps a copy of its durable state, without the log.
async fn kept(desk: &mut Desk) {
    end(desk).await;
    let directory = desk.world.directory.path();
    copy(&directory.join("data"), &directory.join("backup"));
    desk.restart().await;
}

/// Ends the gateway and puts the copy back.
async fn put_back(desk: &mut Desk) {
    end(desk).await;
    let directory = desk.world.directory.path();
    for entry in fs::read_dir(directory.join("data")).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    copy(&directory.join("backup"), &directory.join("data"));
}

fn reconciled(desk: &Desk) -> (i32, String) {
    let mut command = lienthong();
    command.args(["store", "reconcile", "--json", "--why", "restored a copy", "--config"]);
    let output = command.arg(desk.world.directory.path().join("gateway.yaml")).output().unwrap();
    print!("{}", String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn a_registry_that_was_put_back_is_not_believed() {
    let mut desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    kept(&mut desk).await;
    desk.change(&id, "withdraw").await;
    put_back(&mut desk).await;
    desk.restart().await;
    let ready = admin(desk.world.directory.path(), "GET", "/ready").await.text();
    assert!(ready.contains("store reconcile"), "{ready}");
    for ask in [
        give("counter", &statement()),
        search("counter", NUMBER),
        Ask::get("counter", &path(&id, "")),
    ] {
        refused(&desk.ask(&ask).await, ReasonCode::FactsUnavailable);
    }
    refused(&desk.change(&id, "withdraw").await, ReasonCode::FactsUnavailable);
}

/// A restored copy revives nothing: neither what was withdrawn, nor what an older yes says of a person
/// who has said no since.
#[tokio::test]
async fn after_reconciling_nothing_holds_that_did_not_hold_before() {
    let mut desk = Desk::new().await;
    let mut ids = Vec::new();
    for number in [NUMBER, "001122334466", "001122334477"] {
        let given = desk.given(&with(&[("/data_subject/value", json!(number))])).await;
        ids.push(given["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(asked(&desk, NUMBER).await.status, 200);
    kept(&mut desk).await;
    desk.change(&ids[0], "withdraw").await;
    desk.change(&ids[1], "restrict").await;
    let no = [("/data_subject/value", json!("001122334477")), ("/decision", json!("refuse"))];
    let refusal = desk.given(&with(&no)).await["id"].as_str().unwrap().to_owned();
    let newer = desk.given(&with(&[("/data_subject/value", json!(OTHER))])).await;
    put_back(&mut desk).await;
    let (code, told) = reconciled(&desk);
    assert_eq!(code, 0, "{told}");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told, json!({"from": 3, "until": 9, "changes": 2, "lost": 2, "rights": 2}));
    desk.restart().await;
    let ready = admin(desk.world.directory.path(), "GET", "/ready").await.text();
    assert!(!ready.contains("reconcile"), "{ready}");
    assert_eq!(desk.record(&ids[0]).await["state"], "withdrawn");
    assert_eq!(desk.record(&ids[1]).await["state"], "restricted");
    assert_eq!(desk.record(&refusal).await["state"], "lost");
    assert_eq!(desk.record(newer["id"].as_str().unwrap()).await["state"], "lost");
    for number in [NUMBER, "001122334466", "001122334477", OTHER] {
        assert_eq!(asked(&desk, number).await.status, 403, "{number}");
    }
    // It goes on above the highest revision there was.
    let again = desk.given(&with(&[("/data_subject/value", json!(OTHER))])).await;
    assert_eq!(again["revision"], 10);
    assert_eq!(asked(&desk, OTHER).await.status, 200);
    let evidence = desk.world.evidence().await;
    let deed = evidence.only("administration");
    assert_eq!((&deed["action"], &deed["count"]), (&json!("reconcile"), &json!(6)));
    assert_eq!(deed["why"], "restored a copy");
    // With nothing to do it does nothing.
    let (code, told) = reconciled(&desk);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("\"from\": 10"), "{told}");
}

/// What the clinic asks about a person, on consent.
async fn asked(desk: &Desk, number: &str) -> Answer {
    let target = format!("/r1/VN/TEST/T01.10/REGISTRY/people/people?number={number}");
    let ask = Ask::get("clinic", &target)
        .header("x-road-client", "VN/TEST/T01.21/CLINIC")
        .header("lienthong-purpose", "consent_work");
    desk.world.ask(&ask).await
}

/// An agreement that rests on consents which nobody keeps would refuse everything, silently.
#[tokio::test]
async fn an_agreement_on_consent_without_the_settings_stops_the_start() {
    let agreement = include_str!("../world-consents/policies/agreements/clinic-consent.yaml");
    let mut setup = Setup::default();
    setup.files = setup.files.add("policies/agreements/clinic-consent.yaml", agreement);
    let (code, told) = World::refused(setup).await;
    assert_ne!(code, 0);
    assert!(told.contains("`clinic-consent` rests on consent"), "{told}");
    assert!(told.contains("subject_key_file"), "{told}");
}
