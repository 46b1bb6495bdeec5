//! Reading entries is itself on record: two entries for an auditor and minute, however much is read.
//!
//! The first reading of a minute is durable before the first byte leaves. When the minute is over, a
//! second entry says how many bundles were read in it. A first without a second means that the node
//! ended abruptly.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lienthong_evidence::entry::Action;
use tokio::sync::Mutex;
use tracing::error;

use crate::{gateway::Gateway, operator::Actor, refusal::Refusal};

/// How long readings are counted together.
const MINUTE_MS: u64 = 60_000;

/// The minutes in which entries are being read, by operator.
#[derive(Debug, Default)]
pub(super) struct Reads {
    open: Mutex<BTreeMap<String, Minute>>,
}

/// A minute of one operator.
#[derive(Debug)]
struct Minute {
    actor: Actor,
    from_ms: u64,
    /// Bundles read in it.
    count: u64,
}

impl Minute {
    fn has(&self, now_ms: u64) -> bool {
        (self.from_ms..self.until_ms()).contains(&now_ms)
    }

    fn until_ms(&self) -> u64 {
        self.from_ms.saturating_add(MINUTE_MS)
    }

    async fn tell(&self, gateway: &Gateway) -> Result<(), Refusal> {
        let entry = self.actor.record(gateway, Action::ReadEntries, |entry| {
            entry.from_ms = Some(self.from_ms);
            entry.until_ms = Some(self.until_ms());
            entry.count = Some(self.count);
        });
        entry.await.map(drop)
    }
}

impl Reads {
    /// Notes that a bundle is about to leave.
    ///
    /// # Errors
    /// `evidence.unavailable`: then it must not leave.
    pub(super) async fn note(&self, gateway: &Gateway, actor: &Actor) -> Result<(), Refusal> {
        let now_ms = ms(gateway.clock().now());
        // Held while an entry is written: who comes second in a minute leaves after the first.
        let mut open = self.open.lock().await;
        if let Some(minute) = open.get_mut(actor.name()) {
            if minute.has(now_ms) {
                minute.count = minute.count.saturating_add(1);
                return Ok(());
            }
            minute.tell(gateway).await?;
            open.remove(actor.name());
        }
        let begun =
            actor.record(gateway, Action::ReadEntries, |entry| entry.from_ms = Some(now_ms));
        begun.await?;
        let minute = Minute { actor: actor.clone(), from_ms: now_ms, count: 1 };
        open.insert(actor.name().to_owned(), minute);
        Ok(())
    }

    /// Puts on record how much was read in minutes that have ended by now. While an entry is being
    /// written nothing is done: it is asked for again.
    pub(super) async fn tell_ended(&self, gateway: &Gateway, now: Timestamp) {
        let now_ms = ms(now);
        if let Ok(mut open) = self.open.try_lock() {
            let ended = open.extract_if(.., |_, minute| !minute.has(now_ms)).collect();
            tell(gateway, ended).await;
        }
    }

    /// Puts on record how much was read in every minute. To be called when nobody reads any more.
    pub(super) async fn tell_all(&self, gateway: &Gateway) {
        let mut open = self.open.lock().await;
        tell(gateway, std::mem::take(&mut *open)).await;
    }
}

/// That entries were read is on record already; how many of them goes to the log file at least.
async fn tell(gateway: &Gateway, minutes: BTreeMap<String, Minute>) {
    for (operator, minute) in minutes {
        if let Err(refusal) = minute.tell(gateway).await {
            let (reason, count) = (refusal.reason.as_str(), minute.count);
            error!(target: "operator", operator, count, reason, "reads are not on record");
        }
    }
}

/// Milliseconds since 1970.
fn ms(instant: Timestamp) -> u64 {
    u64::try_from(instant.as_millisecond()).unwrap_or(0)
}
