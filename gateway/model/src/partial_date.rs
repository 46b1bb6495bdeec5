//! Dates as precise as they are known: to the day, the month or the year.
//!
//! Takes what people and databases write; gives what platforms want. The day comes before the month
//! wherever a slash stands, and what is not known is never filled in: a birth year is no 1 January.

mod read;

use std::{fmt, str::FromStr};

use jiff::civil::{Date, DateTime, Time, date};

/// A date and how precisely it is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartialDate {
    /// A year alone.
    Year(i16),
    /// A month of a year.
    Month(i16, i8),
    /// A day.
    Day(Date),
}

/// How precisely a date is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    /// The year.
    Year,
    /// Year and month.
    Month,
    /// The day.
    Day,
}

/// A date, with the time of day where one is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WrittenDate {
    /// The date.
    pub date: PartialDate,
    /// The time of day, in civil time of Ho Chi Minh City. Only with a day.
    pub time: Option<Time>,
}

/// Why a text is not a date. Reads on after the name of a field, and holds no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateError {
    /// No form of a date.
    #[error("is not a date")]
    Form,
    /// The form of one, and no such day, month or time.
    #[error("is not in the calendar")]
    Calendar,
}

/// `loaiNgaySinh` of social insurance: how precise a birth date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocialInsuranceDate {
    /// 0 a full date, 1 a year, 2 a year and month.
    pub kind: u8,
    digits: PartialDate,
}

impl SocialInsuranceDate {
    /// `yyyyMMdd`, `yyyy` or `yyyyMM`. That the partial ones are written like this is an
    /// assumption: the public guide shows the full form only.
    #[must_use]
    pub fn digits(&self) -> String {
        match self.digits {
            PartialDate::Year(year) => format!("{year:04}"),
            PartialDate::Month(year, month) => format!("{year:04}{month:02}"),
            PartialDate::Day(day) => compact(day),
        }
    }
}

impl PartialDate {
    /// How precisely it is known.
    #[must_use]
    pub fn precision(self) -> Precision {
        match self {
            Self::Year(_) => Precision::Year,
            Self::Month(..) => Precision::Month,
            Self::Day(_) => Precision::Day,
        }
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i16 {
        match self {
            Self::Year(year) | Self::Month(year, _) => year,
            Self::Day(day) => day.year(),
        }
    }

    /// The month, where it is known.
    #[must_use]
    pub fn month(self) -> Option<i8> {
        match self {
            Self::Year(_) => None,
            Self::Month(_, month) => Some(month),
            Self::Day(day) => Some(day.month()),
        }
    }

    /// The day, where it is known.
    #[must_use]
    pub fn day(self) -> Option<Date> {
        match self {
            Self::Day(day) => Some(day),
            _ => None,
        }
    }

    /// The first and the last day it can mean.
    #[must_use]
    pub fn span(self) -> (Date, Date) {
        match self {
            Self::Year(year) => (date(year, 1, 1), date(year, 12, 31)),
            Self::Month(year, month) => {
                let first = date(year, month, 1);
                (first, first.last_of_month())
            }
            Self::Day(day) => (day, day),
        }
    }

    /// `yyyyMMdd`; `None` when the day is not known.
    #[must_use]
    pub fn to_compact(self) -> Option<String> {
        self.day().map(compact)
    }

    /// `dd/MM/yyyy`; `None` when the day is not known.
    #[must_use]
    pub fn to_day_month_year(self) -> Option<String> {
        let day = self.day()?;
        Some(format!("{:02}/{:02}/{:04}", day.day(), day.month(), day.year()))
    }

    /// `MM/yyyy`; `None` when the month is not known.
    #[must_use]
    pub fn to_month_year(self) -> Option<String> {
        self.month().map(|month| format!("{month:02}/{:04}", self.year()))
    }

    /// `yyyy`.
    #[must_use]
    pub fn to_year(self) -> String {
        format!("{:04}", self.year())
    }

    /// `dd/MM/yyyy`, `MM/yyyy` or `yyyy`, as precise as it is known.
    #[must_use]
    pub fn to_known(self) -> String {
        let day = self.to_day_month_year();
        day.or_else(|| self.to_month_year()).unwrap_or_else(|| self.to_year())
    }

    /// What social insurance takes: the digits and how precise they are.
    #[must_use]
    pub fn to_social_insurance(self) -> SocialInsuranceDate {
        let kind = match self.precision() {
            Precision::Day => 0,
            Precision::Year => 1,
            Precision::Month => 2,
        };
        SocialInsuranceDate { kind, digits: self }
    }
}

fn compact(day: Date) -> String {
    format!("{:04}{:02}{:02}", day.year(), day.month(), day.day())
}

impl WrittenDate {
    /// Day and time of day, where both are written.
    #[must_use]
    pub fn moment(self) -> Option<DateTime> {
        Some(self.date.day()?.to_datetime(self.time?))
    }

    /// `yyyyMMddHHmmss`; `None` when day or time is not written.
    #[must_use]
    pub fn to_moment(self) -> Option<String> {
        let (day, time) = (self.date.day()?, self.time?);
        Some(format!("{}{:02}{:02}{:02}", compact(day), time.hour(), time.minute(), time.second()))
    }
}

impl FromStr for PartialDate {
    type Err = DateError;

    /// Reads `d/M/yyyy`, `M/yyyy`, `yyyy`, `yyyyMMdd`, `yyyy-MM-dd` and `yyyy-MM`.
    fn from_str(text: &str) -> Result<Self, DateError> {
        let written: WrittenDate = text.parse()?;
        if written.time.is_some() { Err(DateError::Form) } else { Ok(written.date) }
    }
}

impl FromStr for WrittenDate {
    type Err = DateError;

    /// Reads a [`PartialDate`], or a day with a time of day after a space or `T`. With an offset it
    /// is an instant, told in civil time of Ho Chi Minh City; without one it is that civil time.
    fn from_str(text: &str) -> Result<Self, DateError> {
        read::written(text.trim())
    }
}

/// Birth dates are personal: the precision is all that is shown.
impl fmt::Debug for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartialDate({:?})", self.precision())
    }
}

impl fmt::Debug for WrittenDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.date.fmt(f)
    }
}

#[cfg(test)]
mod tests;
