//! Releases of indicators on their way to the centre.

use lienthong_sandbox::agent_node::Shown;
use lienthong_store::indicator::Release;
use serde_json::{Value, json};

use super::{super::proof::digest, *};
use crate::indicator::Outcome;

const FIGURES: &str = "indicators-to-centre";
const SYNC: &str = "DongBoChiSo";
/// The indicator and the first day, as the centre knows them.
const OCTOBER: &str = "cases/2026-10-01";

async fn world() -> World {
    let mut world = World::new().await;
    world.only(FIGURES, 0).await;
    world
}

/// The releases of October, the first first.
async fn kept(world: &World) -> Vec<Release> {
    let store = Store::open(world.config().state).await.unwrap();
    let cases = "cases".parse().unwrap();
    let kept = store.indicators().of_period(&cases, "2026-10", 9).await.unwrap();
    store.close().await;
    kept
}

/// More cases in the south than were counted before.
async fn corrected(world: &World) {
    world.execute("UPDATE cases SET n = 39 WHERE ward = 'c' AND sex = '1'").await;
}

fn is_kept(outcome: &Outcome, wanted: u32) -> bool {
    matches!(outcome, Outcome::Kept { revision, .. } if *revision == wanted)
}

#[tokio::test]
async fn what_a_release_withholds_does_not_arrive_and_what_it_shows_does() {
    let world = world().await;
    let log = Log::default();
    let guard = log.listen();
    let outcome = world.compute().await;
    let Outcome::Kept { revision: 1, shown, withheld } = outcome else { panic!("{outcome:?}") };
    assert!(withheld >= 4 && shown > 0, "{outcome:?}");
    let report = world.run().await;
    drop(guard);
    assert_eq!(counts(&report), (1, 0, 0, 0), "{report:?}");
    let seen = world.node.report();
    let count = |cells: usize| u64::try_from(cells).unwrap();
    let arrived = Shown { revision: 1, shown: count(shown), withheld: count(withheld) };
    assert_eq!((seen.accepted["CHISO"], &seen.releases[OCTOBER]), (1, &arrived), "{seen:?}");

    // The digest in the receipt is of what arrived: exactly this, in which the small cell is not.
    let release = kept(&world).await.remove(0);
    let record = json!({
        "MaChiSo": "cases", "TuNgay": "2026-10-01", "DenNgay": "2026-11-01", "LanCongBo": 1,
        "NoiDung": release.content,
    });
    let proof = proofs_of(&world, FIGURES).await.remove(0);
    assert_eq!((proof.key.as_str(), proof.holds), ("cases/2026-10/1", true));
    assert_eq!(proof.digest, digest(record.as_object().unwrap()).unwrap());
    let content: Value = serde_json::from_str(&release.content).unwrap();
    let cells = content["cells"].as_array().unwrap();
    let small = cells.iter().find(|cell| cell["at"] == json!(["a", "2"])).unwrap();
    assert_eq!(small, &json!({"at": ["a", "2"], "withheld": true}));
    assert!(!log.text().contains("withheld\\\":true"), "no release stands in a log");
}

#[tokio::test]
async fn a_revision_arrives_as_one_behind_what_it_revises() {
    let world = world().await;
    assert!(is_kept(&world.compute().await, 1));
    assert_eq!(counts(&world.run().await), (1, 0, 0, 0));
    // The same figures make no release, and nothing is sent.
    assert_eq!(world.compute().await, Outcome::Unchanged { revision: 1 });
    assert_eq!(counts(&world.run().await), (1, 0, 0, 0));
    corrected(&world).await;
    assert!(is_kept(&world.compute().await, 2));
    let report = world.run().await;
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report:?}");
    let seen = world.node.report();
    assert_eq!((seen.accepted["CHISO"], seen.releases[OCTOBER].revision), (2, 2), "{seen:?}");
    assert!(seen.refused.is_empty() && seen.repeated.is_empty(), "{seen:?}");
    assert_eq!(kept(&world).await.len(), 2);
}

#[tokio::test]
async fn a_release_whose_receipt_is_lost_is_asked_about_and_not_sent_again() {
    for fault in [Fault::NoReceipt, Fault::ForeignReceipt, Fault::ResetAfterAccept, Fault::Garbage]
    {
        let world = world().await;
        world.compute().await;
        corrected(&world).await;
        world.compute().await;
        world.node.faults.once(SYNC, fault);
        let report = world.run().await;
        assert_eq!(counts(&report), (2, 0, 0, 0), "{fault:?} {report:?}");
        let seen = world.node.report();
        assert_eq!((seen.accepted["CHISO"], seen.looked_up), (2, 1), "{fault:?} {seen:?}");
        assert!(seen.repeated.is_empty() && seen.refused.is_empty(), "{fault:?} {seen:?}");
        let proofs = proofs_of(&world, FIGURES).await;
        assert!(proofs.len() == 2 && proofs.iter().all(|proof| proof.holds), "{proofs:?}");
    }
}

#[tokio::test]
async fn a_revision_waits_while_a_person_looks_at_what_it_revises() {
    let mut world = world().await;
    world.compute().await;
    corrected(&world).await;
    world.compute().await;
    world.set("agreement: NDC-H29-05", "agreement: NDC-H29-09");
    let report = world.run().await;
    assert_eq!((report.delivered, report.dead, report.held), (0, 1, 1), "{report:?}");
    assert_eq!(report.dead_letters[0].reason, "centre 31");
    assert!(world.node.report().releases.is_empty());
}
