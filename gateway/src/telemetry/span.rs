//! Traces as OTLP messages: names and attributes of spans. All names stand here, and in
//! `gateway/docs/telemetry.md`.

use lienthong_model::{
    id::{AgreementId, OperationId, ParticipantId, PurposeId, RuleId, ServiceId},
    reason::ReasonCode,
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::SpanKind, status::StatusCode},
};
use uuid::Uuid;

use super::{
    trace::{Part, Stage},
    worker::Finished,
};
use crate::record::{Exchange, ShortHash};

/// Sampled; and it is known that the parent, if any, is of this process (trace.proto, SpanFlags).
const FLAGS: u32 = 0x101;

/// Whose spans they are.
#[derive(Debug, Clone)]
pub(super) struct Origin(Resource);

impl Origin {
    /// This process.
    pub(super) fn new() -> Self {
        let attributes = vec![
            text("service.name", "lienthong-gateway"),
            text("service.version", env!("CARGO_PKG_VERSION")),
            text("service.instance.id", &Uuid::new_v4().to_string()),
        ];
        Self(Resource { attributes, ..Resource::default() })
    }

    /// One message for many traces.
    pub(super) fn message(&self, finished: &[Finished]) -> ExportTraceServiceRequest {
        let scope = InstrumentationScope {
            name: "lienthong_gateway".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        let spans = finished.iter().flat_map(spans).collect();
        let spans = ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() };
        ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                resource: Some(self.0.clone()),
                scope_spans: vec![spans],
                ..ResourceSpans::default()
            }],
        }
    }
}

/// The span of the exchange and those of its stages.
fn spans(finished: &Finished) -> Vec<Span> {
    let Finished { trace, exchange } = finished;
    let root = span_id();
    let base = Span { trace_id: trace.id().to_vec(), flags: FLAGS, ..Span::default() };
    let method = trace.operation().map(|operation| operation.method.as_str());
    let route = trace.operation().map(|operation| operation.path.as_str());
    let exchange_span = Span {
        span_id: root.clone(),
        name: match (method, route) {
            (Some(method), Some(route)) => format!("{method} {route}"),
            _ => "exchange".to_owned(),
        },
        kind: SpanKind::Server.into(),
        start_time_unix_nano: nanos(exchange, 0),
        end_time_unix_nano: nanos(exchange, exchange.micros),
        attributes: attributes(exchange, method, route),
        status: (exchange.status >= 500).then(failed),
        ..base.clone()
    };
    let parts = trace.parts(exchange).map(|part| Span {
        span_id: span_id(),
        parent_span_id: root.clone(),
        name: part.stage.as_str().to_owned(),
        kind: kind(part.stage).into(),
        start_time_unix_nano: nanos(exchange, part.from),
        end_time_unix_nano: nanos(exchange, part.until),
        attributes: part_attributes(&part, exchange, method, route),
        status: failure(&part, exchange).map(|_| failed()),
        ..base.clone()
    });
    std::iter::once(exchange_span).chain(parts).collect()
}

fn kind(stage: Stage) -> SpanKind {
    if stage == Stage::Forward { SpanKind::Client } else { SpanKind::Internal }
}

fn failed() -> Status {
    Status { code: StatusCode::Error.into(), message: String::new() }
}

/// The reason an exchange ended with in `part`.
fn failure(part: &Part, exchange: &Exchange) -> Option<&'static str> {
    exchange.reason.map(ReasonCode::as_str).filter(|_| part.last)
}

fn attributes(exchange: &Exchange, method: Option<&str>, route: Option<&str>) -> Vec<KeyValue> {
    let cites = exchange.cites.texts().map(|cite| string(&cite)).collect();
    let texts = [
        ("http.request.method", method),
        ("http.route", route),
        ("error.type", exchange.reason.map(ReasonCode::as_str)),
        ("lienthong.request_id", Some(exchange.request_id.as_str())),
        ("lienthong.consumer", exchange.consumer.as_ref().map(ParticipantId::as_str)),
        ("lienthong.via", exchange.via.as_ref().map(ParticipantId::as_str)),
        ("lienthong.service", exchange.service.as_ref().map(ServiceId::as_str)),
        ("lienthong.operation", exchange.operation.as_ref().map(OperationId::as_str)),
        ("lienthong.agreement", exchange.agreement.as_ref().map(AgreementId::as_str)),
        ("lienthong.agreement_version", exchange.agreement_version.as_ref().map(ShortHash::as_str)),
        ("lienthong.purpose", exchange.purpose.as_ref().map(PurposeId::as_str)),
        ("lienthong.decision", Some(exchange.decision.as_str())),
        ("lienthong.rule", exchange.rule.as_ref().map(RuleId::as_str)),
        ("lienthong.snapshot", Some(exchange.snapshot.as_str())),
    ];
    let numbers = [
        ("http.response.status_code", Some(u64::from(exchange.status)).filter(|n| *n > 0)),
        ("lienthong.fields.disclosed", Some(exchange.disclosed)),
        ("lienthong.fields.masked", Some(exchange.masked)),
        ("lienthong.fields.dropped", Some(exchange.dropped)),
        ("lienthong.fields.undeclared", Some(exchange.undeclared)),
        ("lienthong.elements", exchange.elements),
    ];
    let texts = texts.into_iter().filter_map(|(key, value)| value.map(|value| text(key, value)));
    let numbers = numbers.into_iter().filter_map(|(key, value)| value.map(|n| number(key, n)));
    let cites = (!exchange.cites.is_empty())
        .then(|| attribute("lienthong.cites", Value::ArrayValue(ArrayValue { values: cites })));
    texts.chain(numbers).chain(cites).collect()
}

fn part_attributes(
    part: &Part,
    exchange: &Exchange,
    method: Option<&str>,
    route: Option<&str>,
) -> Vec<KeyValue> {
    let client = part.stage == Stage::Forward;
    let texts = [
        ("http.request.method", method.filter(|_| client)),
        ("url.template", route.filter(|_| client)),
        ("lienthong.service", exchange.service.as_ref().map(ServiceId::as_str).filter(|_| client)),
        ("error.type", failure(part, exchange)),
    ];
    texts.into_iter().filter_map(|(key, value)| value.map(|value| text(key, value))).collect()
}

/// Nanoseconds since 1970 of a moment of an exchange.
fn nanos(exchange: &Exchange, micros: u64) -> u64 {
    let begin = u64::try_from(exchange.at.as_nanosecond()).unwrap_or(0);
    begin.saturating_add(micros.saturating_mul(1000))
}

/// Random; never all zeros, because of the variant's bits.
fn span_id() -> Vec<u8> {
    let (_, low) = Uuid::new_v4().as_u64_pair();
    low.to_be_bytes().to_vec()
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn string(value: &str) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(value.to_owned())) }
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
