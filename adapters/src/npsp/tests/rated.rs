use serde_json::json;

use crate::{
    npsp::testing::{CASES, Desk, Scripted, Told, WITH_LISTS, envelope, parcel},
    outcome::Outcome,
};

const RATE: &str = "  rate: {per_second: 1, burst: 20}\n";
const BOX: &str = "  inboxes:\n    - {id: questions, call: LayDanhSachHoiDapGuiTuDVCQG, \
                   key: MaHoiDap, folder: questions}\n";

async fn portal() -> Scripted {
    Scripted::start(|asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": 0, "session": "s1"})),
        _ => Told::Json(200, json!({"error_code": "00", "result": []})),
    })
    .await
}

#[tokio::test]
async fn log_ins_lists_and_look_ups_take_from_the_rate_and_an_admitted_message_does_not_again() {
    let portal = portal().await;
    let desk = Desk::new(portal.addr, &format!("{CASES}{WITH_LISTS}{BOX}{RATE}"));
    let npsp = desk.open();
    let rate = npsp.rate().unwrap();
    // The clock stands still: what is gone stays gone.
    npsp.tend_once().await;
    assert_eq!(portal.calls(), ["login", "LayDanhSachHoiDapGuiTuDVCQG"]);
    let case = envelope(&json!({"MaHoSo": "H29.40-261102-0001"}));
    assert_eq!(rate.admit(1).0, 1);
    assert_eq!(npsp.send(parcel("DongBoHoSoMC", &case)).await, Outcome::Delivered);
    npsp.look_up("TraCuuHoSo", parcel("DongBoHoSoMC", &case)).await;
    assert_eq!(portal.calls().len(), 4);
    assert_eq!(rate.admit(100).0, 16);
}

#[tokio::test]
async fn a_message_that_is_sent_again_in_a_new_session_takes_its_turn() {
    let portal = Scripted::start(|asked| match asked.call() {
        "login" => Told::Json(200, json!({"error_code": 0, "session": "s1"})),
        _ => Told::Json(200, json!({"error_code": "101"})),
    })
    .await;
    let npsp = Desk::new(portal.addr, &format!("{CASES}{RATE}")).open();
    let rate = npsp.rate().unwrap();
    assert_eq!(rate.admit(1).0, 1);
    let case = envelope(&json!({"MaHoSo": "H29.40-261102-0001"}));
    let outcome = npsp.send(parcel("DongBoHoSoMC", &case)).await;
    assert!(matches!(outcome, Outcome::Unavailable(..)), "{outcome:?}");
    assert_eq!(portal.calls(), ["login", "DongBoHoSoMC", "login", "DongBoHoSoMC"]);
    assert_eq!(rate.admit(100).0, 16);
}

#[tokio::test]
async fn an_attempt_may_last_longer_where_its_errands_wait_for_turns() {
    let portal = portal().await;
    let plain = Desk::new(portal.addr, CASES).open().longest_attempt();
    let rated = Desk::new(portal.addr, &format!("{CASES}{RATE}")).open().longest_attempt();
    assert_eq!(rated - plain, jiff::SignedDuration::from_secs(12 * 30));
}
