//! The cases the portal holds and the rules by which it takes changes to them.
//!
//! Statuses 1 to 10 and their names are public; the transitions are derived (no official diagram
//! has been seen).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::{MALFORMED, PortalError, PortalReport};

const UNKNOWN_PROCEDURE: PortalError =
    PortalError { code: "201", text: "ma thu tuc khong ton tai" };
const WRONG_DATE: PortalError = PortalError { code: "202", text: "ngay thang sai dinh dang" };
const ILLEGAL_TRANSITION: PortalError =
    PortalError { code: "203", text: "chuyen trang thai khong hop le" };
const OTHER_CONTENT: PortalError =
    PortalError { code: "204", text: "ho so da ton tai voi noi dung khac" };
const UNKNOWN_CASE: PortalError = PortalError { code: "205", text: "ho so khong ton tai" };

/// Fields that hold a point in time, as `yyyyMMddHHmmss`.
const DATES: &[&str] = &[
    "NgayTiepNhan",
    "NgayHenTra",
    "NgayTra",
    "NgayKetThucXuLy",
    "ThoiDiemXuLy",
    "NgayBatDau",
    "NgayKetThucTheoQuyDinh",
    "NgayBoSung",
    "NgayHenTraTruoc",
    "NgayHenTraMoi",
];

/// The statuses that may follow `status`.
#[must_use]
pub(super) fn next_statuses(status: u8) -> &'static [u8] {
    match status {
        1 => &[2, 3, 7],
        2 => &[4, 5, 7, 8],
        4 => &[5, 6, 7, 8, 9],
        5 | 6 => &[4, 7, 8],
        9 => &[10],
        _ => &[],
    }
}

#[derive(Debug)]
struct Case {
    status: u8,
    content: Map<String, Value>,
    progress: Vec<Map<String, Value>>,
}

/// The cases by code.
#[derive(Debug)]
pub(crate) struct Cases {
    procedures: BTreeSet<String>,
    cases: BTreeMap<String, Case>,
    accepted: Vec<Value>,
}

type Taken = Result<Value, PortalError>;

