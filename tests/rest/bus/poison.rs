//! A message that the gateway refuses: its case waits for a person, the others go on, and nothing of it
//! is lost.

use std::{fs, path::Path, sync::Arc};

use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::json;

use super::{
    assert_each_case_once_in_order,
    cases::{Plan, Writer},
    portal::{self, Seen},
    settled,
    world::{Target, World},
};

const SCHEMA: &str = "schemas/services/v1/portal-case-sync.yaml";
const LAST: &str = r"-\d{4,7}$";
/// As the gateway knows it, a dossier's number never ends with 0 or 1.
const NARROW: &str = r"-\d{3,6}[2-9]$";
const POISON: [&str; 3] =
    ["H29.40-261102-0000001", "H29.40-261102-0000010", "H29.40-261102-0000011"];

fn edit(folder: &Path, from: &str, to: &str) {
    let file = folder.join(SCHEMA);
    let text = fs::read_to_string(&file).expect("a schema");
    assert!(text.contains(from), "`{SCHEMA}` does not hold `{from}`");
    fs::write(file, text.replace(from, to)).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_the_gateway_refuses_holds_its_case_and_no_other() {
    let mut rng = StdRng::seed_from_u64(8);
    let plan = Arc::new(Plan::new(12, &mut rng));
    let mut world = World::with(&plan, |folder| edit(folder, LAST, NARROW)).await;
    let seen = Seen::follow(world.report);
    // Nobody waits for the steps of the cases that do not come.
    let writer = Writer::new(&plan, &world, seen.clone(), StdRng::from_rng(&mut rng));
    writer.write_all().await;

    let flow = settled(&world, &plan, seen.clone()).await["flows"][0].clone();
    let held: u64 = POISON.iter().map(|code| plan.events(code) - 1).sum();
    assert_eq!((&flow["dead"], &flow["held"]), (&json!(3), &json!(held)), "{flow:#}");
    assert_eq!(flow["delivered"], plan.rows() - held - 3, "{flow:#}");
    let letters = flow["dead_letters"].as_array().expect("letters");
    let mut keys: Vec<&str> = letters.iter().filter_map(|one| one["key"].as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, POISON.map(|code| format!("{code}/0")));
    assert!(letters.iter().all(|one| one["reason"] == "request.schema"), "{letters:?}");
    let report = portal::report(world.report).await.expect("the portal answers");
    assert_eq!(report["by_status"], json!({"10": 9}), "{report:#}");

    // A person has the gateway mended and lets them go again.
    edit(world.folder(), NARROW, LAST);
    world.kill(Target::Gateway).await;
    for key in keys {
        let why = "the schema of the gateway was too narrow";
        world.run(&["adapters", "dead", "retry", "ward-cases", key, "--why", why]);
    }
    let flow = settled(&world, &plan, seen).await["flows"][0].clone();
    assert_eq!((&flow["delivered"], &flow["dead"]), (&json!(plan.rows()), &json!(0)), "{flow:#}");
    let report = portal::report(world.report).await.expect("the portal answers");
    let cases = portal::cases(world.report).await.expect("the portal answers");
    assert_each_case_once_in_order(&plan, &report, &cases);
    world.end().await;
    world.assert_the_logs_tell_nothing();
}
