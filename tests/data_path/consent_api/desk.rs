//! Collectors at work: what they send to the consent listener, and what they sign.

use std::{net::SocketAddr, path::Path};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use lienthong_consent::statement::Statement;
use lienthong_model::{clock::civil_date, diagnostic::Diagnostics, document, reason::ReasonCode};
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use crate::data_path::harness::{
    Answer, Ask, Files, HTTP1, Setup, World, connect, now, repository,
};

/// A person who is no child by the number.
pub(crate) const NUMBER: &str = "001122334455";
/// Somebody else.
pub(crate) const OTHER: &str = "079190000017";

/// A world in which consents are collected, and where.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) address: SocketAddr,
    witness: rcgen::KeyPair,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    /// Collects in a world that differs. Participant T01.10 and the clinic can witness.
    pub(crate) async fn with(setup: Setup) -> Self {
        let witness = rcgen::KeyPair::generate().unwrap();
        let keys = |key: &rcgen::KeyPair| {
            let spki = STANDARD.encode(key.subject_public_key_info());
            format!("witness_keys: [{{id: one, spki: \"{spki}\"}}]\nstatus: active")
        };
        let own = rcgen::KeyPair::generate().unwrap();
        let file = |name: &str| format!("policies/participants/{name}.yaml");
        let files: Files = setup
            .files
            .with_consents()
            .replace(&file("registry"), "status: active", &keys(&witness))
            .replace(&file("clinic"), "status: active", &keys(&own));
        let world = World::with(Setup { files, ..setup }).await;
        let address = address(&world).await;
        Self { world, address, witness }
    }

    /// Starts the gateway anew, after it has ended.
    pub(crate) async fn restart(&mut self) {
        self.world.restart().await;
        self.address = address(&self.world).await;
    }

    /// One call over a connection of its own.
    pub(crate) async fn ask(&self, ask: &Ask) -> Answer {
        let identity = self.world.pki.client(&ask.certificate, HTTP1);
        let mut connection = connect(self.address, identity).await.expect("handshake");
        connection.send(&ask.bytes()).await;
        connection.answer().await
    }

    /// Records a statement as `counter`, which must be done.
    pub(crate) async fn given(&self, statement: &Value) -> Value {
        let answer = self.ask(&give("counter", statement)).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()
    }

    /// Changes a record as `counter`.
    pub(crate) async fn change(&self, id: &str, action: &str) -> Answer {
        self.ask(&change("counter", id, action)).await
    }

    /// A record as `counter` sees it.
    pub(crate) async fn record(&self, id: &str) -> Value {
        let answer = self.ask(&Ask::get("counter", &path(id, ""))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Records nothing, for this reason.
    pub(crate) async fn refuses(&self, statement: &Value, reason: ReasonCode) {
        refused(&self.ask(&give("counter", statement)).await, reason);
    }

    /// The word of the witness of T01.10 on a statement.
    pub(crate) fn proof(&self, statement: &Value) -> String {
        sign(&self.witness, &claims(statement))
    }

    /// Words that the witness signs.
    pub(crate) fn signed(&self, claims: &Value) -> String {
        sign(&self.witness, claims)
    }
}

async fn address(world: &World) -> SocketAddr {
    let address = world.gateway.logs("the consent listener", |line| {
        let told = line["message"] == "serving consents";
        told.then(|| line["address"].as_str()?.parse().ok()).flatten()
    });
    address.await
}

/// The path of a record, or of something of it.
pub(crate) fn path(id: &str, of: &str) -> String {
    format!("/v1/service/consent-records/{id}{of}")
}

/// A good statement to the clinic.
pub(crate) fn statement() -> Value {
    let today = civil_date(now());
    let until = today.checked_add(jiff::Span::new().days(100)).unwrap();
    json!({
        "data_subject": {"kind": "citizen_number", "value": NUMBER},
        "controller": "T01.10",
        "recipients": ["T01.21"],
        "service": "people",
        "purpose": "consent_work",
        "fields": ["findPerson/200/name", "findPerson/200/born"],
        "notice": {"id": "clinic-notice", "hash": hash(CLINIC), "language": "vi"},
        "given": {"channel": "officer"},
        "birth_date": "1990-05-17",
        "period": {"from": today.to_string(), "until": until.to_string()},
        "frequency": "as_needed",
        "retention_days": 30,
        "decision": "give",
    })
}

/// What the Vietnamese text of `clinic-notice` says, as it is read from its file.
const CLINIC: &str = "Phòng khám sẽ nhận tên, năm sinh và dữ liệu nhạy cảm về dân tộc của bạn.";
/// That of `office-notice`.
const OFFICE: &str = "Văn phòng sẽ nhận tên của bạn.";

/// A good statement to the office, whose agreement asks for more.
pub(crate) fn strict() -> Value {
    let today = civil_date(now());
    let until = today.checked_add(jiff::Span::new().days(20)).unwrap();
    with(&[
        ("/recipients", json!(["T01.30"])),
        ("/purpose", json!("strict_work")),
        ("/fields", json!(["findPerson/200/name"])),
        ("/notice", json!({"id": "office-notice", "hash": hash(OFFICE), "language": "vi"})),
        ("/account_level", json!("met")),
        ("/period/until", json!(until.to_string())),
        ("/retention_days", json!(10)),
    ])
}

/// A good statement, changed at these places.
pub(crate) fn with(changes: &[(&str, Value)]) -> Value {
    changed(&statement(), changes)
}

/// Number of somebody who speaks for a child.
pub(super) const PARENT: &str = "001080000011";

/// Somebody who speaks for a child.
pub(super) fn parent() -> Value {
    let identifier = json!({"kind": "citizen_number", "value": PARENT});
    json!({ "identifier": identifier, "relationship": "mother" })
}

/// A good statement about a child of ten.
pub(super) fn of_child() -> Value {
    with(&[
        ("/birth_date", json!("2016-02-03")),
        ("/representative", parent()),
        ("/child_agreed", json!(true)),
    ])
}

/// A statement changed at these places; `null` takes a member away.
pub(crate) fn changed(statement: &Value, changes: &[(&str, Value)]) -> Value {
    let mut statement = statement.clone();
    for (place, value) in changes {
        let (above, name) = place.rsplit_once('/').unwrap();
        let above = statement.pointer_mut(above).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            above.remove(name).unwrap();
        } else {
            above.insert(name.to_owned(), value.clone());
        }
    }
    statement
}

