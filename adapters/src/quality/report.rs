//! The scores of flows, their wards, their history, and what has to be mended, for people and programs.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use lienthong_model::{
    clock::{Clock, civil_date},
    id::FlowId,
    identifier::WardCode,
    quality::{Criterion, Marks, Ratio, Share},
    text::Language,
    ward,
    working_days::Holidays,
};
use lienthong_store::{
    Store,
    quality::{Defect, Hold},
};
use serde::{Deserialize, Serialize};

use super::{
    hold::{Weighed, gather, weigh},
    text,
};
use crate::{
    Error,
    config::{Config, FlowConfig, QualityConfig},
};

/// Most defects that are listed.
const MAX_LISTED: u32 = 10_000;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// One flow alone.
    pub flow: Option<FlowId>,
    /// One ward alone, by its code of today.
    pub unit: Option<WardCode>,
    /// Days that scores are of; each flow's own window by default.
    pub days: Option<u32>,
    /// Most defects that are listed for a flow.
    pub limit: u32,
}

/// The scores of flows.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct QualityReport {
    /// When it was made.
    pub at: Timestamp,
    /// The ward that it is about, when it is about one alone.
    pub unit: Option<String>,
    /// One entry per flow, in the order of the configuration.
    pub flows: Vec<FlowScores>,
}

/// The scores of a flow.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct FlowScores {
    /// The flow.
    pub flow: FlowId,
    /// The first day that counts.
    pub from: Date,
    /// Rows that were judged.
    pub rows: u64,
    /// The six criteria, then identifiers.
    pub scores: Vec<Score>,
    /// The criteria by their weights; nothing when nothing was counted.
    pub total: Option<f64>,
    /// Why nothing is sent.
    pub held: Option<Held>,
    /// Why it is sent although a score is too low.
    pub released: Option<String>,
    /// How many have to be mended.
    pub open: OpenDefects,
    /// The wards, the worst first, those of which nothing was read last.
    pub units: Vec<UnitScore>,
    /// Rows whose ward cannot be told.
    pub unknown: Option<UnitScore>,
    /// Each day on which anything was counted.
    pub history: Vec<HistoryDay>,
    /// What has to be mended, what was found first first.
    pub defects: Vec<DefectLine>,
}

/// How good a flow is by one criterion.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Score {
    /// The criterion.
    pub criterion: Criterion,
    /// What was counted.
    #[serde(flatten)]
    pub share: Share,
    /// The same from 0 to 1; nothing when nothing was counted.
    pub score: Option<f64>,
    /// What is aimed at.
    pub aim: Option<Ratio>,
    /// How much it counts in the total.
    pub weight: u32,
}

/// A ward and how good its rows are.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct UnitScore {
    /// Its code of today; nothing where it cannot be told.
    pub code: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Rows that were judged.
    pub rows: u64,
    /// The criteria by their weights.
    pub total: Option<f64>,
    /// The scores, by criterion; those of which anything was counted.
    pub scores: BTreeMap<Criterion, f64>,
}

/// A day and how good what was read on it is now.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub struct HistoryDay {
    /// The day.
    pub day: Date,
    /// Rows that were judged.
    pub rows: u64,
    /// The scores, by criterion; those of which anything was counted.
    pub scores: BTreeMap<Criterion, f64>,
}

/// How many have to be mended, by the last deadline that has gone by.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct OpenDefects {
    /// All.
    pub all: u64,
    /// Within the first deadline.
    pub in_time: u64,
    /// Beyond the first deadline.
    pub first: u64,
    /// Beyond the second.
    pub second: u64,
    /// Beyond the last.
    pub overdue: u64,
    /// Mended in the days that scores are of.
    pub mended: u64,
}

/// Something that has to be mended.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct DefectLine {
    /// The call of the message; nothing for a row that was put aside.
    pub call: Option<String>,
    /// The ordering key of the message, or the key of the row in its source.
    pub key: String,
    /// The code of its ward.
    pub unit: Option<String>,
    /// The name of its ward.
    pub unit_name: Option<String>,
    /// Which criteria it fails.
    pub criteria: Vec<Criterion>,
    /// Why: names of fields and rules.
    pub reasons: String,
    /// When it was found.
    pub found: Date,
    /// The three deadlines, each the last day on which it is kept.
    pub due: [Date; 3],
    /// Which of them have gone by.
    pub state: State,
}

