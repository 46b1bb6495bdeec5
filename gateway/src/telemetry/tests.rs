use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};
use jiff::Timestamp;
use lienthong_model::reason::ReasonCode;
use lienthong_policy::{Bundle, Citation, Operation, PolicySet};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message as _;
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};

use super::*;
use crate::record::ShortHash;

/// A value that stands only in what must never be sent.
const CANARY: &str = "079185001234";

#[tokio::test]
async fn an_exchange_is_one_span_with_one_for_each_stage() {
    let mut collector = TestCollector::start(0).await;
    let (telemetry, metrics) = collector.telemetry(1.0);
    let (mut trace, mut exchange) = (telemetry.sample().unwrap(), exchange());
    allowed(&mut trace, &mut exchange);
    telemetry.offer(trace, &exchange);
    telemetry.flush().await;
    let (headers, message) = collector.message().await;
    assert_eq!(headers["content-type"], "application/x-protobuf");

    let resource = message.resource_spans[0].resource.as_ref().unwrap();
    assert_eq!(text(&resource.attributes, "service.name"), Some("lienthong-gateway"));
    let spans = spans(&message);
    let [root, parts @ ..] = spans.as_slice() else { panic!("no span") };
    assert_eq!(root.name, "GET /ho-tich/khai-sinh");
    assert_eq!(root.kind(), SpanKind::Server);
    assert!(root.parent_span_id.is_empty() && root.status.is_none());
    assert_eq!(root.end_time_unix_nano - root.start_time_unix_nano, 10_000_000_000);
    assert_eq!(text(&root.attributes, "http.request.method"), Some("GET"));
    assert_eq!(text(&root.attributes, "http.route"), Some("/ho-tich/khai-sinh"));
    assert_eq!(text(&root.attributes, "lienthong.request_id"), Some(exchange.request_id.as_str()));
    assert_eq!(text(&root.attributes, "lienthong.consumer"), Some("H29.40"));
    assert_eq!(text(&root.attributes, "lienthong.agreement"), Some("ward-civil-status"));
    assert_eq!(text(&root.attributes, "lienthong.decision"), Some("allow"));
    assert_eq!(text(&root.attributes, "error.type"), None);
    assert_eq!(number(&root.attributes, "http.response.status_code"), Some(200));
    assert_eq!(number(&root.attributes, "lienthong.fields.masked"), Some(2));

    let names: Vec<&str> = parts.iter().map(|span| span.name.as_str()).collect();
    let whole: Vec<&str> = Stage::ALL.iter().map(|stage| stage.as_str()).collect();
    assert_eq!(names, whole[..whole.len() - 1], "every stage but `stream`, in order");
    for (before, span) in std::iter::once(root).chain(parts).zip(parts) {
        assert_eq!((&span.trace_id, &span.parent_span_id), (&root.trace_id, &root.span_id));
        assert!(span.start_time_unix_nano >= before.start_time_unix_nano);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        let client = span.name == "forward";
        assert_eq!(span.kind() == SpanKind::Client, client);
        assert_eq!(text(&span.attributes, "url.template").is_some(), client);
    }
    let mut ids: Vec<&[u8]> = spans.iter().map(|span| span.span_id.as_slice()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), root.trace_id.len()), (spans.len(), 16));
    assert_eq!(metrics.spans("sent"), 14);
}

#[tokio::test]
async fn only_names_codes_and_counts_are_sent() {
    let mut collector = TestCollector::start(0).await;
    let (telemetry, _) = collector.telemetry(1.0);
    let (mut trace, mut exchange) = (telemetry.sample().unwrap(), exchange());
    allowed(&mut trace, &mut exchange);
    exchange.cause = Some(format!("a cause with {CANARY}"));
    exchange.drift = vec![format!("/{CANARY}")];
    exchange.token = Some(CANARY.to_owned());
    exchange.reason = Some(ReasonCode::ConsumerGone);
    telemetry.offer(trace, &exchange);
    telemetry.flush().await;
    let (_, bytes) = collector.bytes().await;
    assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()));

    let page = include_str!("../../docs/telemetry.md");
    let message = ExportTraceServiceRequest::decode(bytes).unwrap();
    let resource = message.resource_spans[0].resource.as_ref().unwrap();
    let spans = spans(&message);
    let of_spans = spans.iter().flat_map(|span| &span.attributes);
    for attribute in of_spans.chain(&resource.attributes) {
        let name = format!("`{}`", attribute.key);
        assert!(page.contains(&name), "gateway/docs/telemetry.md omits {name}");
    }
}

