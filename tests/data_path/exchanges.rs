//! Exchanges that end well, over both versions of HTTP.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};

use super::harness::{Ask, HTTP2, Reply, World, person, person_body, within};

/// Everything the register knows of a person.
fn whole_person() -> Value {
    json!({
        "number": "001122334455",
        "name": "Nguyễn Văn An",
        "born": "19900215",
        "phone": "0900000000",
        "code": "internal-7",
        "ward": "25747",
        "age": 36,
        "note": "remark",
        "ethnicity": "01",
        "address": {"ward": "Sài Gòn", "street": "12 Example Street"},
        "children": [
            {"name": "Bình", "number": "1", "toys": [{"name": "kite", "secret": "s"}]},
            {"name": "Chi", "number": "2", "toys": []},
        ],
        "deep": {"d2": {"d3": {"open": "o", "hidden": "h"}}},
        "drift": {"new": "field"},
    })
}

/// What `desk` may see of it, but for the pseudonym.
fn desk_sees() -> Value {
    json!({
        "number": "***4455",
        "name": "Nguyễn Văn An",
        "born": "1990",
        "phone": "***",
        "ward": "79",
        "age": "18-59",
        "note": null,
        "address": {"ward": "Sài Gòn"},
        "children": [
            {"name": "Bình", "toys": [{"name": "kite"}]},
            {"name": "Chi", "toys": []},
        ],
        "deep": {"d2": {"d3": {"open": "o"}}},
    })
}

#[tokio::test]
async fn each_consumer_sees_what_its_agreement_lets_pass() {
    let world = World::new().await;
    world.provider.replies(Reply::json("200 OK", whole_person().to_string()));
    let answer = world.ask(&person()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut seen = answer.json();
    let code = seen.as_object_mut().unwrap().remove("code").unwrap();
    assert_eq!(seen, desk_sees());
    let record = world.why(&answer).await;
    assert_eq!(record["decision"], "allow");
    assert_eq!(record["cites"], json!(["test-law#1", "sector-law#7"]));
    assert_eq!(record["drift"], json!(["/drift"]));
    assert_eq!(record["undeclared"], 1);
    let clinic =
        Ask::get("clinic", &person().target).header("x-road-client", "VN/TEST/T01.21/CLINIC");
    let clinic = world.ask(&clinic).await.json();
    assert_eq!(clinic.as_object().unwrap().len(), 2);
    assert_eq!(clinic["name"], "Nguyễn Văn An");
    // Two consumers cannot join what they were given; one can.
    assert_ne!(clinic["code"], code);
    assert_eq!(world.ask(&person()).await.json()["code"], code);
    assert!(!code.as_str().unwrap().contains("internal"));
}

#[tokio::test]
async fn a_connection_carries_many_exchanges() {
    let world = World::new().await;
    let mut connection = world.connection("desk").await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        connection.send(&person().bytes()).await;
        let answer = connection.answer().await;
        assert_eq!(answer.status, 200);
        ids.push(answer.header("lienthong-request-id").unwrap().to_owned());
        // A refusal does not end it.
        connection.send(&person().target("/nothing").bytes()).await;
        assert_eq!(connection.answer().await.status, 404);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
    connection.send(&person().header("connection", "close").bytes()).await;
    assert_eq!(connection.answers_until_closed().await.len(), 1);
}

#[tokio::test]
async fn writes_carry_what_the_agreement_names() {
    let world = World::new().await;
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true,"receipt":12}"#));
    let body = json!({
        "number": "001122334455",
        "name": "An",
        "remark": "not to pass",
        "address": {"ward": "Sài Gòn", "street": "not to pass"},
    });
    let answer = world.ask(&person_body(body.to_string())).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"stored": true})));
    let request = world.provider.only_request();
    assert_eq!(request.request(), ("POST", "/registry/people"));
    assert_eq!(request.header("content-type").as_deref(), Some("application/json"));
    let sent: Value = serde_json::from_slice(request.body()).unwrap();
    let expected = json!({"number": "001122334455", "name": "An", "address": {"ward": "Sài Gòn"}});
    assert_eq!(sent, expected);
    let record = world.why(&answer).await;
    assert_eq!(record["dropped"], 3);
}

/// HTTP/2 gives the same answers, many at a time.
#[tokio::test]
async fn http2_carries_the_same_exchanges() {
    let world = World::new().await;
    world.provider.replies(Reply::json("200 OK", whole_person().to_string()));
    let connection = world.connection_as(world.pki.client("desk", HTTP2)).await;
    let io = TokioIo::new(connection.stream);
    let (sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(driver);
    let mut answers = Vec::new();
    for _ in 0..50 {
        let mut sender = sender.clone();
        let request = hyper::Request::get(format!("https://localhost{}", person().target))
            .header("x-road-client", "VN/TEST/T01.20/DESK")
            .body(Full::new(Bytes::new()))
            .unwrap();
        answers.push(tokio::spawn(async move { sender.send_request(request).await.unwrap() }));
    }
    for answer in answers {
        let answer = within("an answer", answer).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(answer.headers().contains_key("lienthong-request-id"));
        let mut seen: Value = serde_json::from_slice(&read(answer.into_body()).await).unwrap();
        seen.as_object_mut().unwrap().remove("code");
        assert_eq!(seen, desk_sees());
    }
    assert_eq!(world.provider.requests().len(), 50);
}

#[expect(clippy::disallowed_methods, reason = "bounded by Limited")]
async fn read(body: hyper::body::Incoming) -> Bytes {
    within("a body", Limited::new(body, 1 << 20).collect()).await.unwrap().to_bytes()
}

/// The chunks of a request are not the provider's concern.
#[tokio::test]
async fn a_chunked_request_arrives_whole() {
    let world = World::new().await;
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true}"#));
    let body = r#"{"number":"001122334455","name":"Nguyễn"}"#.as_bytes();
    let head = format!("{}transfer-encoding: chunked\r\n\r\n", person_body("").head());
    for size in [1, 3, 1000] {
        world.provider.forget();
        let mut bytes = head.clone().into_bytes();
        for piece in body.chunks(size) {
            bytes.extend(format!("{:X}\r\n", piece.len()).into_bytes());
            bytes.extend(piece);
            bytes.extend(b"\r\n");
        }
        bytes.extend(b"0\r\n\r\n");
        let mut connection = world.connection("desk").await;
        connection.send(&bytes).await;
        assert_eq!(connection.answer().await.status, 200);
        assert_eq!(world.provider.only_request().body(), body);
    }
}

/// HTTP/1.0 has one exchange a connection.
#[tokio::test]
async fn http_1_0_is_answered_and_ends() {
    let world = World::new().await;
    let mut connection = world.connection("desk").await;
    let ask = String::from_utf8(person().bytes()).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    connection.send(ask.repeat(2).as_bytes()).await;
    let answers = connection.answers_until_closed().await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].status, 200);
    assert_eq!(world.provider.requests().len(), 1);
}
