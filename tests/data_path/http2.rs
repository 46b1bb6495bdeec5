//! HTTP/2 as an attacker speaks it: every flood ends its own connection, in bounded memory, and
//! nobody else notices.

use std::time::Duration;

use lienthong_model::reason::ReasonCode;

use super::harness::{
    Ask, Frame, Frames, HTTP2, HeaderBlock, Reply, Setup, World, kind, person, person_body,
};

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// Longest an attacker's connection may live after its attack.
const SOON: Duration = Duration::from_secs(6);
/// Most memory that an attack may cost, in KiB.
const COST: u64 = 32 * 1024;

async fn world() -> World {
    let listen = vec![("header_seconds", 1), ("stall_seconds", 1)];
    World::with(Setup { listen, ..Setup::default() }).await
}

async fn frames(world: &World, settings: &[(u16, u32)]) -> Frames {
    let connection = world.connection_as(world.pki.client("desk", HTTP2)).await;
    let mut frames = Frames::open(connection, settings).await;
    frames.wait(|frame| frame.kind == kind::SETTINGS).await;
    frames
}

/// Runs an attack and checks what it must not do.
async fn survives(world: &World, attack: impl Future<Output = ()>) {
    let mut other = frames(world, &[]).await;
    other.request(1, &person()).await;
    assert_eq!(other.body(1).await["name"], "An");
    let before = world.gateway.memory("VmRSS");
    attack.await;
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < COST, "{grown} KiB");
    // Whoever was connected goes on, and whoever comes is served.
    other.request(3, &person()).await;
    assert_eq!(other.body(3).await["name"], "An");
    assert_eq!(world.ask(&person()).await.status, 200);
}

