//! Dates in the form a platform wants. What the row does not say is never filled in: a day without
//! a time is no moment, and a year alone is no day.

use lienthong_model::partial_date::{DateError, PartialDate, Precision, WrittenDate};
use serde_json::Value;

/// The form of a date on the wire, in civil time of Ho Chi Minh City.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateForm {
    /// `yyyyMMddHHmmss`; the row must hold a time.
    Moment,
    /// `yyyyMMddHHmmss` of the first second of a day, for wires that have no form for a day.
    DayStart,
    /// `yyyyMMdd`.
    Day,
    /// `yyyyMMdd`; the field is left out when the day is not known.
    DayIfKnown,
    /// `yyyy`; the field is left out when the day is known.
    YearIfNoDay,
    /// `dd/MM/yyyy`.
    DayMonthYear,
    /// `MM/yyyy`.
    MonthYear,
    /// `yyyy`.
    Year,
    /// `dd/MM/yyyy`, `MM/yyyy` or `yyyy`, as precise as it is known.
    AsKnown,
    /// The digits of social insurance: `yyyyMMdd`, `yyyyMM` or `yyyy`.
    SocialInsurance,
    /// `loaiNgaySinh` of social insurance: 0 full, 1 year, 2 year and month.
    SocialInsuranceKind,
}

const NO_DAY: &str = "has no day";

impl DateForm {
    pub(crate) const NAMES: &[(&'static str, Self)] = &[
        ("moment", Self::Moment),
        ("day_start", Self::DayStart),
        ("day", Self::Day),
        ("day_if_known", Self::DayIfKnown),
        ("year_if_no_day", Self::YearIfNoDay),
        ("day_month_year", Self::DayMonthYear),
        ("month_year", Self::MonthYear),
        ("year", Self::Year),
        ("as_known", Self::AsKnown),
        ("social_insurance", Self::SocialInsurance),
        ("social_insurance_kind", Self::SocialInsuranceKind),
    ];

    /// The date of `text` in this form; nothing when the field is to be left out.
    pub(super) fn write(self, text: &str) -> Result<Option<Value>, &'static str> {
        let written: WrittenDate = text.parse().map_err(|error| match error {
            DateError::Form => "is not a date",
            DateError::Calendar => "is not a date of the calendar",
        })?;
        let date = written.date;
        let text = match self {
            Self::Moment => match written.to_moment() {
                Some(moment) => moment,
                None if date.precision() < Precision::Day => return Err(NO_DAY),
                None => return Err("has a day but no time"),
            },
            Self::DayStart => format!("{}000000", date.to_compact().ok_or(NO_DAY)?),
            Self::Day => date.to_compact().ok_or(NO_DAY)?,
            Self::DayIfKnown => return Ok(date.to_compact().map(Value::from)),
            Self::YearIfNoDay => return Ok(year_if_no_day(date)),
            Self::DayMonthYear => date.to_day_month_year().ok_or(NO_DAY)?,
            Self::MonthYear => date.to_month_year().ok_or("has no month")?,
            Self::Year => date.to_year(),
            Self::AsKnown => date.to_known(),
            Self::SocialInsurance => date.to_social_insurance().digits(),
            Self::SocialInsuranceKind => date.to_social_insurance().kind.to_string(),
        };
        Ok(Some(Value::from(text)))
    }
}

fn year_if_no_day(date: PartialDate) -> Option<Value> {
    let has_day = date.precision() == Precision::Day;
    (!has_day).then(|| Value::from(date.to_year()))
}
