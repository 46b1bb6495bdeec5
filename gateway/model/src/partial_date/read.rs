//! Reading of dates, by hand: it stands on the path of every row.

use std::ops::RangeInclusive;

use jiff::{
    Timestamp,
    civil::{Date, Time},
};

use super::{DateError, PartialDate, WrittenDate};
use crate::clock::civil_zone;

/// Years that a record can mean.
const YEARS: RangeInclusive<i16> = 1800..=2200;

pub(super) fn written(text: &str) -> Result<WrittenDate, DateError> {
    let Some((day, time)) = text.split_once(['T', ' ']) else {
        return match text.split_at_checked(8) {
            Some((day, time)) if text.len() == 14 && is_digits(text) => {
                let time = compact_time(time)?;
                Ok(WrittenDate { date: compact_day(day)?, time: Some(time) })
            }
            _ => Ok(WrittenDate { date: partial(text)?, time: None }),
        };
    };
    if time.ends_with(['Z', 'z']) || time.contains(['+', '-']) {
        return instant(text);
    }
    let PartialDate::Day(day) = partial(day)? else { return Err(DateError::Form) };
    Ok(WrittenDate { date: PartialDate::Day(day), time: Some(time_of_day(time.trim_start())?) })
}

fn instant(text: &str) -> Result<WrittenDate, DateError> {
    let instant: Timestamp = text.parse().map_err(|_| DateError::Form)?;
    let civil = instant.to_zoned(civil_zone()).datetime();
    let date = plausible(PartialDate::Day(civil.date()))?;
    Ok(WrittenDate { date, time: Some(civil.time()) })
}

fn partial(text: &str) -> Result<PartialDate, DateError> {
    if text.contains('/') {
        return slashed(text);
    }
    if text.contains('-') {
        return iso(text);
    }
    match (text.len(), is_digits(text)) {
        (8, true) => compact_day(text),
        (4, true) => plausible(PartialDate::Year(number(text, 4..=4)?)),
        _ => Err(DateError::Form),
    }
}

/// `d/M/yyyy` and `M/yyyy`; never the month first.
fn slashed(text: &str) -> Result<PartialDate, DateError> {
    let mut parts = text.split('/');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(day), Some(month), Some(year), None) => {
            let year = number(year, 4..=4)?;
            whole(year, number(month, 1..=2)?, number(day, 1..=2)?)
        }
        (Some(month), Some(year), None, None) => {
            month_of(number(year, 4..=4)?, number(month, 1..=2)?)
        }
        _ => Err(DateError::Form),
    }
}

fn iso(text: &str) -> Result<PartialDate, DateError> {
    let mut parts = text.split('-');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(year), Some(month), Some(day), None) => {
            let year = number(year, 4..=4)?;
            whole(year, number(month, 2..=2)?, number(day, 2..=2)?)
        }
        (Some(year), Some(month), None, None) => {
            month_of(number(year, 4..=4)?, number(month, 2..=2)?)
        }
        _ => Err(DateError::Form),
    }
}

/// `yyyyMMdd`.
fn compact_day(digits: &str) -> Result<PartialDate, DateError> {
    let part = |range| digits.get(range).ok_or(DateError::Form);
    let year = number(part(0..4)?, 4..=4)?;
    whole(year, number(part(4..6)?, 2..=2)?, number(part(6..8)?, 2..=2)?)
}

fn whole(year: i16, month: i16, day: i16) -> Result<PartialDate, DateError> {
    let small = |n: i16| i8::try_from(n).map_err(|_| DateError::Calendar);
    let day = Date::new(year, small(month)?, small(day)?).map_err(|_| DateError::Calendar)?;
    plausible(PartialDate::Day(day))
}

fn month_of(year: i16, month: i16) -> Result<PartialDate, DateError> {
    match i8::try_from(month) {
        Ok(month) if (1..=12).contains(&month) => plausible(PartialDate::Month(year, month)),
        _ => Err(DateError::Calendar),
    }
}

fn plausible(date: PartialDate) -> Result<PartialDate, DateError> {
    if YEARS.contains(&date.year()) { Ok(date) } else { Err(DateError::Form) }
}

/// `H:mm`, `H:mm:ss`, and a fraction of a second that no platform takes.
fn time_of_day(text: &str) -> Result<Time, DateError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let mut parts = whole.split(':');
    let hour = number(parts.next().unwrap_or_default(), 1..=2)?;
    let minute = number(parts.next().unwrap_or_default(), 2..=2)?;
    let second = match parts.next() {
        Some(second) => number(second, 2..=2)?,
        None if fraction == "0" => 0,
        None => return Err(DateError::Form),
    };
    if parts.next().is_some() || !is_digits(fraction) {
        return Err(DateError::Form);
    }
    time(hour, minute, second)
}

/// `HHmmss`.
fn compact_time(digits: &str) -> Result<Time, DateError> {
    let part = |range| number(digits.get(range).unwrap_or_default(), 2..=2);
    time(part(0..2)?, part(2..4)?, part(4..6)?)
}

fn time(hour: i16, minute: i16, second: i16) -> Result<Time, DateError> {
    let small = |n: i16| i8::try_from(n).map_err(|_| DateError::Calendar);
    Time::new(small(hour)?, small(minute)?, small(second)?, 0).map_err(|_| DateError::Calendar)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn number(text: &str, lengths: RangeInclusive<usize>) -> Result<i16, DateError> {
    if !lengths.contains(&text.len()) || !is_digits(text) {
        return Err(DateError::Form);
    }
    text.parse().map_err(|_| DateError::Form)
}
