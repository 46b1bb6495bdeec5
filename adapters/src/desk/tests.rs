use axum::body::{Body, to_bytes};
use http::{Method, Request, StatusCode};
use lienthong_sandbox::Fault;
use serde_json::json;
use tower::ServiceExt as _;

use super::*;
use crate::testing::{A, B, CANARY, World, progress, sync};

/// A world in which one message needs a person, whose outcome nobody knows, and another waits behind
/// it.
async fn world() -> World {
    let mut world = World::new().await;
    world.set("repeat: {look_up: TraCuuHoSo}", "repeat: never");
    world.write(&[sync(A, 1), sync(A, 2), progress(A, 4, 30), progress(A, 4, 31)]).await;
    world.faults().once("CapNhatTienDoHoSoMC", Fault::ResetAfterAccept);
    let report = world.run().await;
    assert_eq!((report.dead, report.held), (1, 1));
    world
}

fn key() -> String {
    format!("{A}/step/30")
}

fn path(call: &str) -> String {
    format!("/flows/ward-cases/dead/{}{call}", key().replace('/', "%2F"))
}

async fn ask(desk: &Desk, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let response = desk.router().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

async fn desk(world: &World) -> Desk {
    Desk::open(world.config(), world.clock.clone()).await.unwrap()
}

#[tokio::test]
async fn what_is_not_there_or_not_said_is_refused() {
    let world = world().await;
    let desk = desk(&world).await;
    let post = async |path: &str, body: Value| ask(&desk, Method::POST, path, body).await;
    for (path, body, expected) in [
        ("/flows/nobody/pause", json!({"why": "x"}), StatusCode::NOT_FOUND),
        ("/flows/ward-cases/dead/x/retry", json!({"why": "x"}), StatusCode::NOT_FOUND),
        ("/flows/ward-cases/dead/x/drop", json!({"why": "x"}), StatusCode::NOT_FOUND),
        ("/flows/ward-cases/dead/x/taken", json!({"why": "x"}), StatusCode::NOT_FOUND),
        ("/flows/ward-cases/pause", json!({"why": " "}), StatusCode::UNPROCESSABLE_ENTITY),
        ("/flows/ward-cases/pause", json!({"why": "a\nb"}), StatusCode::UNPROCESSABLE_ENTITY),
        ("/flows/ward-cases/pause", json!({}), StatusCode::UNPROCESSABLE_ENTITY),
        ("/flows/ward-cases/pause", json!({"why": "x", "y": 1}), StatusCode::UNPROCESSABLE_ENTITY),
        ("/flows/ward-cases/backfill", json!({}), StatusCode::CONFLICT),
        ("/flows/ward-cases/compare", json!({}), StatusCode::CONFLICT),
    ] {
        assert_eq!(post(path, body.clone()).await.0, expected, "{path} {body}");
    }
    let long = json!({"why": "x".repeat(501)});
    assert_eq!(post("/flows/ward-cases/pause", long).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, _) = ask(&desk, Method::GET, "/flows/ward-cases/dead/x", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_message_is_shown_without_its_values_unless_they_are_revealed() {
    let mut world = World::new().await;
    world.set("attempts: 12", "attempts: 1");
    world.write(&[sync(B, 1)]).await;
    world.faults().set("DongBoHoSoMC", Fault::StackTrace);
    assert_eq!(world.run().await.dead, 1);
    let desk = desk(&world).await;
    let dead = ask(&desk, Method::GET, "/flows/ward-cases/dead", Value::Null).await.1;
    assert_eq!(dead[0]["key"], format!("{B}/sync/1"));
    assert_eq!((&dead[0]["attempts"], &dead[0]["erased"]), (&json!(1), &json!(false)));
    let path = format!("/flows/ward-cases/dead/{}", format!("{B}/sync/1").replace('/', "%2F"));
    let (status, shown) = ask(&desk, Method::GET, &path, Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((&shown["record"]["ChuHoSo"], &shown["dossier"]), (&json!("•••"), &json!(B)));
    for value in [CANARY, "0599000001"] {
        assert!(!shown.to_string().contains(value));
    }
    let shown = ask(&desk, Method::GET, &format!("{path}?reveal=true"), Value::Null).await.1;
    assert_eq!(shown["record"]["ChuHoSo"], CANARY);
    let shown = desk.show(&"ward-cases".parse().unwrap(), &format!("{B}/sync/1"), true).await;
    assert!(!format!("{shown:?}").contains(CANARY));
}

#[tokio::test]
async fn a_message_that_the_platform_has_counts_as_delivered_and_the_next_goes() {
    let world = world().await;
    let desk = desk(&world).await;
    let why = json!({"why": "the portal shows the step"});
    assert_eq!(ask(&desk, Method::POST, &path("/taken"), why.clone()).await.0, StatusCode::OK);
    assert_eq!(ask(&desk, Method::POST, &path("/taken"), why).await.0, StatusCode::NOT_FOUND);
    desk.store.close().await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.waiting), (4, 0, 0));
    assert_eq!((world.seen().progress, world.seen().duplicates), (2, 0));
}

#[tokio::test]
async fn a_message_that_the_platform_does_not_have_is_sent_again() {
    let mut world = World::new().await;
    world.set("repeat: {look_up: TraCuuHoSo}", "repeat: never");
    world.write(&[sync(A, 1), sync(A, 2), progress(A, 4, 30)]).await;
    // Lost before it was taken, which nobody can tell.
    world.faults().once("CapNhatTienDoHoSoMC", Fault::HtmlWith200);
    assert_eq!(world.run().await.dead, 1);
    let desk = desk(&world).await;
    let why = |not_taken| json!({"why": "looked at the portal", "not_taken": not_taken});
    // Nothing is known better, so it goes to a person again.
    assert_eq!(ask(&desk, Method::POST, &path("/retry"), why(false)).await.0, StatusCode::OK);
    desk.store.close().await;
    assert_eq!(world.run().await.dead, 1);
    let desk = self::desk(&world).await;
    assert_eq!(ask(&desk, Method::POST, &path("/retry"), why(true)).await.0, StatusCode::OK);
    desk.store.close().await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead), (3, 0));
    assert_eq!((world.seen().progress, world.seen().duplicates), (1, 0));
}

