//! Every reason code, over real mutual TLS: what the consumer sees, and what the record says. Codes
//! of streams, quotas and LGSP clients are produced beside those.
//!
//! One code has no test: `gateway.internal` stands for states that no input leads to, so nothing
//! outside the process can produce it.

use std::{collections::BTreeSet, time::Duration};

use jiff::SignedDuration;
use lienthong_model::{
    reason::{ReasonCode, Side},
    text::Language,
};
use serde_json::{Value, json};

use super::harness::{
    Answer, Ask, Frames, Gate, HTTP2, Reply, Setup, World, admin, lienthong, now, person,
    person_body, within,
};

const NOTHING: &[&str] = &[];

/// The tests that produce reason codes: these, and those of features with a file of their own.
const SOURCES: &[&str] = &[
    include_str!("reasons.rs"),
    include_str!("evidence.rs"),
    include_str!("quotas.rs"),
    include_str!("streams.rs"),
    include_str!("lgsp/credentials.rs"),
    include_str!("lgsp/tokens.rs"),
    include_str!("operators/monitor.rs"),
    include_str!("consent_api/changes.rs"),
    include_str!("consent_api/proofs.rs"),
    include_str!("consent_api/refusals.rs"),
    include_str!("consents.rs"),
    include_str!("consents/once.rs"),
];

/// Asks in Vietnamese and in English and checks both refusals; gives the record of the second.
async fn refuses(world: &World, ask: Ask, reason: ReasonCode) -> Value {
    let public = reason.public();
    let answer = world.ask(&ask).await;
    world.assert_refused(&answer, reason).await;
    assert_eq!(answer.header("content-language"), Some("vi"));
    assert_eq!(answer.json()["title"], public.title(Language::Vietnamese));
    let answer = world.ask(&ask.header("accept-language", "fr, en;q=0.8, vi;q=0.2")).await;
    let record = world.assert_refused(&answer, reason).await;
    assert_eq!(answer.header("content-language"), Some("en"));
    assert_eq!(answer.json()["title"], public.title(Language::English));
    record
}

#[tokio::test]
async fn tells_whoever_it_does_not_know_or_trust() {
    let world = World::new().await;
    refuses(&world, person().certificate("stranger"), ReasonCode::ConsumerUnknown).await;
    let retired = person().certificate("retired").set("x-road-client", "VN/TEST/T01.40/RETIRED");
    refuses(&world, retired, ReasonCode::ConsumerSuspended).await;
    let other = person().set("x-road-client", "VN/TEST/T01.21/CLINIC");
    let record = refuses(&world, other, ReasonCode::ConsumerMismatch).await;
    // Nobody is recorded who was not proven.
    assert_eq!(record["consumer"], Value::Null);
    assert!(world.provider.requests().is_empty());
}

/// A certificate that was good at the handshake is judged anew at every request.
#[tokio::test]
async fn a_certificate_revoked_on_a_live_connection_is_refused_and_the_connection_ends() {
    let world = World::new().await;
    let issued = world.pki.issue("desk");
    let identity = world.pki.client_with(&issued, HTTP2);
    let mut frames = Frames::open(world.connection_as(identity).await, &[]).await;
    frames.request(1, &person()).await;
    assert_eq!(frames.body(1).await["name"], "An");
    world.pki.revoke(&issued);
    world.pki.publish(SignedDuration::from_hours(1));
    world.reloaded().await;
    frames.request(3, &person()).await;
    let problem = frames.body(3).await;
    assert_eq!(problem["reason"], ReasonCode::ConsumerCertificateRevoked.as_str());
    assert_eq!(problem["status"], 401);
    frames.closed_within(Duration::from_secs(1)).await;
    assert_eq!(world.provider.requests().len(), 1);
}

#[tokio::test]
async fn a_stale_revocation_list_counts_as_unknown_on_a_live_connection() {
    let world = World::new().await;
    let connection = world.connection_as(world.pki.client("desk", HTTP2)).await;
    let mut frames = Frames::open(connection, &[]).await;
    frames.request(1, &person()).await;
    assert_eq!(frames.body(1).await["name"], "An");
    world.pki.publish(SignedDuration::from_mins(-1));
    world.reloaded().await;
    frames.request(3, &person()).await;
    let problem = frames.body(3).await;
    assert_eq!(problem["reason"], ReasonCode::ConsumerRevocationUnknown.as_str());
    frames.closed_within(Duration::from_secs(1)).await;
    let ready = admin(world.directory.path(), "GET", "/ready").await;
    assert_eq!(ready.json()["status"], "degraded", "{}", ready.text());
}

