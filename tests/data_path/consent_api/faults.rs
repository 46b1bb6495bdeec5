//! A store that is killed, takes nothing, does not answer or is damaged: what rests on consent is
//! refused, nothing acknowledged is lost, and everything else goes on.

#[path = "../../../gateway/store/src/testing/postgres.rs"]
#[expect(dead_code, reason = "a server that is killed is shared with nobody")]
mod postgres;

use std::os::unix::fs::OpenOptionsExt as _;

use lienthong_model::reason::ReasonCode;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use self::postgres::{PASSWORD, Server};
use super::desk::{Desk, NUMBER, change, give, refused, search, statement};
use crate::data_path::harness::{Ask, Gateway, admin, person, within};

/// A desk whose durable state is in a database of this server.
async fn desk(server: &Server) -> Desk {
    let mut desk = Desk::new().await;
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    let mut options = std::fs::OpenOptions::new();
    let file = desk.world.directory.path().join("password");
    let mut file = options.write(true).create_new(true).mode(0o600).open(file).unwrap();
    std::io::Write::write_all(&mut file, PASSWORD.as_bytes()).unwrap();
    let url = server.url(&server.database());
    let with = format!(
        "data:\n  database: \"{url}\"\n  database_password_file: password\n  directory: data-beside"
    );
    desk.world.edit("gateway.yaml", "data:\n  directory: data", &with);
    desk.restart().await;
    desk
}

/// A look-up on the strength of a consent.
fn on_consent() -> Ask {
    let target = format!("/r1/VN/TEST/T01.10/REGISTRY/people/people?number={NUMBER}");
    Ask::get("clinic", &target)
        .header("x-road-client", "VN/TEST/T01.21/CLINIC")
        .header("lienthong-purpose", "consent_work")
}

/// Waits until the registry is certain again.
async fn certain(desk: &Desk) {
    let certain = |line: &serde_json::Value| {
        (line["message"] == "the registry of consents is certain again").then_some(())
    };
    within("an end of the doubt", desk.world.gateway.logs("certainty", certain)).await;
}

/// The embedded store, beside the gateway.
async fn beside(desk: &Desk) -> SqliteConnection {
    let file = desk.world.directory.path().join("data/lienthong.db");
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn ready(desk: &Desk) -> String {
    admin(desk.world.directory.path(), "GET", "/ready").await.text()
}

#[tokio::test]
async fn a_store_that_is_killed_loses_nothing_and_stops_nothing_else() {
    let server = Server::start();
    let desk = desk(&server).await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    server.crash();
    let withdraw = change("counter", &id, "withdraw").header("idempotency-key", "withdraw-17");
    refused(&desk.ask(&withdraw).await, ReasonCode::FactsUnavailable);
    refused(&desk.ask(&give("counter", &statement())).await, ReasonCode::FactsUnavailable);
    refused(&desk.ask(&search("counter", NUMBER)).await, ReasonCode::FactsUnavailable);
    assert!(ready(&desk).await.contains("in doubt"));
    // On consent: nobody knows whether the withdrawal is durable.
    let on_consent = on_consent();
    let answer = desk.world.ask(&on_consent).await;
    desk.world.assert_refused(&answer, ReasonCode::FactsUnavailable).await;
    // Not on consent: it goes on.
    assert_eq!(desk.world.ask(&person()).await.status, 200);
    server.restart();
    certain(&desk).await;
    assert_eq!(desk.world.ask(&on_consent).await.status, 200);
    assert_eq!(desk.ask(&withdraw).await.json()["state"], "withdrawn");
    let answer = desk.world.ask(&on_consent).await;
    desk.world.assert_refused(&answer, ReasonCode::ConsentWithdrawn).await;
}

/// As a full disk has it: what is read is there, and nothing more is taken.
#[tokio::test]
async fn a_store_that_takes_nothing_acknowledges_nothing() {
    let desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    let mut store = beside(&desk).await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON ledger_event
        BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    sqlx::query(full).execute(&mut store).await.unwrap();
    refused(&desk.change(&id, "withdraw").await, ReasonCode::FactsUnavailable);
    refused(&desk.ask(&give("counter", &statement())).await, ReasonCode::FactsUnavailable);
    assert_eq!(desk.world.ask(&person()).await.status, 200);
    sqlx::query("DROP TRIGGER full").execute(&mut store).await.unwrap();
    certain(&desk).await;
    assert_eq!(desk.record(&id).await["state"], "given");
    assert_eq!(desk.world.ask(&on_consent()).await.status, 200);
    assert_eq!(desk.change(&id, "withdraw").await.status, 200);
    let answer = desk.world.ask(&on_consent()).await;
    desk.world.assert_refused(&answer, ReasonCode::ConsentWithdrawn).await;
}

/// Somebody else holds the store for longer than anyone waits.
#[tokio::test]
async fn a_store_that_does_not_answer_is_not_waited_for() {
    let desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    let mut store = beside(&desk).await;
    let held = store.begin_with("BEGIN IMMEDIATE").await.unwrap();
    refused(&desk.change(&id, "withdraw").await, ReasonCode::FactsUnavailable);
    assert_eq!(desk.world.ask(&person()).await.status, 200);
    held.rollback().await.unwrap();
    certain(&desk).await;
    assert_eq!(desk.change(&id, "withdraw").await.status, 200);
}

/// Nobody guesses what a damaged store said.
#[tokio::test]
async fn a_damaged_store_stops_the_start() {
    let mut desk = Desk::new().await;
    desk.given(&statement()).await;
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    let file = desk.world.directory.path().join("data/lienthong.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[4096..].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let (code, told) = Gateway::refused(desk.world.directory.path()).await;
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("database"), "{told}");
    assert!(!told.contains(NUMBER));
}
