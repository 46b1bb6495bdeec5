//! Limits on data: how many persons a day and an officer's hour may see, how many answers may find
//! nobody, how many elements a stream may have; and that no crash gives any of it back.

use std::path::Path;

use lienthong_model::reason::ReasonCode;
use serde_json::Value;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::harness::{
    Ask, Files, Gate, Gateway, Reply, Setup, Streamed, World, admin, person, person_body,
};

const DESK: &str = "policies/agreements/desk-people.yaml";
const PACE: &str = "in_flight: 10000";
const GOOD: &str = r#"{"number":"001122334455","name":"An"}"#;

/// The usual world, with these limits in one agreement.
fn limited(file: &str, limits: &str) -> Setup {
    let files = Files::default().replace(file, PACE, &format!("{PACE}, {limits}"));
    Setup { files, ..Setup::default() }
}

async fn world(limits: &str) -> World {
    World::with(limited(DESK, limits)).await
}

/// A look-up of the person with a number that ends so.
fn about(end: u32) -> Ask {
    person().target(&format!("/r1/VN/TEST/T01.10/REGISTRY/people/people?number=0011223{end:05}"))
}

async fn passes(world: &World, ask: &Ask) {
    let answer = world.ask(ask).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn refuses(world: &World, ask: &Ask, reason: ReasonCode) {
    let answered = world.provider.requests().len();
    let answer = world.ask(ask).await;
    let record = world.assert_refused(&answer, reason).await;
    assert_eq!(record["agreement"], "desk-people");
    assert_eq!(world.provider.requests().len(), answered, "{reason}: the provider was asked");
    assert!(!world.logged().await.contains("0011223"), "a person stands in the log");
}

/// A figure of the metrics.
async fn figure(world: &World, name: &str, quota: &str) -> Option<f64> {
    let labels = format!("{name}{{agreement=\"desk-people\",quota=\"{quota}\"}} ");
    let text = admin(world.directory.path(), "GET", "/metrics").await.text();
    text.lines().find_map(|line| line.strip_prefix(&labels)?.parse().ok())
}

async fn assert_used(world: &World, expected: f64) {
    let used = figure(world, "gateway_quota_used_ratio", "data_subjects_per_day").await;
    assert!(used.is_some_and(|used| (used - expected).abs() < 1e-9), "{used:?} is not {expected}");
}

/// Ends the gateway by a signal and starts the next one on the same files.
async fn restart(world: &mut World, signal: &str) {
    world.gateway.signal(signal);
    world.gateway.ended().await;
    world.gateway = Gateway::start(world.directory.path(), None).await;
}

#[tokio::test]
async fn refuses_the_person_after_the_last_of_the_day_over_a_kill_and_an_edit() {
    let mut world = world("data_subjects_per_day: 5").await;
    for _ in 0..3 {
        passes(&world, &person()).await;
    }
    restart(&mut world, "KILL").await;
    assert_used(&world, 0.6).await;
    passes(&world, &person()).await;
    // Another operation of the agreement, with the person in the body.
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true}"#));
    passes(&world, &person_body(r#"{"number":"001122399999","name":"An"}"#)).await;
    refuses(&world, &person(), ReasonCode::QuotaDataSubjects).await;
    let wait = world.ask(&person()).await.header("retry-after").unwrap().parse::<u32>().unwrap();
    assert!((1..=86_400).contains(&wait));
    // An edit of the agreement is no new day, and neither is another kill.
    world.edit(DESK, "retention_days: 30", "retention_days: 31");
    world.reloaded().await;
    refuses(&world, &person(), ReasonCode::QuotaDataSubjects).await;
    restart(&mut world, "KILL").await;
    refuses(&world, &person(), ReasonCode::QuotaDataSubjects).await;
    assert_eq!(world.provider.requests().len(), 5);
}

#[tokio::test]
async fn a_kill_costs_what_was_leased_and_a_drain_nothing() {
    let mut world = world("data_subjects_per_day: 1000").await;
    passes(&world, &person()).await;
    assert_used(&world, 0.001).await;
    restart(&mut world, "KILL").await;
    assert_used(&world, 0.01).await;
    passes(&world, &person()).await;
    assert_used(&world, 0.011).await;
    restart(&mut world, "TERM").await;
    assert_used(&world, 0.011).await;
    passes(&world, &person()).await;
    assert_used(&world, 0.012).await;
}

#[tokio::test]
async fn a_changed_limit_counts_from_the_reload_on() {
    let world = world("data_subjects_per_day: 500").await;
    for _ in 0..2 {
        passes(&world, &person()).await;
    }
    world.edit(DESK, "data_subjects_per_day: 500", "data_subjects_per_day: 2");
    world.reloaded().await;
    refuses(&world, &person(), ReasonCode::QuotaDataSubjects).await;
    world.edit(DESK, "data_subjects_per_day: 2", "data_subjects_per_day: 3");
    world.reloaded().await;
    passes(&world, &person()).await;
    refuses(&world, &person(), ReasonCode::QuotaDataSubjects).await;
    // Where nothing is limited, nothing is counted.
    world.edit(DESK, ", data_subjects_per_day: 3", "");
    world.reloaded().await;
    passes(&world, &person()).await;
    assert_eq!(figure(&world, "gateway_quota_used_ratio", "data_subjects_per_day").await, None);
}

#[tokio::test]
async fn what_did_not_reach_the_provider_is_given_back() {
    let setup = limited(DESK, "data_subjects_per_day: 2");
    let world = World::with(Setup { people: vec![("in_flight", 1)], ..setup }).await;
    let gate = Gate::shut();
    world.provider.replies(Reply::json("200 OK", GOOD).behind(&gate));
    let mut first = world.connection("desk").await;
    first.send(&person().bytes()).await;
    world.provider.received(1).await;
    for _ in 0..3 {
        refuses(&world, &person(), ReasonCode::ProviderBusy).await;
    }
    // What is malformed or denied never came that far.
    let broken = person().target("/r1/VN/TEST/T01.10/REGISTRY/people/people?number=x");
    refuses(&world, &broken, ReasonCode::RequestSchema).await;
    gate.open();
    assert_eq!(first.answer().await.status, 200);
    passes(&world, &person()).await;
    refuses(&world, &person(), ReasonCode::QuotaDataSubjects).await;
}

#[tokio::test]
async fn a_second_gateway_on_the_data_directory_does_not_start() {
    let world = world("data_subjects_per_day: 5").await;
    let (code, text) = Gateway::refused(world.directory.path()).await;
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("is in use by another process"), "{text}");
    passes(&world, &person()).await;
    let mode = |path: &Path| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    let data = world.directory.path().join("data");
    assert_eq!((mode(&data), mode(&data.join("lienthong.db"))), (0o700, 0o600));
}

/// Fails closed while the counters cannot be written, and goes on when they can.
#[tokio::test]
async fn refuses_what_it_cannot_count() {
    let world = world("data_subjects_per_day: 50").await;
    let file = world.directory.path().join("data/lienthong.db");
    let options = SqliteConnectOptions::new().filename(file);
    let mut other = SqliteConnection::connect_with(&options).await.unwrap();
    let lock = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    refuses(&world, &person(), ReasonCode::QuotaUnavailable).await;
    lock.rollback().await.unwrap();
    passes(&world, &person()).await;
}

#[tokio::test]
async fn refuses_an_officer_who_asks_about_too_many() {
    let world = world("subjects_per_officer_hour: 3").await;
    let officer = |ask: Ask, code: &str| ask.header("x-road-userid", code);
    for end in [1, 2, 3, 1, 2, 3] {
        passes(&world, &officer(about(end), "CB-1")).await;
    }
    refuses(&world, &officer(about(4), "CB-1"), ReasonCode::QuotaOfficerSubjects).await;
    passes(&world, &officer(about(4), "CB-2")).await;
    // Whoever names no officer is one more, and only one.
    for end in [5, 6, 7] {
        passes(&world, &about(end)).await;
    }
    refuses(&world, &about(8), ReasonCode::QuotaOfficerSubjects).await;
    let used = figure(&world, "gateway_quota_used_ratio", "subjects_per_officer_hour").await;
    assert_eq!(used, Some(1.0));
    assert!(!world.logged().await.contains("CB-1"));
}

#[tokio::test]
async fn refuses_who_guesses_numbers() {
    let world = world("not_found_share: 0.5, not_found_after: 4").await;
    passes(&world, &about(1)).await;
    world.provider.replies(Reply::json("404 Not Found", r#"{"code":"none"}"#));
    for end in 2..5 {
        assert_eq!(world.ask(&about(end)).await.status, 404);
    }
    refuses(&world, &about(5), ReasonCode::QuotaEnumeration).await;
    // Another officer's answers are another window.
    assert_eq!(world.ask(&about(5).header("x-road-userid", "CB-2")).await.status, 404);
}

#[tokio::test]
async fn tells_once_that_a_limit_is_near() {
    let world = world("data_subjects_per_day: 5").await;
    let near =
        async || figure(&world, "gateway_quota_near_limit_total", "data_subjects_per_day").await;
    for _ in 0..3 {
        passes(&world, &person()).await;
    }
    assert_eq!(near().await, None);
    for _ in 0..2 {
        passes(&world, &person()).await;
    }
    assert_eq!(near().await, Some(1.0));
    let is_told = |line: &&str| line.contains("80 % of a limit is used");
    let logged = world.logged().await;
    let told: Vec<&str> = logged.lines().filter(is_told).collect();
    assert_eq!(told.len(), 1);
    let line: Value = serde_json::from_str(told[0]).unwrap();
    assert_eq!((&line["target"], &line["level"]), (&"quota".into(), &"WARN".into()));
    assert_eq!((&line["agreement"], &line["used"]), (&"desk-people".into(), &4.into()));
    assert_eq!((&line["quota"], &line["limit"]), (&"data_subjects_per_day".into(), &5.into()));
}

const ROLL: &str = "policies/agreements/desk-roll.yaml";

/// What passed of a stream of five lines, and why it ended.
async fn five_lines(world: &World) -> (usize, Value) {
    let line = r#"{"number":"001122334455","name":"An","phone":"0900000000","ethnicity":"x"}"#;
    let body = format!("{line}\n").repeat(5).into_bytes();
    let reply = Reply::chunks("application/x-ndjson", &[&body]).then_last_chunk();
    world.provider.replies(reply);
    let ask = Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/roll/lines")
        .header("x-road-client", "VN/TEST/T01.20/DESK");
    let mut stream = Streamed::ask(world.connection("desk").await, &ask.bytes()).await;
    stream.rest().await;
    let id = stream.header("lienthong-request-id").unwrap();
    let told = |line: &Value| {
        (line["request_id"] == id && !line["decision"].is_null()).then(|| line["reason"].clone())
    };
    let reason = world.gateway.logs("the end of the stream in the log", told).await;
    let people = stream.text().lines().filter(|line| line.contains("***4455")).count();
    assert_eq!(stream.complete, people == 5);
    (people, reason)
}

#[tokio::test]
async fn cuts_a_stream_with_too_many_elements() {
    let world = World::with(limited(ROLL, "elements_per_stream: 3")).await;
    for _ in 0..2 {
        assert_eq!(five_lines(&world).await, (3, ReasonCode::QuotaElements.as_str().into()));
    }
    world.edit(ROLL, "elements_per_stream: 3", "elements_per_stream: 5");
    world.reloaded().await;
    assert_eq!(five_lines(&world).await, (5, "".into()));
}

/// Each element is a person of the day and of the officer's hour.
#[tokio::test]
async fn cuts_a_stream_when_the_day_or_the_hour_is_used_up() {
    let mut world = World::with(limited(ROLL, "data_subjects_per_day: 8")).await;
    assert_eq!(five_lines(&world).await, (5, "".into()));
    restart(&mut world, "KILL").await;
    assert_eq!(five_lines(&world).await, (3, ReasonCode::QuotaDataSubjects.as_str().into()));
    world.edit(ROLL, "data_subjects_per_day: 8", "subjects_per_officer_hour: 7");
    world.reloaded().await;
    assert_eq!(five_lines(&world).await, (5, "".into()));
    assert_eq!(five_lines(&world).await, (2, ReasonCode::QuotaOfficerSubjects.as_str().into()));
}
