//! Civil days on which a consent holds.

use jiff::{Unit, civil::Date};
use serde::{Deserialize, Serialize};

/// From one civil date of Ho Chi Minh City to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
}

impl Period {
    /// A period, unless it ends before it begins.
    #[must_use]
    pub fn new(from: Date, until: Date) -> Option<Self> {
        (from <= until).then_some(Self { from, until })
    }

    /// Whether a day is within it.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }

    /// How many days it has.
    #[must_use]
    pub fn days(&self) -> i64 {
        let between = self.from.until((Unit::Day, self.until));
        between.map_or(i64::MAX, |span| i64::from(span.get_days()).saturating_add(1))
    }
}

/// A date in 32 bits, in the order of dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PackedDate(pub(crate) i32);

impl PackedDate {
    pub(crate) fn new(date: Date) -> Self {
        let day = i32::from(date.month()) * 32 + i32::from(date.day());
        Self(i32::from(date.year()) * 512 + day)
    }

    pub(crate) fn date(self) -> Option<Date> {
        let year = i16::try_from(self.0.div_euclid(512)).ok()?;
        let day = self.0.rem_euclid(512);
        Date::new(year, i8::try_from(day / 32).ok()?, i8::try_from(day % 32).ok()?).ok()
    }
}

#[cfg(test)]
mod tests;
