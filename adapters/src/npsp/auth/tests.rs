use std::sync::atomic::AtomicBool;

use serde_json::json;

use super::*;
use crate::npsp::testing::{CASES, Desk, Scripted, Told};

async fn portal(opens: Arc<AtomicBool>) -> Scripted {
    Scripted::start(move |_| match opens.load(Ordering::SeqCst) {
        true => Told::Json(200, json!({"error_code": 0, "session": "s1"})),
        false => Told::Json(200, json!({"error_code": "102", "result": "sai mat khau"})),
    })
    .await
}

async fn refusing() -> (Arc<AtomicBool>, Scripted, Desk) {
    let opens = Arc::new(AtomicBool::new(false));
    let portal = portal(Arc::clone(&opens)).await;
    let desk = Desk::new(portal.addr, CASES);
    (opens, portal, desk)
}

fn wait(outcome: Result<Sensitive<String>, Outcome>) -> (String, SignedDuration) {
    match outcome {
        Err(Outcome::Unavailable(reason, Some(wait))) => (reason.to_string(), wait),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refused_password_is_not_tried_again_at_once_and_after_three_times_not_at_all() {
    let (_opens, portal, desk) = refusing().await;
    let npsp = desk.open();
    for minutes in [1, 4] {
        let (told, waits) = wait(npsp.session().await);
        assert!(told.contains("check `username` and `password_file`"), "{told}");
        assert_eq!(waits, SignedDuration::from_mins(minutes));
        let before = portal.calls().len();
        for _ in 0..5 {
            wait(npsp.session().await);
        }
        assert_eq!(portal.calls().len(), before);
        desk.clock.advance(waits);
    }
    let (told, _) = wait(npsp.session().await);
    assert!(told.contains("none is tried any more: mend `username`"), "{told}");
    desk.clock.advance(SignedDuration::from_hours(1_000));
    wait(npsp.session().await);
    assert_eq!(portal.calls().len(), 3);
}

#[tokio::test]
async fn a_process_that_is_started_again_and_again_does_not_lock_the_account() {
    let (_opens, portal, desk) = refusing().await;
    for _ in 0..20 {
        wait(desk.open().session().await);
        desk.clock.advance(SignedDuration::from_hours(1));
    }
    assert_eq!(portal.calls().len(), 3);
}

#[tokio::test]
async fn a_changed_password_file_opens_the_way_again() {
    let (opens, portal, desk) = refusing().await;
    for _ in 0..3 {
        wait(desk.open().session().await);
        desk.clock.advance(SignedDuration::from_hours(1));
    }
    let file = std::fs::File::options().write(true).open(desk.path("password")).unwrap();
    let later = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
    file.set_modified(later).unwrap();
    opens.store(true, Ordering::SeqCst);
    let npsp = desk.open();
    assert_eq!(npsp.session().await.unwrap().expose(), "s1");
    assert_eq!(portal.calls().len(), 4);
}

#[tokio::test]
async fn a_log_in_that_succeeds_clears_what_was_counted() {
    let (opens, _portal, desk) = refusing().await;
    wait(desk.open().session().await);
    desk.clock.advance(SignedDuration::from_hours(1));
    opens.store(true, Ordering::SeqCst);
    desk.open().session().await.unwrap();
    opens.store(false, Ordering::SeqCst);
    let (_, waits) = wait(desk.open().session().await);
    assert_eq!(waits, SignedDuration::from_mins(1));
}

#[tokio::test]
async fn what_is_no_word_about_the_password_is_not_counted() {
    for told in [
        Told::Html,
        Told::Nothing,
        Told::Problem(503, "gateway.overloaded"),
        Told::Problem(403, "agreement.expired"),
        Told::Json(200, json!({"error_code": "999"})),
        Told::Json(200, json!({"error_code": 0})),
        Told::Json(200, json!({"error_code": 0, "session": "two words"})),
    ] {
        let portal = Scripted::start(move |_| told.clone()).await;
        let npsp = Desk::new(portal.addr, &format!("{CASES}  retry_codes: [\"999\"]\n")).open();
        for tries in 1..=5 {
            assert!(matches!(npsp.session().await, Err(Outcome::Unavailable(..))));
            assert_eq!(portal.calls().len(), tries);
        }
    }
}

#[tokio::test]
async fn a_log_in_that_failed_failed_for_all_who_waited_for_it() {
    let portal = Scripted::start(|_| Told::Nothing).await;
    let npsp = Desk::new(portal.addr, CASES).open();
    let all = tokio::join!(npsp.session(), npsp.session(), npsp.session(), npsp.session());
    assert!(all.0.is_err() && all.1.is_err() && all.2.is_err() && all.3.is_err());
    assert_eq!(portal.calls().len(), 1);
    assert!(npsp.session().await.is_err());
    assert_eq!(portal.calls().len(), 2);
}

#[tokio::test]
async fn a_session_is_renewed_before_it_ends() {
    let portal = portal(Arc::new(AtomicBool::new(true))).await;
    let desk = Desk::new(portal.addr, &format!("{CASES}  session_seconds: 60\n"));
    let npsp = desk.open();
    for _ in 0..6 {
        npsp.session().await.unwrap();
        desk.clock.advance(SignedDuration::from_secs(20));
    }
    assert_eq!(portal.calls().len(), 2);
}

#[test]
fn no_secret_is_in_debug() {
    let desk = Desk::new(([127, 0, 0, 1], 1).into(), CASES);
    assert!(!format!("{:?}", desk.open()).contains("sandbox-only"));
}
