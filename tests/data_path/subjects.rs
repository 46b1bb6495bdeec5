//! Whom answers were about, as the evidence tells it; and single values that can be shown later.

use std::{fs, path::Path};

use lienthong_evidence::{
    entry::{Domain, Entry, ExchangeId, KeyedDigest, Part, ValuePointer},
    sidecar::{self, Sealed, Sidecar, SidecarProof},
};
use serde_json::{Value, json};

use super::{
    evidence::{bytes, digest, holds, key, roll},
    harness::{Evidence, Files, Gate, Reply, Setup, Streamed, World, person},
};

const ROLL: &str = "policies/services/roll.yaml";
const PEOPLE: &str = "policies/services/people.yaml";
const NDJSON: &str = "application/x-ndjson";

/// A world whose answers say whom they are about.
async fn world(files: Files) -> World {
    let subject = "data_subjects:\n      \
                   - {answer: \"200\", field: /number, role: owner, identifier: citizen_number}\n";
    let whole = "data_subjects: [{field: query.number, role: owner, identifier: citizen_number}]\n";
    let child = "      - {field: query.number, role: owner, identifier: citizen_number}\n      \
                 - {answer: \"200\", field: /children/*/number, role: related, identifier: other}\n";
    let files = files.replace(ROLL, "data_subjects: none\n", subject).replace(
        PEOPLE,
        whole,
        &format!("{subject}{child}"),
    );
    World::with(Setup { files, ..Setup::default() }).await
}

fn number(n: usize) -> String {
    format!("001122{n:06}")
}

fn line(n: usize) -> String {
    format!("{{\"number\":\"{}\",\"name\":\"An\"}}", number(n))
}

fn digest_of(directory: &Path, n: usize) -> KeyedDigest {
    key(directory).0.digest(Domain::DataSubject("citizen_number"), &number(n))
}

/// The sidecar that an outcome names, which is the one on disk.
fn sidecar(directory: &Path, outcome: &Value) -> (Sidecar, Sealed) {
    let text = outcome.to_string();
    let Ok(Entry::Outcome(outcome)) = Entry::decode(text.as_bytes()) else { panic!("{text}") };
    let root = outcome.sidecar.expect("a sidecar");
    let sealed = Sealed { root, size: outcome.sidecar_size.expect("its size") };
    let path = sidecar::path(&directory.join("data/evidence"), outcome.exchange);
    let sidecar = Sidecar::open(&path).unwrap();
    sidecar.check(sealed).unwrap();
    (sidecar, sealed)
}

fn assert_whole(evidence: &Evidence, outcome: &Value) {
    assert!(evidence.report.is_good());
    assert_eq!(evidence.report.sidecars, 1);
    assert!(outcome["subjects"].is_null(), "they stand in the sidecar");
}

#[tokio::test]
async fn the_sidecar_of_a_stream_holds_everyone_whose_element_left() {
    let mut world = world(Files::default()).await;
    let lines: String = (0..5_000).chain(0..10).map(|n| line(n) + "\n").collect();
    world.provider.replies(Reply::chunks(NDJSON, &[lines.as_bytes()]).then_last_chunk());
    let mut stream = Streamed::ask(world.connection("desk").await, &roll().bytes()).await;
    stream.rest().await;
    assert!(stream.complete);
    let evidence = world.evidence().await;
    let directory = world.directory.path();
    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["end"], &outcome["elements"]), (&json!("complete"), &json!(5_010)));
    assert_whole(&evidence, outcome);
    let (sidecar, sealed) = sidecar(directory, outcome);
    assert_eq!(sidecar.size(), 5_000, "each person once");
    for n in [0, 1, 77, 4_999] {
        let digest = digest_of(directory, n);
        assert!(sidecar.contains(digest).unwrap(), "{n}");
        let proof = sidecar.prove(digest).unwrap().expect("a proof").to_string();
        SidecarProof::parse(&proof).unwrap().check(digest, sealed).unwrap();
    }
    assert!(!sidecar.contains(digest_of(directory, 5_000)).unwrap());
    let all = bytes(&directory.join("data/evidence"));
    assert!(!holds(&all, &number(77)), "a number stands in the log");
}

