//! Exchanges that rest on consent: what the people they are about agreed to, and nothing else.

mod once;
mod stream;

use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::{
    consent_api::desk::{Desk, NUMBER, OTHER, statement, with},
    harness::{Ask, Files, PERSON, Reply, Setup, admin},
};

const PEOPLE: &str = "policies/services/people.yaml";

/// A look-up of a person by the clinic, on the strength of a consent.
fn look_up(number: &str) -> Ask {
    let target = format!("/r1/VN/TEST/T01.10/REGISTRY/people/people?number={number}");
    Ask::get("clinic", &target)
        .header("x-road-client", "VN/TEST/T01.21/CLINIC")
        .header("lienthong-purpose", "consent_work")
}

fn id(given: &Value) -> String {
    given["id"].as_str().unwrap().to_owned()
}

/// Checks that a look-up is refused for this reason, and that the provider hears nothing of it.
async fn refused(desk: &Desk, reason: ReasonCode) {
    desk.world.provider.forget();
    let answer = desk.world.ask(&look_up(NUMBER)).await;
    let record = desk.world.assert_refused(&answer, reason).await;
    assert_eq!(record["cites"], json!(["test-law#4", "sector-law#7"]));
    assert!(desk.world.provider.requests().is_empty(), "nobody asks the provider");
    assert!(!answer.text().contains("withdrawn"), "the reasons look the same outside");
}

#[tokio::test]
async fn every_way_of_not_having_consented_is_refused_and_looks_the_same() {
    let mut desk = Desk::new().await;
    refused(&desk, ReasonCode::ConsentNotGiven).await;
    // Another purpose is another matter.
    let desk_of = |desk: &Desk| desk.world.directory.path().to_owned();
    desk.given(&with(&[("/data_subject/value", json!(OTHER))])).await;
    refused(&desk, ReasonCode::ConsentNotGiven).await;
    desk.given(&with(&[("/decision", json!("refuse"))])).await;
    refused(&desk, ReasonCode::ConsentRefused).await;
    let first = id(&desk.given(&statement()).await);
    assert_eq!(desk.world.ask(&look_up(NUMBER)).await.status, 200);
    desk.change(&first, "restrict").await;
    refused(&desk, ReasonCode::ConsentRestricted).await;
    desk.change(&first, "release").await;
    assert_eq!(desk.world.ask(&look_up(NUMBER)).await.status, 200);
    desk.change(&first, "withdraw").await;
    refused(&desk, ReasonCode::ConsentWithdrawn).await;
    let second = id(&desk.given(&statement()).await);
    assert_eq!(desk.world.ask(&look_up(NUMBER)).await.status, 200);
    desk.change(&second, "object").await;
    refused(&desk, ReasonCode::ConsentObjected).await;
    let tomorrow =
        lienthong_model::clock::civil_date(super::harness::now()).tomorrow().unwrap().to_string();
    desk.given(&with(&[("/period/from", json!(tomorrow))])).await;
    refused(&desk, ReasonCode::ConsentExpired).await;
    let metrics = admin(&desk_of(&desk), "GET", "/metrics").await.text();
    assert!(!metrics.contains(NUMBER));
    // What was said of the reasons is in the evidence, each with its own.
    let evidence = desk.world.evidence().await;
    let reasons: Vec<&str> =
        evidence.of("refusal").iter().map(|entry| entry["reason"].as_str().unwrap()).collect();
    let known =
        ["not_given", "not_given", "refused", "restricted", "withdrawn", "objected", "expired"];
    assert_eq!(reasons, known.map(|name| format!("consent.{name}")));
    let answered = evidence.of("intent");
    assert_eq!(answered.len(), 3);
    assert_eq!(answered[0]["consents"], json!([first]));
    assert_eq!(answered[2]["consents"], json!([second]));
}

