//! A node whose log is not what its second place vouches for: it does not start until the loss is
//! accepted, and then says so in its log.

use std::{fs, path::Path, process::Output};

use serde_json::{Value, json};

use super::harness::{Evidence, Gateway, World, lienthong, person};

/// A copy of all files below a folder.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target)
        } else {
            fs::copy(&path, &target).map(drop).unwrap()
        }
    }
}

fn accept(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = lienthong()
        .args(["--lang", "en", "evidence", "accept-loss", "--config"])
        .arg(directory.join("gateway.yaml"))
        .args(arguments)
        .output()
        .unwrap();
    let told = [stdout, stderr].concat();
    (status.code().unwrap(), String::from_utf8(told).unwrap())
}

/// A world whose gateway has ended, with a second place, and its log as it was two exchanges ago.
async fn rolled_back(second_place: &str) -> World {
    let mut world = World::new().await;
    world.gateway.signal("TERM");
    world.gateway.ended().await;
    let place = format!("evidence:\n  second_place: {second_place}\n");
    world.edit("gateway.yaml", "evidence:\n", &place);
    let log = world.directory.path().join("data/evidence");
    let old = world.directory.path().join("old");
    copy(&log, &old);
    world.gateway = Gateway::start(world.directory.path(), None).await;
    for _ in 0..2 {
        assert_eq!(world.ask(&person()).await.status, 200);
    }
    let before = world.evidence().await;
    assert_eq!((before.of("intent").len(), before.of("outcome").len()), (2, 2));
    fs::remove_dir_all(&log).unwrap();
    copy(&old, &log);
    world
}

#[tokio::test]
async fn a_log_behind_its_second_place_is_used_only_after_the_loss_was_accepted() {
    for place in ["copy/checkpoint", "sqlite:checkpoints.db"] {
        let mut world = rolled_back(place).await;
        let directory = world.directory.path().to_owned();
        let (code, told) = Gateway::refused(&directory).await;
        assert_eq!(code, 3, "{told}");
        assert!(told.contains("lienthong evidence accept-loss"), "{told}");
        assert!(told.contains(place.trim_start_matches("sqlite:")), "{told}");

        let (code, told) = accept(&directory, &["--why", "disk replaced", "--json"]);
        assert_eq!(code, 0, "{told}");
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told, json!({"kept": 0, "signed": 4, "recorded_as": 0}));
        let evidence = Evidence::read(&directory);
        let loss = evidence.only("loss");
        assert_eq!((&loss["why"], &loss["node"]), (&json!("disk replaced"), &json!("node-1")));
        assert_eq!((&loss["kept"], &loss["lost_size"]), (&json!(0), &json!(4)));
        assert!(directory.join("data/evidence/losses/4.checkpoint").exists());

        let (code, told) = accept(&directory, &["--why", "again"]);
        assert_eq!(code, 1, "{told}");
        assert!(told.contains("nothing is lost"), "{told}");
        world.gateway = Gateway::start(&directory, None).await;
        assert_eq!(world.ask(&person()).await.status, 200);
        let (code, told) = accept(&directory, &["--why", "while it runs"]);
        assert_eq!(code, 3, "{told}");
        assert!(told.contains("another process"), "{told}");
        let evidence = world.evidence().await;
        assert_eq!((evidence.of("loss").len(), evidence.of("outcome").len()), (1, 1));
    }
}

#[tokio::test]
async fn a_damaged_journal_is_used_only_after_the_loss_was_accepted() {
    let mut world = World::new().await;
    for _ in 0..3 {
        assert_eq!(world.ask(&person()).await.status, 200);
    }
    let directory = world.directory.path().to_owned();
    world.evidence().await;
    let journal = directory.join("data/evidence/journal/00000000000000000000");
    let mut bytes = fs::read(&journal).unwrap();
    bytes[100] ^= 1;
    fs::write(&journal, bytes).unwrap();
    let (code, told) = Gateway::refused(&directory).await;
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("lienthong evidence accept-loss"), "{told}");
    let (code, told) = accept(&directory, &["--why", "bit rot on the disk of node 1"]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(Evidence::read(&directory).of("loss").len(), 1);
    world.gateway = Gateway::start(&directory, None).await;
    assert_eq!(world.ask(&person()).await.status, 200);
}

#[tokio::test]
async fn a_reason_that_cannot_stand_in_an_entry_changes_nothing() {
    let world = rolled_back("copy/checkpoint").await;
    let log = world.directory.path().join("data/evidence");
    let before = fs::read(log.join("checkpoint")).unwrap();
    for why in ["", "of 001122334455", "say \"so\""] {
        let (code, told) = accept(world.directory.path(), &["--why", why]);
        assert_eq!(code, 3, "{told}");
        assert!(told.contains("--why"), "{told}");
    }
    assert_eq!(accept(world.directory.path(), &[]).0, 2);
    assert_eq!(fs::read(log.join("checkpoint")).unwrap(), before);
}
