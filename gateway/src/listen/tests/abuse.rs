use std::{sync::atomic::Ordering, time::Duration};

use super::harness::*;
use crate::listen::ListenSettings;

/// Requests that two parsers would read differently, each followed by one that must never be seen.
const AMBIGUOUS: [&str; 14] = [
    "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
    "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 5\r\n\r\n",
    "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "GET /x HTTP/1.1\nHost: a\n\n",
    "GET /x HTTP/1.1\r\nHost: a\r\nX: y\rZ: w\r\n\r\n",
    "GET http://other.example/x HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /x#fragment HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET /x HTTP/1.1\r\n\r\n",
    "\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
];
const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn ambiguous_heads_are_answered_400_and_nothing_after_them_is_read() {
    let world = world().await;
    for stream in AMBIGUOUS {
        let mut http1 = Http1(world.connect(&world.client(), "http/1.1").await);
        http1.send(&format!("{stream}{SMUGGLED}")).await.unwrap();
        let answers = within(http1.rest()).await;
        assert_eq!(statuses(&answers), [(400, 1)].into(), "{stream:?}");
    }
    assert!(world.paths().is_empty(), "{:?}", world.paths());
    until(|| world.server().counts().framing == 14).await;
}

#[tokio::test]
async fn ambiguous_heads_cut_anywhere_are_refused_too() {
    let world = world().await;
    let stream = format!("{}{SMUGGLED}", AMBIGUOUS[0]);
    for at in (0..stream.len()).step_by(5) {
        let mut http1 = Http1(world.connect(&world.client(), "http/1.1").await);
        let (first, second) = stream.split_at(at);
        http1.send(first).await.unwrap();
        // After a refusal the connection may be gone already.
        http1.send(second).await.unwrap_or_default();
        let answers = within(http1.rest()).await;
        assert_eq!(statuses(&answers), [(400, 1)].into(), "cut at {at}");
    }
    assert!(world.paths().is_empty());
}

#[tokio::test]
async fn a_request_in_order_is_answered_before_an_ambiguous_one_behind_it() {
    let world = world().await;
    let mut http1 = Http1(world.connect(&world.client(), "http/1.1").await);
    let good = "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n";
    http1.send(&format!("{good}{}{SMUGGLED}", AMBIGUOUS[7])).await.unwrap();
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 1).await;
    world.serve.gate.add_permits(1);
    let answers = within(http1.rest()).await;
    assert_eq!(statuses(&answers), [(200, 1), (400, 1)].into());
    assert_eq!(world.paths(), ["/gate"]);
}

#[tokio::test]
async fn broken_chunks_end_the_body_and_the_connection() {
    let world = world().await;
    for chunks in [
        "5;a=b\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX: y\r\n\r\n",
        "fffffffffffffffff\r\n",
    ] {
        let mut http1 = Http1(world.connect(&world.client(), "http/1.1").await);
        let head = "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        http1.send(&format!("{head}{chunks}{SMUGGLED}")).await.unwrap();
        let answers = within(http1.rest()).await;
        let seen = statuses(&answers);
        assert!(!seen.contains_key(&200), "{chunks:?}: {seen:?}");
    }
    assert!(world.paths().iter().all(|path| path == "/body"), "{:?}", world.paths());
}

#[tokio::test]
async fn good_chunks_arrive() {
    let world = world().await;
    let mut http1 = world.http1(&world.client()).await;
    let request = "POST /body HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\
                   5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
    for _ in 0..2 {
        http1.send(request).await.unwrap();
        assert_eq!(within(http1.answer()).await.unwrap(), (200, b"hello!".to_vec()));
    }
}

#[tokio::test]
async fn heads_beyond_the_limit_are_refused() {
    let world = world().await;
    let mut http1 = Http1(world.connect(&world.client(), "http/1.1").await);
    let long = "x".repeat(100_000);
    // The server may end before everything is sent.
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n");
    http1.send(&request).await.unwrap_or_default();
    let answers = within(http1.rest()).await;
    assert!(answers.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&answers));
    assert!(world.paths().is_empty());
}

#[tokio::test]
async fn slow_heads_end_at_their_deadline() {
    let settings = ListenSettings { header: Duration::from_millis(300), ..patient() };
    let world = world_with(settings, |_| {}).await;
    // Nothing after the handshake, half a head, and half of a second head.
    let mut nothing = Http1(world.connect(&world.client(), "http/1.1").await);
    let mut half = Http1(world.connect(&world.client(), "http/1.1").await);
    half.send("GET / HTTP/1.1\r\nHo").await.unwrap();
    let mut second = world.http1(&world.client()).await;
    second.send("GET / HTTP/1.1\r\nHo").await.unwrap();
    let (preface_only, _driver) = world.http2(&world.client()).await;
    for http1 in [&mut nothing, &mut half, &mut second] {
        assert!(within(http1.rest()).await.is_empty());
    }
    until(|| world.server().counts().deadlines == 4).await;
    drop(preface_only);
    assert_eq!(world.paths(), ["/"]);
}

#[tokio::test]
async fn readers_that_stop_are_ended() {
    let settings = ListenSettings { stall: Duration::from_millis(300), ..patient() };
    let world = world_with(settings, |_| {}).await;
    let mut http1 = world.http1(&world.client()).await;
    let length = 64 << 20;
    let request = format!("GET /large/{length} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    http1.send(&request).await.unwrap();
    until(|| world.server().connections() == 0).await;
    assert_eq!(world.server().counts().deadlines, 1);
    assert!(within(http1.rest()).await.len() < length);
    world.assert_serves().await;
}

#[tokio::test]
async fn an_unread_body_does_not_cost_the_answer() {
    let world = world().await;
    let mut http1 = world.http1(&world.client()).await;
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n";
    http1.send(head).await.unwrap();
    // The server answers without reading; it may end before everything is sent.
    http1.send(&"x".repeat(200_000)).await.unwrap_or_default();
    assert_eq!(within(http1.answer()).await.unwrap(), (200, b"ok".to_vec()));
}
