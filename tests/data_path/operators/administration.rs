//! Who may administer over TLS, and that every call is on record before it is done.

use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use super::{administration, administrative, ask, assert_refused, deed, recorded, world};
use crate::data_path::harness::{Answer, Ask, Setup, World, admin, person, within};

const ANNOUNCE: &str = "/evidence/administration";

fn post(certificate: &str, path: &str, body: &Value) -> Ask {
    Ask::get(certificate, path)
        .method("POST")
        .header("content-type", "application/json")
        .body(body.to_string())
}

/// One request with a body to the socket.
async fn at_socket(world: &World, path: &str, body: &Value) -> Answer {
    let socket = world.directory.path().join("admin.sock");
    let mut stream = UnixStream::connect(socket).await.expect("admin socket");
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    within("the administration's answer", stream.read_to_end(&mut bytes)).await.unwrap();
    Answer::take(&mut bytes).expect("a whole answer")
}

#[tokio::test]
async fn each_role_may_do_what_it_may_and_it_is_on_record() {
    let mut world = world().await;
    let exchange = world.ask(&person()).await;
    let id = exchange.header("lienthong-request-id").unwrap().to_owned();
    let address = administration(&world).await;
    let why = format!("/why/{id}");
    let search = json!({ "action": "search", "why": "request 12 of the inspectorate" });
    let calls = [
        (Ask::get("", "/health"), ["operations", "privacy", "audit", "watch"].as_slice()),
        (Ask::get("", "/ready"), &["operations", "privacy", "audit", "watch"]),
        (Ask::get("", "/metrics"), &["operations", "privacy", "audit", "watch"]),
        (post("", "/reload", &json!({ "why": "new agreement" })), &["operations"]),
        (Ask::get("", &why), &["operations", "privacy", "audit"]),
        (post("", ANNOUNCE, &search), &["privacy", "audit"]),
        (post("", "/drain", &json!({})), &[]),
    ];
    for (call, may) in &calls {
        for name in ["operations", "privacy", "audit", "watch"] {
            if call.target == "/drain" && name == "operations" {
                continue;
            }
            let asked = Ask { certificate: name.to_owned(), ..call.clone() };
            let answer = ask(&world, address, &asked).await;
            if may.contains(&name) {
                assert_eq!(answer.status, 200, "{name} {}: {}", call.target, answer.text());
            } else {
                assert_refused(&answer, ReasonCode::OperatorRole);
            }
        }
        for (name, reason) in [
            ("paused", ReasonCode::OperatorNotInForce),
            ("desk", ReasonCode::OperatorUnknown),
            ("stranger", ReasonCode::OperatorUnknown),
        ] {
            let asked = Ask { certificate: name.to_owned(), ..call.clone() };
            assert_refused(&ask(&world, address, &asked).await, reason);
        }
    }
    let all = recorded(&mut world).await;
    let deeds: Vec<_> = all.iter().map(deed).collect();
    assert_eq!(
        deeds,
        [
            ("reload", "operations", "operator"),
            ("why", "operations", "operator"),
            ("why", "privacy", "compliance"),
            ("why", "audit", "auditor"),
            ("search", "privacy", "compliance"),
            ("search", "audit", "auditor"),
        ]
    );
    assert_eq!(all[0]["why"], "new agreement");
    assert_eq!(all[1]["exchange"], id);
    assert_eq!(all[4]["why"], "request 12 of the inspectorate");
}

#[tokio::test]
async fn a_drain_over_tls_ends_the_gateway() {
    let mut world = world().await;
    let address = administration(&world).await;
    let drain = post("operations", "/drain", &json!({ "why": "move to another machine" }));
    let answer = ask(&world, address, &drain).await;
    assert_eq!(answer.json(), json!({ "draining": true, "recorded": true }));
    assert!(world.gateway.ended().await.success());
    let all = administrative(&world);
    assert_eq!(deed(&all[0]), ("drain", "operations", "operator"));
    assert_eq!(all[0]["why"], "move to another machine");
}

/// What comes through the socket is on record as `local`; a tool announces what it is about to do.
#[tokio::test]
async fn the_socket_announces_and_records() {
    let mut world = world().await;
    world.reloaded().await;
    let id = "018f3c5e-8d2a-4c1b-9e77-0123456789ab";
    let subject = "AAECAwQFBgcICQoLDA0ODw";
    for body in [
        json!({ "action": "search", "why": "request 12", "subject": subject, "key": "2026-q4",
            "from_ms": 1, "until_ms": 2 }),
        json!({ "action": "prove", "why": "request 12", "exchange": id, "count": 3 }),
        json!({ "action": "export", "why": "request 12" }),
        json!({ "action": "archive", "why": "12 months are over" }),
        json!({ "action": "key_new", "why": "next quarter", "key": "2027-q1" }),
        json!({ "action": "key_rotate", "why": "next quarter" }),
        json!({ "action": "key_destroy", "why": "5 years are over", "key": "2021-q1" }),
    ] {
        let answer = at_socket(&world, ANNOUNCE, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["recorded"], true);
        assert!(answer.json()["index"].is_u64());
    }
    let unknown = admin(world.directory.path(), "GET", &format!("/why/{id}?why=a%20call")).await;
    assert_refused(&unknown, ReasonCode::OperatorNotFound);
    let all = recorded(&mut world).await;
    let deeds: Vec<_> = all.iter().map(deed).collect();
    let actions = [
        "reload",
        "search",
        "prove",
        "export",
        "archive",
        "key_new",
        "key_rotate",
        "key_destroy",
        "why",
    ];
    assert_eq!(deeds, actions.map(|action| (action, "local", "local")));
    assert_eq!((&all[1]["subject"], &all[1]["key"]), (&json!(subject), &json!("2026-q4")));
    assert_eq!((&all[1]["from_ms"], &all[1]["until_ms"]), (&json!(1), &json!(2)));
    assert_eq!((&all[2]["exchange"], &all[2]["count"]), (&json!(id), &json!(3)));
    assert_eq!(all[8]["why"], "a call");
}

