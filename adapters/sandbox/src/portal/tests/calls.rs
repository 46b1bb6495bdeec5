//! Every call of every service the portal speaks, against the OpenAPI document of that service.

use serde_json::json;

use super::*;
use crate::{
    portal::refusal::{
        FILE_TYPE, FUTURE_DATE, MINUTE_QUOTA, MISSING_FIELD, OTHER_CONTENT, TOO_LONG,
        TOO_MANY_RECORDS, UNKNOWN_AGENCY, UNKNOWN_NUMBER, UNKNOWN_PROCEDURE, UNKNOWN_RECORD,
        UNKNOWN_WARD, WRONG_DATE,
    },
    testing::{Got, send_with},
};

const CATALOGUES: &str = include_str!("../../../../../schemas/services/v1/portal-catalogues.yaml");
const QUESTIONS: &str = include_str!("../../../../../schemas/services/v1/portal-questions.yaml");
const FILES: &str = include_str!("../../../../../schemas/services/v1/portal-files.yaml");
const MINISTRY: &str = include_str!("../../../../../schemas/services/v1/ministry-portal-2026.yaml");
const REPORTS: &str = include_str!("../../../../../schemas/services/v1/reports-1022.yaml");
const DESK: &str = include_str!("../../../../../schemas/services/v1/reports-1022-desk.yaml");
const CIVIL: &str =
    include_str!("../../../../../schemas/services/v1/civil-status-registrations.yaml");
const LAND: &str = include_str!("../../../../../schemas/services/v1/land-changes.yaml");

/// A client of the portal with a session.
struct Client {
    portal: PortalHandle,
    clock: ManualClock,
    session: String,
}

impl Client {
    async fn with(change: impl FnOnce(&mut PortalSettings)) -> Self {
        let clock = ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap());
        let mut settings = PortalSettings::new(Listen::loopback());
        change(&mut settings);
        let portal = Portal::start(settings, Arc::new(clock.clone())).await.unwrap();
        let session = log_in(&portal).await;
        Self { portal, clock, session }
    }

    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Calls `path` of the service that `document` describes.
    async fn call(&self, document: &str, path: &str, updating: &str, data: Value) -> Value {
        let service = path.rsplit('/').next().unwrap();
        let body = json!({
            "session": self.session, "madonvi": "H29.20", "service": service,
            "isUpdating": updating, "data": data,
        });
        let got = send(self.portal.addr, "POST", path, Some(&body)).await.unwrap();
        assert_eq!(got.status, 200);
        let answer = got.json();
        assert_valid(&answer_schema(document, path, "post", "200"), &answer);
        answer
    }

    async fn sync(&self, data: Value) -> Value {
        self.call(OPENAPI, "/DongBoHoSoMC", "False", data).await
    }

    async fn ministry(&self, path: &str, token: &str, media: &str, body: &[u8]) -> Got {
        let headers = [("token", token), ("content-type", media)];
        let got = send_with(self.portal.addr, path, &headers, body).await.unwrap();
        let status = got.status.to_string();
        assert_valid(&answer_schema(MINISTRY, path, "post", &status), &got.json());
        got
    }

    /// Sends JSON to the ministry's system.
    async fn hand(&self, path: &str, token: &str, body: &Value) -> Value {
        let got = self.ministry(path, token, "application/json", body.to_string().as_bytes()).await;
        assert_eq!(got.status, 200);
        got.json()
    }
}

fn case(number: u32) -> Value {
    json!({
        "MaHoSo": format!("H29.40-261102-{number:04}"), "MaTTHC": "1.000894", "ChuHoSo": "Mẫu",
        "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "1",
    })
}

/// The case with another value of a member.
fn with(name: &str, value: Value) -> Value {
    let mut case = case(1);
    case[name] = value;
    json!([case])
}

fn is_taken(answer: &Value) -> bool {
    ["00", "0"].iter().any(|code| answer["error_code"] == *code) || answer["error_code"] == 0
}

#[tokio::test]
async fn refuses_each_wrong_case_by_its_own_code() {
    let client = Client::new().await;
    for (data, error) in [
        (with("MaTTHC", json!("9.999999")), UNKNOWN_PROCEDURE),
        (with("NgayHenTra", json!("20260231080000")), WRONG_DATE),
        (with("ChuHoSo", Value::Null), MISSING_FIELD),
        (with("ChuHoSo", json!("x".repeat(201))), TOO_LONG),
        (with("TrangThaiHoSo", json!("11")), MALFORMED),
        (with("MaHoSo", json!("A\nB")), MALFORMED),
        (json!((0..101).map(case).collect::<Vec<_>>()), TOO_MANY_RECORDS),
        (json!([]), MALFORMED),
    ] {
        assert_eq!(client.sync(data).await["error_code"], error.code, "{}", error.text);
    }
    let wrong = client.call(OPENAPI, "/DongBoHoSoMC", "Maybe", json!([case(1)])).await;
    assert_eq!(wrong["error_code"], MALFORMED.code);
    assert!(is_taken(&client.sync(json!([case(1)])).await));
    let other = client.sync(with("ChuHoSo", json!("Khác"))).await;
    assert_eq!(other["error_code"], OTHER_CONTENT.code);
    assert_eq!((client.portal.report().cases, client.portal.report().accepted), (1, 1));
}

