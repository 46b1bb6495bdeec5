//! Sessions and tokens of the one account, and how often it may call.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt as _, rngs::StdRng};

use super::refusal::{ACCOUNT_QUOTA, MINUTE_QUOTA, PortalError, SESSION_EXPIRED, SESSION_QUOTA};

/// Most sessions at once; the oldest goes.
const MOST_SESSIONS: usize = 10_000;

/// How often the account may call; nothing for no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Calls of one session; after them it is used up.
    pub per_session: Option<u32>,
    /// Calls in one minute of the clock.
    pub per_minute: Option<u32>,
    /// Calls in one day of the clock (UTC).
    pub per_day: Option<u32>,
}

#[derive(Debug)]
struct Session {
    until: Timestamp,
    calls: u32,
}

/// Calls within one stretch of time.
#[derive(Debug, Default)]
struct Window {
    number: i64,
    calls: u32,
}

impl Window {
    fn take(&mut self, now: Timestamp, seconds: i64, most: Option<u32>) -> bool {
        let number = now.as_second().div_euclid(seconds);
        if self.number != number {
            *self = Self { number, calls: 0 };
        }
        self.calls = self.calls.saturating_add(1);
        most.is_none_or(|most| self.calls <= most)
    }
}

/// The sessions that have been opened.
#[derive(Debug)]
pub(crate) struct Sessions {
    life: SignedDuration,
    quotas: Quotas,
    open: BTreeMap<String, Session>,
    minute: Window,
    day: Window,
    rng: StdRng,
}

impl Sessions {
    pub(crate) fn new(seconds: u32, quotas: Quotas, rng: StdRng) -> Self {
        let life = SignedDuration::from_secs(i64::from(seconds));
        let (minute, day) = (Window::default(), Window::default());
        Self { life, quotas, open: BTreeMap::new(), minute, day, rng }
    }

    /// Opens a session.
    pub(crate) fn open(&mut self, now: Timestamp) -> String {
        if self.open.len() >= MOST_SESSIONS {
            let oldest = self.open.iter().min_by_key(|(_, s)| s.until).map(|(id, _)| id.clone());
            oldest.and_then(|id| self.open.remove(&id));
        }
        let id = format!("{:032x}", self.rng.random::<u128>());
        let until = now.saturating_add(self.life).unwrap_or(Timestamp::MAX);
        self.open.insert(id.clone(), Session { until, calls: 0 });
        id
    }

    /// Whether a call may go on, by the clock of the one who checks, which may not be the clock of
    /// the one who opened the session.
    pub(crate) fn take(&mut self, id: &str, now: Timestamp) -> Result<(), PortalError> {
        let Some(session) = self.open.get_mut(id).filter(|session| now < session.until) else {
            self.open.remove(id);
            return Err(SESSION_EXPIRED);
        };
        session.calls = session.calls.saturating_add(1);
        if self.quotas.per_session.is_some_and(|most| session.calls > most) {
            return Err(SESSION_QUOTA);
        }
        if !self.day.take(now, 86_400, self.quotas.per_day) {
            return Err(ACCOUNT_QUOTA);
        }
        if !self.minute.take(now, 60, self.quotas.per_minute) {
            return Err(MINUTE_QUOTA);
        }
        Ok(())
    }

    /// Ends all sessions.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }
}

#[cfg(test)]
mod tests;
