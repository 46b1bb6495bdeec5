use lienthong_model::clock::ManualClock;

use serde_json::json;

use super::{
    refusal::{LOGIN_FAILED, MALFORMED, SESSION_EXPIRED, UNKNOWN_CALL},
    *,
};
use crate::testing::{answer_schema, assert_valid, send};

mod calls;
mod durable;
mod load;

const OPENAPI: &str = include_str!("../../../../schemas/services/v1/portal-case-sync.yaml");

async fn portal() -> (PortalHandle, ManualClock) {
    let clock = ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap());
    let settings = PortalSettings::new(Listen::loopback());
    (Portal::start(settings, Arc::new(clock.clone())).await.unwrap(), clock)
}

async fn post(portal: &PortalHandle, call: &str, body: Value) -> Value {
    let path = format!("/{call}");
    let got = send(portal.addr, "POST", &path, Some(&body)).await.unwrap();
    // Errors come with status 200, too.
    assert_eq!(got.status, 200);
    let answer = got.json();
    assert_valid(&answer_schema(OPENAPI, &path, "post", "200"), &answer);
    answer
}

async fn log_in(portal: &PortalHandle) -> String {
    let body = json!({"username": "lienthong-sandbox", "password": "sandbox-only"});
    let answer = post(portal, "login", body).await;
    assert_eq!(answer["error_code"], 0);
    answer["session"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn refuses_a_wrong_password() {
    let (portal, _) = portal().await;
    let body = json!({"username": "lienthong-sandbox", "password": "guess"});
    let answer = post(&portal, "login", body).await;
    assert_eq!(answer["error_code"], LOGIN_FAILED.code);
    assert!(answer.get("session").is_none());
}

#[tokio::test]
async fn refuses_a_session_that_has_ended() {
    let (portal, clock) = portal().await;
    let session = log_in(&portal).await;
    let body = json!({
        "session": session, "madonvi": "H29.20", "service": "DongBoHoSoMC", "isUpdating": "False",
        "data": [{
            "MaHoSo": "H29.40-261102-0001", "MaTTHC": "1.000894", "ChuHoSo": "Mẫu",
            "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "1",
        }],
    });
    clock.advance(SignedDuration::from_secs(900));
    let answer = post(&portal, "DongBoHoSoMC", body.clone()).await;
    assert_eq!(answer["error_code"], SESSION_EXPIRED.code);
    assert_eq!((portal.report().cases, portal.report().sessions_expired), (0, 1));
    let mut renewed = body;
    renewed["session"] = json!(log_in(&portal).await);
    post(&portal, "DongBoHoSoMC", renewed).await;
    assert_eq!(portal.report().cases, 1);
    portal.expire_sessions();
    let again = json!({"session": "x", "madonvi": "H29.20", "service": "TraCuuHoSo", "data": []});
    assert_eq!(post(&portal, "TraCuuHoSo", again).await["error_code"], SESSION_EXPIRED.code);
}

#[tokio::test]
async fn tells_what_it_holds_and_only_that() {
    let (portal, _) = portal().await;
    let session = log_in(&portal).await;
    let case = "H29.40-261102-0001";
    let record = json!({
        "MaHoSo": case, "MaTTHC": "1.000894", "ChuHoSo": "Mẫu",
        "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "2",
    });
    let body = |service: &str, data: Value| {
        json!({
            "session": session, "madonvi": "H29.20", "service": service, "isUpdating": "False",
            "data": [data],
        })
    };
    post(&portal, "DongBoHoSoMC", body("DongBoHoSoMC", record.clone())).await;
    let step = json!({"MaHoSo": case, "ThoiDiemXuLy": "20261102090000", "TrangThai": "4"});
    let call = "CapNhatTienDoHoSoMC";
    post(&portal, call, body(call, step.clone())).await;
    let question = body("TraCuuHoSo", json!({"MaHoSo": case}));
    let answer = post(&portal, "TraCuuHoSo", question).await;
    assert_eq!(answer["result"][0]["TrangThaiHoSo"], "4");
    assert_eq!(answer["result"][0]["QuaTrinhXuLy"][0]["ThoiDiemXuLy"], "20261102090000");
    let unknown = body("TraCuuHoSo", json!({"MaHoSo": "H29.40-261102-0009"}));
    assert_eq!(post(&portal, "TraCuuHoSo", unknown).await["error_code"], "205");
    assert_eq!(portal.accepted(), [record, step]);
    assert_eq!(portal.status_of(case), Some(4));
}

#[tokio::test]
async fn a_fault_before_the_work_leaves_nothing_and_one_after_it_leaves_the_work() {
    let (portal, _) = portal().await;
    let session = log_in(&portal).await;
    let body = |case: &str| {
        json!({
            "session": session, "madonvi": "H29.20", "service": "DongBoHoSoMC",
            "isUpdating": "False",
            "data": [{
                "MaHoSo": case, "MaTTHC": "1.000894", "ChuHoSo": "Mẫu",
                "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "1",
            }],
        })
    };
    portal.faults.once("DongBoHoSoMC", crate::Fault::Unavailable);
    portal.faults.once("DongBoHoSoMC", crate::Fault::ResetAfterAccept);
    let first = body("H29.40-261102-0001");
    let got = send(portal.addr, "POST", "/DongBoHoSoMC", Some(&first)).await.unwrap();
    assert_eq!((got.status, portal.report().cases), (503, 0));
    assert!(send(portal.addr, "POST", "/DongBoHoSoMC", Some(&first)).await.is_none());
    assert_eq!(portal.report().cases, 1);
}

#[tokio::test]
async fn speaks_post_and_its_own_calls_only() {
    let (portal, _) = portal().await;
    assert_eq!(send(portal.addr, "GET", "/login", None).await.unwrap().status, 405);
    let session = log_in(&portal).await;
    let got = send(portal.addr, "POST", "/Khac", Some(&json!({"session": session}))).await.unwrap();
    assert_eq!(got.json()["error_code"], UNKNOWN_CALL.code);
    let got = send(portal.addr, "POST", "/DongBoHoSoMC", None).await.unwrap();
    assert_eq!(got.json()["error_code"], MALFORMED.code);
}
