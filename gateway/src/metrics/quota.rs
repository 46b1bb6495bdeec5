//! Metrics of the limits on data; the labels are ids of agreements and names of limits.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// How much of the limits on data is used.
#[derive(Debug, Clone, Default)]
pub struct QuotaMetrics {
    used_ratio: Family<QuotaLabels, Gauge<f64, AtomicU64>>,
    near_limit: Family<QuotaLabels, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QuotaLabels {
    agreement: String,
    quota: &'static str,
}

impl QuotaLabels {
    fn new(agreement: &str, quota: &'static str) -> Self {
        Self { agreement: agreement.to_owned(), quota }
    }
}

impl QuotaMetrics {
    /// Forgets what was used: agreements come and go.
    pub fn clear(&self) {
        self.used_ratio.clear();
    }

    /// Takes over what is used of a limit.
    pub fn used(&self, agreement: &str, quota: &'static str, used: u64, limit: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
        let ratio = used as f64 / limit.max(1) as f64;
        self.used_ratio.get_or_create(&QuotaLabels::new(agreement, quota)).set(ratio);
    }

    /// Counts that 80 % of a limit is used.
    pub fn near_limit(&self, agreement: &str, quota: &'static str) {
        self.near_limit.get_or_create(&QuotaLabels::new(agreement, quota)).inc();
    }

    /// The metrics under their own prefix.
    pub(crate) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("gateway");
        let used = "Used share of a limit on data: of the day, or of the officer's hour used most";
        registry.register("quota_used_ratio", used, self.used_ratio.clone());
        let near = "How often 80 % of a limit on data was used, once a day or hour";
        registry.register("quota_near_limit", near, self.near_limit.clone());
        registry
    }
}