#[tokio::test]
async fn a_refusal_shows_where_it_happened() {
    let mut collector = TestCollector::start(0).await;
    let (telemetry, _) = collector.telemetry(1.0);
    let (mut trace, mut exchange) = (telemetry.sample().unwrap(), exchange());
    trace.reached(Stage::Identify);
    trace.routed(&operation());
    trace.reached(Stage::Read);
    trace.reached(Stage::ValidateRequest);
    trace.reached(Stage::Gather);
    exchange.reason = Some(ReasonCode::PolicyDenied);
    exchange.finish(403, 10_000_000);
    telemetry.offer(trace, &exchange);
    telemetry.flush().await;
    let (_, message) = collector.message().await;
    let spans = spans(&message);
    let last = spans.last().unwrap();
    assert_eq!(last.name, "decide");
    assert_eq!(text(&last.attributes, "error.type"), Some("policy.denied"));
    assert_eq!(last.status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(last.end_time_unix_nano, spans[0].end_time_unix_nano);
    // A consumer's mistake is not a server's (semantic conventions of HTTP).
    assert_eq!(spans[0].status, None);
    assert_eq!(text(&spans[0].attributes, "error.type"), Some("policy.denied"));
}

#[tokio::test]
async fn what_never_became_an_exchange_is_a_span_without_names() {
    let mut collector = TestCollector::start(0).await;
    let (telemetry, _) = collector.telemetry(1.0);
    let (trace, mut exchange) = (telemetry.sample().unwrap(), exchange());
    exchange.reason = Some(ReasonCode::GatewayOverloaded);
    exchange.finish(503, 20);
    telemetry.offer(trace, &exchange);
    telemetry.flush().await;
    let (_, message) = collector.message().await;
    let spans = spans(&message);
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["exchange", "identify"]);
    assert_eq!(spans[0].status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(text(&spans[0].attributes, "http.route"), None);
}

#[tokio::test]
async fn a_stream_that_was_cut_ends_in_its_stage() {
    let mut collector = TestCollector::start(0).await;
    let (telemetry, _) = collector.telemetry(1.0);
    let (mut trace, mut exchange) = (telemetry.sample().unwrap(), exchange());
    allowed(&mut trace, &mut exchange);
    exchange.elements = Some(17);
    exchange.reason = Some(ReasonCode::ProviderInterrupted);
    exchange.finish(200, 20_000_000);
    telemetry.offer(trace, &exchange);
    telemetry.flush().await;
    let (_, message) = collector.message().await;
    let spans = spans(&message);
    let last = spans.last().unwrap();
    assert_eq!(last.name, "stream");
    assert_eq!(last.status.as_ref().unwrap().code(), StatusCode::Error);
    assert_eq!(text(&spans[0].attributes, "lienthong.decision"), Some("cut"));
    assert_eq!(number(&spans[0].attributes, "lienthong.elements"), Some(17));
}

#[tokio::test]
async fn many_exchanges_go_in_few_messages() {
    let mut collector = TestCollector::start(0).await;
    let (telemetry, metrics) = collector.telemetry(1.0);
    for _ in 0..40 {
        offer(&telemetry);
    }
    telemetry.flush().await;
    let mut messages = 0;
    let mut found = 0;
    while found < 40 * 2 {
        let (_, message) = collector.message().await;
        found += spans(&message).len();
        messages += 1;
    }
    assert!(messages < 10, "{messages}");
    assert_eq!(metrics.spans("sent"), 80);
}

#[tokio::test]
async fn spans_that_the_collector_does_not_want_are_counted() {
    let mut collector = TestCollector::start(1).await;
    let (telemetry, metrics) = collector.telemetry(1.0);
    offer(&telemetry);
    telemetry.flush().await;
    collector.message().await;
    assert_eq!((metrics.spans("rejected"), metrics.spans("sent")), (1, 1));
}

#[tokio::test]
async fn a_collector_that_is_away_costs_traces_only() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let metrics = TelemetryMetrics::default();
    let telemetry = Telemetry::start(&settings(address, 1.0), metrics.clone()).unwrap();
    offer(&telemetry);
    telemetry.flush().await;
    assert_eq!((metrics.spans("failed"), metrics.spans("sent")), (2, 0));
}

#[tokio::test]
async fn a_full_queue_drops_and_counts_and_the_end_does_not_wait_for_ever() {
    // It takes connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let metrics = TelemetryMetrics::default();
    let mut settings = settings(silent.local_addr().unwrap(), 1.0);
    settings.queue = 3;
    settings.timeout = Duration::from_secs(1);
    let telemetry = Telemetry::start(&settings, metrics.clone()).unwrap();
    for _ in 0..2000 {
        offer(&telemetry);
    }
    telemetry.flush().await;
    assert!(metrics.spans("dropped") > 0);
    assert_eq!(metrics.spans("sent"), 0);
}

#[tokio::test]
async fn the_share_is_that_of_the_settings() {
    let address = "127.0.0.1:9".parse().unwrap();
    let share = |share| {
        let metrics = TelemetryMetrics::default();
        let telemetry = Telemetry::start(&settings(address, share), metrics).unwrap();
        (0..4000).filter(|_| telemetry.sample().is_some()).count()
    };
    assert_eq!((share(0.0), share(1.0)), (0, 4000));
    let quarter = share(0.25);
    assert!((700..1300).contains(&quarter), "{quarter}");
}

