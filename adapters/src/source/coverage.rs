//! What of a table was read, where commits may come late: everything up to a highest position, but
//! for gaps.
//!
//! A position that was passed over may belong to a transaction that is still open. So gaps are asked
//! for at every reading until no open transaction can fill them: a [`Sample`] notes how high was read
//! and when, and once every transaction of that time has ended (`ripe`), what is still a gap
//! below stays one: it was rolled back.
//!
//! INVARIANT: samples are taken before, and judged by what was known before, the gaps are asked for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most gaps in memory and in a mark. Where there are more, the nearest become one, and what was read
/// between them is read again.
const MAX_GAPS: usize = 20_000;
const MAX_KEPT: usize = 40;
/// Samples at once; the time that a sample needs is divided by so many.
const SAMPLES: i64 = 8;
const MAX_SAMPLES: usize = 16;

/// What of a table was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    /// The highest position.
    high: Option<i64>,
    /// First and last position of each gap below it.
    gaps: BTreeMap<i64, i64>,
    samples: Vec<Sample>,
}

/// How high was read at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sample {
    high: i64,
    /// Seconds.
    at: i64,
    /// The first transaction that had not begun, where the database tells.
    transaction: u64,
}

/// What is known of transactions before a reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) now: Timestamp,
    /// How long a position may be given before it is certain to be seen.
    pub(super) overlap: i64,
    /// All transactions before this one have ended; 0 where the database does not tell.
    pub(super) ended: u64,
}

/// A coverage as it is kept: small, and at most as much as was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gaps: Vec<(i64, i64)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    samples: Vec<Sample>,
}

impl Coverage {
    /// Behind which position everything is new.
    pub(super) fn high(&self) -> i64 {
        self.high.unwrap_or(i64::MIN)
    }

    /// The gaps, as at most so many, the nearest joined.
    pub(super) fn gaps(&self, most: usize) -> Vec<(i64, i64)> {
        let gaps: Vec<(i64, i64)> = self.gaps.iter().map(|(from, to)| (*from, *to)).collect();
        joined(gaps, most)
    }

    /// Whether the row at this position was not read.
    pub(super) fn lacks(&self, position: i64) -> bool {
        let gap = self.gaps.range(..=position).next_back();
        position > self.high() || self.high.is_none() || gap.is_some_and(|(_, to)| position <= *to)
    }

    /// Notes that the row at this position was read.
    pub(super) fn note(&mut self, position: i64) {
        let behind = self.high.map_or(Some(i64::MIN), |high| high.checked_add(1));
        if self.high.is_none_or(|high| position > high) {
            if let (Some(from), Some(to)) = (behind, position.checked_sub(1))
                && from <= to
            {
                self.gaps.insert(from, to);
            }
            self.high = Some(position);
        } else if let Some((&from, &to)) = self.gaps.range(..=position).next_back()
            && position <= to
        {
            self.gaps.remove(&from);
            if from < position {
                self.gaps.insert(from, position.saturating_sub(1));
            }
            if position < to {
                self.gaps.insert(position.saturating_add(1), to);
            }
        }
        if self.gaps.len() > MAX_GAPS {
            let gaps = self.gaps(MAX_GAPS / 2);
            self.gaps = gaps.into_iter().collect();
        }
    }

    /// Whether a sample of how high was read is due.
    pub(super) fn wants_sample(&self, known: &Known) -> bool {
        let at = known.now.as_second();
        let apart = known.overlap / SAMPLES;
        let Some(high) = self.high else { return false };
        let is_due = |last: &Sample| {
            last.high < high && (at < last.at || at.saturating_sub(last.at) > apart)
        };
        !self.gaps.is_empty() && self.samples.last().is_none_or(is_due)
    }

    /// Takes a sample. `begun` is the first transaction that has not begun, asked for only now; 0 where
    /// the database does not tell.
    pub(super) fn sample(&mut self, known: &Known, begun: u64) {
        let Some(high) = self.high else { return };
        self.samples.push(Sample { high, at: known.now.as_second(), transaction: begun });
        if self.samples.len() > MAX_SAMPLES {
            // Fewer samples mean that gaps are asked for longer, and nothing else.
            let thinned = std::mem::take(&mut self.samples).into_iter().step_by(2);
            self.samples = thinned.collect();
        }
    }

    /// Forgets the gaps that can no longer be filled. Call it when all gaps were asked for after
    /// what is `known`.
    pub(super) fn settle(&mut self, known: &Known) {
        let now = known.now.as_second();
        // A clock that was set back makes a sample wait, never ripe.
        let ripe = |sample: &Sample| {
            now.saturating_sub(sample.at) > known.overlap && sample.transaction <= known.ended
        };
        let low = self.samples.iter().filter(|sample| ripe(sample)).map(|sample| sample.high).max();
        let Some(low) = low else { return };
        self.samples.retain(|sample| sample.high > low);
        let above = self.gaps.split_off(&low);
        // One that reaches over the bound is kept whole.
        let over = self.gaps.last_key_value().filter(|(_, to)| **to > low);
        let over = over.map(|(from, to)| (*from, *to));
        self.gaps = above;
        self.gaps.extend(over);
    }

    /// What is kept of it.
    pub(super) fn keep(&self) -> Kept {
        Kept { high: self.high, gaps: self.gaps(MAX_KEPT), samples: self.samples.clone() }
    }
}

impl Kept {
    /// Everything up to a position, as a person says.
    pub(super) fn up_to(position: i64) -> Self {
        Self { high: (position > i64::MIN).then_some(position), ..Self::default() }
    }
}

impl From<Kept> for Coverage {
    fn from(kept: Kept) -> Self {
        Self { high: kept.high, gaps: kept.gaps.into_iter().collect(), samples: kept.samples }
    }
}

/// The same ranges, as at most so many: the nearest are joined.
fn joined(mut gaps: Vec<(i64, i64)>, most: usize) -> Vec<(i64, i64)> {
    let excess = gaps.len().saturating_sub(most.max(1));
    if excess == 0 {
        return gaps;
    }
    let between = |pair: &[(i64, i64)]| match pair {
        [(_, end), (begin, _)] => begin.saturating_sub(*end),
        _ => i64::MAX,
    };
    let mut apart: Vec<i64> = gaps.windows(2).map(between).collect();
    apart.sort_unstable();
    let widest = apart.get(excess.saturating_sub(1)).copied().unwrap_or(i64::MAX);
    let mut result: Vec<(i64, i64)> = Vec::with_capacity(most);
    for (from, to) in gaps.drain(..) {
        match result.last_mut() {
            Some(last) if from.saturating_sub(last.1) <= widest => last.1 = to,
            _ => result.push((from, to)),
        }
    }
    result
}

#[cfg(test)]
mod tests;
