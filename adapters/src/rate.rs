//! The rate at which a platform may be asked, shared by all flows to it.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    Quota, RateLimiter,
    clock::{Clock as _, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};
use jiff::Timestamp;
use lienthong_model::clock::Clock;

/// Messages per second and at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateConfig {
    /// Messages per second over time.
    pub per_second: NonZeroU32,
    /// Messages at once after a rest.
    pub burst: NonZeroU32,
}

/// The clock of the flows, in the form that the limiter wants.
#[derive(Debug, Clone)]
struct Hands(Arc<dyn Clock>);

impl governor::clock::Clock for Hands {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let since = self.0.now().duration_since(Timestamp::UNIX_EPOCH);
        Nanos::new(u64::try_from(since.as_nanos()).unwrap_or(0))
    }
}

/// The rate of a platform.
#[derive(Debug)]
pub(crate) struct Rate {
    limiter: RateLimiter<NotKeyed, InMemoryState, Hands, NoOpMiddleware<Nanos>>,
    clock: Hands,
}

impl Rate {
    pub(crate) fn new(config: RateConfig, clock: Arc<dyn Clock>) -> Self {
        let quota = Quota::per_second(config.per_second).allow_burst(config.burst);
        let clock = Hands(clock);
        Self { limiter: RateLimiter::direct_with_clock(quota, clock.clone()), clock }
    }

    /// How many of `wanted` messages may be tried now, and how long the next must wait when not all
    /// may.
    pub(crate) fn admit(&self, wanted: u32) -> (u32, Option<Duration>) {
        for admitted in 0..wanted {
            if let Err(not_until) = self.limiter.check() {
                let wait: Duration =
                    not_until.earliest_possible().duration_since(self.clock.now()).into();
                return (admitted, Some(wait));
            }
        }
        (wanted, None)
    }
}

#[cfg(test)]
mod tests;
