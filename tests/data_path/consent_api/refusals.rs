//! What is not recorded, and why: nothing of it is in the registry or in the evidence.

use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::desk::{
    Desk, NUMBER, change, changed, give, parent, path, post, refused, search, statement, strict,
    with,
};
use crate::data_path::harness::Ask;

/// Whatever was refused left nothing behind.
async fn nothing_is_recorded(desk: &mut Desk) {
    let found = desk.ask(&search("counter", NUMBER)).await.json();
    assert_eq!(found["consent_records"], json!([]));
    let evidence = desk.world.evidence().await;
    assert!(evidence.of("consent").is_empty());
}

#[tokio::test]
async fn a_consent_that_no_agreement_has_is_not_recorded() {
    let mut desk = Desk::new().await;
    for changes in [
        // A purpose of an agreement that does not rest on consent, and one of nobody.
        ("/purpose", json!("care_work")),
        ("/purpose", json!("unheard_of")),
        // A field that is dropped, one that is not named, one of another operation or answer.
        ("/fields", json!(["findPerson/200/name", "findPerson/200/phone"])),
        ("/fields", json!(["findPerson/200/note"])),
        ("/fields", json!(["readPerson/200/name"])),
        ("/fields", json!(["findPerson/404/code"])),
        ("/fields", json!(["findPerson/200/address"])),
        // Recipients without an agreement, alone and beside one that has it.
        ("/recipients", json!(["T01.20"])),
        ("/recipients", json!(["T01.21", "T01.30"])),
        ("/recipients", json!(["T99.99"])),
        ("/controller", json!("T01.20")),
        // More than the agreement lets the recipient keep.
        ("/retention_days", json!(31)),
    ] {
        desk.refuses(&with(&[changes]), ReasonCode::ConsentNoAgreement).await;
    }
    let often = changed(&strict(), &[("/frequency", json!("once"))]);
    desk.refuses(&often, ReasonCode::ConsentNoAgreement).await;
    // A refusal, too, is about something that could happen.
    let refusal = with(&[("/decision", json!("refuse")), ("/purpose", json!("unheard_of"))]);
    desk.refuses(&refusal, ReasonCode::ConsentNoAgreement).await;
    nothing_is_recorded(&mut desk).await;
}

#[tokio::test]
async fn a_consent_whose_notice_says_something_else_is_not_recorded() {
    let mut desk = Desk::new().await;
    let other = "0".repeat(64);
    for change in [
        ("/notice/id", json!("unheard-of")),
        ("/notice/id", json!("office-notice")),
        ("/notice/hash", json!(other)),
        ("/notice/language", json!("en")),
    ] {
        desk.refuses(&with(&[change]), ReasonCode::ConsentNotice).await;
    }
    // The number is in the agreement's request, of which no notice speaks.
    let more =
        with(&[("/fields", json!(["findPerson/200/name", "findPerson/request.query.number"]))]);
    desk.refuses(&more, ReasonCode::ConsentNotice).await;
    nothing_is_recorded(&mut desk).await;
}

#[tokio::test]
async fn a_child_needs_a_representative_and_from_seven_on_agrees_too() {
    let mut desk = Desk::new().await;
    let child = with(&[("/birth_date", json!("2016-02-03"))]);
    desk.refuses(&child, ReasonCode::ConsentRepresentativeRequired).await;
    let silent = changed(&child, &[("/representative", parent())]);
    desk.refuses(&silent, ReasonCode::ConsentRepresentativeRequired).await;
    let unwilling = changed(&silent, &[("/child_agreed", json!(false))]);
    desk.refuses(&unwilling, ReasonCode::ConsentRepresentativeRequired).await;
    // Nobody represents themselves.
    let own = json!({"identifier": {"kind": "citizen_number", "value": NUMBER}, "relationship": "father"});
    let own = changed(&child, &[("/representative", own), ("/child_agreed", json!(true))]);
    desk.refuses(&own, ReasonCode::ConsentRepresentativeRequired).await;
    // The agreement of the office is not for children.
    let strictly = changed(
        &strict(),
        &[
            ("/birth_date", json!("2016-02-03")),
            ("/representative", parent()),
            ("/child_agreed", json!(true)),
        ],
    );
    desk.refuses(&strictly, ReasonCode::ConsentRepresentativeRequired).await;
    let grown = changed(&strict(), &[("/representative", parent())]);
    desk.refuses(&grown, ReasonCode::ConsentRepresentativeRequired).await;
    nothing_is_recorded(&mut desk).await;
}