#[tokio::test]
async fn what_is_malformed_is_neither_recorded_nor_done() {
    let mut world = world().await;
    let address = administration(&world).await;
    for body in [
        json!({}),
        json!([]),
        json!({ "action": "search" }),
        json!({ "action": "reload", "why": "it records itself" }),
        json!({ "action": "read_entries", "why": "it records itself" }),
        json!({ "action": "erase", "why": "no such thing" }),
        json!({ "action": "search", "why": "" }),
        json!({ "action": "search", "why": "about 001122334455" }),
        json!({ "action": "search", "why": "a \"quote\"" }),
        json!({ "action": "search", "why": "x", "subject": "001122334455" }),
        json!({ "action": "search", "why": "x", "key": "Q4" }),
        json!({ "action": "search", "why": "x", "exchange": "1" }),
        json!({ "action": "search", "why": "x", "from_ms": -1 }),
        json!({ "action": "search", "why": "x", "operator": "someone" }),
    ] {
        let answer = ask(&world, address, &post("audit", ANNOUNCE, &body)).await;
        assert_refused(&answer, ReasonCode::RequestMalformed);
        let answer = at_socket(&world, ANNOUNCE, &body).await;
        assert_refused(&answer, ReasonCode::RequestMalformed);
    }
    // What touches files of the machine is done on the machine.
    for action in ["key_new", "key_rotate", "key_destroy", "archive"] {
        let body = json!({ "action": action, "why": "x" });
        let answer = ask(&world, address, &post("audit", ANNOUNCE, &body)).await;
        assert_refused(&answer, ReasonCode::OperatorRole);
    }
    let reload = post("operations", "/reload", &json!({ "why": "001122334455" }));
    assert_refused(&ask(&world, address, &reload).await, ReasonCode::RequestMalformed);
    let long = post("operations", "/reload", &json!({ "why": "x".repeat(20_000) }));
    assert_refused(&ask(&world, address, &long).await, ReasonCode::RequestTooLarge);
    let unknown = ask(&world, address, &Ask::get("operations", "/evidence")).await;
    assert_refused(&unknown, ReasonCode::OperatorNotFound);
    let method = ask(&world, address, &Ask::get("operations", "/reload")).await;
    assert_refused(&method, ReasonCode::RequestMethod);
    assert_eq!(method.header("allow"), Some("POST"));
    assert!(recorded(&mut world).await.is_empty());
}

/// While the log takes nothing, a drain is all that is done: it only takes away.
#[tokio::test]
async fn only_a_drain_goes_on_when_the_log_takes_nothing() {
    let evidence = vec![("amber_percent", 1), ("red_percent", 1)];
    let mut world = World::with(Setup { operators: true, evidence, ..Setup::default() }).await;
    let address = administration(&world).await;
    let reload = ask(&world, address, &post("operations", "/reload", &json!({}))).await;
    assert_refused(&reload, ReasonCode::EvidenceUnavailable);
    let search = json!({ "action": "search", "why": "x" });
    let search = ask(&world, address, &post("audit", ANNOUNCE, &search)).await;
    assert_refused(&search, ReasonCode::EvidenceUnavailable);
    assert_refused(&world.reload().await, ReasonCode::EvidenceUnavailable);
    // A signal comes from whoever has the machine: what is revoked must be refused even now.
    world.gateway.signal("HUP");
    let told = |line: &Value| (line["message"] == "reload is not on record").then_some(());
    world.gateway.logs("that the reload is not on record", told).await;
    let reloaded = |line: &Value| (line["message"] == "reloaded").then_some(());
    world.gateway.logs("the reload", reloaded).await;
    let drain = ask(&world, address, &post("operations", "/drain", &json!({}))).await;
    assert_eq!(drain.json(), json!({ "draining": true, "recorded": false }));
    let told = |line: &Value| (line["message"] == "drain is not on record").then_some(());
    world.gateway.logs("that the drain is not on record", told).await;
    assert!(world.gateway.ended().await.success());
}

/// An address for operators without operators answers nobody, and the start says so.
#[tokio::test]
async fn a_listener_that_answers_nobody_is_told_of() {
    let files = crate::data_path::harness::Files::default().remove("policies/operators.yaml");
    let world = World::with(Setup { operators: true, files, ..Setup::default() }).await;
    let told = |line: &Value| line["message"].as_str()?.contains("names nobody").then_some(());
    world.gateway.logs("a warning", told).await;
    let answer =
        ask(&world, administration(&world).await, &Ask::get("operations", "/health")).await;
    assert_refused(&answer, ReasonCode::OperatorUnknown);
}
