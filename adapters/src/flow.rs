//! One flow at work: rows in, messages out.
//!
//! Reading and delivering take turns in one task; deliveries run beside each other, each key in
//! order. A row that is not fit is put aside alone; a platform that cannot be reached pauses the
//! flow and costs no message an attempt.

mod prepare;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::Clock;
use lienthong_store::{
    Store, StoreError,
    outbox::{Batch, QuarantinedRow},
};
use tokio::{sync::watch, task::JoinSet};

use self::prepare::{Kind, Prepared};
use crate::{
    Error,
    config::FlowConfig,
    deliver::{Courier, Settled},
    row::Row,
    source::{Mark, Source, SourceError},
};

/// How often rows in quarantine are looked at again.
const RECHECK: SignedDuration = SignedDuration::from_secs(60);
/// How often delivered messages are forgotten, and how many at once.
const FORGET: SignedDuration = SignedDuration::from_hours(1);
const FORGET_AT_ONCE: u32 = 10_000;
/// Rows in quarantine looked at in one go.
const PAGE: u32 = 500;
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
    courier: Arc<Courier>,
    clock: Arc<dyn Clock>,
    lease: SignedDuration,
}

/// What happens when.
#[derive(Debug)]
struct Pace {
    poll: Timestamp,
    recheck: Timestamp,
    forget: Timestamp,
    paused_until: Timestamp,
    /// Failures in a row that had nothing to do with a message.
    outages: u32,
    /// Whether the last reading found nothing new.
    drained: bool,
}

impl Flow {
    /// Opens the source and compiles the checks.
    pub(crate) async fn open(courier: Arc<Courier>, lease: SignedDuration) -> Result<Self, Error> {
        let config = courier.flow.clone();
        let source = Source::open(&config).await.map_err(|e| fail(&config, &e))?;
        let kinds = config.messages.iter().map(Kind::new).collect::<Result<Vec<_>, _>>()?;
        let (store, clock) = (Arc::clone(&courier.store), Arc::clone(&courier.clock));
        Ok(Self { config, source, kinds, store, courier, clock, lease })
    }

    /// Works until the end of the run.
    pub(crate) async fn run(
        self,
        until: Until,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let mut pace = Pace {
            poll: now,
            recheck: now,
            forget: now,
            paused_until: now,
            outages: 0,
            drained: false,
        };
        let mut under_way = JoinSet::new();
        loop {
            let stopping = *stop.borrow_and_update();
            if !stopping {
                self.read(&mut pace).await?;
                self.send(&pace, &mut under_way).await?;
            }
            if under_way.is_empty() && (stopping || self.is_done(until, &pace).await?) {
                return Ok(());
            }
            let nap = self.nap(&pace, under_way.len()).await?;
            tokio::select! {
                Some(settled) = under_way.join_next() => {
                    self.note(&mut pace, settled.map_err(|_| Error::Interrupted)??);
                }
                () = tokio::time::sleep(nap) => {}
                changed = stop.changed() => {
                    // The one who could stop us is gone: stop.
                    if changed.is_err() { return Ok(()) }
                }
            }
        }
    }

    /// Reads what is due: new rows, rows in quarantine; forgets what is old.
    async fn read(&self, pace: &mut Pace) -> Result<(), Error> {
        let now = self.clock.now();
        if now >= pace.forget {
            let days = i64::from(self.config.delivery.remember_days);
            let before = now.saturating_sub(SignedDuration::from_hours(24 * days));
            let before = before.unwrap_or(Timestamp::MIN);
            self.store.outbox().forget_delivered(before, FORGET_AT_ONCE).await?;
            pace.forget = after(now, FORGET);
        }
        if now >= pace.recheck {
            self.recheck().await?;
            pace.recheck = after(now, RECHECK);
        }
        if now < pace.poll {
            return Ok(());
        }
        let waiting = self.store.outbox().open(&self.config.id).await?;
        let room = waiting < self.config.source.most_waiting;
        pace.drained = room && self.take().await? == 0;
        if !room || pace.drained {
            let poll = SignedDuration::try_from(self.config.source.poll);
            pace.poll = after(now, poll.unwrap_or(RECHECK));
        }
        Ok(())
    }

