//! Computing a period of an indicator: ask, build the table, protect it, keep what may be published.
//!
//! One at a time. What is refused leaves its reason and no figure; the others go on.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{Timestamp, civil::Date};
use lienthong_model::{clock::Clock, id::IndicatorId};
use lienthong_statistics::{release::Release, table::Table};
use lienthong_store::{
    Store,
    indicator::{NewRelease, Release as Kept},
};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::{
    content::{Content, Edition},
    cube,
    definition::Definition,
    period::Period,
    protect::{Related, is_unchanged, protect},
    reason::Reason,
};
use crate::{
    Error,
    config::{Config, ConnectionConfig, IndicatorsConfig, OutletConfig},
    query::{Question, Span},
};

/// Most releases of a period, and of those of one statistic, that a new one is compared with.
const MOST_RELEASES: u32 = 100;

/// The indicators of a configuration, at work on a durable state.
#[derive(Debug)]
pub(crate) struct Indicators {
    pub(super) config: IndicatorsConfig,
    connections: BTreeMap<String, ConnectionConfig>,
    pub(super) store: Arc<Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// One period is computed at a time.
    turn: Mutex<()>,
}

/// What became of a period.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Its figures are kept as a new release.
    Kept {
        /// Which revision.
        revision: u32,
        /// How many cells are shown.
        shown: usize,
        /// How many are withheld, in part or whole.
        withheld: usize,
    },
    /// Its figures are those of the release before.
    Unchanged {
        /// Which revision that is.
        revision: u32,
    },
    /// It has none.
    Refused {
        /// Why.
        reason: String,
    },
}

/// Why a period cannot be asked for at all.
#[derive(Debug, thiserror::Error)]
pub enum WrongPeriod {
    /// No indicator has this id.
    #[error("there is no indicator `{0}`")]
    NoIndicator(String),
    /// The text is no period of the indicator.
    #[error("`{period}` is no {kind} of indicator `{indicator}`")]
    NoPeriod {
        /// The indicator.
        indicator: IndicatorId,
        /// The text.
        period: String,
        /// What its periods are.
        kind: &'static str,
    },
    /// The period is not over, or before the first one.
    #[error("period `{0}` is not over yet, or lies before `since`")]
    NotOver(String),
}

/// What is computed: a period of an indicator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) definition: &'a Arc<Definition>,
    pub(crate) period: Period,
    /// Why it is computed again.
    pub(crate) why: Option<&'a str>,
}

/// The figures of a period as they may be published, or that there is nothing new.
enum Figures {
    New(Box<Release>),
    Same(u32),
}

impl Indicators {
    /// The indicators of a configuration; nothing where it has none.
    pub(crate) fn of(
        config: &Config,
        store: &Arc<Store>,
        clock: &Arc<dyn Clock>,
    ) -> Option<Arc<Self>> {
        let (indicators, connections) = (config.indicators.clone()?, config.connections.clone());
        Some(Self::with(indicators, connections, store, Arc::clone(clock)))
    }

    /// Indicators that ask these databases.
    pub(crate) fn with(
        config: IndicatorsConfig,
        connections: BTreeMap<String, ConnectionConfig>,
        store: &Arc<Store>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let (store, turn) = (Arc::clone(store), Mutex::new(()));
        Arc::new(Self { config, connections, store, clock, turn })
    }

    pub(crate) fn definitions(&self) -> &[Arc<Definition>] {
        &self.config.definitions
    }

    pub(super) fn outlets(&self) -> &[OutletConfig] {
        &self.config.outlets
    }

    pub(crate) fn since(&self) -> Date {
        self.config.since
    }

    /// The indicator of this id.
    pub(crate) fn find(&self, id: &str) -> Result<&Arc<Definition>, WrongPeriod> {
        let found = self.definitions().iter().find(|one| one.id.as_str() == id);
        found.ok_or_else(|| WrongPeriod::NoIndicator(id.to_owned()))
    }

