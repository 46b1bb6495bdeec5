use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use http_body_util::BodyExt as _;
use tokio::sync::mpsc;

use super::*;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";

/// What a provider saw of its connections.
#[derive(Debug, PartialEq, Eq)]
enum Saw {
    Opened,
    Request,
    Closed,
}

fn request(socket: &mut TcpStream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if !socket.read(&mut byte).is_ok_and(|read| read > 0) {
            return false;
        }
        head.push(byte[0]);
    }
    true
}

/// A provider that answers `each` requests of a connection with `answer`, then closes it.
fn provider(each: usize, answer: &'static [u8]) -> (Provider, mpsc::UnboundedReceiver<Saw>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let (tell, saw) = mpsc::unbounded_channel();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            tell.send(Saw::Opened).ok();
            for _ in 0..each {
                if !request(&mut socket) {
                    break;
                }
                tell.send(Saw::Request).ok();
                socket.write_all(answer).ok();
            }
            drop(socket);
            tell.send(Saw::Closed).ok();
        }
    });
    let second = std::time::Duration::from_secs(60);
    let settings = ProviderSettings {
        url,
        trust_anchor_file: None,
        client: None,
        connect: second,
        answer: second,
        accept_encoding: HeaderValue::from_static("identity"),
        silence: second,
        stream: second,
        in_flight: 4,
    };
    (Provider::load("records".parse().unwrap(), settings).unwrap(), saw)
}

async fn ask(provider: &Provider) -> http::Response<ProviderBody> {
    let target = provider.address("/").unwrap();
    provider.send(Request::get(target).body(Full::default()).unwrap()).await.unwrap()
}

async fn exchange(provider: &Provider) {
    let mut body = ask(provider).await.into_body();
    let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(data, "{}");
    assert!(body.frame().await.is_none());
}

#[tokio::test]
async fn a_connection_serves_one_exchange_after_the_other() {
    let (provider, mut saw) = provider(3, ANSWER);
    for _ in 0..3 {
        exchange(&provider).await;
    }
    for expected in [Saw::Opened, Saw::Request, Saw::Request, Saw::Request, Saw::Closed] {
        assert_eq!(saw.recv().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_connection_that_the_provider_closed_while_idle_is_not_used_again() {
    let (provider, mut saw) = provider(1, ANSWER);
    for _ in 0..5 {
        exchange(&provider).await;
        for expected in [Saw::Opened, Saw::Request, Saw::Closed] {
            assert_eq!(saw.recv().await.unwrap(), expected);
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_dropped_before_its_end_closes_its_connection() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nhalf";
    let (provider, mut saw) = provider(2, half);
    let mut body = ask(&provider).await.into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "half");
    drop(body);
    for expected in [Saw::Opened, Saw::Request, Saw::Closed] {
        assert_eq!(saw.recv().await.unwrap(), expected);
    }
}
