//! Every field of every kind of entry: its one form, its schema, its place in the documentation.

use std::{collections::BTreeSet, fs, path::Path};

use lienthong_evidence::{
    entry::{
        Article, Commitment, Denied, DigestKey, Domain, End, Entry, ExchangeId, Format, Intent,
        Interrupted, IsIntent, IsInterrupted, IsLoss, IsOutcome, IsProgress, IsRefusal, IsRefusals,
        Loss, Name, Outcome, Part, Period, Permitted, PresumedDisclosed, Progress, Reason, Refusal,
        Refusals, Role, Subject, Why,
    },
    hash::Hash,
};
use lienthong_model::{
    id::{AgreementId, InstrumentId, OperationId, ParticipantId, PurposeId, RuleId, ServiceId},
    reason::ReasonCode,
    sensitive::Sensitive,
};
use serde_json::Value;

/// One entry a line: each kind with every field, then each with as few as it may have.
const GOLDEN: &str = include_str!("entries.jsonl");
/// The identifier of nobody that the golden entries are about.
const NUMBER: &str = "079000000001";

fn key() -> DigestKey {
    DigestKey::new(Period::new("2026-q4").expect("a period"), &Sensitive::new([3; 32]))
}

fn exchange() -> ExchangeId {
    ExchangeId::parse("018f3c5e-8d2a-4c1b-9e77-0123456789ab").expect("an id")
}

/// The names that entries borrow.
struct Names {
    consumer: ParticipantId,
    provider: ParticipantId,
    via: ParticipantId,
    agreement: AgreementId,
    service: ServiceId,
    operation: OperationId,
    purpose: PurposeId,
    rule: RuleId,
    instrument: InstrumentId,
}

impl Names {
    fn new() -> Self {
        Self {
            consumer: "H29.40".parse().expect("an id"),
            provider: "H29.12".parse().expect("an id"),
            via: "H29.90".parse().expect("an id"),
            agreement: "ward-civil-status".parse().expect("an id"),
            service: "civil-status".parse().expect("an id"),
            operation: "getBirthRecord".parse().expect("an id"),
            purpose: "dossier_processing".parse().expect("an id"),
            rule: "no-ethnicity".parse().expect("an id"),
            instrument: "pdpl-2025".parse().expect("an id"),
        }
    }

    fn subject(&self) -> Subject {
        let digest = key().digest(Domain::DataSubject("citizen_number"), NUMBER);
        Subject { digest, role: Role::Owner }
    }

    fn article(&self) -> Article<'_> {
        Article::new(&self.instrument, "19.1.c").expect("an article")
    }
}

fn node() -> Name<'static> {
    Name::of_node("node-1").expect("a name")
}

fn period() -> Period<'static> {
    Period::new("2026-q4").expect("a period")
}

fn commitment(part: Part) -> Commitment {
    let mut committer = key().commit(exchange(), part);
    committer.update(b"{}");
    committer.finish()
}

const AT: u64 = 1_795_301_705_123;

fn intent(names: &Names) -> Intent<'_> {
    Intent {
        acting: (&names.consumer).into(),
        agreement: (&names.agreement).into(),
        agreement_version: Hash::of(b"version"),
        articles: vec![names.article(), names.article()],
        at_ms: AT,
        clock_offset_ms: -3,
        consent: Some(exchange()),
        correlation: Some(key().digest(Domain::Correlation, "abc")),
        decision: Permitted,
        dossier: Some(key().digest(Domain::Dossier, "H29-1")),
        exchange: exchange(),
        format: Format,
        key: period(),
        kind: IsIntent,
        node: node(),
        officer: Some(key().digest(Domain::Officer, "an.nguyen")),
        operation: (&names.operation).into(),
        provider: (&names.provider).into(),
        purpose: (&names.purpose).into(),
        request: commitment(Part::Request),
        rules: vec![(&names.rule).into()],
        sequence: 0,
        service: (&names.service).into(),
        snapshot: Hash::of(b"snapshot"),
        subjects: vec![names.subject()],
        today: 20_261_121,
        via: Some((&names.via).into()),
        view: Hash::of(b"view"),
    }
}

fn outcome() -> Outcome<'static> {
    Outcome {
        answer: Some(commitment(Part::Answer)),
        at_ms: AT,
        bytes: 2,
        clock_offset_ms: 0,
        disclosed: 4,
        dropped: 1,
        elements: Some(9),
        end: End::Cut,
        exchange: exchange(),
        format: Format,
        key: period(),
        kind: IsOutcome,
        masked: 2,
        micros: 5_310,
        node: node(),
        reason: Some(Reason(ReasonCode::ProviderSchema)),
        sequence: 2,
        status: 200,
        withheld: 1,
    }
}

