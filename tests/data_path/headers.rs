//! Headers and methods: each way only what is on the list.

use lienthong_model::reason::ReasonCode;

use super::harness::{Reply, World, person, person_body};

const CANARY: &str = "C4n4ry";

/// Whatever the consumer adds, the provider gets exactly what the gateway writes.
#[tokio::test]
async fn nothing_of_the_consumers_headers_reaches_the_provider() {
    let world = World::new().await;
    let mut ask = person()
        .header("x-road-id", "message-1")
        .header("x-road-userid", "officer-1")
        .header("x-road-issue", "H29.12-20260101-0001");
    for (name, value) in [
        ("cookie", "session=C4n4ry"),
        ("authorization", "Bearer C4n4ry"),
        ("proxy-authorization", "Basic C4n4ry"),
        ("x-forwarded-for", "C4n4ry"),
        ("x-forwarded-host", "C4n4ry"),
        ("x-forwarded-client-cert", "C4n4ry"),
        ("forwarded", "for=C4n4ry"),
        ("x-real-ip", "C4n4ry"),
        ("via", "1.1 C4n4ry"),
        ("baggage", "user=C4n4ry"),
        ("traceparent", "00-c4n4ry00000000000000000000000000-0000000000000001-01"),
        ("tracestate", "C4n4ry=1"),
        ("user-agent", "C4n4ry"),
        ("referer", "https://C4n4ry.example/"),
        ("origin", "https://C4n4ry.example"),
        ("accept", "text/C4n4ry, */*"),
        ("accept-encoding", "gzip, br"),
        ("accept-language", "en, x-C4n4ry"),
        ("if-none-match", "\"C4n4ry\""),
        ("if-modified-since", "C4n4ry"),
        ("if-match", "C4n4ry"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/C4n4ry"),
        ("x-rewrite-url", "/C4n4ry"),
        ("x-road-security-server", "C4n4ry"),
        ("x-road-service", "C4n4ry"),
        ("x-road-request-id", "C4n4ry"),
        ("lienthong-request-id", "C4n4ry"),
        ("lienthong-agreement", "C4n4ry"),
        ("connection", "dstcode"),
        ("content-language", "C4n4ry"),
        ("priority", "u=0"),
        ("te", "trailers"),
    ] {
        ask = ask.header(name, value);
    }
    let answer = world.ask(&ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let request = world.provider.only_request();
    let text = String::from_utf8(request.bytes.clone()).unwrap().to_lowercase();
    assert!(!text.contains(&CANARY.to_lowercase()), "{text}");
    let id = answer.header("lienthong-request-id").unwrap();
    let address = world.provider.address.to_string();
    let expected = [
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("host", &address),
        ("lienthong-purpose", "desk_work"),
        ("lienthong-request-id", id),
        ("x-road-client", "VN/TEST/T01.20/DESK"),
        ("x-road-id", "message-1"),
        ("x-road-issue", "H29.12-20260101-0001"),
        ("x-road-service", "VN/TEST/T01.10/REGISTRY/people"),
        ("x-road-userid", "officer-1"),
    ];
    let expected: Vec<_> = expected.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
    assert_eq!(request.headers(), expected);
    // What the consumer may have back of its own.
    assert_eq!(answer.header("x-road-id"), Some("message-1"));
    assert_eq!(answer.header("x-road-client"), Some("VN/TEST/T01.20/DESK"));
    assert_eq!(answer.header("x-road-service"), Some("VN/TEST/T01.10/REGISTRY/people"));
    assert_eq!(answer.header("lienthong-cites"), Some("test-law#1, sector-law#7"));
    assert!(answer.header("lienthong-agreement").unwrap().starts_with("desk-people; version="));
    assert!(!String::from_utf8_lossy(&answer.raw).contains(CANARY));
    assert!(!world.logged().await.contains(CANARY));
}

#[tokio::test]
async fn methods_that_are_not_spoken_are_refused() {
    let world = World::new().await;
    for method in ["OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "BREW"] {
        let answer = world.ask(&person().method(method)).await;
        world.assert_refused(&answer, ReasonCode::RequestMethod).await;
        assert_eq!(answer.header("allow"), Some("GET, POST, PUT, PATCH, DELETE"));
    }
    // The answer to HEAD has no body, whatever its length says.
    let mut connection = world.connection("desk").await;
    connection.send(&person().method("HEAD").header("connection", "close").bytes()).await;
    while connection.read().await.unwrap() > 0 {}
    let text = String::from_utf8(connection.buffer).unwrap();
    assert!(text.starts_with("HTTP/1.1 405 "), "{text}");
    assert!(text.ends_with("\r\n\r\n"), "{text}");
    assert!(world.provider.requests().is_empty());
}

#[tokio::test]
async fn what_would_leave_the_data_path_is_refused() {
    let world = World::new().await;
    for ask in [
        person().header("upgrade", "websocket").header("connection", "upgrade"),
        person().header("upgrade", "h2c").header("connection", "upgrade, http2-settings"),
        person().header("upgrade", "h2c"),
        person().header("range", "bytes=0-1"),
    ] {
        let answer = world.ask(&ask).await;
        world.assert_refused(&answer, ReasonCode::RequestHeader).await;
        assert_eq!(answer.header("upgrade"), None);
    }
    assert!(world.provider.requests().is_empty());
}

#[tokio::test]
async fn headers_of_the_protocol_are_single_bounded_and_harmless() {
    let world = World::new().await;
    for name in ["x-road-id", "x-road-userid", "x-road-issue", "lienthong-purpose"] {
        for value in ["", "a b", "a;b", "a,b", "Nguyễn", "a\tb", "<a>", "a\"b", "a%20b"] {
            let answer = world.ask(&person().header(name, value)).await;
            world.assert_refused(&answer, ReasonCode::RequestHeader).await;
        }
        let long = person().header(name, &"a".repeat(129));
        world.assert_refused(&world.ask(&long).await, ReasonCode::RequestHeader).await;
        let twice = person().header(name, "a").header(name, "a");
        world.assert_refused(&world.ask(&twice).await, ReasonCode::RequestHeader).await;
    }
    assert!(world.provider.requests().is_empty());
}

/// A declared header passes as text or not at all: it is never mended.
#[tokio::test]
async fn a_header_parameter_that_is_no_text_is_refused() {
    let world = World::new().await;
    for bytes in [&b"\xff"[..], b"a\xc0\xaf", b"\xed\xa0\x80"] {
        let mut connection = world.connection("desk").await;
        let head = person().head();
        connection.send(&[head.as_bytes(), b"dstcode: ", bytes, b"\r\n\r\n"].concat()).await;
        let answer = connection.answer().await;
        world.assert_refused(&answer, ReasonCode::RequestHeader).await;
    }
    assert!(world.provider.requests().is_empty());
    assert_eq!(world.ask(&person().header("dstcode", "Ấ")).await.status, 200);
    assert_eq!(world.provider.only_request().header("dstcode").as_deref(), Some("Ấ"));
}

/// Heads beyond the limits end before anything looks at them.
#[tokio::test]
async fn a_head_beyond_the_limits_is_refused() {
    let world = World::new().await;
    let mut many = person();
    for n in 0..200 {
        many = many.header(&format!("x-{n}"), "a");
    }
    let rows = [
        many,
        person().header("x-long", &"a".repeat(20_000)),
        person().target(&format!("{}&tag={}", person().target, "a".repeat(9000))),
        person().target(&format!("/{}", "a/".repeat(100))),
    ];
    for ask in rows {
        let mut connection = world.connection("desk").await;
        connection.send(&ask.header("connection", "close").bytes()).await;
        let answers = connection.answers_until_closed().await;
        assert!(answers.len() <= 1);
        assert!(answers.iter().all(|answer| (400..=431).contains(&answer.status)));
    }
    assert!(world.provider.requests().is_empty());
}

/// A consumer that waits for leave to send its body gets it.
#[tokio::test]
async fn a_body_may_wait_for_leave() {
    let world = World::new().await;
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true}"#));
    let body = r#"{"number":"001122334455","name":"An"}"#;
    let mut connection = world.connection("desk").await;
    let head = person_body("").header("expect", "100-continue").head();
    connection.send(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes()).await;
    super::harness::within("leave to send", async {
        while !connection.buffer.ends_with(b"\r\n\r\n") {
            assert!(connection.read().await.unwrap() > 0);
        }
    })
    .await;
    assert!(connection.buffer.starts_with(b"HTTP/1.1 100 "));
    connection.buffer.clear();
    connection.send(body.as_bytes()).await;
    assert_eq!(connection.answer().await.status, 200);
    // Refused before the body: no leave is given.
    let refused = person_body("")
        .target("/r1/VN/TEST/T01.10/REGISTRY/other/people")
        .header("expect", "100-continue")
        .head();
    let mut connection = world.connection("desk").await;
    connection.send(format!("{refused}content-length: {}\r\n\r\n", body.len()).as_bytes()).await;
    assert_eq!(connection.answer().await.status, 404);
}