#[test]
fn a_collector_needs_anchors_that_are_there() {
    let mut settings = settings("127.0.0.1:9".parse().unwrap(), 1.0);
    settings.trust_anchor_file = Some("/nowhere/anchor.pem".into());
    let found = Telemetry::start(&settings, TelemetryMetrics::default()).unwrap_err();
    assert!(found.to_string().contains("/nowhere/anchor.pem"), "{found}");
}

fn settings(address: SocketAddr, sample_share: f64) -> OtlpSettings {
    OtlpSettings {
        endpoint: format!("http://{address}/v1/traces").parse().unwrap(),
        trust_anchor_file: None,
        sample_share,
        queue: 64,
        timeout: Duration::from_secs(10),
    }
}

fn exchange() -> Exchange {
    Exchange::begin("2026-03-01T08:00:00Z".parse::<Timestamp>().unwrap(), &[7; 32])
}

fn operation() -> Arc<Operation> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let bundle = Bundle::read(&root.join("policies"), &root.join("schemas")).unwrap();
    let policies = PolicySet::check(&bundle, jiff::civil::date(2026, 3, 1)).unwrap();
    let services = policies.services.values();
    let mut operations = services.flat_map(|service| service.operations.values());
    Arc::clone(operations.find(|operation| operation.id.as_str() == "getBirthRecord").unwrap())
}

/// An exchange that went well, which took ten seconds.
fn allowed(trace: &mut Trace, exchange: &mut Exchange) {
    for stage in Stage::ALL.into_iter().filter(|stage| *stage != Stage::Stream) {
        match stage {
            Stage::Route => trace.routed(&operation()),
            stage => trace.reached(stage),
        }
    }
    exchange.consumer = Some("H29.40".parse().unwrap());
    exchange.service = Some("civil-status".parse().unwrap());
    exchange.operation = Some("getBirthRecord".parse().unwrap());
    exchange.agreement = Some("ward-civil-status".parse().unwrap());
    exchange.agreement_version = Some(ShortHash::of(&[0x11; 32]));
    exchange.purpose = Some("dossier_processing".parse().unwrap());
    exchange.cites = Arc::<[Citation]>::from(["pdpl-2025#19.1.c".parse().unwrap()]).into();
    exchange.masked = 2;
    exchange.finish(200, 10_000_000);
}

/// Offers an exchange that was shed: two spans.
fn offer(telemetry: &Telemetry) {
    let mut exchange = exchange();
    exchange.reason = Some(ReasonCode::GatewayOverloaded);
    exchange.finish(503, 5);
    telemetry.offer(telemetry.sample().unwrap(), &exchange);
}

/// A collector: a real HTTP server.
struct TestCollector {
    address: SocketAddr,
    taken: mpsc::Receiver<(HeaderMap, Bytes)>,
    serving: JoinHandle<()>,
}

impl Drop for TestCollector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl TestCollector {
    /// One that does not want `rejected` spans of each message.
    async fn start(rejected: i64) -> Self {
        let (sender, taken) = mpsc::channel(100);
        let answer = move |State(sender): State<mpsc::Sender<_>>, headers, body| async move {
            sender.send((headers, body)).await.unwrap();
            let partial =
                ExportTracePartialSuccess { rejected_spans: rejected, ..Default::default() };
            let partial_success = (rejected > 0).then_some(partial);
            ExportTraceServiceResponse { partial_success }.encode_to_vec()
        };
        let router = Router::new().route("/v1/traces", post(answer)).with_state(sender);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, taken, serving }
    }

    fn telemetry(&self, share: f64) -> (Telemetry, TelemetryMetrics) {
        let metrics = TelemetryMetrics::default();
        let telemetry = Telemetry::start(&settings(self.address, share), metrics.clone());
        (telemetry.unwrap(), metrics)
    }

    async fn bytes(&mut self) -> (HeaderMap, Bytes) {
        tokio::time::timeout(Duration::from_secs(20), self.taken.recv()).await.unwrap().unwrap()
    }

    async fn message(&mut self) -> (HeaderMap, ExportTraceServiceRequest) {
        let (headers, bytes) = self.bytes().await;
        (headers, ExportTraceServiceRequest::decode(bytes).unwrap())
    }
}

fn spans(message: &ExportTraceServiceRequest) -> Vec<Span> {
    message.resource_spans[0].scope_spans[0].spans.clone()
}

fn value<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a Value> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    found.value.as_ref()?.value.as_ref()
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match value(attributes, key)? {
        Value::StringValue(text) => Some(text),
        other => panic!("{key} is {other:?}"),
    }
}

fn number(attributes: &[KeyValue], key: &str) -> Option<i64> {
    match value(attributes, key)? {
        Value::IntValue(number) => Some(*number),
        other => panic!("{key} is {other:?}"),
    }
}
