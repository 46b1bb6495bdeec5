mod delivery;
mod quality;

use lienthong_sandbox::Fault;

use crate::source::testing::postgres::{PASSWORD, Server};
use crate::testing::{A, B, C, CANARY, World, progress, sync};

#[tokio::test]
async fn a_bad_row_is_put_aside_alone_with_its_key_and_never_a_value() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync("HS 0002", 1), sync(C, 1)]).await;
    world.execute("UPDATE case_outbox SET applicant_name = NULL WHERE id = 2").await;
    let report = world.run().await;
    assert_eq!((report.rows, report.delivered, report.quarantined), (3, 2, 1));
    assert_eq!(report.quarantine[0].key, "HS 0002/sync/1");
    let reason = &report.quarantine[0].reason;
    assert!(reason.contains("`MaHoSo` is not a dossier code"), "{reason}");
    assert!(reason.contains("`record` breaks `required`"), "{reason}");
    assert!(!format!("{report:?}").contains(CANARY));
    assert_eq!(world.seen().cases, 2);
}

#[tokio::test]
async fn a_mended_row_takes_its_place_before_the_later_ones_of_its_case() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(A, 2), progress(A, 4, 30)]).await;
    world.execute("UPDATE case_outbox SET received_at = '31/02/2026 08:00' WHERE id = 1").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.quarantined, report.held), (0, 3, 0));
    let mut reasons: Vec<_> = report.quarantine.iter().map(|row| row.reason.as_str()).collect();
    reasons.sort_unstable();
    assert!(reasons[0].contains("`NgayTiepNhan` is not a date"), "{reasons:?}");
    assert_eq!(reasons[1..], ["an earlier row of its case is in quarantine"; 2]);
    world.execute("UPDATE case_outbox SET received_at = '02/11/2026 08:00' WHERE id = 1").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.quarantined, report.held), (3, 0, 0));
    assert_eq!(world.portal.status_of(A), Some(4));
    assert_eq!(world.seen().order_violations, 0);
}

#[tokio::test]
async fn a_row_that_the_source_took_back_holds_nothing() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(A, 2)]).await;
    world.execute("UPDATE case_outbox SET procedure_code = 'x' WHERE id = 1").await;
    assert_eq!(world.run().await.quarantined, 2);
    world.execute("DELETE FROM case_outbox WHERE id = 1").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.held, report.quarantined), (1, 0, 0));
}

#[tokio::test]
async fn a_step_that_no_case_makes_is_never_sent_and_told_with_the_history() {
    let world = World::new().await;
    let rows = [
        sync(A, 1),
        sync(B, 1),
        sync(A, 2),
        sync(A, 10),
        progress(A, 4, 30),
        progress(B, 4, 31),
        progress(C, 4, 32),
    ];
    world.write(&rows).await;
    let report = world.run().await;
    // What comes after the wrong step of a case waits with it; other cases go on.
    assert_eq!((report.delivered, report.dead, report.quarantined), (3, 0, 4));
    let reason = |key: &str| {
        let found = report.quarantine.iter().find(|row| row.key == key);
        found.map(|row| row.reason.clone()).unwrap()
    };
    assert_eq!(reason(&rows[3].event), "status 10 may not follow 2 (history 1,2)");
    assert_eq!(reason(&rows[4].event), "an earlier row of its case is in quarantine");
    assert_eq!(reason(&rows[5].event), "status 4 may not follow 1 (history 1)");
    assert_eq!(reason(&rows[6].event), "dossier may not begin with status 4");
    assert_eq!(world.seen().refused.len(), 0, "{:?}", world.seen());
    assert_eq!(world.portal.status_of(A), Some(2));
    // Mended in the city's system, the case goes on where it stood.
    world.execute("UPDATE case_outbox SET status = 2 WHERE status = 10").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.quarantined), (5, 2));
    assert_eq!(world.portal.status_of(A), Some(4));
}

