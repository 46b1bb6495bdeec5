//! Requests of data subjects, and what participants that received data are told.

use lienthong_model::{clock::civil_date, reason::ReasonCode};
use serde_json::{Value, json};

use super::desk::{Desk, NUMBER, OTHER, has_form, post, refused, search, statement, with};
use crate::data_path::harness::{Ask, admin, now, person};

const REQUESTS: &str = "/v1/service/rights-requests";
const NOTICES: &str = "/v1/participant/notices";

/// The clinic looks the person up, on the person's consent.
pub(super) fn by_clinic() -> Ask {
    Ask::get("clinic", "/r1/VN/TEST/T01.10/REGISTRY/people/people?number=001122334455")
        .header("x-road-client", "VN/TEST/T01.21/CLINIC")
        .header("lienthong-purpose", "consent_work")
}

fn subject(number: &str) -> Value {
    json!({ "kind": "citizen_number", "value": number })
}

fn asked(right: &str) -> Value {
    json!({"data_subject": subject(NUMBER), "right": right, "channel": "officer", "service": "people"})
}

/// A step of a request, by `counter`.
fn step(id: &Value, step: &str, body: &Value) -> Ask {
    post("counter", &format!("{REQUESTS}/{}/{step}", id.as_str().unwrap()), body)
}

