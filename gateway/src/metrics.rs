//! Metrics in the OpenMetrics text format. All names stand here; labels come from closed sets.

mod consent;
mod evidence;
mod operators;
mod quota;
mod stamp;
mod telemetry;

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicI64, AtomicU64},
    },
    time::Duration,
};

use lienthong_model::reason::ReasonCode;
use prometheus_client::{
    encoding::{
        EncodeLabelSet,
        text::{encode_eof, encode_registry},
    },
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

pub use self::{
    consent::ConsentMetrics,
    evidence::EvidenceMetrics,
    operators::OperatorMetrics,
    quota::QuotaMetrics,
    stamp::{ClockMetrics, StampMetrics},
    telemetry::TelemetryMetrics,
};
use crate::{
    listen::Counts,
    record::{Exchange, Outcome},
};

/// The metrics of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exchanges: Family<ExchangeLabels, Counter>,
    fields: Family<FieldLabels, Counter>,
    seconds: Histogram,
    drift: Family<ServiceLabel, Counter>,
    /// Answers that stream now.
    pub streams: Gauge<i64, AtomicI64>,
    /// Bytes of such answers given to consumers.
    pub stream_bytes: Counter,
    stream_elements: Family<ServiceLabel, Counter>,
    reloads: Family<OutcomeLabel, Counter>,
    /// Whether the newest files could not be put in force (1) or are (0).
    pub reload_failed: Gauge<i64, AtomicI64>,
    connections: Gauge<i64, AtomicI64>,
    listener: Family<ListenerLabel, Gauge<u64, AtomicU64>>,
    /// Trust anchors whose revocation list is stale.
    pub stale_revocation: Gauge<i64, AtomicI64>,
    /// How much of the limits on data is used.
    pub quotas: QuotaMetrics,
    /// How the evidence log is doing.
    pub evidence: EvidenceMetrics,
    /// How consents are doing.
    pub consents: ConsentMetrics,
    /// What operators do.
    pub operators: OperatorMetrics,
    /// What became of traces.
    pub telemetry: TelemetryMetrics,
    /// Stamps on checkpoints.
    pub stamps: StampMetrics,
    /// The clock against its source.
    pub clock: ClockMetrics,
}

