//! No identifier of a person stands in the log, in a metric or in the evidence.

use serde_json::json;

use super::desk::{Desk, NUMBER, OTHER, PARENT, give, of_child, post, search, statement, with};
use crate::data_path::harness::{Setup, admin};

#[tokio::test]
async fn no_identifier_is_told_to_anyone() {
    let mut desk = Desk::with(Setup { log: Some("trace"), ..Setup::default() }).await;
    let id = desk.given(&of_child()).await["id"].as_str().unwrap().to_owned();
    desk.given(&with(&[("/data_subject/value", json!(OTHER))])).await;
    desk.change(&id, "withdraw").await;
    desk.ask(&search("counter", NUMBER)).await;
    // What is refused is not told either, wherever the number stands.
    for body in [
        json!({ NUMBER: 1 }),
        json!({ "statement": { NUMBER: NUMBER } }),
        json!({ "statement": with(&[("/purpose", json!(NUMBER))]) }),
        json!({ "statement": with(&[("/notice/id", json!(NUMBER))]) }),
        json!({ "statement": statement(), "proof": NUMBER }),
    ] {
        let answer = desk.ask(&post("counter", "/v1/service/consent-records", &body)).await;
        assert!(!answer.text().contains(NUMBER), "{}", answer.text());
    }
    desk.ask(&give("stranger", &statement())).await;
    let metrics = admin(desk.world.directory.path(), "GET", "/metrics").await.text();
    assert!(
        metrics.contains("gateway_consent_changes_total{action=\"withdraw\",outcome=\"done\"} 1"),
        "{metrics}"
    );
    let evidence = desk.world.evidence().await;
    let entries: String = evidence.entries.iter().map(ToString::to_string).collect();
    let log = desk.world.gateway.logged();
    for identifier in [NUMBER, OTHER, PARENT, "2016-02-03"] {
        for (what, text) in [("log", &log), ("metrics", &metrics), ("evidence", &entries)] {
            assert!(!text.contains(identifier), "an identifier stands in the {what}");
        }
    }
}