    /// A period of an indicator that is over.
    pub(crate) fn task<'a>(
        &'a self,
        id: &str,
        period: &str,
        why: Option<&'a str>,
    ) -> Result<Task<'a>, WrongPeriod> {
        let definition = self.find(id)?;
        let read = Period::parse(definition.period, period);
        let read = read.ok_or_else(|| WrongPeriod::NoPeriod {
            indicator: definition.id.clone(),
            period: period.to_owned(),
            kind: definition.period.name(),
        })?;
        let over = definition.over(self.since(), self.clock.now());
        if !over.contains(&read) {
            return Err(WrongPeriod::NotOver(period.to_owned()));
        }
        Ok(Task { definition, period: read, why })
    }

    /// Computes a period. What refuses it is written down and told.
    pub(crate) async fn compute(&self, task: Task<'_>) -> Result<Outcome, Error> {
        let _turn = self.turn.lock().await;
        let (id, period) = (&task.definition.id, task.period.to_string());
        let now = self.clock.now();
        match self.try_compute(task, now).await? {
            Ok(outcome) => {
                if let Outcome::Unchanged { .. } = outcome {
                    self.store.indicators().settle(id, &period).await?;
                }
                tracing::info!(indicator = %id, period, ?outcome, "a period was computed");
                Ok(outcome)
            }
            Err(reason) => {
                let reason = reason.to_string();
                tracing::warn!(indicator = %id, period, reason, "a period was not computed");
                self.store.indicators().refuse(id, &period, &reason, now).await?;
                Ok(Outcome::Refused { reason })
            }
        }
    }

    async fn try_compute(
        &self,
        task: Task<'_>,
        now: Timestamp,
    ) -> Result<Result<Outcome, Reason>, Error> {
        let (id, period) = (&task.definition.id, task.period.to_string());
        let kept = self.store.indicators().of_period(id, &period, MOST_RELEASES).await?;
        let last = kept.last().map_or(0, |release| release.revision);
        let release = match self.figures(task, &kept, now).await? {
            Ok(Figures::New(release)) => release,
            Ok(Figures::Same(revision)) => return Ok(Ok(Outcome::Unchanged { revision })),
            Err(reason) => return Ok(Err(reason)),
        };
        let revision = last.saturating_add(1);
        let edition = Edition { period: task.period, revision, why: task.why, at: now };
        let content = Content::new(task.definition, &release, &edition);
        let text = match content.write() {
            Ok(text) => text,
            Err(reason) => return Ok(Err(reason)),
        };
        let (shown, withheld) = content.counts();
        let new = NewRelease {
            indicator: id,
            period: &period,
            revision,
            why: task.why,
            content: &text,
            digest: &content.digest(),
        };
        Ok(match self.store.indicators().keep(&new, now).await? {
            Some(_) => Ok(Outcome::Kept { revision, shown, withheld }),
            None => Err(Reason::Overtaken),
        })
    }

    /// The figures of a period, as far as they may be published after those that were.
    async fn figures(
        &self,
        task: Task<'_>,
        kept: &[Kept],
        now: Timestamp,
    ) -> Result<Result<Figures, Reason>, Error> {
        let definition = task.definition;
        let table = match self.table(definition, task.period).await {
            Ok(table) => table,
            Err(reason) => return Ok(Err(reason)),
        };
        let statistic = format!("{}/{}", definition.statistic, task.period);
        let own = match read_all(kept, &statistic) {
            Ok(own) => own,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some((last, release)) = kept.last().zip(own.last()) {
            if is_unchanged(&table, release) {
                return Ok(Ok(Figures::Same(last.revision)));
            }
            if task.why.is_none() && !definition.may_revise(task.period, now) {
                return Ok(Err(Reason::TooOld(definition.revise_for_days)));
            }
        }
        let related = match self.related(task, &statistic).await? {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        let count = own.len() + related.iter().map(|one| one.releases.len()).sum::<usize>();
        if count > usize::try_from(MOST_RELEASES).unwrap_or(usize::MAX) {
            return Ok(Err(Reason::TooManyReleases(MOST_RELEASES)));
        }
        let definition = Arc::clone(definition);
        // It can take seconds of pure computing.
        let protected = tokio::task::spawn_blocking(move || {
            let suppression = protect(&table, &definition.rules, &statistic, &own, &related)?;
            suppression.release(&statistic).map_err(|_| Reason::CutOff)
        });
        Ok(match protected.await {
            Ok(protected) => protected.map(|release| Figures::New(Box::new(release))),
            Err(_) => Err(Reason::CutOff),
        })
    }

    /// What other indicators of the same statistic have released of the period, and their figures of
    /// today.
    async fn related(
        &self,
        task: Task<'_>,
        statistic: &str,
    ) -> Result<Result<Vec<Related>, Reason>, Error> {
        let (own, period) = (task.definition, task.period.to_string());
        let mut related = Vec::new();
        let is_related =
            |one: &&Arc<Definition>| one.statistic == own.statistic && one.id != own.id;
        for definition in self.definitions().iter().filter(is_related) {
            let store = self.store.indicators();
            let kept = store.of_period(&definition.id, &period, MOST_RELEASES).await?;
            if kept.is_empty() {
                continue;
            }
            let table = self.table(definition, task.period).await;
            match read_all(&kept, statistic).and_then(|releases| Ok((releases, table?))) {
                Err(reason) => return Ok(Err(reason)),
                Ok((releases, table)) => related.push(Related {
                    name: definition.id.clone(),
                    releases,
                    table,
                    rules: definition.rules.clone(),
                }),
            }
        }
        Ok(Ok(related))
    }

    /// The figures of a period as the city's database has them now.
    async fn table(&self, definition: &Arc<Definition>, period: Period) -> Result<Table, Reason> {
        let columns = definition.columns();
        let span = Span { from: period.first_day(), to: period.end_day() };
        let question = Question { template: &definition.template, columns: &columns, span };
        let connection = self.connections.get(&definition.source);
        let connection = connection.ok_or(Reason::CutOff)?;
        let rows = question.ask(connection).await?;
        let definition = Arc::clone(definition);
        let built = tokio::task::spawn_blocking(move || cube::table(&definition, &rows));
        built.await.unwrap_or(Err(Reason::CutOff))
    }
}

/// Kept releases, as the crate of statistics reads them. One that cannot be read is not passed over.
fn read_all(kept: &[Kept], statistic: &str) -> Result<Vec<Release>, Reason> {
    let read = |one: &Kept| {
        let release = Content::read(&one.content).and_then(|content| content.release(statistic));
        release.ok_or(Reason::Kept(one.revision))
    };
    // Beyond so many, older ones would not be looked at.
    if kept.len() >= usize::try_from(MOST_RELEASES).unwrap_or(usize::MAX) {
        return Err(Reason::TooManyReleases(MOST_RELEASES));
    }
    kept.iter().map(read).collect()
}
