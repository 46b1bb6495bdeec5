//! Data quality of a flow at work: what rows count for, and what holds it.

use lienthong_model::{
    quality::{Criterion, Share},
    text::Language,
    ward,
};

use crate::{
    FlowReport,
    quality::{Ask, FlowScores, QualityReport, quality},
    run::tests::CHILD,
    source::testing::postgres::Server,
    status,
    testing::{A, B, C, CANARY, Log, World, progress, sync},
};

const D: &str = "H29.40-261102-0004";
const E: &str = "H29.40-261102-0005";
const F: &str = "H29.40-261102-0006";

/// A world whose flow has settings of quality.
async fn world(settings: &str) -> World {
    let mut world = World::new().await;
    let order = "    order_by: case_code\n";
    world.set(order, &format!("{order}    quality: {{{settings}}}\n"));
    world
}

/// Four rows, of which one has no date that there is.
async fn one_of_four_is_wrong(world: &World) {
    world.write(&[A, B, C, D].map(|case| sync(case, 1))).await;
    world.execute("UPDATE case_outbox SET received_at = '31/02/2026 08:00' WHERE id = 2").await;
}

async fn mend(world: &World) {
    world
        .execute(
            "UPDATE case_outbox SET received_at = '02/11/2026 08:00'
             WHERE received_at LIKE '31/02%'",
        )
        .await;
}

fn share(report: &FlowReport, criterion: Criterion) -> (u64, u64) {
    let Share { good, all } = report.quality.scores.get(&criterion).copied().unwrap_or_default();
    (good, all)
}

async fn scores(world: &World) -> FlowScores {
    report(world, &Ask { limit: 100, ..Ask::default() }).await.flows.remove(0)
}

async fn report(world: &World, ask: &Ask) -> QualityReport {
    quality(&world.config(), world.clock.clone(), ask).await.unwrap()
}

#[tokio::test]
async fn a_flow_below_a_threshold_sends_nothing_and_says_which_and_goes_on_when_it_is_mended() {
    let log = Log::default();
    let guard = log.listen();
    let world = world("thresholds: {correct: 0.9, consistent: 0.5}, at_least_rows: 4").await;
    one_of_four_is_wrong(&world).await;
    let report = world.run().await;
    assert_eq!((report.rows, report.enqueued, report.delivered, report.waiting), (4, 3, 0, 3));
    let held = report.quality.held.expect("held");
    assert_eq!((held.criterion, held.score), (Criterion::Correct, Share { good: 3, all: 4 }));
    assert_eq!(held.threshold.to_string(), "0.9");
    assert_eq!((report.quality.holds, report.quality.releases), (1, 0));
    assert_eq!(world.seen().accepted, 0);
    // Also after a restart, and news only once.
    let again = world.run().await;
    assert_eq!((again.delivered, again.quality.holds), (0, 1));
    mend(&world).await;
    let report = world.run().await;
    drop(guard);
    assert_eq!((report.delivered, report.waiting, report.quality.held), (4, 0, None));
    assert_eq!((report.quality.holds, report.quality.releases), (1, 1));
    assert_eq!(share(&report, Criterion::Correct), (4, 4));
    assert_eq!((report.quality.open.all, report.quality.open.mended), (0, 1));
    let text = log.text();
    assert!(text.contains("held by quality: nothing is sent"), "{text}");
    assert!(text.contains("not held by quality any more"), "{text}");
    assert!(!text.contains(CANARY));
}

#[tokio::test]
async fn too_few_rows_hold_nothing() {
    let world = world("thresholds: {correct: 0.9}, at_least_rows: 5").await;
    one_of_four_is_wrong(&world).await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.quality.held), (3, None));
}

#[tokio::test]
async fn a_wrong_identifier_holds_a_flow_only_where_that_is_said() {
    let settings = "thresholds: {correct: 0.1}, at_least_rows: 1";
    for (also, delivered) in [("", 1), (", identifier_fields: 1.0", 0)] {
        let world = world(&format!("{settings}{also}")).await;
        world.write(&[sync(A, 1), sync("HS 2", 1)]).await;
        let report = world.run().await;
        assert_eq!((report.delivered, report.quarantined), (delivered, 1), "{also}");
        assert_eq!(share(&report, Criterion::Identifiers), (1, 2));
        let held = report.quality.held.map(|held| held.criterion);
        assert_eq!(held, (delivered == 0).then_some(Criterion::Identifiers));
    }
}

