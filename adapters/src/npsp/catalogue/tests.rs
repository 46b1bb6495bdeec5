use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;

use super::*;
use crate::npsp::testing::{CASES, Desk, Scripted, Told, WITH_LISTS, files, record};

const RULE: &str = "  catalogues:\n    - {call: LayDanhSachTTHC, code: MATTHC, refresh_hours: 24, \
                    stale_hours: 100, checks: {DongBoHoSoMC: MaTTHC}}\n";

/// Pages of one procedure each; `most` says how many there are at present, 99 that none answers.
async fn portal(most: Arc<AtomicU32>) -> Scripted {
    Scripted::start(move |asked| {
        if asked.call() == "login" {
            return Told::Json(200, json!({"error_code": 0, "session": "s1"}));
        }
        let most = most.load(Ordering::SeqCst);
        let page = asked.json()["data"][0]["Trang"].as_u64().unwrap();
        match (most, page <= u64::from(most)) {
            (99, _) => Told::Html,
            (_, true) => {
                let entry = json!({"MATTHC": format!("1.00000{page}"), "TENTTHC": "Mẫu"});
                Told::Json(200, json!({"error_code": "00", "result": [entry]}))
            }
            (_, false) => Told::Json(200, json!({"error_code": "0", "result": []})),
        }
    })
    .await
}

fn desk(portal: &Scripted) -> Desk {
    Desk::new(portal.addr, &format!("{CASES}{WITH_LISTS}{RULE}"))
}

fn listed(npsp: &Npsp, code: &str) -> Listed {
    npsp.listed("DongBoHoSoMC", &record(&json!({"MaTTHC": code})))
}

#[tokio::test]
async fn nothing_passes_before_the_catalogue_has_been_read() {
    let most = Arc::new(AtomicU32::new(99));
    let portal = portal(Arc::clone(&most)).await;
    let npsp = desk(&portal).open();
    let wait = Listed::Wait("catalogue `LayDanhSachTTHC` has not been read yet".to_owned());
    assert_eq!(listed(&npsp, "1.000001"), wait);
    npsp.tend_once().await;
    assert_eq!(listed(&npsp, "1.000001"), wait);
    // No check is asked of other calls.
    assert_eq!(npsp.listed("CapNhatTienDoHoSoMC", &record(&json!({}))), Listed::Yes);
}

#[tokio::test]
async fn a_code_that_is_not_listed_is_named_by_field_and_catalogue_only() {
    let portal = portal(Arc::new(AtomicU32::new(3))).await;
    let desk = desk(&portal);
    let npsp = desk.open();
    npsp.tend_once().await;
    assert_eq!(listed(&npsp, "1.000003"), Listed::Yes);
    let no = "`MaTTHC` is not listed in `LayDanhSachTTHC`".to_owned();
    assert_eq!(listed(&npsp, "1.000004"), Listed::No(no));
    assert_eq!(portal.asked("LayDanhSachTTHC").len(), 4);
}

#[tokio::test]
async fn the_last_good_one_outlives_the_process_and_the_portal_up_to_its_age() {
    let most = Arc::new(AtomicU32::new(3));
    let portal = portal(Arc::clone(&most)).await;
    let desk = desk(&portal);
    desk.open().tend_once().await;
    assert_eq!(files(&desk.path("state/npsp/catalogues")).len(), 1);
    most.store(99, Ordering::SeqCst);
    desk.clock.advance(SignedDuration::from_hours(30));
    let npsp = desk.open();
    assert_eq!(listed(&npsp, "1.000003"), Listed::Yes);
    npsp.tend_once().await;
    assert_eq!(listed(&npsp, "1.000003"), Listed::Yes);
    desk.clock.advance(SignedDuration::from_hours(71));
    assert_eq!(
        listed(&npsp, "1.000003"),
        Listed::Wait("catalogue `LayDanhSachTTHC` is stale".to_owned())
    );
    most.store(3, Ordering::SeqCst);
    npsp.tend_once().await;
    assert_eq!(listed(&npsp, "1.000003"), Listed::Yes);
}

