//! The end of a gateway, and of connections that have grown old.

use std::time::Duration;

use super::harness::{Frames, Gate, HTTP2, Reply, Setup, World, admin, kind, person, within};

const GOOD: &str = r#"{"number":"001122334455","name":"An"}"#;

/// A world with one exchange in flight, behind the gate.
async fn busy(setup: Setup) -> (World, Gate, super::harness::Connection) {
    let world = World::with(setup).await;
    let gate = Gate::shut();
    world.provider.replies(Reply::json("200 OK", GOOD).behind(&gate));
    let mut connection = world.connection("desk").await;
    connection.send(&person().bytes()).await;
    world.provider.received(1).await;
    (world, gate, connection)
}

async fn draining(world: &World) {
    let told = |line: &serde_json::Value| (line["message"] == "draining").then_some(());
    world.gateway.logs("the drain", told).await;
}

#[tokio::test]
async fn a_terminated_gateway_finishes_what_is_in_flight_and_ends_well() {
    let (mut world, gate, mut connection) = busy(Setup::default()).await;
    let mut idle = world.connection("desk").await;
    idle.send(&person().target("/nothing").bytes()).await;
    assert_eq!(idle.answer().await.status, 404);
    world.gateway.signal("TERM");
    draining(&world).await;
    idle.closed_within(Duration::from_secs(2)).await;
    let ready = admin(world.directory.path(), "GET", "/ready").await;
    assert_eq!((ready.status, &ready.json()["status"]), (503, &"draining".into()));
    gate.open();
    let answers = connection.answers_until_closed().await;
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].status, &answers[0].json()["name"]), (200, &"An".into()));
    let status = world.gateway.ended().await;
    assert_eq!(status.code(), Some(0));
    let refused = tokio::net::TcpStream::connect(world.gateway.address).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn a_drain_command_is_as_good_as_a_signal() {
    let (mut world, gate, mut connection) = busy(Setup::default()).await;
    let answer = admin(world.directory.path(), "POST", "/drain").await;
    assert_eq!(answer.json()["draining"], true);
    draining(&world).await;
    gate.open();
    assert_eq!(connection.answer().await.status, 200);
    assert_eq!(world.gateway.ended().await.code(), Some(0));
}

/// What does not end in time is ended, and still nothing partial is sent.
#[tokio::test]
async fn a_drain_has_a_deadline() {
    let setup = Setup { listen: vec![("drain_seconds", 1)], ..Setup::default() };
    let (mut world, _gate, mut connection) = busy(setup).await;
    world.gateway.signal("TERM");
    let answers = connection.answers_until_closed().await;
    assert!(answers.iter().all(|answer| answer.status >= 500), "{answers:?}");
    assert_eq!(world.gateway.ended().await.code(), Some(0));
}

#[tokio::test]
async fn an_interrupt_ends_it_too() {
    let (mut world, gate, mut connection) = busy(Setup::default()).await;
    world.gateway.signal("INT");
    draining(&world).await;
    gate.open();
    assert_eq!(connection.answer().await.status, 200);
    assert_eq!(world.gateway.ended().await.code(), Some(0));
}

/// A signal is heard from the moment that exchanges are served.
#[tokio::test]
async fn a_signal_right_after_the_start_is_heard() {
    for name in ["TERM", "INT"] {
        let mut world = World::new().await;
        world.gateway.signal(name);
        assert_eq!(world.gateway.ended().await.code(), Some(0), "{name}");
    }
    let world = World::new().await;
    world.gateway.signal("HUP");
    let reloaded = |line: &serde_json::Value| (line["message"] == "reloaded").then_some(());
    world.gateway.logs("the reload", reloaded).await;
    assert_eq!(world.ask(&person()).await.status, 200);
}

/// No connection outlives a change for long, however busy it is; its requests in flight finish.
#[tokio::test]
async fn an_old_connection_is_asked_to_end() {
    let setup = Setup { listen: vec![("max_connection_age_seconds", 1)], ..Setup::default() };
    let world = World::with(setup).await;
    let mut connection = world.connection("desk").await;
    let mut answered = 0;
    within("the end of an old connection", async {
        loop {
            connection.send(&person().bytes()).await;
            match connection.try_answer().await.unwrap() {
                Some(answer) => assert_eq!(answer.status, 200),
                None => return,
            }
            answered += 1;
        }
    })
    .await;
    assert!(answered > 0);
    // HTTP/2 is told so, and what was asked before is answered.
    let gate = Gate::shut();
    world.provider.forget();
    world.provider.replies(Reply::json("200 OK", GOOD).behind(&gate));
    let stream = world.connection_as(world.pki.client("desk", HTTP2)).await;
    let mut frames = Frames::open(stream, &[]).await;
    frames.request(1, &person()).await;
    frames.wait(|frame| frame.kind == kind::GOAWAY).await;
    gate.open();
    assert_eq!(frames.body(1).await["name"], "An");
}

/// Two gateways on one set of files: the second one does not take the first one's data or socket
/// away.
#[tokio::test]
async fn a_second_gateway_on_the_same_files_does_not_start() {
    let world = World::new().await;
    let (code, text) = super::harness::Gateway::refused(world.directory.path()).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("is in use by another process"), "{text}");
    world.edit("gateway.yaml", "directory: data", "directory: other-data");
    let (code, text) = super::harness::Gateway::refused(world.directory.path()).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("another gateway has this socket"), "{text}");
    let ready = admin(world.directory.path(), "GET", "/ready").await;
    assert_eq!(ready.status, 200);
    assert_eq!(world.ask(&person()).await.status, 200);
}