#[tokio::test]
async fn a_certificate_that_expires_on_a_live_connection_is_refused() {
    let world = World::new().await;
    let issued = world.pki.issue_until("desk", now() + SignedDuration::from_secs(3));
    let identity = world.pki.client_with(&issued, HTTP2);
    let mut frames = Frames::open(world.connection_as(identity).await, &[]).await;
    let mut answered = 0;
    let problem = within("the expiry", async {
        for stream in (1..).step_by(2) {
            frames.request(stream, &person()).await;
            let body = frames.body(stream).await;
            if body["name"] != "An" {
                return body;
            }
            answered += 1;
        }
        Value::Null
    })
    .await;
    assert!(answered > 0);
    assert_eq!(problem["reason"], ReasonCode::ConsumerCertificateExpired.as_str());
    // A reload makes every connection prove itself at once.
    world.reloaded().await;
    frames.closed_within(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn limits_of_an_agreement_refuse_with_the_time_to_wait() {
    let world = World::new().await;
    let slow = Ask::office("people", "slow_work");
    let first = world.ask(&slow).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"agreement\";q=1;w=100"));
    assert_eq!(first.header("ratelimit"), Some("\"agreement\";r=0"));
    let second = world.ask(&slow).await;
    world.assert_refused(&second, ReasonCode::ConsumerRateLimited).await;
    let seconds: u64 = second.header("retry-after").unwrap().parse().unwrap();
    assert!((90..=100).contains(&seconds), "{seconds}");

    let single = Ask::office("people", "single_work");
    let gate = Gate::shut();
    world.provider.forget();
    world
        .provider
        .replies(Reply::json("200 OK", r#"{"name":"An","number":"001122334455"}"#).behind(&gate));
    let mut held = world.connection("office").await;
    held.send(&single.bytes()).await;
    world.provider.received(1).await;
    let refused = world.ask(&single).await;
    world.assert_refused(&refused, ReasonCode::QuotaInFlight).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    gate.open();
    assert_eq!(held.answer().await.status, 200);
    // The place is free again.
    assert_eq!(world.ask(&single).await.status, 200);
    assert_eq!(world.provider.requests().len(), 2);
}

#[tokio::test]
async fn a_consumer_has_its_places_over_all_its_agreements() {
    let setup = Setup { limits: vec![("consumer_in_flight", 1)], ..Setup::default() };
    let world = World::with(setup).await;
    let gate = Gate::shut();
    let person = r#"{"name":"An","number":"001122334455"}"#;
    world.provider.replies(Reply::json("200 OK", person).behind(&gate));
    let mut held = world.connection("office").await;
    held.send(&Ask::office("people", "single_work").bytes()).await;
    world.provider.received(1).await;
    let refused = world.ask(&Ask::office("people", "slow_work")).await;
    world.assert_refused(&refused, ReasonCode::QuotaInFlight).await;
    gate.open();
    assert_eq!(held.answer().await.status, 200);
    // The place is free again, and the refused request has spent nothing of its agreement.
    assert_eq!(world.ask(&Ask::office("people", "slow_work")).await.status, 200);
}

#[tokio::test]
async fn only_the_record_tells_of_a_consumer_that_went_away() {
    let world = World::new().await;
    world.provider.replies(Reply::never());
    let mut connection = world.connection("desk").await;
    connection.send(&person().bytes()).await;
    world.provider.received(1).await;
    let request_id = world.provider.only_request().header("lienthong-request-id").unwrap();
    drop(connection);
    let path = format!("/why/{request_id}");
    let record = within("the record of the exchange", async {
        loop {
            let answer = admin(world.directory.path(), "GET", &path).await;
            if answer.status == 200 {
                return answer.json();
            }
        }
    })
    .await;
    assert_eq!(record["reason"], ReasonCode::ConsumerGone.as_str());
    assert_eq!(record["decision"], "deny");
    assert_eq!(record["disclosed"], 0);
    // Its places were given back: the next one is served.
    world.provider.replies(Reply::json("200 OK", r#"{"name":"An","number":"001122334455"}"#));
    let next = world.ask(&person()).await;
    assert_eq!(next.status, 200);
    let metrics = admin(world.directory.path(), "GET", "/metrics").await.text();
    let counted = "reason=\"consumer.gone\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn bad_requests_are_refused_before_anyone_is_asked() {
    let world = World::with(Setup { limits: vec![("body_seconds", 1)], ..Setup::default() }).await;
    let good = r#"{"number":"001122334455","name":"An"}"#;
    let other = "/r1/VN/TEST/T01.10/REGISTRY/other/people";
    let undeclared = "/r1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455&other=1";
    let short = "/r1/VN/TEST/T01.10/REGISTRY/people/people?number=1";
    let dots = "/r1/VN/TEST/T01.10/REGISTRY/people/../people/people?number=001122334455";
    let large = format!(r#"{{"number":"001122334455","name":"{}"}}"#, "n".repeat(5000));
    let rows = [
        (person().target(other), ReasonCode::ServiceNotAvailable),
        (person().target(dots), ReasonCode::RequestPath),
        (person().method("TRACE"), ReasonCode::RequestMethod),
        (person().without("x-road-client"), ReasonCode::RequestHeader),
        (person().target(short), ReasonCode::RequestSchema),
        (person().target(undeclared), ReasonCode::RequestUndeclaredField),
        (person_body("{"), ReasonCode::RequestMalformed),
        (person_body(large), ReasonCode::RequestTooLarge),
        (person_body(good).set("content-type", "text/plain"), ReasonCode::RequestMediaType),
    ];
    for (ask, reason) in rows {
        refuses(&world, ask, reason).await;
    }
    let mut connection = world.connection("desk").await;
    let head = format!("{}content-length: 100\r\n\r\n", person_body("").head());
    connection.send(head.as_bytes()).await;
    let answer = connection.answer().await;
    world.assert_refused(&answer, ReasonCode::RequestTimeout).await;
    assert!(world.provider.requests().is_empty());
}

#[tokio::test]
async fn the_decision_denies_with_its_law() {
    let world = World::new().await;
    let rows = [
        ("late_work", ReasonCode::AgreementExpired),
        ("early_work", ReasonCode::AgreementNotYetValid),
        ("officer_work", ReasonCode::AgreementOfficerRequired),
        ("dossier_work", ReasonCode::AgreementDossierRequired),
        ("forbidden_work", ReasonCode::PolicyDenied),
        ("erring_work", ReasonCode::PolicyError),
        ("narrow_work", ReasonCode::DisclosureUnfulfillable),
    ];
    for (purpose, reason) in rows {
        let record = refuses(&world, Ask::office("people", purpose), reason).await;
        assert_eq!(record["consumer"], "T01.30");
        assert_eq!(record["service"], "people");
        assert_eq!(record["operation"], "findPerson");
        let cites = match reason {
            ReasonCode::PolicyDenied => json!(["test-law#2"]),
            ReasonCode::DisclosureUnfulfillable => json!(NOTHING),
            _ => json!(["test-law#1", "sector-law#7"]),
        };
        assert_eq!(record["cites"], cites, "{reason}");
    }
    let other = person().header("lienthong-purpose", "care_work");
    refuses(&world, other, ReasonCode::PurposeNotPermitted).await;
    let unnamed = Ask::office("people", "").without("lienthong-purpose");
    refuses(&world, unnamed, ReasonCode::PurposeRequired).await;
    assert!(world.provider.requests().is_empty());
}

/// What the rule says goes out in the consumer's language; of a rule that could not be evaluated
/// not even that there is one.
#[tokio::test]
async fn a_denial_tells_the_rule_and_an_error_tells_nothing() {
    let world = World::new().await;
    let ask = Ask::office("people", "forbidden_work");
    let vietnamese = world.ask(&ask).await.json();
    assert_eq!(vietnamese["detail"], "Việc này bị cấm.");
    let english = world.ask(&ask.header("accept-language", "en")).await;
    assert_eq!(english.json()["detail"], "This work is forbidden.");
    assert_eq!(english.json()["cites"], json!(["test-law#2"]));
    let record = world.why(&english).await;
    assert_eq!(record["rule"], "no-forbidden-work");
    let erring = world.ask(&Ask::office("people", "erring_work")).await;
    assert_eq!(erring.json()["reason"], "policy.denied");
    assert_eq!(erring.json()["detail"], Value::Null);
    assert_eq!(world.why(&erring).await["reason"], "policy.error");
}

#[tokio::test]
async fn a_provider_that_fails_is_told_by_how_it_failed() {
    let setup = Setup { vault: vec![("answer_seconds", 1)], ..Setup::default() };
    let world = World::with(setup).await;
    let json = "content-type: application/json\r\n";
    let rows = [
        (Reply::json("500 Oops", "{}"), ReasonCode::ProviderRefused),
        (Reply::typed("200 OK", "content-type: text/html\r\n", "x"), ReasonCode::ProviderMediaType),
        (Reply::json("200 OK", "{"), ReasonCode::ProviderMalformed),
        (Reply::json("200 OK", "{}"), ReasonCode::ProviderSchema),
        (Reply::json("200 OK", vec![b' '; 600_000]), ReasonCode::ProviderTooLarge),
        (
            Reply::raw(format!("HTTP/1.1 200 OK\r\n{json}content-length: 50\r\n\r\n{{"))
                .then_close(),
            ReasonCode::ProviderInterrupted,
        ),
    ];
    for (reply, reason) in rows {
        world.provider.replies(reply);
        let record = refuses(&world, person(), reason).await;
        assert_eq!(reason.side(), Side::Provider);
        assert_eq!(record["cites"], json!(["test-law#1", "sector-law#7"]));
        assert_eq!(record["disclosed"], 0);
    }
    refuses(&world, Ask::office("void", "plain_work"), ReasonCode::ProviderUnreachable).await;
    world.provider.replies(Reply::never());
    refuses(&world, Ask::office("vault", "plain_work"), ReasonCode::ProviderTimeout).await;
}

#[tokio::test]
async fn a_provider_is_sent_no_more_than_it_may_be() {
    let world = World::with(Setup { vault: vec![("in_flight", 1)], ..Setup::default() }).await;
    let gate = Gate::shut();
    world.provider.replies(Reply::json("200 OK", r#"{"ok":true}"#).behind(&gate));
    let mut held = world.connection("office").await;
    held.send(&Ask::office("vault", "plain_work").bytes()).await;
    world.provider.received(1).await;
    refuses(&world, Ask::office("vault", "plain_work"), ReasonCode::ProviderBusy).await;
    assert_eq!(world.provider.requests().len(), 1);
    gate.open();
    assert_eq!(held.answer().await.status, 200);
    assert_eq!(world.ask(&Ask::office("vault", "plain_work")).await.status, 200);
}

#[tokio::test]
async fn a_full_gateway_sheds_what_it_cannot_carry() {
    let world = World::with(Setup { limits: vec![("in_flight", 1)], ..Setup::default() }).await;
    let gate = Gate::shut();
    let body = r#"{"name":"An","number":"001122334455"}"#;
    world.provider.replies(Reply::json("200 OK", body).behind(&gate));
    let mut held = world.connection("desk").await;
    held.send(&person().bytes()).await;
    world.provider.received(1).await;
    refuses(&world, person(), ReasonCode::GatewayOverloaded).await;
    gate.open();
    assert_eq!(held.answer().await.status, 200);
    assert_eq!(world.ask(&person()).await.status, 200);
}

/// `lienthong why` tells the operator what the consumer is not told.
#[tokio::test]
async fn why_tells_the_exact_reason() {
    let world = World::new().await;
    let answer = world.ask(&Ask::office("people", "erring_work")).await;
    assert_eq!(answer.json()["reason"], "policy.denied");
    let (code, text) = run_why(&world, &answer, &["--json"]).await;
    let record: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &record["reason"]), (0, &json!("policy.error")));
    let (code, text) = run_why(&world, &answer, &[]).await;
    assert_eq!(code, 0);
    assert!(text.contains("policy.error") && text.contains("office-erring"), "{text}");
    let mut unknown = answer;
    unknown.headers.retain(|(name, _)| name != "lienthong-request-id");
    let id = "00000000-0000-4000-8000-000000000000".to_owned();
    unknown.headers.push(("lienthong-request-id".to_owned(), id));
    assert_eq!(run_why(&world, &unknown, &[]).await.0, 1);
}

async fn run_why(world: &World, answer: &Answer, more: &[&str]) -> (i32, String) {
    let mut command = lienthong();
    command.arg("why").arg(answer.header("lienthong-request-id").unwrap()).args(more);
    command.arg("--config").arg(world.directory.path().join("gateway.yaml"));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// What is remembered is bounded, and the oldest goes first.
#[tokio::test]
async fn only_the_last_exchanges_are_remembered() {
    let world = World::with(Setup { limits: vec![("recent_exchanges", 2)], ..Setup::default() });
    let world = world.await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let answer = world.ask(&person()).await;
        ids.push(answer.header("lienthong-request-id").unwrap().to_owned());
    }
    let mut statuses = Vec::new();
    for id in &ids {
        statuses.push(admin(world.directory.path(), "GET", &format!("/why/{id}")).await.status);
    }
    assert_eq!(statuses, [404, 200, 200]);
}

/// Every code of the closed list stands above, in what this file refuses with.
#[test]
fn every_code_but_the_impossible_one_is_produced() {
    let missing: BTreeSet<_> = ReasonCode::ALL
        .iter()
        .filter(|code| !SOURCES.iter().any(|s| s.contains(&format!("ReasonCode::{code:?}"))))
        .map(|code| code.as_str())
        .collect();
    assert_eq!(missing.into_iter().collect::<Vec<_>>(), ["gateway.internal"]);
}
