//! Peers that take their time: each ends at its deadline or limit, and the others do not notice.

use std::time::Duration;

use lienthong_model::reason::ReasonCode;
use tokio::{io::AsyncReadExt as _, io::AsyncWriteExt as _, net::TcpStream};

use super::harness::{Connection, Reply, Setup, World, person, person_body, within, within_time};

/// Deadlines of one second.
fn hasty() -> Setup {
    Setup {
        listen: vec![
            ("handshake_seconds", 1),
            ("header_seconds", 1),
            ("idle_seconds", 2),
            ("stall_seconds", 1),
        ],
        limits: vec![("body_seconds", 1)],
        ..Setup::default()
    }
}

/// Longest that something may live beyond a deadline of one second.
const ONE_SECOND: Duration = Duration::from_secs(4);

async fn ends(mut socket: TcpStream) {
    let mut rest = Vec::new();
    within_time(ONE_SECOND, "the end of a handshake", socket.read_to_end(&mut rest)).await.ok();
}

#[tokio::test]
async fn half_open_handshakes_end_and_hold_nobody_up() {
    let world = World::with(hasty()).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(world.gateway.address).await.unwrap());
    }
    let mut partial = TcpStream::connect(world.gateway.address).await.unwrap();
    // The beginning of a ClientHello of 512 bytes.
    partial.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await.unwrap();
    assert_eq!(world.ask(&person()).await.status, 200);
    ends(partial).await;
    for socket in silent {
        ends(socket).await;
    }
    assert_eq!(world.ask(&person()).await.status, 200);
}

/// Whoever holds places in the handshake on purpose loses them to whoever comes.
#[tokio::test]
async fn handshakes_that_hold_every_place_make_room() {
    let setup = Setup {
        listen: vec![("workers", 1), ("max_handshakes", 3), ("handshake_seconds", 3600)],
        ..Setup::default()
    };
    let world = World::with(setup).await;
    let mut silent = Vec::new();
    for _ in 0..10 {
        silent.push(TcpStream::connect(world.gateway.address).await.unwrap());
        assert_eq!(world.ask(&person()).await.status, 200);
    }
    // The oldest had to go.
    ends(silent.remove(0)).await;
}

#[tokio::test]
async fn a_place_beyond_the_last_is_not_given() {
    let setup = Setup { listen: vec![("max_connections", 2)], ..Setup::default() };
    let world = World::with(setup).await;
    let mut first = world.connection("desk").await;
    let mut second = world.connection("desk").await;
    for connection in [&mut first, &mut second] {
        connection.send(&person().bytes()).await;
        assert_eq!(connection.answer().await.status, 200);
    }
    let mut third = world.connection("desk").await;
    third.closed_within(ONE_SECOND).await;
    first.send(&person().bytes()).await;
    assert_eq!(first.answer().await.status, 200);
    drop(second);
    // The place is free when the gateway has seen the end.
    within("a free place", async {
        loop {
            let mut next = world.connection("desk").await;
            next.send(&person().bytes()).await;
            if let Ok(Some(answer)) = next.try_answer().await {
                return assert_eq!(answer.status, 200);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_slow_head_ends_its_connection() {
    let world = World::with(hasty()).await;
    // Nothing at all; half a head; half of the second head.
    let mut nothing = world.connection("desk").await;
    let mut half = world.connection("desk").await;
    half.send(person().head().as_bytes()).await;
    let mut second = world.connection("desk").await;
    second.send(&[&person().bytes(), &b"GET / HT"[..]].concat()).await;
    assert_eq!(second.answer().await.status, 200);
    // One that sends a byte whenever it is about to be given up.
    let mut dripping = world.connection("desk").await;
    let drip = async {
        for byte in person().head().into_bytes().chunks(1).cycle() {
            let wait = tokio::time::timeout(Duration::from_millis(300), dripping.read()).await;
            if matches!(wait, Ok(Ok(0))) || dripping.try_send(byte).await.is_err() {
                return;
            }
        }
    };
    within_time(ONE_SECOND, "the end of a dripping head", drip).await;
    for connection in [&mut nothing, &mut half, &mut second] {
        connection.closed_within(ONE_SECOND).await;
    }
    assert_eq!(world.ask(&person()).await.status, 200);
    assert_eq!(world.provider.requests().len(), 2);
}

#[tokio::test]
async fn a_slow_body_is_refused_and_its_connection_ends() {
    let world = World::with(hasty()).await;
    for framed in ["content-length: 37", "transfer-encoding: chunked"] {
        let mut connection = world.connection("desk").await;
        let head = format!("{}{framed}\r\n\r\n", person_body("").head());
        connection.send(head.as_bytes()).await;
        let answers = within_time(ONE_SECOND, "an answer", connection.answers_until_closed()).await;
        assert_eq!(answers.len(), 1);
        world.assert_refused(&answers[0], ReasonCode::RequestTimeout).await;
    }
    assert!(world.provider.requests().is_empty());
}

/// A consumer that asks much and reads nothing holds one answer and no more.
#[tokio::test]
async fn a_slow_reader_ends_at_its_deadline_and_costs_no_memory() {
    let world = World::with(hasty()).await;
    let body = format!(r#"{{"number":"001122334455","name":"{}"}}"#, "n".repeat(100_000));
    world.provider.replies(Reply::json("200 OK", body));
    assert_eq!(world.ask(&person()).await.status, 200);
    let before = world.gateway.memory("VmRSS");
    let mut readers: Vec<Connection> = Vec::new();
    for _ in 0..10 {
        let mut reader = world.connection("desk").await;
        reader.send(&person().bytes().repeat(200)).await;
        readers.push(reader);
    }
    for mut reader in readers {
        // Writing fails when the gateway has given the connection up; reading would help it on.
        let giving_up = async {
            while reader.try_send(&[b'x'; 1000]).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        within_time(Duration::from_secs(15), "the end of a slow reader", giving_up).await;
    }
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");
    assert_eq!(world.ask(&person()).await.status, 200);
}

#[tokio::test]
async fn a_quiet_connection_ends_and_a_busy_one_goes_on() {
    let world = World::with(hasty()).await;
    let mut quiet = world.connection("desk").await;
    let mut busy = world.connection("desk").await;
    for connection in [&mut quiet, &mut busy] {
        connection.send(&person().bytes()).await;
        assert_eq!(connection.answer().await.status, 200);
    }
    let mut asked = 0;
    let working = async {
        loop {
            let pause = Duration::from_millis(100);
            if tokio::time::timeout(pause, quiet.read()).await.is_ok() {
                return;
            }
            busy.send(&person().bytes()).await;
            assert_eq!(busy.answer().await.status, 200);
            asked += 1;
        }
    };
    within("the end of the quiet connection", working).await;
    assert!(asked > 5, "{asked}");
    busy.send(&person().bytes()).await;
    assert_eq!(busy.answer().await.status, 200);
}
