//! The view of a data subject: who received what, with proofs that anybody can check.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lienthong_evidence::{
    entry::{Entry, KeyedDigest},
    note::Verifier,
    proof::Proof,
    sidecar::{Sealed, SidecarProof},
};
use lienthong_model::reason::ReasonCode;
use serde_json::{Value, json};

use super::{
    desk::{Desk, NUMBER, OTHER, has_form, post, refused},
    rights::by_clinic,
};
use crate::data_path::{
    evidence::roll,
    harness::{Evidence, Files, Reply, Setup, Streamed, lienthong, person},
};

const SEARCH: &str = "/v1/service/disclosures/search";

fn asked(changes: &Value) -> Value {
    let mut body = json!({"data_subject": {"kind": "citizen_number", "value": NUMBER}});
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn view(desk: &Desk, by: &str, changes: &Value) -> Value {
    let answer = desk.ask(&post(by, SEARCH, &asked(changes))).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains(NUMBER));
    has_form("DisclosurePage", &answer.json());
    answer.json()
}

fn bytes(value: &Value) -> Vec<u8> {
    STANDARD.decode(value.as_str().unwrap()).unwrap()
}

/// Checks every entry of a disclosure; how many there are.
fn proven(disclosure: &Value, key: &Verifier) -> usize {
    let proofs = disclosure["proofs"].as_array().unwrap();
    for told in proofs {
        let entry = bytes(&told["entry"]);
        let proof = String::from_utf8(bytes(&told["proof"])).unwrap();
        let proof = Proof::parse(&proof).unwrap();
        proof.check(&entry, key).unwrap();
        assert_eq!(proof.index(), told["index"].as_u64().unwrap());
        for place in 0..entry.len() {
            let mut changed = entry.clone();
            changed[place] ^= 1;
            assert!(proof.check(&changed, key).is_err(), "byte {place}");
        }
    }
    proofs.len()
}

