//! How much may be sent to a platform at a time: its rate and its circuit breaker together.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::{
    breaker::{Attempted, Breaker, Condition},
    rate::Rate,
};

/// What stands before a platform.
#[derive(Debug)]
pub(crate) struct Gate {
    breaker: Breaker,
    /// Shared with the errands, which take their turns by themselves.
    rate: Option<Arc<Rate>>,
}

/// Messages that may be tried now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admitted {
    pub(crate) count: u32,
    /// How long the rate keeps the next one waiting.
    pub(crate) wait: Option<Duration>,
}

impl Gate {
    pub(crate) fn new(breaker: Breaker, rate: Option<Arc<Rate>>) -> Self {
        Self { breaker, rate }
    }

    /// How many of `wanted` messages may be tried now, when `saved` were admitted by the rate before
    /// and not used.
    pub(crate) fn admit(&self, now: Timestamp, wanted: u32, saved: u32) -> Admitted {
        let count = self.breaker.admit(now, wanted);
        let Some(rate) = self.rate.as_ref().filter(|_| count > saved) else {
            return Admitted { count, wait: None };
        };
        let (more, wait) = rate.admit(count - saved);
        let admitted = saved + more;
        self.breaker.unused(count - admitted);
        Admitted { count: admitted, wait }
    }

    /// Some of the admitted were not tried after all; the rate's part of them is for the caller to
    /// save.
    pub(crate) fn unused(&self, count: u32) {
        self.breaker.unused(count);
    }

    /// A message that was admitted has been tried.
    pub(crate) fn ended(&self, now: Timestamp, how: &Attempted) {
        self.breaker.ended(now, how);
    }

    /// How the platform is.
    pub(crate) fn condition(&self) -> Condition {
        self.breaker.condition()
    }

    /// Whether a rate is set: without one nothing is saved.
    pub(crate) fn is_rated(&self) -> bool {
        self.rate.is_some()
    }
}
