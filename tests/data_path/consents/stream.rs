//! Answers that stream and rest on consent: elements of people who did not agree are withheld.

use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::{
    super::{
        consent_api::desk::{Desk, NUMBER, OTHER, hash, with},
        harness::{Ask, Files, Gate, Reply, Setup, Streamed},
    },
    id,
};

const NDJSON: &str = "application/x-ndjson";
const ROLL: &str = "policies/services/roll.yaml";
const TEXT: &str = "Phòng khám sẽ nhận tên và số của bạn trong danh sách.";

/// The clinic may have lines and lists of the roll, of people who agreed.
fn files() -> Files {
    let owner = "{answer: \"200\", field: /number, role: owner, identifier: citizen_number}";
    let fields = "/number: pass, /name: pass, /phone: pass";
    let listed =
        "/total: pass, /people/*/number: pass, /people/*/name: pass, /people/*/phone: pass";
    let agreement = include_str!("../world-consents/policies/agreements/clinic-consent.yaml");
    let (head, _) = agreement.split_once("operations:").unwrap();
    let head =
        head.replace("clinic-consent", "clinic-roll").replace("service: people", "service: roll");
    let operations = format!(
        "operations:\n  readLines:\n    request: {{query.ward: pass}}\n    answers:\n      \"200\": {{{fields}}}\n  \
         readList:\n    answers:\n      \"200\": {{{listed}}}\n"
    );
    let notice = format!(
        "id: roll-notice\ncontroller: T01.10\nrecipients: [T01.21]\nservice: roll\npurpose: consent_work\n\
         valid: {{from: 2020-01-01, until: 2999-12-31}}\nfields:\n  readLines:\n    \"200\": [/number, /name, /phone]\n  \
         readList:\n    \"200\": [/people/*/number, /people/*/name, /people/*/phone]\ntext:\n  vi: {TEXT}\n"
    );
    Files::default()
        .replace("policies/operators.yaml", "services: [people]", "services: [people, roll]")
        .replace(ROLL, "data_subjects: none\n", &format!("data_subjects:\n      - {owner}\n"))
        .add("policies/agreements/clinic-roll.yaml", &format!("{head}{operations}"))
        .add("policies/notices/roll-notice.yaml", &notice)
}

async fn desk() -> Desk {
    Desk::with(Setup { files: files(), ..Setup::default() }).await
}

/// A good statement about the roll.
fn statement(number: &str, fields: &[&str]) -> Value {
    let fields = fields.iter().map(|field| format!("readLines/200/{field}"));
    with(&[
        ("/service", json!("roll")),
        ("/fields", json!(fields.collect::<Vec<_>>())),
        ("/data_subject/value", json!(number)),
        ("/notice", json!({"id": "roll-notice", "hash": hash(TEXT), "language": "vi"})),
    ])
}

fn lines() -> Ask {
    Ask::get("clinic", "/r1/VN/TEST/T01.10/REGISTRY/roll/lines")
        .header("x-road-client", "VN/TEST/T01.21/CLINIC")
        .header("lienthong-purpose", "consent_work")
}

fn line(number: &str, name: &str) -> String {
    format!(
        "{{\"number\":\"{number}\",\"name\":\"{name}\",\"phone\":\"0900000000\",\"ethnicity\":\"x\"}}\n"
    )
}

async fn streamed(desk: &Desk, ask: &Ask) -> Streamed {
    Streamed::ask(desk.world.connection("clinic").await, &ask.bytes()).await
}

#[tokio::test]
async fn elements_of_people_who_did_not_agree_are_withheld_and_counted() {
    let mut desk = desk().await;
    desk.given(&statement(NUMBER, &["name", "number"])).await;
    desk.given(&statement(OTHER, &["name"])).await;
    let refused = "079190000033";
    desk.given(&{
        let mut no = statement(refused, &["name"]);
        no["decision"] = json!("refuse");
        no
    })
    .await;
    let all = [line("079190000025", "A"), line(NUMBER, "B"), line(refused, "C"), line(OTHER, "D")];
    let all = all.concat();
    desk.world.provider.replies(Reply::chunks(NDJSON, &[all.as_bytes()]).then_last_chunk());
    let mut stream = streamed(&desk, &lines()).await;
    stream.rest().await;
    assert!(stream.complete);
    let end = r#"{"lienthong":{"complete":true,"elements":2,"withheld":2}}"#;
    let passed = format!("{{\"number\":\"{NUMBER}\",\"name\":\"B\"}}\n{{\"name\":\"D\"}}\n{end}\n");
    assert_eq!(stream.text(), passed);
    let told = desk.world.logged().await;
    assert!(told.contains("\"withheld\":2") && !told.contains(NUMBER), "{told}");
    let evidence = desk.world.evidence().await;
    let outcome = evidence.only("outcome");
    assert_eq!((&outcome["elements"], &outcome["withheld"]), (&json!(2), &json!(2)));
    assert_eq!(outcome["sidecar_size"], 2, "only those whose elements left");
    assert!(evidence.report.is_good());
}