fn refusal(names: &Names) -> Refusal<'_> {
    let Intent { acting, agreement, agreement_version, articles, rules, .. } = intent(names);
    let Intent { correlation, dossier, officer, subjects, via, .. } = intent(names);
    let Intent { operation, provider, purpose, service, snapshot, today, .. } = intent(names);
    Refusal {
        acting,
        agreement,
        agreement_version,
        articles,
        at_ms: AT,
        clock_offset_ms: 0,
        correlation,
        decision: Denied,
        dossier,
        exchange: exchange(),
        format: Format,
        key: period(),
        kind: IsRefusal,
        node: node(),
        officer,
        operation,
        provider,
        purpose,
        reason: Reason(ReasonCode::PolicyDenied),
        rules,
        sequence: 0,
        service,
        snapshot,
        subjects,
        today,
        via,
    }
}

fn refusals(names: &Names) -> Refusals<'_> {
    Refusals {
        acting: Some((&names.consumer).into()),
        at_ms: AT,
        clock_offset_ms: 0,
        count: 17,
        format: Format,
        from_ms: AT - 60_000,
        kind: IsRefusals,
        node: node(),
        reason: Reason(ReasonCode::ConsumerRateLimited),
        service: Some((&names.service).into()),
    }
}

fn progress() -> Progress<'static> {
    Progress {
        at_ms: AT,
        bytes: 1 << 20,
        clock_offset_ms: 0,
        disclosed: 40_000,
        dropped: 0,
        elements: 10_000,
        exchange: exchange(),
        format: Format,
        kind: IsProgress,
        masked: 10_000,
        node: node(),
        sequence: 1,
        withheld: 0,
    }
}

fn loss() -> Loss<'static> {
    Loss {
        at_ms: AT,
        clock_offset_ms: 0,
        format: Format,
        kept: 10,
        kind: IsLoss,
        lost_root: Some(Hash::of(b"root")),
        lost_size: Some(20),
        node: node(),
        why: Why::new("ổ đĩa hỏng / the disk failed").expect("a sentence"),
    }
}

fn interrupted() -> Interrupted<'static> {
    Interrupted {
        at_ms: AT,
        clock_offset_ms: 0,
        exchange: exchange(),
        format: Format,
        kind: IsInterrupted,
        node: node(),
        presumed: PresumedDisclosed,
        sequence: 1,
    }
}

/// The id of an exchange by number.
pub(crate) fn numbered(number: u64) -> ExchangeId {
    ExchangeId::parse(&format!("018f3c5e-8d2a-4c1b-9e77-{number:012x}")).expect("an id")
}

/// Intent and outcome of an exchange.
pub(crate) fn pair(number: u64) -> [Vec<u8>; 2] {
    let names = Names::new();
    let exchange = numbered(number);
    let intent = Entry::Intent(Intent { exchange, ..intent(&names) });
    let outcome = Entry::Outcome(Outcome { exchange, sequence: 1, ..outcome() });
    [intent.encode(), outcome.encode()]
}

/// Every kind with every field, then those that may have fewer.
fn samples(names: &Names) -> Vec<Entry<'_>> {
    let bare = Intent {
        articles: Vec::new(),
        consent: None,
        correlation: None,
        dossier: None,
        officer: None,
        rules: Vec::new(),
        subjects: Vec::new(),
        via: None,
        ..intent(names)
    };
    let denied = Refusal {
        articles: Vec::new(),
        correlation: None,
        dossier: None,
        officer: None,
        rules: Vec::new(),
        subjects: Vec::new(),
        via: None,
        ..refusal(names)
    };
    vec![
        Entry::Intent(intent(names)),
        Entry::Progress(progress()),
        Entry::Outcome(outcome()),
        Entry::Refusal(refusal(names)),
        Entry::Refusals(refusals(names)),
        Entry::Interrupted(interrupted()),
        Entry::Loss(loss()),
        Entry::Intent(bare),
        Entry::Outcome(Outcome {
            answer: None,
            elements: None,
            reason: None,
            end: End::Complete,
            ..outcome()
        }),
        Entry::Refusal(denied),
        Entry::Refusals(Refusals { acting: None, service: None, ..refusals(names) }),
        Entry::Loss(Loss { lost_root: None, lost_size: None, ..loss() }),
    ]
}

fn schema() -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas/evidence/v1/entry.schema.json");
    serde_json::from_slice(&fs::read(path).expect("the schema")).expect("JSON")
}

#[test]
fn every_kind_has_its_one_form() {
    let names = Names::new();
    let written: Vec<String> = samples(&names)
        .iter()
        .map(|entry| String::from_utf8(entry.encode()).expect("text"))
        .collect();
    assert_eq!(written.join("\n"), GOLDEN.trim_end());
    for (line, entry) in GOLDEN.lines().zip(samples(&names)) {
        assert_eq!(Entry::decode(line.as_bytes()), Ok(entry));
    }
}

#[test]
fn the_form_is_canonical_json() {
    for line in GOLDEN.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(sorted(&value).to_string(), line);
        assert!(!line.contains('\\'));
    }
    for (kind, keys) in Entry::KEYS {
        assert!(keys.is_sorted(), "{kind}");
    }
}

/// The same with the keys of every object in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

