use std::{io, sync::atomic::Ordering, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    net::TcpStream,
};
use tokio_rustls::client::TlsStream;

use super::harness::*;
use crate::listen::ListenSettings;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// A header block: GET, https, authority `localhost`, and the path (RFC 7541, without Huffman).
fn get(path: &str) -> Vec<u8> {
    let mut block = vec![0x82, 0x87, 0x01, 9];
    block.extend_from_slice(b"localhost");
    block.push(0x04);
    block.push(u8::try_from(path.len()).unwrap());
    block.extend_from_slice(path.as_bytes());
    block
}

/// HTTP/2 by hand: every frame may be sent.
struct Raw {
    read: ReadHalf<TlsStream<TcpStream>>,
    write: WriteHalf<TlsStream<TcpStream>>,
}

impl Raw {
    async fn connect(world: &World, settings: &[u8]) -> Self {
        let tls = world.connect(&world.client(), "h2").await;
        let (read, write) = tokio::io::split(tls);
        let mut raw = Self { read, write };
        let mut hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        hello.extend(frame(SETTINGS, 0, 0, settings));
        raw.send(&hello).await.unwrap();
        raw
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write.write_all(bytes).await?;
        self.write.flush().await
    }

    async fn frame(&mut self) -> io::Result<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.read.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, stream @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.read.read_exact(&mut payload).await?;
        Ok((kind, flags, u32::from_be_bytes(stream), payload))
    }

    /// Sends the same bytes again and again, and reads what comes, until the server ends the
    /// connection; fails when it never does.
    async fn flood(self, piece: impl Fn(u32) -> Vec<u8> + Send + 'static) {
        let Self { mut read, mut write } = self;
        let writing = tokio::spawn(async move {
            for turn in 0..10_000_000 {
                if write.write_all(&piece(turn)).await.is_err() {
                    return;
                }
            }
            panic!("the server took everything");
        });
        let mut scratch = vec![0; 65_536];
        within(async { while matches!(read.read(&mut scratch).await, Ok(1..)) {} }).await;
        within(writing).await.unwrap();
    }
}

fn stream_id(turn: u32) -> u32 {
    turn * 2 + 1
}

#[tokio::test]
async fn serves_a_request_by_hand() {
    let world = world().await;
    let mut raw = Raw::connect(&world, b"").await;
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &get("/"))).await.unwrap();
    let mut body = Vec::new();
    while body.is_empty() {
        let (kind, _, stream, payload) = within(raw.frame()).await.unwrap();
        if kind == DATA {
            assert_eq!(stream, 1);
            body = payload;
        }
    }
    assert_eq!(body, b"ok");
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let world = world().await;
    let raw = Raw::connect(&world, b"").await;
    raw.flood(|turn| {
        let mut pair = frame(HEADERS, END_HEADERS, stream_id(turn), &get("/gate"));
        pair.extend(frame(RST_STREAM, 0, stream_id(turn), &8_u32.to_be_bytes()));
        pair
    })
    .await;
    assert!(world.paths().len() < 1000, "{} requests", world.paths().len());
    until(|| world.serve.waiting.load(Ordering::SeqCst) == 0).await;
    world.assert_serves().await;
}

#[tokio::test]
async fn a_flood_of_continuations_ends_the_connection() {
    let world = world().await;
    let mut raw = Raw::connect(&world, b"").await;
    raw.send(&frame(HEADERS, END_STREAM, 1, &get("/"))).await.unwrap();
    // Literal fields without indexing, each `a: b`.
    raw.flood(|_| frame(CONTINUATION, 0, 1, &[0, 1, b'a', 1, b'b'].repeat(100))).await;
    world.assert_serves().await;
}

#[tokio::test]
async fn floods_of_settings_and_pings_end_the_connection() {
    let world = world().await;
    Raw::connect(&world, b"").await.flood(|_| frame(SETTINGS, 0, 0, b"").repeat(16)).await;
    Raw::connect(&world, b"").await.flood(|_| frame(PING, 0, 0, b"12345678").repeat(16)).await;
    Raw::connect(&world, b"").await.flood(|_| frame(DATA, 0, 1, b"").repeat(16)).await;
    until(|| world.server().connections() == 0).await;
    world.assert_serves().await;
}

#[tokio::test]
async fn ten_thousand_streams_never_run_at_once() {
    let settings = ListenSettings { max_streams: 50, ..patient() };
    let world = world_with(settings, |_| {}).await;
    let mut raw = Raw::connect(&world, b"").await;
    let mut all = Vec::new();
    for turn in 0..10_000 {
        all.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream_id(turn), &get("/gate")));
    }
    // The server may end the connection while they are sent.
    raw.send(&all).await.unwrap_or_default();
    let mut refused = 0;
    within(async {
        while let Ok((kind, ..)) = raw.frame().await {
            match kind {
                RST_STREAM => refused += 1,
                GOAWAY => break,
                _ => {}
            }
            if refused == 9_950 {
                break;
            }
        }
    })
    .await;
    assert!(refused > 0);
    assert!(world.serve.most_waiting.load(Ordering::SeqCst) <= 50);
    world.assert_serves().await;
}

#[tokio::test]
async fn a_window_that_stays_shut_ends_the_connection() {
    let settings = ListenSettings { stall: Duration::from_millis(300), ..patient() };
    let world = world_with(settings, |_| {}).await;
    // SETTINGS_INITIAL_WINDOW_SIZE = 0.
    let mut raw = Raw::connect(&world, &[0, 4, 0, 0, 0, 0]).await;
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &get("/large/100000"))).await.unwrap();
    within(async {
        while let Ok((kind, flags, _, _)) = raw.frame().await {
            assert_ne!(kind, DATA);
            if kind == SETTINGS && flags & ACK == 0 {
                raw.send(&frame(SETTINGS, ACK, 0, b"")).await.unwrap();
            }
        }
    })
    .await;
    assert_eq!(world.server().counts().deadlines, 1);
    world.assert_serves().await;
}

#[tokio::test]
async fn a_header_bomb_is_refused() {
    let world = world().await;
    let mut raw = Raw::connect(&world, b"").await;
    // One field of 3,000 bytes goes into the table (index 62), then it is named 10,000 times.
    let mut block = get("/bomb");
    block.extend([0x40, 1, b'a', 0x7f, 0xb9, 0x16]);
    block.extend(std::iter::repeat_n(b'x', 3000));
    block.extend(std::iter::repeat_n(0x80 | 62, 10_000));
    raw.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)).await.unwrap();
    within(async {
        loop {
            match raw.frame().await {
                // 431 as a header block, a reset, or the end: anything but a request served.
                Ok((HEADERS | RST_STREAM | GOAWAY, ..)) | Err(_) => break,
                Ok(_) => {}
            }
        }
    })
    .await;
    assert!(world.paths().is_empty());
    world.assert_serves().await;
}

#[tokio::test]
async fn a_content_length_that_lies_is_no_request() {
    let world = world().await;
    let mut raw = Raw::connect(&world, b"").await;
    let mut block = get("/body");
    block[0] = 0x83;
    // content-length (static index 28): 3, and five bytes follow.
    block.extend([0x0f, 0x0d, 1, b'3']);
    let mut request = frame(HEADERS, END_HEADERS, 1, &block);
    request.extend(frame(DATA, END_STREAM, 1, b"hello"));
    raw.send(&request).await.unwrap();
    within(async {
        while let Ok((kind, ..)) = raw.frame().await {
            assert_ne!(kind, DATA, "a body came back");
            if matches!(kind, RST_STREAM | GOAWAY) {
                break;
            }
        }
    })
    .await;
}