#[tokio::test]
async fn a_row_read_again_takes_no_step_again() {
    let mut world = World::new().await;
    world.set("mode: watermark", "mode: outbox\n        taken_at: taken_at");
    let rows = [sync(A, 1), sync(A, 2), progress(A, 4, 30), sync(A, 9), sync(A, 10)];
    world.write(&rows).await;
    assert_eq!(world.run().await.delivered, 5);
    world.execute("UPDATE case_outbox SET taken_at = NULL").await;
    let report = world.run().await;
    assert_eq!((report.duplicates, report.quarantined, report.delivered), (5, 0, 5));
}

/// Rows are read two at a time, and the next two while the last ones are written.
#[tokio::test]
async fn rows_read_ahead_are_judged_by_what_was_taken_before_them() {
    let mut world = World::new().await;
    world.set("batch: 200", "batch: 2");
    let rows = [
        [sync(A, 1), sync(B, 1)],
        // The second is there already, and the first follows what was taken with it.
        [sync(A, 2), sync(B, 1)],
        [progress(A, 4, 30), sync(B, 10)],
        // These wait: an earlier row of the case was put aside with the last two.
        [sync(B, 2), sync(C, 1)],
        [progress(A, 9, 31), sync(B, 4)],
    ];
    world.write(rows.as_flattened()).await;
    let report = world.run().await;
    assert_eq!((report.rows, report.duplicates, report.quarantined), (10, 1, 3));
    assert_eq!((report.delivered, report.dead), (6, 0));
    let mut reasons: Vec<_> = report.quarantine.iter().map(|row| row.reason.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons[..2], ["an earlier row of its case is in quarantine"; 2]);
    assert_eq!(reasons[2], "status 10 may not follow 1 (history 1)");
    assert_eq!((world.portal.status_of(A), world.portal.status_of(B)), (Some(9), Some(1)));
    let seen = world.seen();
    assert_eq!((seen.order_violations, seen.refused.len()), (0, 0), "{seen:?}");
}

#[tokio::test]
async fn a_refused_message_holds_its_case_and_no_other() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(B, 1), sync(A, 2), sync(B, 2)]).await;
    world.execute("UPDATE case_outbox SET procedure_code = '9.999999' WHERE id = 1").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.held), (2, 1, 1));
    assert_eq!(report.dead_letters[0].reason, "portal 201");
    assert_eq!(world.portal.status_of(B), Some(2));
    assert_eq!(world.portal.status_of(A), None);
}

#[tokio::test]
async fn a_row_written_twice_is_sent_once() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(A, 1), sync(A, 2)]).await;
    let report = world.run().await;
    assert_eq!((report.rows, report.duplicates, report.delivered), (3, 1, 2));
    let again = world.run().await;
    assert_eq!((again.rows, again.duplicates, again.delivered), (3, 1, 2));
    assert_eq!(world.seen().accepted, 2);
}

#[tokio::test]
async fn order_holds_and_nothing_is_doubled_under_faults() {
    let mut world = World::new().await;
    world.set("attempts: 12", "attempts: 100");
    let mut rows = Vec::new();
    for case in [A, B, C] {
        rows.extend([sync(case, 1), sync(case, 2)]);
        rows.extend((10..16).map(|minute| progress(case, 4, minute)));
        rows.extend([sync(case, 9), sync(case, 10)]);
    }
    rows.sort_by_key(|row| row.minute);
    let mut rows: Vec<_> = rows;
    // Keep each case's own order: statuses 9 and 10 come after the steps.
    rows.sort_by_key(|row| matches!((row.kind, row.status), ("sync", 9 | 10)));
    world.write(&rows).await;
    let kinds = [
        Fault::ResetAfterAccept,
        Fault::Unavailable,
        Fault::HtmlWith200,
        Fault::ResetMidBody,
        Fault::WrongLength,
        Fault::StackTrace,
        Fault::Garbage,
    ];
    world.faults().random(3, 300, &kinds);
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.waiting), (30, 0, 0), "{report:?}");
    assert!(report.retried > 0);
    let seen = world.seen();
    assert_eq!((seen.order_violations, seen.duplicates), (0, 0), "{seen:?}");
    assert_eq!((seen.cases, seen.progress), (3, 18));
    for case in [A, B, C] {
        assert_eq!(world.portal.status_of(case), Some(10));
    }
}