impl Desk {
    /// A consent that the clinic used once; its id.
    pub(super) async fn used_by_clinic(&self) -> String {
        let id = self.given(&statement()).await["id"].as_str().unwrap().to_owned();
        let answer = self.world.ask(&by_clinic()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        id
    }

    /// Waits until participants were told, this many times since the start.
    pub(super) async fn told(&self, times: usize) {
        let seen = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let is_told = |line: &Value| {
            if line["message"] == "participants are told" {
                seen.borrow_mut().insert(line["request"].to_string());
            }
            (seen.borrow().len() >= times).then_some(())
        };
        self.world.gateway.logs("that participants are told", is_told).await;
    }

    /// What a participant has to act on.
    async fn notices(&self, participant: &str) -> Vec<Value> {
        let answer = self.ask(&Ask::get(participant, NOTICES)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page = answer.json();
        has_form("ParticipantNoticePage", &page);
        page["notices"].as_array().unwrap().clone()
    }

    async fn request(&self, body: &Value) -> Value {
        let answer = self.ask(&post("counter", REQUESTS, body)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        has_form("RightsRecord", &answer.json());
        answer.json()
    }
}

#[tokio::test]
async fn a_withdrawal_reaches_who_received_data_and_nobody_else() {
    let mut desk = Desk::new().await;
    let id = desk.used_by_clinic().await;
    // These have it on a law, and for another purpose.
    assert_eq!(desk.world.ask(&person()).await.status, 200);
    let answer = desk.change(&id, "withdraw").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // The end comes before anybody is told: a change has to settle first.
    desk.world.gateway.signal("KILL");
    desk.world.gateway.ended().await;
    desk.restart().await;
    desk.told(1).await;
    assert_eq!(desk.notices("desk").await, [] as [Value; 0]);
    assert_eq!(desk.notices("office").await, [] as [Value; 0]);
    let notices = desk.notices("clinic").await;
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!((&notice["what"], &notice["consent"]), (&json!("withdrawn"), &json!(id)));
    assert_eq!(notice["data_subject"], subject(NUMBER));
    assert_eq!(notice["exchanges"]["count"], 1);
    let path = format!("{NOTICES}/{}/acknowledge", notice["id"].as_str().unwrap());
    let handled = |by: &str, word: &str| post(by, &path, &json!({ "handled": word }));
    refused(&desk.ask(&handled("desk", "stopped")).await, ReasonCode::ConsentUnknown);
    refused(&desk.ask(&handled("counter", "stopped")).await, ReasonCode::OperatorRole);
    refused(&desk.ask(&handled("clinic", "thrown")).await, ReasonCode::RequestSchema);
    for _ in 0..2 {
        let answer = desk.ask(&handled("clinic", "stopped")).await;
        assert_eq!((answer.status, &answer.json()["handled"]), (200, &json!("stopped")));
    }
    refused(&desk.ask(&handled("clinic", "deleted")).await, ReasonCode::ConsentState);
    assert_eq!(desk.notices("clinic").await, [] as [Value; 0]);
    let found = desk.ask(&rights_of(NUMBER)).await.json();
    let request = &found["rights_requests"][0];
    assert_eq!((&request["right"], &request["state"]), (&json!("withdraw"), &json!("fulfilled")));
    let shown = desk.ask(&Ask::get("counter", &at(&request["id"]))).await.json();
    has_form("RightsPage", &found);
    has_form("RightsRecord", &shown);
    assert_eq!(shown["notices"][0]["participant"], "T01.21");
    assert_eq!(shown["notices"][0]["handled"], "stopped");
    let told = steps(&desk.world.evidence().await);
    assert_eq!(
        told,
        [
            ("fulfil".to_owned(), "-".to_owned()),
            ("notify".to_owned(), "T01.21".to_owned()),
            ("notify".to_owned(), "-".to_owned()),
            ("confirm".to_owned(), "T01.21".to_owned()),
        ]
    );
}

fn rights_of(number: &str) -> Ask {
    let body = json!({ "data_subject": subject(number) });
    post("counter", &format!("{REQUESTS}/search"), &body)
}

fn at(id: &Value) -> String {
    format!("{REQUESTS}/{}", id.as_str().unwrap())
}

/// What was done about requests and who was told, as the evidence has it.
fn steps(evidence: &crate::data_path::harness::Evidence) -> Vec<(String, String)> {
    let all: Vec<u64> = ["consent", "right"]
        .iter()
        .flat_map(|kind| evidence.of(kind))
        .map(|entry| entry["revision"].as_u64().unwrap())
        .collect();
    let mut sorted = all.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=all.len() as u64).collect::<Vec<_>>(), "no revision is missing");
    assert!(evidence.entries.iter().all(|entry| !entry.to_string().contains(NUMBER)));
    let word = |entry: &Value, name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let of = evidence.of("right");
    of.iter().map(|entry| (word(entry, "action"), word(entry, "participant"))).collect()
}

/// Who never received anything is told nothing; that everybody was told is on record all the same.
#[tokio::test]
async fn a_consent_that_nobody_used_leads_to_no_notice() {
    let mut desk = Desk::new().await;
    let id = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    let answer = desk.world.ask(&person()).await;
    assert_eq!(answer.status, 200);
    desk.change(&id, "object").await;
    desk.told(1).await;
    for participant in ["clinic", "desk", "office"] {
        assert_eq!(desk.notices(participant).await, [] as [Value; 0]);
    }
    let told = steps(&desk.world.evidence().await);
    assert_eq!(
        told.iter().map(|(action, _)| action.as_str()).collect::<Vec<_>>(),
        ["fulfil", "notify"]
    );
}

#[tokio::test]
async fn a_correction_that_was_made_reaches_everybody_with_the_data() {
    let mut desk = Desk::new().await;
    desk.used_by_clinic().await;
    assert_eq!(desk.world.ask(&person()).await.status, 200);
    let request = desk.request(&asked("correct")).await;
    let id = &request["id"];
    assert_eq!((&request["state"], &request["overdue"]), (&json!("received"), &json!(false)));
    let early = desk.ask(&step(id, "fulfil", &json!({}))).await;
    refused(&early, ReasonCode::ConsentState);
    let acknowledged = desk.ask(&step(id, "acknowledge", &json!({}))).await.json();
    assert_eq!(acknowledged["state"], "acknowledged");
    let why = json!({ "reason": "archive_abroad" });
    let stale =
        step(id, "extend", &why).header("if-match", &format!("\"{}\"", request["revision"]));
    refused(&desk.ask(&stale).await, ReasonCode::ConsentState);
    let extended = desk.ask(&step(id, "extend", &why)).await.json();
    assert_eq!((&extended["extended"], &extended["reason"]), (&json!(true), &why["reason"]));
    assert!(extended["due"].as_str() > request["due"].as_str());
    let fulfilled = desk.ask(&step(id, "fulfil", &json!({}))).await.json();
    assert_eq!((&fulfilled["state"], &fulfilled["told"]), (&json!("fulfilled"), &json!(false)));
    desk.told(1).await;
    for participant in ["clinic", "desk"] {
        let notices = desk.notices(participant).await;
        assert_eq!((notices.len(), &notices[0]["what"]), (1, &json!("corrected")), "{participant}");
        assert_eq!(notices[0]["request"], *id);
    }
    assert_eq!(desk.notices("office").await, [] as [Value; 0]);
    let shown = desk.ask(&Ask::get("counter", &at(id))).await.json();
    assert_eq!((&shown["told"], shown["notices"].as_array().unwrap().len()), (&json!(true), 2));
    let told: Vec<_> = steps(&desk.world.evidence().await).into_iter().map(|(a, _)| a).collect();
    let begins = ["receive", "acknowledge", "extend", "fulfil", "notify", "notify", "notify"];
    assert_eq!(told, begins);
}

/// Whom a stream was about stands in its sidecar alone.
#[tokio::test]
async fn who_received_a_stream_is_told_of_those_in_it_and_of_nobody_else() {
    let desk = super::disclosures::streamed().await;
    for number in [NUMBER, "001122334456"] {
        let mut body = asked("restrict");
        body["data_subject"] = subject(number);
        body["service"] = json!("roll");
        let answer = desk.ask(&post("roll-counter", REQUESTS, &body)).await;
        let id = answer.json()["id"].clone();
        for word in ["acknowledge", "fulfil"] {
            let step = step(&id, word, &json!({})).certificate("roll-counter");
            assert_eq!(desk.ask(&step).await.status, 200);
        }
    }
    desk.told(2).await;
    let notices = desk.notices("desk").await;
    let [notice] = &notices[..] else { panic!("{notices:?}") };
    assert_eq!((&notice["what"], &notice["service"]), (&json!("restricted"), &json!("roll")));
    assert_eq!(notice["data_subject"], subject(NUMBER));
}

#[tokio::test]
async fn a_refusal_needs_an_article_that_the_policies_know() {
    let mut desk = Desk::new().await;
    let id = desk.request(&asked("delete")).await["id"].clone();
    desk.ask(&step(&id, "acknowledge", &json!({}))).await;
    let refusing = |article: &str, reason: &str| {
        step(&id, "refuse", &json!({ "article": article, "reason": reason }))
    };
    for (article, reason) in [
        ("unheard-law#1", "kept_by_law"),
        ("test-law#99", "kept_by_law"),
        ("test-law", "kept_by_law"),
        ("test-law#2", "Nguyen Van A"),
        ("test-law#2", NUMBER),
    ] {
        let answer = desk.ask(&refusing(article, reason)).await;
        refused(&answer, ReasonCode::RequestSchema);
        assert!(!answer.text().contains(NUMBER));
    }
    let none = step(&id, "refuse", &json!({ "reason": "kept_by_law" }));
    refused(&desk.ask(&none).await, ReasonCode::RequestMalformed);
    let done = desk.ask(&refusing("test-law#2", "kept_by_law")).await.json();
    has_form("RightsRecord", &done);
    assert_eq!((&done["state"], &done["article"]), (&json!("refused"), &json!("test-law#2")));
    let evidence = desk.world.evidence().await;
    let last = *evidence.of("right").last().unwrap();
    assert_eq!((&last["action"], &last["articles"]), (&json!("refuse"), &json!(["test-law#2"])));
}

#[tokio::test]
async fn wrong_requests_are_refused_by_the_name_of_what_is_wrong() {
    let desk = Desk::new().await;
    let consent = desk.given(&statement()).await["id"].clone();
    let others = desk.given(&with(&[("/data_subject/value", json!(OTHER))])).await["id"].clone();
    let cases = [
        (json!({"right": "forget"}), ReasonCode::RequestSchema, "right"),
        (json!({"channel": "phone"}), ReasonCode::RequestSchema, "channel"),
        (json!({"service": null}), ReasonCode::RequestSchema, "service"),
        (json!({"service": "roll"}), ReasonCode::ConsentCollector, "service"),
        (json!({"consent": "17"}), ReasonCode::RequestSchema, "consent"),
        (json!({"consent": others}), ReasonCode::ConsentUnknown, ""),
        (json!({"consent": consent, "service": "roll"}), ReasonCode::RequestSchema, "service"),
        (
            json!({"data_subject": {"kind": "citizen_number", "value": "1"}}),
            ReasonCode::RequestSchema,
            "data_subject",
        ),
        (json!({"note": NUMBER}), ReasonCode::RequestMalformed, "unknown member"),
    ];
    for (change, reason, named) in cases {
        let mut body = asked("correct");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = desk.ask(&post("counter", REQUESTS, &body)).await;
        refused(&answer, reason);
        assert!(answer.text().contains(named) && !answer.text().contains(NUMBER), "{change}");
    }
    for (by, reason) in [
        ("clinic", ReasonCode::OperatorUnknown),
        ("roll-counter", ReasonCode::ConsentCollector),
        ("paper-counter", ReasonCode::ConsentCollector),
    ] {
        refused(&desk.ask(&post(by, REQUESTS, &asked("view"))).await, reason);
    }
    refused(&desk.ask(&Ask::get("counter", NOTICES)).await, ReasonCode::OperatorRole);
    let far = format!("{REQUESTS}/due?until=never");
    refused(&desk.ask(&Ask::get("counter", &far)).await, ReasonCode::RequestSchema);
    let nobody = json!("0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b");
    refused(&desk.ask(&Ask::get("counter", &at(&nobody))).await, ReasonCode::ConsentUnknown);
}

/// Only changing the consent stops the processing; saying that it is done does not.
#[tokio::test]
async fn a_request_to_withdraw_is_fulfilled_by_withdrawing() {
    let desk = Desk::new().await;
    let consent = desk.given(&statement()).await["id"].as_str().unwrap().to_owned();
    let mut body = asked("withdraw");
    body["consent"] = json!(consent);
    body["processor_involved"] = json!(true);
    let ask = post("counter", REQUESTS, &body).header("idempotency-key", "withdrawal-1");
    let first = desk.ask(&ask).await.json();
    assert_eq!(desk.ask(&ask).await.json()["id"], first["id"]);
    let other = post("counter", REQUESTS, &asked("view")).header("idempotency-key", "withdrawal-1");
    refused(&desk.ask(&other).await, ReasonCode::ConsentState);
    let id = &first["id"];
    desk.ask(&step(id, "acknowledge", &json!({}))).await;
    let fulfil = step(id, "fulfil", &json!({}));
    refused(&desk.ask(&fulfil).await, ReasonCode::ConsentState);
    assert_eq!(desk.record(&consent).await["state"], "given");
    desk.change(&consent, "withdraw").await;
    assert_eq!(desk.ask(&fulfil).await.json()["state"], "fulfilled");
}

#[tokio::test]
async fn what_is_due_is_listed_and_counted() {
    let desk = Desk::new().await;
    let request = desk.request(&asked("view")).await;
    let due = |until: &str| Ask::get("counter", &format!("{REQUESTS}/due{until}"));
    assert_eq!(desk.ask(&due("")).await.json()["rights_requests"], json!([]));
    let until = format!("?until={}&limit=10", request["acknowledge_until"].as_str().unwrap());
    let listed = desk.ask(&due(&until)).await.json();
    assert_eq!(listed["rights_requests"][0]["id"], request["id"]);
    let others = due(&until).certificate("roll-counter");
    assert_eq!(desk.ask(&others).await.json()["rights_requests"], json!([]));
    assert!(request["acknowledge_until"].as_str().unwrap() > &*civil_date(now()).to_string());
    let metrics = admin(desk.world.directory.path(), "GET", "/metrics").await.text();
    for name in [
        "gateway_rights_open{kind=\"view\"}",
        "gateway_rights_overdue{kind=\"view\"} 0",
        "gateway_notices_open",
    ] {
        assert!(metrics.contains(name), "{name}");
    }
    // Nothing of this list tells who asked.
    assert!(!listed.to_string().contains(NUMBER));
    let consents = desk.ask(&search("counter", NUMBER)).await.json();
    assert_eq!(consents["consent_records"], json!([]));
}
