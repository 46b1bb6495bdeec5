//! The operator's desk: what flows do, what needs a person, and what the person decides.
//!
//! The same calls are answered by the process that runs the flows, over its socket, and by a command
//! that has the durable state to itself while none runs. Who may open the socket may do everything: it
//! is for the account of the adapters alone. No call tells a value of a payload but the one that
//! reveals, which whoever calls has recorded before.

mod call;
mod figures;
mod metrics;
mod serve;

use std::{collections::BTreeMap, sync::Arc};

use lienthong_model::{clock::Clock, id::FlowId};
use lienthong_store::{
    Store,
    outbox::{Again, DeadLetter, Effect, Opened},
    quality::Release,
};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};

pub(crate) use self::serve::Listening;
use crate::{
    Error,
    config::Config,
    deliver::Envelope,
    flow::{Order, Signs},
    gate::Gate,
    indicator::{Indicators, WrongPeriod},
    quality,
    report::{Report, report},
    seal::{Binding, Sealer},
};

/// What stands in place of a value that is not shown.
const HIDDEN: &str = "•••";

/// The desk of a configuration.
#[derive(Debug, Clone)]
pub struct Desk {
    config: Arc<Config>,
    store: Arc<Store>,
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    indicators: Option<Arc<Indicators>>,
    /// Of a process that runs the flows.
    running: Option<Running>,
}

/// What a process that runs the flows can do beside what stands in the store.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) orders: BTreeMap<FlowId, mpsc::Sender<Order>>,
    pub(crate) signs: BTreeMap<FlowId, Arc<Signs>>,
    pub(crate) gates: BTreeMap<FlowId, Arc<Gate>>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// No indicators are configured.
    #[error("no `indicators` are configured")]
    NoIndicators,
    /// What was asked for is no indicator, or no period of it.
    #[error(transparent)]
    WrongPeriod(#[from] WrongPeriod),
    /// The configuration has no such flow.
    #[error("there is no flow `{0}`")]
    NoFlow(String),
    /// No dead message of this key.
    #[error("flow `{flow}` has no dead message `{key}`")]
    NoLetter {
        /// The flow.
        flow: FlowId,
        /// The key.
        key: String,
    },
    /// Its payload is gone.
    #[error("its payload was erased by rule; `adapters backfill` reads its row once more")]
    Erased,
    /// Its payload does not open.
    #[error("its {0}")]
    Sealed(&'static str),
    /// A reason is missing, or too long.
    #[error("`why` must be a sentence of at most 500 characters")]
    Why,
    /// No score holds the flow.
    #[error("flow `{0}` is not held by quality")]
    NotHeld(FlowId),
    /// Only a process that runs the flows can do it.
    #[error("only running adapters can do that")]
    NotRunning,
    /// The source did not let it be done.
    #[error("{0}")]
    Source(String),
    /// The durable state.
    #[error(transparent)]
    Ours(#[from] Error),
}

impl From<lienthong_store::StoreError> for DeskError {
    fn from(error: lienthong_store::StoreError) -> Self {
        Self::Ours(error.into())
    }
}

/// A message that needs a person.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Letter {
    /// The key of its row in the source.
    pub key: String,
    /// Its type: the call of the platform.
    pub call: String,
    /// Why nobody tries again.
    pub reason: String,
    /// Since when.
    pub since: String,
    /// How many attempts there were.
    pub attempts: u32,
    /// Whether an attempt may have had its effect.
    pub may_have_been_taken: bool,
    /// Whether its payload was erased by rule.
    pub erased: bool,
}

/// What a message says.
#[derive(Clone, Serialize)]
pub struct Shown {
    /// The message.
    pub letter: Letter,
    /// The case that it belongs to.
    pub dossier: Option<String>,
    /// The record; every value hidden unless it is revealed.
    pub record: Map<String, Value>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("letter", &self.letter).finish_non_exhaustive()
    }
}

