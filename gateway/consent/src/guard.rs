//! A clock that never goes back.
//!
//! What is asked for is the later of the clock's time and the latest time ever seen: a clock that is
//! set back revives no consent, and no event is older than the one before it.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::Clock;

#[derive(Debug)]
pub(crate) struct Guard {
    clock: Arc<dyn Clock>,
    /// Nanoseconds since 1970.
    latest: AtomicI64,
}

impl Guard {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let guard = Self { clock, latest: AtomicI64::new(i64::MIN) };
        guard.saw(guard.clock.now());
        guard
    }

    /// The time that counts.
    pub(crate) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        self.saw(now);
        self.latest().max(now)
    }

    /// Something was at this time.
    pub(crate) fn saw(&self, at: Timestamp) {
        let outside = if at.as_nanosecond() < 0 { i64::MIN } else { i64::MAX };
        let at = i64::try_from(at.as_nanosecond()).unwrap_or(outside);
        self.latest.fetch_max(at, Ordering::AcqRel);
    }

    /// The latest time seen.
    pub(crate) fn latest(&self) -> Timestamp {
        let latest = self.latest.load(Ordering::Acquire);
        Timestamp::from_nanosecond(latest.into()).unwrap_or(Timestamp::MIN)
    }

    /// How far the clock is behind the latest time seen.
    pub(crate) fn behind(&self) -> SignedDuration {
        let behind = self.latest().duration_since(self.clock.now());
        behind.max(SignedDuration::ZERO)
    }
}
