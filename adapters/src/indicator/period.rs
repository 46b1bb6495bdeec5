//! Periods of indicators, in civil time of the city: `2026-11-29`, `2026-w48`, `2026-11`, `2026-q4`,
//! `2026`.

use std::{fmt, str::FromStr};

use jiff::{
    Span, ToSpan as _,
    civil::{Date, ISOWeekDate, Weekday, date},
};

/// How long the periods of an indicator are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodKind {
    /// A day.
    Day,
    /// A week of ISO 8601, from Monday.
    Week,
    /// A month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// A year.
    Year,
}

impl PeriodKind {
    /// Every kind by its name.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("quarter", Self::Quarter),
        ("year", Self::Year),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    fn length(self) -> Span {
        match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        }
    }
}

impl FromStr for PeriodKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, kind)| *kind)
            .ok_or("not one of `day`, `week`, `month`, `quarter` and `year`")
    }
}

/// One period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Period {
    kind: PeriodKind,
    first: Date,
}

impl Period {
    /// The period in which a day lies.
    pub(crate) fn of(kind: PeriodKind, day: Date) -> Self {
        let (year, month) = (day.year(), day.month());
        let first = match kind {
            PeriodKind::Day => day,
            PeriodKind::Week => {
                let behind = i64::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(behind.days()).unwrap_or(day)
            }
            PeriodKind::Month => day.first_of_month(),
            PeriodKind::Quarter => date(year, (month - 1) / 3 * 3 + 1, 1),
            PeriodKind::Year => date(year, 1, 1),
        };
        Self { kind, first }
    }

    /// Reads a period of this kind.
    pub(crate) fn parse(kind: PeriodKind, text: &str) -> Option<Self> {
        let (year, rest) = text.split_at_checked(4)?;
        let year: i16 = year.parse().ok()?;
        let rest = rest.strip_prefix('-');
        let number = |text: &str| text.parse::<i8>().ok().filter(|n| *n > 0);
        let first = match (kind, rest) {
            (PeriodKind::Year, None) => Date::new(year, 1, 1).ok()?,
            (PeriodKind::Month, Some(month)) => Date::new(year, number(month)?, 1).ok()?,
            (PeriodKind::Quarter, Some(rest)) => {
                let quarter = number(rest.strip_prefix('q')?).filter(|n| *n <= 4)?;
                Date::new(year, quarter * 3 - 2, 1).ok()?
            }
            (PeriodKind::Week, Some(rest)) => {
                let week = number(rest.strip_prefix('w')?)?;
                ISOWeekDate::new(year, week, Weekday::Monday).ok()?.date()
            }
            (PeriodKind::Day, Some(_)) => Date::strptime("%Y-%m-%d", text).ok()?,
            _ => return None,
        };
        let period = Self { kind, first };
        // One way to write each: it is a key.
        (period.to_string() == text).then_some(period)
    }

    /// Its first day.
    pub(crate) fn first_day(self) -> Date {
        self.first
    }

    /// The first day after it.
    pub(crate) fn end_day(self) -> Date {
        self.first.checked_add(self.kind.length()).unwrap_or(Date::MAX)
    }

    /// Its last day.
    pub(crate) fn last_day(self) -> Date {
        self.end_day().yesterday().unwrap_or(self.first)
    }

    /// The one after it.
    pub(crate) fn next(self) -> Self {
        Self { kind: self.kind, first: self.end_day() }
    }

    /// The day that comes so many days after its end.
    pub(crate) fn days_after(self, days: u32) -> Date {
        self.end_day().checked_add(i64::from(days).days()).unwrap_or(Date::MAX)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.first;
        let year = first.year();
        match self.kind {
            PeriodKind::Day => write!(f, "{first}"),
            PeriodKind::Week => {
                let week = first.iso_week_date();
                write!(f, "{:04}-w{:02}", week.year(), week.week())
            }
            PeriodKind::Month => write!(f, "{year:04}-{:02}", first.month()),
            PeriodKind::Quarter => write!(f, "{year:04}-q{}", (first.month() - 1) / 3 + 1),
            PeriodKind::Year => write!(f, "{year:04}"),
        }
    }
}

#[cfg(test)]
mod tests;