#[tokio::test]
async fn refuses_an_agency_that_it_does_not_know() {
    let client = Client::new().await;
    for (agency, known) in
        [("H30.20", false), ("H29.269", false), ("000.00.00.H29", true), ("H29.101", true)]
    {
        let body = json!({
            "session": client.session, "madonvi": agency, "service": "LayDanhMucGioiTinh",
        });
        let path = "/LayDanhMucGioiTinh";
        let got = send(client.portal.addr, "POST", path, Some(&body)).await.unwrap().json();
        assert_eq!(got["error_code"] != UNKNOWN_AGENCY.code, known, "{agency}");
    }
}

#[tokio::test]
async fn refuses_calls_beyond_the_quota_and_takes_them_a_minute_later() {
    let quotas = Quotas { per_minute: Some(2), ..Quotas::default() };
    let client = Client::with(|settings| settings.quotas = quotas).await;
    for number in 1..=2 {
        assert!(is_taken(&client.sync(json!([case(number)])).await));
    }
    assert_eq!(client.sync(json!([case(3)])).await["error_code"], MINUTE_QUOTA.code);
    client.clock.advance(SignedDuration::from_secs(60));
    assert!(is_taken(&client.sync(json!([case(3)])).await));
}

#[tokio::test]
async fn a_clock_that_differs_ends_sessions_early_and_refuses_dates() {
    let client = Client::with(|settings| settings.future_seconds = Some(60)).await;
    assert!(is_taken(&client.sync(json!([case(1)])).await));
    client.portal.set_clock_skew(-30 * 86_400);
    let early = client.sync(json!([case(2)])).await;
    assert_eq!(early["error_code"], FUTURE_DATE.code);
    client.portal.set_clock_skew(900);
    assert_eq!(client.sync(json!([case(2)])).await["error_code"], SESSION_EXPIRED.code);
}

#[tokio::test]
async fn its_own_faults_lose_sessions_and_use_quotas_up() {
    let client = Client::new().await;
    client.portal.faults.once("DongBoHoSoMC", crate::Fault::Quota);
    assert_eq!(client.sync(json!([case(1)])).await["error_code"], MINUTE_QUOTA.code);
    client.portal.faults.once("DongBoHoSoMC", crate::Fault::SessionsLost);
    for _ in 0..2 {
        assert_eq!(client.sync(json!([case(1)])).await["error_code"], SESSION_EXPIRED.code);
    }
    client.portal.faults.once("login", crate::Fault::ResetBeforeWork);
    let body = json!({"username": "lienthong-sandbox", "password": "sandbox-only"});
    assert!(send(client.portal.addr, "POST", "/login", Some(&body)).await.is_none());
    assert_eq!(client.portal.report().logins, 1);
}

#[tokio::test]
async fn reads_out_every_catalogue_page_by_page() {
    let client = Client::new().await;
    for name in [
        "LayDanhSachTTHC",
        "LayDanhMucCoQuan",
        "LayDanhMucLinhVuc",
        "LayDanhMucGioiTinh",
        "LayDanhMucTinhThanh",
        "LayDanhMucQuanHuyen",
        "LayDanhMucPhuongXa",
        "LayDanhMucQuocGia",
        "LayDanhMucDanToc",
        "LayDanhMucTonGiao",
        "LayDanhMucTinhTrangHonNhan",
        "LayDanhMucDoiTuong",
        "LayDanhMucCapThucHien",
        "LayDanhMucCanCuPhapLy",
        "LayDanhMucLePhi",
    ] {
        let path = format!("/{name}");
        let first = client.call(CATALOGUES, &path, "False", json!([{"Trang": 1}])).await;
        // Districts ended on 1 July 2025.
        let is_empty = first["result"].as_array().unwrap().is_empty();
        assert_eq!(is_empty, name == "LayDanhMucQuanHuyen", "{name}");
        let second = client.call(CATALOGUES, &path, "False", json!([{"Trang": 2}])).await;
        assert_eq!(second["result"], json!([]), "{name}");
    }
    let units = json!([{"MaCha": "79"}]);
    let units = client.call(CATALOGUES, "/LayDanhMucPhuongXa", "False", units).await;
    assert_eq!(units["result"].as_array().unwrap().len(), 168);
    let one = json!([{"MaTTHC": "1.000894"}]);
    let one = client.call(CATALOGUES, "/LayThuTuc", "False", one).await;
    assert_eq!(one["result"][0]["MATTHC"], "1.000894");
    let none = json!([{"MaTTHC": "9.999999"}]);
    let none = client.call(CATALOGUES, "/LayThuTuc", "False", none).await;
    assert_eq!(none["error_code"], UNKNOWN_PROCEDURE.code);
}

