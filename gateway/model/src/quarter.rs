//! Quarters of a year in Ho Chi Minh City: the periods of digest keys, written `2026-q4`.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
};

use crate::clock::{civil_date, civil_zone};

/// A quarter of a civil year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter {
    year: i16,
    /// 1 to 4.
    quarter: i8,
}

/// Years that can be written.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=9998;

impl Quarter {
    /// The quarter in which an instant lies.
    #[must_use]
    pub fn of(instant: Timestamp) -> Self {
        let day = civil_date(instant);
        let year = day.year().clamp(*YEARS.start(), *YEARS.end());
        Self { year, quarter: (day.month() - 1) / 3 + 1 }
    }

    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self.quarter {
            4 => Self { year: (self.year + 1).min(*YEARS.end()), quarter: 1 },
            quarter => Self { year: self.year, quarter: quarter + 1 },
        }
    }

    /// Its first day.
    #[must_use]
    pub fn first_day(self) -> Date {
        date(self.year, self.quarter * 3 - 2, 1)
    }

    /// The first day after it.
    #[must_use]
    pub fn end_day(self) -> Date {
        self.first_day().checked_add(3.months()).unwrap_or(Date::MAX)
    }

    /// The instant at which it begins.
    #[must_use]
    pub fn begins(self) -> Timestamp {
        instant(self.first_day())
    }

    /// The instant at which it is over.
    #[must_use]
    pub fn ends(self) -> Timestamp {
        instant(self.end_day())
    }

    /// The first day on which so many months have passed since it ended.
    #[must_use]
    pub fn months_after(self, months: u32) -> Date {
        self.end_day().checked_add(i64::from(months).months()).unwrap_or(Date::MAX)
    }
}

fn instant(day: Date) -> Timestamp {
    day.to_zoned(civil_zone()).map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-q{}", self.year, self.quarter)
    }
}

/// The text names no quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a quarter such as `2026-q4`")]
pub struct NotAQuarter;

impl FromStr for Quarter {
    type Err = NotAQuarter;

    fn from_str(text: &str) -> Result<Self, NotAQuarter> {
        let (year, quarter) = text.split_once("-q").ok_or(NotAQuarter)?;
        let digits = |text: &str, count: usize| {
            text.len() == count && text.bytes().all(|b| b.is_ascii_digit())
        };
        if !digits(year, 4) || !digits(quarter, 1) {
            return Err(NotAQuarter);
        }
        let year = year.parse().map_err(|_| NotAQuarter)?;
        let quarter = quarter.parse().map_err(|_| NotAQuarter)?;
        let known = YEARS.contains(&year) && (1..=4).contains(&quarter);
        known.then_some(Self { year, quarter }).ok_or(NotAQuarter)
    }
}

#[cfg(test)]
mod tests;
