//! Messages that were under way when nobody waited for them any more: because the platform was slower
//! than its sender is patient, because the process was killed, because it was stopped for long.

use std::process::Stdio;

use lienthong_store::{
    Store,
    outbox::{Earlier, Lease},
};
use tokio::process::Child;

use super::*;
use crate::{
    deliver::Settled,
    run::tests::CHILD,
    source::testing::postgres::Server,
    testing::{B, progress},
};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// A world behind a front that has one case, whose first two messages have arrived.
async fn with_a_case() -> (World, Front) {
    let (mut world, front) = behind_a_front().await;
    world.set("look_up_after_seconds: 0", "look_up_after_seconds: 60");
    world.set("answer_seconds: 30", "answer_seconds: 1");
    world.write(&[sync(A, 1), sync(A, 2)]).await;
    (world, front)
}

impl AtWork {
    async fn next_ready(&self) -> Option<Timestamp> {
        let outbox = self.common.store.outbox();
        outbox.next_ready(&"ward-cases".parse().unwrap()).await.unwrap()
    }

    /// Ends it in the midst of what it does.
    async fn kill(self) -> (crate::Config, ManualClock) {
        self.running.abort();
        assert!(self.running.await.is_err_and(|error| error.is_cancelled()));
        self.common.store.close().await;
        (self.config, self.clock)
    }
}

#[tokio::test]
async fn nobody_asks_a_platform_that_still_works_on_the_step_it_did_not_answer() {
    let (world, front) = with_a_case().await;
    let flow = AtWork::begin(&world).await;
    until("the first deliveries", async || flow.report().await.delivered == 2).await;
    front.hold();
    world.write(&[progress(A, 4, 30)]).await;
    flow.clock.advance(SignedDuration::from_secs(2));
    flow.wake().await;
    until("a step that is not answered", async || flow.report().await.retried == 1).await;
    let rested = flow.clock.now() + MINUTE;
    assert_eq!(flow.next_ready().await, Some(rested), "whatever the other waits are");
    flow.move_to(rested - SignedDuration::from_millis(1));
    flow.wake().await;
    flow.wake().await;
    assert_eq!(front.held(), 1, "nobody asked");
    // Only now the platform is done with it.
    front.release_all();
    until("the step", async || world.seen().progress == 1).await;
    flow.move_to(rested);
    flow.wake().await;
    until("the look-up", async || flow.report().await.delivered == 3).await;
    flow.end().await;
    let seen = world.seen();
    assert_eq!((seen.progress, seen.duplicates, seen.order_violations), (1, 0, 0), "{seen:?}");
}

#[tokio::test]
async fn what_a_killed_process_had_under_way_is_looked_up_when_it_has_rested() {
    let (mut world, front) = with_a_case().await;
    world.set("answer_seconds: 1", "answer_seconds: 30");
    let flow = AtWork::begin(&world).await;
    until("the first deliveries", async || flow.report().await.delivered == 2).await;
    front.hold();
    world.write(&[progress(A, 4, 30), sync(B, 1)]).await;
    flow.clock.advance(SignedDuration::from_secs(2));
    flow.wake().await;
    until("both under way", async || front.held() == 2).await;
    let (config, clock) = flow.kill().await;
    clock.advance(SignedDuration::from_secs(5));
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = open(&config, &shared).await.unwrap();
    let flow = &config.flows[0].id;
    let claim = async || {
        let lease = Lease::of(SignedDuration::from_secs(30));
        let claimed = store.outbox().claim(flow, clock.now(), &lease, 9).await.unwrap();
        claimed.into_iter().map(|message| (message.kind, message.earlier)).collect::<Vec<_>>()
    };
    // What may be repeated safely does not rest.
    let first = [("DongBoHoSoMC".to_owned(), Earlier::Uncertain)];
    assert_eq!(claim().await, first);
    clock.advance(MINUTE - SignedDuration::from_secs(31));
    assert!(claim().await.is_empty());
    clock.advance(SignedDuration::from_secs(31));
    let claimed = claim().await;
    assert!(claimed.contains(&("CapNhatTienDoHoSoMC".to_owned(), Earlier::Uncertain)));
}

