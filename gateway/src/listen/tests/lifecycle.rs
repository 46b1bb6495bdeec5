use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use http::Request;
use tokio::time::Instant;

use super::harness::*;
use crate::listen::ListenSettings;

/// The promise about a peer that loses its standing.
const BOUND: Duration = Duration::from_secs(1);

fn request(path: &str) -> Request<()> {
    Request::get(format!("https://localhost{path}")).body(()).unwrap()
}

#[tokio::test]
async fn a_connection_whose_certificate_was_revoked_ends_within_a_second() {
    let mut world = world().await;
    let (revoked, other) = (world.client(), world.client());
    let mut idle = world.http1(&revoked).await;
    let mut stays = world.http1(&other).await;
    world.revoke(&revoked);
    let start = Instant::now();
    world.server().recheck();
    assert!(within(idle.rest()).await.is_empty());
    assert!(start.elapsed() < BOUND);
    assert_eq!(within(stays.get("/")).await.unwrap().0, 200);
    assert_eq!(world.server().counts().revoked, 1);
}

#[tokio::test]
async fn a_busy_connection_of_a_suspended_peer_ends_within_a_second() {
    let world = world().await;
    let mut http1 = world.http1(&world.client()).await;
    http1.send("GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (mut http2, driver) = world.http2(&world.client()).await;
    let (answer, _) = http2.send_request(request("/gate"), true).unwrap();
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 2).await;
    world.serve.suspended.store(true, Ordering::SeqCst);
    let start = Instant::now();
    world.server().recheck();
    assert!(within(http1.rest()).await.is_empty());
    assert!(within(answer).await.is_err());
    assert!(start.elapsed() < BOUND);
    // How the h2 crate names an end without goodbye does not matter.
    drop(within(driver).await);
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 0).await;
    assert_eq!(world.server().connections(), 0);
}

#[tokio::test]
async fn a_peer_without_standing_may_still_read_the_answer_in_flight() {
    let world = world().await;
    let mut http1 = world.http1(&world.client()).await;
    http1.send("GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 1).await;
    world.serve.suspended.store(true, Ordering::SeqCst);
    world.server().recheck();
    world.serve.gate.add_permits(1);
    assert_eq!(within(http1.answer()).await.unwrap(), (200, b"through".to_vec()));
    assert!(within(http1.rest()).await.is_empty());
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_accepts_nothing_new() {
    let mut world = world().await;
    let mut idle = world.http1(&world.client()).await;
    let mut busy = world.http1(&world.client()).await;
    busy.send("GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (mut http2, driver) = world.http2(&world.client()).await;
    let (answer, _) = http2.send_request(request("/gate"), true).unwrap();
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 2).await;

    let drained = tokio::spawn(world.server.take().unwrap().drain());
    assert!(within(idle.rest()).await.is_empty());
    within(async {
        while tokio::net::TcpStream::connect(world.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(!drained.is_finished());
    world.serve.gate.add_permits(2);
    assert_eq!(within(busy.answer()).await.unwrap().0, 200);
    assert_eq!(within(answer).await.unwrap().status(), 200);
    drop(http2);
    within(drained).await.unwrap();
    drop(within(driver).await);
}

#[tokio::test]
async fn a_drain_ends_at_its_deadline() {
    let settings = ListenSettings { drain: Duration::from_millis(300), ..patient() };
    let mut world = world_with(settings, |_| {}).await;
    let mut busy = world.http1(&world.client()).await;
    busy.send("GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 1).await;
    within(world.server.take().unwrap().drain()).await;
    assert!(within(busy.rest()).await.is_empty());
    assert_eq!(world.serve.waiting.load(Ordering::SeqCst), 0, "the request was dropped");
}

#[tokio::test]
async fn dropping_the_listener_ends_its_connections() {
    let mut world = world().await;
    let mut idle = world.http1(&world.client()).await;
    drop(world.server.take());
    assert!(within(idle.rest()).await.is_empty());
}

#[tokio::test]
async fn quiet_connections_end() {
    let settings = ListenSettings { idle: Duration::from_millis(300), ..patient() };
    let world = world_with(settings, |_| {}).await;
    let mut http1 = world.http1(&world.client()).await;
    let (http2, driver) = world.http2(&world.client()).await;
    let mut http2 = http2.ready().await.unwrap();
    let (answer, _) = http2.send_request(request("/"), true).unwrap();
    assert_eq!(within(answer).await.unwrap().status(), 200);
    assert!(within(http1.rest()).await.is_empty());
    within(driver).await.unwrap().unwrap();
    until(|| world.server().connections() == 0).await;
}

#[tokio::test]
async fn a_connection_that_asks_all_the_time_ends_at_its_age() {
    let settings = ListenSettings { max_connection_age: Duration::from_millis(300), ..patient() };
    let world = world_with(settings, |_| {}).await;
    let mut http1 = world.http1(&world.client()).await;
    let mut served = 0;
    within(async {
        while let Ok((200, _)) = http1.get("/").await {
            served += 1;
        }
    })
    .await;
    assert!(served > 0);
    let (mut http2, driver) = world.http2(&world.client()).await;
    within(async {
        while let Ok(mut ready) = http2.clone().ready().await {
            let Ok((answer, _)) = ready.send_request(request("/"), true) else { break };
            if answer.await.is_err() {
                break;
            }
            http2 = ready;
        }
    })
    .await;
    drop(http2);
    within(driver).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_drops_its_requests() {
    let world = world().await;
    let mut http1 = world.http1(&world.client()).await;
    http1.send("GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let (mut http2, driver) = world.http2(&world.client()).await;
    let sent = http2.send_request(request("/gate"), true).unwrap();
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 2).await;
    drop(http1);
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 1).await;
    driver.abort();
    drop((sent, http2));
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test]
async fn answers_of_any_length_arrive_whole() {
    let world = world().await;
    let mut http1 = world.http1(&world.client()).await;
    let (mut http2, _driver) = world.http2(&world.client()).await;
    for length in [0, 1, 16_383, 16_384, 16_385, 1 << 20] {
        let path = format!("/large/{length}");
        assert_eq!(within(http1.get(&path)).await.unwrap().1.len(), length);
        let (answer, _) = http2.send_request(request(&path), true).unwrap();
        let mut body = within(answer).await.unwrap().into_body();
        let mut got = 0;
        while let Some(data) = within(body.data()).await {
            let data: Bytes = data.unwrap();
            got += data.len();
            body.flow_control().release_capacity(data.len()).unwrap();
        }
        assert_eq!(got, length);
    }
}

#[tokio::test]
async fn what_an_answer_holds_lives_until_the_peer_has_taken_it() {
    let world = world().await;
    let held = || std::sync::Arc::strong_count(&world.serve.held) - 1;
    let mut http1 = world.http1(&world.client()).await;
    http1.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    until(|| held() == 1).await;
    assert_eq!(within(http1.answer()).await.unwrap().1.len(), 32 << 20);
    until(|| held() == 0).await;
    http1.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    until(|| held() == 1).await;
    drop(http1);
    until(|| held() == 0).await;
}
