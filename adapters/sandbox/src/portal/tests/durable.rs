//! What the portal accepted survives its end, and is told by a listener of its own.

use serde_json::json;
use tempfile::TempDir;

use super::*;

async fn start(folder: &TempDir) -> PortalHandle {
    let clock = ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap());
    let mut settings = PortalSettings::new(Listen::loopback());
    settings.state_dir = Some(folder.path().join("state"));
    settings.report = Some("127.0.0.1:0".parse().unwrap());
    Portal::start(settings, Arc::new(clock)).await.unwrap()
}

async fn call(portal: &PortalHandle, session: &str, call: &str, record: Value) -> Value {
    let body = json!({
        "session": session, "madonvi": "H29.20", "service": call, "isUpdating": "False",
        "data": [record],
    });
    post(portal, call, body).await
}

#[tokio::test]
async fn a_restart_loses_nothing_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let case = "H29.40-261102-0001";
    let record = json!({
        "MaHoSo": case, "MaTTHC": "1.000894", "ChuHoSo": "Mẫu",
        "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "2",
    });
    let step = json!({"MaHoSo": case, "ThoiDiemXuLy": "20261102090000", "TrangThai": "4"});
    let illegal = json!({"MaHoSo": case, "ThoiDiemXuLy": "20261102100000", "TrangThai": "10"});
    let before = {
        let portal = start(&folder).await;
        let session = log_in(&portal).await;
        for (name, record) in [
            ("DongBoHoSoMC", &record),
            ("DongBoHoSoMC", &record),
            ("CapNhatTienDoHoSoMC", &step),
            ("CapNhatTienDoHoSoMC", &step),
            ("CapNhatTienDoHoSoMC", &illegal),
        ] {
            call(&portal, &session, name, record.clone()).await;
        }
        // What is on disk now is what a process that is killed leaves behind.
        let left = folder.path().join("left");
        std::fs::create_dir_all(&left).unwrap();
        std::fs::copy(folder.path().join("state/portal.journal"), left.join("portal.journal"))
            .unwrap();
        portal.report()
    };
    std::fs::rename(folder.path().join("left"), folder.path().join("state-2")).unwrap();
    std::fs::remove_dir_all(folder.path().join("state")).unwrap();
    std::fs::rename(folder.path().join("state-2"), folder.path().join("state")).unwrap();

    let portal = start(&folder).await;
    let after = portal.report();
    assert_eq!((after.cases, after.progress, after.duplicates), (1, 2, 1));
    assert_eq!((after.repeated, after.illegal_transitions), (1, 1));
    assert_eq!(after.by_status, before.by_status);
    assert_eq!(portal.history_of(case), [2, 4]);
    assert_eq!(portal.illegal_transitions().len(), 1);
    let session = log_in(&portal).await;
    call(&portal, &session, "DongBoHoSoMC", record).await;
    call(&portal, &session, "CapNhatTienDoHoSoMC", step).await;
    let again = portal.report();
    assert_eq!((again.repeated, again.duplicates, again.cases), (2, 2, 1));
}

#[tokio::test]
async fn numbers_of_dossiers_are_given_once_whatever_happens() {
    let folder = TempDir::new().unwrap();
    let mut numbers = BTreeSet::new();
    for _ in 0..3 {
        let portal = start(&folder).await;
        let form =
            b"grant_type=client_credentials&client_id=lienthong-sandbox&client_secret=sandbox-only";
        let token = crate::testing::send_with(portal.addr, "/token", &[], form).await.unwrap();
        let token = token.json()["access_token"].as_str().unwrap().to_owned();
        let body = json!({"MaDonViTiepNhan": "G98.01", "MaDichVuCong": "1.000894"}).to_string();
        let headers = [("token", token.as_str())];
        let got =
            crate::testing::send_with(portal.addr, "/GetNextValue", &headers, body.as_bytes());
        let got = got.await.unwrap().json();
        assert!(numbers.insert(got["result"]["MaHoSo"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn tells_what_it_saw_beside_its_calls_only() {
    let folder = TempDir::new().unwrap();
    let portal = start(&folder).await;
    let session = log_in(&portal).await;
    let record = json!({
        "MaHoSo": "H29.40-261102-0001", "MaTTHC": "1.000894", "ChuHoSo": "Mẫu",
        "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "2",
    });
    call(&portal, &session, "DongBoHoSoMC", record).await;
    assert_eq!(send(portal.addr, "GET", "/_report", None).await.unwrap().status, 405);
    let told = portal.report_addr.unwrap();
    let report = send(told, "GET", "/_report", None).await.unwrap().json();
    assert_eq!((&report["cases"], &report["by_status"]["2"]), (&json!(1), &json!(1)));
    let cases = send(told, "GET", "/_cases", None).await.unwrap().body;
    assert_eq!(String::from_utf8(cases).unwrap(), "H29.40-261102-0001\t2\t2\n");
    assert_eq!(send(told, "POST", "/_report", None).await.unwrap().status, 405);
    assert_eq!(send(told, "GET", "/login", None).await.unwrap().status, 404);
}

#[tokio::test]
async fn refuses_to_tell_beyond_this_machine() {
    let clock = Arc::new(ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap()));
    let mut settings = PortalSettings::new(Listen::loopback());
    settings.report = Some("0.0.0.0:0".parse().unwrap());
    assert!(matches!(Portal::start(settings, clock).await, Err(Error::PlainHttp(_))));
}

#[tokio::test]
async fn keeps_as_many_records_as_it_is_told() {
    let clock = ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap());
    let mut settings = PortalSettings::new(Listen::loopback());
    settings.keep_bodies = 1;
    let portal = Portal::start(settings, Arc::new(clock)).await.unwrap();
    let session = log_in(&portal).await;
    for number in 1..=2 {
        let record = json!({
            "MaHoSo": format!("H29.40-261102-000{number}"), "MaTTHC": "1.000894",
            "ChuHoSo": "Mẫu", "NgayTiepNhan": "20261102080000", "TrangThaiHoSo": "2",
        });
        call(&portal, &session, "DongBoHoSoMC", record).await;
    }
    let kept = portal.accepted();
    assert_eq!((kept.len(), &kept[0]["MaHoSo"]), (1, &json!("H29.40-261102-0002")));
    assert_eq!(portal.cases_in_final_state(2), 2);
}
