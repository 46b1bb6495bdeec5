//! The circuit breaker of a platform, shared by all flows to it.
//!
//! While a platform is away nobody asks it but one message at a time, after waits that grow with full
//! jitter. When it is back the number of messages under way grows from one, so that a long backlog
//! does not fall upon it at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::{deliver::BackOff, outcome::Reason};

/// Failures one after the other, of whatever messages, after which the platform counts as away.
const FAILURES: u32 = 10;

/// The circuit breaker of a platform.
#[derive(Debug)]
pub(crate) struct Breaker {
    back_off: BackOff,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Messages under way.
    under_way: u32,
    /// Messages that may be under way at once; all when the platform is well.
    most: u32,
    /// Times one after the other that it was found to be away.
    outages: u32,
    /// Failures one after the other since the last success.
    failures: u32,
    /// Nobody asks before this.
    closed_until: Timestamp,
    /// Why.
    reason: Option<Reason>,
}

/// The state of a platform, for reports and metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// Times one after the other that it was found to be away; 0 when it is well.
    pub(crate) outages: u32,
    /// Why it counts as away.
    pub(crate) reason: Option<Reason>,
    /// When it is asked again.
    pub(crate) again: Timestamp,
}

impl Breaker {
    pub(crate) fn new(back_off: BackOff) -> Self {
        let state = State {
            under_way: 0,
            most: u32::MAX,
            outages: 0,
            failures: 0,
            closed_until: Timestamp::MIN,
            reason: None,
        };
        Self { back_off, state: Mutex::new(state) }
    }

    /// How many of `wanted` messages may be tried now; they count as under way until [`Self::ended`].
    pub(crate) fn admit(&self, now: Timestamp, wanted: u32) -> u32 {
        let mut state = self.state();
        if now < state.closed_until {
            return 0;
        }
        let admitted = wanted.min(state.most.saturating_sub(state.under_way));
        state.under_way = state.under_way.saturating_add(admitted);
        admitted
    }

    /// Some of the admitted were not tried after all.
    pub(crate) fn unused(&self, count: u32) {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(count);
    }

    /// A message that was admitted has been tried.
    pub(crate) fn ended(&self, now: Timestamp, how: &Attempted) {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(1);
        match how {
            Attempted::Answered => {
                state.most = state.most.saturating_mul(2);
                (state.outages, state.failures, state.reason) = (0, 0, None);
            }
            Attempted::Failed(reason) => {
                state.failures = state.failures.saturating_add(1);
                if state.failures >= FAILURES {
                    state.open(now, reason, None, &self.back_off);
                }
            }
            Attempted::Away(reason, wait) => state.open(now, reason, *wait, &self.back_off),
        }
    }

    /// How the platform is.
    pub(crate) fn condition(&self) -> Condition {
        let state = self.state();
        let (outages, reason, again) = (state.outages, state.reason.clone(), state.closed_until);
        Condition { outages, reason, again }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn open(
        &mut self,
        now: Timestamp,
        reason: &Reason,
        wait: Option<SignedDuration>,
        back_off: &BackOff,
    ) {
        // Those under way when it went away all come back with the same news.
        if now >= self.closed_until {
            self.outages = self.outages.saturating_add(1);
        }
        let wait = wait.unwrap_or_default().max(back_off.wait(self.outages));
        let until = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
        self.closed_until = self.closed_until.max(until);
        self.most = 1;
        self.failures = 0;
        self.reason = Some(reason.clone());
    }
}

/// How an attempt ended, as far as it tells of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attempted {
    /// It answered, whatever it said of the message.
    Answered,
    /// It did not answer as it should.
    Failed(Reason),
    /// Nothing can be sent at present.
    Away(Reason, Option<SignedDuration>),
}

#[cfg(test)]
mod tests;