/// Which deadlines have gone by.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// None.
    Open,
    /// The first: its owner was to have mended it.
    DueFirst,
    /// The second: the head of the unit is to be reminded.
    DueSecond,
    /// The last.
    Overdue,
}

/// What holds a flow.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub struct Held {
    /// The criterion.
    pub criterion: Criterion,
    /// Its score.
    pub score: Share,
    /// What it must be at least.
    pub threshold: Ratio,
}

impl Held {
    /// Why nothing is sent, as a sentence.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        text::held(self, language)
    }
}

/// The quality of a flow, as its status tells it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct FlowQuality {
    /// What was counted in the window, by criterion.
    pub scores: BTreeMap<Criterion, Share>,
    /// How many have to be mended.
    pub open: OpenDefects,
    /// Why nothing is sent.
    pub held: Option<Held>,
    /// Why it is sent although a score is too low.
    pub released: Option<String>,
    /// How often it was held.
    pub holds: u64,
    /// How often it went on again.
    pub releases: u64,
}

/// The first of so many days, today included.
pub(crate) fn first_day(now: Timestamp, days: u32) -> Date {
    civil_date(now).saturating_sub(i64::from(days.saturating_sub(1)).days())
}

impl FlowQuality {
    /// The quality of a flow in its window.
    pub(crate) async fn of(
        store: &Store,
        flow: &FlowConfig,
        holidays: &Holidays,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let weighed = weigh(store, flow, now).await?;
        let Hold { holds, releases, .. } = store.quality().hold(&flow.id).await?;
        Ok(Self {
            scores: weighed.marks.iter().filter(|(_, share)| share.all > 0).collect(),
            open: open(store, flow, holidays, flow.quality.window_days, now).await?,
            held: held(&weighed),
            released: weighed.release.map(|release| release.why),
            holds,
            releases,
        })
    }
}

/// How many of a flow have to be mended.
pub(crate) async fn open(
    store: &Store,
    flow: &FlowConfig,
    holidays: &Holidays,
    days: u32,
    now: Timestamp,
) -> Result<OpenDefects, Error> {
    let today = civil_date(now);
    let since = flow.quality.mend_within.map(|days| holidays.overdue_since(today, days));
    let from = SignedDuration::from_hours(24 * i64::from(days));
    let from = now.saturating_sub(from).unwrap_or(Timestamp::MIN);
    let open = store.quality().open(&flow.id, since, from).await?;
    let [first, second, third] = open.since;
    Ok(OpenDefects {
        all: open.all,
        in_time: open.all.saturating_sub(first),
        first: first.saturating_sub(second),
        second: second.saturating_sub(third),
        overdue: third,
        mended: open.mended,
    })
}

/// The scores of flows; works beside a running process.
///
/// # Errors
/// When the durable state cannot be read.
pub async fn quality(
    config: &Config,
    clock: Arc<dyn Clock>,
    ask: &Ask,
) -> Result<QualityReport, Error> {
    let store = Store::look_up_to_date(config.state.clone()).await?;
    let now = clock.now();
    let asked = |flow: &&FlowConfig| ask.flow.as_ref().is_none_or(|id| *id == flow.id);
    let mut flows = Vec::new();
    for flow in config.flows.iter().filter(asked) {
        flows.push(scores(&store, flow, &config.holidays, ask, now).await?);
    }
    let unit = ask.unit.map(|code| code.as_str().to_owned());
    Ok(QualityReport { at: now, unit, flows })
}