#[tokio::test]
async fn an_unknown_outcome_goes_to_a_person_when_the_type_is_never_repeated() {
    let mut world = World::new().await;
    world.set("repeat: {look_up: TraCuuHoSo}", "repeat: never");
    world.write(&[sync(A, 1), sync(A, 2), progress(A, 4, 30), progress(A, 4, 31)]).await;
    world.faults().once("CapNhatTienDoHoSoMC", Fault::ResetAfterAccept);
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.held), (2, 1, 1));
    assert!(report.dead_letters[0].reason.contains("it may have been taken"));
    assert_eq!((world.seen().progress, world.seen().duplicates), (1, 0));
}

#[tokio::test]
async fn an_unknown_outcome_is_repeated_when_that_is_safe() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(A, 2)]).await;
    world.faults().once("DongBoHoSoMC", Fault::ResetAfterAccept);
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.retried), (2, 0, 1));
    assert_eq!((world.seen().repeated, world.seen().order_violations), (1, 0));
}

#[tokio::test]
async fn an_unknown_outcome_is_asked_about_before_a_step_is_sent_again() {
    let world = World::new().await;
    world.write(&[sync(A, 1), sync(A, 2), progress(A, 4, 30), progress(A, 5, 31)]).await;
    // The first step is taken and nobody hears of it; the second is lost before it is taken.
    world.faults().once("CapNhatTienDoHoSoMC", Fault::ResetAfterAccept);
    world.faults().once("CapNhatTienDoHoSoMC", Fault::HtmlWith200);
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.retried), (4, 0, 2));
    let seen = world.seen();
    assert_eq!((seen.progress, seen.duplicates, seen.order_violations), (2, 0, 0));
}

#[tokio::test]
async fn attempts_are_bounded() {
    let mut world = World::new().await;
    world.set("attempts: 12", "attempts: 3");
    world.write(&[sync(A, 1), sync(B, 1)]).await;
    world.faults().set("DongBoHoSoMC", Fault::StackTrace);
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.retried), (0, 2, 4));
}

#[tokio::test]
async fn a_session_that_ended_is_renewed_without_losing_an_attempt() {
    let world = World::new().await;
    world.write(&[sync(A, 1)]).await;
    world.run().await;
    assert_eq!(world.seen().logins, 1);
    world.portal.expire_sessions();
    world.write(&[sync(A, 2), sync(B, 1)]).await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.retried, report.dead), (3, 0, 0));
}

#[tokio::test]
async fn a_session_that_ends_under_way_is_renewed_once_by_all_workers() {
    let mut world = World::new().await;
    // Longer than the portal's own 900 s, so that the portal ends it first.
    world.set("session_seconds: 600", "session_seconds: 86400");
    let rows: Vec<_> = [A, B, C].into_iter().map(|case| sync(case, 1)).collect();
    world.write(&rows).await;
    world.faults().once("DongBoHoSoMC", Fault::Slow(50));
    let config = world.config();
    let running = crate::run_until_idle(&config, world.clock.clone());
    let ending = async {
        // As soon as a session is in use, the platform restarts.
        while world.seen().logins == 0 {
            tokio::task::yield_now().await;
        }
        world.portal.expire_sessions();
    };
    let (report, ()) = tokio::join!(running, ending);
    let report = report.unwrap().flows.remove(0);
    assert_eq!((report.delivered, report.dead), (3, 0));
    assert!(world.seen().logins <= 2, "{:?}", world.seen());
}

