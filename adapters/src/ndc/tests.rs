mod figures;
mod packages;

use lienthong_sandbox::Fault;
use lienthong_signature::detached::Kind;
use lienthong_store::Store;

use super::testing::World;
use crate::{FlowReport, receipts, testing::Log};

const REGISTRATIONS: &str = "registrations-to-centre";
const SYNC: &str = "DongBoHoTich";

fn counts(report: &FlowReport) -> (u64, u64, u64, u64) {
    (report.delivered, report.dead, report.waiting, report.quarantined)
}

async fn proofs(world: &World) -> Vec<crate::Proof> {
    proofs_of(world, REGISTRATIONS).await
}

async fn proofs_of(world: &World, flow: &str) -> Vec<crate::Proof> {
    let flow = flow.parse().unwrap();
    receipts(&world.config(), &flow, None, 100).await.unwrap()
}

#[tokio::test]
async fn an_answer_without_a_receipt_is_asked_about_and_not_resent() {
    for fault in [Fault::NoReceipt, Fault::ForeignReceipt, Fault::ResetAfterAccept, Fault::Garbage]
    {
        let mut world = World::new().await;
        world.only(REGISTRATIONS, 1).await;
        world.node.faults.once(SYNC, fault);
        let report = world.run().await;
        assert_eq!(counts(&report), (1, 0, 0, 0), "{fault:?} {report:?}");
        let seen = world.node.report();
        assert_eq!((seen.accepted["HOTICH"], seen.looked_up), (1, 1), "{fault:?} {seen:?}");
        assert!(seen.repeated.is_empty(), "{fault:?} {seen:?}");
        let kept = proofs(&world).await;
        assert!(kept.len() == 1 && kept[0].holds, "{kept:?}");
    }
}

#[tokio::test]
async fn what_the_agent_node_does_not_have_is_sent_again_after_the_look_up() {
    let mut world = World::new().await;
    world.only(REGISTRATIONS, 1).await;
    world.node.faults.once(SYNC, Fault::ResetBeforeWork);
    assert_eq!(counts(&world.run().await), (1, 0, 0, 0));
    let seen = world.node.report();
    assert_eq!((seen.accepted["HOTICH"], seen.looked_up, seen.refused["44"]), (1, 1, 1));
}

#[tokio::test]
async fn a_receipt_by_someone_else_is_none() {
    let mut world = World::with(Kind::Jws, |settings, pki| {
        settings.certificate_file = pki.join("another.pem");
        settings.key_file = pki.join("another.key");
    })
    .await;
    world.only(REGISTRATIONS, 1).await;
    world.set("first_wait_ms: 1,", "first_wait_ms: 1, attempts: 3,");
    let report = world.run().await;
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report:?}");
    assert!(report.dead_letters[0].reason.contains("it may have been taken"), "{report:?}");
    assert_eq!(world.node.report().accepted["HOTICH"], 1);
}

#[tokio::test]
async fn what_no_agreement_covers_needs_a_person_and_its_reason_is_told() {
    let mut world = World::new().await;
    world.only(REGISTRATIONS, 1).await;
    world.set("agreement: NDC-H29-01", "agreement: NDC-H29-09");
    let report = world.run().await;
    assert_eq!(counts(&report), (0, 1, 0, 0), "{report:?}");
    assert_eq!(report.dead_letters[0].reason, "centre 31");
    assert!(world.node.report().accepted.is_empty());
}

#[tokio::test]
async fn a_message_under_another_signature_is_refused() {
    let mut world = World::new().await;
    world.only(REGISTRATIONS, 1).await;
    world.set("h29-signature", "another");
    let report = world.run().await;
    assert_eq!(report.dead_letters[0].reason, "centre 21", "{report:?}");
}