#[test]
fn no_changed_byte_gives_the_same_entry_and_most_give_none() {
    for line in GOLDEN.lines() {
        let bytes = line.as_bytes();
        let entry = Entry::decode(bytes).expect("an entry");
        for at in 0..bytes.len() {
            for with in [b' ', b'"', b'0', b'A', b'_', b'{', 0, 0xff, bytes[at] ^ 1] {
                let mut changed = bytes.to_vec();
                changed[at] = with;
                let read = Entry::decode(&changed);
                assert!(changed == bytes || read != Ok(entry.clone()), "byte {at} of {line}");
                // What is read is what was written: there is no second form.
                assert!(read.is_err() || read.expect("one").encode() == changed);
            }
            assert!(Entry::decode(&bytes[..at]).is_err());
        }
        assert!(Entry::decode(&[bytes, b" "].concat()).is_err());
    }
}

#[test]
fn the_schema_accepts_every_entry_and_refuses_others() {
    let schema = schema();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for line in GOLDEN.lines() {
        let value: Value = serde_json::from_str(line).expect("JSON");
        let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        for key in value.as_object().expect("an object").keys() {
            let mut changed = value.clone();
            changed[key] = Value::Array(Vec::new());
            assert!(!validator.is_valid(&changed), "{key} of {line}");
        }
        let mut more = value.clone();
        more["more"] = 1.into();
        assert!(!validator.is_valid(&more));
    }
}

#[test]
fn schema_and_golden_entries_have_the_fields_of_the_code() {
    let schema = schema();
    for (kind, keys) in Entry::KEYS {
        let keys: BTreeSet<&str> = keys.iter().copied().collect();
        let form = &schema["$defs"][kind];
        let known = form["properties"].as_object().expect("properties");
        assert_eq!(known.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys, "{kind}");
        let lines: Vec<BTreeSet<String>> = GOLDEN
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .filter(|value| value["kind"] == *kind)
            .map(|value| value.as_object().expect("an object").keys().cloned().collect())
            .collect();
        assert_eq!(lines[0].iter().map(String::as_str).collect::<BTreeSet<_>>(), keys, "{kind}");
        let fewest = lines.last().expect("a golden entry");
        let required = form["required"].as_array().expect("a list").iter();
        let required: BTreeSet<String> =
            required.map(|key| key.as_str().expect("a key").to_owned()).collect();
        assert_eq!(*fewest, required, "{kind}");
    }
}

#[test]
fn the_page_on_entries_has_every_field_and_kind() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/evidence-entries.md");
    let page = fs::read_to_string(path).expect("the page");
    for (kind, keys) in Entry::KEYS {
        for word in keys.iter().chain([kind]) {
            assert!(page.contains(&format!("`{word}`")), "`{word}` of {kind} is not documented");
        }
    }
    let words = page.split('`').skip(1).step_by(2);
    let rows = words.filter(|word| page.contains(&format!("\n| `{word}` | ")));
    for word in rows {
        let known = Entry::KEYS.iter().any(|(kind, keys)| kind == &word || keys.contains(&word));
        assert!(known || ["digest", "role"].contains(&word), "`{word}` is no field");
    }
}

#[test]
fn nothing_of_a_person_stands_in_an_entry() {
    let names = Names::new();
    for entry in samples(&names) {
        let text = String::from_utf8(entry.encode()).expect("text");
        for personal in [NUMBER, "an.nguyen", "H29-1", "abc\""] {
            assert!(!text.contains(personal), "{text}");
        }
    }
}

#[test]
fn texts_that_may_be_personal_numbers_are_refused() {
    let names = Names::new();
    assert_eq!(Name::of_node(NUMBER), None);
    assert_eq!(Name::of_node("node 1"), None);
    assert_eq!(Period::new(NUMBER), None);
    assert_eq!(Article::new(&names.instrument, NUMBER), None);
    assert_eq!(Why::new("the record of 079000000001 was damaged"), None);
    assert_eq!(Why::new("he said \"yes\""), None);
}

#[test]
fn digests_differ_by_domain_kind_and_key_and_are_the_same_otherwise() {
    let other = DigestKey::new(period(), &Sensitive::new([4; 32]));
    let domains = [
        Domain::DataSubject("citizen_number"),
        Domain::DataSubject("tax_code"),
        Domain::DataSubject(""),
        Domain::Officer,
        Domain::Dossier,
        Domain::Correlation,
    ];
    let digests: BTreeSet<_> = domains
        .iter()
        .flat_map(|domain| [key().digest(*domain, "1"), other.digest(*domain, "1")])
        .chain([key().digest(Domain::DataSubject("citizen_number1"), "")])
        .collect();
    assert_eq!(digests.len(), 2 * domains.len() + 1);
    assert_eq!(key().digest(Domain::Officer, "1"), key().digest(Domain::Officer, "1"));
}

#[test]
fn a_commitment_is_opened_by_its_salt_and_the_same_bytes_only() {
    let salt = key().salt(exchange(), Part::Request);
    assert!(salt.opens(commitment(Part::Request), b"{}"));
    assert!(!salt.opens(commitment(Part::Request), b"{ }"));
    assert!(!salt.opens(commitment(Part::Answer), b"{}"));
    let other = DigestKey::new(period(), &Sensitive::new([4; 32]));
    assert!(!other.salt(exchange(), Part::Request).opens(commitment(Part::Request), b"{}"));
}
