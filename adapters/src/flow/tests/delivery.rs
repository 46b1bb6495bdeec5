//! What becomes of messages by what the gateway says of them, and of rows by what the outbox holds.

use jiff::SignedDuration;
use lienthong_model::clock::Clock as _;
use lienthong_store::{Store, outbox::Lease};
use serde_json::json;

use crate::{
    npsp::testing::{Asked, Scripted, Told},
    testing::{A, B, C, CANARY, World, progress, sync},
};

/// A gateway that refuses the synchronisation of one dossier for this reason, and takes the rest.
async fn refusing(case: &'static str, status: u16, reason: &'static str) -> Scripted {
    Scripted::start(move |asked: &Asked| {
        if asked.call() == "login" {
            return Told::Json(200, json!({"error_code": 0, "session": "s"}));
        }
        if asked.json().pointer("/data/0/MaHoSo") == Some(&json!(case)) {
            return Told::Problem(status, reason);
        }
        Told::Json(200, json!({"error_code": "00", "result": ""}))
    })
    .await
}

async fn behind(gateway: &Scripted) -> World {
    let mut world = World::new().await;
    let portal = format!("http://{}", world.portal.addr);
    world.set(&portal, &format!("http://{}", gateway.addr));
    world
}

#[tokio::test]
async fn a_message_without_consent_is_withheld_and_erased_and_holds_nobody() {
    let gateway = refusing(A, 403, "consent.not_given").await;
    let world = behind(&gateway).await;
    world.write(&[sync(A, 1), sync(A, 2), sync(B, 1)]).await;
    let report = world.run().await;
    assert_eq!((report.withheld, report.delivered, report.dead), (2, 1, 0));
    assert_eq!((report.waiting, report.held), (0, 0));
    // Asked once each: what was withheld is never tried again, also when its row is read again.
    assert_eq!(gateway.asked("DongBoHoSoMC").len(), 3);
    let database = world.config().state.directory().unwrap().join("lienthong.db");
    let text = String::from_utf8_lossy(&std::fs::read(database).unwrap()).into_owned();
    assert!(!text.contains(CANARY));
    world.run().await;
    assert_eq!(gateway.asked("DongBoHoSoMC").len(), 3);
}

#[tokio::test]
async fn an_agreement_that_has_ended_pauses_the_sending_and_costs_no_message_an_attempt() {
    let gateway = refusing(A, 403, "agreement.expired").await;
    let mut world = behind(&gateway).await;
    world.set("attempts: 12", "attempts: 3");
    world.write(&[sync(A, 1), sync(A, 2)]).await;
    let report = world.run().await;
    assert_eq!((report.waiting, report.dead, report.retried), (2, 0, 0));
    // The agreement is signed anew.
    let portal = format!("http://{}", world.portal.addr);
    world.set(&format!("http://{}", gateway.addr), &portal);
    assert_eq!(world.run().await.delivered, 2);
}

#[tokio::test]
async fn what_the_gateway_will_never_take_needs_a_person_at_once() {
    let gateway = refusing(A, 400, "request.schema").await;
    let world = behind(&gateway).await;
    world.write(&[sync(A, 1), sync(A, 2), sync(B, 1)]).await;
    let report = world.run().await;
    assert_eq!((report.dead, report.held, report.delivered), (1, 1, 1));
    assert_eq!(report.dead_letters[0].reason, "request.schema");
}

#[tokio::test]
async fn what_waits_is_sealed_in_the_database() {
    let gateway = refusing(A, 403, "agreement.expired").await;
    let mut world = behind(&gateway).await;
    world.set("attempts: 12", "attempts: 1");
    world.write(&[sync(A, 1)]).await;
    assert_eq!(world.run().await.waiting, 1);
    for entry in std::fs::read_dir(world.config().state.directory().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for value in [CANARY, "0599000001"] {
            assert!(!text.contains(value), "{} holds `{value}`", path.display());
        }
    }
    // With another key nothing opens: a person must look, and nothing is sent.
    let key = world.folder.path().join("seal.key");
    std::fs::write(key, "a5".repeat(32)).unwrap();
    let report = world.run().await;
    assert_eq!((report.dead, report.delivered), (1, 0));
    let reason = &report.dead_letters[0].reason;
    assert!(reason.contains("a key that is not configured"), "{reason}");
    assert!(!reason.contains("it may have been taken"), "it was never sent: {reason}");
}

