//! Metrics of the evidence log. No labels: what an entry tells of stays in the log.

use std::sync::atomic::AtomicU64;

use lienthong_evidence::log::{Disk, Status};
use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};

/// How the evidence log is doing.
#[derive(Debug, Clone, Default)]
pub struct EvidenceMetrics {
    entries: Gauge<u64, AtomicU64>,
    signed: Gauge<u64, AtomicU64>,
    copied: Gauge<u64, AtomicU64>,
    refusing: Gauge<u64, AtomicU64>,
    /// Intents whose outcome could not be written.
    pub open: Counter,
}

impl EvidenceMetrics {
    /// Takes over how the log is doing; none while it is not open.
    pub fn observe(&self, status: Option<&Status>) {
        let takes = status.is_some_and(|status| !status.failed && status.disk != Disk::Red);
        self.refusing.set(u64::from(!takes));
        let Some(status) = status else { return };
        self.entries.set(status.size);
        self.signed.set(status.signed);
        self.copied.set(status.copied.unwrap_or(0));
    }

    /// The metrics under their own prefix.
    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("gateway");
        registry.register("evidence_entries", "Entries on disk", self.entries.clone());
        let signed = "Entries under the newest checkpoint";
        registry.register("evidence_signed_entries", signed, self.signed.clone());
        let copied = "Entries under the checkpoint in the second place";
        registry.register("evidence_copied_entries", copied, self.copied.clone());
        let refusing =
            "Whether the log takes no entries, and exchanges are refused (1), or it does (0)";
        registry.register("evidence_refusing", refusing, self.refusing.clone());
        let open = "Intents whose outcome could not be written; they count as disclosed";
        registry.register("evidence_open_intents", open, self.open.clone());
        registry
    }
}
