use std::sync::{
    Mutex as StdMutex,
    atomic::{AtomicU32, Ordering},
};

use serde_json::json;

use super::*;
use crate::npsp::{
    Standing,
    testing::{Desk, Scripted, Told, envelope, parcel},
};

const MINISTRY: &str =
    "  profile: ministry_2026\n  service: VN/GOV/G09/CONG/cases\n  openapi: ministry.yaml\n";
const FILES: &str = "  files:\n    - {call: NoiHoSo, list: ThanhPhanHoSo, file: TenThanhPhan, into: IdTepTin, \
                     hash: HashTepTin, upload: UploadFile, folder: scans, media: [application/pdf]}\n";

fn dossier() -> Value {
    json!({"MaHoSo": "H29.40-261102-0001", "MaDichVuCong": "1.000894", "MaDonViTiepNhan": "G09.1"})
}

/// Gives numbers in order; a token lasts for `uses` calls.
async fn portal(uses: u32) -> Scripted {
    let (numbers, used) = (AtomicU32::new(0), StdMutex::new(0));
    Scripted::start(move |asked| {
        let mut used = used.lock().unwrap();
        if asked.call() == "token" {
            *used = 0;
            let body = json!({"access_token": "t1", "token_type": "Bearer", "expires_in": 100});
            return Told::Json(200, body);
        }
        *used += 1;
        if asked.header("token") != Some("t1") || *used > uses {
            return Told::Json(401, json!({"error_code": "1"}));
        }
        match asked.call() {
            "GetNextValue" => {
                let next = numbers.fetch_add(1, Ordering::SeqCst) + 1;
                let result = json!({"MaHoSo": format!("G09.1-261121-000{next}")});
                Told::Json(200, json!({"error_code": 0, "result": result}))
            }
            "UploadFile" => Told::Json(200, json!({"error_code": 0, "result": {"IdTepTin": "f1"}})),
            _ => Told::Json(200, json!({"error_code": "00"})),
        }
    })
    .await
}

#[tokio::test]
async fn a_dossier_gets_one_number_which_all_its_messages_bear() {
    let portal = portal(100).await;
    let desk = Desk::new(portal.addr, MINISTRY);
    let case = envelope(&dossier());
    let status = envelope(&json!({"MaHoSo": "H29.40-261102-0001", "TrangThai": "4"}));
    let npsp = desk.open();
    assert_eq!(npsp.send(parcel("NoiHoSo", &case)).await, Outcome::Delivered);
    // Again, and in another process.
    assert_eq!(npsp.send(parcel("NoiHoSo", &case)).await, Outcome::Delivered);
    assert_eq!(desk.open().send(parcel("CapNhatTrangThai", &status)).await, Outcome::Delivered);
    assert_eq!(portal.asked("GetNextValue").len(), 1);
    let asked = portal.asked("GetNextValue")[0].json();
    assert_eq!(asked, json!({"MaDichVuCong": "1.000894", "MaDonViTiepNhan": "G09.1"}));
    for call in ["NoiHoSo", "CapNhatTrangThai"] {
        for sent in portal.asked(call) {
            assert_eq!(sent.json()["MaHoSo"], "G09.1-261121-0001");
        }
    }
}

#[tokio::test]
async fn two_who_ask_at_once_get_no_two_numbers() {
    let portal = portal(100).await;
    let npsp = Desk::new(portal.addr, MINISTRY).open();
    let case = envelope(&dossier());
    let (one, other) =
        tokio::join!(npsp.send(parcel("NoiHoSo", &case)), npsp.send(parcel("NoiHoSo", &case)));
    assert_eq!(one, Outcome::Delivered);
    assert!(matches!(other, Outcome::Failed(_)), "{other:?}");
    assert_eq!(portal.asked("GetNextValue").len(), 1);
    assert_eq!(npsp.send(parcel("NoiHoSo", &case)).await, Outcome::Delivered);
    assert_eq!(portal.asked("GetNextValue").len(), 1);
}

#[tokio::test]
async fn a_dossier_that_was_not_handed_over_has_no_number_to_report_under() {
    let portal = portal(100).await;
    let status = envelope(&json!({"MaHoSo": "H29.40-261102-0001", "TrangThai": "4"}));
    let npsp = Desk::new(portal.addr, MINISTRY).open();
    let outcome = npsp.send(parcel("CapNhatTienTrinh", &status)).await;
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    assert!(portal.calls().is_empty());
}

