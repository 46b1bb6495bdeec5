//! What collectors see: records without identifiers, their history, notices, receipts and keys.

use lienthong_consent::receipt::ReceiptKeys;
use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::desk::{Desk, NUMBER, OTHER, hash, path, post, refused, search, statement, with};
use crate::data_path::harness::Ask;

#[tokio::test]
async fn the_records_of_a_person_come_in_pages_and_asking_is_on_record() {
    let mut desk = Desk::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(desk.given(&statement()).await["id"].clone());
    }
    desk.given(&with(&[("/data_subject/value", json!(OTHER))])).await;
    let subject = json!({"kind": "citizen_number", "value": NUMBER});
    let page = |after: u64| {
        let body = json!({ "data_subject": subject, "after": after, "limit": 2 });
        post("counter", "/v1/service/consent-records/search", &body)
    };
    let first = desk.ask(&page(0)).await.json();
    let next = first["next"].as_u64().unwrap();
    let second = desk.ask(&page(next)).await.json();
    assert!(second.get("next").is_none());
    let found: Vec<_> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["consent_records"].as_array().unwrap())
        .map(|record| record["id"].clone())
        .collect();
    assert_eq!(found, ids);
    // A collector of another service sees none of them, and nobody more than a page.
    let others = desk.ask(&search("roll-counter", NUMBER)).await.json();
    assert_eq!(others["consent_records"], json!([]));
    let much = json!({ "data_subject": subject, "limit": 101 });
    let much = post("counter", "/v1/service/consent-records/search", &much);
    refused(&desk.ask(&much).await, ReasonCode::RequestSchema);
    let evidence = desk.world.evidence().await;
    let asked = evidence.of("administration");
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|e| e["action"] == "search" && e["role"] == "collector"));
    // The digest of the search is that of the changes: one search finds both.
    assert_eq!(asked[0]["subject"], evidence.of("consent")[0]["subject"]);
}

#[tokio::test]
async fn the_history_tells_every_change_in_order() {
    let desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    desk.change(&id, "restrict").await;
    desk.change(&id, "withdraw").await;
    let told = desk.ask(&Ask::get("counter", &path(&id, "/history"))).await.json();
    let events = told["history"].as_array().unwrap();
    let words: Vec<_> = events.iter().map(|e| e["action"].as_str().unwrap()).collect();
    assert_eq!(words, ["give", "restrict", "withdraw"]);
    assert!(events.iter().all(|e| e["collector"] == "counter" && e["channel"] == "officer"));
    assert!(events.is_sorted_by_key(|e| e["revision"].as_u64()));
    assert_eq!(events[2]["state"], "withdrawn");
}

#[tokio::test]
async fn a_receipt_verifies_with_the_published_keys_and_says_what_is() {
    let mut desk = Desk::new().await;
    let given = desk.given(&statement()).await;
    let id = given["id"].as_str().unwrap();
    let keys = desk.ask(&Ask::get("stranger", "/.well-known/jwks.json")).await;
    assert_eq!(keys.header("content-type"), Some("application/jwk-set+json"));
    let published = ReceiptKeys::read(&keys.body).unwrap();
    let claims = published.verify(given["receipt"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&claims["consent"]["id"], &claims["consent"]["state"]),
        (&json!(id), &json!("given"))
    );
    desk.change(id, "withdraw").await;
    let receipt = desk.ask(&Ask::get("counter", &path(id, "/receipt"))).await;
    assert_eq!(receipt.header("content-type"), Some("application/jose"));
    let claims = published.verify(receipt.text().trim()).unwrap();
    assert_eq!(claims["consent"]["state"], "withdrawn");
    assert!(!claims.to_string().contains(NUMBER));
    let evidence = desk.world.evidence().await;
    let entry = evidence.only("administration");
    assert_eq!((&entry["action"], &entry["exchange"]), (&json!("receipt"), &json!(id)));
}

#[tokio::test]
async fn notices_are_shown_word_for_word_with_their_hashes() {
    let desk = Desk::new().await;
    let all = desk.ask(&Ask::get("counter", "/v1/service/notices")).await.json();
    let ids: Vec<_> = all["notices"].as_array().unwrap().iter().map(|n| n["id"].clone()).collect();
    assert_eq!(ids, [json!("clinic-notice"), json!("office-notice")]);
    let one = desk.ask(&Ask::get("counter", "/v1/service/notices/clinic-notice")).await.json();
    assert_eq!(one, all["notices"][0]);
    for language in ["vi", "en"] {
        assert_eq!(one["hashes"][language], hash(one["texts"][language].as_str().unwrap()));
    }
    assert_eq!(one["sensitive"], json!(["ethnicity"]));
    assert_eq!(one["fields"][0], "findPerson/200/born");
    let none = desk.ask(&Ask::get("roll-counter", "/v1/service/notices")).await.json();
    assert_eq!(none["notices"], json!([]));
    for (name, id) in [("counter", "unheard-of"), ("roll-counter", "clinic-notice")] {
        let answer = desk.ask(&Ask::get(name, &format!("/v1/service/notices/{id}"))).await;
        refused(&answer, ReasonCode::OperatorNotFound);
    }
}
