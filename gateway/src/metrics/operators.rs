//! Metrics of the listeners for operators; labels are words of closed sets, never an operator.

use std::sync::atomic::AtomicI64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// What operators do.
#[derive(Debug, Clone, Default)]
pub struct OperatorMetrics {
    monitor_requests: Family<MonitorLabels, Counter>,
    /// Bytes of checkpoints, hashes and entries given.
    pub monitor_bytes: Counter,
    /// Open connections of the monitor listener.
    pub monitor_connections: Gauge<i64, AtomicI64>,
    administration: Family<AdministrationLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MonitorLabels {
    resource: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AdministrationLabels {
    action: &'static str,
    outcome: &'static str,
}

impl OperatorMetrics {
    /// Counts a request to the monitor listener.
    pub fn monitor(&self, resource: &'static str, outcome: &'static str) {
        self.monitor_requests.get_or_create(&MonitorLabels { resource, outcome }).inc();
    }

    /// Counts an administrative call.
    pub fn administration(&self, action: &'static str, outcome: &'static str) {
        self.administration.get_or_create(&AdministrationLabels { action, outcome }).inc();
    }

    /// The metrics under the gateway's prefix.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("gateway");
        let requests = "Requests of the monitor listener by what was asked for";
        registry.register("monitor_requests", requests, self.monitor_requests.clone());
        let bytes = "Bytes of the log given by the monitor listener";
        registry.register("monitor_bytes", bytes, self.monitor_bytes.clone());
        let connections = "Open connections of the monitor listener";
        registry.register("monitor_connections", connections, self.monitor_connections.clone());
        let administration = "Administrative calls by what became of them";
        registry.register("administration", administration, self.administration.clone());
        registry
    }
}