#[tokio::test]
async fn what_does_not_open_after_an_attempt_of_unknown_outcome_may_have_been_taken() {
    let gateway = refusing(A, 403, "agreement.expired").await;
    let mut world = behind(&gateway).await;
    world.set("attempts: 12", "attempts: 1");
    world.write(&[sync(A, 1)]).await;
    assert_eq!(world.run().await.waiting, 1);
    // A process has it under way and ends without a word.
    let (store, _) = Store::share(world.config().state).await.unwrap();
    let lease = Lease::of(SignedDuration::from_secs(30));
    world.clock.forward(SignedDuration::from_secs(60));
    let flow = "ward-cases".parse().unwrap();
    let claimed = store.outbox().claim(&flow, world.clock.now(), &lease, 1).await.unwrap();
    assert_eq!(claimed.len(), 1);
    store.close().await;
    std::fs::write(world.folder.path().join("seal.key"), "a5".repeat(32)).unwrap();
    let report = world.run().await;
    assert_eq!((report.dead, report.delivered), (1, 0));
    assert!(report.dead_letters[0].reason.contains("it may have been taken"));
}

#[tokio::test]
async fn a_later_state_takes_the_place_of_one_that_was_never_sent() {
    let gateway = refusing(A, 403, "agreement.expired").await;
    let mut world = behind(&gateway).await;
    world.set("attempts: 12", "attempts: 1");
    world.set("- call: DongBoHoSoMC", "- call: DongBoHoSoMC\n        supersedes: true");
    // Three times the same status with other content, then another status.
    let again = |n: i64| crate::testing::TestRow { event: format!("{A}/{n}"), ..sync(A, 1) };
    world.write(&[again(1), again(2), again(3), sync(A, 2), sync(B, 1)]).await;
    let report = world.run().await;
    assert_eq!((report.superseded, report.waiting), (2, 2), "no status is left out");
    let portal = format!("http://{}", world.portal.addr);
    world.set(&format!("http://{}", gateway.addr), &portal);
    let report = world.run().await;
    assert_eq!((report.delivered, report.waiting, report.dead), (3, 0, 0));
    assert_eq!(world.seen().order_violations, 0);
}

#[tokio::test]
async fn no_row_is_read_while_too_many_messages_wait() {
    let gateway = refusing(A, 403, "agreement.expired").await;
    let mut world = behind(&gateway).await;
    world.set("attempts: 12", "attempts: 1");
    world.set("batch: 200", "batch: 2\n        most_waiting: 3");
    let rows: Vec<_> = (1..=9).map(|minute| progress(A, 4, 10 + minute)).collect();
    world.write(&[sync(A, 1), sync(A, 2)]).await;
    world.write(&rows).await;
    let report = world.run().await;
    assert_eq!((report.rows, report.waiting), (4, 4), "one batch beyond the bound at most");
    let portal = format!("http://{}", world.portal.addr);
    world.set(&format!("http://{}", gateway.addr), &portal);
    let report = world.run().await;
    assert_eq!((report.rows, report.delivered), (11, 11));
}

#[tokio::test]
async fn a_comparison_finds_the_rows_that_no_reading_saw() {
    let mut world = World::new().await;
    world.set("poll_seconds: 2", "poll_seconds: 2\n        compare_hours: 1");
    world.write(&[sync(A, 1), sync(B, 1), sync(C, 1)]).await;
    world.execute("UPDATE case_outbox SET id = 9 WHERE id = 2").await;
    assert_eq!(world.run().await.delivered, 3);
    // A row below the highest one that was read: no watermark sees it.
    world.write(&[sync(A, 2)]).await;
    world.execute("UPDATE case_outbox SET id = 5 WHERE id = 10").await;
    assert_eq!(world.run().await.delivered, 3);
    let config = world.config();
    let clock = world.clock.clone();
    clock.forward(SignedDuration::from_hours(2));
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async { drop(ended.await) };
    let watching = async {
        while world.seen().accepted < 4 {
            // Comparisons are an hour apart; once the row is found it is sent within its lease.
            let told = crate::status(&config, clock.clone()).await.unwrap();
            if told.flows[0].enqueued < 4 {
                clock.forward(SignedDuration::from_secs(60));
            }
            tokio::task::yield_now().await;
        }
        end.send(()).unwrap();
    };
    let (report, ()) = tokio::join!(crate::run(&config, clock.clone(), shutdown), watching);
    let report = report.unwrap().flows.remove(0);
    assert_eq!((report.delivered, report.quarantined), (4, 0));
    assert_eq!(world.portal.status_of(A), Some(2));
}