#[tokio::test]
async fn a_question_waits_until_it_has_an_answer() {
    let client = Client::with(|settings| settings.questions = 1).await;
    let answer = |id: &str| json!([{"MaHoiDap": id, "NoiDungTraLoi": "Tờ khai (mẫu)", "NgayTraLoi": "20261121090000"}]);
    let ask = || client.call(QUESTIONS, "/LayDanhSachHoiDapGuiTuDVCQG", "False", json!([{}]));
    let give =
        |id: &str| client.call(QUESTIONS, "/DongBoKetQuaHoiDapGuiTuDVCQG", "False", answer(id));
    assert_eq!(give("HD-000002").await["error_code"], UNKNOWN_RECORD.code);
    let second = Question::synthetic(2, client.clock.now());
    assert!(client.portal.ask(second.clone()) && !client.portal.ask(second));
    assert_eq!(ask().await["result"].as_array().unwrap().len(), 2);
    assert!(is_taken(&give("HD-000001").await) && is_taken(&give("HD-000001").await));
    let left = ask().await;
    assert_eq!(left["result"][0]["MaHoiDap"], "HD-000002");
    let report = client.portal.report();
    assert_eq!((report.questions, report.answered, report.repeated), (2, 1, 1));
    let published = client.call(QUESTIONS, "/LayDanhSachHoiDapBoCoQuan", "False", json!([])).await;
    assert!(!published["result"].as_array().unwrap().is_empty());
    let own = json!([{
        "MaHoiDap": "TP-1", "NoiDungCauHoi": "?", "NoiDungTraLoi": "!",
        "NgayCapNhat": "20261121090000",
    }]);
    assert!(is_taken(&client.call(QUESTIONS, "/DongBoHoiDap", "False", own).await));
}

#[tokio::test]
async fn a_rating_is_of_a_case_that_it_holds() {
    let client = Client::new().await;
    let rating = json!([{
        "MaDanhGia": "DG-1", "MaHoSo": "H29.40-261102-0001", "MucDo": "5",
        "NgayDanhGia": "20261121090000",
    }]);
    let rate = || client.call(QUESTIONS, "/DongBoDanhGia", "False", rating.clone());
    assert_eq!(rate().await["error_code"], "205");
    client.sync(json!([case(1)])).await;
    assert!(is_taken(&rate().await));
    assert_eq!(client.portal.report().records["DongBoDanhGia"], 1);
}

#[tokio::test]
async fn files_are_known_by_their_content() {
    let client = Client::new().await;
    let path = "/TaiLenTepTin";
    let upload = async |session: &str, media: &str, bytes: &[u8]| {
        let headers = [("session", session), ("madonvi", "H29.20"), ("content-type", media)];
        let answer = send_with(client.portal.addr, path, &headers, bytes).await.unwrap().json();
        assert_valid(&answer_schema(FILES, path, "post", "200"), &answer);
        answer
    };
    let refused = upload("x", "application/pdf", b"%PDF-1.7").await;
    assert_eq!(refused["error_code"], SESSION_EXPIRED.code);
    let refused = upload(&client.session, "application/pdf", b"<html>").await;
    assert_eq!(refused["error_code"], FILE_TYPE.code);
    let first = upload(&client.session, "application/pdf", b"%PDF-1.7").await;
    let second = upload(&client.session, "application/pdf", b"%PDF-1.7").await;
    assert!(is_taken(&first));
    assert_eq!((&first["result"], &first["length"]), (&second["result"], &json!(8)));
    let digest = first["sha256"].as_str().unwrap();
    assert_eq!(client.portal.length_of_file(digest), Some(8));
    assert_eq!(client.portal.report().files, 1);
}