/// An array, and a consumer that goes away in the middle.
#[tokio::test]
async fn the_sidecar_of_a_stream_that_nobody_took_to_its_end_holds_what_left() {
    let mut world = world(Files::default()).await;
    let gate = Gate::shut();
    let first = format!("{{\"people\":[{},{},", line(1), line(2));
    let reply = Reply::chunks("application/json", &[first.as_bytes()]).then_wait(&gate);
    world.provider.replies(reply);
    let list = roll().target("/r1/VN/TEST/T01.10/REGISTRY/roll/list");
    let mut stream = Streamed::ask(world.connection("desk").await, &list.bytes()).await;
    while stream.text().matches("name").count() < 2 {
        assert!(stream.more().await);
    }
    drop(stream);
    let gone = |line: &Value| (line["reason"] == "consumer.gone").then_some(());
    world.gateway.logs("that the consumer went away", gone).await;
    let evidence = world.evidence().await;
    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["end"], &outcome["elements"]), (&json!("abandoned"), &json!(2)));
    assert_whole(&evidence, outcome);
    let directory = world.directory.path();
    let (sidecar, _) = sidecar(directory, outcome);
    assert_eq!(sidecar.size(), 2);
    assert!((1..=2).all(|n| sidecar.contains(digest_of(directory, n)).unwrap()));
}

#[tokio::test]
async fn a_stream_that_is_cut_names_only_those_whose_element_passed() {
    let mut world = world(Files::default()).await;
    let lines = format!("{}\n{{\"number\":\"{}\",\"name\":7}}\n", line(1), number(2));
    world.provider.replies(Reply::chunks(NDJSON, &[lines.as_bytes()]).then_last_chunk());
    let mut stream = Streamed::ask(world.connection("desk").await, &roll().bytes()).await;
    stream.rest().await;
    let evidence = world.evidence().await;
    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["end"], &outcome["elements"]), (&json!("cut"), &json!(1)));
    let directory = world.directory.path();
    let (sidecar, _) = sidecar(directory, outcome);
    assert_eq!(sidecar.size(), 1);
    assert!(sidecar.contains(digest_of(directory, 1)).unwrap());
}

/// A stream whose persons cannot be kept is not told to be complete, and has no outcome: its intent
/// counts as disclosed.
#[tokio::test]
async fn a_stream_whose_sidecar_cannot_be_written_is_cut() {
    let mut world = world(Files::default()).await;
    fs::write(world.directory.path().join("data/evidence/sidecar"), b"in the way").unwrap();
    world.provider.replies(Reply::chunks(NDJSON, &[(line(1) + "\n").as_bytes()]).then_last_chunk());
    let mut stream = Streamed::ask(world.connection("desk").await, &roll().bytes()).await;
    stream.rest().await;
    assert!(!stream.complete);
    let cut = |line: &Value| (line["reason"] == "evidence.unavailable").then_some(());
    world.gateway.logs("that it was cut", cut).await;
    let evidence = world.evidence().await;
    assert!(evidence.of("outcome").is_empty());
    assert_eq!((evidence.report.intents, evidence.report.open_count), (1, 1));
}

fn family(children: usize) -> String {
    let child = |n: usize| format!("{{\"name\":\"C\",\"number\":\"child-{n}\"}}");
    let children: Vec<String> = (0..children).map(child).collect();
    format!(
        "{{\"number\":\"{}\",\"name\":\"An\",\"children\":[{}]}}",
        number(1),
        children.join(",")
    )
}