#[tokio::test]
async fn it_is_read_again_by_age_and_soon_after_a_code_was_missing() {
    let most = Arc::new(AtomicU32::new(3));
    let portal = portal(Arc::clone(&most)).await;
    let desk = desk(&portal);
    let npsp = desk.open();
    npsp.tend_once().await;
    most.store(4, Ordering::SeqCst);
    let asked = || portal.asked("LayDanhSachTTHC").len();
    desk.clock.advance(SignedDuration::from_hours(20));
    npsp.tend_once().await;
    assert_eq!(asked(), 4);
    assert!(matches!(listed(&npsp, "1.000004"), Listed::No(_)));
    npsp.tend_once().await;
    assert_eq!((asked(), listed(&npsp, "1.000004")), (9, Listed::Yes));
    // A code that the portal does not have either makes no storm of questions.
    assert!(matches!(listed(&npsp, "1.000009"), Listed::No(_)));
    npsp.tend_once().await;
    assert_eq!(asked(), 9);
    desk.clock.advance(SignedDuration::from_hours(27));
    npsp.tend_once().await;
    assert_eq!(asked(), 14);
}

#[tokio::test]
async fn a_list_that_lost_most_of_its_codes_or_holds_none_is_not_believed() {
    let most = Arc::new(AtomicU32::new(9));
    let portal = portal(Arc::clone(&most)).await;
    let desk = desk(&portal);
    let npsp = desk.open();
    npsp.tend_once().await;
    for fewer in [0, 3] {
        most.store(fewer, Ordering::SeqCst);
        desk.clock.advance(SignedDuration::from_hours(28));
        npsp.tend_once().await;
        assert_eq!(listed(&npsp, "1.000009"), Listed::Yes);
    }
    most.store(5, Ordering::SeqCst);
    desk.clock.advance(SignedDuration::from_hours(1));
    npsp.tend_once().await;
    assert!(matches!(listed(&npsp, "1.000009"), Listed::No(_)));
}

#[tokio::test]
async fn a_portal_that_is_away_is_not_asked_at_every_turn() {
    let portal = portal(Arc::new(AtomicU32::new(99))).await;
    let desk = desk(&portal);
    let npsp = desk.open();
    for _ in 0..60 {
        npsp.tend_once().await;
        desk.clock.advance(SignedDuration::from_secs(60));
    }
    let asked = portal.asked("LayDanhSachTTHC").len();
    assert!((5..=12).contains(&asked), "{asked}");
}

#[tokio::test]
async fn a_file_that_was_spoilt_is_as_good_as_none() {
    let portal = portal(Arc::new(AtomicU32::new(3))).await;
    let desk = desk(&portal);
    desk.open().tend_once().await;
    let folder = desk.path("state/npsp/catalogues");
    std::fs::write(folder.join(&files(&folder)[0]), "{\"call\":").unwrap();
    let npsp = desk.open();
    assert!(matches!(listed(&npsp, "1.000003"), Listed::Wait(_)));
    npsp.tend_once().await;
    assert_eq!(listed(&npsp, "1.000003"), Listed::Yes);
}

#[tokio::test]
async fn a_portal_that_knows_no_pages_or_never_ends_one_is_read_in_bounds() {
    let portal = Scripted::start(|asked| {
        let body = match asked.call() {
            "login" => json!({"error_code": 0, "session": "s1"}),
            _ => json!({"error_code": 0, "result": [{"MATTHC": "1.000001"}]}),
        };
        Told::Json(200, body)
    })
    .await;
    let npsp = desk(&portal).open();
    npsp.tend_once().await;
    assert_eq!(listed(&npsp, "1.000001"), Listed::Yes);
    assert_eq!(portal.asked("LayDanhSachTTHC").len(), 2);
}