/// The world after the clinic, the desk and a refusal; its log is closed once, so that all is signed.
async fn used() -> Desk {
    let mut desk = Desk::new().await;
    let id = desk.used_by_clinic().await;
    assert_eq!(desk.world.ask(&person()).await.status, 200);
    desk.change(&id, "withdraw").await;
    assert_eq!(desk.world.ask(&by_clinic()).await.status, 403);
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    desk.restart().await;
    desk
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_tells_who_received_what_with_proofs_that_verify() {
    let mut desk = used().await;
    let page = view(&desk, "counter", &json!({"why": "request of the data subject"})).await;
    let disclosures = page["disclosures"].as_array().unwrap();
    let [clinic, other, denied] = &disclosures[..] else { panic!("{page:#}") };
    assert_eq!(
        clinic["recipient"],
        json!({"id": "T01.21", "name": {"vi": "clinic", "en": "clinic"}})
    );
    assert_eq!(
        (&clinic["provider"]["id"], &clinic["service"]["id"]),
        (&json!("T01.10"), &json!("people"))
    );
    assert_eq!(
        (&clinic["operation"], &clinic["purpose"]["name"]["en"]),
        (&json!("findPerson"), &json!("consent"))
    );
    assert_eq!(clinic["articles"][0]["text"]["en"], "the person consents");
    assert_eq!(
        (&clinic["certainty"], clinic["consents"].as_array().unwrap().len()),
        (&json!("received"), 1)
    );
    assert_eq!(clinic["fields"]["unmasked"], 2, "{clinic}");
    assert_eq!(
        (&other["recipient"]["id"], &other["certainty"]),
        (&json!("T01.20"), &json!("received"))
    );
    assert_eq!(
        (&denied["certainty"], &denied["reason"]),
        (&json!("nothing"), &json!("consent.withdrawn"))
    );
    let key = Evidence::key(desk.world.directory.path());
    assert_eq!((proven(clinic, &key), proven(other, &key), proven(denied, &key)), (2, 2, 1));
    let digest = page["digests"][0]["digest"].as_str().unwrap();
    assert!(String::from_utf8(bytes(&clinic["proofs"][0]["entry"])).unwrap().contains(digest));
    assert!(page["proved"]["en"].as_str().unwrap().contains("not proved"));
    command_verifies(&desk, clinic);
    let evidence = desk.world.evidence().await;
    let asked = evidence.only("administration");
    assert_eq!((&asked["action"], &asked["role"]), (&json!("disclosures"), &json!("collector")));
    assert_eq!(
        (&asked["subject"], &asked["why"]),
        (&json!(digest), &json!("request of the data subject"))
    );
}

/// The files that the answer holds, and the command that checks them.
fn command_verifies(desk: &Desk, disclosure: &Value) {
    let folder = desk.world.directory.path().join("view");
    std::fs::create_dir(&folder).unwrap();
    let key = folder.join("log.pub");
    std::fs::write(&key, Evidence::key(desk.world.directory.path()).to_string()).unwrap();
    let told = &disclosure["proofs"][0];
    let file = folder.join("1.tlog-proof");
    std::fs::write(&file, bytes(&told["proof"])).unwrap();
    let verify = |entry: &[u8]| {
        std::fs::write(folder.join("1.entry.json"), entry).unwrap();
        let command = &mut lienthong();
        command.args(["evidence", "verify-proof"]).arg(&file).arg("--key").arg(&key);
        command.output().unwrap().status.code()
    };
    let mut entry = bytes(&told["entry"]);
    assert_eq!(verify(&entry), Some(0));
    entry[40] ^= 1;
    assert_eq!(verify(&entry), Some(1));
}

#[tokio::test]
async fn the_view_comes_in_pages_and_tells_nobody_elses() {
    let desk = used().await;
    let (mut found, mut after) = (BTreeMap::new(), Value::Null);
    for page in 0.. {
        // Each page is on record, and that is no exchange to be told.
        assert!(page < 10);
        let page = view(&desk, "counter", &json!({"limit": 1, "after": after})).await;
        for told in page["disclosures"].as_array().unwrap() {
            let id = told["exchange"].as_str().unwrap().to_owned();
            assert!(found.insert(id, told.clone()).is_none(), "told twice");
        }
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    assert_eq!(found.len(), 3);
    let other = json!({"data_subject": {"kind": "citizen_number", "value": OTHER}});
    assert_eq!(view(&desk, "counter", &other).await["disclosures"], json!([]));
    // A collector sees what is of its services.
    assert_eq!(view(&desk, "roll-counter", &json!({})).await["disclosures"], json!([]));
    let past = json!({"from": "2020-01-01", "until": "2020-12-31"});
    assert_eq!(view(&desk, "counter", &past).await["disclosures"], json!([]));
    let wrong = [
        (json!({"from": "2021-01-01", "until": "2020-12-31"}), ReasonCode::RequestSchema),
        (json!({"why": "\"quoted\""}), ReasonCode::RequestSchema),
        (json!({"limit": 0}), ReasonCode::RequestSchema),
        (json!({"from": "yesterday"}), ReasonCode::RequestMalformed),
        (json!({"name": "An"}), ReasonCode::RequestMalformed),
    ];
    for (change, reason) in wrong {
        refused(&desk.ask(&post("counter", SEARCH, &asked(&change))).await, reason);
    }
    refused(
        &desk.ask(&post("clinic", SEARCH, &asked(&json!({})))).await,
        ReasonCode::OperatorUnknown,
    );
}

/// A desk whose `desk` has received a stream about two people.
pub(super) async fn streamed() -> Desk {
    let subject = "data_subjects:\n      \
                   - {answer: \"200\", field: /number, role: owner, identifier: citizen_number}\n";
    let files =
        Files::default().replace("policies/services/roll.yaml", "data_subjects: none\n", subject);
    let desk = Desk::with(Setup { files, ..Setup::default() }).await;
    let lines: String =
        [OTHER, NUMBER].map(|n| format!("{{\"number\":\"{n}\",\"name\":\"An\"}}\n")).concat();
    desk.world
        .provider
        .replies(Reply::chunks("application/x-ndjson", &[lines.as_bytes()]).then_last_chunk());
    let mut stream = Streamed::ask(desk.world.connection("desk").await, &roll().bytes()).await;
    stream.rest().await;
    assert!(stream.complete);
    desk
}

#[tokio::test]
async fn who_was_in_a_stream_is_told_with_the_proof_of_the_sidecar() {
    let mut desk = streamed().await;
    desk.world.gateway.signal("TERM");
    desk.world.gateway.ended().await;
    desk.restart().await;
    let page = view(&desk, "roll-counter", &json!({})).await;
    let [told] = &page["disclosures"].as_array().unwrap()[..] else { panic!("{page:#}") };
    assert_eq!(told["fields"]["of_many"], true);
    let outcome = told["proofs"].as_array().unwrap().last().unwrap();
    let bytes_of = bytes(&outcome["entry"]);
    let Ok(Entry::Outcome(entry)) = Entry::decode(&bytes_of) else { panic!("{page:#}") };
    let proof = String::from_utf8(bytes(&outcome["sidecar_proof"])).unwrap();
    let digest = KeyedDigest::parse(outcome["digest"].as_str().unwrap()).unwrap();
    let sealed = Sealed::of(&entry).unwrap();
    SidecarProof::parse(&proof).unwrap().check(digest, sealed).unwrap();
}