#[tokio::test]
async fn rapid_resets_end_the_connection() {
    let world = world().await;
    world.provider.replies(Reply::json("200 OK", r#"{"number":"001122334455","name":"An"}"#));
    survives(&world, async {
        let mut attacker = frames(&world, &[]).await;
        let block = HeaderBlock::of(&person()).0;
        let mut sent = 0;
        for stream in (1..20_000).step_by(2) {
            let open = Frame::new(kind::HEADERS, END_STREAM | END_HEADERS, stream, block.clone());
            let reset = Frame::new(kind::RST_STREAM, 0, stream, 8_u32.to_be_bytes());
            let both = [open.bytes(), reset.bytes()].concat();
            if attacker.connection.try_send(&both).await.is_err() {
                break;
            }
            sent += 1;
        }
        assert!(sent < 10_000, "the gateway took every reset");
        attacker.closed_within(SOON).await;
    })
    .await;
    // The provider was not worked for nothing.
    assert!(world.provider.requests().len() < 1000, "{}", world.provider.requests().len());
}

/// Frames that cost work and ask for nothing.
#[tokio::test]
async fn floods_of_control_frames_end_the_connection() {
    let world = world().await;
    let rows = [
        ("SETTINGS", Frame::new(kind::SETTINGS, 0, 0, [0, 4, 0, 0, 255, 255])),
        ("empty SETTINGS", Frame::new(kind::SETTINGS, 0, 0, [])),
        ("PING", Frame::new(kind::PING, 0, 0, [7; 8])),
        ("PRIORITY", Frame::new(2, 0, 1, [0, 0, 0, 0, 16])),
        ("unknown", Frame::new(0x55, 0, 0, [0; 16])),
    ];
    for (name, frame) in rows {
        survives(&world, async {
            let mut attacker = frames(&world, &[]).await;
            let sent = attacker.flood(&frame.bytes().repeat(50), 4000).await;
            assert!(sent < 4000, "{name}: the gateway took it all");
            attacker.closed_within(SOON).await;
        })
        .await;
    }
    assert!(world.gateway.logged().contains("flood"));
}

#[tokio::test]
async fn an_endless_header_block_ends_the_connection() {
    let world = world().await;
    survives(&world, async {
        let mut attacker = frames(&world, &[]).await;
        let mut block = HeaderBlock::of(&person());
        block.literal("x-filler", &"f".repeat(1000));
        attacker.send(&Frame::new(kind::HEADERS, END_STREAM, 1, block.0)).await;
        let mut more = HeaderBlock::default();
        for n in 0..100 {
            more.literal(&format!("x-filler-{n}"), &"f".repeat(100));
        }
        let more = Frame::new(kind::CONTINUATION, 0, 1, more.0);
        let sent = attacker.flood(&more.bytes(), 5000).await;
        assert!(sent < 5000, "the gateway took it all");
        attacker.closed_within(SOON).await;
    })
    .await;
    // Also when the frames are empty.
    survives(&world, async {
        let mut attacker = frames(&world, &[]).await;
        let block = HeaderBlock::of(&person()).0;
        attacker.send(&Frame::new(kind::HEADERS, END_STREAM, 1, block)).await;
        let empty = Frame::new(kind::CONTINUATION, 0, 1, []).bytes().repeat(100);
        let sent = attacker.flood(&empty, 5000).await;
        assert!(sent < 5000, "the gateway took it all");
        attacker.closed_within(SOON).await;
    })
    .await;
    assert_eq!(world.provider.requests().len(), 6);
}

/// A kilobyte on the wire that stands for megabytes in memory.
#[tokio::test]
async fn a_header_bomb_does_not_go_off() {
    let world = world().await;
    survives(&world, async {
        let mut attacker = frames(&world, &[]).await;
        for stream in (1..200).step_by(2) {
            let mut block = HeaderBlock::of(&person());
            block.indexed_literal("x-bomb", &"b".repeat(3900));
            // The newest entry of the dynamic table, again and again: 62 + 64.
            block.0.extend(std::iter::repeat_n(0x80 | 62, 12_000));
            let frame = Frame::new(kind::HEADERS, END_STREAM | END_HEADERS, stream, block.0);
            if attacker.connection.try_send(&frame.bytes()).await.is_err() {
                break;
            }
        }
        // What comes back says no: 431, a reset, or the end of the connection.
        let frames = attacker.closed_within(SOON).await;
        assert!(frames.iter().all(|frame| frame.kind != kind::DATA || !says_allow(frame)));
    })
    .await;
    assert_eq!(world.provider.requests().len(), 3);
}

fn says_allow(frame: &Frame) -> bool {
    String::from_utf8_lossy(&frame.payload).contains("\"An\"")
}

/// Ten thousand streams at once: no more are opened than the limit says.
#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    let world = world().await;
    world.provider.answers(|request| {
        if request.request().1.contains("tag=attack") {
            return Reply::never();
        }
        Reply::json("200 OK", r#"{"number":"001122334455","name":"An"}"#)
    });
    let target = format!("{}&tag=attack", person().target);
    survives(&world, async {
        let mut attacker = frames(&world, &[]).await;
        let block = HeaderBlock::of(&person().target(&target)).0;
        let mut refused = 0;
        let mut ended = false;
        for stream in (1..20_000).step_by(2) {
            let open = Frame::new(kind::HEADERS, END_STREAM | END_HEADERS, stream, block.clone());
            if attacker.connection.try_send(&open.bytes()).await.is_err() {
                ended = true;
                break;
            }
        }
        if !ended {
            let frame = attacker.wait(|f| [kind::RST_STREAM, kind::GOAWAY].contains(&f.kind)).await;
            refused += usize::from(frame.kind == kind::RST_STREAM);
        }
        assert!(ended || refused > 0);
        let reached =
            world.provider.requests().iter().filter(|r| r.request().1.contains("attack")).count();
        assert!(reached <= 100, "{reached} streams reached the provider");
    })
    .await;
}

/// A window of nothing: the answers wait, and then they wait no longer.
#[tokio::test]
async fn a_window_that_never_opens_ends_the_connection() {
    let world = world().await;
    let body = format!(r#"{{"number":"001122334455","name":"{}"}}"#, "n".repeat(90_000));
    world.provider.answers(move |request| {
        if request.request().1.contains("tag=attack") {
            return Reply::json("200 OK", &body);
        }
        Reply::json("200 OK", r#"{"number":"001122334455","name":"An"}"#)
    });
    let target = format!("{}&tag=attack", person().target);
    survives(&world, async {
        const INITIAL_WINDOW_SIZE: u16 = 4;
        let mut attacker = frames(&world, &[(INITIAL_WINDOW_SIZE, 0)]).await;
        for stream in (1..120).step_by(2) {
            attacker.request(stream, &person().target(&target)).await;
        }
        let frames = attacker.closed_within(SOON).await;
        let data = frames.iter().filter(|f| f.kind == kind::DATA).map(|f| f.payload.len());
        assert_eq!(data.sum::<usize>(), 0);
    })
    .await;
}

/// A stream that never sends its body.
#[tokio::test]
async fn bodies_that_never_come_time_out() {
    let setup = Setup { limits: vec![("body_seconds", 1)], ..Setup::default() };
    let world = World::with(setup).await;
    let mut attacker = frames(&world, &[]).await;
    let block = HeaderBlock::of(&person_body("")).0;
    for stream in [1, 3, 5] {
        let open = Frame::new(kind::HEADERS, END_HEADERS, stream, block.clone());
        attacker.send(&open).await;
    }
    for stream in [1, 3, 5] {
        let problem = attacker.body(stream).await;
        assert_eq!(problem["reason"], ReasonCode::RequestTimeout.as_str());
    }
    assert!(world.provider.requests().is_empty());
}

/// What HTTP/2 can say and HTTP/1 cannot must not become a second request at the provider.
#[tokio::test]
async fn headers_that_would_split_a_request_do_not_pass() {
    let world = World::new().await;
    let fields: &[(&str, &str)] = &[
        ("dstcode", "a\r\nx-evil: smuggled"),
        ("dstcode", "a\nsmuggled"),
        ("dstcode", "a\0smuggled"),
        ("x-road-id", "a\r\n\r\nGET /smuggled HTTP/1.1"),
        ("Dstcode", "smuggled"),
        ("dstcode: smuggled\r\nx", "y"),
        ("transfer-encoding", "chunked"),
        ("connection", "keep-alive"),
        ("connection", "dstcode"),
        ("keep-alive", "1"),
        ("proxy-connection", "keep-alive"),
        ("upgrade", "h2c"),
        ("te", "trailers, smuggled"),
        ("content-length", "5"),
        ("content-length", "+0"),
        (":path", "/smuggled"),
        (":method", "POST"),
        (":unknown", "smuggled"),
        ("", "smuggled"),
    ];
    for (name, value) in fields {
        let mut attacker = frames(&world, &[]).await;
        let mut block = HeaderBlock::of(&person());
        block.literal(name, value);
        let open = Frame::new(kind::HEADERS, END_STREAM | END_HEADERS, 1, block.0);
        attacker.send(&open).await;
        let no = |f: &Frame| {
            [kind::RST_STREAM, kind::GOAWAY].contains(&f.kind)
                || f.kind == kind::DATA && f.stream == 1
        };
        let frame = attacker.wait(no).await;
        let text = String::from_utf8_lossy(&frame.payload).into_owned();
        let refused = frame.kind != kind::DATA || text.contains("urn:lienthong:reason:request.");
        assert!(refused, "{name:?}: {value:?}: {text}");
    }
    let targets =
        ["/r1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455 HTTP/1.1\r\nx: y"];
    for target in targets.into_iter().chain(["*", "smuggled", "https://localhost/smuggled", ""]) {
        let mut attacker = frames(&world, &[]).await;
        attacker.request(1, &person().target(target)).await;
        let frame = attacker
            .wait(|f| [kind::RST_STREAM, kind::GOAWAY, kind::HEADERS].contains(&f.kind))
            .await;
        // 0x88 is `:status: 200`.
        assert!(frame.kind != kind::HEADERS || frame.payload.first() != Some(&0x88), "{target}");
    }
    assert!(world.provider.requests().is_empty(), "{:?}", world.provider.requests());
    assert_eq!(world.ask(&person()).await.status, 200);
}

/// A body that is longer or shorter than its length says.
#[tokio::test]
async fn a_length_that_lies_is_refused() {
    let world = World::new().await;
    let body = r#"{"number":"001122334455","name":"An"}"#;
    for length in ["36", "38", "0"] {
        let ask: Ask = person_body("").header("content-length", length);
        let mut attacker = frames(&world, &[]).await;
        let block = HeaderBlock::of(&ask).0;
        attacker.send(&Frame::new(kind::HEADERS, END_HEADERS, 1, block)).await;
        attacker.send(&Frame::new(kind::DATA, END_STREAM, 1, body)).await;
        let frame =
            attacker.wait(|f| [kind::RST_STREAM, kind::GOAWAY, kind::DATA].contains(&f.kind)).await;
        let text = String::from_utf8_lossy(&frame.payload).into_owned();
        assert!(frame.kind != kind::DATA || text.contains("request."), "{length}: {text}");
    }
    assert!(world.provider.requests().is_empty(), "{:?}", world.provider.requests());
}
