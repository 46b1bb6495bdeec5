//! Evidence: what is on disk before anything moves, what it says and what it never says.

use std::{fs, path::Path};

use lienthong_evidence::entry::{DigestKey, Domain, Period};
use lienthong_gateway::{digest_keys::DigestKeys, key_file};
use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::harness::{
    Ask, Evidence, Files, Gate, Gateway, Reply, Setup, Streamed, World, admin, now, person,
    person_body, within,
};

const GOOD: &str = r#"{"number":"001122334455","name":"An","phone":"0900000000"}"#;
const NUMBER: &str = "001122334455";
const OFFICER: &str = "officer-7";
const DOSSIER: &str = "case-2026-11";

fn named() -> Ask {
    person().header("x-road-userid", OFFICER).header("x-road-issue", DOSSIER)
}

pub(super) fn roll() -> Ask {
    Ask::get("desk", "/r1/VN/TEST/T01.10/REGISTRY/roll/lines")
        .header("x-road-client", "VN/TEST/T01.20/DESK")
}

/// The key of digests now, and its period.
pub(super) fn key(directory: &Path) -> (DigestKey, String) {
    let folder = directory.join("digest-keys");
    let keys = DigestKeys::load(&folder).unwrap();
    let period = keys.current(now()).unwrap().period().unwrap().as_str().to_owned();
    let secret = key_file::read(&folder.join(format!("{period}.key"))).unwrap();
    (DigestKey::new(Period::new(&period).unwrap(), &secret), period)
}

/// A digest as entries write it.
pub(super) fn digest(directory: &Path, domain: Domain<'_>, text: &str) -> Value {
    let digest = key(directory).0.digest(domain, text);
    Value::String(digest.to_string())
}

/// Every byte below a directory.
pub(super) fn bytes(directory: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for file in fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        all.extend(if path.is_dir() { bytes(&path) } else { fs::read(&path).unwrap() });
    }
    all
}

pub(super) fn holds(all: &[u8], text: &str) -> bool {
    all.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn an_exchange_leaves_its_intent_and_its_outcome_and_no_value_of_its_own() {
    let mut world = World::new().await;
    world.provider.replies(Reply::json("200 OK", GOOD));
    let answer = world.ask(&named()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let evidence = world.evidence().await;
    let directory = world.directory.path();

    let intent = evidence.only("intent");
    assert_eq!(intent["exchange"], answer.header("lienthong-request-id").unwrap());
    assert_eq!(intent["acting"], "T01.20");
    assert_eq!(intent["provider"], "T01.10");
    assert_eq!(intent["agreement"], "desk-people");
    assert_eq!(intent["operation"], "findPerson");
    assert_eq!(intent["purpose"], "desk_work");
    assert_eq!(intent["articles"], json!(["test-law#1", "sector-law#7"]));
    assert_eq!((&intent["sequence"], &intent["decision"]), (&json!(0), &json!("permit")));
    assert_eq!(intent["key"], key(directory).1);
    let subject = digest(directory, Domain::DataSubject("citizen_number"), NUMBER);
    assert_eq!(intent["subjects"], json!([{"digest": subject, "role": "owner"}]));
    assert_eq!(intent["officer"], digest(directory, Domain::Officer, OFFICER));
    assert_eq!(intent["dossier"], digest(directory, Domain::Dossier, DOSSIER));

    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["exchange"], &outcome["sequence"]), (&intent["exchange"], &json!(1)));
    assert_eq!((&outcome["end"], &outcome["status"]), (&json!("complete"), &json!(200)));
    assert_eq!(outcome["bytes"], answer.body.len());
    assert_eq!((&outcome["masked"], &outcome["reason"]), (&json!(2), &Value::Null));
    assert!(outcome["answer"].is_string());

    let all = bytes(&directory.join("data/evidence"));
    for text in [NUMBER, OFFICER, DOSSIER, "0900000000", "***4455"] {
        assert!(!holds(&all, text), "`{text}` stands in the log");
    }
    assert_eq!((evidence.report.intents, evidence.report.open_count), (1, 0));
}

