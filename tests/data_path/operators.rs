//! The listeners for operators: who gets what from the monitor listener and the administration over
//! TLS, and that it is on record.

mod administration;
mod monitor;
mod reader;

use std::{net::SocketAddr, sync::Arc};

use lienthong_model::reason::ReasonCode;
use rustls::ClientConfig;
use serde_json::Value;

use super::harness::{Answer, Ask, Evidence, HTTP1, Setup, World, connect};

/// A world whose gateway listens for operators.
async fn world() -> World {
    World::with(Setup { operators: true, ..Setup::default() }).await
}

/// Where one of the listeners is.
async fn listener(world: &World, message: &'static str) -> SocketAddr {
    let address = world.gateway.logs(message, |line| {
        let told = line["message"] == message;
        told.then(|| line["address"].as_str()?.parse().ok()).flatten()
    });
    address.await
}

async fn monitor(world: &World) -> SocketAddr {
    listener(world, "serving the log to monitors").await
}

async fn administration(world: &World) -> SocketAddr {
    listener(world, "serving administration").await
}

/// One request to a listener, over a connection of its own.
async fn ask_as(address: SocketAddr, identity: Arc<ClientConfig>, ask: &Ask) -> Answer {
    let mut connection = connect(address, identity).await.expect("handshake");
    connection.send(&ask.bytes()).await;
    connection.answer().await
}

async fn ask(world: &World, address: SocketAddr, ask: &Ask) -> Answer {
    ask_as(address, world.pki.client(&ask.certificate, HTTP1), ask).await
}

/// Checks a refusal of these listeners: status, problem details, headers.
fn assert_refused(answer: &Answer, reason: ReasonCode) {
    let told = format!("expected {reason}, got {} {}", answer.status, answer.text());
    assert_eq!(answer.status, reason.status(), "{told}");
    let problem = answer.json();
    assert_eq!(problem["reason"], reason.as_str(), "{told}");
    assert_eq!(problem["type"], format!("urn:lienthong:reason:{reason}"));
    assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
    let media_type = "application/problem+json; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(media_type), "{told}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("lienthong-request-id"), problem["request_id"].as_str());
}

/// Ends the gateway; gives what the administrative entries of its log say.
async fn recorded(world: &mut World) -> Vec<Value> {
    world.gateway.signal("TERM");
    world.gateway.ended().await;
    administrative(world)
}

/// What the administrative entries of a log say, once its gateway has ended.
fn administrative(world: &World) -> Vec<Value> {
    let evidence = Evidence::read(world.directory.path());
    evidence.of("administration").into_iter().cloned().collect()
}

/// What was done, by whom, in which role.
fn deed(entry: &Value) -> (&str, &str, &str) {
    let text = |field: &str| entry[field].as_str().expect("a text");
    (text("action"), text("operator"), text("role"))
}