/// What leaves is what the agreement and the person both name.
#[tokio::test]
async fn no_more_leaves_than_the_person_agreed_to() {
    let mut desk = Desk::new().await;
    let body = r#"{"number":"001122334455","name":"An","born":"19900517","phone":"0900","ethnicity":"Kinh"}"#;
    desk.world.provider.answers(move |_| Reply::json("200 OK", body));
    for (fields, expected) in [
        (json!(["findPerson/200/name"]), json!({"name": "An"})),
        (
            json!(["findPerson/200/name", "findPerson/200/born"]),
            json!({"name": "An", "born": "1990"}),
        ),
        (
            json!(["findPerson/200/name", "findPerson/200/born", "findPerson/200/ethnicity"]),
            json!({"name": "An", "born": "1990", "ethnicity": "Kinh"}),
        ),
    ] {
        desk.given(&with(&[("/fields", fields)])).await;
        let answer = desk.world.ask(&look_up(NUMBER)).await;
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
    let evidence = desk.world.evidence().await;
    let views: Vec<&Value> = evidence.of("intent").iter().map(|entry| &entry["view"]).collect();
    assert_eq!(views.len(), 3);
    assert!(views[0] != views[1] && views[1] != views[2], "the bound is that of the consent");
}

/// An answer may be about somebody else than was asked about.
#[tokio::test]
async fn an_answer_about_somebody_who_did_not_agree_is_refused() {
    let whole = "data_subjects: [{field: query.number, role: owner, identifier: citizen_number}]\n    \
                 classes:\n      request: {query.number: basic, query.tag";
    let named = "data_subjects:\n      - {field: query.number, role: owner, identifier: citizen_number}\n      \
                 - {answer: \"200\", field: /number, role: owner, identifier: citizen_number}\n    \
                 classes:\n      request: {query.number: basic, query.tag";
    let files = Files::default().replace(PEOPLE, whole, named);
    let mut desk = Desk::with(Setup { files, ..Setup::default() }).await;
    desk.given(&statement()).await;
    desk.world.provider.replies(Reply::json("200 OK", PERSON));
    assert_eq!(desk.world.ask(&look_up(NUMBER)).await.status, 200);
    let other = PERSON.replace(NUMBER, OTHER);
    desk.world.provider.replies(Reply::json("200 OK", other.clone()));
    let answer = desk.world.ask(&look_up(NUMBER)).await;
    desk.world.assert_refused(&answer, ReasonCode::ConsentNotGiven).await;
    assert!(!answer.text().contains("An"));
    // He agrees to less: then of the answer about both only what both agreed to leaves.
    let fields = json!(["findPerson/200/name"]);
    desk.given(&with(&[("/data_subject/value", json!(OTHER)), ("/fields", fields)])).await;
    let other = other.replace("\"An\"", "\"An\",\"born\":\"19900517\"");
    desk.world.provider.replies(Reply::json("200 OK", other));
    let answer = desk.world.ask(&look_up(NUMBER)).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"name": "An"})));
    let evidence = desk.world.evidence().await;
    let ends: Vec<&Value> = evidence.of("outcome").iter().map(|entry| &entry["end"]).collect();
    assert_eq!(ends, ["complete", "refused", "complete"]);
}

/// Whoever asks on another basis is not stopped by what the registry says, nor by its silence.
#[tokio::test]
async fn other_exchanges_go_on_without_the_registry() {
    let mut desk = Desk::new().await;
    let given = id(&desk.given(&statement()).await);
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    let store = desk.world.directory.path().join("data/lienthong.db");
    let older = std::fs::read(&store).unwrap();
    desk.restart().await;
    desk.change(&given, "withdraw").await;
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    // A backup is put back in which the consent still holds.
    std::fs::write(&store, older).unwrap();
    desk.restart().await;
    let answer = desk.world.ask(&look_up(NUMBER)).await;
    desk.world.assert_refused(&answer, ReasonCode::FactsUnavailable).await;
    let care = look_up(NUMBER).set("lienthong-purpose", "care_work");
    assert_eq!(desk.world.ask(&care).await.status, 200);
}
