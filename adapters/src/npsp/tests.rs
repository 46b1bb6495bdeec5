mod rated;
mod services;

use lienthong_sandbox::{
    Fault, Listen, Portal,
    portal::{PortalHandle, PortalSettings},
};
use serde_json::json;

use super::{
    testing::{CASES, Desk, Scripted, Told, WITH_LISTS, envelope, parcel},
    *,
};

const CODES: &str = "  exists_codes: [\"204\"]\n  unknown_case_codes: [\"205\"]\n";

async fn portal(desk: impl Fn(std::net::SocketAddr) -> Desk) -> (PortalHandle, Desk) {
    let clock = Desk::new(([127, 0, 0, 1], 1).into(), CASES).clock;
    let settings = PortalSettings::new(Listen::loopback());
    let portal = Portal::start(settings, Arc::new(clock)).await.unwrap();
    let desk = desk(portal.addr);
    (portal, desk)
}

fn case(status: &str) -> Value {
    json!({
        "MaHoSo": "H29.40-261102-0001", "MaTTHC": "1.000894", "ChuHoSo": "Nguyễn Văn Mẫu",
        "LoaiDoiTuong": "1", "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": status,
    })
}

fn step_at(at: &str) -> Value {
    json!({"MaHoSo": "H29.40-261102-0001", "ThoiDiemXuLy": at, "TrangThai": "4"})
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_the_look_up_tells_what_became_of_it() {
    let (portal, desk) = portal(|addr| Desk::new(addr, &format!("{CASES}{CODES}"))).await;
    let npsp = desk.open();
    let opened = envelope(&case("2"));
    assert_eq!(npsp.send(parcel("DongBoHoSoMC", &opened)).await, Outcome::Delivered);
    let step = envelope(&step_at("20261102090000"));
    let step = parcel("CapNhatTienDoHoSoMC", &step);
    assert_eq!(npsp.look_up("TraCuuHoSo", step).await, LookedUp::NotTaken);
    portal.faults.once("CapNhatTienDoHoSoMC", Fault::ResetAfterAccept);
    assert!(matches!(npsp.send(step).await, Outcome::Unknown(_)));
    assert_eq!(npsp.look_up("TraCuuHoSo", step).await, LookedUp::Taken);
    assert_eq!(portal.report().progress, 1);
}

#[tokio::test]
async fn a_dossier_that_the_portal_does_not_know_was_not_taken_but_any_other_refusal_is_no_proof() {
    let (_portal, desk) = portal(|addr| Desk::new(addr, &format!("{CASES}{CODES}"))).await;
    let step = envelope(&step_at("20261102090000"));
    let step = parcel("CapNhatTienDoHoSoMC", &step);
    assert_eq!(desk.open().look_up("TraCuuHoSo", step).await, LookedUp::NotTaken);
    let (_portal, desk) = portal(|addr| Desk::new(addr, CASES)).await;
    // The same answer, and nobody has said what its code means.
    assert!(matches!(desk.open().look_up("TraCuuHoSo", step).await, LookedUp::Open(_)));
}

#[tokio::test]
async fn a_dossier_that_is_there_already_is_sent_as_a_change_when_its_code_is_known() {
    for (codes, delivered) in [(CODES, true), ("", false)] {
        let (portal, desk) = portal(|addr| Desk::new(addr, &format!("{CASES}{codes}"))).await;
        let npsp = desk.open();
        let first = envelope(&case("1"));
        assert_eq!(npsp.send(parcel("DongBoHoSoMC", &first)).await, Outcome::Delivered);
        let other = envelope(&case("2"));
        let outcome = npsp.send(parcel("DongBoHoSoMC", &other)).await;
        assert_eq!(outcome == Outcome::Delivered, delivered, "{outcome:?}");
        assert_eq!(portal.status_of("H29.40-261102-0001"), Some(if delivered { 2 } else { 1 }));
    }
}

#[tokio::test]
async fn a_look_up_of_an_update_never_says_that_it_was_taken() {
    let (_portal, desk) = portal(|addr| Desk::new(addr, CASES)).await;
    let npsp = desk.open();
    let case = envelope(&case("2"));
    npsp.send(parcel("DongBoHoSoMC", &case)).await;
    let update = Parcel { follows: true, ..parcel("DongBoHoSoMC", &case) };
    assert_eq!(npsp.look_up("TraCuuHoSo", update).await, LookedUp::NotTaken);
}

#[tokio::test]
async fn a_session_that_has_ended_is_renewed_once() {
    let (portal, desk) = portal(|addr| Desk::new(addr, CASES)).await;
    let npsp = desk.open();
    let case = envelope(&case("1"));
    npsp.send(parcel("DongBoHoSoMC", &case)).await;
    portal.expire_sessions();
    assert_eq!(npsp.send(parcel("DongBoHoSoMC", &case)).await, Outcome::Delivered);
    assert_eq!((portal.report().logins, portal.report().sessions_expired), (2, 1));
}

#[tokio::test]
async fn one_log_in_serves_all_who_wait_for_it() {
    let (portal, desk) = portal(|addr| Desk::new(addr, CASES)).await;
    let npsp = desk.open();
    let case = envelope(&case("1"));
    let send = || npsp.send(parcel("DongBoHoSoMC", &case));
    let sent = tokio::join!(send(), send(), send(), send());
    assert_eq!(sent.0, Outcome::Delivered);
    assert_eq!(portal.report().logins, 1);
}

#[tokio::test]
async fn a_portal_that_ends_each_session_pauses_the_flow_and_blames_no_message() {
    let desk = Scripted::start(|asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": 0, "session": "s"})),
        _ => Told::Json(200, json!({"error_code": "101"})),
    })
    .await;
    let npsp = Desk::new(desk.addr, CASES).open();
    let outcome = npsp.send(parcel("DongBoHoSoMC", &envelope(&case("1")))).await;
    assert!(matches!(outcome, Outcome::Unavailable(..)), "{outcome:?}");
    assert_eq!(desk.calls(), ["login", "DongBoHoSoMC", "login", "DongBoHoSoMC"]);
}

