//! Questions that citizens put on the portal, and reports that the 1022 centre gives to units: lists
//! that grow, read page by page. Everyone in them is synthetic.

use serde_json::{Map, Value, json};

use super::{
    check::moment,
    record::{ANSWERS, Records},
};

/// Questions or reports of a page.
pub(crate) const PAGE: usize = 100;
/// Most questions or reports held.
const MOST: usize = 100_000;

/// A question of someone who does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its code.
    pub id: String,
    /// Agency that is to answer.
    pub agency: String,
    /// Code of the procedure it is about.
    pub procedure: String,
    /// Its words.
    pub text: String,
    /// When it was asked.
    pub asked_at: jiff::Timestamp,
    /// Who asks.
    pub name: String,
    /// Telephone.
    pub phone: Option<String>,
}

impl Question {
    /// The question of this number, always the same.
    #[must_use]
    pub fn synthetic(number: u32, asked_at: jiff::Timestamp) -> Self {
        let index = usize::try_from(number).unwrap_or_default();
        let procedures = crate::synthetic::PROCEDURES;
        let procedure = procedures.get(index % procedures.len()).map_or("", |p| p.code);
        Self {
            id: format!("HD-{number:06}"),
            agency: "H29.40".to_owned(),
            procedure: procedure.to_owned(),
            text: format!("Cần giấy tờ gì cho thủ tục này? (câu hỏi mẫu số {number})"),
            asked_at,
            name: "Người Hỏi Mẫu".to_owned(),
            phone: Some(format!("0599{number:06}")),
        }
    }

    fn json(&self) -> Value {
        json!({
            "MaHoiDap": self.id,
            "MaDonVi": self.agency,
            "MaTTHC": self.procedure,
            "NoiDungCauHoi": self.text,
            "NgayGui": moment(self.asked_at),
            "NguoiHoi": self.name,
            "SoDienThoai": self.phone,
        })
    }
}

/// The questions asked so far, and the reports given to units.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    asked: Vec<Question>,
    reports: Vec<Value>,
}

impl Questions {
    /// Adds a question. False when the list is full or has one of this code.
    pub(crate) fn ask(&mut self, question: Question) -> bool {
        let fits = self.asked.len() < MOST && self.asked.iter().all(|q| q.id != question.id);
        if fits {
            self.asked.push(question);
        }
        fits
    }

    /// Adds a report for the unit it names in `MaDonVi`. False when the list is full.
    pub(crate) fn assign(&mut self, report: Value) -> bool {
        let fits = self.reports.len() < MOST;
        if fits {
            self.reports.push(report);
        }
        fits
    }

    pub(crate) fn len(&self) -> usize {
        self.asked.len()
    }

    pub(crate) fn knows(&self, id: &str) -> bool {
        self.asked.iter().any(|question| question.id == id)
    }

    /// A page of the questions without an answer. The wait of a question ends with its answer.
    pub(crate) fn open(&self, filter: &Map<String, Value>, records: &Records) -> Vec<Value> {
        let from = filter.get("TuNgay").and_then(Value::as_str).unwrap_or_default();
        self.asked
            .iter()
            .filter(|question| !records.holds(ANSWERS.call, &question.id))
            .filter(|question| *from <= *moment(question.asked_at))
            .skip(skip(filter, PAGE))
            .take(PAGE)
            .map(Question::json)
            .collect()
    }

    /// A page of the reports that a unit is in charge of.
    pub(crate) fn reports(&self, unit: &str, filter: &Map<String, Value>) -> Vec<Value> {
        let from = filter.get("TuNgay").and_then(Value::as_str).unwrap_or_default();
        let text = |report: &Value, name: &str| {
            report.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        self.reports
            .iter()
            .filter(|report| text(report, "MaDonVi") == unit)
            .filter(|report| *from <= *text(report, "NgayTiepNhan"))
            .skip(skip(filter, PAGE))
            .take(PAGE)
            .cloned()
            .collect()
    }
}

/// How many come before the page that is asked for.
pub(crate) fn skip(filter: &Map<String, Value>, page: usize) -> usize {
    let number = filter.get("Trang").and_then(Value::as_u64).unwrap_or(1).max(1);
    usize::try_from(number - 1).unwrap_or(usize::MAX).saturating_mul(page)
}

/// Published answers of agencies; the stand-in's own.
pub(crate) fn published(filter: &Map<String, Value>) -> Vec<Value> {
    let answer = |(number, procedure): (usize, &crate::synthetic::Procedure)| {
        json!({
            "MaHoiDap": format!("CK-{:06}", number + 1),
            "MaDonVi": "G22",
            "MaTTHC": procedure.code,
            "MaLinhVuc": procedure.field_code,
            "NoiDungCauHoi": "Thủ tục này làm ở đâu? (mẫu)",
            "NoiDungTraLoi": "Tại trung tâm phục vụ hành chính công bất kỳ. (mẫu)",
            "NgayCapNhat": "20260105080000",
        })
    };
    let all = crate::synthetic::PROCEDURES.iter().enumerate().map(answer);
    all.skip(skip(filter, PAGE)).take(PAGE).collect()
}
