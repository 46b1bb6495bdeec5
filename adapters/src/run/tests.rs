use crate::{
    check, run, status,
    testing::{A, World, sync},
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
    assert_eq!(problem("source of flow").unwrap(), "table `nothing` does not exist");
    // A portal is no gateway: it has no metaservices.
    assert!(problem("gateway").unwrap().contains("status"));
    assert_eq!(world.seen().logins, 0);
    assert!(!world.config().data_dir.exists());
}
