//! Working days, and until when something may be done.
//!
//! Pure: a day, a number of working days and the holidays go in; civil dates of Ho Chi Minh City come
//! out. The day on which something begins does not count, and a deadline ends with its day. Which days
//! are holidays is decided from year to year: they are given, never known here.

use std::collections::BTreeSet;

use jiff::{
    Timestamp,
    civil::{Date, Weekday},
};
use serde::{Deserialize, Serialize};

use crate::clock::civil_zone;

/// Most holidays that are taken: those of some 200 years.
const MOST_HOLIDAYS: usize = 4096;

/// Days from Monday to Friday on which nobody works.
///
/// Which these are is decided from year to year, so they are configuration. A holiday that is not
/// named makes a deadline earlier, never later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Date>", into = "Vec<Date>")]
pub struct Holidays(BTreeSet<Date>);

/// More holidays than are taken, or the same one twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("holidays are too many, or one is named twice")]
pub struct HolidaysError;

impl TryFrom<Vec<Date>> for Holidays {
    type Error = HolidaysError;

    fn try_from(days: Vec<Date>) -> Result<Self, HolidaysError> {
        let named = days.len();
        let days: BTreeSet<Date> = days.into_iter().collect();
        if named > MOST_HOLIDAYS || days.len() != named {
            return Err(HolidaysError);
        }
        Ok(Self(days))
    }
}

impl From<Holidays> for Vec<Date> {
    fn from(holidays: Holidays) -> Self {
        holidays.0.into_iter().collect()
    }
}

impl Holidays {
    /// Whether somebody works on a day.
    #[must_use]
    pub fn is_working_day(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        !weekend && !self.0.contains(&day)
    }

    /// The last of so many working days after a day.
    #[must_use]
    pub fn after(&self, day: Date, working_days: u32) -> Date {
        let mut day = day;
        let mut left = working_days;
        while left > 0 {
            let Ok(next) = day.tomorrow() else { return day };
            day = next;
            left -= u32::from(self.is_working_day(day));
        }
        day
    }

    /// The latest day after which so many working days have gone by: what began on it or before is
    /// overdue today.
    #[must_use]
    pub fn overdue_since(&self, today: Date, working_days: u32) -> Date {
        let mut day = today;
        while self.after(day, working_days) >= today {
            let Ok(before) = day.yesterday() else { return day };
            day = before;
        }
        day
    }
}

/// The first instant after a day: from then on what was due on that day is overdue.
#[must_use]
pub fn end_of(day: Date) -> Timestamp {
    let next = day.tomorrow().and_then(|next| next.to_zoned(civil_zone()));
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

/// Whether a day is over.
#[must_use]
pub fn is_over(day: Date, now: Timestamp) -> bool {
    now >= end_of(day)
}

#[cfg(test)]
mod tests;
