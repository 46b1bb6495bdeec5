//! The ministry's own system, in the pattern of 2026: token, dossier number, files, dossier,
//! progress, status.
//!
//! Order and names of the calls are public; envelope, most members and error codes are the
//! stand-in's own. A token that has ended is answered with status 401.

use serde_json::Value;

use super::{
    Desk,
    case::Change,
    check::{self, Rules, moment},
    desk::{file_of, map, step},
    digest,
    refusal::{MALFORMED, PortalError, UNKNOWN_AGENCY, UNKNOWN_WARD},
    work::{FileOf, Reply, Work},
};
use crate::{
    server::{Request, pairs},
    synthetic::wards,
};

/// Whether a call is one of the ministry's system.
pub(super) fn is_call(call: &str) -> bool {
    const CALLS: &[&str] =
        &["token", "GetNextValue", "UploadFile", "NoiHoSo", "CapNhatTienTrinh", "CapNhatTrangThai"];
    CALLS.contains(&call)
}

/// Members that a dossier must have.
const DOSSIER: &[&str] =
    &["MaHoSo", "MaDichVuCong", "MaDonViTiepNhan", "NgayTiepNhan", "ThongTinNguoiNop"];

impl Desk {
    /// Reads a call of the ministry's system.
    pub(super) fn read_ministry(&self, request: &Request) -> Result<Work, PortalError> {
        if request.call() == "token" {
            return self.token(request);
        }
        let bearer = request.header("authorization").strip_prefix("Bearer ");
        self.take_session(bearer.unwrap_or_else(|| request.header("token")))?;
        if request.call() == "UploadFile" {
            return file_of(request, FileOf::Ministry);
        }
        let body: Value = serde_json::from_slice(&request.body).map_err(|_| MALFORMED)?;
        match request.call() {
            "GetNextValue" => self.number(&body),
            "NoiHoSo" => self.dossier(body),
            "CapNhatTienTrinh" => {
                self.check(&body, &["MaHoSo", "ThoiDiemXuLy", "TrangThai"])?;
                let (change, record) = step(body)?;
                Ok(Work::MinistryStep(change, record))
            }
            _ => {
                self.check(&body, &["MaHoSo", "TrangThai", "ThoiDiem"])?;
                let members = map(&body)?;
                let code = check::key(members, "MaHoSo")?.to_owned();
                let status = check::status(members, "TrangThai")?;
                Ok(Work::MinistryStatus(Change { code, status, digest: 0, at: 0 }))
            }
        }
    }

    fn token(&self, request: &Request) -> Result<Work, PortalError> {
        let form = std::str::from_utf8(&request.body).map(pairs).unwrap_or_default();
        let text = |name: &str| {
            form.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str())
        };
        if text("grant_type") != "client_credentials" {
            return Err(MALFORMED);
        }
        self.is_account(text("client_id"), text("client_secret"))?;
        let token = self.open_session();
        let seconds = self.settings.session_seconds;
        Ok(Work::Opened(Reply::Token { token, seconds }))
    }

    fn check(&self, body: &Value, required: &'static [&'static str]) -> Result<(), PortalError> {
        let latest = self.latest();
        Rules { required, latest: latest.as_deref() }.check(map(body)?)
    }

    /// The ministry takes dossiers for its own units only.
    fn receiver<'a>(&self, body: &'a Value) -> Result<&'a str, PortalError> {
        let agency = check::key(map(body)?, "MaDonViTiepNhan")?;
        let known = agency.starts_with("G98.") || self.settings.agencies.contains(agency);
        if known { Ok(agency) } else { Err(UNKNOWN_AGENCY) }
    }

    fn number(&self, body: &Value) -> Result<Work, PortalError> {
        self.check(body, &["MaDonViTiepNhan", "MaDichVuCong"])?;
        self.procedure(check::key(map(body)?, "MaDichVuCong")?)?;
        let agency = self.receiver(body)?.to_owned();
        let now = moment(self.now());
        let day = now.get(2..8).unwrap_or_default().to_owned();
        Ok(Work::Number { agency, day })
    }

    fn dossier(&self, body: Value) -> Result<Work, PortalError> {
        self.check(&body, DOSSIER)?;
        self.receiver(&body)?;
        let members = map(&body)?;
        self.procedure(check::key(members, "MaDichVuCong")?)?;
        let applicant = members.get("ThongTinNguoiNop").and_then(Value::as_object);
        let ward = applicant.and_then(|a| a.get("MaXa")).and_then(Value::as_str);
        if ward.is_some_and(|code| wards().iter().all(|ward| ward.code != code)) {
            return Err(UNKNOWN_WARD);
        }
        let code = check::key(members, "MaHoSo")?.to_owned();
        let change = Change { code, status: 1, digest: digest::of(&body), at: 0 };
        Ok(Work::HandOver(change, body))
    }
}
