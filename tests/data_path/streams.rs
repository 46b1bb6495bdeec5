//! Answers that stream: what passes, what is cut, and how the consumer can tell.

use std::time::Duration;

use lienthong_model::reason::ReasonCode;
use serde_json::Value;

use super::harness::{
    Answer, Ask, Frames, Gate, HTTP2, Reply, Setup, Streamed, World, Written, kind, within_time,
};

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";
/// Stands in what must not pass. No byte of it may come out anywhere.
const CANARY: &str = "C4n4ry";
const COMPLETE: &str = r#""complete":true"#;

fn lines() -> Ask {
    Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/roll/lines")
        .header("x-road-client", "VN/TEST/T01.20/DESK")
}

fn list() -> Ask {
    lines().target("/r1/VN/TEST/T01.10/REGISTRY/roll/list")
}

/// A person as the provider sends one; the ethnicity is not disclosed.
fn person(name: &str) -> String {
    format!(
        r#"{{"number":"001122334455","name":"{name}","phone":"0900000000","ethnicity":"{CANARY}"}}"#
    )
}

fn line(name: &str) -> Vec<u8> {
    format!("{}\n", person(name)).into_bytes()
}

/// The same person as the consumer sees it.
fn disclosed(name: &str) -> String {
    format!(r#"{{"number":"***4455","name":"{name}","phone":"***"}}"#)
}

async fn streamed(world: &World, ask: &Ask) -> Streamed {
    Streamed::ask(world.connection("desk").await, &ask.bytes()).await
}

/// What was recorded of a stream, once it has ended.
async fn record(world: &World, stream: &Streamed) -> Value {
    recorded(world, stream.header("lienthong-request-id").unwrap()).await
}

async fn recorded(world: &World, request_id: &str) -> Value {
    let told = |line: &Value| {
        (line["request_id"] == request_id && !line["decision"].is_null()).then(|| line.clone())
    };
    let record = world.gateway.logs("the end of the stream in the log", told).await;
    assert!(!world.gateway.logged().contains(CANARY));
    record
}

/// Hasty deadlines, so that waiting for one does not take long.
fn hasty() -> Setup {
    Setup {
        listen: vec![("stall_seconds", 1), ("drain_seconds", 1)],
        roll: vec![("silence_seconds", 1), ("answer_seconds", 2)],
        ..Setup::default()
    }
}

/// Asks for lines of which the last ones do not pass, and gives why.
async fn assert_cut(world: &World, name: &str, reply: Reply, reason: ReasonCode, passed: u64) {
    world.provider.replies(reply);
    let mut stream = streamed(world, &lines()).await;
    stream.rest().await;
    assert!(!stream.complete, "{name}");
    let text = stream.text();
    assert!(!text.contains(COMPLETE) && !text.contains(CANARY), "{name}: {text}");
    let expected: String =
        (1..=passed).map(|n| format!("{}\n", disclosed(&format!("P{n}")))).collect();
    assert_eq!(text, expected, "{name}");
    let record = record(world, &stream).await;
    assert_eq!(record["reason"], reason.as_str(), "{name}: {record}");
    assert_eq!(
        (&record["decision"], &record["elements"]),
        (&"cut".into(), &passed.into()),
        "{name}"
    );
    assert_eq!(record["status"], 200, "{name}");
}

#[tokio::test]
async fn a_stream_is_cut_at_the_first_element_that_does_not_pass() {
    let world = World::new().await;
    let good = [line("P1"), line("P2")].concat();
    let then = |bad: &[u8]| Reply::chunks(NDJSON, &[&good, bad]).then_last_chunk();
    let long = line(&"x".repeat(5000));
    let late = format!(
        r#"{{"number":"001122334455","name":"A","ethnicity":"{}","phone":"{CANARY}"}}"#,
        "x".repeat(5000)
    );
    let after = [b"{\"number\":7}\n".as_slice(), &line(CANARY)].concat();
    let rows: Vec<(&str, Reply, ReasonCode)> = vec![
        ("no JSON", then(b"oops\n"), ReasonCode::ProviderMalformed),
        ("a wrong type, then good lines", then(&after), ReasonCode::ProviderSchema),
        (
            "a required field missing",
            then(b"{\"number\":\"001122334455\"}\n"),
            ReasonCode::ProviderSchema,
        ),
        ("an empty line", then(b"\n"), ReasonCode::ProviderMalformed),
        ("a line without end", then(person(CANARY).as_bytes()), ReasonCode::ProviderMalformed),
        ("an element over its limit", then(&long), ReasonCode::ProviderTooLarge),
        (
            "a masked field beyond the limit",
            then(format!("{late}\n").as_bytes()),
            ReasonCode::ProviderTooLarge,
        ),
        ("an element that never ends", then(&vec![b'['; 300_000]), ReasonCode::ProviderTooLarge),
        (
            "bad UTF-8",
            then(b"{\"number\":\"001122334455\",\"name\":\"\xff\"}\n"),
            ReasonCode::ProviderMalformed,
        ),
        (
            "a duplicate key",
            then(b"{\"name\":\"A\",\"name\":\"B\",\"number\":\"001122334455\"}\n"),
            ReasonCode::ProviderMalformed,
        ),
        (
            "the provider's own closing line",
            then(b"{\"lienthong\":{\"complete\":true}}\n"),
            ReasonCode::ProviderSchema,
        ),
        (
            "a connection that ends",
            Reply::chunks(NDJSON, &[&good]).then_close(),
            ReasonCode::ProviderInterrupted,
        ),
    ];
    for (name, reply, reason) in rows {
        assert_cut(&world, name, reply, reason, 2).await;
    }
}

#[tokio::test]
async fn a_stream_of_which_nothing_passes_is_refused_like_a_whole_answer() {
    let world = World::with(hasty()).await;
    let rows: Vec<(&str, Reply, ReasonCode)> = vec![
        (
            "no JSON",
            Reply::chunks(NDJSON, &[CANARY.as_bytes(), b"\n"]).then_last_chunk(),
            ReasonCode::ProviderMalformed,
        ),
        (
            "another medium",
            Reply::chunks(JSON, &[&line("A")]).then_last_chunk(),
            ReasonCode::ProviderMediaType,
        ),
        ("another status", Reply::json("500 Sorry", CANARY), ReasonCode::ProviderRefused),
        (
            "silence from the start",
            Reply::chunks(NDJSON, &[]).then_silence(),
            ReasonCode::ProviderTimeout,
        ),
        (
            "a coding that it is not",
            Reply::typed(
                "200 OK",
                "content-type: application/x-ndjson\r\ncontent-encoding: gzip\r\n",
                line("A"),
            ),
            ReasonCode::ProviderMalformed,
        ),
    ];
    for (name, reply, reason) in rows {
        world.provider.replies(reply);
        let answer: Answer = world.ask(&lines()).await;
        let record = world.assert_refused(&answer, reason).await;
        assert!(record["elements"].is_null(), "{name}: {record}");
    }
}

#[tokio::test]
async fn lines_pass_masked_and_end_with_the_line_that_says_so() {
    let world = World::new().await;
    let all: Vec<u8> = (1..=50).flat_map(|n| line(&format!("P{n}"))).collect();
    for size in [1, 7, 100, all.len()] {
        let chunks: Vec<&[u8]> = all.chunks(size).collect();
        world.provider.replies(Reply::chunks(NDJSON, &chunks).then_last_chunk());
        let mut stream = streamed(&world, &lines()).await;
        stream.rest().await;
        assert!(stream.complete);
        assert_eq!(stream.header("content-type"), Some(NDJSON));
        assert_eq!(stream.header("content-length"), None);
        let text = stream.text();
        let mut seen: Vec<&str> = text.lines().collect();
        let closing = r#"{"lienthong":{"complete":true,"elements":50,"withheld":0}}"#;
        assert_eq!(seen.pop(), Some(closing));
        let expected: Vec<String> = (1..=50).map(|n| disclosed(&format!("P{n}"))).collect();
        assert_eq!(seen, expected);
        let record = record(&world, &stream).await;
        assert_eq!((&record["decision"], &record["elements"]), (&"allow".into(), &50.into()));
        assert_eq!((&record["masked"], &record["dropped"]), (&100.into(), &50.into()));
    }
    let seen = world.provider.requests().pop().unwrap();
    assert_eq!(seen.header("accept").unwrap(), "application/x-ndjson, application/json");
}

#[tokio::test]
async fn an_array_passes_element_by_element_and_is_closed_only_when_complete() {
    let world = World::new().await;
    let document =
        |people: &str| format!(r#"{{"total":2,"people":[{people}],"source":"{CANARY}"}}"#);
    let whole = document(&format!("{},{}", person("P1"), person("P2")));
    let chunks: Vec<&[u8]> = whole.as_bytes().chunks(11).collect();
    world.provider.replies(Reply::chunks(JSON, &chunks).then_last_chunk());
    let mut stream = streamed(&world, &list()).await;
    stream.rest().await;
    assert!(stream.complete);
    let both = format!(r#"{{"total":2,"people":[{},{}]}}"#, disclosed("P1"), disclosed("P2"));
    assert_eq!(stream.text(), both);
    let never_closed = format!(r#"{{"total":2,"people":[{},{}"#, person("P1"), person("P2"));
    let bad = document(&format!("{},7,{}", person("P1"), person(CANARY)));
    let rows = [("never closed", never_closed, 1), ("a bad element", bad, 1)];
    for (name, text, elements) in rows {
        world.provider.replies(Reply::chunks(JSON, &[text.as_bytes()]).then_last_chunk());
        let mut stream = streamed(&world, &list()).await;
        stream.rest().await;
        assert!(!stream.complete, "{name}");
        assert!(serde_json::from_slice::<Value>(&stream.body).is_err(), "{name}");
        let record = record(&world, &stream).await;
        assert_eq!((&record["decision"], &record["elements"]), (&"cut".into(), &elements.into()));
    }
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_whole() {
    let world = World::new().await;
    world.provider.replies(Reply::json("404 None", r#"{"code":"none"}"#));
    let answer = world.ask(&lines()).await;
    assert_eq!((answer.status, answer.text().as_str()), (404, r#"{"code":"none"}"#));
}

#[tokio::test]
async fn a_stream_over_http2_is_cut_by_a_reset() {
    let world = World::new().await;
    let bad = [line("P1"), b"oops\n".to_vec()].concat();
    world.provider.replies(Reply::chunks(NDJSON, &[&bad]).then_last_chunk());
    let connection = world.connection_as(world.pki.client("desk", HTTP2)).await;
    let mut frames = Frames::open(connection, &[]).await;
    frames.request(1, &lines()).await;
    let reset = frames.wait(|frame| frame.stream == 1 && frame.kind == kind::RST_STREAM).await;
    assert_eq!(reset.stream, 1);
    // The connection goes on.
    world.provider.replies(Reply::chunks(NDJSON, &[&line("P1")]).then_last_chunk());
    frames.request(3, &lines()).await;
    let last = frames.wait(|frame| frame.stream == 3 && frame.flags & 1 == 1).await;
    assert_eq!(last.kind, kind::DATA);
}

#[tokio::test]
async fn elements_pass_while_the_provider_still_sends() {
    let world = World::new().await;
    let gate = Gate::shut();
    let reply = Reply::chunks(NDJSON, &[&line("P1")])
        .then_wait(&gate)
        .then_chunk(&line("P2"))
        .then_last_chunk();
    world.provider.replies(reply);
    let mut stream = streamed(&world, &lines()).await;
    stream.until("P1").await;
    gate.open();
    stream.rest().await;
    assert!(stream.complete && stream.text().contains("P2"));
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_waited_for_within_a_bound() {
    let world = World::with(hasty()).await;
    world.provider.replies(Reply::chunks(NDJSON, &[&line("P1")]).then_silence());
    let mut stream = streamed(&world, &lines()).await;
    stream.rest().await;
    assert!(!stream.complete);
    let record = record(&world, &stream).await;
    assert_eq!(record["reason"], ReasonCode::ProviderTimeout.as_str());
}

/// A consumer that stops reading stops the provider too, and loses its connection.
#[tokio::test]
async fn a_consumer_that_stops_reading_costs_neither_memory_nor_time() {
    let world = World::with(hasty()).await;
    let before = world.gateway.memory("VmRSS");
    let written = Written::none();
    let chunk: Vec<u8> = (0..500).flat_map(|_| line("P1")).collect();
    world.provider.replies(Reply::chunks(NDJSON, &[]).then_endless(&chunk, &written));
    let stream = streamed(&world, &lines()).await;
    written.reaches(1).await;
    assert_eq!(stream.status, 200);
    let record = record(&world, &stream).await;
    assert_eq!(record["reason"], ReasonCode::ConsumerGone.as_str());
    assert_eq!(record["decision"], "cut");
    assert!(record["elements"].as_u64().unwrap() > 0);
    // What waits in sockets and buffers, and no more.
    assert!(written.bytes() < 24 << 20, "{}", written.bytes());
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
}

/// Many times the memory that a stream may take.
#[tokio::test]
async fn a_long_stream_takes_no_more_memory_than_a_short_one() {
    let setup = Setup { ..Setup::default() };
    let world = World::with(setup).await;
    let name = "x".repeat(1900);
    let one = line(&name);
    let chunk: Vec<u8> = one.repeat(8);
    let mut reply = Reply::chunks(NDJSON, &[&one]);
    for _ in 0..1500 {
        reply = reply.then_chunk(&chunk);
    }
    world.provider.replies(reply.then_last_chunk());
    let before = world.gateway.memory("VmRSS");
    let mut stream = streamed(&world, &lines()).await;
    let mut length = 0_usize;
    while stream.more().await {
        length += stream.body.len();
        if !stream.complete && stream.body.len() > 4096 {
            stream.body.drain(..stream.body.len() - 200);
        }
    }
    assert!(stream.complete && length > 20 << 20);
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
}

#[tokio::test]
async fn a_stream_of_more_elements_than_the_service_declares_is_cut() {
    let world = World::new().await;
    world.edit("policies/services/roll.yaml", "elements: 100000", "elements: 3");
    world.reloaded().await;
    let five: Vec<u8> = (1..=5).flat_map(|n| line(&format!("P{n}"))).collect();
    let reply = Reply::chunks(NDJSON, &[&five]).then_last_chunk();
    assert_cut(&world, "five of three", reply, ReasonCode::ProviderTooLarge, 3).await;
}

/// A provider that would send hundreds of millions of elements, and more.
#[tokio::test]
async fn a_stream_without_end_is_cut_at_the_bound_in_bounded_memory() {
    let world = World::new().await;
    let before = world.gateway.memory("VmRSS");
    let written = Written::none();
    let chunk: Vec<u8> = line("P1").repeat(500);
    world.provider.replies(Reply::chunks(NDJSON, &[]).then_endless(&chunk, &written));
    let mut stream = streamed(&world, &lines()).await;
    while stream.more().await {
        stream.body.clear();
    }
    assert!(!stream.complete);
    let record = record(&world, &stream).await;
    assert_eq!(record["reason"], ReasonCode::ProviderTooLarge.as_str());
    assert_eq!(record["elements"], 100_000);
    let grown = world.gateway.memory("VmHWM").saturating_sub(before);
    assert!(grown < 16 << 10, "{grown} KiB");
}

#[tokio::test]
async fn a_stream_ends_with_the_last_element_that_its_agreement_allows() {
    let world = World::new().await;
    let agreement = "policies/agreements/desk-roll.yaml";
    world.edit(agreement, "in_flight: 10000}", "in_flight: 10000, elements_per_stream: 3}");
    world.reloaded().await;
    let five: Vec<u8> = (1..=5).flat_map(|n| line(&format!("P{n}"))).collect();
    let reply = Reply::chunks(NDJSON, &[&five]).then_last_chunk();
    assert_cut(&world, "five of three", reply, ReasonCode::QuotaElements, 3).await;
    // Three of three are complete.
    let three: Vec<u8> = (1..=3).flat_map(|n| line(&format!("P{n}"))).collect();
    world.provider.replies(Reply::chunks(NDJSON, &[&three]).then_last_chunk());
    let mut stream = streamed(&world, &lines()).await;
    stream.rest().await;
    assert!(stream.complete);
}

/// Each element counts as a data subject of its own, also over several streams.
#[tokio::test]
async fn elements_count_as_data_subjects_of_the_day() {
    let world = World::new().await;
    let agreement = "policies/agreements/desk-roll.yaml";
    world.edit(agreement, "in_flight: 10000}", "in_flight: 10000, data_subjects_per_day: 5}");
    world.reloaded().await;
    let three: Vec<u8> = (1..=3).flat_map(|n| line(&format!("P{n}"))).collect();
    world.provider.replies(Reply::chunks(NDJSON, &[&three]).then_last_chunk());
    let mut stream = streamed(&world, &lines()).await;
    stream.rest().await;
    assert!(stream.complete);
    let reply = Reply::chunks(NDJSON, &[&three]).then_last_chunk();
    assert_cut(&world, "the day's rest", reply, ReasonCode::QuotaDataSubjects, 2).await;
    world.provider.replies(Reply::chunks(NDJSON, &[&three]).then_last_chunk());
    let answer: Answer = world.ask(&lines()).await;
    world.assert_refused(&answer, ReasonCode::QuotaDataSubjects).await;
}

/// A stream that has begun, and the provider's next lines behind a gate.
async fn begun(world: &World) -> (Streamed, Gate) {
    let gate = Gate::shut();
    let reply = Reply::chunks(NDJSON, &[&line("P1")])
        .then_wait(&gate)
        .then_chunk(&line(CANARY))
        .then_last_chunk();
    world.provider.replies(reply);
    let mut stream = streamed(world, &lines()).await;
    stream.until("P1").await;
    (stream, gate)
}

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_stream_ends_when_its_agreement_changes() {
    let world = World::new().await;
    let (mut stream, gate) = begun(&world).await;
    let agreement = "policies/agreements/desk-roll.yaml";
    world.edit(agreement, "/name: pass, /phone: redact", "/name: redact, /phone: redact");
    world.reloaded().await;
    within_time(SOON, "the end of the stream", stream.rest()).await;
    gate.open();
    assert!(!stream.complete);
    let record = record(&world, &stream).await;
    assert_eq!(record["reason"], ReasonCode::AgreementChanged.as_str());
    // Under an agreement that another edit does not touch, a stream goes on.
    world.edit(agreement, "/name: redact, /phone: redact", "/name: pass, /phone: redact");
    world.reloaded().await;
    let (mut stream, gate) = begun(&world).await;
    world.edit("policies/agreements/desk-people.yaml", "retention_days: 30", "retention_days: 31");
    world.reloaded().await;
    gate.open();
    stream.rest().await;
    assert!(stream.complete);
}

#[tokio::test]
async fn a_stream_ends_when_its_consumer_is_suspended() {
    let world = World::new().await;
    let (mut stream, gate) = begun(&world).await;
    world.edit("policies/participants/desk.yaml", "status: active", "status: suspended");
    world.reloaded().await;
    within_time(SOON, "the end of the stream", stream.rest()).await;
    gate.open();
    assert!(!stream.complete && !stream.text().contains(CANARY));
    let record = record(&world, &stream).await;
    assert_eq!(record["decision"], "cut");
}

#[tokio::test]
async fn a_stream_that_outlives_a_drain_is_recorded_as_cut_by_the_gateway() {
    let setup = Setup { listen: vec![("drain_seconds", 1)], ..Setup::default() };
    let mut world = World::with(setup).await;
    let (mut stream, _gate) = begun(&world).await;
    world.gateway.signal("TERM");
    stream.rest().await;
    assert!(!stream.complete);
    let record = record(&world, &stream).await;
    assert_eq!(record["reason"], ReasonCode::GatewayStopping.as_str());
    assert_eq!(world.gateway.ended().await.code(), Some(0));
}
