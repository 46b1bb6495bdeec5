//! What is durable stays so over an end of the process, and a registry that was put back is not
//! believed.

use std::{fs, path::Path};

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::desk::{Desk, NUMBER, give, path, refused, search, statement};
use crate::data_path::harness::{Ask, Evidence, Setup, World, admin};

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
    let answer = desk.change(&id, "withdraw").await;
    refused(&answer, ReasonCode::EvidenceUnavailable);
    // It counts all the same: nothing takes a withdrawal back.
    assert_eq!(desk.record(&id).await["state"], "withdrawn");
    let ready = admin(desk.world.directory.path(), "GET", "/ready").await.text();
    assert!(ready.contains("wait to be written to the evidence"), "{ready}");
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    assert_eq!(Evidence::read(desk.world.directory.path()).of("consent").len(), 1);
    desk.world.edit("gateway.yaml", "  amber_percent: 1\n  red_percent: 1\n", "");
    desk.restart().await;
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

#[tokio::test]
async fn a_registry_that_was_put_back_is_not_believed() {
    let mut desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    let data = desk.world.directory.path().join("data");
    let backup = desk.world.directory.path().join("backup");
    copy(&data, &backup);
    desk.restart().await;
    desk.change(&id, "withdraw").await;
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    for entry in fs::read_dir(&data).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_file() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    copy(&backup, &data);
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