/// A process of its own, which works until it is killed.
fn child(world: &World) -> Child {
    tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "run::tests::the_child_that_is_killed"])
        .env(CHILD, world.path())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_killed_process_that_comes_back_beside_others_goes_on_at_once() {
    let (mut world, front) = behind_a_front().await;
    let server = Server::shared();
    world.on_a_server(&server);
    front.hold();
    world.write(&[sync(A, 1)]).await;
    let (mut killed, mut held) = (child(&world), 0);
    until("a message under way", async || {
        held = front.held();
        assert!(killed.try_wait().unwrap().is_none(), "the child ended by itself");
        held == 1
    })
    .await;
    // Another one is at work meanwhile: nobody finds the database empty.
    let (beside, _) = Store::share(world.beside().state).await.unwrap();
    killed.kill().await.unwrap();
    front.release_all();
    // Read by whoever reads the flow now.
    world.write(&[sync(B, 1)]).await;
    let back = timeout(Duration::from_secs(120), world.run()).await;
    let report = back.expect("neither lease nor reading is waited for");
    assert_eq!((report.delivered, report.waiting, report.dead), (2, 0, 0), "{report:?}");
    assert_eq!((world.seen().cases, world.seen().duplicates), (2, 0));
    beside.close().await;
}

#[tokio::test]
async fn refuses_a_second_process_of_a_copied_data_directory_and_says_what_to_do() {
    let mut world = World::new().await;
    let server = Server::shared();
    world.on_a_server(&server);
    let (first, _) = Store::share(world.config().state).await.unwrap();
    let beside = world.beside();
    let (here, copy) = (world.config().state, beside.state.directory().unwrap().to_owned());
    std::fs::create_dir(&copy).unwrap();
    std::fs::copy(here.directory().unwrap().join("name"), copy.join("name")).unwrap();
    let error = crate::run_until_idle(&beside, world.clock.clone()).await.unwrap_err();
    let Error::Store(error) = error else { panic!("{error:?}") };
    assert!(error.told().contains("delete its file `name`"), "{}", error.told());
    first.close().await;
    crate::run_until_idle(&beside, world.clock.clone()).await.unwrap();
}

#[tokio::test]
async fn refuses_to_send_what_another_may_have_by_then() {
    let mut world = World::new().await;
    let portal = format!("http://{}", world.portal.addr);
    world.set(&portal, "http://127.0.0.1:1");
    world.write(&[sync(A, 1)]).await;
    assert_eq!(world.run().await.waiting, 1);
    world.set("http://127.0.0.1:1", &portal);
    let config = world.config();
    let clock = ManualClock::at("2026-11-21T02:00:00Z".parse().unwrap());
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let store = open(&config, &shared).await.unwrap();
    let mut rng = StdRng::seed_from_u64(5);
    let platforms = platforms(&config, &store, &shared, &mut rng).unwrap();
    let (mut couriers, settling) = couriers(&config, &platforms, &mut rng).unwrap();
    let (courier, common) = couriers.remove(0);
    let (outbox, name) = (common.store.outbox(), &config.flows[0].id);
    // The process was stopped between claim and attempt, for a little less than its lease.
    let claimed = outbox.claim(name, clock.now(), &common.lease, 1).await.unwrap().remove(0);
    clock.advance(common.lease.length - SignedDuration::from_secs(5));
    assert_eq!(courier.attempt(claimed).await.unwrap().0, Settled::Again);
    assert_eq!((world.seen().accepted, world.seen().logins), (0, 0), "nothing was sent");
    clock.advance(MINUTE);
    let claimed = outbox.claim(name, clock.now(), &common.lease, 1).await.unwrap().remove(0);
    assert_eq!(claimed.earlier, Earlier::NoEffect);
    assert_eq!(courier.attempt(claimed).await.unwrap().0, Settled::Delivered);
    drop(courier);
    all_settled(settling).await.unwrap();
}
