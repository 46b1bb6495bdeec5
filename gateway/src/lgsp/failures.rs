//! Wrong credentials, counted by certificate: after a few in a row the next try waits.
//!
//! SECURITY: a check is slow on purpose, and a guess costs the guesser nothing. Only certificates
//! of participants come here, so a stranger can neither fill the table nor shut anyone out.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// Failures in a row that cost nothing.
const FREE: u32 = 5;
/// The wait after them; doubled by each failure more.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(10);
/// The longest wait; a certificate that fails no more for as long is forgotten.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// Most certificates remembered; when all are, a certificate that is not among them waits.
const MOST: usize = 10_000;

/// Failures in a row, by certificate.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<HashMap<[u8; 32], Row>>);

#[derive(Debug, Clone, Copy)]
struct Row {
    count: u32,
    last: Timestamp,
}

impl Row {
    /// When the next try is admitted.
    fn until(self) -> Timestamp {
        let Some(beyond) = self.count.checked_sub(FREE) else { return self.last };
        let wait = FIRST_WAIT.saturating_mul(1 << beyond.min(16)).min(LONGEST_WAIT);
        self.last.saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    fn forgotten(self) -> Timestamp {
        self.last.saturating_add(LONGEST_WAIT).unwrap_or(Timestamp::MAX)
    }
}

impl Failures {
    /// Admits a try, or tells how long to wait.
    ///
    /// # Errors
    /// The wait.
    pub(super) fn admit(&self, certificate: &[u8; 32], now: Timestamp) -> Result<(), Duration> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = match rows.get(certificate) {
            Some(row) => row.until(),
            None if rows.len() < MOST => return Ok(()),
            None => {
                rows.retain(|_, row| row.forgotten() > now);
                if rows.len() < MOST {
                    return Ok(());
                }
                now.saturating_add(FIRST_WAIT).unwrap_or(Timestamp::MAX)
            }
        };
        match Duration::try_from(until.duration_since(now)) {
            Ok(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(()),
        }
    }

    /// Notes wrong credentials.
    pub(super) fn failed(&self, certificate: &[u8; 32], now: Timestamp) {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = rows.entry(*certificate).or_insert(Row { count: 0, last: now });
        let before = if row.forgotten() > now { row.count } else { 0 };
        *row = Row { count: before.saturating_add(1), last: now };
    }

    /// Notes right credentials: the row ends.
    pub(super) fn succeeded(&self, certificate: &[u8; 32]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(certificate);
    }
}

#[cfg(test)]
mod tests;
