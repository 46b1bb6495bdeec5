//! One flow at work: rows in, messages out.
//!
//! Reading and sending are two tasks that share what stands here. A row that is not fit is put aside
//! alone; a platform that cannot be reached pauses the sending and costs no message an attempt.

mod ahead;
mod compare;
mod hold;
mod prepare;
mod read;
mod scene;
mod send;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::Clock;
use lienthong_store::{Store, StoreError, outbox::Lease};
use tokio::sync::{Mutex, Notify, mpsc, watch};

pub(crate) use self::read::Order;
use self::{ahead::Ahead, prepare::Kind};
use crate::{
    Error,
    config::FlowConfig,
    deliver::Courier,
    gate::Gate,
    platform::Platform,
    seal::Sealer,
    source::{Source, SourceError},
};

/// Longest sleep, so that a clock that is set is noticed.
const NAP: Duration = Duration::from_secs(1);

/// When a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// When it is told to stop.
    Stopped,
    /// When nothing is left that could be delivered, or the platform stays away.
    Idle,
}

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    config: FlowConfig,
    source: Source,
    kinds: Vec<Kind>,
    store: Arc<Store>,
    sealer: Arc<Sealer>,
    courier: Arc<Courier>,
    gate: Arc<Gate>,
    platform: Arc<Platform>,
    clock: Arc<dyn Clock>,
    lease: Arc<Lease>,
    /// What this run of the process is called where several work on the same flows.
    name: String,
    signs: Arc<Signs>,
    ahead: Ahead,
    /// Held while messages are claimed, and while rows are taken and weighed: where a score may hold the
    /// flow, nothing is claimed in between.
    turn: Mutex<()>,
}

/// What the tasks of a flow tell each other, and the desk.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// Something may be ready to be sent.
    ready: Notify,
    /// The last reading found nothing more.
    drained: AtomicBool,
    /// When a reading last found nothing more: milliseconds since 1970; 0 when none has.
    read_to_end: AtomicI64,
    /// Nothing is read because too many messages wait.
    full: AtomicBool,
    /// There may be room for more messages again.
    room: Notify,
    /// The reading has failed for good.
    broken: AtomicBool,
    /// A person has paused the flow.
    paused: AtomicBool,
    /// A score is too low.
    held: AtomicBool,
}

/// What all flows of a process share.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    pub(crate) store: Arc<Store>,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How messages are claimed.
    pub(crate) lease: Arc<Lease>,
}

impl Flow {
    /// Opens the source and compiles the checks.
    pub(crate) async fn open(courier: Arc<Courier>, common: Common) -> Result<Self, Error> {
        let config = courier.flow.clone();
        let source = Source::beside(&config, &common.store).await;
        let source = source.map_err(|e| fail(&config, &e))?;
        let kinds = config.messages.iter().map(|message| Kind::new(message, &config.quality));
        let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
        let Common { store, sealer, gate, platform, clock, lease } = common;
        let signs = Arc::default();
        let name = store.outbox().reader_name(&uuid::Uuid::new_v4().to_string());
        let flow = Self {
            config,
            source,
            kinds,
            store,
            sealer,
            courier,
            gate,
            platform,
            clock,
            lease,
            name,
            signs,
            ahead: Ahead::default(),
            turn: Mutex::default(),
        };
        Ok(flow)
    }

    /// Works until the end of the run.
    pub(crate) async fn run(
        self,
        until: Until,
        stop: watch::Receiver<bool>,
        orders: mpsc::Receiver<Order>,
    ) -> Result<(), Error> {
        self.weigh_first().await?;
        let flow = Arc::new(self);
        // Sending ends last: what is under way is waited for, and in the end it says when all is done.
        let (end, ended) = watch::channel(false);
        let mut reading = tokio::spawn(Arc::clone(&flow).read_all(stop.clone(), ended, orders));
        let sending = flow.send_all(until, stop);
        tokio::pin!(sending);
        let mut read = None;
        let sent = loop {
            tokio::select! {
                sent = &mut sending => break sent,
                done = &mut reading, if read.is_none() => {
                    let done = done.map_err(|_| Error::Interrupted).flatten();
                    // Whoever supervises us must hear of a source that cannot be read any more.
                    flow.signs.broken.store(done.is_err(), Ordering::Release);
                    flow.signs.ready.notify_one();
                    read = Some(done);
                }
            }
        };
        end.send_replace(true);
        let read = match read {
            Some(read) => read,
            None => reading.await.map_err(|_| Error::Interrupted).flatten(),
        };
        graver(read, sent)
    }

    /// What its tasks tell.
    pub(crate) fn signs(&self) -> Arc<Signs> {
        Arc::clone(&self.signs)
    }

    /// Whether nothing is sent: a person has paused the flow, or a score holds it.
    fn is_stopped(&self) -> bool {
        self.signs.paused.load(Ordering::Acquire) || self.signs.held.load(Ordering::Acquire)
    }
}

impl Signs {
    /// How long ago the source was last read to its end.
    pub(crate) fn lag(&self, now: Timestamp) -> Option<SignedDuration> {
        let at = self.read_to_end.load(Ordering::Acquire);
        let at = Timestamp::from_millisecond(at).ok().filter(|_| at > 0)?;
        Some(now.duration_since(at).max(SignedDuration::ZERO))
    }

    fn read_to_end(&self, now: Timestamp) {
        self.read_to_end.store(now.as_millisecond(), Ordering::Release);
        self.drained.store(true, Ordering::Release);
    }
}

fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Of two ends the one to be told. A full disk makes whatever follows fail in words of its own.
pub(crate) fn graver(one: Result<(), Error>, other: Result<(), Error>) -> Result<(), Error> {
    match other {
        Err(Error::Store(StoreError::Full(_))) => other,
        _ => one.and(other),
    }
}

/// How long to sleep until then.
fn nap(now: Timestamp, at: Timestamp) -> Duration {
    let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
    wait.clamp(Duration::from_millis(1), NAP)
}

fn fail(config: &FlowConfig, error: &SourceError) -> Error {
    Error::Source { flow: config.id.clone(), problem: error.to_string() }
}

#[cfg(test)]
mod tests;
