//! Nobody records a consent in their own favour on their word alone.

use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::desk::{Desk, changed, claims, give, refused, statement, vouched, with};
use crate::data_path::harness::now;

#[tokio::test]
async fn a_consent_in_ones_own_favour_needs_a_witness() {
    let mut desk = Desk::new().await;
    let statement = statement();
    let alone = desk.ask(&give("clinic-counter", &statement)).await;
    refused(&alone, ReasonCode::ConsentOwnFavour);
    for words in wrong(&statement) {
        let proof = desk.signed(&words);
        let answer = desk.ask(&vouched("clinic-counter", &statement, &proof)).await;
        refused(&answer, ReasonCode::ConsentOwnFavour);
    }
    let good = desk.proof(&statement);
    let (head, signature) = good.rsplit_once('.').unwrap();
    let unsigned = good.replacen("eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJub25lIn0", 1);
    let swapped = format!("{head}.{}", signature.chars().rev().collect::<String>());
    for forged in [String::new(), "a.b".to_owned(), unsigned, swapped, format!("{head}.")] {
        let answer = desk.ask(&vouched("clinic-counter", &statement, &forged)).await;
        refused(&answer, ReasonCode::ConsentOwnFavour);
    }
    assert!(desk.world.evidence().await.of("consent").is_empty());
}

/// Words that a witness may sign and that do not count.
fn wrong(statement: &Value) -> Vec<Value> {
    let good = claims(statement);
    let other = claims(&with(&[("/retention_days", json!(1))]));
    let at = now().as_second();
    [
        // Over another statement.
        ("/statement_sha256", other["statement_sha256"].clone()),
        // Of a recipient, who is the collector's participant too; of nobody; of one without keys.
        ("/iss", json!("T01.21")),
        ("/iss", json!("T99.99")),
        ("/iss", json!("T01.20")),
        // Too old, and from the future.
        ("/iat", json!(at - 11 * 60)),
        ("/iat", json!(at + 5 * 60)),
        // A nonce that could be guessed, and more than is to be said.
        ("/nonce", json!("1")),
        ("/more", json!("x")),
    ]
    .map(|change| changed(&good, &[change]))
    .into()
}

#[tokio::test]
async fn a_proof_counts_once() {
    let desk = Desk::new().await;
    let statement = statement();
    let proof = desk.proof(&statement);
    let answer = desk.ask(&vouched("clinic-counter", &statement, &proof)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(desk.record(&id).await["witnessed"], true);
    let again = desk.ask(&vouched("clinic-counter", &statement, &proof)).await;
    refused(&again, ReasonCode::ConsentOwnFavour);
    let fresh = desk.proof(&statement);
    let answer = desk.ask(&vouched("clinic-counter", &statement, &fresh)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// A no is in nobody's favour.
#[tokio::test]
async fn a_refusal_needs_no_witness() {
    let desk = Desk::new().await;
    let no = with(&[("/decision", json!("refuse"))]);
    let answer = desk.ask(&give("clinic-counter", &no)).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    assert_eq!(answer.json()["state"], "refused");
}
