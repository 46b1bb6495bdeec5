//! `lienthong evidence search`.

use std::fs;

use serde_json::Value;

use super::{EXCHANGE, NUMBER, OTHER, digest_keys, log, run, run_with};

const COPY: [&str; 5] = ["search", "evidence", "--copy", "--key", "key"];
const PERSON: [&str; 4] = ["--digest-keys", "keys", "--subject", "citizen_number"];

fn ids(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list");
    list.iter().map(|row| row["exchange"].as_str().expect("an id")).collect()
}

#[test]
fn a_data_subject_is_found_and_the_number_told_nowhere() {
    let folder = log();
    digest_keys(folder.path());
    let arguments = [&COPY[..], &PERSON, &["--json"]].concat();
    let (code, told, noted) = run_with(folder.path(), &arguments, &format!("{NUMBER}\n"));
    assert_eq!(code, 0, "{noted}");
    let json: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(ids(&json["found"]), [EXCHANGE, OTHER]);
    assert_eq!(json["found"][0]["entries"], Value::from(vec![0, 1, 2]));
    assert_eq!(json["found"][0]["roles"], Value::from(vec!["owner"]));
    assert_eq!(json["found"][1]["state"], "open");
    assert!(noted.contains("recorded nowhere"), "{noted}");
    assert!(!told.contains(NUMBER) && !noted.contains(NUMBER));

    fs::write(folder.path().join("number"), NUMBER).expect("written");
    let arguments = [&COPY[..], &PERSON, &["--subject-file", "number"]].concat();
    let (code, told) = run(folder.path(), &arguments);
    assert_eq!(code, 0);
    assert!(told.contains("2 found") && told.contains("civil-status/getBirthRecord"), "{told}");
    assert!(!told.contains(NUMBER));
}

#[test]
fn what_may_be_about_a_person_is_listed_apart() {
    let folder = log();
    digest_keys(folder.path());
    let look = |number: &str, more: &[&str]| {
        let arguments = [&COPY[..], &PERSON, &["--json"], more].concat();
        let (code, told, noted) = run_with(folder.path(), &arguments, number);
        let json: Value = serde_json::from_str(&told).expect(&noted);
        (code, json)
    };
    // One of those whom the stream was about.
    let (code, json) = look("079000000002", &[]);
    assert_eq!((code, ids(&json["found"])), (0, vec![EXCHANGE]));
    assert_eq!(json["found"][0]["roles"], Value::from(vec!["in_answer"]));
    assert_eq!(
        (ids(&json["may_hold"]), &json["may_hold"][0]["may_hold"]),
        (vec![OTHER], &"open".into())
    );
    // A stranger, and the time before and after.
    let (code, json) = look("079000009999", &[]);
    assert_eq!((code, ids(&json["found"]).len(), ids(&json["may_hold"])), (0, 0, vec![OTHER]));
    assert_eq!(look("079000000002", &["--from", "2027-01-01"]).0, 1);
    assert_eq!(look("079000000002", &["--until", "2026-11-21"]).0, 1);
    assert_eq!(look("079000000002", &["--from", "2026-11-22", "--until", "2026-11-22"]).0, 0);
    // Without its sidecar the stream may have been about anybody.
    fs::remove_dir_all(folder.path().join("evidence/sidecar")).expect("removed");
    let (_, json) = look("079000000002", &[]);
    assert_eq!(ids(&json["may_hold"]), [EXCHANGE, OTHER]);
    assert_eq!(json["may_hold"][0]["may_hold"], "sidecar_unreadable");
}

#[test]
fn names_reasons_and_officials_are_found() {
    let folder = log();
    digest_keys(folder.path());
    let by = |arguments: &[&str]| run(folder.path(), &[&COPY[..], arguments].concat()).0;
    assert_eq!(by(&["--service", "civil-status"]), 0);
    assert_eq!(by(&["--service", "land"]), 1);
    assert_eq!(by(&["--participant", "H29.90", "--reason", "provider.schema"]), 0);
    assert_eq!(by(&["--participant", "H29.90", "--reason", "provider.timeout"]), 1);
    assert_eq!(by(&["--agreement", "ward-civil-status", "--until", "2026-11-21"]), 1);
    assert_eq!(by(&["--exchange", EXCHANGE]), 0);
    assert_eq!(by(&["--officer", "an.nguyen", "--digest-keys", "keys"]), 0);
    assert_eq!(by(&["--officer", "an.tran", "--digest-keys", "keys"]), 1);
    assert_eq!(by(&["--dossier", "H29-1", "--digest-keys", "keys"]), 0);
}

#[test]
fn a_search_says_where_it_is_recorded_or_that_it_is_not() {
    let folder = log();
    let wrong = |arguments: &[&str]| run(folder.path(), arguments).0;
    // Neither a copy nor a configuration; no reason; a number as an argument; an unknown type.
    assert_eq!(wrong(&["search", "evidence", "--key", "key"]), 2);
    assert_eq!(wrong(&["search", "evidence", "--config", "gateway.yaml"]), 2);
    assert_eq!(wrong(&[&COPY[..], &["--subject", "citizen_number", NUMBER]].concat()), 2);
    assert_eq!(wrong(&[&COPY[..], &["--subject", "passport"]].concat()), 2);
    // Without the keys of digests nobody is found.
    let arguments = [&COPY[..], &["--subject", "citizen_number"]].concat();
    assert_eq!(run_with(folder.path(), &arguments, NUMBER).0, 3);
}