impl Desk {
    /// The desk of a configuration whose flows do not run here: a directory it has to itself, a server
    /// it shares.
    ///
    /// # Errors
    /// When another process has the durable state, or it cannot be used.
    pub async fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let store = Arc::new(Store::share(config.state.clone()).await?.0);
        let sealer = Sealer::of(&config)?;
        let indicators = Indicators::of(&config, &store, &clock);
        Ok(Self { config: Arc::new(config), store, sealer, clock, indicators, running: None })
    }

    /// The desk of a configuration, to look only: nobody who works on the durable state, or begins to, is
    /// in the way or has us in the way.
    ///
    /// # Errors
    /// When there is no durable state yet, or it cannot be read.
    pub async fn look(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let store = Arc::new(Store::look_up_to_date(config.state.clone()).await?);
        let sealer = Sealer::of(&config)?;
        let indicators = Indicators::of(&config, &store, &clock);
        Ok(Self { config: Arc::new(config), store, sealer, clock, indicators, running: None })
    }

    pub(crate) fn new(
        config: &Config,
        store: &Arc<Store>,
        sealer: &Arc<Sealer>,
        clock: &Arc<dyn Clock>,
        running: Running,
    ) -> Self {
        Self {
            config: Arc::new(config.clone()),
            store: Arc::clone(store),
            sealer: Arc::clone(sealer),
            clock: Arc::clone(clock),
            indicators: Indicators::of(config, store, clock),
            running: Some(running),
        }
    }

    fn flow(&self, name: &str) -> Result<FlowId, DeskError> {
        let known = self.config.flows.iter().map(|flow| &flow.id);
        let found = known.into_iter().find(|id| id.as_str() == name);
        found.cloned().ok_or_else(|| DeskError::NoFlow(name.to_owned()))
    }

    /// What every flow does.
    async fn status(&self) -> Result<Report, DeskError> {
        let mut told = report(&self.config, &self.store, &self.clock).await?;
        if let Some(running) = &self.running {
            let now = self.clock.now();
            for flow in &mut told.flows {
                let gate = running.gates.get(&flow.name);
                let away = gate.and_then(|gate| gate.condition().reason);
                flow.away = away.map(|reason| reason.to_string());
                let lag = running.signs.get(&flow.name).and_then(|signs| signs.lag(now));
                flow.lag_seconds = lag.and_then(|lag| u64::try_from(lag.as_secs()).ok());
            }
        }
        Ok(told)
    }

    async fn dead(&self, flow: &FlowId, limit: u32) -> Result<Vec<Letter>, DeskError> {
        let letters = self.store.outbox().dead(flow, limit).await?;
        Ok(letters.into_iter().map(Letter::from).collect())
    }

    async fn show(&self, flow: &FlowId, key: &str, reveal: bool) -> Result<Shown, DeskError> {
        let opened = self.store.outbox().open_letter(flow, key).await?;
        let Opened { letter, payload } = opened.ok_or_else(|| no_letter(flow, key))?;
        if letter.is_erased {
            return Err(DeskError::Erased);
        }
        let binding = Binding { flow, kind: &letter.kind, key };
        let payload = self.sealer.open(binding, payload.expose());
        let payload = payload.map_err(|error| DeskError::Sealed(error.words()))?;
        let envelope: Envelope = serde_json::from_slice(payload.expose())
            .map_err(|_| DeskError::Sealed("payload cannot be read"))?;
        let mut record = envelope.record;
        if !reveal {
            record.values_mut().for_each(hide);
        }
        tracing::warn!(%flow, reveal, "a dead message was looked at");
        Ok(Shown { letter: letter.into(), dossier: envelope.dossier, record })
    }

    async fn retry(&self, flow: &FlowId, key: &str, not_taken: bool) -> Result<(), DeskError> {
        let outbox = self.store.outbox();
        let effect = if not_taken { Effect::None } else { Effect::Unknown };
        let again = Again { effect, payload: None, rests: &self.config.rests() };
        if outbox.replay(flow, key, &again, self.clock.now()).await? {
            self.order(flow, Order::Look).await;
            return Ok(());
        }
        match outbox.open_letter(flow, key).await? {
            Some(_) => Err(DeskError::Erased),
            None => Err(no_letter(flow, key)),
        }
    }

    async fn drop_letter(&self, flow: &FlowId, key: &str, why: &str) -> Result<(), DeskError> {
        let done = self.store.outbox().drop_letter(flow, key, why, self.clock.now()).await?;
        self.order(flow, Order::Look).await;
        done.then_some(()).ok_or_else(|| no_letter(flow, key))
    }

    async fn taken(&self, flow: &FlowId, key: &str, why: &str) -> Result<(), DeskError> {
        let done = self.store.outbox().confirm_taken(flow, key, why, self.clock.now()).await?;
        self.order(flow, Order::Look).await;
        done.then_some(()).ok_or_else(|| no_letter(flow, key))
    }

    async fn pause(&self, flow: &FlowId, why: &str) -> Result<(), DeskError> {
        self.store.outbox().pause(flow, why, self.clock.now()).await?;
        self.order(flow, Order::Look).await;
        Ok(())
    }

    async fn resume(&self, flow: &FlowId) -> Result<bool, DeskError> {
        let done = self.store.outbox().resume(flow).await?;
        self.order(flow, Order::Look).await;
        Ok(done)
    }

    /// Lets a flow go on that a score holds, until one is worse.
    async fn release(&self, flow: &FlowId, why: &str) -> Result<(), DeskError> {
        let now = self.clock.now();
        let config = self.config.flows.iter().find(|config| config.id == *flow);
        let config = config.ok_or_else(|| DeskError::NoFlow(flow.to_string()))?;
        let weighed = quality::weigh(&self.store, config, now).await?;
        if weighed.held().is_none() {
            return Err(DeskError::NotHeld(flow.clone()));
        }
        let release = Release { why: why.to_owned(), scores: weighed.marks };
        self.store.quality().set_release(flow, Some(&release), now).await?;
        self.order(flow, Order::Look).await;
        Ok(())
    }

    async fn backfill(&self, flow: &FlowId, from: Option<String>) -> Result<(), DeskError> {
        let (answer, hear) = oneshot::channel();
        self.ask(flow, Order::Backfill(from, answer), hear).await
    }

    async fn compare(&self, flow: &FlowId) -> Result<u64, DeskError> {
        let (answer, hear) = oneshot::channel();
        self.ask(flow, Order::Compare(answer), hear).await
    }

    async fn ask<T>(
        &self,
        flow: &FlowId,
        order: Order,
        hear: oneshot::Receiver<Result<T, String>>,
    ) -> Result<T, DeskError> {
        let orders = self.running.as_ref().and_then(|running| running.orders.get(flow));
        let orders = orders.ok_or(DeskError::NotRunning)?;
        orders.send(order).await.map_err(|_| DeskError::NotRunning)?;
        hear.await.map_err(|_| DeskError::NotRunning)?.map_err(DeskError::Source)
    }

    /// Lets a running flow look at what has changed.
    async fn order(&self, flow: &FlowId, order: Order) {
        let orders = self.running.as_ref().and_then(|running| running.orders.get(flow));
        if let Some(orders) = orders
            && orders.send(order).await.is_err()
        {
            tracing::debug!(%flow, "the flow has ended");
        }
    }
}