#[tokio::test]
async fn a_dropped_message_is_gone_and_its_reason_stays() {
    let world = world().await;
    let desk = desk(&world).await;
    let why = json!({"why": "entered by hand at the portal"});
    assert_eq!(ask(&desk, Method::POST, &path("/drop"), why).await.0, StatusCode::OK);
    desk.store.close().await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.dropped, report.dead), (3, 1, 0));
}

#[tokio::test]
async fn an_erased_message_is_neither_shown_nor_sent() {
    let world = world().await;
    let desk = desk(&world).await;
    let later = world.clock.now() + jiff::SignedDuration::from_hours(1);
    assert_eq!(desk.store.outbox().erase_dead(later, 10).await.unwrap(), 1);
    assert_eq!(ask(&desk, Method::GET, &path(""), Value::Null).await.0, StatusCode::CONFLICT);
    let retry = ask(&desk, Method::POST, &path("/retry"), json!({"why": "x"})).await;
    assert_eq!(retry.0, StatusCode::CONFLICT);
    assert!(retry.1["error"].as_str().unwrap().contains("erased by rule"));
}

#[tokio::test]
async fn a_paused_flow_sends_nothing_until_it_is_resumed() {
    let world = World::new().await;
    world.write(&[sync(A, 1)]).await;
    let desk = desk(&world).await;
    let why = json!({"why": "the portal is moved"});
    let pause = ask(&desk, Method::POST, "/flows/ward-cases/pause", why).await;
    assert_eq!(pause.0, StatusCode::OK);
    let status = ask(&desk, Method::GET, "/status", Value::Null).await.1;
    assert_eq!(status["flows"][0]["paused"], "the portal is moved");
    let request = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
    let metrics = desk.router().oneshot(request).await.unwrap();
    let metrics = to_bytes(metrics.into_body(), 1 << 20).await.unwrap();
    let metrics = String::from_utf8(metrics.to_vec()).unwrap();
    assert!(metrics.contains("lienthong_flow_paused{flow=\"ward-cases\"} 1"), "{metrics}");
    let resume = ask(&desk, Method::POST, "/flows/ward-cases/resume", json!({})).await.1;
    assert_eq!(resume["was_paused"], true);
    let resume = ask(&desk, Method::POST, "/flows/ward-cases/resume", json!({})).await.1;
    assert_eq!(resume["was_paused"], false);
}

/// One call over the socket of a running process.
async fn over(socket: &std::path::Path, method: &str, path: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::UnixStream::connect(socket).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: adapters\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_running_process_is_asked_over_a_socket_of_its_account_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new().await;
    world.write(&[sync(A, 1)]).await;
    let config = world.config();
    let (end, ended) = oneshot::channel::<()>();
    let shutdown = async { drop(ended.await) };
    let asking = async {
        while world.seen().accepted < 1 {
            tokio::task::yield_now().await;
        }
        let mode = std::fs::metadata(&config.socket).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let flow = "/flows/ward-cases";
        let paused = over(&config.socket, "POST", &format!("{flow}/pause"), r#"{"why":"x"}"#).await;
        assert!(paused.contains("200 OK"), "{paused}");
        // An earlier reading may still be under way; the next one is after the pause.
        over(&config.socket, "POST", &format!("{flow}/compare"), "{}").await;
        world.write(&[sync(A, 2)]).await;
        let status = over(&config.socket, "GET", "/status", "").await;
        assert!(status.contains("\"paused\":\"x\""), "{status}");
        over(&config.socket, "POST", &format!("{flow}/resume"), "").await;
        let missed = over(&config.socket, "POST", &format!("{flow}/compare"), "{}").await;
        assert!(missed.contains("\"done\":true"), "{missed}");
        while world.seen().accepted < 2 {
            tokio::task::yield_now().await;
        }
        let again = over(&config.socket, "POST", &format!("{flow}/backfill"), "{}").await;
        assert!(again.contains("\"done\":true"), "{again}");
        end.send(()).unwrap();
    };
    let (report, ()) = tokio::join!(crate::run(&config, world.clock.clone(), shutdown), asking);
    assert_eq!(report.unwrap().flows[0].delivered, 2);
    assert_eq!(world.seen().accepted, 2);
    assert!(!config.socket.exists());
}
