//! Housekeeping of the durable state: what is old is forgotten or erased by rule, a little at a time.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{
    clock::{Clock, civil_date},
    id::FlowId,
};
use lienthong_store::{Store, StoreError};

use crate::config::FlowConfig;

/// How often it is looked for what is old.
const OFTEN: SignedDuration = SignedDuration::from_hours(1);
/// Most that is forgotten in one transaction.
const AT_ONCE: u32 = 10_000;
/// Longest sleep, so that a clock that is set is noticed.
const NAP: Duration = Duration::from_secs(60);

/// How long things are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Keep {
    done: SignedDuration,
    keys: SignedDuration,
    dead: SignedDuration,
    receipts: SignedDuration,
    /// Of each flow, how long its counts are.
    counts: Vec<(FlowId, SignedDuration)>,
}

impl Keep {
    /// The longest of what the flows ask for: the store has one rule for all.
    pub(crate) fn longest(flows: &[FlowConfig]) -> Self {
        let days = |n: u32| SignedDuration::from_hours(24 * i64::from(n));
        let longest =
            |pick: fn(&FlowConfig) -> u32| days(flows.iter().map(pick).max().unwrap_or(0));
        Self {
            done: longest(|flow| flow.delivery.remember_days),
            keys: longest(|flow| flow.delivery.remember_cases_days),
            dead: longest(|flow| flow.delivery.keep_dead_days),
            receipts: longest(|flow| flow.delivery.keep_receipts_days),
            counts: flows
                .iter()
                .map(|flow| (flow.id.clone(), days(flow.quality.keep_days)))
                .collect(),
        }
    }

    /// Forgets and erases what is old now.
    pub(crate) async fn once(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let before = |kept: SignedDuration| now.saturating_sub(kept).unwrap_or(Timestamp::MIN);
        let outbox = store.outbox();
        let most = u64::from(AT_ONCE);
        while outbox.forget_done(before(self.done), AT_ONCE).await? >= most {}
        while outbox.forget_keys(before(self.keys), AT_ONCE).await? >= most {}
        while outbox.erase_dead(before(self.dead), AT_ONCE).await? >= most {}
        while outbox.forget_receipts(before(self.receipts), AT_ONCE).await? >= most {}
        for (flow, kept) in &self.counts {
            let (quality, before) = (store.quality(), before(*kept));
            while quality.forget(flow, civil_date(before), before, AT_ONCE).await? >= most {}
        }
        Ok(())
    }

    /// Does so again and again, until it is dropped.
    pub(crate) async fn forever(
        self,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<(), StoreError> {
        let mut next = clock.now();
        loop {
            let now = clock.now();
            if now >= next {
                self.once(&store, now).await?;
                next = now.saturating_add(OFTEN).unwrap_or(Timestamp::MAX);
            }
            tokio::time::sleep(NAP).await;
        }
    }
}
