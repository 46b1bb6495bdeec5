//! When a token counts, and above all when it does not.

use std::os::unix::fs::PermissionsExt;

use jiff::SignedDuration;
use lienthong_gateway::lgsp::Claims;
use lienthong_model::reason::ReasonCode;

use super::{
    super::harness::{Ask, Gateway, now},
    City, GENEROUS, ask_token, find, keys,
};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A token like this one with something else in it, sealed as the gateway would.
fn reminted(token: &str, change: impl Fn(&mut Claims)) -> String {
    let mut claims = keys(0x7b).open(token).unwrap();
    change(&mut claims);
    keys(0x7b).seal(&claims).expose().clone()
}

async fn refuses(city: &City, ask: &Ask, reason: ReasonCode, what: &str) {
    let answer = city.world.ask(ask).await;
    println!("{what}");
    city.world.assert_refused(&answer, reason).await;
}

#[tokio::test]
async fn a_token_of_another_certificate_is_worth_nothing() {
    let city = City::new().await;
    let token = city.token(&city.world.pki.issue("desk")).await;
    let id = keys(0x7b).open(&token).unwrap().id.to_string();
    for name in ["desk", "clinic", "office", "hub"] {
        let answer = city.world.ask(&find(&token).certificate(name)).await;
        let record = city.world.assert_refused(&answer, ReasonCode::ConsumerTokenMismatch).await;
        // Outside nobody learns that the token is a good one; the record names it by its id.
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, Some("Bearer error=\"invalid_token\""));
        assert!(!answer.text().contains(&id));
        assert!(record["cause"].as_str().unwrap().contains(&id), "{record}");
    }
    assert!(city.world.provider.requests().is_empty());
    assert!(!city.world.logged().await.contains(&token));
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused() {
    let city = City::new().await;
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    let tampered: String = token
        .char_indices()
        .map(|(n, c)| if n == 30 { if c == 'A' { 'B' } else { 'A' } } else { c })
        .collect();
    let cut = token.trim_start_matches('A');
    let garbage = ["", " ", "x", "\u{e9}", cut, &format!("{token}A"), &tampered];
    for text in garbage {
        let ask = find("").set("authorization", &format!("Bearer {text}"));
        let answer = city.send(&desk, &ask).await;
        println!("{text:?}");
        // A header that is no text is no bearer token either, and then nobody says who asks.
        let reason = if text.is_ascii() {
            ReasonCode::ConsumerTokenInvalid
        } else {
            ReasonCode::RequestHeader
        };
        city.world.assert_refused(&answer, reason).await;
    }
    let twice = find(&token).header("authorization", &format!("Bearer {token}"));
    let answer = city.send(&desk, &twice).await;
    city.world.assert_refused(&answer, ReasonCode::RequestHeader).await;
    // Another scheme says nothing of who asks.
    let basic = find("").set("authorization", "Basic ZGVzazpwYXNz");
    refuses(&city, &basic, ReasonCode::RequestHeader, "basic").await;
    assert!(city.world.provider.requests().is_empty());
    assert_eq!(city.send(&desk, &find(&token)).await.status, 200);
    let lower = find("").set("authorization", &format!("bearer {token}"));
    assert_eq!(city.send(&desk, &lower).await.status, 200);
}

#[tokio::test]
async fn a_token_has_a_beginning_and_an_end() {
    let city = City::new().await;
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    let ended = reminted(&token, |claims| claims.expires = now() - SECOND);
    // Longer than tokens live here, whatever it says.
    let stretched = reminted(&token, |claims| {
        claims.issued = now() - SECOND * 1_801;
        claims.expires = now() + SECOND * 1_000;
    });
    let ahead = reminted(&token, |claims| {
        claims.issued = now() + SECOND * 90;
        claims.expires = now() + SECOND * 900;
    });
    let rows = [
        (ended, ReasonCode::ConsumerTokenExpired),
        (stretched, ReasonCode::ConsumerTokenExpired),
        (ahead, ReasonCode::ConsumerTokenInvalid),
    ];
    for (token, reason) in rows {
        let answer = city.send(&desk, &find(&token)).await;
        let record = city.world.assert_refused(&answer, reason).await;
        assert!(answer.header("www-authenticate").is_some());
        assert!(record["cause"].as_str().is_some_and(|cause| cause.contains("token")), "{record}");
    }
    assert!(city.world.provider.requests().is_empty());
    // Clocks of two nodes may differ by a little.
    let little = reminted(&token, |claims| {
        claims.issued = now() + SECOND * 30;
        claims.expires = now() + SECOND * 900;
    });
    assert_eq!(city.send(&desk, &find(&little)).await.status, 200);
}

