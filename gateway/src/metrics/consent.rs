//! Metrics of consents; labels are words of closed sets, never a person, a consent or a collector.

use std::sync::atomic::AtomicU64;

use lienthong_consent::{
    notice::NoticeCounts,
    registry,
    rights::{Counts, RightKind},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// How consents are doing.
#[derive(Debug, Clone, Default)]
pub struct ConsentMetrics {
    changes: Family<ChangeLabels, Counter>,
    calls: Family<CallLabels, Counter>,
    records: Family<StateLabel, Gauge<u64, AtomicU64>>,
    revision: Gauge<u64, AtomicU64>,
    recorded: Gauge<u64, AtomicU64>,
    uncertain: Gauge<u64, AtomicU64>,
    behind: Gauge<u64, AtomicU64>,
    bytes: Gauge<u64, AtomicU64>,
    rights_open: Family<KindLabel, Gauge<u64, AtomicU64>>,
    rights_overdue: Family<KindLabel, Gauge<u64, AtomicU64>>,
    rights_untold: Gauge<u64, AtomicU64>,
    notices_open: Gauge<u64, AtomicU64>,
    notices_overdue: Gauge<u64, AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ChangeLabels {
    action: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

impl ConsentMetrics {
    /// Counts a change by what became of it.
    pub fn change(&self, action: &'static str, outcome: &'static str) {
        self.changes.get_or_create(&ChangeLabels { action, outcome }).inc();
    }

    /// Counts a call of the consent listener.
    pub fn call(&self, call: &'static str, outcome: &'static str) {
        self.calls.get_or_create(&CallLabels { call, outcome }).inc();
    }

    /// Brings the gauges up to date.
    pub(crate) fn observe(&self, registry: &registry::Registry, recorded: u64, is_behind: bool) {
        for (state, count) in registry.counts() {
            self.records.get_or_create(&StateLabel { state: state.as_str() }).set(count);
        }
        self.revision.set(registry.applied());
        self.recorded.set(recorded);
        self.uncertain.set(registry.is_uncertain().into());
        self.behind.set(is_behind.into());
        self.bytes.set(registry.heap_bytes() as u64);
    }

    /// What is owed to data subjects and by participants, of as many as were counted.
    pub(crate) fn duties(&self, rights: &Counts, notices: &NoticeCounts) {
        for kind in RightKind::ALL {
            let tally = rights.by_kind.get(&kind).copied().unwrap_or_default();
            let label = KindLabel { kind: kind.as_str() };
            self.rights_open.get_or_create(&label).set(tally.open);
            self.rights_overdue.get_or_create(&label).set(tally.overdue);
        }
        self.rights_untold.set(rights.untold);
        self.notices_open.set(notices.all.open);
        self.notices_overdue.set(notices.all.overdue);
    }

    /// The metrics under the gateway's prefix.
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("gateway");
        let changes = "Changes of consents by what became of them";
        registry.register("consent_changes", changes, self.changes.clone());
        let calls = "Calls of the consent listener by what became of them";
        registry.register("consent_calls", calls, self.calls.clone());
        let records = "Statements that decide something, by state";
        registry.register("consent_records", records, self.records.clone());
        let revision = "Revision up to which the registry of consents is in force";
        registry.register("consent_revision", revision, self.revision.clone());
        let recorded = "Revision up to which changes of consents are in the evidence";
        registry.register("consent_recorded_revision", recorded, self.recorded.clone());
        let uncertain = "Whether the registry of consents is in doubt (1)";
        registry.register("consent_uncertain", uncertain, self.uncertain.clone());
        let behind = "Whether the registry of consents is behind the evidence (1)";
        registry.register("consent_behind", behind, self.behind.clone());
        let bytes = "Bytes of memory that the registry of consents takes, about";
        registry.register("consent_index_bytes", bytes, self.bytes.clone());
        self.register_duties(&mut registry);
        registry
    }

    fn register_duties(&self, registry: &mut Registry) {
        let open = "Requests of data subjects that are not answered";
        registry.register("rights_open", open, self.rights_open.clone());
        let overdue = "Requests of data subjects of which something is overdue";
        registry.register("rights_overdue", overdue, self.rights_overdue.clone());
        let untold = "Fulfilled requests of which participants still have to be told";
        registry.register("rights_untold", untold, self.rights_untold.clone());
        let open = "Notices that participants have not acknowledged";
        registry.register("notices_open", open, self.notices_open.clone());
        let overdue = "Notices that participants should have acknowledged";
        registry.register("notices_overdue", overdue, self.notices_overdue.clone());
    }
}
