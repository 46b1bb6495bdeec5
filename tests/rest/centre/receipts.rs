//! `lienthong adapters receipts` as an auditor uses it.

use super::{super::program, LAND, REGISTRATIONS, World};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_are_listed_and_proven_beside_the_running_adapters_and_without_them() {
    let mut world = World::start("", &[], |_| ()).await;
    let ask = |arguments: &[&str]| {
        let asked = [&["adapters", "receipts"], arguments, &["--config", "adapters.yaml"]].concat();
        program::run(world.folder(), &asked)
    };
    let rows = world.rows("civil_status_outbox").await;
    world.settled(REGISTRATIONS, rows).await;

    // Wrong use, and what cannot be told.
    assert_eq!(ask(&[]).0, 2, "no flow");
    assert_eq!(ask(&[REGISTRATIONS, "--limit", "0"]).0, 2);
    assert_eq!(ask(&[REGISTRATIONS, "--limit", "10001"]).0, 2);
    assert_eq!(ask(&["Not A Flow"]).0, 2);
    let (code, told, error) = ask(&["no-flow"]);
    assert_eq!((code, told.as_str()), (3, ""), "{error}");
    assert!(error.contains("there is no flow `no-flow`"), "{error}");
    let (code, told, error) = ask(&[REGISTRATIONS, "no-key"]);
    assert_eq!((code, told.as_str(), error.trim()), (1, "", "no receipts"));

    // All, some, one.
    let (code, told, error) = ask(&[REGISTRATIONS, "--json"]);
    assert_eq!(code, 0, "{error}");
    let all: Value = serde_json::from_str(&told).expect("JSON");
    let first = all[0].clone();
    let key = first["key"].as_str().expect("a key");
    assert_eq!((&first["call"], &first["holds"]), (&"DongBoHoTich".into(), &true.into()));
    let (code, told, _) = ask(&[REGISTRATIONS, "--limit", "2"]);
    assert_eq!((code, told.lines().count()), (0, 2), "{told}");
    let (code, told, _) = ask(&[REGISTRATIONS, key]);
    assert_eq!((code, told.lines().count()), (0, 1), "{told}");
    assert!(told.contains(key) && told.contains("signature holds"), "{told}");
    let digest = first["digest"].as_str().expect("a digest");
    assert!(told.contains(&format!("sha256:{digest}")), "{told}");
    let (code, told, _) = ask(&[REGISTRATIONS, key, "--json"]);
    let one: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &one), (0, &Value::from(vec![first.clone()])));
    // A receipt tells nothing of the person.
    let person = world.person().await;
    assert!(person.iter().all(|word| !all.to_string().contains(word.as_str())));

    // Nobody runs. A signer who is not that of the receipts any more proves none of them.
    world.settled(LAND, world.rows("land_outbox").await).await;
    world.end().await;
    let ask = |arguments: &[&str]| {
        let asked = [&["adapters", "receipts"], arguments, &["--config", "adapters.yaml"]].concat();
        program::run(world.folder(), &asked)
    };
    assert_eq!(ask(&[LAND]).0, 0);
    super::world::edit(
        world.folder(),
        "adapters.yaml",
        "signer_file: pki/agent-node-signature.pem",
        "signer_file: pki/other-signature.pem",
    );
    let (code, told, _) = ask(&[REGISTRATIONS, key]);
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("SIGNATURE DOES NOT HOLD"), "{told}");
    let (code, told, _) = ask(&[REGISTRATIONS, key, "--json"]);
    let unproven: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &unproven[0]["holds"]), (1, &false.into()));
    assert_eq!(unproven[0]["content"], first["content"]);
}