/// PERF: the counters of one route, found once and not for every exchange.
#[derive(Debug, Default)]
pub struct RouteCounters {
    allowed: OnceLock<Counter>,
    disclosed: OnceLock<Counter>,
    masked: OnceLock<Counter>,
    dropped: OnceLock<Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExchangeLabels {
    service: String,
    operation: String,
    decision: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FieldLabels {
    service: String,
    treatment: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ServiceLabel {
    service: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabel {
    event: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

/// Bucket bounds of the time in the gateway, seconds.
const SECONDS: [f64; 13] =
    [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0];

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("gateway"),
            exchanges: Family::default(),
            fields: Family::default(),
            seconds: Histogram::new(SECONDS),
            drift: Family::default(),
            streams: Gauge::default(),
            stream_bytes: Counter::default(),
            stream_elements: Family::default(),
            reloads: Family::default(),
            reload_failed: Gauge::default(),
            connections: Gauge::default(),
            listener: Family::default(),
            stale_revocation: Gauge::default(),
            quotas: QuotaMetrics::default(),
            evidence: EvidenceMetrics::default(),
            consents: ConsentMetrics::default(),
            operators: OperatorMetrics::default(),
            telemetry: TelemetryMetrics::default(),
            stamps: StampMetrics::default(),
            clock: ClockMetrics::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let exchanges = "Exchanges by decision and exact reason";
        registry.register("exchanges", exchanges, self.exchanges.clone());
        registry.register("fields", "Fields by what became of them", self.fields.clone());
        let seconds = "Time in the gateway, provider included";
        registry.register("exchange_seconds", seconds, self.seconds.clone());
        let drift = "Undeclared fields of answers, not passed";
        registry.register("drift_fields", drift, self.drift.clone());
        registry.register("streams", "Answers that stream now", self.streams.clone());
        let bytes = "Bytes of streams given to consumers";
        registry.register("stream_bytes", bytes, self.stream_bytes.clone());
        let elements = "Elements of streams that passed";
        registry.register("stream_elements", elements, self.stream_elements.clone());
        let reloads = "Reloads of policies and certificates";
        registry.register("reloads", reloads, self.reloads.clone());
        let failed = "1 while the newest files are not in force";
        registry.register("reload_failed", failed, self.reload_failed.clone());
        let connections = "Open connections of the exchange listener";
        registry.register("connections", connections, self.connections.clone());
        let stale = "Trust anchors with a stale revocation list";
        registry.register("stale_revocation_lists", stale, self.stale_revocation.clone());
        let events = "Connections of the exchange listener since start, by what became of them";
        registry.register("listener_events", events, self.listener.clone());
    }

    /// Counts a finished exchange.
    pub fn exchange(&self, exchange: &Exchange) {
        let seconds = Duration::from_micros(exchange.micros).as_secs_f64();
        self.seconds.observe(seconds);
        let service = || exchange.service.as_ref().map(ToString::to_string).unwrap_or_default();
        let ended = || {
            let operation = exchange.operation.as_ref().map(ToString::to_string);
            self.exchanges.get_or_create_owned(&ExchangeLabels {
                service: service(),
                operation: operation.unwrap_or_default(),
                decision: exchange.decision.as_str(),
                reason: exchange.reason.map_or("", ReasonCode::as_str),
            })
        };
        let treated = |treatment| {
            self.fields.get_or_create_owned(&FieldLabels { service: service(), treatment })
        };
        let none = RouteCounters::default();
        let known = exchange.counters.as_deref().unwrap_or(&none);
        match exchange.decision {
            Outcome::Allow => known.allowed.get_or_init(ended).inc(),
            Outcome::Deny | Outcome::Cut => ended().inc(),
        };
        let counts = [
            (&known.disclosed, "disclosed", exchange.disclosed),
            (&known.masked, "masked", exchange.masked),
            (&known.dropped, "dropped", exchange.dropped),
        ];
        for (known, treatment, count) in counts.into_iter().filter(|(.., count)| *count > 0) {
            known.get_or_init(|| treated(treatment)).inc_by(count);
        }
        if exchange.undeclared > 0 {
            let label = ServiceLabel { service: service() };
            self.drift.get_or_create(&label).inc_by(exchange.undeclared);
        }
        if let Some(elements) = exchange.elements {
            let label = ServiceLabel { service: service() };
            self.stream_elements.get_or_create(&label).inc_by(elements);
        }
    }

    /// Takes over the listener's own counts.
    pub fn listener(&self, counts: &Counts) {
        self.connections.set(i64::try_from(counts.connections).unwrap_or(i64::MAX));
        let events = [
            ("accepted", counts.accepted),
            ("refused", counts.refused),
            ("handshake_failed", counts.handshakes_failed),
            ("ambiguous_framing", counts.framing),
            ("flood", counts.floods),
            ("deadline", counts.deadlines),
            ("revoked", counts.revoked),
        ];
        for (event, count) in events {
            self.listener.get_or_create(&ListenerLabel { event }).set(count);
        }
    }

    /// Counts a reload.
    pub fn reload(&self, succeeded: bool) {
        let outcome = if succeeded { "succeeded" } else { "failed" };
        self.reloads.get_or_create(&OutcomeLabel { outcome }).inc();
        self.reload_failed.set(i64::from(!succeeded));
    }

    /// The metrics as OpenMetrics text.
    ///
    /// # Errors
    /// When the text cannot be written.
    pub fn encode(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &self.quotas.registry())?;
        encode_registry(&mut text, &self.evidence.registry())?;
        encode_registry(&mut text, &self.consents.registry())?;
        encode_registry(&mut text, &self.operators.registry())?;
        encode_registry(&mut text, &self.telemetry.registry())?;
        encode_registry(&mut text, &self.stamps.registry())?;
        encode_registry(&mut text, &self.clock.registry())?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}
