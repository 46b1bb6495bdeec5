//! OpenTelemetry traces: what a collector gets of exchanges, and that nothing depends on it.

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use lienthong_model::reason::ReasonCode;
use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    common::v1::any_value::Value,
    trace::v1::{Span, span::SpanKind},
};
use prost::Message as _;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::mpsc,
};

use super::harness::{Reply, Setup, World, admin, person, within};

/// What stands in everything that no trace may hold.
const CANARY: &str = "Kn4r1e";
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A collector: a real HTTP server.
struct Collector {
    address: SocketAddr,
    taken: mpsc::Receiver<(HeaderMap, Bytes)>,
}

impl Collector {
    async fn start() -> Self {
        let (sender, taken) = mpsc::channel(100);
        let answer = |State(sender): State<mpsc::Sender<_>>, headers, body| async move {
            sender.send((headers, body)).await.unwrap();
            ExportTraceServiceResponse::default().encode_to_vec()
        };
        let router = Router::new().route("/v1/traces", post(answer)).with_state(sender);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, taken }
    }

    /// The spans of everything that comes until there are `traces` of them, and its bytes.
    async fn spans(&mut self, traces: usize) -> (Vec<Span>, Vec<u8>) {
        let (mut spans, mut bytes): (Vec<Span>, Vec<u8>) = (Vec::new(), Vec::new());
        while spans.iter().filter(|span| span.kind() == SpanKind::Server).count() < traces {
            let taken = within("traces", self.taken.recv()).await;
            let (_, message) = taken.expect("the collector lives");
            bytes.extend_from_slice(&message);
            let message = ExportTraceServiceRequest::decode(message).unwrap();
            let scopes = message.resource_spans.into_iter().flat_map(|of| of.scope_spans);
            spans.extend(scopes.flat_map(|scope| scope.spans));
        }
        (spans, bytes)
    }
}

async fn traced(address: SocketAddr) -> World {
    World::with(Setup { otlp: Some(address), ..Setup::default() }).await
}

fn text<'a>(span: &'a Span, key: &str) -> Option<&'a str> {
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

/// Everything of an exchange that is not a name, a code or a count holds the canary.
#[tokio::test]
async fn a_trace_names_no_value_and_joins_nobody_elses() {
    let mut collector = Collector::start().await;
    let mut world = traced(collector.address).await;
    let body = format!(r#"{{"number":"001122334455","name":"{CANARY}","{CANARY}":"{CANARY}"}}"#);
    world.provider.replies(Reply::json("200 OK", &body));
    let ask = person()
        .header("traceparent", TRACEPARENT)
        .header("tracestate", &format!("{CANARY}=1"))
        .header("baggage", &format!("user={CANARY}"))
        .header("x-road-id", CANARY)
        .header("x-road-userid", CANARY)
        .header("x-road-issue", CANARY);
    let answer = world.ask(&ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let to_provider = world.provider.only_request();
    assert!(to_provider.headers().iter().all(|(name, _)| name != "traceparent"));
    let path = format!("/r1/VN/TEST/T01.10/REGISTRY/people/people/{CANARY}");
    assert_eq!(world.ask(&person().target(&path)).await.status, 200);
    let refused = world.ask(&person().target(&format!("/{CANARY}"))).await;
    world.assert_refused(&refused, ReasonCode::ServiceNotAvailable).await;

    // What waits is sent before the gateway ends.
    world.gateway.signal("TERM");
    assert_eq!(world.gateway.ended().await.code(), Some(0));
    let (spans, bytes) = collector.spans(3).await;
    for hidden in [CANARY, "001122334455", "0af7651916cd43dd8448eb211c80319c"] {
        let found = bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes());
        assert!(!found, "`{hidden}` is in what was sent");
    }
    let ours: Vec<u8> = (0..16).map(|n| hex(TRACEPARENT.split('-').nth(1).unwrap(), n)).collect();
    assert!(spans.iter().all(|span| span.trace_id != ours));

    let id = answer.header("lienthong-request-id");
    let root = spans.iter().find(|span| text(span, "lienthong.request_id") == id).unwrap();
    assert!(root.parent_span_id.is_empty());
    assert_eq!(root.name, "GET /people");
    assert_eq!(text(root, "http.route"), Some("/people"));
    assert_eq!(text(root, "lienthong.consumer"), Some("T01.20"));
    assert_eq!(text(root, "lienthong.service"), Some("people"));
    assert_eq!(text(root, "lienthong.operation"), Some("findPerson"));
    assert_eq!(text(root, "lienthong.agreement"), Some("desk-people"));
    assert_eq!(text(root, "lienthong.decision"), Some("allow"));
    let parts: Vec<&Span> =
        spans.iter().filter(|span| span.parent_span_id == root.span_id).collect();
    for (name, kind) in [
        ("decide", SpanKind::Internal),
        ("forward", SpanKind::Client),
        ("disclose_answer", SpanKind::Internal),
    ] {
        let part = parts.iter().find(|span| span.name == name).expect(name);
        assert_eq!((part.kind(), &part.trace_id), (kind, &root.trace_id));
    }
    let denied = refused.header("lienthong-request-id");
    let denied = spans.iter().find(|span| text(span, "lienthong.request_id") == denied).unwrap();
    assert_eq!(text(denied, "error.type"), Some("service.not_available"));
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert!(names.contains(&"GET /people/{key}"), "{names:?}");
}

/// The byte at `n` of hexadecimal text.
fn hex(text: &str, n: usize) -> u8 {
    u8::from_str_radix(text.get(2 * n..2 * n + 2).unwrap(), 16).unwrap()
}

/// A collector that is away, and one that takes connections and never answers.
#[tokio::test]
async fn exchanges_do_not_know_whether_a_collector_is_there() {
    let away = TcpSocket::new_v4().unwrap();
    away.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for address in [away.local_addr().unwrap(), silent.local_addr().unwrap()] {
        let mut world = traced(address).await;
        for _ in 0..20 {
            assert_eq!(world.ask(&person()).await.status, 200);
        }
        world.gateway.signal("TERM");
        let ended = tokio::time::timeout(Duration::from_secs(15), world.gateway.ended()).await;
        assert_eq!(ended.expect("the end does not wait for traces").code(), Some(0));
    }
}

#[tokio::test]
async fn what_became_of_spans_is_counted() {
    let mut collector = Collector::start().await;
    let world = traced(collector.address).await;
    assert_eq!(world.ask(&person()).await.status, 200);
    let (spans, _) = collector.spans(1).await;
    let expected = format!("gateway_telemetry_spans_total{{outcome=\"sent\"}} {}", spans.len());
    within("the count", async {
        // The collector has the message a moment before its answer is counted.
        while !admin(world.directory.path(), "GET", "/metrics").await.text().contains(&expected) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
