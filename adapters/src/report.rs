//! What the flows did, for people and programs.

use std::sync::Arc;

use jiff::Timestamp;
use lienthong_model::{clock::Clock, id::FlowId, text::Language};
use lienthong_store::{
    Store,
    outbox::{Counters, DeadLetter},
};
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    config::Config,
    quality::FlowQuality,
    source::{Guarantee, Source},
};

/// Most rows and letters that a report names one by one.
const MAX_NAMED: u32 = 100;

/// What one flow did. Counts are durable: they go on where the last process left off.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct FlowReport {
    /// The flow.
    pub name: FlowId,
    /// What the source guarantees, in words: English.
    pub guarantee: String,
    /// The same in Vietnamese.
    pub guarantee_vi: String,
    /// Rows read from the source.
    pub rows: u64,
    /// Messages newly put into the outbox.
    pub enqueued: u64,
    /// Messages the platform took.
    pub delivered: u64,
    /// Attempts that were followed by another.
    pub retried: u64,
    /// Rows put aside now because they are not fit to be sent.
    pub quarantined: u64,
    /// Messages that need a person now.
    pub dead: u64,
    /// Rows whose message was in the outbox already.
    pub duplicates: u64,
    /// Messages that a later one of their case replaced before they were sent.
    pub superseded: u64,
    /// Messages that were not sent, and erased, because consent was missing at delivery.
    pub withheld: u64,
    /// Messages that a person dropped.
    pub dropped: u64,
    /// Messages that are still to be sent.
    pub waiting: u64,
    /// Those of the waiting that are held behind a dead message or a quarantined row.
    pub held: u64,
    /// How long the oldest waiting message has waited, in seconds.
    pub oldest_seconds: Option<u64>,
    /// How many seconds ago the source was last read to its end; known to the process that reads it.
    pub lag_seconds: Option<u64>,
    /// Why a person has paused the flow.
    pub paused: Option<String>,
    /// What its rows are worth, and whether that holds it.
    pub quality: FlowQuality,
    /// Why the platform counts as away; known to the process that runs the flow.
    pub away: Option<String>,
    /// Rows in quarantine: which, and why. At most 100.
    pub quarantine: Vec<Aside>,
    /// Messages that need a person: which, and why. At most 100.
    pub dead_letters: Vec<Aside>,
}

/// A row or message that was put aside. It never shows a value of a payload.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Aside {
    /// The key of the row in its source.
    pub key: String,
    /// Why: names of fields, rules and reason codes.
    pub reason: String,
}

/// What all flows did.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq, Default)]
pub struct Report {
    /// One entry per flow, in the order of the configuration.
    pub flows: Vec<FlowReport>,
}

/// Whether one thing that the flows need is in order.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct CheckOutcome {
    /// What was looked at.
    pub name: String,
    /// What is wrong; nothing when it is in order.
    pub problem: Option<String>,
}

impl CheckOutcome {
    pub(crate) fn new(name: impl Into<String>, problem: Option<String>) -> Self {
        Self { name: name.into(), problem }
    }
}

impl FlowReport {
    pub(crate) fn new(
        name: FlowId,
        guarantee: Guarantee,
        counters: &Counters,
        now: Timestamp,
    ) -> Self {
        let waited = |since: Timestamp| u64::try_from(now.duration_since(since).as_secs());
        Self {
            name,
            guarantee: guarantee.words(Language::English),
            guarantee_vi: guarantee.words(Language::Vietnamese),
            rows: counters.rows,
            enqueued: counters.enqueued,
            delivered: counters.delivered,
            retried: counters.retried,
            quarantined: counters.quarantined,
            dead: counters.dead,
            duplicates: counters.duplicates,
            superseded: counters.superseded,
            withheld: counters.withheld,
            dropped: counters.dropped,
            waiting: counters.waiting,
            held: counters.held,
            oldest_seconds: counters.oldest.map(|since| waited(since).unwrap_or(0)),
            lag_seconds: None,
            paused: None,
            quality: FlowQuality::default(),
            away: None,
            quarantine: Vec::new(),
            dead_letters: Vec::new(),
        }
    }
}

/// The durable counters of every flow.
pub(crate) async fn report(
    config: &Config,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> Result<Report, Error> {
    let outbox = store.outbox();
    let mut flows = Vec::with_capacity(config.flows.len());
    for flow in &config.flows {
        let counters = outbox.counters(&flow.id).await?;
        let guarantee = Source::guarantee(&flow.source);
        let mut entry = FlowReport::new(flow.id.clone(), guarantee, &counters, clock.now());
        let quarantined = outbox.quarantined(&flow.id, "", MAX_NAMED).await?;
        entry.quarantine = quarantined
            .into_iter()
            .map(|row| Aside { key: row.source_key, reason: row.reason })
            .collect();
        let dead = outbox.dead(&flow.id, MAX_NAMED).await?;
        entry.dead_letters = dead.into_iter().map(Aside::from).collect();
        entry.paused = outbox.paused(&flow.id).await?.map(|pause| pause.why);
        entry.quality = FlowQuality::of(store, flow, &config.holidays, clock.now()).await?;
        flows.push(entry);
    }
    Ok(Report { flows })
}

impl From<DeadLetter> for Aside {
    fn from(letter: DeadLetter) -> Self {
        Self { key: letter.key, reason: letter.reason }
    }
}