#[tokio::test]
async fn the_ministrys_system_takes_a_dossier_from_its_number_to_its_end() {
    let client = Client::new().await;
    let form = "application/x-www-form-urlencoded";
    let wrong = b"grant_type=client_credentials&client_id=x&client_secret=y";
    assert_eq!(client.ministry("/token", "x", form, wrong).await.status, 401);
    let right =
        b"grant_type=client_credentials&client_id=lienthong-sandbox&client_secret=sandbox-only";
    let token = client.ministry("/token", "x", form, right).await.json();
    let token = token["access_token"].as_str().unwrap();

    let ask = json!({"MaDonViTiepNhan": "G98.01", "MaDichVuCong": "1.000894"});
    let ended = client.ministry("/GetNextValue", "x", "application/json", b"{}").await;
    assert_eq!(ended.status, 401);
    let number = client.hand("/GetNextValue", token, &ask).await["result"]["MaHoSo"].clone();
    assert_eq!(number, "G98.01-261121-000001");
    let file = client.ministry("/UploadFile", token, "application/pdf", b"%PDF-1.7").await.json();

    let dossier = |number: &Value, ward: &str| {
        json!({
            "MaHoSo": number, "MaDichVuCong": "1.000894", "MaDonViTiepNhan": "G98.01",
            "NgayTiepNhan": "20261121080000",
            "ThongTinNguoiNop": {"HoTen": "Mẫu", "MaTinh": "79", "MaXa": ward},
            "ThanhPhanHoSo": [{
                "MaThanhPhan": "TP01", "TenThanhPhan": "Tờ khai", "LoaiBan": "0",
                "IdTepTin": file["result"]["IdTepTin"], "HashTepTin": file["result"]["HashTepTin"],
            }],
        })
    };
    let invented = dossier(&json!("G98.01-261121-000002"), "26740");
    let refused = client.hand("/NoiHoSo", token, &invented).await;
    assert_eq!(refused["error_code"], UNKNOWN_NUMBER.code);
    let old_ward = dossier(&number, "26734");
    let refused = client.hand("/NoiHoSo", token, &old_ward).await;
    assert_eq!(refused["error_code"], UNKNOWN_WARD.code);
    let good = dossier(&number, "26740");
    for _ in 0..2 {
        assert!(is_taken(&client.hand("/NoiHoSo", token, &good).await));
    }

    let status =
        |status: &str| json!({"MaHoSo": number, "TrangThai": status, "ThoiDiem": "20261121090000"});
    let refused = client.hand("/CapNhatTrangThai", token, &status("9")).await;
    assert_eq!(refused["error_code"], "203");
    assert!(is_taken(&client.hand("/CapNhatTrangThai", token, &status("2")).await));
    let step = json!({"MaHoSo": number, "TrangThai": "4", "ThoiDiemXuLy": "20261121093000"});
    assert!(is_taken(&client.hand("/CapNhatTienTrinh", token, &step).await));
    let report = client.portal.report();
    assert_eq!((report.ministry_cases, report.repeated, report.cases), (1, 1, 0));
    assert_eq!((report.progress, report.illegal_transitions), (1, 1));
}

#[tokio::test]
async fn the_other_receivers_keep_records_by_their_keys() {
    let client = Client::new().await;
    let report = json!({
        "MaPhanAnh": "PA-1", "MaDonVi": "H29.20", "LinhVuc": "dien", "NoiDung": "Mẫu",
        "TrangThai": "2", "NgayTiepNhan": "20261121080000",
    });
    let done = json!([{"MaPhanAnh": "PA-1", "TrangThai": "4", "ThoiDiem": "20261122080000"}]);
    let registration = json!([{
        "MaHoSo": "H29.40-261120-0008", "LoaiDangKy": "KS", "SoDangKy": "1", "NgayDangKy": "20261120",
        "NoiDangKy": "26740", "NguoiDuocDangKy": {"HoTen": "Mẫu"},
    }]);
    let change = json!([{
        "MaBienDong": "BD-1", "LoaiBienDong": "TACH_THUA", "ThoiDiem": "20261121080000",
        "MaThuaDat": "w3gv1b2c3d4e", "MaXa": "26740",
    }]);
    let civil = "/dangKyHoTich";
    for (document, path, data) in [
        (DESK, "/ChuyenPhanAnh", json!([report])),
        (REPORTS, "/CapNhatXuLyPhanAnh", done),
        (CIVIL, civil, registration),
        (LAND, "/CapNhatBienDong", change),
    ] {
        let missing = client.call(document, path, "False", json!([{"MaHoSo": "x"}])).await;
        assert_eq!(missing["error_code"], MISSING_FIELD.code, "{path}");
        for _ in 0..2 {
            assert!(is_taken(&client.call(document, path, "False", data.clone()).await), "{path}");
        }
        let call = path.rsplit('/').next().unwrap();
        assert_eq!(client.portal.report().records[call], 1, "{path}");
    }
    let status = "/traTrangThaiHoSo";
    let known = json!([{"MaHoSo": "H29.40-261120-0008"}]);
    assert_eq!(client.call(CIVIL, status, "False", known).await["result"][0]["TrangThai"], "1");

    let list = || client.call(REPORTS, "/LayDanhSachPhanAnh", "False", json!([{"Trang": 1}]));
    assert_eq!(list().await["result"], json!([]));
    let mut of_another = report.clone();
    of_another["MaDonVi"] = json!("H29.41");
    assert!(client.portal.assign(report.clone()) && client.portal.assign(of_another));
    assert_eq!(list().await["result"], json!([report]));
}
