//! Reload under traffic: each exchange uses one set of policies from end to end.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::harness::{Gate, Reply, World, person};

const DESK: &str = "policies/agreements/desk-people.yaml";
/// Two fields that are never open at once, though each is half of the time.
const ONE: (&str, &str) = ("/phone: redact", "/note: \"null\"");
const OTHER: (&str, &str) = ("/phone: pass", "/note: pass");

const BODY: &str = r#"{"number":"001122334455","name":"An","phone":"0900","note":"private"}"#;

/// Which of the two sets an answer is of. Any mixture is of none.
fn set(phone: &serde_json::Value, note: &serde_json::Value) -> &'static str {
    match (phone.as_str(), note.as_str()) {
        (Some("***"), Some("private")) => "phone hidden",
        (Some("0900"), None) if note.is_null() => "note hidden",
        other => panic!("an answer of two sets: {other:?}"),
    }
}

#[tokio::test]
async fn each_exchange_uses_one_set_of_policies() {
    let world = Arc::new(World::new().await);
    world.provider.replies(Reply::json("200 OK", BODY));
    // At first the phone is hidden and the note is open.
    world.edit(DESK, ONE.1, OTHER.1);
    world.reloaded().await;
    let done = Arc::new(AtomicBool::new(false));
    let mut workers = Vec::new();
    for _ in 0..4 {
        let (world, done) = (Arc::clone(&world), Arc::clone(&done));
        workers.push(tokio::spawn(async move {
            let mut seen = BTreeSet::new();
            let mut connection = world.connection("desk").await;
            while !done.load(Ordering::SeqCst) {
                connection.send(&person().bytes()).await;
                let answer = connection.answer().await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                let body = answer.json();
                let version = answer.header("lienthong-agreement").unwrap().to_owned();
                seen.insert((set(&body["phone"], &body["note"]), version));
            }
            seen
        }));
    }
    for round in 0..10 {
        let (hide, open) = if round % 2 == 0 { ("note", "phone") } else { ("phone", "note") };
        let line = |field: &str, is_open: bool| match (field, is_open) {
            ("phone", false) => ONE.0,
            ("phone", true) => OTHER.0,
            (_, false) => ONE.1,
            (_, true) => OTHER.1,
        };
        world.edit(DESK, line(hide, true), line(hide, false));
        world.edit(DESK, line(open, false), line(open, true));
        world.reloaded().await;
    }
    done.store(true, Ordering::SeqCst);
    let mut seen = BTreeSet::new();
    for worker in workers {
        seen.extend(super::harness::within("a worker's end", worker).await.unwrap());
    }
    // Both sets were used, and each answer named the version it was made by.
    assert_eq!(seen.len(), 2, "{seen:?}");
    let sets: BTreeSet<_> = seen.iter().map(|(set, _)| set).collect();
    let versions: BTreeSet<_> = seen.iter().map(|(_, version)| version).collect();
    assert_eq!((sets.len(), versions.len()), (2, 2));
}

/// An exchange that has begun ends under the policies it began with, also when they are gone.
#[tokio::test]
async fn an_exchange_in_flight_keeps_its_set() {
    let world = World::new().await;
    let gate = Gate::shut();
    world.provider.replies(Reply::json("200 OK", BODY).behind(&gate));
    let mut before = world.connection("desk").await;
    before.send(&person().bytes()).await;
    world.provider.received(1).await;
    world.edit(DESK, ONE.0, OTHER.0);
    world.reloaded().await;
    gate.open();
    assert_eq!(before.answer().await.json()["phone"], "***");
    assert_eq!(world.ask(&person()).await.json()["phone"], "0900");
    std::fs::remove_file(world.directory.path().join(DESK)).unwrap();
    world.reloaded().await;
    before.send(&person().bytes()).await;
    assert_eq!(before.answer().await.status, 404);
}