#[tokio::test]
async fn the_id_is_the_messages_own_and_the_target_is_named() {
    let desk = Scripted::start(|asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": "0", "session": "s"})),
        _ => Told::Json(200, json!({"error_code": "00"})),
    })
    .await;
    let npsp = Desk::new(desk.addr, &format!("{CASES}  dstcode: DVCQG\n")).open();
    let case = envelope(&case("1"));
    let update = Parcel { follows: true, ..parcel("DongBoHoSoMC", &case) };
    npsp.send(parcel("DongBoHoSoMC", &case)).await;
    npsp.send(update).await;
    let asked = desk.asked("DongBoHoSoMC");
    for one in &asked {
        assert_eq!(one.path, "/r1/VN/GOV/G22/DVCQG/cases/DongBoHoSoMC");
        assert_eq!(one.header("x-road-id"), Some("5e1b8c1e-0000-4000-8000-000000000001"));
        assert_eq!(one.header("x-road-issue"), Some("H29.40-261102-0001"));
        assert_eq!(one.header("x-road-userid"), Some("cb.01"));
        assert_eq!(one.header("dstcode"), Some("DVCQG"));
        assert_eq!(one.json()["data"][0], Value::Object(case.record.clone()));
    }
    let updating: Vec<Value> = asked.iter().map(|one| one.json()["isUpdating"].clone()).collect();
    assert_eq!(updating, [json!("False"), json!("True")]);
    assert_eq!(desk.asked("login")[0].header("dstcode"), Some("DVCQG"));
}

#[tokio::test]
async fn consent_that_is_missing_withholds_the_message() {
    let desk = Scripted::start(|asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": 0, "session": "s"})),
        _ => Told::Problem(403, "consent.not_given"),
    })
    .await;
    let npsp = Desk::new(desk.addr, CASES).open();
    let outcome = npsp.send(parcel("DongBoHoSoMC", &envelope(&case("1")))).await;
    assert_eq!(outcome, Outcome::Withheld(Reason::code("", "consent.not_given")));
}

