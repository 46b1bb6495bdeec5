//! Dates as people and databases write them, in the form a platform wants.
//!
//! Day comes before month wherever a slash stands. What the row does not say is never filled in: a
//! day without a time is no moment, and a year alone is no day.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
};
use lienthong_model::clock::civil_zone;

/// The form of a date on the wire, in civil time of Ho Chi Minh City.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// `yyyyMMddHHmmss`; the row must hold a time.
    Moment,
    /// `yyyyMMddHHmmss` of the first second of a day, for wires that have no form for a day.
    DayStart,
    /// `yyyyMMdd`.
    Day,
}

/// Civil times with a time of day.
const MOMENTS: &[&str] = &[
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%Y%m%d%H%M%S",
];
/// Days.
const DAYS: &[&str] = &["%Y-%m-%d", "%d/%m/%Y", "%Y%m%d"];

impl DateForm {
    pub(crate) const NAMES: [(&'static str, Self); 3] =
        [("moment", Self::Moment), ("day_start", Self::DayStart), ("day", Self::Day)];

    /// The date of `text` in this form.
    pub(crate) fn write(self, text: &str) -> Result<String, &'static str> {
        let read = read(text.trim());
        match (self, read) {
            (_, Read::Nothing) => Err("is not a date"),
            (Self::Moment, Read::Day(_)) => Err("has a day but no time"),
            (Self::Moment, Read::Moment(at)) => Ok(at.strftime("%Y%m%d%H%M%S").to_string()),
            (Self::DayStart, read) => Ok(format!("{}000000", read.day().strftime("%Y%m%d"))),
            (Self::Day, read) => Ok(read.day().strftime("%Y%m%d").to_string()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Moment(DateTime),
    Day(Date),
    Nothing,
}

impl Read {
    fn day(self) -> Date {
        match self {
            Self::Moment(at) => at.date(),
            Self::Day(day) => day,
            Self::Nothing => Date::ZERO,
        }
    }
}

fn read(text: &str) -> Read {
    // With an offset it is an instant; without one it is civil time here.
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Read::Moment(instant.to_zoned(civil_zone()).datetime());
    }
    let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
        let fractional = fraction.bytes().all(|b| b.is_ascii_digit()) && whole.contains(':');
        if fractional { whole } else { text }
    });
    // `%Y` takes fewer than four digits, so that `1/2/26` would be the year 26.
    let is_plausible = |date: Date| (1800..=2200).contains(&date.year());
    let moment = MOMENTS.iter().find_map(|form| DateTime::strptime(form, whole).ok());
    if let Some(at) = moment.filter(|at| is_plausible(at.date())) {
        return Read::Moment(at);
    }
    let day = DAYS.iter().find_map(|form| Date::strptime(form, whole).ok());
    day.filter(|day| is_plausible(*day)).map_or(Read::Nothing, Read::Day)
}
