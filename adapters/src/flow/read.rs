//! Reading: new rows, rows in quarantine, what a person orders.

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::Ordering},
};

use jiff::{SignedDuration, Timestamp};
use lienthong_store::{
    StoreError,
    outbox::{Batch, Names, QuarantinedRow},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{Flow, after, ahead::Read, fail, hold, nap};
use crate::{
    Error,
    row::Row,
    source::{Mark, SourceError},
};

/// How often rows in quarantine are looked at again.
const RECHECK: SignedDuration = SignedDuration::from_secs(60);
/// How long a source that cannot be read for a while is left alone.
const LEAVE_ALONE: SignedDuration = SignedDuration::from_secs(10);
/// How long a process that went away keeps others from reading its flows.
const LEAD: SignedDuration = SignedDuration::from_secs(30);
/// Rows in quarantine looked at in one go.
const PAGE: u32 = 500;
/// Most times that all of them are looked at, one after the other.
const PASSES: u32 = 50;

/// What a person orders of a flow that is at work.
#[derive(Debug)]
pub(crate) enum Order {
    /// Read again from a position, or everything.
    Backfill(Option<String>, oneshot::Sender<Result<(), String>>),
    /// Compare the keys of the source with what was read, now.
    Compare(oneshot::Sender<Result<u64, String>>),
    /// Look at what a person has changed: a pause, a dead message.
    Look,
}

/// What is due when.
#[derive(Debug)]
struct Pace {
    poll: Timestamp,
    recheck: Timestamp,
    compare: Timestamp,
    /// When this process has to say again that it reads.
    lead: Timestamp,
    /// When scores are weighed again, whatever is read.
    weigh: Timestamp,
}

impl Flow {
    /// Reads until the run is stopped or the sending has ended.
    pub(super) async fn read_all(
        self: Arc<Self>,
        mut stop: watch::Receiver<bool>,
        mut ended: watch::Receiver<bool>,
        mut orders: mpsc::Receiver<Order>,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let compare = self.next_comparison(now);
        let weigh = after(now, hold::OFTEN);
        let mut pace = Pace { poll: now, recheck: now, compare, lead: now, weigh };
        loop {
            if *stop.borrow_and_update() || *ended.borrow_and_update() {
                return Ok(self.store.outbox().stop_leading(&self.config.id, &self.name).await?);
            }
            let paused = self.store.outbox().paused(&self.config.id).await?.is_some();
            self.signs.paused.store(paused, Ordering::Release);
            self.look_at_hold(&mut pace.weigh).await?;
            let wait = if paused || !self.leads(&mut pace).await? {
                after(self.clock.now(), LEAVE_ALONE)
            } else {
                self.turn(&mut pace).await?
            };
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.carry_out(order, &mut pace).await?,
                    // Nobody orders anything in a run without a desk.
                    None => tokio::time::sleep(nap(self.clock.now(), wait)).await,
                },
                () = self.signs.room.notified() => pace.poll = self.clock.now(),
                () = tokio::time::sleep(nap(self.clock.now(), wait)) => {}
                changed = stop.changed() => if changed.is_err() { return Ok(()) },
                changed = ended.changed() => if changed.is_err() { return Ok(()) },
            }
        }
    }

    /// Whether this process is the one that reads the flow.
    async fn leads(&self, pace: &mut Pace) -> Result<bool, Error> {
        let (id, now) = (&self.config.id, self.clock.now());
        // PERF: saying so is a transaction. What is taken is refused anyway once another reads.
        if now < pace.lead {
            return Ok(true);
        }
        let leads = self.store.outbox().lead(id, &self.name, now, LEAD).await?;
        if leads {
            pace.lead = after(now, LEAD / 3);
        } else {
            self.ahead.forget();
            // Who delivers only has nothing to wait for but what comes in.
            self.signs.drained.store(true, Ordering::Release);
        }
        Ok(leads)
    }

    /// Does what is due. Gives when something is due next.
    async fn turn(self: &Arc<Self>, pace: &mut Pace) -> Result<Timestamp, Error> {
        let now = self.clock.now();
        if now >= pace.recheck {
            self.tolerate(self.recheck().await)?;
            pace.recheck = after(now, RECHECK);
        }
        if now >= pace.compare {
            self.tolerate(self.compare().await)?;
            pace.compare = self.next_comparison(now);
        }
        if now >= pace.poll {
            pace.poll = after(now, self.read().await?);
        }
        Ok(pace.poll.min(pace.recheck).min(pace.compare))
    }

    fn next_comparison(&self, now: Timestamp) -> Timestamp {
        let every = self.config.source.compare;
        let every = every.and_then(|every| SignedDuration::try_from(every).ok());
        every.map_or(Timestamp::MAX, |every| after(now, every))
    }

    /// Reads what there is room for. Gives how long there is nothing to read.
    async fn read(self: &Arc<Self>) -> Result<SignedDuration, Error> {
        let poll = SignedDuration::try_from(self.config.source.poll).unwrap_or(RECHECK);
        let waiting = self.store.outbox().open(&self.config.id).await?;
        let is_full = waiting >= self.config.source.most_waiting;
        self.signs.full.store(is_full, Ordering::Release);
        if is_full {
            return Ok(poll);
        }
        match self.tolerate(self.take().await)? {
            Some(true) => Ok(SignedDuration::ZERO),
            Some(false) => {
                self.signs.read_to_end(self.clock.now());
                Ok(poll)
            }
            None => Ok(LEAVE_ALONE),
        }
    }

    /// A source that cannot be read for a while stops nothing else.
    fn tolerate<T>(&self, done: Result<T, Hindrance>) -> Result<Option<T>, Error> {
        match done {
            Ok(done) => Ok(Some(done)),
            Err(Hindrance::Source(error)) if error.is_transient() => {
                tracing::warn!(flow = %self.config.id, %error, "source cannot be read for a while");
                Ok(None)
            }
            Err(Hindrance::Source(error)) => Err(fail(&self.config, &error)),
            Err(Hindrance::Ours(Error::Store(StoreError::LeaseLost))) => {
                tracing::info!(flow = %self.config.id, "another process reads the source now");
                Ok(None)
            }
            Err(Hindrance::Wait(why)) => {
                tracing::warn!(flow = %self.config.id, why, "rows cannot be checked for a while");
                Ok(None)
            }
            Err(Hindrance::Ours(error)) => Err(error),
        }
    }

    /// Takes the next rows of the source into the outbox. Gives whether there are more.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<bool, Hindrance> {
        let outbox = self.store.outbox();
        let mark = outbox.mark(&self.config.id).await?.map(Mark::new).transpose()?;
        let Read { rows, drafts, scene, mark, more } = self.next(mark.as_ref()).await?;
        if rows.is_empty() && mark.is_none() {
            return Ok(more);
        }
        self.signs.drained.store(false, Ordering::Release);
        let mut batch = self.finish_all(&rows, drafts, scene)?;
        batch.names = Names::Asked;
        batch.rows = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        batch.mark = mark.as_ref().map(|mark| mark.as_str().to_owned());
        // PERF: `lienthong-bench bus`: the next rows are read while these are written, on another core.
        let (flow, next) = (Arc::clone(self), mark.filter(|_| more));
        let ahead = tokio::spawn(async move { flow.read_ahead(next.as_ref()).await });
        let taken = self.put(batch).await;
        if taken.is_err() {
            ahead.abort();
        }
        let read_ahead = ahead.await;
        self.ahead.count_in(&taken.inspect_err(|_| self.ahead.forget())?);
        read_ahead.map_err(|_| Error::Interrupted)?;
        // Only now: a mark before this point could lose the rows.
        self.source.taken(&rows, self.clock.now()).await?;
        Ok(more)
    }

    /// Takes a batch; when this returns, its messages survive anything.
    pub(super) async fn enqueue(&self, batch: Batch) -> Result<(), Error> {
        // What was asked ahead does not know of these.
        self.ahead.forget();
        self.put(batch).await.map(drop)
    }

    /// Puts a batch into the outbox, and gives it back.
    async fn put(&self, batch: Batch) -> Result<Batch, Error> {
        for row in &batch.quarantined {
            let reason = row.reason.as_str();
            tracing::warn!(flow = %self.config.id, reason, "row put into quarantine");
        }
        let batch = Batch { reader: Some(self.name.clone()), ..batch };
        let turn = self.turn_to_send().await;
        let taken = self.store.outbox().enqueue(&self.config.id, &batch, self.clock.now()).await?;
        if taken.unkept > 0 {
            let unkept = taken.unkept;
            tracing::warn!(flow = %self.config.id, unkept, "too much has to be mended: it is counted only");
        }
        if !batch.judged.is_empty() || !batch.released.is_empty() {
            self.weigh().await?;
        }
        drop(turn);
        self.signs.ready.notify_one();
        Ok(batch)
    }

    /// Looks at the rows in quarantine again; those that were mended take their place in order. A row
    /// that comes free lets the next of its case be looked at, so it is done again while any does.
    pub(super) async fn recheck(&self) -> Result<(), Hindrance> {
        for _ in 0..PASSES {
            if !self.recheck_once().await? {
                break;
            }
        }
        Ok(())
    }

    /// Gives whether any row came free.
    async fn recheck_once(&self) -> Result<bool, Hindrance> {
        let outbox = self.store.outbox();
        let (mut last, mut freed) = (String::new(), false);
        loop {
            let aside = outbox.quarantined(&self.config.id, &last, PAGE).await?;
            let Some(end) = aside.last() else { return Ok(freed) };
            last.clone_from(&end.source_key);
            let keys: Vec<String> = aside.iter().map(|row| row.source_key.clone()).collect();
            let mut rows = self.source.with_keys(&keys).await?;
            rows.sort_by_key(|row| row.position);
            let batch = self.again(&aside, &rows).await?;
            freed |= !batch.released.is_empty();
            self.enqueue(batch).await?;
        }
    }

    /// What becomes of rows in quarantine, now that they are read again.
    async fn again(&self, aside: &[QuarantinedRow], rows: &[Row]) -> Result<Batch, Hindrance> {
        let mut batch = self.prepare_all(rows).await?;
        let still: BTreeSet<&str> =
            batch.quarantined.iter().map(|row| row.source_key.as_str()).collect();
        // What is a message now comes free, and a row that the source took back leaves nothing to send
        // or to wait for.
        batch.released = aside
            .iter()
            .map(|row| row.source_key.as_str())
            .filter(|key| !still.contains(key))
            .map(str::to_owned)
            .collect();
        batch.quarantined.retain(|row| !aside.contains(row));
        batch.repeated = 0;
        Ok(batch)
    }

    async fn carry_out(&self, order: Order, pace: &mut Pace) -> Result<(), Error> {
        let now = self.clock.now();
        match order {
            Order::Backfill(from, answer) => {
                let done = self.backfill(from.as_deref()).await;
                pace.poll = now;
                tell(answer, done.map_err(|error| error.to_string()));
            }
            Order::Compare(answer) => {
                let done = self.compare().await;
                tell(answer, done.map_err(|error| error.to_string()));
            }
            Order::Look => {
                self.weigh().await?;
                self.signs.ready.notify_one();
            }
        }
        Ok(())
    }

    /// Lets the source be read again from a position, or from its beginning. What is known already is
    /// not sent again.
    pub(crate) async fn backfill(&self, from: Option<&str>) -> Result<(), Hindrance> {
        let outbox = self.store.outbox();
        let mark = outbox.mark(&self.config.id).await?.map(Mark::new).transpose()?;
        let mark = self.source.again(mark.as_ref(), from).await?;
        self.signs.drained.store(false, Ordering::Release);
        let batch = Batch { mark: Some(mark.as_str().to_owned()), ..Batch::default() };
        self.enqueue(batch).await?;
        Ok(())
    }
}

fn tell<T>(answer: oneshot::Sender<T>, what: T) {
    // Whoever asked may have gone.
    drop(answer.send(what));
}

/// Why something of a source was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Hindrance {
    #[error("source: {0}")]
    Source(#[from] SourceError),
    /// Rows cannot be checked at present.
    #[error("{0}")]
    Wait(String),
    #[error(transparent)]
    Ours(#[from] Error),
}

impl From<StoreError> for Hindrance {
    fn from(error: StoreError) -> Self {
        Self::Ours(error.into())
    }
}
