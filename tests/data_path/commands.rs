//! The commands about evidence and keys beside a gateway that runs, and after it has ended: what they
//! find is real, and that they were run is an entry.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value, json};

use super::harness::{Reply, World, lienthong, person};

const NUMBER: &str = "001122334455";
const GOOD: &str = r#"{"number":"001122334455","name":"An","phone":"0900000000"}"#;

/// Runs a command about the world's log, recorded by its configuration.
fn run(directory: &Path, arguments: &[&str]) -> Output {
    let number = directory.join("number");
    std::fs::write(&number, NUMBER).unwrap();
    let mut command = lienthong();
    command.args(["--lang", "en"]).args(arguments).current_dir(directory);
    command.args(["--config", "gateway.yaml", "--why", "complaint of a citizen"]);
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}{}", String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

#[tokio::test]
async fn a_search_finds_an_exchange_of_a_running_gateway_and_is_recorded_by_it() {
    let mut world = World::new().await;
    world.provider.replies(Reply::json("200 OK", GOOD));
    let answer = world.ask(&person()).await;
    let exchange = answer.header("lienthong-request-id").unwrap().to_owned();
    let directory = world.directory.path().to_owned();
    let by_person = ["--subject", "citizen_number", "--subject-file", "number"];
    let search = ["evidence", "search", "data/evidence", "--json"];
    let found = run(&directory, &[search.as_slice(), &by_person].concat());
    assert_eq!(found.status.code(), Some(0), "{}", text(&found));
    assert!(text(&found).contains(&exchange), "{}", text(&found));
    assert!(!text(&found).contains(NUMBER), "an identifier is printed");

    // Whom nobody asked about is not found.
    std::fs::write(directory.join("other"), "009999999999").unwrap();
    let other = ["--subject", "citizen_number", "--subject-file", "other"];
    let none = run(&directory, &[search.as_slice(), &other].concat());
    assert_eq!(none.status.code(), Some(1), "{}", text(&none));

    let evidence = world.evidence().await;
    let searches = evidence.of("administration");
    assert_eq!(searches.len(), 2, "{searches:?}");
    for entry in &searches {
        assert_eq!((&entry["action"], &entry["role"]), (&json!("search"), &json!("local")));
        assert_eq!(entry["why"], "complaint of a citizen");
    }
    assert_eq!(searches[0]["subject"], evidence.only("intent")["subjects"][0]["digest"]);
}

#[tokio::test]
async fn everything_about_a_person_is_proved_from_a_log_that_nobody_has_open() {
    let mut world = World::new().await;
    world.provider.replies(Reply::json("200 OK", GOOD));
    for _ in 0..3 {
        assert_eq!(world.ask(&person()).await.status, 200);
    }
    let directory = world.directory.path().to_owned();
    let before = world.evidence().await.entries.len();
    let prove = ["evidence", "prove", "data/evidence", "--out", "proofs"];
    let by_person = ["--subject", "citizen_number", "--subject-file", "number"];
    let proved = run(&directory, &[prove.as_slice(), &by_person].concat());
    assert_eq!(proved.status.code(), Some(0), "{}", text(&proved));

    let key = super::harness::Evidence::key(&directory);
    std::fs::write(directory.join("log.vkey"), key.to_string()).unwrap();
    let check = |files: &[PathBuf]| {
        let mut command = lienthong();
        command.args(["--lang", "en", "evidence", "verify-proof", "--key"]);
        command.arg(directory.join("log.vkey")).args(files).output().unwrap()
    };
    let all = check(&[directory.join("proofs/proofs.json")]);
    assert_eq!(all.status.code(), Some(0), "{}", text(&all));
    // One changed digit of one entry, and the proof is none.
    let entries = std::fs::read_dir(directory.join("proofs")).unwrap();
    let mut entries: Vec<PathBuf> = entries.map(|file| file.unwrap().path()).collect();
    entries.retain(|path| path.to_string_lossy().ends_with(".entry.json"));
    assert!(entries.len() >= 6, "{entries:?}");
    let changed = std::fs::read_to_string(&entries[0]).unwrap();
    std::fs::write(&entries[0], changed.replacen("\"at_ms\":1", "\"at_ms\":2", 1)).unwrap();
    let bad = check(&[directory.join("proofs/proofs.json")]);
    assert_eq!(bad.status.code(), Some(1), "{}", text(&bad));

    // The command has opened the log itself to record that it ran.
    let evidence = super::harness::Evidence::read(&directory);
    assert_eq!(evidence.entries.len(), before + 1);
    assert_eq!(evidence.only("administration")["action"], "prove");
}

#[tokio::test]
async fn a_key_is_made_beside_a_running_gateway_and_it_says_so() {
    let mut world = World::new().await;
    let directory = world.directory.path().to_owned();
    let made = run(&directory, &["keys", "new", "digest", "--period", "2031-q1"]);
    assert_eq!(made.status.code(), Some(0), "{}", text(&made));
    assert!(directory.join("digest-keys/2031-q1.key").exists());
    world.reloaded().await;
    let evidence = world.evidence().await;
    let actions: Vec<&Value> =
        evidence.of("administration").iter().map(|entry| &entry["action"]).collect();
    assert!(actions.contains(&&json!("key_new")), "{actions:?}");
    assert!(actions.contains(&&json!("reload")), "{actions:?}");
    let made = evidence.of("administration").into_iter().find(|e| e["action"] == "key_new");
    assert_eq!(made.unwrap()["key"], "2031-q1");
}
