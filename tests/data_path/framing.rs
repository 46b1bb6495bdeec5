//! Requests that two readers could cut differently. Each carries a second request that only one of
//! the readings would see. It must never be seen, and the connection must end.

use super::harness::{Ask, Recorded, Reply, World, person, person_body};

const BODY: &str = r#"{"number":"001122334455","name":"An"}"#;

/// What must never arrive.
fn smuggled() -> String {
    let smuggled = Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/people/people/smuggled")
        .header("x-road-client", "VN/TEST/T01.20/DESK");
    String::from_utf8(smuggled.bytes()).unwrap()
}

/// Request line and headers of a new person, without anything about the length.
fn head() -> String {
    person_body("").head()
}

async fn world() -> World {
    let world = World::new().await;
    world.provider.answers(|_| Reply::json("200 OK", r#"{"stored":true}"#));
    world
}

/// Whether the one request that may arrive is as the gateway writes it: whole, with its length,
/// and with nothing of the consumer's spelling.
fn assert_canonical(request: &Recorded) {
    assert_eq!(request.request(), ("POST", "/registry/people"));
    assert_eq!(request.header("transfer-encoding"), None);
    assert_eq!(request.header("content-length").as_deref(), Some("37"));
    assert_eq!(request.body(), BODY.as_bytes());
    let text = String::from_utf8_lossy(&request.bytes);
    assert!(!text.contains("smuggled"), "{text}");
}

/// Sends raw bytes; gives the statuses that came back before the gateway closed the connection.
async fn statuses(world: &World, bytes: &[u8]) -> Vec<u16> {
    let mut connection = world.connection("desk").await;
    connection.send(bytes).await;
    connection.answers_until_closed().await.iter().map(|answer| answer.status).collect()
}

#[tokio::test]
async fn ambiguous_lengths_are_refused_and_what_follows_is_never_read() {
    let world = world().await;
    let (length, smuggled, head) = (BODY.len(), smuggled(), head());
    let chunked = format!("{length:x}\r\n{BODY}\r\n0\r\n\r\n");
    let rows: Vec<(&str, String)> = vec![
        (
            "both, length first",
            format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "both, coding first",
            format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n\r\n{chunked}"),
        ),
        (
            "both, length of nothing",
            "content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(),
        ),
        ("two lengths", format!("content-length: {length}\r\ncontent-length: 0\r\n\r\n{BODY}")),
        (
            "two equal lengths",
            format!("content-length: {length}\r\ncontent-length: {length}\r\n\r\n{BODY}"),
        ),
        ("list of lengths", format!("content-length: {length}, {length}\r\n\r\n{BODY}")),
        ("list of differing lengths", format!("content-length: {length}, 0\r\n\r\n{BODY}")),
        ("plus", format!("content-length: +{length}\r\n\r\n{BODY}")),
        ("minus", "content-length: -1\r\n\r\n".to_owned()),
        ("hexadecimal", format!("content-length: 0x{length:x}\r\n\r\n{BODY}")),
        ("space inside", format!("content-length: {} {}\r\n\r\n{BODY}", length / 10, length % 10)),
        ("decimal point", format!("content-length: {length}.0\r\n\r\n{BODY}")),
        ("underscore", "content-length: 3_7\r\n\r\n".to_owned() + BODY),
        ("empty length", format!("content-length: \r\n\r\n{BODY}")),
        ("overflow", format!("content-length: 18446744073709551653\r\n\r\n{BODY}")),
        ("other digits", format!("content-length: ３７\r\n\r\n{BODY}")),
        ("space before the colon", format!("content-length : {length}\r\n\r\n{BODY}")),
        ("tab before the colon", format!("transfer-encoding\t: chunked\r\n\r\n{chunked}")),
        ("not final", format!("transfer-encoding: chunked, identity\r\n\r\n{chunked}")),
        ("chunked twice", format!("transfer-encoding: chunked, chunked\r\n\r\n{chunked}")),
        (
            "chunked in two fields",
            format!("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n{chunked}"),
        ),
        (
            "identity",
            format!("transfer-encoding: identity\r\ncontent-length: {length}\r\n\r\n{BODY}"),
        ),
        ("gzip", format!("transfer-encoding: gzip, chunked\r\n\r\n{chunked}")),
        ("unknown coding", format!("transfer-encoding: xchunked\r\n\r\n{chunked}")),
        ("quoted coding", format!("transfer-encoding: \"chunked\"\r\n\r\n{chunked}")),
        ("coding with a parameter", format!("transfer-encoding: chunked;a=b\r\n\r\n{chunked}")),
        ("vertical tab", format!("transfer-encoding: \x0bchunked\r\n\r\n{chunked}")),
        ("empty coding", format!("transfer-encoding: \r\ncontent-length: {length}\r\n\r\n{BODY}")),
        ("coding with a NUL", format!("transfer-encoding: chunked\0\r\n\r\n{chunked}")),
    ];
    for (name, rest) in rows {
        let statuses = statuses(&world, format!("{head}{rest}{smuggled}").as_bytes()).await;
        assert_eq!(statuses, [400], "{name}");
    }
    nothing_arrived(&world).await;
}

#[tokio::test]
async fn ambiguous_lines_are_refused_and_what_follows_is_never_read() {
    let world = world().await;
    let (length, smuggled, head) = (BODY.len(), smuggled(), head());
    let line = head.lines().next().unwrap().to_owned();
    let fields = head.split_once("\r\n").unwrap().1.to_owned();
    let rest = format!("content-length: {length}\r\n\r\n{BODY}");
    let target = "/r1/VN/TEST/T01.10/REGISTRY/people/people";
    let rows: Vec<(&str, String)> = vec![
        ("bare LF after the request line", format!("{line}\n{fields}{rest}")),
        ("bare LF after a field", format!("{head}a: b\n{rest}")),
        ("bare LF before the end", format!("{head}content-length: {length}\r\n\n{BODY}")),
        ("only LF", format!("{head}{rest}").replace("\r\n", "\n")),
        ("bare CR in a field", format!("{head}a: b\rc: d\r\n{rest}")),
        ("bare CR at the end", format!("{head}content-length: {length}\r\n\r{BODY}")),
        ("CR CR LF", format!("{head}a: b\r\r\n{rest}")),
        ("folded with a space", format!("{head}a: b\r\n c\r\n{rest}")),
        ("folded with a tab", format!("{head}a: b\r\n\tc\r\n{rest}")),
        ("folded coding", format!("{head}transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n")),
        ("first field folded", format!("{line}\r\n host: localhost\r\n{fields}{rest}")),
        ("no colon", format!("{head}field\r\n{rest}")),
        ("empty name", format!("{head}: value\r\n{rest}")),
        ("name with a space", format!("{head}a b: c\r\n{rest}")),
        ("name with a NUL", format!("{head}a\0: c\r\n{rest}")),
        ("name beyond ASCII", format!("{head}é: c\r\n{rest}")),
        ("value with a NUL", format!("{head}a: b\0c\r\n{rest}")),
        ("two hosts", format!("{head}host: other\r\n{rest}")),
        ("no host", format!("{head}{rest}").replace("host: localhost\r\n", "")),
        ("two spaces in the request line", format!("POST  {target} HTTP/1.1\r\n{fields}{rest}")),
        ("tab in the request line", format!("POST\t{target} HTTP/1.1\r\n{fields}{rest}")),
        ("space in the target", format!("POST {target}?a= b HTTP/1.1\r\n{fields}{rest}")),
        ("no version", format!("POST {target}\r\n{fields}{rest}")),
        ("HTTP/0.9", format!("POST {target} HTTP/0.9\r\n{fields}{rest}")),
        ("HTTP/1.2", format!("POST {target} HTTP/1.2\r\n{fields}{rest}")),
        ("HTTP/2.0", format!("POST {target} HTTP/2.0\r\n{fields}{rest}")),
        ("lower-case version", format!("POST {target} http/1.1\r\n{fields}{rest}")),
        ("absolute form", format!("POST https://localhost{target} HTTP/1.1\r\n{fields}{rest}")),
        ("authority form", format!("POST localhost:443 HTTP/1.1\r\n{fields}{rest}")),
        ("asterisk form", format!("OPTIONS * HTTP/1.1\r\n{fields}{rest}")),
        ("fragment", format!("POST {target}#x HTTP/1.1\r\n{fields}{rest}")),
        ("HTTP/2 preface", format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{head}{rest}")),
        (
            "HTTP/1.0 with a coding",
            format!(
                "POST {target} HTTP/1.0\r\n{fields}transfer-encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        ("white space first", format!(" {head}{rest}")),
        ("method with a colon", format!("POST: {target} HTTP/1.1\r\n{fields}{rest}")),
    ];
    for (name, bytes) in rows {
        let statuses = statuses(&world, format!("{bytes}{smuggled}").as_bytes()).await;
        assert_eq!(statuses, [400], "{name}");
    }
    nothing_arrived(&world).await;
}

#[tokio::test]
async fn broken_chunks_are_refused_and_what_follows_is_never_read() {
    let world = world().await;
    let (length, smuggled) = (BODY.len(), smuggled());
    let head = format!("{}transfer-encoding: chunked\r\n\r\n", head());
    let rows: Vec<(&str, String)> = vec![
        ("extension", format!("{length:x};a=b\r\n{BODY}\r\n0\r\n\r\n")),
        ("extension with a newline", format!("{length:x};a\n{BODY}\r\n0\r\n\r\n")),
        ("extension on the last chunk", format!("{length:x}\r\n{BODY}\r\n0;a\r\n\r\n")),
        ("long extension", format!("{length:x};{}\r\n{BODY}\r\n0\r\n\r\n", "a".repeat(9000))),
        ("space after the size", format!("{length:x} \r\n{BODY}\r\n0\r\n\r\n")),
        ("space before the size", format!(" {length:x}\r\n{BODY}\r\n0\r\n\r\n")),
        ("0x", format!("0x{length:x}\r\n{BODY}\r\n0\r\n\r\n")),
        ("plus", format!("+{length:x}\r\n{BODY}\r\n0\r\n\r\n")),
        ("minus", format!("-{length:x}\r\n{BODY}\r\n0\r\n\r\n")),
        ("no size", format!("\r\n{BODY}\r\n0\r\n\r\n")),
        ("overflow", format!("10000000000000025\r\n{BODY}\r\n0\r\n\r\n")),
        ("many zeros", format!("{}{length:x}\r\n{BODY}\r\n0\r\n\r\n", "0".repeat(40))),
        ("bare LF after the size", format!("{length:x}\n{BODY}\r\n0\r\n\r\n")),
        ("bare CR after the size", format!("{length:x}\r{BODY}\r\n0\r\n\r\n")),
        ("bare LF after the data", format!("{length:x}\r\n{BODY}\n0\r\n\r\n")),
        ("data longer than said", format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", length - 1)),
        ("data shorter than said", format!("{:x}\r\n{BODY}\r\n0\r\n\r\n", length + 1)),
        ("trailer", format!("{length:x}\r\n{BODY}\r\n0\r\nx-road-client: VN\r\n\r\n")),
        (
            "trailer that says a length",
            format!("{length:x}\r\n{BODY}\r\n0\r\ncontent-length: 5\r\n\r\n"),
        ),
        ("bare LF at the end", format!("{length:x}\r\n{BODY}\r\n0\r\n\n")),
    ];
    for (name, body) in rows {
        let statuses = statuses(&world, format!("{head}{body}{smuggled}").as_bytes()).await;
        assert!(statuses.iter().all(|status| *status == 400), "{name}: {statuses:?}");
        let arrived = world.provider.requests();
        assert!(arrived.is_empty(), "{name}: {arrived:?}");
    }
    nothing_arrived(&world).await;
}

/// A request that stands in the body of another is the body's text and nothing else.
#[tokio::test]
async fn a_request_inside_a_body_stays_inside() {
    let world = world().await;
    let smuggled = smuggled();
    for framed in [
        format!("content-length: {}\r\n\r\n{smuggled}", smuggled.len()),
        format!(
            "transfer-encoding: chunked\r\n\r\n{:x}\r\n{smuggled}\r\n0\r\n\r\n",
            smuggled.len()
        ),
    ] {
        let mut connection = world.connection("desk").await;
        connection.send(format!("{}{framed}", head()).as_bytes()).await;
        let answer = connection.answer().await;
        assert_eq!((answer.status, &answer.json()["reason"]), (400, &"request.malformed".into()));
        // The connection is where it should be: at the beginning of the next request.
        let good = format!("{}content-length: {}\r\n\r\n{BODY}", head(), BODY.len());
        connection.send(good.as_bytes()).await;
        assert_eq!(connection.answer().await.status, 200);
        assert_canonical(&world.provider.only_request());
        world.provider.forget();
    }
}

/// A body that nobody reads does not become the next request.
#[tokio::test]
async fn the_unread_body_of_a_refused_request_is_not_the_next_request() {
    let world = world().await;
    let smuggled = smuggled();
    let refused = [
        person_body(smuggled.clone()).set("content-type", "text/plain"),
        person_body(smuggled.clone()).set("x-road-client", "VN/TEST/T01.21/CLINIC"),
        person_body(smuggled.clone()).target("/r1/VN/TEST/T01.10/REGISTRY/other/people"),
        person_body(smuggled.clone()).method("TRACE"),
        person_body(smuggled.clone()).method("HEAD"),
        person().body(smuggled.clone()),
    ];
    for ask in refused {
        let mut connection = world.connection("desk").await;
        connection.send(&ask.clone().header("connection", "close").bytes()).await;
        let mut raw = Vec::new();
        while connection.read().await.unwrap() > 0 {
            raw.append(&mut connection.buffer);
        }
        raw.append(&mut connection.buffer);
        let text = String::from_utf8(raw).unwrap();
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
        assert!(text.starts_with("HTTP/1.1 4"), "{text}");
    }
    nothing_arrived(&world).await;
}

/// Correct requests one after the other are two requests, each as it is.
#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let world = world().await;
    world.provider.answers(|request| match request.request().0 {
        "POST" => Reply::json("200 OK", r#"{"stored":true}"#),
        _ => Reply::json("200 OK", r#"{"number":"001122334455","name":"An"}"#),
    });
    let mut connection = world.connection("desk").await;
    let both = [person_body(BODY).bytes(), person().bytes(), person_body(BODY).bytes()].concat();
    connection.send(&both).await;
    assert_eq!(connection.answer().await.json()["stored"], true);
    assert_eq!(connection.answer().await.json()["name"], "An");
    assert_eq!(connection.answer().await.json()["stored"], true);
    assert_eq!(world.provider.requests().len(), 3);
}

/// The same bytes mean the same in one piece and in many.
#[tokio::test]
async fn the_cut_of_the_bytes_changes_nothing() {
    let world = world().await;
    let (first, rest) = BODY.split_at(5);
    let good = format!(
        "{}transfer-encoding: chunked\r\n\r\n5\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n",
        head(),
        rest.len(),
    );
    let bad = format!("{}a: b\n{}", head(), smuggled());
    for size in [1, 2, 7, 100] {
        world.provider.forget();
        let mut connection = world.connection("desk").await;
        for piece in good.as_bytes().chunks(size) {
            connection.send(piece).await;
        }
        assert_eq!(connection.answer().await.status, 200, "pieces of {size}");
        assert_canonical(&world.provider.only_request());
        world.provider.forget();
        let mut connection = world.connection("desk").await;
        for piece in bad.as_bytes().chunks(size) {
            connection.send(piece).await;
        }
        let answers = connection.answers_until_closed().await;
        assert!(answers.iter().all(|answer| answer.status == 400), "pieces of {size}");
        assert!(world.provider.requests().is_empty());
    }
}

/// Asks once more over another connection, so that whatever was under way has arrived, and checks
/// that this is all that did.
async fn nothing_arrived(world: &World) {
    let answer = world.ask(&person_body(BODY)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_canonical(&world.provider.only_request());
}
