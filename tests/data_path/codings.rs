//! Content codings: decoded within bounds and masked like any other body, or refused.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use lienthong_model::reason::ReasonCode;

use super::harness::{Answer, Ask, Reply, Streamed, World, person, person_body};

const JSON: &str = "content-type: application/json\r\n";
const GZIP: &str = "content-encoding: gzip\r\n";
/// Stands in what must not pass.
const CANARY: &str = "C4n4ry";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A body that is small as long as nobody opens it.
fn bomb() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..300 {
        encoder.write_all(&zeros).unwrap();
    }
    encoder.finish().unwrap()
}

fn lines() -> Ask {
    Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/roll/lines")
        .header("x-road-client", "VN/TEST/T01.20/DESK")
}

#[tokio::test]
async fn an_answer_that_is_not_what_its_coding_says_is_refused() {
    let world = World::new().await;
    let whole = gzip(format!(r#"{{"number":"001122334455","name":"{CANARY}"}}"#).as_bytes());
    let coded =
        |headers: &str, body: &[u8]| Reply::typed("200 OK", &format!("{JSON}{headers}"), body);
    let half = &whole[..whole.len() - 4];
    let garbage = [whole.as_slice(), CANARY.as_bytes()].concat();
    let rows = [
        ("cut", coded(GZIP, half), ReasonCode::ProviderMalformed),
        ("with garbage after it", coded(GZIP, &garbage), ReasonCode::ProviderMalformed),
        ("not coded at all", coded(GZIP, CANARY.as_bytes()), ReasonCode::ProviderMalformed),
        ("empty", coded(GZIP, b""), ReasonCode::ProviderMalformed),
        ("a bomb", coded(GZIP, &bomb()), ReasonCode::ProviderTooLarge),
        ("coded twice", coded(&format!("{GZIP}{GZIP}"), &whole), ReasonCode::ProviderMediaType),
        (
            "by no known name",
            coded("content-encoding: x\r\n", &whole),
            ReasonCode::ProviderMediaType,
        ),
        ("coded and not said to be", coded("", &whole), ReasonCode::ProviderMalformed),
    ];
    let before = world.gateway.memory("VmRSS");
    for (name, reply, reason) in rows {
        world.provider.replies(reply);
        let answer: Answer = world.ask(&person()).await;
        world.assert_refused(&answer, reason).await;
        assert!(!answer.text().contains(CANARY), "{name}");
    }
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
}

#[tokio::test]
async fn a_request_that_is_not_what_its_coding_says_is_refused() {
    let world = World::new().await;
    let good = gzip(br#"{"number":"001122334455","name":"An"}"#);
    let coded = |body: &[u8]| person_body(body).header("content-encoding", "gzip");
    let half = &good[..good.len() - 4];
    let rows = [
        ("cut", coded(half), ReasonCode::RequestMalformed),
        ("a bomb", coded(&bomb()[..4000]), ReasonCode::RequestTooLarge),
        (
            "unknown",
            person_body(good.as_slice()).header("content-encoding", "compress"),
            ReasonCode::RequestMediaType,
        ),
        ("two", coded(&good).header("content-encoding", "gzip"), ReasonCode::RequestMediaType),
    ];
    for (name, ask, reason) in rows {
        let answer = world.ask(&ask).await;
        eprintln!("{name}: {}", answer.status);
        world.assert_refused(&answer, reason).await;
    }
    assert!(world.provider.requests().is_empty());
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true}"#));
    assert_eq!(world.ask(&coded(&good)).await.status, 200);
    let seen = world.provider.only_request();
    assert_eq!(seen.header("content-encoding"), None);
    assert!(seen.body().starts_with(b"{"));
}

#[tokio::test]
async fn a_coded_answer_passes_masked_and_in_the_clear() {
    let world = World::new().await;
    let body = br#"{"number":"001122334455","name":"An","ethnicity":"C4n4ry"}"#;
    world.provider.replies(Reply::typed("200 OK", &format!("{JSON}{GZIP}"), gzip(body)));
    let answer = world.ask(&person()).await;
    assert_eq!((answer.status, &answer.json()["name"]), (200, &"An".into()));
    assert_eq!(answer.header("content-encoding"), None);
    assert!(!answer.text().contains(CANARY));
}

#[tokio::test]
async fn a_coded_stream_passes_and_a_bomb_in_one_is_cut() {
    let world = World::new().await;
    let line = b"{\"number\":\"001122334455\",\"name\":\"An\"}\n";
    let coded = |bytes: &[u8]| {
        let headers = format!("content-type: application/x-ndjson\r\n{GZIP}");
        Reply::typed("200 OK", &headers, bytes)
    };
    world.provider.replies(coded(&gzip(&line.repeat(50))));
    let connection = world.connection("desk").await;
    let mut stream = Streamed::ask(connection, &lines().bytes()).await;
    stream.rest().await;
    assert!(stream.complete && stream.text().contains("\"elements\":50"));
    // One good line, then spaces without end.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(line).unwrap();
    let spaces = vec![b' '; 1 << 20];
    for _ in 0..100 {
        encoder.write_all(&spaces).unwrap();
    }
    let before = world.gateway.memory("VmRSS");
    world.provider.replies(coded(&encoder.finish().unwrap()));
    let connection = world.connection("desk").await;
    let mut stream = Streamed::ask(connection, &lines().bytes()).await;
    stream.rest().await;
    assert!(!stream.complete);
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
}
