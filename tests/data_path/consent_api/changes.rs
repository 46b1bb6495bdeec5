//! Withdrawing, restricting, releasing, objecting: what the state allows, once, and for good.

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::desk::{Desk, change, refused, statement};

async fn given(desk: &Desk) -> String {
    desk.given(&statement()).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_withdrawn_stays_withdrawn() {
    let mut desk = Desk::new().await;
    let id = given(&desk).await;
    let answer = desk.change(&id, "withdraw").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["state"], "withdrawn");
    for action in ["withdraw", "restrict", "release", "object"] {
        refused(&desk.change(&id, action).await, ReasonCode::ConsentState);
    }
    assert_eq!(desk.record(&id).await["state"], "withdrawn");
    let evidence = desk.world.evidence().await;
    let actions: Vec<_> =
        evidence.of("consent").iter().map(|entry| entry["action"].clone()).collect();
    assert_eq!(actions, [json!("give"), json!("withdraw")]);
}

#[tokio::test]
async fn a_restriction_is_released_and_an_objection_is_not() {
    let desk = Desk::new().await;
    let id = given(&desk).await;
    refused(&desk.change(&id, "release").await, ReasonCode::ConsentState);
    for (action, state) in
        [("restrict", "restricted"), ("release", "given"), ("object", "objected")]
    {
        assert_eq!(desk.change(&id, action).await.json()["state"], state, "{action}");
    }
    for action in ["withdraw", "restrict", "release", "object"] {
        refused(&desk.change(&id, action).await, ReasonCode::ConsentState);
    }
}

/// Whoever may collect for a service may withdraw, whoever recorded it.
#[tokio::test]
async fn another_collector_of_the_service_may_withdraw() {
    let desk = Desk::new().await;
    let id = given(&desk).await;
    let unheard = desk.ask(&change("paper-counter", &id, "withdraw")).await;
    refused(&unheard, ReasonCode::ConsentCollector);
    let answer = desk.ask(&change("clinic-counter", &id, "withdraw")).await;
    assert_eq!(answer.json()["state"], "withdrawn");
}

#[tokio::test]
async fn a_change_meant_for_an_older_revision_is_refused() {
    let desk = Desk::new().await;
    let first = desk.given(&statement()).await;
    let id = first["id"].as_str().unwrap();
    let seen = format!("\"{}\"", first["revision"]);
    for wrong in ["17", "\"\"", "\"x\"", "*", "W/\"1\""] {
        let ask = change("counter", id, "restrict").header("if-match", wrong);
        refused(&desk.ask(&ask).await, ReasonCode::RequestHeader);
    }
    let restrict = change("counter", id, "restrict").header("if-match", &seen);
    assert_eq!(desk.ask(&restrict).await.json()["state"], "restricted");
    let late = change("counter", id, "withdraw").header("if-match", &seen);
    refused(&desk.ask(&late).await, ReasonCode::ConsentState);
    assert_eq!(desk.record(id).await["state"], "restricted");
}

#[tokio::test]
async fn a_repeated_withdrawal_under_one_key_is_told_again() {
    let desk = Desk::new().await;
    let id = given(&desk).await;
    let withdraw = change("counter", &id, "withdraw").header("idempotency-key", "withdraw-17");
    let first = desk.ask(&withdraw).await;
    assert_eq!(first.status, 200, "{}", first.text());
    let again = desk.ask(&withdraw).await;
    assert_eq!((again.status, again.json()), (200, first.json()));
    let other = change("counter", &id, "object").header("idempotency-key", "withdraw-17");
    refused(&desk.ask(&other).await, ReasonCode::ConsentState);
}

/// Many say it at once: one is first, and the others are told that it is done.
#[tokio::test]
async fn of_many_withdrawals_at_once_one_is_recorded() {
    let mut desk = Desk::new().await;
    let id = given(&desk).await;
    let asks: Vec<_> = (0..16).map(|_| change("counter", &id, "withdraw")).collect();
    let answers = futures_util::future::join_all(asks.iter().map(|ask| desk.ask(ask))).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        refused(answer, ReasonCode::ConsentState);
    }
    let evidence = desk.world.evidence().await;
    let of = evidence.of("consent");
    assert_eq!(of.iter().filter(|entry| entry["action"] == "withdraw").count(), 1);
}
