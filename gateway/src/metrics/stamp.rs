//! Metrics of stamps on checkpoints, and of the clock.

use std::sync::atomic::AtomicI64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::stamp::Kind;

/// Stamps on checkpoints of the evidence log.
#[derive(Debug, Clone, Default)]
pub struct StampMetrics {
    stamps: Family<StampLabels, Counter>,
    newest: Family<KindLabel, Gauge<i64, AtomicI64>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StampLabels {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

impl StampMetrics {
    /// Counts a stamp on the checkpoint of this size.
    pub fn succeeded(&self, kind: Kind, size: u64) {
        self.count(kind, "succeeded").inc();
        let newest = self.newest.get_or_create(&KindLabel { kind: kind.as_str() });
        newest.set(i64::try_from(size).unwrap_or(i64::MAX));
    }

    /// Counts a stamp that could not be had.
    pub fn failed(&self, kind: Kind) {
        self.count(kind, "failed").inc();
    }

    /// Tries of a kind that ended so.
    #[must_use]
    pub fn tries(&self, kind: Kind, outcome: &'static str) -> u64 {
        self.count(kind, outcome).get()
    }

    fn count(&self, kind: Kind, outcome: &'static str) -> Counter {
        self.stamps.get_or_create_owned(&StampLabels { kind: kind.as_str(), outcome })
    }

    /// The metrics under the gateway's prefix.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("gateway");
        let stamps = "Stamps on checkpoints of the evidence log by what became of them";
        registry.register("evidence_stamps", stamps, self.stamps.clone());
        let newest = "Entries under the newest checkpoint that has a stamp";
        registry.register("evidence_stamped_entries", newest, self.newest.clone());
        registry
    }
}

/// The clock of the node against its source.
#[derive(Debug, Clone, Default)]
pub struct ClockMetrics {
    /// How far the clock was from its source when last measured, milliseconds.
    pub offset: Gauge<i64, AtomicI64>,
    questions: Family<OutcomeLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl ClockMetrics {
    /// Counts a question to the time source by how it ended.
    pub fn asked(&self, outcome: &'static str) {
        self.questions.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    /// The metrics under the gateway's prefix.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("gateway");
        let offset = "How far the clock was from its time source when last measured";
        registry.register("clock_offset_milliseconds", offset, self.offset.clone());
        let questions = "Questions to the time source by how they ended";
        registry.register("clock_questions", questions, self.questions.clone());
        registry
    }
}
