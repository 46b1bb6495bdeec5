//! A consent for one exchange is good for one, whatever comes of it.

use lienthong_model::reason::ReasonCode;
use serde_json::json;

use super::{
    super::{
        consent_api::desk::{Desk, NUMBER, with},
        harness::{Answer, Gate, PERSON, Reply},
    },
    look_up,
};

#[tokio::test]
async fn of_many_at_once_one_exchange_has_it() {
    let mut desk = Desk::new().await;
    desk.given(&with(&[("/frequency", json!("once"))])).await;
    let gate = Gate::shut();
    desk.world.provider.replies(Reply::json("200 OK", PERSON).behind(&gate));
    let asks: Vec<_> = (0..8).map(|_| look_up(NUMBER)).collect();
    let world = &desk.world;
    let all = asks.iter().map(|ask| world.ask(ask));
    let open = async {
        world.provider.received(1).await;
        gate.open();
    };
    let (answers, ()) = tokio::join!(futures_util::future::join_all(all), open);
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(passed, 1, "{:?}", answers.iter().map(Answer::text).collect::<Vec<_>>());
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        world.assert_refused(refused, ReasonCode::ConsentUsed).await;
    }
    assert_eq!(world.provider.requests().len(), 1);
    // Nor after a restart.
    desk.world.gateway.signal("KILL");
    desk.world.gateway.ended().await;
    desk.restart().await;
    let answer = desk.world.ask(&look_up(NUMBER)).await;
    desk.world.assert_refused(&answer, ReasonCode::ConsentUsed).await;
    let evidence = desk.world.evidence().await;
    let uses = evidence.of("consent").into_iter().filter(|entry| entry["action"] == "use");
    assert_eq!(uses.count(), 1);
}

/// Nobody knows what the provider did with a request that it did not answer.
#[tokio::test]
async fn an_exchange_that_failed_has_used_it_too() {
    let desk = Desk::new().await;
    desk.given(&with(&[("/frequency", json!("once"))])).await;
    desk.world.provider.replies(Reply::json("500 Sorry", "{}"));
    let answer = desk.world.ask(&look_up(NUMBER)).await;
    desk.world.assert_refused(&answer, ReasonCode::ProviderRefused).await;
    let answer = desk.world.ask(&look_up(NUMBER)).await;
    desk.world.assert_refused(&answer, ReasonCode::ConsentUsed).await;
}