/// Hash of a text of a notice.
pub(crate) fn hash(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    hex(digest.as_ref())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A call with a body.
pub(crate) fn post(certificate: &str, path: &str, body: &Value) -> Ask {
    Ask::get(certificate, path)
        .method("POST")
        .header("content-type", "application/json")
        .header("accept-language", "en")
        .body(body.to_string())
}

/// The call that records a statement.
pub(crate) fn give(certificate: &str, statement: &Value) -> Ask {
    post(certificate, "/v1/service/consent-records", &json!({ "statement": statement }))
}

/// The call that records a statement with the word of a witness.
pub(crate) fn vouched(certificate: &str, statement: &Value, proof: &str) -> Ask {
    let body = json!({ "statement": statement, "proof": proof });
    post(certificate, "/v1/service/consent-records", &body)
}

/// The call that changes a record.
pub(crate) fn change(certificate: &str, id: &str, action: &str) -> Ask {
    post(certificate, &path(id, &format!("/{action}")), &json!({ "channel": "officer" }))
}

/// The call that lists the records of a person.
pub(crate) fn search(certificate: &str, number: &str) -> Ask {
    let subject = json!({"kind": "citizen_number", "value": number});
    post(certificate, "/v1/service/consent-records/search", &json!({ "data_subject": subject }))
}

/// Checks that an answer has the form that the OpenAPI document gives it.
pub(super) fn has_form(name: &str, answer: &Value) {
    let file = "schemas/consent/v1/openapi.yaml";
    let text = std::fs::read_to_string(repository().join(file)).unwrap();
    let node = document::parse(file, &text, &mut Diagnostics::new()).unwrap();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": format!("#/components/schemas/{name}"),
        "components": node.to_json()["components"],
    });
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(answer).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?} in {answer:#}");
}

/// Checks a refusal: status, problem details, headers.
pub(crate) fn refused(answer: &Answer, reason: ReasonCode) {
    let told = format!("expected {reason}, got {} {}", answer.status, answer.text());
    assert_eq!(answer.status, reason.status(), "{told}");
    let problem = answer.json();
    has_form("Problem", &problem);
    assert_eq!(problem["reason"], reason.as_str(), "{told}");
    assert_eq!(problem["type"], format!("urn:lienthong:reason:{reason}"));
    assert!(problem["cites"].is_array());
    let media_type = "application/problem+json; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(media_type), "{told}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("lienthong-request-id"), problem["request_id"].as_str());
}

/// What a witness says of a statement.
pub(crate) fn claims(statement: &Value) -> Value {
    let read = Statement::read(statement.to_string().as_bytes()).unwrap();
    let mut nonce = [0; 16];
    aws_lc_rs::rand::fill(&mut nonce).unwrap();
    let nonce = URL_SAFE_NO_PAD.encode(nonce);
    json!({
        "iss": "T01.10",
        "statement_sha256": hex(&read.hash()),
        "nonce": nonce,
        "iat": now().as_second(),
    })
}

fn sign(key: &rcgen::KeyPair, claims: &Value) -> String {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.serialized_der());
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&json!({ "alg": "ES256" })), encode(claims));
    let signature = pair.unwrap().sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// The files of a collector for the command line: a profile beside its certificate.
pub(crate) fn profile(desk: &Desk, name: &str) -> std::path::PathBuf {
    desk.world.pki.write_client(name);
    let folder: &Path = desk.world.directory.path();
    let file = folder.join(format!("{name}.yaml"));
    let port = desk.address.port();
    let text = format!(
        "url: https://localhost:{port}\ncertificate: pki/{name}.pem\nkey: pki/{name}.key\nca: pki/city.pem\n"
    );
    std::fs::write(&file, text).unwrap();
    file
}