async fn scores(
    store: &Store,
    flow: &FlowConfig,
    holidays: &Holidays,
    ask: &Ask,
    now: Timestamp,
) -> Result<FlowScores, Error> {
    let settings = &flow.quality;
    let quality = store.quality();
    let days = ask.days.unwrap_or(settings.window_days);
    let from = first_day(now, days);
    let history = quality.days(&flow.id, ask.unit, from).await?;
    let units = quality.units(&flow.id, from).await?;
    let marks = match ask.unit {
        // Which ward a message is about is not known any more when it is taken.
        Some(unit) => units.get(&Some(unit)).copied().unwrap_or_default(),
        None => gather(store, flow, days, now).await?,
    };
    let limit = ask.limit.min(MAX_LISTED);
    let defects = quality.defects(&flow.id, ask.unit, limit).await?;
    let weighed = weigh(store, flow, now).await?;
    let line = |defect| line(defect, settings, holidays, civil_date(now));
    Ok(FlowScores {
        flow: flow.id.clone(),
        from,
        rows: marks.of(Criterion::Correct).all,
        scores: Criterion::ALL.map(|criterion| score(settings, criterion, &marks)).to_vec(),
        total: total(settings, &marks),
        held: held(&weighed),
        released: weighed.release.map(|release| release.why),
        open: open(store, flow, holidays, days, now).await?,
        unknown: units
            .get(&None)
            .map(|marks| unit_score(settings, None, marks))
            .filter(|unit| unit.rows > 0),
        units: ranked(settings, &units, ask.unit),
        history: history.iter().map(|(day, marks)| of_day(*day, marks)).collect(),
        defects: defects.into_iter().map(line).collect(),
    })
}

fn held(weighed: &Weighed) -> Option<Held> {
    let low = weighed.held()?;
    Some(Held { criterion: low.criterion, score: low.score, threshold: low.threshold })
}

fn score(settings: &QualityConfig, criterion: Criterion, marks: &Marks) -> Score {
    let share = marks.of(criterion);
    Score {
        criterion,
        share,
        score: share.value(),
        aim: settings.aim(criterion),
        weight: settings.weights.get(&criterion).copied().unwrap_or(0),
    }
}

/// The criteria of which anything was counted, by their weights.
fn total(settings: &QualityConfig, marks: &Marks) -> Option<f64> {
    let weighed = settings.weights.iter().filter_map(|(criterion, weight)| {
        let score = marks.of(*criterion).value()?;
        Some((f64::from(*weight), score))
    });
    let (weights, sum) = weighed.fold((0.0, 0.0), |(weights, sum), (weight, score)| {
        (weights + weight, sum + weight * score)
    });
    (weights > 0.0).then(|| sum / weights)
}

fn shares(marks: &Marks) -> BTreeMap<Criterion, f64> {
    marks.iter().filter_map(|(criterion, share)| Some((criterion, share.value()?))).collect()
}

fn of_day(day: Date, marks: &Marks) -> HistoryDay {
    let mut scores = shares(marks);
    // What was taken on a day says nothing of what was due on it.
    scores.remove(&Criterion::Shared);
    HistoryDay { day, rows: marks.of(Criterion::Correct).all, scores }
}

fn unit_score(settings: &QualityConfig, unit: Option<ward::Unit>, marks: &Marks) -> UnitScore {
    let mut scores = shares(marks);
    scores.remove(&Criterion::Shared);
    UnitScore {
        code: unit.map(|unit| unit.code.as_str().to_owned()),
        name: unit.map(|unit| unit.name.to_owned()),
        rows: marks.of(Criterion::Correct).all,
        total: total(settings, marks),
        scores,
    }
}

/// Every ward of today, the worst first, those of which nothing was read last.
fn ranked(
    settings: &QualityConfig,
    marks: &BTreeMap<Option<WardCode>, Marks>,
    asked: Option<WardCode>,
) -> Vec<UnitScore> {
    let none = Marks::default();
    let units = ward::units().filter(|unit| asked.is_none_or(|code| code == unit.code));
    let mut ranked: Vec<UnitScore> = units
        .map(|unit| unit_score(settings, Some(unit), marks.get(&Some(unit.code)).unwrap_or(&none)))
        .collect();
    ranked.sort_by(|one, other| match (one.total, other.total) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    ranked
}

fn line(defect: Defect, settings: &QualityConfig, holidays: &Holidays, today: Date) -> DefectLine {
    let due = settings.mend_within.map(|days| holidays.after(defect.found, days));
    let state = match due.iter().filter(|last| **last < today).count() {
        0 => State::Open,
        1 => State::DueFirst,
        2 => State::DueSecond,
        _ => State::Overdue,
    };
    let unit = defect.unit.and_then(|code| ward::units().find(|unit| unit.code == code));
    DefectLine {
        call: defect.call,
        key: defect.key,
        unit: defect.unit.map(|code| code.as_str().to_owned()),
        unit_name: unit.map(|unit| unit.name.to_owned()),
        criteria: defect.criteria.iter().collect(),
        reasons: defect.reasons,
        found: defect.found,
        due,
        state,
    }
}