/// The commitment to an answer opens with the salt, and to no other answer.
#[tokio::test]
async fn the_key_of_the_period_opens_what_was_sent_and_what_left() {
    use lienthong_evidence::entry::{Entry, ExchangeId, Part};
    let mut world = World::new().await;
    world.provider.replies(Reply::json("200 OK", r#"{"stored":true}"#));
    let body = format!(r#"{{"number":"{NUMBER}","name":"An"}}"#);
    let answer = world.ask(&person_body(body.as_str())).await;
    let evidence = world.evidence().await;
    let exchange = answer.header("lienthong-request-id").and_then(ExchangeId::parse).unwrap();
    let (key, _) = key(world.directory.path());
    let sent = format!("POST /registry/people\n\n{body}");
    let (intent, outcome) =
        (evidence.only("intent").to_string(), evidence.only("outcome").to_string());
    let Ok(Entry::Intent(intent)) = Entry::decode(intent.as_bytes()) else { panic!("{intent}") };
    assert!(key.salt(exchange, Part::Request).opens(intent.request, sent.as_bytes()));
    assert!(!key.salt(exchange, Part::Answer).opens(intent.request, sent.as_bytes()));
    let Ok(Entry::Outcome(outcome)) = Entry::decode(outcome.as_bytes()) else {
        panic!("{outcome}")
    };
    let commitment = outcome.answer.unwrap();
    assert!(key.salt(exchange, Part::Answer).opens(commitment, &answer.body));
    assert!(!key.salt(exchange, Part::Answer).opens(commitment, b"another"));
}

/// At the instant at which the provider has the request, the intent is on disk: a gateway that is
/// killed then leaves it, and the next one closes it as disclosed.
#[tokio::test]
async fn the_intent_is_on_disk_before_the_provider_has_the_request() {
    let mut world = World::new().await;
    let gate = Gate::shut();
    world.provider.replies(Reply::json("200 OK", GOOD).behind(&gate));
    let mut connection = world.connection("desk").await;
    connection.send(&named().bytes()).await;
    world.provider.received(1).await;
    let request_id = world.provider.only_request().header("lienthong-request-id").unwrap();
    world.gateway.signal("KILL");
    world.gateway.ended().await;
    let journal = bytes(&world.directory.path().join("data/evidence/journal"));
    assert!(holds(&journal, &request_id), "the intent is not on disk");

    world.gateway = Gateway::start(world.directory.path(), None).await;
    let evidence = world.evidence().await;
    let interrupted = evidence.only("interrupted");
    assert_eq!(interrupted["exchange"], request_id.as_str());
    assert_eq!(
        (&interrupted["presumed"], &interrupted["sequence"]),
        (&json!("disclosed"), &json!(1))
    );
    assert_eq!((evidence.report.intents, evidence.report.open_count), (1, 0));
}

#[tokio::test]
async fn what_the_provider_did_not_give_has_an_outcome_too() {
    let mut world = World::new().await;
    world.provider.replies(Reply::json("200 OK", r#"{"name":7}"#));
    let answer = world.ask(&person()).await;
    world.assert_refused(&answer, ReasonCode::ProviderSchema).await;
    let gate = Gate::shut();
    world.provider.replies(Reply::json("200 OK", GOOD).behind(&gate));
    let mut connection = world.connection("desk").await;
    connection.send(&person().bytes()).await;
    world.provider.received(2).await;
    drop(connection);
    let gone = |line: &Value| (line["reason"] == "consumer.gone").then_some(());
    world.gateway.logs("that the consumer went away", gone).await;
    let evidence = world.evidence().await;
    let ends: Vec<_> = evidence.of("outcome").iter().map(|e| (&e["end"], &e["reason"])).collect();
    let (refused, abandoned) = (json!("refused"), json!("abandoned"));
    let (schema, gone) = (json!("provider.schema"), json!("consumer.gone"));
    assert_eq!(ends, [(&refused, &schema), (&abandoned, &gone)]);
    assert!(evidence.of("outcome").iter().all(|e| e["bytes"] == 0));
}

#[tokio::test]
async fn a_denial_is_an_entry_and_what_comes_before_is_counted() {
    let file = "policies/agreements/desk-people.yaml";
    let files = Files::default().replace(file, "dossier: optional", "dossier: required");
    let mut world = World::with(Setup { files, ..Setup::default() }).await;
    let denied = world.ask(&person()).await;
    world.assert_refused(&denied, ReasonCode::AgreementDossierRequired).await;
    for _ in 0..3 {
        let broken = person().target("/r1/VN/TEST/T01.10/REGISTRY/people/people?number=x");
        let answer = world.ask(&broken).await;
        world.assert_refused(&answer, ReasonCode::RequestSchema).await;
    }
    assert!(world.provider.requests().is_empty());
    let evidence = world.evidence().await;
    let refusal = evidence.only("refusal");
    assert_eq!(refusal["exchange"], denied.header("lienthong-request-id").unwrap());
    assert_eq!(refusal["reason"], "agreement.dossier_required");
    assert_eq!((&refusal["decision"], &refusal["acting"]), (&json!("deny"), &json!("T01.20")));
    let subject = digest(world.directory.path(), Domain::DataSubject("citizen_number"), NUMBER);
    assert_eq!(refusal["subjects"][0]["digest"], subject);
    let counted = evidence.of("refusals");
    let count: u64 = counted.iter().filter_map(|entry| entry["count"].as_u64()).sum();
    assert_eq!(count, 3, "{counted:?}");
    assert!(counted.iter().all(|entry| entry["reason"] == "request.schema"));
    assert!(evidence.of("intent").is_empty());
}

#[tokio::test]
async fn a_stream_has_progress_and_an_outcome_with_what_left() {
    let mut world = World::new().await;
    let line = format!("{{\"number\":\"{NUMBER}\",\"name\":\"An\"}}\n");
    let lines = line.repeat(25_000);
    world
        .provider
        .replies(Reply::chunks("application/x-ndjson", &[lines.as_bytes()]).then_last_chunk());
    let mut stream = Streamed::ask(world.connection("desk").await, &roll().bytes()).await;
    stream.rest().await;
    let left = stream.text();
    assert!(left.contains(r#""complete":true"#));
    let evidence = world.evidence().await;
    let progress = evidence.of("progress");
    assert!(progress.len() >= 2, "{progress:?}");
    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["end"], &outcome["elements"]), (&json!("complete"), &json!(25_000)));
    assert_eq!(outcome["bytes"], left.len());
    assert_eq!(outcome["sequence"], progress.len() + 1);
}

#[tokio::test]
async fn a_stream_that_is_cut_tells_how_much_left() {
    let mut world = World::new().await;
    let good = format!("{{\"number\":\"{NUMBER}\",\"name\":\"An\"}}\n");
    let chunks = [good.as_bytes(), b"{\"number\":7}\n"];
    world.provider.replies(Reply::chunks("application/x-ndjson", &chunks).then_last_chunk());
    let mut stream = Streamed::ask(world.connection("desk").await, &roll().bytes()).await;
    stream.rest().await;
    let evidence = world.evidence().await;
    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["end"], &outcome["elements"]), (&json!("cut"), &json!(1)));
    assert_eq!(outcome["reason"], "provider.schema");
}

/// A disk that counts as full from its first percent on.
#[tokio::test]
async fn where_nothing_can_be_recorded_nothing_is_asked() {
    let evidence = vec![("amber_percent", 1), ("red_percent", 1)];
    let world = World::with(Setup { evidence, ..Setup::default() }).await;
    world.provider.replies(Reply::json("200 OK", GOOD));
    let answer = world.ask(&person()).await;
    // Nobody can ask why either: that would be an entry.
    let reason = ReasonCode::EvidenceUnavailable.public();
    assert_eq!(answer.status, reason.status(), "{}", answer.text());
    assert_eq!(answer.json()["reason"], reason.as_str());
    assert!(world.provider.requests().is_empty(), "the provider was asked");
    let ready = admin(world.directory.path(), "GET", "/ready").await.json();
    assert_eq!(ready["status"], "degraded");
    assert!(
        ready["reasons"].to_string().contains("the disk of the evidence log is full"),
        "{ready}"
    );
    let metrics = admin(world.directory.path(), "GET", "/metrics").await.text();
    assert!(metrics.contains("gateway_evidence_refusing 1"), "{metrics}");
}

/// Also a reload does not take the last key away.
#[tokio::test]
async fn a_quarter_without_its_key_has_no_exchanges() {
    let world = World::new().await;
    for file in fs::read_dir(world.directory.path().join("digest-keys")).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let reload = world.reload().await;
    assert_eq!(reload.status, 409);
    assert!(reload.text().contains("of this quarter"), "{}", reload.text());
    world.provider.replies(Reply::json("200 OK", GOOD));
    assert_eq!(world.ask(&person()).await.status, 200, "the older key stays in force");
    let (code, told) = within("the refusal", Gateway::refused(world.directory.path())).await;
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("of this quarter"), "{told}");
}

/// Two gateways never write one log.
#[tokio::test]
async fn a_second_gateway_cannot_have_the_log() {
    let world = World::new().await;
    let other = fs::read_to_string(world.directory.path().join("gateway.yaml")).unwrap();
    let other = other
        .replace("  directory: data\n", "  directory: other-data\n")
        .replace("socket: admin.sock", "socket: other.sock")
        .replace("evidence:\n", "evidence:\n  directory: data/evidence\n");
    fs::write(world.directory.path().join("gateway.yaml"), other).unwrap();
    let (code, told) = within("the refusal", Gateway::refused(world.directory.path())).await;
    assert_ne!(code, 0, "{told}");
    assert!(told.contains("another process has the log open"), "{told}");
    drop(Evidence::key(world.directory.path()));
}