impl Cases {
    pub(crate) fn new(procedures: BTreeSet<String>) -> Self {
        Self { procedures, cases: BTreeMap::new(), accepted: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.cases.len()
    }

    pub(crate) fn progress_len(&self) -> usize {
        self.cases.values().map(|case| case.progress.len()).sum()
    }

    pub(crate) fn accepted(&self) -> &[Value] {
        &self.accepted
    }

    pub(crate) fn status_of(&self, code: &str) -> Option<u8> {
        self.cases.get(code).map(|case| case.status)
    }

    /// `DongBoHoSoMC`: a case as it stands now.
    pub(crate) fn sync(&mut self, body: &Value, report: &mut PortalReport) -> Taken {
        let updating = match body.get("isUpdating").and_then(Value::as_str) {
            Some("False") => false,
            Some("True") => true,
            _ => return Err(MALFORMED),
        };
        for record in records(body)? {
            self.sync_one(record, updating, report)?;
            self.accepted.push(Value::Object(record.clone()));
        }
        Ok(json!("thanh cong"))
    }

    fn sync_one(
        &mut self,
        record: &Map<String, Value>,
        updating: bool,
        report: &mut PortalReport,
    ) -> Result<(), PortalError> {
        let code = text(record, "MaHoSo").ok_or(MALFORMED)?;
        let procedure = text(record, "MaTTHC").ok_or(MALFORMED)?;
        let status = status(record, "TrangThaiHoSo")?;
        check_dates(record)?;
        if !self.procedures.contains(procedure) {
            return Err(UNKNOWN_PROCEDURE);
        }
        let Some(case) = self.cases.get_mut(code) else {
            if updating || !matches!(status, 1 | 2) {
                report.order_violations += 1;
                return Err(if updating { UNKNOWN_CASE } else { ILLEGAL_TRANSITION });
            }
            let case = Case { status, content: record.clone(), progress: Vec::new() };
            self.cases.insert(code.to_owned(), case);
            return Ok(());
        };
        if case.content == *record {
            report.repeated += 1;
            return Ok(());
        }
        if !updating {
            return Err(OTHER_CONTENT);
        }
        move_to(case, status, report)?;
        case.content = record.clone();
        Ok(())
    }

    /// `CapNhatTienDoHoSoMC`: one step of the work on a case. What the real portal does with a
    /// repeated step is not known: this one keeps it twice and counts it.
    pub(crate) fn progress(&mut self, body: &Value, report: &mut PortalReport) -> Taken {
        for record in records(body)? {
            let code = text(record, "MaHoSo").ok_or(MALFORMED)?;
            let at = text(record, "ThoiDiemXuLy").ok_or(MALFORMED)?;
            let status = status(record, "TrangThai")?;
            check_dates(record)?;
            let Some(case) = self.cases.get_mut(code) else {
                report.order_violations += 1;
                return Err(UNKNOWN_CASE);
            };
            if case.progress.contains(record) {
                report.duplicates += 1;
            } else {
                let last = case.progress.last().and_then(|p| text(p, "ThoiDiemXuLy"));
                if last.is_some_and(|last| at < last) {
                    report.order_violations += 1;
                }
                move_to(case, status, report)?;
            }
            case.progress.push(record.clone());
            self.accepted.push(Value::Object(record.clone()));
        }
        Ok(json!("thanh cong"))
    }

    /// `TraCuuHoSo`: what is held about a case.
    pub(crate) fn look_up(&self, body: &Value) -> Taken {
        let mut found = Vec::new();
        for record in records(body)? {
            let code = text(record, "MaHoSo").ok_or(MALFORMED)?;
            let case = self.cases.get(code).ok_or(UNKNOWN_CASE)?;
            let steps: Vec<Value> = case
                .progress
                .iter()
                .map(|step| json!({"ThoiDiemXuLy": step.get("ThoiDiemXuLy"), "TrangThai": step.get("TrangThai")}))
                .collect();
            found.push(json!({
                "MaHoSo": code,
                "TrangThaiHoSo": case.status.to_string(),
                "QuaTrinhXuLy": steps,
            }));
        }
        Ok(Value::Array(found))
    }
}

fn move_to(case: &mut Case, status: u8, report: &mut PortalReport) -> Result<(), PortalError> {
    if status != case.status && !next_statuses(case.status).contains(&status) {
        report.order_violations += 1;
        return Err(ILLEGAL_TRANSITION);
    }
    case.status = status;
    Ok(())
}

fn records(body: &Value) -> Result<Vec<&Map<String, Value>>, PortalError> {
    let items = body.get("data").and_then(Value::as_array).ok_or(MALFORMED)?;
    if items.is_empty() || items.len() > 100 {
        return Err(MALFORMED);
    }
    items.iter().map(|item| item.as_object().ok_or(MALFORMED)).collect()
}

fn text<'a>(record: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    record.get(field).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A status, which some send as a number and some as a text.
fn status(record: &Map<String, Value>, field: &str) -> Result<u8, PortalError> {
    let value = record.get(field).ok_or(MALFORMED)?;
    let number = match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    match number {
        Some(n) if (1..=10).contains(&n) => u8::try_from(n).map_err(|_| MALFORMED),
        _ => Err(MALFORMED),
    }
}

fn check_dates(record: &Map<String, Value>) -> Result<(), PortalError> {
    for (field, value) in record {
        if let Value::Array(items) = value {
            for item in items.iter().filter_map(Value::as_object) {
                check_dates(item)?;
            }
        }
        let wrong = DATES.contains(&field.as_str())
            && value.as_str().is_none_or(|text| !text.is_empty() && !is_moment(text));
        if wrong && !value.is_null() {
            return Err(WRONG_DATE);
        }
    }
    Ok(())
}

/// Whether the text is a calendar date and time as `yyyyMMddHHmmss`.
fn is_moment(text: &str) -> bool {
    text.len() == 14
        && text.bytes().all(|b| b.is_ascii_digit())
        && DateTime::strptime("%Y%m%d%H%M%S", text).is_ok()
}

#[cfg(test)]
mod tests;
