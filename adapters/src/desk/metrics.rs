//! What flows do, in numbers for a monitoring system.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    indicator::{IndicatorReport, PeriodState},
    report::{FlowReport, Report},
};

type Labels = [(&'static str, String); 1];
type OfCriterion = [(&'static str, String); 2];

/// A number of a flow: its name, what it says, and how it is read.
type Number = (&'static str, &'static str, fn(&FlowReport) -> u64);

/// What only grows.
const COUNTERS: [Number; 10] = [
    ("lienthong_flow_rows", "rows read from the source", |f| f.rows),
    ("lienthong_flow_enqueued", "messages taken into the outbox", |f| f.enqueued),
    ("lienthong_flow_duplicates", "rows whose message was known", |f| f.duplicates),
    ("lienthong_flow_delivered", "messages that the platform took", |f| f.delivered),
    ("lienthong_flow_retried", "attempts that another followed", |f| f.retried),
    ("lienthong_flow_superseded", "messages that a later one replaced", |f| f.superseded),
    ("lienthong_flow_withheld", "messages not sent for want of consent", |f| f.withheld),
    ("lienthong_flow_dropped", "messages that a person dropped", |f| f.dropped),
    ("lienthong_flow_quality_holds", "times that a score came to hold the flow", |f| {
        f.quality.holds
    }),
    ("lienthong_flow_quality_releases", "times that the flow went on again", |f| {
        f.quality.releases
    }),
];

/// What is at present.
const GAUGES: [Number; 11] = [
    ("lienthong_flow_waiting", "messages to be delivered", |f| f.waiting),
    ("lienthong_flow_held", "messages behind one that needs a person", |f| f.held),
    ("lienthong_flow_dead", "messages that need a person", |f| f.dead),
    ("lienthong_flow_quarantined", "rows in quarantine", |f| f.quarantined),
    ("lienthong_flow_oldest_seconds", "how long the oldest message has waited", |f| {
        f.oldest_seconds.unwrap_or(0)
    }),
    ("lienthong_flow_lag_seconds", "how long ago the source was last read to its end", |f| {
        f.lag_seconds.unwrap_or(0)
    }),
    ("lienthong_flow_paused", "1 when a person has paused the flow", |f| {
        u64::from(f.paused.is_some())
    }),
    ("lienthong_flow_platform_away", "1 when the platform does not answer", |f| {
        u64::from(f.away.is_some())
    }),
    ("lienthong_flow_quality_held", "1 when a score holds the flow", |f| {
        u64::from(f.quality.held.is_some())
    }),
    ("lienthong_flow_defects", "what has to be mended", |f| f.quality.open.all),
    ("lienthong_flow_defects_overdue", "what has to be mended, past its last deadline", |f| {
        f.quality.open.overdue
    }),
];

/// What rows are worth.
const SCORE: &str = "lienthong_flow_quality_score";

/// A number of an indicator.
type OfIndicator = (&'static str, &'static str, fn(&IndicatorReport) -> u64);

/// What is at present.
const OF_INDICATORS: [OfIndicator; 4] = [
    ("lienthong_indicator_late", "periods without figures that should have some", |i| i.late()),
    ("lienthong_indicator_refused", "periods that could not be computed", |i| {
        i.count(PeriodState::Refused)
    }),
    ("lienthong_indicator_missing", "periods that are over and were not computed", |i| {
        i.count(PeriodState::Missing)
    }),
    ("lienthong_indicator_unpublished", "periods computed that no flow has taken", |i| {
        i.count(PeriodState::Computed)
    }),
];

/// The numbers as text.
pub(super) fn text(report: &Report, indicators: &[IndicatorReport]) -> String {
    let mut registry = Registry::default();
    for (name, help, read) in COUNTERS {
        let family = Family::<Labels, Counter>::default();
        for flow in &report.flows {
            family.get_or_create(&[("flow", flow.name.to_string())]).inc_by(read(flow));
        }
        registry.register(name, help, family);
    }
    for (name, help, read) in GAUGES {
        let family = Family::<Labels, Gauge>::default();
        for flow in &report.flows {
            let value = i64::try_from(read(flow)).unwrap_or(i64::MAX);
            family.get_or_create(&[("flow", flow.name.to_string())]).set(value);
        }
        registry.register(name, help, family);
    }
    let scores = Family::<OfCriterion, Gauge<f64, AtomicU64>>::default();
    for flow in &report.flows {
        for (criterion, share) in &flow.quality.scores {
            let labels =
                [("flow", flow.name.to_string()), ("criterion", criterion.as_str().to_owned())];
            scores.get_or_create(&labels).set(share.value().unwrap_or_default());
        }
    }
    registry.register(SCORE, "quality by a criterion, from 0 to 1", scores);
    for (name, help, read) in OF_INDICATORS {
        let family = Family::<Labels, Gauge>::default();
        for one in indicators {
            let value = i64::try_from(read(one)).unwrap_or(i64::MAX);
            family.get_or_create(&[("indicator", one.id.to_string())]).set(value);
        }
        registry.register(name, help, family);
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    if encode(&mut text, &registry).is_err() {
        text.clear();
    }
    text
}