#[tokio::test]
async fn a_stream_of_which_nobody_agreed_is_complete_and_empty() {
    let desk = desk().await;
    let all = [line(NUMBER, "A"), line(OTHER, "B")].concat();
    desk.world.provider.replies(Reply::chunks(NDJSON, &[all.as_bytes()]).then_last_chunk());
    let mut stream = streamed(&desk, &lines()).await;
    stream.rest().await;
    assert!(stream.complete);
    let end = r#"{"lienthong":{"complete":true,"elements":0,"withheld":2}}"#;
    assert_eq!(stream.text(), format!("{end}\n"));
}

/// One person's withdrawal counts for the elements that have not been sent, and for nobody else's.
#[tokio::test]
async fn a_withdrawal_while_an_answer_streams_withholds_what_follows() {
    let desk = desk().await;
    let withdrawn = id(&desk.given(&statement(NUMBER, &["name"])).await);
    desk.given(&statement(OTHER, &["name"])).await;
    let gate = Gate::shut();
    let first = line(NUMBER, "A");
    let then = [line(NUMBER, "B"), line(OTHER, "C"), line(NUMBER, "D")].concat();
    let reply = Reply::chunks(NDJSON, &[first.as_bytes()]).then_wait(&gate);
    desk.world.provider.replies(reply.then_chunk(then.as_bytes()).then_last_chunk());
    let mut stream = streamed(&desk, &lines()).await;
    stream.until("\"A\"").await;
    assert_eq!(desk.change(&withdrawn, "withdraw").await.status, 200);
    gate.open();
    stream.rest().await;
    let end = r#"{"lienthong":{"complete":true,"elements":2,"withheld":2}}"#;
    assert_eq!(stream.text(), format!("{{\"name\":\"A\"}}\n{{\"name\":\"C\"}}\n{end}\n"));
}

/// What is withheld is read as strictly as what leaves.
#[tokio::test]
async fn a_withheld_element_that_is_wrong_cuts_the_stream() {
    let desk = desk().await;
    desk.given(&statement(NUMBER, &["name"])).await;
    let all = line(NUMBER, "A") + "{\"number\":\"079190000017\"}\n" + &line(NUMBER, "B");
    desk.world.provider.replies(Reply::chunks(NDJSON, &[all.as_bytes()]).then_last_chunk());
    let mut stream = streamed(&desk, &lines()).await;
    stream.rest().await;
    assert!(!stream.complete);
    assert_eq!(stream.text(), "{\"name\":\"A\"}\n");
    let why = desk.world.gateway.logs("the end", |line| {
        let ended = line["decision"] == "cut";
        ended.then(|| line["reason"].as_str().unwrap().to_owned())
    });
    assert_eq!(why.await, ReasonCode::ProviderSchema.as_str());
}

/// A revoked agreement ends the stream, whoever agreed.
#[tokio::test]
async fn a_revoked_agreement_ends_the_stream() {
    let desk = desk().await;
    desk.given(&statement(NUMBER, &["name"])).await;
    let gate = Gate::shut();
    let first = line(NUMBER, "A");
    let reply = Reply::chunks(NDJSON, &[first.as_bytes()]).then_wait(&gate);
    desk.world.provider.replies(reply.then_chunk(first.as_bytes()).then_last_chunk());
    let mut stream = streamed(&desk, &lines()).await;
    stream.until("\"A\"").await;
    let directory = desk.world.directory.path().join("policies");
    std::fs::remove_file(directory.join("agreements/clinic-roll.yaml")).unwrap();
    std::fs::remove_file(directory.join("notices/roll-notice.yaml")).unwrap();
    desk.world.reloaded().await;
    stream.rest().await;
    assert!(!stream.complete);
    drop(gate);
}

/// A list of people: the document around it is complete, and nobody who did not agree is in it.
#[tokio::test]
async fn a_list_holds_only_people_who_agreed() {
    let desk = desk().await;
    let mut statement = statement(OTHER, &[]);
    statement["fields"] = json!(["readList/200/people/*/name"]);
    desk.given(&statement).await;
    let element = |number: &str| format!("{{\"number\":\"{number}\",\"name\":\"An\"}}");
    let people = [element(NUMBER), element(OTHER), element(NUMBER)].join(",");
    let body = format!("{{\"total\":3,\"people\":[{people}]}}");
    desk.world.provider.replies(Reply::json("200 OK", body));
    let mut stream =
        streamed(&desk, &lines().target("/r1/VN/TEST/T01.10/REGISTRY/roll/list")).await;
    stream.rest().await;
    assert!(stream.complete);
    let text = stream.text();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer, json!({"total": 3, "people": [{"name": "An"}]}));
}
