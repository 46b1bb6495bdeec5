mod city_systems;

use lienthong_sandbox::Fault;
use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{
    check, run,
    source::testing::postgres::Server,
    status,
    testing::{A, B, C, CANARY, Log, World, progress, sync},
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

#[tokio::test]
async fn processes_beside_each_other_share_the_work_of_one_outbox() {
    let mut world = World::new().await;
    let server = Server::shared();
    world.on_a_server(&server);
    // With one worker of a process at three cases there is always one for the other.
    world.set("workers: 4", "workers: 1");
    let mut rows = Vec::new();
    for case in [A, B, C] {
        rows.extend([sync(case, 1), sync(case, 2)]);
        rows.extend((10..40).map(|minute| progress(case, 4, minute)));
        rows.extend([sync(case, 9), sync(case, 10)]);
    }
    world.write(&rows).await;
    // Long enough that whoever looks once a second finds something to do.
    world.faults().set("CapNhatTienDoHoSoMC", Fault::Slow(60));
    let (one, two) = (world.config(), world.beside());
    let (end, ended) = tokio::sync::watch::channel(false);
    let shutdown = |mut ended: tokio::sync::watch::Receiver<bool>| async move {
        ended.wait_for(|ended| *ended).await.unwrap();
    };
    let watching = async {
        while world.seen().accepted < 102 {
            tokio::task::yield_now().await;
        }
        end.send_replace(true);
    };
    let (first, second, ()) = tokio::join!(
        run(&one, world.clock.clone(), shutdown(ended.clone())),
        run(&two, world.clock.clone(), shutdown(ended.clone())),
        watching
    );
    // Whoever ended first could not know of the other's last message yet.
    first.unwrap();
    second.unwrap();
    let report = status(&one, world.clock.clone()).await.unwrap().flows.remove(0);
    assert_eq!((report.rows, report.delivered, report.waiting), (102, 102, 0));
    assert_eq!((report.dead, report.quarantined, report.duplicates), (0, 0, 0));
    let seen = world.seen();
    assert!(seen.logins >= 2, "one process did all the work: {seen:?}");
    assert_eq!((seen.cases, seen.progress), (3, 90));
    assert_eq!((seen.duplicates, seen.order_violations), (0, 0), "{seen:?}");
}

#[tokio::test]
async fn a_source_that_loses_a_column_ends_the_run_and_names_it() {
    let world = World::new().await;
    world.write(&[sync(A, 1)]).await;
    let config = world.config();
    let running = run(&config, world.clock.clone(), std::future::pending());
    let changing = async {
        while world.seen().accepted < 1 {
            tokio::task::yield_now().await;
        }
        world.execute("ALTER TABLE case_outbox RENAME COLUMN applicant_name TO owner").await;
        world.execute("UPDATE case_outbox SET id = 7 WHERE id = 1").await;
    };
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), async {
        tokio::join!(running, changing).0
    });
    let error = ended.await.expect("it ends").unwrap_err().to_string();
    assert!(error.contains("`ward-cases`") && error.contains("`applicant_name`"), "{error}");
    assert!(!error.contains(CANARY), "{error}");
}

/// What is years old, and a database that does not let it go.
const STUBBORN: &str = "INSERT INTO known (flow, idempotency_key, outcome, done_at)
        VALUES ('ward-cases', 'old', 'delivered', 0);
    CREATE TRIGGER stubborn BEFORE DELETE ON known BEGIN SELECT RAISE(ABORT, 'no'); END";

#[tokio::test]
async fn a_failure_beside_the_flows_ends_them_so_that_somebody_hears_of_it() {
    let world = World::new().await;
    world.run().await;
    let file = world.config().state.directory().unwrap().join("lienthong.db");
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    connection.execute(STUBBORN).await.unwrap();
    connection.close().await.unwrap();
    let config = world.config();
    let running = run(&config, world.clock.clone(), std::future::pending());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), running).await;
    let error = ended.expect("it ends").unwrap_err();
    assert!(matches!(error, crate::Error::Store(_)), "{error:?}");
}

/// Set in the child process of the test below: the configuration to run with.
pub(crate) const CHILD: &str = "LIENTHONG_TEST_ADAPTERS_CONFIG";

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

#[tokio::test]
async fn no_value_of_a_row_reaches_the_log_at_any_level() {
    let log = Log::default();
    let guard = log.listen();
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
    let text = log.text();
    assert!(text.contains("row put into quarantine") && text.contains("message needs a person"));
    for value in [CANARY, "0599000001", "sandbox-only"] {
        assert!(!text.contains(value), "the log holds `{value}`");
        assert!(!format!("{report:?}").contains(value));
    }
}
