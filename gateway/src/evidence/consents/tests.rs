use std::{path::Path, sync::Arc};

use lienthong_evidence::reader::Reader;
use lienthong_model::clock::ManualClock;
use tempfile::TempDir;

use super::*;
use crate::{config::Config, evidence::create_keys, metrics::Metrics};

const CONFIG: &str = r#"
listen: {address: 127.0.0.1:0}
tls:
  certificate_file: pki/gateway.pem
  key_file: pki/gateway.key
  trust_anchors: [{id: city, certificate_file: pki/city.pem, revocation: none}]
policies: {directory: policies, schemas: schemas}
providers: {}
pseudonyms: {key_file: keys/pseudonym.key, period: "2026"}
admin: {socket: admin.sock}
data: {directory: data}
evidence: {node: node-1, key_file: keys/evidence.key, digest_keys: keys/digest, red_percent: 99}
"#;
const NUMBER: &str = "079000000001";
const PARENT: &str = "079000000002";
const RECORD: &[u8] = b"{\"state\":\"given\"}";

fn now() -> Timestamp {
    "2026-11-29T06:00:00Z".parse().expect("an instant")
}

fn id(number: u128) -> ExchangeId {
    uuid::Uuid::from_u128(number).into()
}

fn person(identifier: &str) -> Person<'_> {
    Person { kind: "citizen_number", identifier }
}

/// A node with its keys and a log that is open.
struct World {
    folder: TempDir,
    evidence: Arc<Evidence>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config::parse("gateway.yaml", CONFIG, folder.path()).expect("good");
        std::fs::create_dir_all(folder.path().join("keys")).expect("a folder");
        let keys = (&*config.evidence.key_file, &*config.evidence.digest_keys);
        create_keys(keys, "node-1.example", now()).expect("made");
        let clock = Arc::new(ManualClock::at(now()));
        let evidence = Evidence::load(&config, clock, &Metrics::default()).expect("keys");
        let world = Self { folder, evidence: Arc::new(evidence) };
        world.evidence.open().await.expect("a log");
        world
    }

    async fn entries(&self) -> Vec<Vec<u8>> {
        self.evidence.checkpoint().expect("signed");
        let verifier = self.evidence.verifier().expect("a key");
        let reader = Reader::open(&self.directory(), &verifier).expect("a log");
        reader.tail().map(|(_, bytes)| bytes.to_vec()).collect()
    }

    fn directory(&self) -> std::path::PathBuf {
        self.folder.path().join(Path::new("data/evidence"))
    }
}

struct Names {
    controller: ParticipantId,
    recipients: Vec<ParticipantId>,
    purpose: PurposeId,
    service: ServiceId,
}

impl Names {
    fn new() -> Self {
        Self {
            controller: "H29.12".parse().expect("an id"),
            recipients: vec!["H29.40".parse().expect("an id")],
            purpose: "dossier_processing".parse().expect("an id"),
            service: "health-records".parse().expect("an id"),
        }
    }

    fn change(&self, revision: u64) -> ConsentChange<'_> {
        ConsentChange {
            action: ConsentAction::Give,
            channel: Some(Channel::Paper),
            collector: "mot-cua-26",
            consent: id(21),
            controller: &self.controller,
            notice: Some([7; 32]),
            purpose: &self.purpose,
            recipients: &self.recipients,
            record: RECORD,
            representative: Some(person(PARENT)),
            revision,
            service: &self.service,
            subject: person(NUMBER),
        }
    }

    fn step(&self, revision: u64) -> RightStep<'_> {
        RightStep {
            action: RightAction::Notify,
            articles: Vec::new(),
            consent: Some(id(21)),
            due: Some(now()),
            operator: "gateway",
            participant: Some(&self.controller),
            request: id(31),
            revision,
            right: RightKind::Withdraw,
            service: Some(&self.service),
            subject: person(NUMBER),
        }
    }
}

#[tokio::test]
async fn refuses_what_no_entry_can_say() {
    let (world, names) = (World::new().await, Names::new());
    let many = vec![names.controller.clone(); Name::MOST + 1];
    let unsaid = [
        ConsentChange { recipients: &many, ..names.change(1) },
        ConsentChange { collector: NUMBER, ..names.change(1) },
        ConsentChange { collector: "", ..names.change(1) },
    ];
    for change in unsaid {
        let refusal = world.evidence.consent(change).await.expect_err("refused");
        assert_eq!(refusal.reason, ReasonCode::EvidenceUnavailable);
    }
    let step = RightStep { operator: "an officer", ..names.step(1) };
    assert!(world.evidence.right(step).await.is_err());
    assert_eq!(world.evidence.revision(), None);
    assert!(world.entries().await.is_empty());
}

#[tokio::test]
async fn refuses_while_the_log_is_not_open() {
    let (world, names) = (World::new().await, Names::new());
    world.evidence.close().await;
    let refusal = world.evidence.consent(names.change(1)).await.expect_err("refused");
    assert_eq!(refusal.reason, ReasonCode::EvidenceUnavailable);
    assert!(world.evidence.right(names.step(1)).await.is_err());
    assert_eq!((world.evidence.newest(), world.evidence.revision()), (None, None));
}

#[tokio::test]
async fn a_change_is_durable_before_it_is_told_and_names_nobody() {
    let (world, names) = (World::new().await, Names::new());
    let evidence = &world.evidence;
    assert_eq!(evidence.consent(names.change(5)).await.map(|r| r.index()).ok(), Some(0));
    assert_eq!(evidence.newest(), Some(Change { revision: 5, record: id(21) }));
    assert_eq!(evidence.right(names.step(6)).await.map(|r| r.index()).ok(), Some(1));
    assert_eq!(evidence.newest(), Some(Change { revision: 6, record: id(31) }));

    let entries = world.entries().await;
    for bytes in &entries {
        let text = std::str::from_utf8(bytes).expect("text");
        for personal in [NUMBER, PARENT, "state"] {
            assert!(!text.contains(personal), "{text}");
        }
    }
    let key = evidence.key(now()).expect("a key");
    let Ok(Entry::Consent(consent)) = Entry::decode(&entries[0]) else { panic!("a consent") };
    assert_eq!(consent.at_ms, ms(now()));
    assert_eq!(consent.key.as_str(), "2026-q4");
    assert_eq!(Ok(consent.subject), evidence.subject(now(), person(NUMBER)).map_err(drop));
    assert_eq!(consent.representative, Some(person(PARENT).digest(&key)));
    let salt = key.salt(id(21), Part::Record(5));
    assert!(salt.opens(consent.record, RECORD) && !salt.opens(consent.record, b"{}"));
    let Ok(Entry::Right(right)) = Entry::decode(&entries[1]) else { panic!("a right") };
    assert_eq!((right.subject, right.due_ms), (consent.subject, Some(ms(now()))));
}

#[tokio::test]
async fn the_newest_revision_is_known_when_the_log_is_opened_again() {
    let (world, names) = (World::new().await, Names::new());
    assert!(world.evidence.consent(names.change(9)).await.is_ok());
    world.evidence.close().await;
    assert_eq!(world.evidence.revision(), None);
    world.evidence.open().await.expect("a log");
    assert_eq!(world.evidence.revision(), Some(9));
}

#[test]
fn nothing_of_a_person_is_shown() {
    let names = Names::new();
    let shown = format!("{:?} {:?} {:?}", names.change(1), names.step(1), person(NUMBER));
    for personal in [NUMBER, PARENT, "state"] {
        assert!(!shown.contains(personal), "{shown}");
    }
}