    /// Takes the next rows of the source into the outbox. Gives their number.
    pub(crate) async fn take(&self) -> Result<usize, Error> {
        let watermark = self.store.outbox().watermark(&self.config.id).await?;
        let failed = |e| fail(&self.config, &e);
        let mark = watermark.map(|at| Mark::new(at.to_string())).transpose().map_err(failed)?;
        let now = self.clock.now();
        let reading = self.source.next(mark.as_ref(), self.config.source.batch, now).await;
        let rows = reading.map_err(failed)?.rows;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut batch = Batch {
            rows: u64::try_from(rows.len()).unwrap_or(u64::MAX),
            watermark: rows.iter().map(|row| row.position).max(),
            ..Batch::default()
        };
        for row in &rows {
            match self.prepare(row) {
                Prepared::Message(message) => batch.messages.push(message),
                Prepared::Aside(aside) => {
                    tracing::warn!(
                        flow = %self.config.id, reason = aside.reason, "row put into quarantine"
                    );
                    batch.quarantined.push(aside);
                }
            }
        }
        self.store.outbox().enqueue(&self.config.id, &batch, self.clock.now()).await?;
        // Only now: a mark before this point could lose the rows.
        let taken = self.source.taken(&rows, self.clock.now()).await;
        taken.map_err(|e| fail(&self.config, &e))?;
        Ok(rows.len())
    }

    /// Looks at the rows in quarantine again; those that were mended take their place in order.
    pub(crate) async fn recheck(&self) -> Result<(), Error> {
        let outbox = self.store.outbox();
        let mut last = String::new();
        loop {
            let aside = outbox.quarantined(&self.config.id, &last, PAGE).await?;
            let Some(end) = aside.last() else { return Ok(()) };
            last.clone_from(&end.source_key);
            let keys: Vec<String> = aside.iter().map(|row| row.source_key.clone()).collect();
            let rows = self.source.with_keys(&keys).await;
            let rows = rows.map_err(|e| fail(&self.config, &e))?;
            let mut batch = Batch::default();
            for known in &aside {
                self.recheck_one(known, &rows, &mut batch);
            }
            outbox.enqueue(&self.config.id, &batch, self.clock.now()).await?;
        }
    }

    fn recheck_one(&self, known: &QuarantinedRow, rows: &[Row], batch: &mut Batch) {
        let mut same = rows.iter().filter(|row| row.key == known.source_key).peekable();
        if same.peek().is_none() {
            // The source has taken the row back: there is nothing left to send or to wait for.
            batch.released.push(known.source_key.clone());
            return;
        }
        let mut still = None;
        for row in same {
            match self.prepare(row) {
                Prepared::Message(message) => {
                    batch.messages.push(message);
                    batch.released.push(known.source_key.clone());
                    return;
                }
                Prepared::Aside(aside) => still = Some(aside),
            }
        }
        batch.quarantined.extend(still.filter(|aside| aside.reason != known.reason));
    }

    fn prepare(&self, row: &Row) -> Prepared {
        prepare::prepare(&self.config, &self.kinds, row)
    }

    /// Sends what is ready, as far as there are workers.
    async fn send(
        &self,
        pace: &Pace,
        under_way: &mut JoinSet<Result<Settled, StoreError>>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let free = self.free_workers(pace, under_way.len());
        if free == 0 || now < pace.paused_until {
            return Ok(());
        }
        let claimed = self.store.outbox().claim(&self.config.id, now, self.lease, free).await?;
        for message in claimed {
            let courier = Arc::clone(&self.courier);
            under_way.spawn(async move { courier.attempt(message).await });
        }
        Ok(())
    }

    fn free_workers(&self, pace: &Pace, under_way: usize) -> u32 {
        // After an outage one message goes first, to find out.
        let most = if pace.outages > 0 { 1 } else { self.config.delivery.workers };
        most.saturating_sub(u32::try_from(under_way).unwrap_or(u32::MAX))
    }

    fn note(&self, pace: &mut Pace, settled: Settled) {
        let Settled::Unavailable(reason, wait) = settled else {
            if settled != Settled::Lost {
                pace.outages = 0;
            }
            return;
        };
        pace.outages = pace.outages.saturating_add(1);
        let wait = wait.unwrap_or_default().max(self.courier.back_off.wait(pace.outages));
        pace.paused_until = pace.paused_until.max(after(self.clock.now(), wait));
        tracing::warn!(flow = %self.config.id, %reason, "nothing can be sent, the flow pauses");
    }

    async fn is_done(&self, until: Until, pace: &Pace) -> Result<bool, Error> {
        if until == Until::Stopped || !pace.drained {
            return Ok(false);
        }
        let stays_away = pace.outages >= self.config.delivery.attempts;
        Ok(stays_away || self.store.outbox().next_ready(&self.config.id).await?.is_none())
    }

    /// How long nothing is to be done, unless a delivery ends.
    async fn nap(&self, pace: &Pace, under_way: usize) -> Result<Duration, Error> {
        let now = self.clock.now();
        let mut at = pace.poll;
        if self.free_workers(pace, under_way) > 0
            && let Some(ready) = self.store.outbox().next_ready(&self.config.id).await?
        {
            at = at.min(ready.max(pace.paused_until));
        }
        let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
        Ok(wait.clamp(Duration::from_millis(1), NAP))
    }
}

fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

fn fail(config: &FlowConfig, error: &SourceError) -> Error {
    Error::Source { flow: config.id.clone(), problem: error.to_string() }
}

#[cfg(test)]
mod tests;
