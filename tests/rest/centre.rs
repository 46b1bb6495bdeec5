//! The way to the National Data Centre as a whole: city database, adapters, gateway with the shipped
//! policies, Agent Node. All programs are the built one, over mutual TLS.

mod receipts;
mod world;

use serde_json::{Value, json};

use self::world::{World, number};

const REGISTRATIONS: &str = "registrations-to-centre";
const LAND: &str = "land-changes-to-ministry";
const PACKAGES: &str = "packages-to-centre";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_city_owes_arrives_once_with_receipts_and_stands_in_the_evidence() {
    let lost = "[no_receipt, foreign_receipt, reset_after_accept]";
    let faults = format!("random_faults: {{seed: 5, per_mille: 100, kinds: {lost}}}");
    let mut world = World::start(&faults, &[], |_| ()).await;
    let rows = world.rows("civil_status_outbox").await;
    let flow = world.settled(REGISTRATIONS, rows).await;
    let land = world.settled(LAND, world.rows("land_outbox").await).await;
    for flow in [&flow, &land] {
        assert_eq!((number(flow, "dead"), number(flow, "waiting")), (0, 0), "{flow:#}");
        assert!(number(flow, "delivered") > 0, "{flow:#}");
    }

    // A figure is corrected: the centre has the revision, and never what is withheld.
    world.until("the first release", |told| told["releases"].get(world::OCTOBER).is_some()).await;
    world.execute("UPDATE figures SET n = 60 WHERE sex = '3'").await;
    let again = ["--indicator", "dossiers", "--period", "2026-10", "--why", "a ward was late"];
    world.run(&[&["adapters", "indicators", "compute"], &again[..]].concat());
    let told =
        world.until("the revision", |told| told["releases"][world::OCTOBER]["revision"] == 2).await;
    assert_eq!(told["releases"][world::OCTOBER]["withheld"], 2, "{told:#}");

    // What is no figure is refused as a whole, and the centre keeps what it has.
    world.execute("UPDATE figures SET n = -60 WHERE sex = '3'").await;
    let refused = world.refused(&[&["adapters", "indicators", "compute"], &again[..]].concat());
    assert!(refused.contains("column `value` is negative"), "{refused}");

    // A package is made: its announcement goes by itself.
    let package = world.package();
    let told = world.until("the package", |told| told["accepted"]["GOI"] == 1).await;
    assert_eq!(world.proofs(PACKAGES)[0]["key"], package);

    // Everything was taken once, whatever became of its receipt on the way.
    assert_eq!(told["repeated"], json!({}), "{told:#}");
    assert_eq!(told["releases"][world::OCTOBER]["revision"], 2, "{told:#}");
    assert!(number(&told, "looked_up") > 0, "{told:#}");
    assert_eq!(told["accepted"]["HOTICH"], flow["delivered"], "{told:#}");
    assert_eq!(told["accepted"]["DATDAI"], land["delivered"], "{told:#}");
    let proofs = world.proofs(REGISTRATIONS);
    assert_eq!(proofs.len() as u64, number(&flow, "delivered"));
    assert!(proofs.iter().all(|proof| proof["holds"] == true), "{proofs:?}");

    let person = world.person().await;
    world.end().await;
    world.verify_evidence();
    for (agreement, least) in [
        ("ndc-registrations", number(&flow, "delivered")),
        ("ndc-land-changes", number(&land, "delivered")),
        ("ndc-indicators", 2),
        ("ndc-packages", 1),
        ("ndc-receipts", number(&told, "looked_up")),
    ] {
        let found = world.found(&["--agreement", agreement]).len() as u64;
        assert!(found >= least, "{agreement}: {found} of {least}");
    }
    world.assert_the_logs_are_without(&person);
}

