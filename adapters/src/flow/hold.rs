//! Holding a flow whose scores are too low: rows are read and taken, and nothing is sent.
//!
//! Scores are weighed before anything is sent, after each batch, and now and then. Between a batch and
//! the weighing of its scores nothing is claimed.

use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::MutexGuard;

use super::{Flow, after};
use crate::{Error, quality};

/// How often scores are weighed when nothing is read.
pub(super) const OFTEN: SignedDuration = SignedDuration::from_secs(60);

impl Flow {
    /// The turn to claim messages, or to take rows; nothing where no score holds the flow.
    pub(super) async fn turn_to_send(&self) -> Option<MutexGuard<'_, ()>> {
        match self.config.quality.thresholds.is_empty() {
            true => None,
            false => Some(self.turn.lock().await),
        }
    }

    /// Looks whether the flow is held: another process may have found it so.
    pub(super) async fn look_at_hold(&self, next: &mut Timestamp) -> Result<(), Error> {
        if self.config.quality.thresholds.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        if now >= *next {
            *next = after(now, OFTEN);
            return self.weigh().await;
        }
        let hold = self.store.quality().hold(&self.config.id).await?;
        self.signs.held.store(hold.criterion.is_some(), Ordering::Release);
        Ok(())
    }

    /// Weighs what the last run left, before anything is sent.
    pub(super) async fn weigh_first(&self) -> Result<(), Error> {
        let (id, quality) = (&self.config.id, self.store.quality());
        // Other settings may have held it then.
        if self.config.quality.thresholds.is_empty() && quality.hold(id).await?.criterion.is_some()
        {
            quality.set_hold(id, None, self.clock.now()).await?;
        }
        self.weigh().await
    }

    /// Weighs the scores; holds the flow, or lets it go on.
    pub(super) async fn weigh(&self) -> Result<(), Error> {
        let (id, now) = (&self.config.id, self.clock.now());
        let quality = self.store.quality();
        if self.config.quality.thresholds.is_empty() {
            return Ok(());
        }
        let weighed = quality::weigh(&self.store, &self.config, now).await?;
        let held = weighed.held();
        // What a person said counts once; the next time is another.
        if weighed.release.is_none() && quality.hold(id).await?.release.is_some() {
            quality.set_release(id, None, now).await?;
        }
        self.signs.held.store(held.is_some(), Ordering::Release);
        if !quality.set_hold(id, held.map(|low| low.criterion), now).await? {
            return Ok(());
        }
        match held {
            Some(low) => {
                let (criterion, threshold) = (low.criterion.as_str(), low.threshold);
                let (good, all) = (low.score.good, low.score.all);
                tracing::warn!(flow = %id, criterion, good, all, %threshold, "held by quality: nothing is sent");
            }
            None => {
                let by_person = weighed.release.is_some();
                tracing::warn!(flow = %id, by_person, "not held by quality any more: sending goes on");
                self.signs.ready.notify_one();
            }
        }
        Ok(())
    }
}
