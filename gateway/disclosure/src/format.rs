//! The string formats that a schema can name, each checked in full.

use lienthong_model::schema::StringFormat;

/// Whether `text` is of the format.
pub(crate) fn is_valid(format: StringFormat, text: &str) -> bool {
    let bytes = text.as_bytes();
    match format {
        StringFormat::Date => after_dashed_date(bytes).is_some_and(<[u8]>::is_empty),
        StringFormat::DateTime => is_date_time(bytes),
        StringFormat::Uuid => is_uuid(bytes),
        StringFormat::Email => is_email(text),
        StringFormat::CitizenNumber => are_digits(bytes, 12),
        StringFormat::WardCode => are_digits(bytes, 5),
    }
}

/// Whether `bytes` are exactly `count` ASCII digits.
pub(crate) fn are_digits(bytes: &[u8], count: usize) -> bool {
    bytes.len() == count && bytes.iter().all(u8::is_ascii_digit)
}

fn digits(bytes: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (head, rest) = bytes.split_at_checked(count)?;
    let value = head
        .iter()
        .try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(*b - b'0')))?;
    Some((value, rest))
}

/// Whether it is a day of the calendar. `0000` is a year, as in RFC 3339.
fn is_day(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=last).contains(&day)
}

/// What follows `yyyy-MM-dd`.
fn after_dashed_date(bytes: &[u8]) -> Option<&[u8]> {
    let (year, rest) = digits(bytes, 4)?;
    let (month, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
    let (day, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
    is_day(year, month, day).then_some(rest)
}

/// What follows `yyyyMMdd`.
fn after_plain_date(bytes: &[u8]) -> Option<&[u8]> {
    let (year, rest) = digits(bytes, 4)?;
    let (month, rest) = digits(rest, 2)?;
    let (day, rest) = digits(rest, 2)?;
    is_day(year, month, day).then_some(rest)
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateShape {
    /// `yyyy-MM-dd`, alone or before a time.
    Dashed,
    /// `yyyyMMdd`, alone or before `HHmmss`.
    Plain,
}

/// How the date or date-time in `text` is written; none when it is not a real one.
pub(crate) fn date_shape(text: &str) -> Option<DateShape> {
    let bytes = text.as_bytes();
    match bytes.len() {
        8 => after_plain_date(bytes).map(|_| DateShape::Plain),
        14 => {
            let (hour, rest) = digits(after_plain_date(bytes)?, 2)?;
            let (minute, rest) = digits(rest, 2)?;
            let (second, _) = digits(rest, 2)?;
            (hour < 24 && minute < 60 && second < 61).then_some(DateShape::Plain)
        }
        10 => after_dashed_date(bytes).map(|_| DateShape::Dashed),
        _ => is_date_time(bytes).then_some(DateShape::Dashed),
    }
}

/// RFC 3339 `date-time`. A leap second is accepted only where one can be: 23:59:60 UTC.
fn is_date_time(bytes: &[u8]) -> bool {
    let Some(rest) = after_dashed_date(bytes) else { return false };
    let rest = rest.strip_prefix(b"T").or_else(|| rest.strip_prefix(b"t"));
    rest.and_then(time).is_some()
}

fn time(bytes: &[u8]) -> Option<()> {
    let (hour, rest) = digits(bytes, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let (second, mut rest) = digits(rest.strip_prefix(b":")?, 2)?;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let count = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        rest = fraction.get(count..).filter(|_| count > 0)?;
    }
    let offset = offset_minutes(rest)?;
    let utc = (i64::from(hour * 60 + minute) - offset).rem_euclid(24 * 60);
    let leap = second < 60 || second == 60 && utc == 23 * 60 + 59;
    (hour < 24 && minute < 60 && leap).then_some(())
}

/// Minutes east of UTC.
fn offset_minutes(bytes: &[u8]) -> Option<i64> {
    let (sign, rest) = bytes.split_first()?;
    if matches!(sign, b'Z' | b'z') {
        return rest.is_empty().then_some(0);
    }
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let east = i64::from(hours * 60 + minutes);
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * east)
}

/// RFC 9562, either case.
fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// RFC 5321 mailbox of a dot-atom and a host name. Quoted local parts and address literals are
/// refused: no one's mailbox needs them, and they are read differently by different software.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let is_atom = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&b))
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    (1..=64).contains(&local.len())
        && local.split('.').all(is_atom)
        && (1..=253).contains(&host.len())
        && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests;