#[tokio::test]
async fn an_account_below_the_minimum_is_not_taken() {
    let mut desk = Desk::new().await;
    let unmet = changed(&strict(), &[("/account_level", Value::Null)]);
    desk.refuses(&unmet, ReasonCode::ConsentAccountLevel).await;
    // Only "met" is ever told: a level is none of the gateway's business.
    let level = changed(&strict(), &[("/account_level", json!("2"))]);
    desk.refuses(&level, ReasonCode::ConsentAccountLevel).await;
    let vneid = with(&[("/given/channel", json!("vneid"))]);
    desk.refuses(&vneid, ReasonCode::ConsentAccountLevel).await;
    nothing_is_recorded(&mut desk).await;
}

#[tokio::test]
async fn a_collector_does_only_what_its_entry_says() {
    let mut desk = Desk::new().await;
    let service = desk.ask(&give("roll-counter", &statement())).await;
    refused(&service, ReasonCode::ConsentCollector);
    let channel = desk.ask(&give("paper-counter", &statement())).await;
    refused(&channel, ReasonCode::ConsentCollector);
    for (name, reason) in [
        ("closed-counter", ReasonCode::OperatorNotInForce),
        ("operations", ReasonCode::OperatorRole),
        ("audit", ReasonCode::OperatorRole),
        ("clinic", ReasonCode::OperatorUnknown),
        ("stranger", ReasonCode::OperatorUnknown),
        ("retired", ReasonCode::ConsumerSuspended),
    ] {
        for ask in [
            give(name, &statement()),
            search(name, NUMBER),
            Ask::get(name, "/v1/service/notices"),
            change(name, "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b", "withdraw"),
        ] {
            refused(&desk.ask(&ask).await, reason);
        }
    }
    nothing_is_recorded(&mut desk).await;
}

#[tokio::test]
async fn what_is_no_statement_is_not_recorded() {
    let mut desk = Desk::new().await;
    let malformed = ReasonCode::RequestMalformed;
    let schema = ReasonCode::RequestSchema;
    for (changes, reason) in [
        (("/extra", json!(1)), malformed),
        (("/decision", Value::Null), schema),
        (("/decision", json!("maybe")), schema),
        (("/data_subject/value", json!("123")), schema),
        (("/fields", json!([])), schema),
        (("/recipients", json!([])), schema),
        (("/period/until", json!("2020-01-01")), schema),
        (("/period/until", json!("2999-01-01")), schema),
        (("/retention_days", json!(0)), schema),
        (("/birth_date", json!("17/05/1990")), schema),
        (("/given/reference", json!(NUMBER)), schema),
    ] {
        let answer = desk.ask(&give("counter", &with(&[changes]))).await;
        refused(&answer, reason);
        assert!(!answer.text().contains(NUMBER));
    }
    let records = "/v1/service/consent-records";
    let sent = json!({ "statement": statement(), "more": NUMBER });
    let more = desk.ask(&post("counter", records, &sent)).await;
    refused(&more, malformed);
    assert!(!more.text().contains(NUMBER));
    refused(&desk.ask(&post("counter", records, &json!([]))).await, malformed);
    let long = post("counter", records, &json!({ "statement": "x".repeat(70_000) }));
    refused(&desk.ask(&long).await, ReasonCode::RequestTooLarge);
    let text = post("counter", records, &json!({})).set("content-type", "text/plain");
    refused(&desk.ask(&text).await, ReasonCode::RequestMediaType);
    let key = give("counter", &statement()).header("idempotency-key", "short");
    refused(&desk.ask(&key).await, ReasonCode::RequestHeader);
    let method = Ask::get("counter", records);
    refused(&desk.ask(&method).await, ReasonCode::RequestMethod);
    refused(&desk.ask(&Ask::get("counter", "/v2")).await, ReasonCode::OperatorNotFound);
    nothing_is_recorded(&mut desk).await;
}

#[tokio::test]
async fn what_is_not_there_and_what_is_of_others_look_the_same() {
    let desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    let nobody = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
    for (name, id) in [("counter", nobody), ("counter", "x"), ("roll-counter", id.as_str())] {
        for of in ["", "/history", "/receipt"] {
            let answer = desk.ask(&Ask::get(name, &path(id, of))).await;
            refused(&answer, ReasonCode::ConsentUnknown);
        }
        for action in ["withdraw", "restrict", "release", "object"] {
            refused(&desk.ask(&change(name, id, action)).await, ReasonCode::ConsentUnknown);
        }
    }
    assert_eq!(desk.record(&id).await["state"], "given");
}
