//! What became of each indicator and period: published, computed, refused, missing, late.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use lienthong_model::{id::IndicatorId, text::Bilingual};
use lienthong_store::indicator::{Newest, Refusal};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{content::Content, definition::Definition, period::Period, work::Indicators};
use crate::Error;

/// Most periods of an indicator that are looked at.
pub(crate) const MOST_PERIODS: usize = 20_000;
/// Most releases of an indicator that are shown.
const MOST_SHOWN: u32 = 120;

/// What became of a period.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum PeriodState {
    /// A flow has taken its figures to be delivered.
    Published,
    /// It has figures that no flow has taken yet.
    Computed,
    /// It could not be computed, and waits for a person or for better data.
    Refused,
    /// It was not computed yet.
    Missing,
}

/// A period of an indicator.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct PeriodReport {
    /// The period.
    pub period: String,
    /// The last of its days.
    pub last_day: String,
    /// What became of it.
    pub state: PeriodState,
    /// Whether it has no figures and should.
    pub late: bool,
    /// The last day on which it is not late.
    pub due: String,
    /// Its newest revision.
    pub revision: Option<u32>,
    /// When that was computed.
    pub computed_at: Option<Timestamp>,
    /// Why it has no figures, or no newer ones.
    pub reason: Option<String>,
}

/// An indicator.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct IndicatorReport {
    /// Its id.
    pub id: IndicatorId,
    /// Its name.
    pub name: Bilingual,
    /// Its group.
    pub group: String,
    /// The unit that answers for it.
    pub steward: String,
    /// The documents that it rests on.
    pub legal_basis: Vec<String>,
    /// In what it is measured.
    pub unit: Bilingual,
    /// Count, sum or share.
    pub kind: String,
    /// What its periods are.
    pub every: String,
    /// What it is broken down by.
    pub dimensions: Vec<String>,
    /// The periods that are over, the oldest first.
    pub periods: Vec<PeriodReport>,
}

impl IndicatorReport {
    /// How many periods are in a state.
    #[must_use]
    pub fn count(&self, state: PeriodState) -> u64 {
        self.periods.iter().filter(|one| one.state == state).count() as u64
    }

    /// How many periods are late.
    #[must_use]
    pub fn late(&self) -> u64 {
        self.periods.iter().filter(|one| one.late).count() as u64
    }
}

impl Indicators {
    /// What became of every indicator and period.
    pub(crate) async fn status(&self) -> Result<Vec<IndicatorReport>, Error> {
        let mut reports = Vec::with_capacity(self.definitions().len());
        for definition in self.definitions() {
            reports.push(self.status_of(definition).await?);
        }
        Ok(reports)
    }

    pub(crate) async fn status_of(
        &self,
        definition: &Arc<Definition>,
    ) -> Result<IndicatorReport, Error> {
        let store = self.store.indicators();
        let newest = store.newest(&definition.id).await?;
        let refusals = store.refusals(&definition.id).await?;
        let newest: BTreeMap<String, Newest> =
            newest.into_iter().map(|one| (one.period.clone(), one)).collect();
        let refusals: BTreeMap<String, Refusal> =
            refusals.into_iter().map(|one| (one.period.clone(), one)).collect();
        let now = self.clock.now();
        let report = |period: &Period| {
            let name = period.to_string();
            period_report(definition, *period, newest.get(&name), refusals.get(&name), now)
        };
        let over = definition.over(self.since(), now);
        Ok(IndicatorReport {
            id: definition.id.clone(),
            name: definition.name.clone(),
            group: definition.group.clone(),
            steward: definition.steward.clone(),
            legal_basis: definition.legal_basis.clone(),
            unit: definition.unit.clone(),
            kind: definition.measure.name().to_owned(),
            every: definition.period.name().to_owned(),
            dimensions: definition.axes.iter().map(|axis| axis.name.clone()).collect(),
            periods: over.iter().map(report).collect(),
        })
    }

    /// The newest releases of an indicator as they are published, the latest periods first.
    pub(crate) async fn shown(&self, definition: &Definition) -> Result<Vec<Value>, Error> {
        let kept = self.store.indicators().latest(&definition.id, MOST_SHOWN).await?;
        let read = kept.iter().map(|one| Content::read(&one.content));
        // What cannot be read is left out here; computing refuses to go on behind it.
        Ok(read.flatten().filter_map(|content| serde_json::to_value(content).ok()).collect())
    }
}

fn period_report(
    definition: &Definition,
    period: Period,
    newest: Option<&Newest>,
    refusal: Option<&Refusal>,
    now: Timestamp,
) -> PeriodReport {
    let state = match (newest, refusal) {
        (Some(newest), _) if newest.published_at.is_some() => PeriodState::Published,
        (Some(_), _) => PeriodState::Computed,
        (None, Some(_)) => PeriodState::Refused,
        (None, None) => PeriodState::Missing,
    };
    PeriodReport {
        period: period.to_string(),
        last_day: period.last_day().to_string(),
        state,
        late: newest.is_none() && definition.is_due(period, now),
        due: period.days_after(definition.due_days).to_string(),
        revision: newest.map(|one| one.revision),
        computed_at: newest.map(|one| one.computed_at),
        reason: refusal.map(|one| one.reason.clone()),
    }
}
