//! A platform that is away for an hour of simulated time, and its return: a backlog that waits, and
//! what of it reaches the platform when.

mod front;
mod left;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::{Clock, ManualClock};
use lienthong_store::StoreError;
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use self::front::Front;
use super::{all_settled, couriers, open, platforms};
use crate::{
    Error,
    flow::{Common, Flow, Order, Until},
    report::{FlowReport, report},
    testing::{A, World, sync},
};

/// Messages under way at once, at most.
const WORKERS: usize = 64;
/// Cases that wait.
const CASES: u64 = 300;
/// A row for each of them.
const ROWS: &str = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 300)
    INSERT INTO case_outbox (event_id, kind, case_code, officer, happened_at, status, procedure_code,
        applicant_name, received_at)
    SELECT 'waits/' || n, 'sync', printf('H29.40-261103-%04d', n), 'cb.01', '2026-11-02 08:00:00', 1,
        '1.000894', 'Mẫu', '2026-11-02 08:00:00' FROM number";

/// A flow at work under a clock that stands still until the test moves it.
struct AtWork {
    config: crate::Config,
    clock: ManualClock,
    common: Common,
    orders: mpsc::Sender<Order>,
    stop: watch::Sender<bool>,
    running: JoinHandle<Result<(), Error>>,
    settling: JoinSet<Result<(), StoreError>>,
}

impl AtWork {
    async fn begin(world: &World) -> Self {
        let config = world.config();
        let clock = ManualClock::at("2026-11-21T01:00:00Z".parse().unwrap());
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let store = open(&config, &shared).await.unwrap();
        let mut rng = StdRng::seed_from_u64(5);
        let platforms = platforms(&config, &store, &shared, &mut rng).unwrap();
        let (mut couriers, settling) = couriers(&config, &platforms, &mut rng).unwrap();
        let (courier, common) = couriers.remove(0);
        let flow = Flow::open(Arc::new(courier), common.clone()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let (orders, ordered) = mpsc::channel(1);
        let running = tokio::spawn(flow.run(Until::Stopped, stopped, ordered));
        Self { config, clock, common, orders, stop, running, settling }
    }

    /// Wakes the flow, whose sleep is in real time.
    async fn wake(&self) {
        self.orders.send(Order::Look).await.unwrap();
    }

    fn outages(&self) -> u32 {
        self.common.gate.condition().outages
    }

    /// When the platform is asked again.
    fn again(&self) -> Timestamp {
        self.common.gate.condition().again
    }

    fn move_to(&self, instant: Timestamp) {
        let ahead = instant.duration_since(self.clock.now());
        self.clock.advance(ahead.max(SignedDuration::ZERO));
    }

    async fn report(&self) -> FlowReport {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        report(&self.config, &self.common.store, &clock).await.unwrap().flows.remove(0)
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.running.await.unwrap().unwrap();
        all_settled(self.settling).await.unwrap();
    }
}

/// Waits for something that happens outside, but not for ever.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = timeout(Duration::from_secs(30), async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    assert!(waited.await.is_ok(), "{what} did not happen");
}

/// A world whose platform is reached through a front, and as impatient as a real one is patient.
async fn behind_a_front() -> (World, Front) {
    let mut world = World::new().await;
    let front = Front::start(world.portal.addr).await;
    let portal = format!("http://{}", world.portal.addr);
    world.set(&portal, &format!("http://{}", front.address));
    world.set("first_wait_ms: 1,", "first_wait_ms: 1000,");
    world.set("longest_wait_seconds: 1}", "longest_wait_seconds: 600}");
    world.set("workers: 4", &format!("workers: {WORKERS}"));
    world.set("attempts: 12", "attempts: 2");
    (world, front)
}

#[tokio::test]
async fn an_hour_away_costs_no_message_an_attempt_and_the_backlog_does_not_fall_upon_the_platform()
{
    let (world, front) = behind_a_front().await;
    world.write(&[sync(A, 1)]).await;
    let flow = AtWork::begin(&world).await;
    until("the first delivery", async || flow.report().await.delivered == 1).await;

    front.away.store(true, Ordering::SeqCst);
    world.execute(ROWS).await;
    flow.clock.advance(SignedDuration::from_secs(2));
    flow.wake().await;
    until("the outage", async || flow.outages() > 0).await;
    // Whoever was under way when it went away asks in vain; nobody else does.
    until("the last of those under way", async || front.asked() == WORKERS).await;

    let begun = flow.clock.now();
    let hour = begun + SignedDuration::from_hours(1);
    let outages = flow.outages();
    while flow.again() < hour {
        let seen = flow.outages();
        // A moment too early nobody asks, however often the flow wakes.
        flow.move_to(flow.again() - SignedDuration::from_millis(1));
        flow.wake().await;
        flow.move_to(flow.again());
        flow.wake().await;
        until("the next question", async || flow.outages() > seen).await;
    }
    let asked = front.asked() - WORKERS;
    let outages = usize::try_from(flow.outages() - outages).unwrap();
    assert!(asked <= outages, "{asked} questions, {outages} times found to be away");
    assert!((8..=40).contains(&asked), "{asked} questions in an hour");
    let report = flow.report().await;
    assert_eq!((report.waiting, report.dead, report.retried), (CASES, 0, 0), "{report:?}");

    front.away.store(false, Ordering::SeqCst);
    front.hold();
    flow.move_to(flow.again());
    flow.wake().await;
    for wave in [1, 2, 8] {
        until(&format!("{wave} under way"), async || front.held() >= wave).await;
        assert_eq!(front.held(), wave);
        front.release(wave);
    }
    // A claim is a transaction, for which it waits until a quarter of the workers is free.
    until("full speed", async || front.held() > WORKERS * 3 / 4).await;
    front.release_all();
    until("the end of the backlog", async || flow.report().await.delivered == CASES + 1).await;
    front.assert_no_herd();
    let report = flow.report().await;
    assert_eq!((report.waiting, report.dead, report.retried), (0, 0, 0), "{report:?}");
    flow.end().await;
    let seen = world.seen();
    assert_eq!((seen.cases, seen.repeated), (CASES + 1, 0), "{seen:?}");
}
