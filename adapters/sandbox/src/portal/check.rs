//! What every record is checked for before anything is looked up: members that must be there,
//! lengths, dates.

use jiff::{Timestamp, civil::DateTime, tz};
use serde_json::{Map, Value};

use super::refusal::{
    FUTURE_DATE, MALFORMED, MISSING_FIELD, PortalError, TOO_LONG, TOO_MANY_RECORDS, WRONG_DATE,
};

/// Most records of one call, unless the settings say otherwise.
pub(crate) const MOST_RECORDS: usize = 100;
/// Longest text of a member that is not listed.
const LONGEST: usize = 4_000;
/// Longest code of anything.
const LONGEST_KEY: usize = 64;

/// Members that hold a point in time, as `yyyyMMddHHmmss`.
const DATES: &[&str] = &[
    "NgayTiepNhan",
    "NgayHenTra",
    "NgayTra",
    "NgayKetThucXuLy",
    "ThoiDiemXuLy",
    "ThoiDiem",
    "NgayBatDau",
    "NgayKetThucTheoQuyDinh",
    "NgayBoSung",
    "NgayHenTraTruoc",
    "NgayHenTraMoi",
    "NgayTraLoi",
    "NgayCapNhat",
    "NgayDanhGia",
    "HanXuLy",
    "HanTraLoi",
];
/// Those of them that tell of what has happened.
const PAST: &[&str] = &[
    "NgayTiepNhan",
    "NgayTra",
    "NgayKetThucXuLy",
    "ThoiDiemXuLy",
    "ThoiDiem",
    "NgayTraLoi",
    "NgayDanhGia",
];
/// Longest texts, in characters.
const LENGTHS: &[(&str, usize)] = &[
    ("ChuHoSo", 200),
    ("HoTen", 200),
    ("TenTTHC", 500),
    ("TenLinhVuc", 200),
    ("SoDienThoai", 15),
    ("Email", 254),
    ("TrichYeuHoSo", 1_000),
    ("ThongTinTra", 1_000),
    ("DonViXuLy", 200),
    ("GhiChu", 1_000),
    ("TenTepDinhKem", 255),
    ("NguoiXuLy", 100),
    ("ChucDanh", 100),
    ("PhongBanXuLy", 200),
    ("NoiDungXuLy", 2_000),
    ("NoiDungTraLoi", 8_000),
];

/// The rules of one call's records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    /// Members that must be there and not empty.
    pub(crate) required: &'static [&'static str],
    /// The last moment that is not in the future, as the dates are written.
    pub(crate) latest: Option<&'a str>,
}

impl Rules<'_> {
    pub(crate) fn check(self, record: &Map<String, Value>) -> Result<(), PortalError> {
        for field in self.required {
            match record.get(*field) {
                None | Some(Value::Null) => return Err(MISSING_FIELD),
                Some(Value::String(text)) if text.is_empty() => return Err(MISSING_FIELD),
                Some(_) => {}
            }
        }
        self.members(record)
    }

    fn members(self, record: &Map<String, Value>) -> Result<(), PortalError> {
        record.iter().try_for_each(|(name, value)| self.value(name, value))
    }

    fn value(self, name: &str, value: &Value) -> Result<(), PortalError> {
        match value {
            Value::Object(map) => self.members(map),
            Value::Array(items) => items.iter().try_for_each(|item| self.value(name, item)),
            Value::String(text) => self.text(name, text),
            Value::Number(_) | Value::Bool(_) if DATES.contains(&name) => Err(WRONG_DATE),
            _ => Ok(()),
        }
    }

    fn text(self, name: &str, text: &str) -> Result<(), PortalError> {
        if DATES.contains(&name) {
            if !text.is_empty() && !is_moment(text) {
                return Err(WRONG_DATE);
            }
            let late = self.latest.is_some_and(|latest| PAST.contains(&name) && text > latest);
            return if late { Err(FUTURE_DATE) } else { Ok(()) };
        }
        let limit = LENGTHS.iter().find(|(n, _)| *n == name).map_or(LONGEST, |(_, most)| *most);
        // PERF: most texts have fewer bytes than they may have characters.
        if text.len() > limit && text.chars().count() > limit {
            return Err(TOO_LONG);
        }
        Ok(())
    }
}

/// Takes the records out of a call.
pub(crate) fn records(body: &mut Value, most: usize) -> Result<Vec<Value>, PortalError> {
    let Some(Value::Array(items)) = body.get_mut("data").map(Value::take) else {
        return Err(MALFORMED);
    };
    if items.len() > most {
        return Err(TOO_MANY_RECORDS);
    }
    if items.is_empty() || !items.iter().all(Value::is_object) {
        return Err(MALFORMED);
    }
    Ok(items)
}

/// A member that is a code: bounded, without control characters.
pub(crate) fn key<'a>(record: &'a Map<String, Value>, field: &str) -> Result<&'a str, PortalError> {
    let text = record.get(field).and_then(Value::as_str).unwrap_or_default();
    let good = !text.is_empty() && text.len() <= LONGEST_KEY && !text.contains(char::is_control);
    if good { Ok(text) } else { Err(MALFORMED) }
}

/// A status, which some send as a number and some as a text.
pub(crate) fn status(record: &Map<String, Value>, field: &str) -> Result<u8, PortalError> {
    let number = match record.get(field) {
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
        None => None,
    };
    match number {
        Some(n) if (1..=10).contains(&n) => u8::try_from(n).map_err(|_| MALFORMED),
        _ => Err(MALFORMED),
    }
}

/// `isUpdating`, which is a text.
pub(crate) fn is_updating(body: &Value) -> Result<Updating, PortalError> {
    match body.get("isUpdating").and_then(Value::as_str) {
        Some("False") => Ok(Updating::No),
        Some("True") => Ok(Updating::Yes),
        _ => Err(MALFORMED),
    }
}

/// Whether a record is new or changes what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Updating {
    No,
    Yes,
}

/// A point in time as the portal writes it.
pub(crate) fn moment(at: Timestamp) -> String {
    at.to_zoned(tz::TimeZone::fixed(tz::offset(7))).strftime("%Y%m%d%H%M%S").to_string()
}

/// Whether the text is a calendar date and time as `yyyyMMddHHmmss`.
fn is_moment(text: &str) -> bool {
    text.len() == 14
        && text.bytes().all(|b| b.is_ascii_digit())
        && DateTime::strptime("%Y%m%d%H%M%S", text).is_ok()
}

#[cfg(test)]
mod tests;
