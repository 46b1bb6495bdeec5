mod city_systems;

use std::sync::{Arc, Mutex};

use lienthong_sandbox::Fault;

use crate::{
    check, run, status,
    testing::{A, B, C, CANARY, World, progress, sync},
};

#[tokio::test]
async fn status_needs_a_state_and_is_told_beside_a_running_process() {
    let world = World::new().await;
    let config = world.config();
    assert!(status(&config, world.clock.clone()).await.is_err());
    world.write(&[sync(A, 1)]).await;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        // Told to end, or the test is over.
        drop(ended.await);
    };
    let watching = async {
        loop {
            tokio::task::yield_now().await;
            if let Ok(report) = status(&config, world.clock.clone()).await
                && report.flows[0].delivered == 1
            {
                end.send(()).unwrap();
                return report;
            }
        }
    };
    let (report, seen) = tokio::join!(run(&config, world.clock.clone(), shutdown), watching);
    let report = report.unwrap();
    assert_eq!(report.flows[0].delivered, seen.flows[0].delivered);
    assert!(report.flows[0].guarantee.starts_with("complete"));
    assert_eq!(serde_json::to_value(&report).unwrap()["flows"][0]["name"], "ward-cases");
}

#[tokio::test]
async fn check_tells_what_is_missing_and_sends_nothing() {
    let mut world = World::new().await;
    world.set("table: case_outbox", "table: nothing");
    let outcomes = check(&world.config(), world.clock.clone()).await;
    let problem = |name: &str| {
        let found = outcomes.iter().find(|outcome| outcome.name.contains(name));
        found.and_then(|outcome| outcome.problem.clone())
    };
    assert_eq!(problem("durable state"), None);
    assert_eq!(
        problem("source of flow").unwrap(),
        "table `nothing` does not exist, or may not be read"
    );
    // A portal is no gateway: it has no metaservices.
    assert!(problem("gateway").unwrap().contains("status"));
    assert_eq!(world.seen().logins, 0);
    assert!(!world.config().state.directory().unwrap().exists());
}

/// Set in the child process of the test below: the configuration to run with.
const CHILD: &str = "LIENTHONG_TEST_ADAPTERS_CONFIG";

/// Not a test by itself: what the child process of the test below does until it is killed.
#[tokio::test]
async fn the_child_that_is_killed() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let config = crate::Config::read(path.as_ref()).unwrap();
    run(&config, crate::testing::Ticking::new(), std::future::pending()).await.unwrap();
}

#[tokio::test]
async fn a_process_killed_again_and_again_loses_nothing_and_doubles_nothing() {
    let world = World::new().await;
    let mut rows = Vec::new();
    for case in [A, B, C] {
        rows.extend([sync(case, 1), sync(case, 2)]);
        rows.extend((10..30).map(|minute| progress(case, 4, minute)));
        rows.extend([sync(case, 9), sync(case, 10)]);
    }
    world.write(&rows).await;
    let path = world.path();
    for goal in [1, 7, 20, 45] {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "run::tests::the_child_that_is_killed"])
            .env(CHILD, &path)
            .stdout(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        while world.seen().accepted < goal {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            tokio::task::yield_now().await;
        }
        child.kill().await.unwrap();
    }
    let report = world.run().await;
    assert_eq!((report.rows, report.enqueued, report.delivered), (72, 72, 72));
    assert_eq!((report.dead, report.waiting, report.duplicates), (0, 0, 0));
    let seen = world.seen();
    assert_eq!((seen.cases, seen.progress), (3, 60));
    assert_eq!((seen.duplicates, seen.order_violations), (0, 0), "{seen:?}");
}

#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_value_of_a_row_reaches_the_log_at_any_level() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let mut world = World::new().await;
    world.set("attempts: 12", "attempts: 2");
    world.write(&[sync(A, 1), sync(A, 2), sync(B, 1), sync("HS 3", 1), sync(C, 1)]).await;
    let unknown = "UPDATE case_outbox SET procedure_code = '9.999999' WHERE id = 5";
    world.execute(unknown).await;
    world.faults().once("DongBoHoSoMC", Fault::ResetAfterAccept);
    world.faults().once("DongBoHoSoMC", Fault::HtmlWith200);
    let report = world.run().await;
    drop(guard);
    assert_eq!((report.quarantined, report.dead), (1, 1));
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.contains("row put into quarantine") && text.contains("message needs a person"));
    for value in [CANARY, "0599000001", "sandbox-only"] {
        assert!(!text.contains(value), "the log holds `{value}`");
        assert!(!format!("{report:?}").contains(value));
    }
}