fn no_letter(flow: &FlowId, key: &str) -> DeskError {
    DeskError::NoLetter { flow: flow.clone(), key: key.to_owned() }
}

/// Leaves of a value only its shape.
fn hide(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => *value = Value::from(HIDDEN),
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Object(fields) => fields.values_mut().for_each(hide),
    }
}

/// A sentence that says why: at most 500 characters, none of them a control character.
fn why(text: &str) -> Result<&str, DeskError> {
    let text = text.trim();
    let length = text.chars().count();
    let is_sentence = (1..=500).contains(&length) && !text.chars().any(char::is_control);
    is_sentence.then_some(text).ok_or(DeskError::Why)
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            key: letter.key,
            call: letter.kind,
            reason: letter.reason,
            since: letter.at.to_string(),
            attempts: letter.attempts,
            may_have_been_taken: letter.effect == Effect::Unknown,
            erased: letter.is_erased,
        }
    }
}

impl Sealer {
    /// The sealer of a configuration.
    pub(crate) fn of(config: &Config) -> Result<Arc<Self>, Error> {
        let sealer = Self::new(&config.seal_keys);
        sealer.map(Arc::new).ok_or_else(|| Error::Client("there is no seal key".to_owned()))
    }
}

#[cfg(test)]
mod tests;