#[test]
fn a_move_is_checked_by_call_and_status_and_told_without_any_value() {
    let desk = Desk::new(([127, 0, 0, 1], 1).into(), &format!("{CASES}{WITH_LISTS}"));
    let config = desk.read().unwrap().npsp.unwrap();
    let mut standing = Standing::default();
    let mut go = |call: &str, value: Value| {
        step(&config, call, value.as_object().unwrap(), &mut standing)
            .map(|()| standing.to_string())
    };
    assert_eq!(go("DongBoHoSoMC", case("1")).unwrap(), "1");
    assert_eq!(go("DongBoHoSoMC", case("2")).unwrap(), "1,2");
    assert_eq!(go("CapNhatTienDoHoSoMC", step_at("20261102090000")).unwrap(), "1,2,4");
    assert_eq!(go("DongBoDanhGia", json!({"MucDo": "5"})).unwrap(), "1,2,4");
    let told = go("DongBoHoSoMC", case("10")).unwrap_err();
    assert_eq!(told, "status 10 may not follow 4 (history 1,2,4)");
    let told = go("DongBoHoSoMC", json!({"TrangThaiHoSo": "x"})).unwrap_err();
    assert_eq!(told, "`TrangThaiHoSo` is not a status from 1 to 10");
}

#[test]
fn moves_can_be_configured() {
    let table = "  first_statuses: [\"4\"]\n  transitions: {\"4\": [\"10\"]}\n";
    let desk = Desk::new(([127, 0, 0, 1], 1).into(), &format!("{CASES}{table}"));
    let config = desk.read().unwrap().npsp.unwrap();
    let mut standing = Standing::default();
    let mut go = |status: &str| {
        step(&config, "DongBoHoSoMC", case(status).as_object().unwrap(), &mut standing)
    };
    assert!(go("1").is_err() && go("4").is_ok() && go("9").is_err() && go("10").is_ok());
}

#[test]
fn every_mistake_of_the_settings_is_told_at_once() {
    let text = "  service: VN/GOV/G22/cases\n  openapi: cases.yaml\n  profil: x\n  numbers: own\n\
                \x20 retry_codes: [\"7\", \"00\"]\n  pause_codes: [\"7\"]\n\
                \x20 transitions: {\"11\": [\"1\"], \"1\": [\"x\"]}\n";
    let told = Desk::new(([127, 0, 0, 1], 1).into(), text).read().unwrap_err();
    for mistake in [
        "did you mean `profile`?",
        "`numbers` is a setting of the profile `ministry_2026`",
        "is not `instance/class/member/subsystem/service`",
        "error code `7` is given two meanings",
        "error code `00` means success",
        "`11` is not a status from 1 to 10",
        "`x` is not a status from 1 to 10",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[test]
fn a_list_or_a_file_that_no_service_offers_is_a_mistake_of_the_settings() {
    let text = format!(
        "{CASES}{WITH_LISTS}  catalogues:\n    - {{call: LayDanhSachTTH, code: MATTHC}}\n    \
         - {{call: LayDanhSachTTHC, code: MATTHC, refresh_hours: 9, stale_hours: 9, \
         checks: {{DongBoHoSoMC: MaThuTuc, DongBo: MaTTHC}}}}\n  inboxes:\n    \
         - {{id: questions, call: LayDanhSachHoiDap, key: MaHoiDap, folder: inbox}}\n  \
         files:\n    - {{call: DongBoHoSoMC, list: TaiLieu, file: TenTepDinhKem, \
         into: TepDinhKemId, upload: TaiLenTepTin, folder: scans, media: [text/html]}}\n"
    );
    let told = Desk::new(([127, 0, 0, 1], 1).into(), &text).read().unwrap_err();
    for mistake in [
        "no service has a call `LayDanhSachTTH`; did you mean `LayDanhSachTTHC`?",
        "`stale_hours` must be more than `refresh_hours`",
        "records of `DongBoHoSoMC` have no `MaThuTuc`",
        "no call `DongBo` with records",
        "no service has a call `LayDanhSachHoiDap`",
        "records of `DongBoHoSoMC` have no list `TaiLieu`",
        "not a type of file that can be sent",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}
