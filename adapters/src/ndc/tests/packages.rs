//! Announcements of packages on their way to the centre.

use super::*;

const PACKAGES: &str = "packages-to-centre";
const FIRST: &str = "11111111-1111-4111-8111-111111111111";
const SECOND: &str = "22222222-2222-4222-8222-222222222222";

async fn world(flows: &[&str]) -> World {
    let mut world = World::new().await;
    world.leave(flows);
    world.execute("DELETE FROM civil_status_outbox WHERE id > 3").await;
    world
}

/// Lays the line of a package where the flow looks for it.
fn announce(world: &World, package: &str) {
    let digest = "5a".repeat(32);
    let text = format!(
        "package,dataset,recipients,manifest_sha256,records,parts,as_of,created_at\n\
         {package},cases,H09.12,{digest},4000,2,2026-11-20,2026-11-20T02:00:00Z\n"
    );
    let file = world.folder.path().join(format!("announcements/cases-{package}.csv"));
    std::fs::write(file, text).unwrap();
}

#[tokio::test]
async fn a_package_is_announced_once_and_the_next_after_its_recipient_has_it() {
    let world = world(&[PACKAGES]).await;
    announce(&world, FIRST);
    assert_eq!(counts(&world.run().await), (1, 0, 0, 0));
    assert!(world.node.package_received(FIRST));
    announce(&world, SECOND);
    assert_eq!(counts(&world.run().await), (2, 0, 0, 0));
    let seen = world.node.report();
    assert_eq!((seen.accepted["GOI"], seen.repeated.len()), (2, 0), "{seen:?}");
    let proofs = proofs_of(&world, PACKAGES).await;
    let keys: Vec<&str> = proofs.iter().map(|proof| proof.key.as_str()).collect();
    assert_eq!(keys, [SECOND, FIRST]);
    assert!(proofs.iter().all(|proof| proof.holds), "{proofs:?}");
}

#[tokio::test]
async fn a_package_waits_for_the_receipt_of_an_earlier_one_and_registrations_do_not() {
    let mut world = world(&[REGISTRATIONS, PACKAGES]).await;
    world.set("delivery: {", "delivery: {attempts: 4, ");
    announce(&world, FIRST);
    announce(&world, SECOND);
    let reports = world.run_all().await;
    assert_eq!(counts(&reports[0]), (3, 0, 0, 0), "{reports:?}");
    assert_eq!(counts(&reports[1]), (1, 1, 0, 0), "{reports:?}");
    assert_eq!(reports[1].dead_letters[0].reason, "centre 61");
    assert_eq!(world.node.report().refused["61"], 4);
}

#[tokio::test]
async fn an_announcement_whose_receipt_is_lost_is_asked_about_and_not_made_again() {
    for fault in [Fault::NoReceipt, Fault::ResetAfterAccept] {
        let world = world(&[PACKAGES]).await;
        announce(&world, FIRST);
        world.node.faults.once("ThongBaoGoi", fault);
        assert_eq!(counts(&world.run().await), (1, 0, 0, 0), "{fault:?}");
        let seen = world.node.report();
        assert_eq!((seen.accepted["GOI"], seen.looked_up), (1, 1), "{fault:?} {seen:?}");
        assert!(seen.repeated.is_empty() && seen.refused.is_empty(), "{fault:?} {seen:?}");
    }
}

#[tokio::test]
async fn a_line_without_a_digest_or_counts_goes_into_quarantine() {
    let world = world(&[PACKAGES]).await;
    let text = "package,dataset,manifest_sha256,records,parts\nno-package,cases,zz,many,0\n";
    std::fs::write(world.folder.path().join("announcements/bad.csv"), text).unwrap();
    let report = world.run().await;
    assert_eq!(counts(&report), (0, 0, 0, 1), "{report:?}");
    assert!(world.node.report().accepted.is_empty());
}