#[tokio::test]
async fn where_the_citys_number_is_used_none_is_asked_for() {
    let portal = portal(100).await;
    let npsp = Desk::new(portal.addr, &format!("{MINISTRY}  numbers: own\n")).open();
    assert_eq!(npsp.send(parcel("NoiHoSo", &envelope(&dossier()))).await, Outcome::Delivered);
    assert_eq!(portal.calls(), ["token", "NoiHoSo"]);
    assert_eq!(portal.asked("NoiHoSo")[0].json(), dossier());
}

#[tokio::test]
async fn the_token_is_asked_for_as_a_form_and_again_when_it_has_ended() {
    let portal = portal(2).await;
    let desk = Desk::new(portal.addr, MINISTRY);
    let npsp = desk.open();
    assert_eq!(npsp.send(parcel("NoiHoSo", &envelope(&dossier()))).await, Outcome::Delivered);
    let form = &portal.asked("token")[0];
    assert_eq!(form.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(
        String::from_utf8_lossy(&form.body),
        "grant_type=client_credentials&client_id=lienthong-sandbox&client_secret=sandbox-only"
    );
    // Turned away after two calls.
    assert_eq!(npsp.send(parcel("NoiHoSo", &envelope(&dossier()))).await, Outcome::Delivered);
    assert_eq!(portal.asked("token").len(), 2);
    // Used up by time, a tenth before its end.
    desk.clock.advance(jiff::SignedDuration::from_secs(91));
    npsp.send(parcel("NoiHoSo", &envelope(&dossier()))).await;
    assert_eq!(portal.asked("token").len(), 3);
}

#[tokio::test]
async fn files_go_with_their_digest() {
    let portal = portal(100).await;
    let desk = Desk::new(portal.addr, &format!("{MINISTRY}{FILES}"));
    std::fs::create_dir_all(desk.path("scans")).unwrap();
    std::fs::write(desk.path("scans/a.pdf"), "%PDF-1.7\n").unwrap();
    let mut case = dossier();
    case["ThanhPhanHoSo"] = json!([{"TenThanhPhan": "a.pdf"}]);
    let npsp = desk.open();
    assert_eq!(npsp.send(parcel("NoiHoSo", &envelope(&case))).await, Outcome::Delivered);
    let sent = portal.asked("NoiHoSo")[0].json();
    let part = &sent["ThanhPhanHoSo"][0];
    assert_eq!((&part["TenThanhPhan"], &part["IdTepTin"]), (&json!("a.pdf"), &json!("f1")));
    assert_eq!(part["HashTepTin"].as_str().unwrap().len(), 64);
    assert_eq!(portal.asked("UploadFile")[0].header("token"), Some("t1"));
}

#[tokio::test]
async fn no_look_up_is_known_of_this_pattern() {
    let portal = portal(100).await;
    let npsp = Desk::new(portal.addr, MINISTRY).open();
    let case = envelope(&dossier());
    let looked = npsp.look_up("TraCuuHoSo", parcel("NoiHoSo", &case)).await;
    assert!(matches!(looked, crate::platform::LookedUp::Open(Outcome::Failed(_))));
}

#[test]
fn a_dossier_begins_as_registered_and_moves_by_progress_and_status() {
    let desk = Desk::new(([127, 0, 0, 1], 1).into(), MINISTRY);
    let config = desk.read().unwrap().npsp.unwrap();
    let mut standing = Standing::default();
    let mut go = |call: &str, value: Value| {
        crate::npsp::step(&config, call, value.as_object().unwrap(), &mut standing)
            .map(|()| standing.to_string())
    };
    assert!(go("CapNhatTienTrinh", json!({"TrangThai": "4"})).is_err());
    assert_eq!(go("NoiHoSo", dossier()).unwrap(), "1");
    assert!(go("CapNhatTienTrinh", json!({"TrangThai": "4"})).is_err());
    assert_eq!(go("CapNhatTrangThai", json!({"TrangThai": "2"})).unwrap(), "1,2");
    assert_eq!(go("CapNhatTienTrinh", json!({"TrangThai": "4"})).unwrap(), "1,2,4");
    assert!(go("CapNhatTrangThai", json!({"TrangThai": "10"})).is_err());
    assert_eq!(go("CapNhatTrangThai", json!({"TrangThai": "9"})).unwrap(), "1,2,4,9");
}

#[test]
fn the_documents_of_both_patterns_are_not_mixed_up() {
    let text = "  profile: ministry_2026\n  service: VN/GOV/G22/DVCQG/cases\n  openapi: cases.yaml\n  dstcode: X\n";
    let told = Desk::new(([127, 0, 0, 1], 1).into(), text).read().unwrap_err();
    for mistake in [
        "no operation `token`",
        "no operation `GetNextValue`",
        "`dstcode` is a setting of the profile `portal_2020`",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}
