//! The bus as a whole under faults: every process killed again and again while cases flow, a disk that
//! is full, a message that is refused. All programs are the built one, over mutual TLS; PostgreSQL is a real server.
//!
//! `LIENTHONG_CHAOS_CASES`, `LIENTHONG_CHAOS_KILLS` and `LIENTHONG_CHAOS_SEED` make it longer or other.

mod cases;
mod disk;
mod poison;
pub(super) mod portal;
pub(super) mod supervisor;
pub(super) mod world;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use self::{
    cases::{Plan, Writer},
    portal::Seen,
    world::{Target, World},
};

/// Longest that nothing moves before a test gives up.
pub(super) const STALL: Duration = Duration::from_secs(120);
/// How often something outside is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(100);
/// From so many cases on the test tells how far it is.
const LARGE: usize = 2_000;

fn setting(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("`{name}` is a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_arrives_once_and_in_order_although_every_process_is_killed() {
    let count = usize::try_from(setting("LIENTHONG_CHAOS_CASES", 150)).expect("a size");
    let kills = usize::try_from(setting("LIENTHONG_CHAOS_KILLS", 12)).expect("a size");
    let seed = setting("LIENTHONG_CHAOS_SEED", 20_261_121);
    let mut rng = StdRng::seed_from_u64(seed);
    let plan = Arc::new(Plan::new(count, &mut rng));
    let mut world = World::start(&plan).await;
    let seen = Seen::follow(world.report);
    let writer = Writer::new(&plan, &world, seen.clone(), StdRng::from_rng(&mut rng));
    let writing = tokio::spawn(writer.write_all());

    let begun = Instant::now();
    let told = kill_at_random(&mut world, &plan, kills, seen.clone(), &mut rng).await;
    writing.await.expect("all rows are written");
    let status = settled(&world, &plan, seen).await;
    let elapsed = begun.elapsed();

    let report = portal::report(world.report).await.expect("the portal answers");
    let cases = portal::cases(world.report).await.expect("the portal answers");
    let rows = world.rows_not_taken().await;
    let ended = world.end().await;
    let flow = &status["flows"][0];
    println!(
        "seed {seed}: {count} cases, {} messages, kills {told:?}, {elapsed:.1?}; {} sent again, {} \
         repeated to the portal",
        plan.rows(),
        flow["retried"],
        report["repeated"],
    );
    assert_nothing_is_missing(&plan, flow, rows);
    assert_each_case_once_in_order(&plan, &report, &cases);
    // What ends by itself is started again like what is killed, but only the adapters may: they need
    // the database.
    assert_eq!((ended.gateway.exits, ended.sandbox.exits), (0, 0), "{ended:?}");
    assert_eq!(
        [ended.gateway.code, ended.sandbox.code, ended.adapters.code],
        [Some(0); 3],
        "{ended:?}"
    );
    world.assert_the_logs_tell_nothing();
    world.verify_evidence();
}

/// Kills processes by chance at instants given by how far the work is; gives how often each.
async fn kill_at_random(
    world: &mut World,
    plan: &Plan,
    kills: usize,
    mut seen: Seen,
    rng: &mut StdRng,
) -> [(Target, usize); 4] {
    let most = plan.progress() * 95 / 100;
    let mut instants: Vec<u64> = (0..kills).map(|_| rng.random_range(0..=most)).collect();
    instants.sort_unstable();
    let mut told = Target::ALL.map(|target| (target, 0));
    for (number, instant) in instants.into_iter().enumerate() {
        seen.reach(instant).await;
        let (target, times) = &mut told[rng.random_range(0..Target::ALL.len())];
        world.kill(*target).await;
        *times += 1;
        if plan.len() >= LARGE {
            let number = number + 1;
            eprintln!("kill {number}: {target:?} at {instant} of {} steps", plan.progress());
        }
    }
    told
}

/// Waits until nothing is left to be sent; gives what `adapters status` says then.
async fn settled(world: &World, plan: &Plan, seen: Seen) -> Value {
    let mut last = (Value::Null, Instant::now());
    loop {
        if let Some(status) = world.status().await {
            let flow = &status["flows"][0];
            let is_read = flow["enqueued"].as_u64() >= Some(plan.rows());
            if is_read && flow["waiting"] == flow["held"] {
                return status;
            }
            let now = json!([flow["enqueued"], flow["delivered"], seen.progress()]);
            if now != last.0 {
                if plan.len() >= LARGE {
                    eprintln!("read, delivered, steps seen: {now} of {}", plan.rows());
                }
                last = (now, Instant::now());
            }
        }
        assert!(last.1.elapsed() < STALL, "nothing moves any more: {}\n{}", last.0, world.logs());
        tokio::time::sleep(LOOK).await;
    }
}

fn assert_nothing_is_missing(plan: &Plan, flow: &Value, not_taken: i64) {
    let rows = plan.rows();
    let figures = ["enqueued", "delivered", "waiting", "dead", "quarantined"];
    let figures = figures.map(|name| flow[name].as_u64().expect("a figure"));
    // With a look-up nobody has to guess: no message is left to a person.
    assert_eq!(figures, [rows, rows, 0, 0, 0], "{flow:#}");
    assert_eq!(not_taken, 0, "rows that the source still waits with");
}

fn assert_each_case_once_in_order(plan: &Plan, report: &Value, cases: &str) {
    let count = plan.len();
    assert_eq!(report["cases"], count, "{report:#}");
    assert_eq!(report["by_status"], json!({"10": count}), "{report:#}");
    let wrong = ["order_violations", "illegal_transitions", "duplicates"];
    assert_eq!(wrong.map(|name| report[name].as_u64()), [Some(0); 3], "{report:#}");
    assert_eq!(report["progress"], plan.progress(), "{report:#}");
    let mut told = 0;
    for line in cases.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let [code, "10", history] = parts[..] else { panic!("`{line}` is no finished case") };
        assert_eq!(history, plan.history(code), "{code}");
        told += 1;
    }
    assert_eq!(told, count);
}
