//! What collectors see: records without identifiers, their history, notices, receipts and keys.

use std::{path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lienthong_consent::receipt::ReceiptKeys;
use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::desk::{
    Desk, NUMBER, OTHER, has_form, hash, of_child, path, post, refused, search, statement, with,
};
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
async fn every_answer_has_the_form_that_is_published() {
    let desk = Desk::new().await;
    has_form("Statement", &statement());
    has_form("Statement", &of_child());
    let given = desk.given(&of_child()).await;
    has_form("Given", &given);
    let id = given["id"].as_str().unwrap();
    has_form("ConsentRecord", &desk.record(id).await);
    has_form("Changed", &desk.change(id, "withdraw").await.json());
    for (name, ask) in [
        ("ConsentRecord", Ask::get("counter", &path(id, ""))),
        ("History", Ask::get("counter", &path(id, "/history"))),
        ("ConsentPage", search("counter", NUMBER)),
        ("NoticePage", Ask::get("counter", "/v1/service/notices")),
        ("Notice", Ask::get("counter", "/v1/service/notices/office-notice")),
        ("Jwks", Ask::get("counter", "/.well-known/jwks.json")),
    ] {
        let answer = desk.ask(&ask).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        has_form(name, &answer.json());
    }
    let receipt = desk.ask(&Ask::get("counter", &path(id, "/receipt"))).await.text();
    has_form("CompactJws", &json!(receipt));
}

/// Somebody else's cryptography accepts a receipt by the published key alone, and nothing that was
/// changed in it.
#[tokio::test]
async fn openssl_verifies_a_receipt() {
    let desk = Desk::new().await;
    let given = desk.given(&statement()).await;
    let keys = desk.ask(&Ask::get("stranger", "/.well-known/jwks.json")).await.json();
    let bytes = |text: &Value| URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap();
    let key = &keys["keys"][0];
    // SubjectPublicKeyInfo of P-256 (RFC 5480) up to its point.
    let head = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";
    let folder = desk.world.directory.path();
    std::fs::write(
        folder.join("key.der"),
        [head.to_vec(), bytes(&key["x"]), bytes(&key["y"])].concat(),
    )
    .unwrap();
    let (signed, signature) = given["receipt"].as_str().unwrap().rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    std::fs::write(folder.join("signature.der"), der(&signature)).unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    assert_eq!((&header["alg"], &header["kid"]), (&json!("ES256"), &key["kid"]));
    assert!(openssl_accepts(folder, signed));
    let mut changed = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let at = changed.windows(5).position(|word| word == b"given").unwrap();
    changed[at] ^= 1;
    let head = signed.split_once('.').unwrap().0;
    assert!(!openssl_accepts(folder, &format!("{head}.{}", URL_SAFE_NO_PAD.encode(changed))));
}

fn openssl_accepts(folder: &Path, signed: &str) -> bool {
    std::fs::write(folder.join("signed"), signed).unwrap();
    let mut command = Command::new("openssl");
    command.args(["dgst", "-sha256", "-keyform", "DER", "-verify", "key.der"]);
    command.args(["-signature", "signature.der", "signed"]).current_dir(folder);
    command.output().expect("openssl runs").status.success()
}

/// A signature of two numbers as ASN.1 has it.
fn der(signature: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| {
        let start = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len() - 1);
        let mut digits = bytes[start..].to_vec();
        if digits[0] >= 0x80 {
            digits.insert(0, 0);
        }
        [vec![2, u8::try_from(digits.len()).unwrap()], digits].concat()
    };
    let (r, s) = signature.split_at(32);
    let numbers = [number(r), number(s)].concat();
    [vec![0x30, u8::try_from(numbers.len()).unwrap()], numbers].concat()
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