#[tokio::test]
async fn a_wrong_password_costs_no_message_an_attempt() {
    let mut world = World::new().await;
    world.set("username: lienthong-sandbox", "username: somebody-else");
    // The account is not tried again for a while, so that it is not locked.
    world.set("attempts: 12", "attempts: 1");
    world.write(&[sync(A, 1), sync(B, 1)]).await;
    let report = world.run().await;
    assert_eq!((report.waiting, report.dead, report.retried), (2, 0, 0));
    world.set("username: somebody-else", "username: lienthong-sandbox");
    assert_eq!(world.run().await.delivered, 2);
}

#[tokio::test]
async fn a_gateway_that_is_away_costs_no_message_an_attempt() {
    let mut world = World::new().await;
    let url = format!("http://{}", world.portal.addr);
    world.set(&url, "http://127.0.0.1:1");
    world.set("attempts: 12", "attempts: 2");
    world.write(&[sync(A, 1)]).await;
    let report = world.run().await;
    assert_eq!((report.waiting, report.dead, report.retried), (1, 0, 0));
}

#[tokio::test]
async fn the_first_of_a_case_says_false_and_the_others_true_also_after_a_restart() {
    let world = World::new().await;
    world.write(&[sync(A, 1)]).await;
    world.run().await;
    // The portal would refuse other content under "False".
    world.write(&[sync(A, 2)]).await;
    assert_eq!(world.run().await.delivered, 2);
}

#[tokio::test]
async fn messages_wait_in_a_database_on_a_server_as_well() {
    let server = Server::shared();
    let mut world = World::new().await;
    world.on_a_server(&server);
    world.write(&[sync(A, 1), sync(A, 2), sync(B, 1)]).await;
    world.execute("UPDATE case_outbox SET received_at = '31/02/2026 08:00' WHERE id = 1").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.quarantined, report.held), (1, 2, 0));
    world.execute("UPDATE case_outbox SET received_at = '02/11/2026 08:00' WHERE id = 1").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.quarantined, report.held), (3, 0, 0));
    assert_eq!(world.seen().order_violations, 0);
    assert!(!format!("{:?}", world.config()).contains(PASSWORD));
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_refused() {
    let world = World::new().await;
    let store = lienthong_store::Store::open(world.config().state).await.unwrap();
    let error = world.try_run().await.unwrap_err();
    assert!(matches!(error, crate::Error::Store(lienthong_store::StoreError::InUse(_))));
    store.close().await;
    world.run().await;
}

#[tokio::test]
async fn the_synthetic_city_arrives_whole() {
    let world = World::populated().await;
    let report = world.run().await;
    assert_eq!(report.quarantined, u64::from(lienthong_sandbox::synthetic::BAD_ROWS));
    assert_eq!(report.duplicates, u64::from(lienthong_sandbox::synthetic::REPEATED_ROWS));
    assert_eq!(report.dead, 0, "{:?}", report.dead_letters);
    assert_eq!(report.delivered + report.quarantined + report.duplicates, report.rows);
    let seen = world.seen();
    assert_eq!((seen.order_violations, seen.duplicates, seen.cases), (0, 0, 24));
    let names = world.portal.accepted();
    let is_nfc = |v: &serde_json::Value| {
        v.get("ChuHoSo").and_then(|n| n.as_str()).is_none_or(unicode_normalization::is_nfc)
    };
    assert!(names.iter().all(is_nfc));
}

#[tokio::test]
async fn rows_of_a_transactional_outbox_are_marked_once_they_are_safe() {
    let mut world = World::new().await;
    world.set("mode: watermark", "mode: outbox\n        taken_at: taken_at");
    world.write(&[sync(A, 1), sync(B, 1)]).await;
    assert_eq!(world.run().await.delivered, 2);
    // A crash between outbox and mark: the rows come again and are known.
    world.execute("UPDATE case_outbox SET taken_at = NULL").await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.duplicates), (2, 2));
    assert_eq!(world.seen().accepted, 2);
}
