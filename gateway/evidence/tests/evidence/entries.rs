//! Every field of every kind of entry: its one form, its schema, its place in the documentation.

use std::{collections::BTreeSet, fs, path::Path};

use lienthong_evidence::entry::{
    Article, DigestKey, Domain, Entry, ExchangeId, FieldCommitments, Intent, Name, Outcome, Part,
    Period, Subject, ValuePointer, Why,
};
use lienthong_model::{
    id::{InstrumentId, RuleId},
    sensitive::Sensitive,
};
use serde_json::Value;

use crate::samples::{
    NUMBER, Names, PARENT, commitment, consent, exchange, intent, key, numbered, outcome, period,
    samples, subject,
};

/// One entry a line: each kind with every field, then each with as few as it may have.
const GOLDEN: &str = include_str!("entries.jsonl");
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
        assert!(known || ["at", "digest", "role", "value"].contains(&word), "`{word}` is no field");
    }
}

#[test]
fn nothing_of_a_person_stands_in_an_entry() {
    let names = Names::new();
    for entry in samples(&names) {
        let text = String::from_utf8(entry.encode()).expect("text");
        for personal in [NUMBER, PARENT, "an.nguyen", "H29-1", "abc\""] {
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
    assert_eq!(ValuePointer::new("/HoSo/079000000001/Ten"), None);
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

#[test]
fn a_commitment_to_a_record_is_of_its_id_and_revision() {
    let names = Names::new();
    let entry = consent(&names);
    let part = Part::Record(entry.revision);
    assert!(!key().salt(entry.consent, Part::Record(18)).opens(entry.record, b"{}"));
    assert!(!key().salt(exchange(), part).opens(entry.record, b"{}"));
    assert!(!key().salt(entry.consent, Part::Request).opens(entry.record, b"{}"));
    assert!(!key().salt(entry.consent, part).opens(entry.record, b"{ }"));
    assert!(key().salt(entry.consent, part).opens(entry.record, b"{}"));
}

#[test]
fn a_pointer_is_made_of_names_and_indexes() {
    for good in ["", "/a", "/HoSo/12/SoDinhDanh", "/a~1b/c~0d", "/x-y_z.w//"] {
        assert_eq!(ValuePointer::new(good).map(|at| at.as_str()), Some(good));
    }
    let long = format!("/{}", "a".repeat(200));
    for bad in ["a", "/a b", "/a\"", "/a\\", "/Tên", "/a\n", "/123456789", long.as_str()] {
        assert_eq!(ValuePointer::new(bad), None, "{bad}");
    }
}

#[test]
fn a_commitment_to_a_value_is_of_its_place_and_its_bytes() {
    let mut fields = FieldCommitments::new();
    fields.add(&key(), exchange(), "/a", b"\"x\"");
    fields.add(&key(), exchange(), "/b", b"\"x\"");
    let (kept, left) = (fields.fields(), fields.left());
    assert_eq!((kept.len(), left), (2, None));
    assert_ne!(kept[0].value, kept[1].value);
    let salt = key().salt(exchange(), Part::Field(kept[0].at));
    assert!(salt.opens(kept[0].value, b"\"x\""));
    assert!(!salt.opens(kept[0].value, b"\"y\""));
    assert!(!salt.opens(kept[1].value, b"\"x\""));
    assert!(!key().salt(numbered(1), Part::Field(kept[0].at)).opens(kept[0].value, b"\"x\""));
}

#[test]
fn the_fullest_outcome_fits_into_the_log() {
    let mut fields = FieldCommitments::new();
    for number in 0..300 {
        let at = format!("/{number:0>4}{}", "a".repeat(150));
        fields.add(&key(), exchange(), &at, b"1");
        fields.add(&key(), exchange(), &format!("{at}/{}", "b".repeat(44)), b"1");
        fields.add(&key(), exchange(), &format!("/{number}"), b"1");
    }
    fields.add(&key(), exchange(), "/Tên", b"1");
    let kept = fields.fields();
    assert_eq!(kept.len() as u64 + fields.left().expect("some"), 901);
    let subjects = vec![subject(); Subject::MOST_OF_ANSWER];
    let full = Outcome { fields: kept, fields_left: fields.left(), subjects, ..outcome() };
    let entry = Entry::Outcome(full);
    let bytes = entry.encode();
    assert!((50_000..65_535).contains(&bytes.len()), "{}", bytes.len());
    assert_eq!(Entry::decode(&bytes), Ok(entry));
}

#[test]
fn the_fullest_intent_fits_into_the_log() {
    let names = Names::new();
    let instrument: InstrumentId = "a".repeat(80).parse().expect("an id");
    let article = Article::new(&instrument, "19.1.c-19.1.c-19.1.c-19.1.c-abcd").expect("one");
    let rule: RuleId = "r".repeat(80).parse().expect("an id");
    let full = Intent {
        articles: vec![article; Article::MOST],
        consents: vec![exchange(); ExchangeId::MOST],
        rules: vec![(&rule).into(); Name::MOST],
        subjects: vec![subject(); Subject::MOST],
        ..intent(&names)
    };
    let entry = Entry::Intent(full);
    let bytes = entry.encode();
    assert!((50_000..65_535).contains(&bytes.len()), "{}", bytes.len());
    assert_eq!(Entry::decode(&bytes), Ok(entry));
}

#[test]
fn a_list_beyond_its_bound_is_neither_written_nor_read() {
    let subjects = vec![subject(); Subject::MOST + 1];
    let written = Entry::Outcome(Outcome { subjects, ..outcome() }).encode();
    let Ok(Entry::Outcome(read)) = Entry::decode(&written) else { panic!("an outcome") };
    assert_eq!(read.subjects.len(), Subject::MOST);
    let one = String::from_utf8(Entry::Outcome(outcome()).encode()).expect("text");
    let (head, rest) = one.split_once("\"subjects\":[").expect("a list");
    let (subject, tail) = rest.split_once(']').expect("its end");
    let with =
        |count: usize| format!("{head}\"subjects\":[{}]{tail}", vec![subject; count].join(","));
    assert!(Entry::decode(with(Subject::MOST).as_bytes()).is_ok());
    assert!(Entry::decode(with(Subject::MOST + 1).as_bytes()).is_err());
}
