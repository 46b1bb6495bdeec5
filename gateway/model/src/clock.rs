//! The shape of a clock. Time is an argument everywhere; only the program's entry makes a real one.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

/// Name of the civil time zone of every date in policies, limits and messages.
pub const CIVIL_ZONE: &str = "Asia/Ho_Chi_Minh";

/// Tells the time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant (UTC).
    fn now(&self) -> Timestamp;
}

/// The civil date of `instant` in Ho Chi Minh City.
#[must_use]
pub fn civil_date(instant: Timestamp) -> Date {
    instant.to_zoned(civil_zone()).date()
}

/// The civil time zone. Viet Nam has kept UTC+7 without daylight saving since 1975, so a missing
/// time-zone database cannot change an answer.
#[must_use]
pub fn civil_zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(7))
}

/// A clock that stands still until it is moved; for tests and rehearsals.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that shows `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(start)))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: SignedDuration) {
        let mut instant = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *instant = instant.saturating_add(by).unwrap_or(Timestamp::MAX);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