/// A member that the agreement does not name: nothing of its message leaves, since what is left would
/// go under a signature that says something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_with_a_member_that_the_agreement_keeps_back_does_not_leave() {
    let agreement = "policies/agreements/ndc-registrations.yaml";
    let mut world = World::start("", &[], |folder| {
        world::edit(folder, agreement, "      /duLieu/HoTen: pass\n", "");
    })
    .await;
    let rows = world.rows("civil_status_outbox").await;
    let flow = world.settled(REGISTRATIONS, rows).await;
    let dead = number(&flow, "dead");
    assert!(dead > 0 && number(&flow, "delivered") == 0, "{flow:#}");
    let letters = flow["dead_letters"].as_array().expect("letters");
    let refused = |letter: &Value| letter["reason"] == "disclosure.unfulfillable";
    assert!(letters.iter().all(refused), "{letters:?}");
    // Other agreements are not touched by it.
    let land = world.settled(LAND, world.rows("land_outbox").await).await;
    assert!(number(&land, "delivered") > 0, "{land:#}");
    let told = world.report().await;
    assert!(told["accepted"].get("HOTICH").is_none(), "{told:#}");
    assert!(told["refused"].get("21").is_none(), "the node has seen no broken signature: {told:#}");

    // A person has the agreement mended, and lets the messages go again.
    world::edit(
        world.folder(),
        agreement,
        "      /duLieu/SoDinhDanh: pass\n",
        "      /duLieu/SoDinhDanh: pass\n      /duLieu/HoTen: pass\n",
    );
    world.restart_gateway().await;
    let key = letters[0]["key"].as_str().expect("a key");
    let why = ["--why", "the agreement names the member now"];
    world.run(&[&["adapters", "dead", "retry", REGISTRATIONS, key], &why[..]].concat());
    world.until("the message", |told| told["accepted"]["HOTICH"].as_u64() >= Some(1)).await;
    let person = world.person().await;
    world.end().await;
    world.verify_evidence();
    let found = world.found(&["--reason", "disclosure.unfulfillable"]);
    let refused: u64 = found.iter().map(|refusals| number(refusals, "count")).sum();
    assert_eq!(refused, dead, "{found:#?}");
    world.assert_the_logs_are_without(&person);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_each_refusal_does_to_a_message_and_how_a_person_mends_it() {
    // In the name of somebody who has no agreement: nothing is lost, everything waits.
    let somebody = [("h29-20", "h29-12"), ("VN/GOV/H29.20/LDOP", "VN/GOV/H29.12/HOTICH")];
    let mut world = World::start("", &somebody, |_| ()).await;
    let turned_away = |flow: &Value| flow["away"].to_string().contains("service.not_available");
    let flow = world.flow_until(REGISTRATIONS, turned_away).await;
    assert_eq!((number(&flow, "delivered"), number(&flow, "dead")), (0, 0), "{flow:#}");
    let told = world.report().await;
    assert_eq!((&told["accepted"], &told["refused"]), (&json!({}), &json!({})), "{told:#}");

    // Under another signature: the Agent Node refuses every message, which needs a person.
    world.reconfigure(&[("h29-signature", "other-signature")]).await;
    let rows = world.rows("civil_status_outbox").await;
    let flow = world.settled(REGISTRATIONS, rows).await;
    assert!(number(&flow, "dead") > 0 && number(&flow, "delivered") == 0, "{flow:#}");
    let letters = flow["dead_letters"].as_array().expect("letters");
    assert!(letters.iter().all(|letter| letter["reason"] == "centre 21"), "{letters:?}");

    // Signed as it must be, under an agreement that does not cover it.
    world.reconfigure(&[("agreement: NDC-H29-01", "agreement: NDC-H29-99")]).await;
    let key = letters[0]["key"].as_str().expect("a key");
    let retry = ["adapters", "dead", "retry", REGISTRATIONS, key, "--why", "signed anew"];
    world.run(&retry);
    let reason = |flow: &Value| flow["dead_letters"].to_string().contains("centre 31");
    world.flow_until(REGISTRATIONS, reason).await;

    // As it must be.
    world.reconfigure(&[]).await;
    world.run(&retry);
    world.until("the message", |told| told["accepted"]["HOTICH"] == 1).await;
    let flow = world.flow_until(REGISTRATIONS, |flow| flow["delivered"] == 1).await;
    assert_eq!(number(&flow, "delivered"), 1, "{flow:#}");
    let told = world.report().await;
    assert!(told["refused"]["21"].as_u64() > Some(0), "{told:#}");
    assert_eq!(told["refused"]["31"], 1, "{told:#}");
    world.end().await;
    world.verify_evidence();
}
