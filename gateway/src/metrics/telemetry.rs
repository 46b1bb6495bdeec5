//! Metrics of traces: what became of their spans.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// Spans by what became of them.
#[derive(Debug, Clone, Default)]
pub struct TelemetryMetrics {
    spans: Family<SpanLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SpanLabels {
    outcome: &'static str,
}

impl TelemetryMetrics {
    /// Counts spans that the collector took.
    pub fn sent(&self, spans: u64) {
        self.count("sent", spans);
    }

    /// Counts spans that the collector did not want.
    pub fn rejected(&self, spans: u64) {
        self.count("rejected", spans);
    }

    /// Counts spans that could not be sent.
    pub fn failed(&self, spans: u64) {
        self.count("failed", spans);
    }

    /// Counts spans for which the queue had no place.
    pub fn dropped(&self, spans: u64) {
        self.count("dropped", spans);
    }

    /// The spans of an outcome.
    #[must_use]
    pub fn spans(&self, outcome: &'static str) -> u64 {
        self.spans.get_or_create(&SpanLabels { outcome }).get()
    }

    fn count(&self, outcome: &'static str, spans: u64) {
        if spans > 0 {
            self.spans.get_or_create(&SpanLabels { outcome }).inc_by(spans);
        }
    }

    /// The metrics under the gateway's prefix.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("gateway");
        let help = "Spans of traced exchanges by what became of them";
        registry.register("telemetry_spans", help, self.spans.clone());
        registry
    }
}
