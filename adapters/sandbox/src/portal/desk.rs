//! Reading a call: from the bytes of a request to [`Work`], without any lock but that of the sessions.

use serde_json::{Map, Value};

use super::{
    Desk,
    case::Change,
    catalogue,
    check::{self, Rules},
    digest, file, record,
    refusal::{
        LOGIN_FAILED, MALFORMED, PortalError, UNKNOWN_AGENCY, UNKNOWN_CALL, UNKNOWN_PROCEDURE,
    },
    work::{self, FileOf, Item, Reply, Work},
};
use crate::server::Request;

/// Members that a case must have.
const CASE: &[&str] = &["MaHoSo", "MaTTHC", "ChuHoSo", "NgayTiepNhan", "TrangThaiHoSo"];
/// Members that a step must have.
const STEP: &[&str] = &["MaHoSo", "ThoiDiemXuLy", "TrangThai"];

impl Desk {
    /// Reads a call of the portal.
    pub(super) fn read(&self, request: &Request) -> Result<Work, PortalError> {
        let call = request.call();
        if call == "TaiLenTepTin" {
            return self.upload(request);
        }
        let mut body: Value = serde_json::from_slice(&request.body).map_err(|_| MALFORMED)?;
        if call == "login" {
            return self.log_in(&body);
        }
        self.take_session(body.get("session").and_then(Value::as_str).unwrap_or_default())?;
        if !is_call(call) {
            return Err(UNKNOWN_CALL);
        }
        let agency = body.get("madonvi").and_then(Value::as_str).unwrap_or_default();
        self.agency(agency)?;
        if body.get("service").and_then(Value::as_str).is_some_and(|service| service != call) {
            return Err(MALFORMED);
        }
        if let Some(page) = catalogue::answer(call, &body) {
            return page.map(|page| Work::Ready(Reply::Result(page)));
        }
        if let Some(kind) = record::kind(call) {
            return self.records(kind, &mut body);
        }
        match call {
            "DongBoHoSoMC" => {
                let updating = check::is_updating(&body)?;
                let records = self.checked(&mut body, CASE)?;
                let change = |record: Value| self.case(record);
                let changes = records.into_iter().map(change).collect::<Result<_, _>>()?;
                Ok(Work::Sync { changes, updating })
            }
            "CapNhatTienDoHoSoMC" => {
                let records = self.checked(&mut body, STEP)?;
                Ok(Work::Steps(records.into_iter().map(step).collect::<Result<_, _>>()?))
            }
            "TraCuuHoSo" => Ok(Work::LookUp(self.codes(&mut body)?)),
            "traTrangThaiHoSo" => Ok(Work::Registered(self.codes(&mut body)?)),
            "LayDanhSachHoiDapGuiTuDVCQG" => Ok(Work::Questions(filter(&body))),
            "LayDanhSachHoiDapBoCoQuan" => Ok(work::published(&filter(&body))),
            _ => Ok(Work::Reports { unit: agency_of(&body), filter: filter(&body) }),
        }
    }

    fn log_in(&self, body: &Value) -> Result<Work, PortalError> {
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        self.is_account(text("username"), text("password"))?;
        Ok(Work::Opened(Reply::Session(self.open_session())))
    }

    /// Whether the account is the portal's.
    pub(super) fn is_account(&self, name: &str, password: &str) -> Result<(), PortalError> {
        let settings = &self.settings;
        let same = name == settings.username && password == settings.password;
        if same { Ok(()) } else { Err(LOGIN_FAILED) }
    }

    fn agency(&self, code: &str) -> Result<(), PortalError> {
        let known = catalogue::is_agency(code) || self.settings.agencies.contains(code);
        if known { Ok(()) } else { Err(UNKNOWN_AGENCY) }
    }

    fn upload(&self, request: &Request) -> Result<Work, PortalError> {
        self.take_session(request.header("session"))?;
        self.agency(request.header("madonvi"))?;
        file_of(request, FileOf::Portal)
    }

    /// The records of a call, each checked.
    fn checked(
        &self,
        body: &mut Value,
        required: &'static [&'static str],
    ) -> Result<Vec<Value>, PortalError> {
        let latest = self.latest();
        let rules = Rules { required, latest: latest.as_deref() };
        let records = check::records(body, self.settings.records_per_call)?;
        records.iter().filter_map(Value::as_object).try_for_each(|record| rules.check(record))?;
        Ok(records)
    }

    fn codes(&self, body: &mut Value) -> Result<Vec<String>, PortalError> {
        let records = self.checked(body, &["MaHoSo"])?;
        records.iter().map(|record| Ok(check::key(map(record)?, "MaHoSo")?.to_owned())).collect()
    }

    fn case(&self, record: Value) -> Result<(Change, Value), PortalError> {
        let members = map(&record)?;
        let code = check::key(members, "MaHoSo")?.to_owned();
        let status = check::status(members, "TrangThaiHoSo")?;
        self.procedure(check::key(members, "MaTTHC")?)?;
        let digest = digest::of(&record);
        Ok((Change { code, status, digest, at: 0 }, record))
    }

    /// Whether the procedure is known.
    pub(super) fn procedure(&self, code: &str) -> Result<(), PortalError> {
        let known = self.settings.procedures.contains(code);
        if known { Ok(()) } else { Err(UNKNOWN_PROCEDURE) }
    }

    fn records(&self, kind: &'static record::Kind, body: &mut Value) -> Result<Work, PortalError> {
        let updating = check::is_updating(body)?;
        let item = |record: Value| {
            let members = map(&record)?;
            let key = check::key(members, kind.key)?.to_owned();
            let case = members.get("MaHoSo").and_then(Value::as_str).map(str::to_owned);
            Ok(Item { key, digest: digest::of(&record), case, record })
        };
        let records = self.checked(body, kind.required)?;
        let items = records.into_iter().map(item).collect::<Result<_, _>>()?;
        Ok(Work::Records { kind, items, updating })
    }
}

/// One step of the work on a case.
pub(super) fn step(record: Value) -> Result<(Change, Value), PortalError> {
    let members = map(&record)?;
    let code = check::key(members, "MaHoSo")?.to_owned();
    let at = check::key(members, "ThoiDiemXuLy")?.parse().map_err(|_| MALFORMED)?;
    let status = check::status(members, "TrangThai")?;
    let digest = digest::of(&record);
    Ok((Change { code, status, digest, at }, record))
}

/// The file that a request is.
pub(super) fn file_of(request: &Request, of: FileOf) -> Result<Work, PortalError> {
    let file = file::examine(request.header("content-type"), &request.body)?;
    Ok(Work::File { file, length: request.body.len() as u64, of })
}

pub(super) fn map(record: &Value) -> Result<&Map<String, Value>, PortalError> {
    record.as_object().ok_or(MALFORMED)
}

fn filter(body: &Value) -> Map<String, Value> {
    body.pointer("/data/0").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn agency_of(body: &Value) -> String {
    body.get("madonvi").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn is_call(call: &str) -> bool {
    const CALLS: &[&str] = &[
        "DongBoHoSoMC",
        "CapNhatTienDoHoSoMC",
        "TraCuuHoSo",
        "traTrangThaiHoSo",
        "LayDanhSachHoiDapGuiTuDVCQG",
        "LayDanhSachHoiDapBoCoQuan",
        "LayDanhSachPhanAnh",
    ];
    CALLS.contains(&call) || record::kind(call).is_some() || catalogue::is_call(call)
}
