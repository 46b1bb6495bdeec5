//! What is recorded: once, durably, and in the evidence before it is acknowledged.

use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::desk::{
    Desk, NUMBER, changed, give, of_child, refused, search, statement, strict, with,
};

#[tokio::test]
async fn a_consent_is_recorded_and_in_the_evidence() {
    let mut desk = Desk::new().await;
    let answer = desk.ask(&give("counter", &statement())).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let given = answer.json();
    assert_eq!(given["state"], "given");
    let id = given["id"].as_str().unwrap();
    let location = format!("/v1/service/consent-records/{id}");
    assert_eq!(answer.header("location"), Some(location.as_str()));
    let tag = format!("\"{}\"", given["revision"]);
    assert_eq!(answer.header("etag"), Some(tag.as_str()));
    let record = desk.record(id).await;
    assert_eq!(record["dpv:hasRecipient"], json!(["T01.21"]));
    assert_eq!(
        record["dpv:hasPersonalData"],
        json!(["findPerson/200/born", "findPerson/200/name"])
    );
    assert_eq!(record["collector"], "counter");
    let evidence = desk.world.evidence().await;
    let entry = evidence.only("consent");
    assert_eq!((&entry["action"], &entry["consent"]), (&json!("give"), &json!(id)));
    assert_eq!((&entry["collector"], &entry["channel"]), (&json!("counter"), &json!("officer")));
    assert_eq!(entry["revision"], given["revision"]);
    assert_eq!(entry["recipients"], json!(["T01.21"]));
}

#[tokio::test]
async fn a_refusal_is_recorded_whoever_the_person_is() {
    let desk = Desk::new().await;
    let no = [("/decision", json!("refuse"))];
    assert_eq!(desk.given(&with(&no)).await["state"], "refused");
    // A child says no alone, and without an account.
    let child = changed(
        &strict(),
        &[
            ("/decision", json!("refuse")),
            ("/birth_date", json!("2016-02-03")),
            ("/account_level", Value::Null),
        ],
    );
    assert_eq!(desk.given(&child).await["state"], "refused");
}

#[tokio::test]
async fn what_the_stricter_agreement_asks_for_is_recorded() {
    let desk = Desk::new().await;
    assert_eq!(desk.given(&strict()).await["state"], "given");
    let id = desk.given(&of_child()).await["id"].as_str().unwrap().to_owned();
    let record = desk.record(&id).await;
    assert_eq!(record["dpv:isIndicatedBy"], "representative");
    assert_eq!((&record["child"], &record["relationship"]), (&json!(true), &json!("mother")));
}

#[tokio::test]
async fn under_one_key_nothing_is_recorded_twice() {
    let mut desk = Desk::new().await;
    let keyed = |statement: &Value| {
        give("counter", statement).header("idempotency-key", "desk-4-2026-11-29-17")
    };
    let first = desk.ask(&keyed(&statement())).await.json();
    let again = desk.ask(&keyed(&statement())).await;
    assert_eq!(again.status, 201, "{}", again.text());
    let again = again.json();
    assert_eq!((&again["id"], &again["revision"]), (&first["id"], &first["revision"]));
    // The same key for something else, and for another collector.
    let other = with(&[("/retention_days", json!(29))]);
    refused(&desk.ask(&keyed(&other)).await, ReasonCode::ConsentState);
    let elsewhere = desk.ask(&keyed(&statement()).certificate("clinic-counter")).await;
    refused(&elsewhere, ReasonCode::ConsentOwnFavour);
    let found = desk.ask(&search("counter", NUMBER)).await.json();
    assert_eq!(found["consent_records"].as_array().unwrap().len(), 1);
    assert_eq!(desk.world.evidence().await.of("consent").len(), 1);
}