/// Also of numbers that left masked, or did not leave.
#[tokio::test]
async fn the_outcome_of_a_whole_answer_names_whom_it_is_about() {
    let mut world = world(Files::default()).await;
    world.provider.replies(Reply::json("200 OK", family(2)));
    let answer = world.ask(&person()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("child-"));
    let evidence = world.evidence().await;
    let directory = world.directory.path();
    let owner = digest(directory, Domain::DataSubject("citizen_number"), &number(1));
    let child = |n: usize| digest(directory, Domain::DataSubject("other"), &format!("child-{n}"));
    let mut expected = vec![
        json!({"digest": owner, "role": "owner"}),
        json!({"digest": child(0), "role": "related"}),
        json!({"digest": child(1), "role": "related"}),
    ];
    let outcome = evidence.only("outcome");
    let mut named = outcome["subjects"].as_array().expect("subjects").clone();
    for list in [&mut expected, &mut named] {
        list.sort_by_key(ToString::to_string);
    }
    assert_eq!(named, expected);
    assert!(outcome["sidecar"].is_null());
}

#[tokio::test]
async fn a_whole_answer_about_too_many_for_an_entry_has_a_sidecar() {
    let mut world = world(Files::default()).await;
    world.provider.replies(Reply::json("200 OK", family(64)));
    let answer = world.ask(&person()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let evidence = world.evidence().await;
    let outcome = evidence.only("outcome");
    assert_whole(&evidence, outcome);
    let directory = world.directory.path();
    let (sidecar, _) = sidecar(directory, outcome);
    assert_eq!(sidecar.size(), 65);
    assert!(sidecar.contains(digest_of(directory, 1)).unwrap());
}

#[tokio::test]
async fn a_refused_answer_is_about_nobody() {
    let mut world = world(Files::default()).await;
    world.provider.replies(Reply::json("200 OK", family(2).replace("An", "")));
    let answer = world.ask(&person()).await;
    assert_ne!(answer.status, 200);
    let evidence = world.evidence().await;
    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["end"], &outcome["subjects"]), (&json!("refused"), &Value::Null));
}

/// With the salt of a value a court can be shown this value, and no other.
#[tokio::test]
async fn a_committed_value_is_shown_by_its_salt_and_is_no_other_value() {
    let agreement = "policies/agreements/desk-people.yaml";
    let terms = "evidence: {commit_fields: true}\nsigned:";
    let mut world = world(Files::default().replace(agreement, "signed:", terms)).await;
    world.provider.replies(Reply::json("200 OK", family(1)));
    let answer = world.ask(&person()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let evidence = world.evidence().await;
    let exchange = answer.header("lienthong-request-id").and_then(ExchangeId::parse).unwrap();
    let (key, _) = key(world.directory.path());
    let outcome = evidence.only("outcome").to_string();
    let Ok(Entry::Outcome(outcome)) = Entry::decode(outcome.as_bytes()) else {
        panic!("{outcome}")
    };
    let at: Vec<&str> = outcome.fields.iter().map(|field| field.at.as_str()).collect();
    assert_eq!(at, ["/number", "/name", "/children/0/name"], "each value that left");
    assert_eq!(outcome.fields_left, None);
    for (field, value) in outcome.fields.iter().zip(["\"***0001\"", "\"An\"", "\"C\""]) {
        let salt = key.salt(exchange, Part::Field(field.at));
        assert!(salt.opens(field.value, value.as_bytes()), "{}", field.at.as_str());
        assert!(!salt.opens(field.value, b"\"Binh\""));
        let elsewhere = Part::Field(ValuePointer::new("/elsewhere").unwrap());
        assert!(!key.salt(exchange, elsewhere).opens(field.value, value.as_bytes()));
        assert!(!key.salt(exchange, Part::Answer).opens(field.value, value.as_bytes()));
    }
}

#[tokio::test]
async fn without_the_word_of_the_agreement_no_value_is_committed_to() {
    let mut world = world(Files::default()).await;
    world.provider.replies(Reply::json("200 OK", family(1)));
    world.ask(&person()).await;
    let evidence = world.evidence().await;
    assert!(evidence.only("outcome")["fields"].is_null());
}