#[tokio::test]
async fn a_token_ends_with_its_connection_sheet() {
    let city = City::new().await;
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    let file = "policies/participants/desk.yaml";
    let path = city.world.directory.path().join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    let gone = text.get(..text.find("lgsp:").unwrap()).unwrap().to_owned() + "status: active\n";
    for changed in [text.replace("APP-desk", "APP-other"), gone] {
        std::fs::write(&path, changed).unwrap();
        city.world.reloaded().await;
        let answer = city.send(&desk, &find(&token)).await;
        city.world.assert_refused(&answer, ReasonCode::ConsumerTokenInvalid).await;
    }
    let answer = city.send(&desk, &ask_token(&city.desk)).await;
    city.world.assert_refused(&answer, ReasonCode::ConsumerCredentials).await;
}

#[tokio::test]
async fn a_token_ends_with_the_standing_of_its_participant() {
    let city = City::new().await;
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    city.world.edit("policies/participants/desk.yaml", "status: active", "status: suspended");
    city.world.reloaded().await;
    let answer = city.send(&desk, &find(&token)).await;
    city.world.assert_refused(&answer, ReasonCode::ConsumerSuspended).await;
    assert!(city.world.provider.requests().is_empty());
}

/// Two keys, so that a change of key ends no token before its time.
#[tokio::test]
async fn tokens_of_two_keys_count_and_of_no_third() {
    // Any owner-only file of 64 digits serves as the key before.
    let city = City::with("  previous_key_file: pseudonym.key\n").await;
    let desk = city.world.pki.issue("desk");
    let newest = city.token(&desk).await;
    let claims = keys(0x7b).open(&newest).unwrap();
    let (previous, third) = (keys(0x5a).seal(&claims), keys(0x1c).seal(&claims));
    let status = async |token: &str| city.send(&desk, &find(token)).await.status;
    assert_eq!(status(&newest).await, 200);
    assert_eq!(status(previous.expose()).await, 200);
    let answer = city.send(&desk, &find(third.expose())).await;
    city.world.assert_refused(&answer, ReasonCode::ConsumerTokenInvalid).await;

    let key = city.world.directory.path().join("token.key");
    std::fs::write(&key, "1c".repeat(32)).unwrap();
    city.world.reloaded().await;
    let answer = city.send(&desk, &find(&newest)).await;
    city.world.assert_refused(&answer, ReasonCode::ConsumerTokenInvalid).await;
    assert_eq!(status(third.expose()).await, 200);
    assert_eq!(status(previous.expose()).await, 200);
    // A key that others may read changes nothing: the reload is refused, the old one stays.
    std::fs::write(&key, "7b".repeat(32)).unwrap();
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    assert_ne!(city.world.reload().await.status, 200);
    assert_eq!(status(third.expose()).await, 200);
}

/// Nothing is kept of a token but its key, so another process with that key knows it.
#[tokio::test]
async fn a_token_outlives_a_restart() {
    let mut city = City::with(GENEROUS).await;
    let desk = city.world.pki.issue("desk");
    let token = city.token(&desk).await;
    city.world.gateway.signal("TERM");
    assert!(city.world.gateway.ended().await.success());
    city.world.gateway = Gateway::start(city.world.directory.path(), None).await;
    assert_eq!(city.send(&desk, &find(&token)).await.status, 200);
}