#[tokio::test]
async fn a_score_that_drops_stops_the_sending_and_what_is_delivered_stays() {
    let mut world = world("thresholds: {correct: 0.6}, at_least_rows: 2").await;
    world.set("batch: 200", "batch: 2");
    world.write(&[sync(A, 1), sync(B, 1)]).await;
    assert_eq!(world.run().await.delivered, 2);
    // Of the next rows most are wrong: the first two keep the score, the others do not.
    world.write(&[sync(A, 2), sync(C, 1), sync(D, 1), sync(E, 1), sync(F, 1)]).await;
    world.execute("UPDATE case_outbox SET received_at = '31/02/2026 08:00' WHERE id >= 4").await;
    let report = world.run().await;
    let (delivered, waiting) = (report.delivered, report.waiting);
    assert_eq!((report.rows, report.enqueued, report.quarantined), (7, 3, 4));
    assert_eq!((report.quality.held.map(|held| held.criterion)), Some(Criterion::Correct));
    assert_eq!((delivered + waiting, report.dead), (3, 0));
    // Nothing is half applied: counts, rows and mark are those of whole batches.
    assert_eq!(share(&report, Criterion::Correct), (3, 7));
    assert_eq!(world.run().await.delivered, delivered, "nothing more is sent");
    mend(&world).await;
    let report = world.run().await;
    assert_eq!((report.delivered, report.waiting, report.quarantined), (7, 0, 0));
    assert_eq!(share(&report, Criterion::Correct), (7, 7));
    let seen = world.seen();
    assert_eq!((seen.accepted, seen.duplicates, seen.order_violations), (7, 0, 0), "{seen:?}");
}

#[tokio::test]
async fn a_flow_on_a_server_is_held_as_well() {
    let server = Server::shared();
    let mut world = world("thresholds: {correct: 0.9}, at_least_rows: 4").await;
    world.on_a_server(&server);
    one_of_four_is_wrong(&world).await;
    assert_eq!(world.run().await.delivered, 0);
    mend(&world).await;
    assert_eq!(world.run().await.delivered, 4);
}

#[tokio::test]
async fn rows_count_for_the_ward_of_today_whatever_code_they_have() {
    let world = world("unit: {column: applicant_ward, as_of: received_at}").await;
    world.write(&[A, B, C, D].map(|case| sync(case, 1))).await;
    for change in [
        // The same digits before and after the merger, a ward that was split, and no ward.
        "UPDATE case_outbox SET applicant_ward = '25753', received_at = '30/06/2025 08:00' WHERE id = 1",
        "UPDATE case_outbox SET applicant_ward = '25747' WHERE id = 2",
        "UPDATE case_outbox SET applicant_ward = '25741', received_at = '30/06/2025 08:00' WHERE id = 3",
        "UPDATE case_outbox SET procedure_code = 'x', applicant_ward = '25747' WHERE id = 4",
    ] {
        world.execute(change).await;
    }
    let report = world.run().await;
    assert_eq!(report.delivered, 3);
    let told = scores(&world).await;
    assert_eq!(told.units.len(), ward::units().count());
    assert_eq!(told.units.len(), 168);
    let first = &told.units[0];
    assert_eq!((first.code.as_deref(), first.rows), (Some("25747"), 3), "the worst");
    assert!(told.units[1..].iter().all(|unit| unit.rows == 0 && unit.total.is_none()));
    assert_eq!(told.unknown.map(|unit| unit.rows), Some(1));
    assert_eq!(told.defects[0].unit.as_deref(), Some("25747"));
    let of_one = Ask { unit: "25747".parse().ok(), limit: 9, ..Ask::default() };
    let of_one = super::quality::report(&world, &of_one).await.flows.remove(0);
    assert_eq!((of_one.rows, of_one.units.len(), of_one.defects.len()), (3, 1, 1));
}

#[tokio::test]
async fn a_row_that_stands_twice_is_not_clean_and_one_read_again_counts_once() {
    let mut world = world("").await;
    world.set("mode: watermark", "mode: outbox\n        taken_at: taken_at");
    world.write(&[sync(A, 1), sync(A, 1), sync(A, 2)]).await;
    let report = world.run().await;
    assert_eq!((report.duplicates, share(&report, Criterion::Clean)), (1, (2, 3)));
    assert_eq!(report.quality.open.all, 0, "nobody can mend it by changing the row");
    world.execute("UPDATE case_outbox SET taken_at = NULL WHERE id <> 2").await;
    let report = world.run().await;
    assert_eq!((report.duplicates, share(&report, Criterion::Clean)), (3, (2, 3)));
}

#[tokio::test]
async fn every_finding_counts_for_its_criterion() {
    let world = world("changed_at: happened_at, live_within_hours: 24, expected: [Email]").await;
    world.write(&[A, B, C, D, E].map(|case| sync(case, 1))).await;
    for change in [
        "UPDATE case_outbox SET email = 'a@b.example', happened_at = '2026-11-21 00:00:00'",
        "UPDATE case_outbox SET by_post = 'pigeon' WHERE id = 1",
        "UPDATE case_outbox SET applicant_name = 'Tha\u{300}nh', happened_at = '' WHERE id = 2",
        "UPDATE case_outbox SET email = NULL, happened_at = '2026-11-02 08:00:00' WHERE id = 3",
        "UPDATE case_outbox SET applicant_name = NULL WHERE id = 4",
        "UPDATE case_outbox SET received_at = 'x' WHERE id = 5",
    ] {
        world.execute(change).await;
    }
    let report = world.run().await;
    assert_eq!((report.delivered, report.quarantined), (2, 3));
    assert_eq!(share(&report, Criterion::Consistent), (4, 5));
    assert_eq!(share(&report, Criterion::Clean), (4, 5));
    assert_eq!(share(&report, Criterion::Live), (3, 4));
    assert_eq!(share(&report, Criterion::Correct), (4, 5));
    assert_eq!(share(&report, Criterion::Shared), (2, 2));
    let (filled, expected) = share(&report, Criterion::Complete);
    assert_eq!(expected - filled, 2, "an address and a name");
    let told = scores(&world).await;
    let defects: Vec<_> =
        told.defects.iter().map(|one| (one.call.as_deref(), one.reasons.as_str())).collect();
    assert!(defects.contains(&(Some("DongBoHoSoMC"), "`Email` is empty")), "{defects:?}");
    assert!(defects.contains(&(None, "`HinhThuc` has an unmapped code")), "{defects:?}");
    assert_eq!(defects.len(), 4);
}

