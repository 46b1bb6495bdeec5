//! Sums up rounds, and writes tables.

use std::fmt::Write as _;

use serde::Serialize;

use crate::load::{Latency, Outcome};

/// The best and the middle of some figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of a list of figures; zeros when it is empty.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
        let last = sorted.len().saturating_sub(1);
        let median = f64::midpoint(at(last / 2), at(last.div_ceil(2)));
        Self { min: at(0), median, max: at(last) }
    }
}

/// The rounds of one competitor under one load.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Summary {
    /// CPU time for each request, microseconds.
    pub(crate) cpu: Spread,
    /// Share of the system in it, in the best round.
    pub(crate) system_share: f64,
    /// Requests a second.
    pub(crate) rate: Spread,
    /// Latency, microseconds, each the median of the rounds.
    pub(crate) latency: Latency,
    /// Lateness of the pacer itself, microseconds, the same way.
    pub(crate) pacer: Latency,
    /// Requests that ended as expected.
    pub(crate) done: u64,
    /// Answers with another status.
    pub(crate) other: u64,
    /// Exchanges that broke.
    pub(crate) broken: u64,
    /// Requests that were due and never sent.
    pub(crate) unsent: u64,
}

impl Summary {
    /// Sums up rounds.
    pub(crate) fn of(rounds: &[Outcome]) -> Self {
        let best = rounds.iter().min_by(|a, b| a.cpu_each().total_cmp(&b.cpu_each()));
        let share = |o: &Outcome| crate::load::ratio(o.cpu.system, o.cpu.total());
        let done: u64 = rounds.iter().map(|o| o.done).sum();
        let answered: u64 = rounds.iter().flat_map(|o| o.statuses.values()).sum();
        Self {
            cpu: Spread::of(rounds.iter().map(Outcome::cpu_each)),
            system_share: best.map(share).unwrap_or_default(),
            rate: Spread::of(rounds.iter().map(Outcome::rate)),
            latency: middle(rounds.iter().map(|o| o.latency)),
            pacer: middle(rounds.iter().map(|o| o.pacer)),
            done,
            other: answered.saturating_sub(done),
            broken: rounds.iter().map(|o| o.broken).sum(),
            unsent: rounds.iter().map(|o| o.unsent).sum(),
        }
    }
}

fn middle(rounds: impl Iterator<Item = Latency> + Clone) -> Latency {
    let of = |part: fn(Latency) -> f64| Spread::of(rounds.clone().map(part)).median;
    Latency { p50: of(|l| l.p50), p99: of(|l| l.p99), p999: of(|l| l.p999), max: of(|l| l.max) }
}

/// A Markdown table.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        // Writing to a String cannot fail.
        writeln!(text, "| {} |", cells.collect::<Vec<_>>().join(" | ")).ok();
    };
    line(&mut head.iter().copied());
    line(&mut head.iter().enumerate().map(|(n, _)| if n == 0 { "---" } else { "---:" }));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    text
}

/// A figure with as many digits as it can bear.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// KiB as MiB.
#[expect(clippy::cast_precision_loss, reason = "memory far below 2^52 KiB")]
pub(crate) fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

/// How one figure stands to another.
pub(crate) fn times(value: f64, base: f64) -> String {
    if base > 0.0 { format!("{:.2}", value / base) } else { "–".to_owned() }
}

#[cfg(test)]
mod tests;