#[tokio::test]
async fn a_data_set_below_its_threshold_is_kept_back_there_and_waits_here() {
    let mut world = World::with(Kind::Jws, |settings, _| {
        let rules = settings.datasets.get_mut("HOTICH").unwrap();
        rules.at_least = 1;
        rules.wards.push("SoDangKy".to_owned());
    })
    .await;
    world.only(REGISTRATIONS, 3).await;
    world.execute("UPDATE civil_status_outbox SET registration = '26740' WHERE id > 1").await;
    world.set("delivery: {", "delivery: {workers: 1, attempts: 3, ");
    let report = world.run().await;
    // The first is refused for itself, and its data set for what it did to the share.
    assert_eq!((report.delivered, report.dead, report.waiting), (0, 1, 2), "{report:?}");
    assert_eq!(report.dead_letters[0].reason, "centre 51");
    assert!(world.node.report().refused["52"] >= 3);
}

#[tokio::test]
async fn every_kind_of_signature_carries_messages_and_receipts() {
    for kind in [Kind::Jws, Kind::Cms, Kind::Xml] {
        let mut world = World::with(kind, |_, _| ()).await;
        world.only(REGISTRATIONS, 2).await;
        let report = world.run().await;
        assert_eq!(counts(&report), (2, 0, 0, 0), "{kind:?} {report:?}");
        assert_eq!(world.node.report().accepted["HOTICH"], 2);
        assert!(proofs(&world).await.iter().all(|proof| proof.holds));
    }
}

#[tokio::test]
async fn a_kept_receipt_that_was_changed_does_not_hold() {
    let mut world = World::new().await;
    world.only(REGISTRATIONS, 1).await;
    world.run().await;
    let kept = proofs(&world).await.remove(0);
    assert!(kept.holds && kept.content.contains(&kept.digest));
    let state = world.config().state;
    let file = state.directory().unwrap().join("lienthong.db");
    let change = "UPDATE receipt SET content = replace(content, 'BN-', 'BX-')";
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection =
        <sqlx::SqliteConnection as sqlx::Connection>::connect_with(&options).await.unwrap();
    sqlx::query(change).execute(&mut connection).await.unwrap();
    assert!(!proofs(&world).await.remove(0).holds);
}

#[tokio::test]
async fn changes_for_a_peer_go_under_its_own_agreement() {
    let mut world = World::new().await;
    world.only("land-changes-to-ministry", 2).await;
    let report = world.run().await;
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report:?}");
    assert_eq!(world.node.report().accepted["DATDAI"], 2);
}

#[tokio::test]
async fn a_question_to_a_peer_brings_its_answer_into_the_city() {
    let mut world = World::new().await;
    world.only(REGISTRATIONS, 2).await;
    world.execute("UPDATE civil_status_outbox SET registration = 'KHONG-CO' WHERE id = 2").await;
    let (head, _) = world.text().split_once("    messages:\n").unwrap();
    let asks = "    messages:
      - call: TraCuuHoTich
        repeat: safe
        map:
          SoDangKy: {column: registration}
";
    let text = format!("{head}{asks}");
    world.replace(text);
    let log = Log::default();
    let guard = log.listen();
    let report = world.run().await;
    drop(guard);
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report:?}");
    let mut answers = world.answers();
    answers.sort_by_key(|item| item["question"]["SoDangKy"] != "KHONG-CO");
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["answer"]["TonTai"], true, "{answers:?}");
    assert_eq!(answers[0]["peer"], "H26");
    assert!(answers.iter().any(|item| item["answer"]["NgayDangKy"].is_string()));
    assert!(!log.text().contains("KHONG-CO"));
}

#[tokio::test]
async fn a_receipt_is_forgotten_by_its_own_rule() {
    let mut world = World::new().await;
    world.only(REGISTRATIONS, 1).await;
    world.run().await;
    let store = Store::open(world.config().state).await.unwrap();
    let outbox = store.outbox();
    let before = "2026-11-20T00:00:00Z".parse().unwrap();
    assert_eq!(outbox.forget_receipts(before, 10).await.unwrap(), 0);
    let after = "2026-11-22T00:00:00Z".parse().unwrap();
    assert_eq!(outbox.forget_receipts(after, 10).await.unwrap(), 1);
}