#[tokio::test]
async fn a_row_behind_another_counts_when_its_turn_comes() {
    let world = world("").await;
    world.write(&[sync(A, 1), sync(A, 2), progress(A, 4, 30)]).await;
    world.execute("UPDATE case_outbox SET received_at = '31/02/2026 08:00' WHERE id = 1").await;
    let report = world.run().await;
    assert_eq!((report.quarantined, share(&report, Criterion::Correct)), (3, (0, 1)));
    assert_eq!(report.quality.open.all, 1);
    mend(&world).await;
    let report = world.run().await;
    assert_eq!((report.delivered, share(&report, Criterion::Correct)), (3, (3, 3)));
}

#[tokio::test]
async fn a_row_that_the_source_took_back_is_neither_good_nor_to_be_mended() {
    let world = world("").await;
    one_of_four_is_wrong(&world).await;
    assert_eq!(share(&world.run().await, Criterion::Correct), (3, 4));
    world.execute("DELETE FROM case_outbox WHERE id = 2").await;
    let report = world.run().await;
    assert_eq!((share(&report, Criterion::Correct), report.quality.open.all), ((3, 3), 0));
}

#[tokio::test]
async fn deadlines_pass_over_the_holidays_of_the_settings() {
    let mut world = world("mend_within_working_days: [1, 2, 3]").await;
    // The clock stands at Saturday, 21 November 2026.
    world.set("flows:\n", "holidays: [2026-11-24]\nflows:\n");
    one_of_four_is_wrong(&world).await;
    world.run().await;
    let due = scores(&world).await.defects[0].due;
    assert_eq!(due.map(|day| day.to_string()), ["2026-11-23", "2026-11-25", "2026-11-26"]);
    let mut states = Vec::new();
    for _ in 0..6 {
        world.clock.forward(jiff::SignedDuration::from_hours(24));
        let told = scores(&world).await;
        states.push((told.defects[0].state as u8, told.open.overdue));
    }
    assert_eq!(states, [(0, 0), (0, 0), (1, 0), (1, 0), (2, 0), (3, 1)]);
}

#[tokio::test]
async fn a_process_killed_again_and_again_counts_every_row_once() {
    let mut world = world("").await;
    world.set("batch: 200", "batch: 1");
    let mut rows = vec![sync(A, 1), sync(A, 2), sync(B, 1), sync(C, 1)];
    rows.extend((10..50).map(|minute| progress(A, 4, minute)));
    rows.extend([sync(D, 1), sync(E, 1), sync(F, 1)]);
    world.write(&rows).await;
    world
        .execute("UPDATE case_outbox SET received_at = '31/02/2026 08:00' WHERE id IN (3, 46)")
        .await;
    let (path, config) = (world.path(), world.config());
    for goal in [1, 5, 17, 30] {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "run::tests::the_child_that_is_killed"])
            .env(CHILD, &path)
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let rows = async || match status(&config, world.clock.clone()).await {
            Ok(report) => report.flows[0].rows,
            Err(_) => 0,
        };
        while rows().await < goal {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            tokio::task::yield_now().await;
        }
        child.kill().await.unwrap();
        let report = status(&config, world.clock.clone()).await.unwrap().flows.remove(0);
        assert_eq!(share(&report, Criterion::Correct).1, report.rows);
    }
    let report = world.run().await;
    assert_eq!((report.rows, share(&report, Criterion::Correct)), (47, (45, 47)));
    assert_eq!(report.quality.open.all, 2);
}

#[tokio::test]
async fn a_text_tells_all_of_it_and_no_value() {
    let world = world("unit: '25747', thresholds: {correct: 0.9}, at_least_rows: 4").await;
    one_of_four_is_wrong(&world).await;
    world.run().await;
    let ask = Ask { limit: 9, ..Ask::default() };
    let told = report(&world, &ask).await;
    for language in [Language::Vietnamese, Language::English] {
        let text = crate::quality::text(&told, language);
        assert!(text.contains("`NgayTiepNhan` is not a date of the calendar"), "{text}");
        assert!(text.contains("75.00"), "{text}");
        for value in [CANARY, "31/02", "0599000001"] {
            assert!(!text.contains(value), "{text}");
        }
    }
}
