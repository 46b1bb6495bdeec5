//! Which flows are held because a score is too low.

use jiff::{SignedDuration, Timestamp};
use lienthong_model::quality::{Criterion, Marks, Ratio, Share};
use lienthong_store::{Store, StoreError, quality::Release};

use super::report::first_day;
use crate::config::{FlowConfig, QualityConfig};

/// A score below its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Low {
    pub(crate) criterion: Criterion,
    pub(crate) score: Share,
    pub(crate) threshold: Ratio,
}

/// Scores and what follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Weighed {
    pub(crate) marks: Marks,
    /// What is too low, whether or not a person lets the flow go on.
    pub(crate) low: Vec<Low>,
    /// What a person said, while it counts.
    pub(crate) release: Option<Release>,
}

impl Weighed {
    /// What holds the flow.
    pub(crate) fn held(&self) -> Option<Low> {
        self.low.first().copied().filter(|_| self.release.is_none())
    }
}

/// What was counted of a flow in its window, or in so many days.
pub(crate) async fn gather(
    store: &Store,
    flow: &FlowConfig,
    days: u32,
    now: Timestamp,
) -> Result<Marks, StoreError> {
    let quality = store.quality();
    let mut marks = quality.marks(&flow.id, first_day(now, days)).await?;
    let within = SignedDuration::try_from(flow.quality.shared_within).unwrap_or_default();
    let due = now.saturating_sub(within).unwrap_or(Timestamp::MIN);
    let late = quality.late(&flow.id, due).await?;
    marks.add(Criterion::Shared, Share { good: 0, all: late });
    Ok(marks)
}

/// Weighs the scores of a flow against its thresholds. Writes nothing down.
pub(crate) async fn weigh(
    store: &Store,
    flow: &FlowConfig,
    now: Timestamp,
) -> Result<Weighed, StoreError> {
    let marks = gather(store, flow, flow.quality.window_days, now).await?;
    let low = low(&flow.quality, &marks);
    let release = store.quality().hold(&flow.id).await?.release;
    let release = release.filter(|release| counts(release, &low));
    Ok(Weighed { marks, low, release })
}

/// What is below its threshold, once there are rows enough to say so.
fn low(config: &QualityConfig, marks: &Marks) -> Vec<Low> {
    if marks.of(Criterion::Correct).all < config.at_least_rows {
        return Vec::new();
    }
    let one = |(criterion, threshold): (&Criterion, &Ratio)| {
        let score = marks.of(*criterion);
        let low = Low { criterion: *criterion, score, threshold: *threshold };
        score.is_below(*threshold).then_some(low)
    };
    config.thresholds.iter().filter_map(one).collect()
}

/// Whether what a person said still counts: no score that is too low has become worse since.
fn counts(release: &Release, low: &[Low]) -> bool {
    let is_worse = |low: &Low| low.score.is_worse_than(release.scores.of(low.criterion));
    !low.is_empty() && !low.iter().any(is_worse)
}

#[cfg(test)]
mod tests;
