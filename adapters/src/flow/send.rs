//! Sending: claims what is ready, as much as workers and platform can take, and tries it.

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;
use lienthong_store::outbox::Claimed;
use tokio::{sync::watch, task::JoinSet};

use super::{Flow, NAP, Until, nap};
use crate::{Error, breaker::Attempted, deliver::Settled};

/// What the sending of a flow remembers from turn to turn.
#[derive(Debug, Default)]
struct Turn {
    under_way: JoinSet<Result<(Settled, Attempted), Error>>,
    /// Admitted by the rate and not used yet.
    saved: u32,
    /// Whether the last claim gave less than was asked for.
    is_empty: bool,
}

impl Flow {
    /// Sends until the end of the run, and waits for what is under way.
    pub(super) async fn send_all(
        &self,
        until: Until,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let mut turn = Turn::default();
        loop {
            let broken = self.signs.broken.load(Ordering::Acquire);
            let stopping = *stop.borrow_and_update() || broken;
            let mut wait = None;
            if !stopping && !self.is_stopped() {
                wait = self.claim(&mut turn).await?;
            }
            if turn.under_way.is_empty() && (stopping || self.is_done(until, &turn).await?) {
                return Ok(());
            }
            let nap = self.nap_of(&turn, wait).await?;
            tokio::select! {
                Some(tried) = turn.under_way.join_next() => {
                    let (settled, attempted) = tried.map_err(|_| Error::Interrupted)??;
                    self.note(settled, &attempted);
                    turn.is_empty = false;
                }
                () = self.signs.ready.notified() => turn.is_empty = false,
                () = tokio::time::sleep(nap) => turn.is_empty = false,
                changed = stop.changed() => {
                    // The one who could stop us is gone: stop.
                    if changed.is_err() { return Ok(()) }
                }
            }
        }
    }

    /// Claims and begins what may be sent now. Gives how long the platform's rate keeps us waiting.
    async fn claim(&self, turn: &mut Turn) -> Result<Option<Duration>, Error> {
        let workers = self.config.delivery.workers;
        let busy = u32::try_from(turn.under_way.len()).unwrap_or(u32::MAX);
        let free = workers.saturating_sub(busy);
        // PERF: a claim is a transaction, so it waits until it is worth one.
        if turn.is_empty || (busy > 0 && free < workers.div_ceil(4)) {
            return Ok(None);
        }
        let now = self.clock.now();
        let admitted = self.gate.admit(now, free, turn.saved);
        if admitted.count == 0 {
            return Ok(admitted.wait);
        }
        let claimed = self.claim_now(now, admitted.count).await?;
        let count = u32::try_from(claimed.len()).unwrap_or(u32::MAX);
        let unused = admitted.count.saturating_sub(count);
        self.gate.unused(unused);
        turn.saved = if self.gate.is_rated() { unused } else { 0 };
        turn.is_empty = unused > 0;
        for message in claimed {
            let courier = Arc::clone(&self.courier);
            turn.under_way.spawn(async move { courier.attempt(message).await });
        }
        Ok(admitted.wait)
    }

    /// Claims messages, unless a score has come to hold the flow since.
    async fn claim_now(&self, now: Timestamp, count: u32) -> Result<Vec<Claimed>, Error> {
        let _turn = self.turn_to_send().await;
        if self.is_stopped() {
            return Ok(Vec::new());
        }
        Ok(self.store.outbox().claim(&self.config.id, now, &self.lease, count).await?)
    }

    fn note(&self, settled: Settled, attempted: &Attempted) {
        self.gate.ended(self.clock.now(), attempted);
        if self.signs.full.load(Ordering::Acquire) {
            self.signs.room.notify_one();
        }
        if settled == Settled::GivenBack
            && let Attempted::Away(reason, _) = attempted
        {
            tracing::warn!(flow = %self.config.id, %reason, "nothing can be sent, the flow pauses");
        }
    }

    async fn is_done(&self, until: Until, turn: &Turn) -> Result<bool, Error> {
        let is_full = self.signs.full.load(Ordering::Acquire);
        if until == Until::Stopped || !(is_full || self.signs.drained.load(Ordering::Acquire)) {
            return Ok(false);
        }
        let stays_away = self.gate.condition().outages >= self.config.delivery.attempts;
        if stays_away || self.is_stopped() {
            return Ok(true);
        }
        let outbox = self.store.outbox();
        if is_full && outbox.open(&self.config.id).await? < self.config.source.most_waiting {
            // There is room again: the reading goes on.
            return Ok(false);
        }
        Ok(turn.is_empty && outbox.next_ready(&self.config.id).await?.is_none())
    }

    /// How long there is nothing to begin, unless a delivery ends or a row comes in.
    async fn nap_of(&self, turn: &Turn, wait: Option<Duration>) -> Result<Duration, Error> {
        let now = self.clock.now();
        let away_until = self.gate.condition().again;
        if self.is_stopped() || turn.is_empty {
            let ready = self.store.outbox().next_ready(&self.config.id).await?;
            return Ok(ready.filter(|_| !self.is_stopped()).map_or(NAP, |at| nap(now, at)));
        }
        if let Some(wait) = wait {
            return Ok(wait.clamp(Duration::from_millis(1), NAP));
        }
        if away_until > now {
            return Ok(nap(now, away_until));
        }
        // All workers are busy, or other flows have what the platform may get: one of them ends.
        Ok(if turn.under_way.is_empty() { Duration::from_millis(5) } else { NAP })
    }
}
