use lienthong_policy::{DataSubjectField, IdentifierKind};

use super::*;

fn operation(fields: &[(&str, SubjectRole, IdentifierKind)]) -> Operation {
    let files = std::collections::BTreeMap::from_iter(crate::quota::shipped());
    let bundle = lienthong_policy::Bundle::from_files(files);
    let set = lienthong_policy::PolicySet::check(&bundle, jiff::civil::date(2026, 3, 1)).unwrap();
    let service = &set.services["civil-status"];
    let mut operation = Operation::clone(&service.operations["getBirthRecord"]);
    let field = |(field, role, identifier): &(&str, SubjectRole, IdentifierKind)| {
        DataSubjectField { field: field.parse().unwrap(), role: *role, identifier: *identifier }
    };
    operation.data_subjects = fields.iter().map(field).collect();
    operation
}

const NUMBER: IdentifierKind = IdentifierKind::CitizenNumber;
const OWNER: SubjectRole = SubjectRole::Owner;

fn key() -> DigestKey {
    let period = lienthong_evidence::entry::Period::new("2026-q1").unwrap();
    DigestKey::new(period, &lienthong_model::sensitive::Sensitive::new([7; 32]))
}

fn message() -> Message {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-road-client", HeaderValue::from_static("VN/GOV/T01.20/CASES"));
    headers.insert("x-road-userid", HeaderValue::from_static("officer-7"));
    Message::read(&headers, None).unwrap()
}

fn persons(
    operation: &Operation,
    values: &[(Place, &str, &str)],
    body: &[u8],
) -> Result<Persons, Refusal> {
    Persons::of(Arc::new(key()), operation, &message(), values, body)
}

fn count(operation: &Operation, values: &[(Place, &str, &str)], body: &str) -> usize {
    persons(operation, values, body.as_bytes()).unwrap().distinct().len()
}

#[test]
fn counts_distinct_values_of_owners_and_related_persons() {
    let operation = operation(&[
        ("query.a", OWNER, NUMBER),
        ("path.b", SubjectRole::Related, NUMBER),
        ("header.c", SubjectRole::Officer, NUMBER),
        ("query.d", OWNER, IdentifierKind::TaxCode),
    ]);
    let values = [
        (Place::Query, "a", "1"),
        (Place::Query, "a", "2"),
        (Place::Path, "b", "1"),
        (Place::Header, "c", "3"),
        // The same digits of another kind are another person.
        (Place::Query, "d", "1"),
        (Place::Query, "other", "4"),
    ];
    assert_eq!(count(&operation, &values, ""), 3);
    assert_eq!(count(&operation, &values[..1], ""), 1);
    assert_eq!(count(&operation, &[], ""), 0);
}

#[test]
fn finds_every_value_of_a_field_of_the_body() {
    let operation = operation(&[
        ("/owner", OWNER, NUMBER),
        ("/family/*/number", SubjectRole::Related, NUMBER),
        ("/tree/*/*", SubjectRole::Related, NUMBER),
    ]);
    let body = r#" {"owner": "1", "family": [{"number": "\u0031"}, {"number": "2"}, {"other": "9"},
        {"number": null}], "tree": [["3"], ["2", "4"]], "elsewhere": {"owner": "8"}} "#;
    assert_eq!(count(&operation, &[], body), 4);
    assert_eq!(count(&operation, &[], r#"{"family": {"*": {"number": "1"}}}"#), 1);
    assert_eq!(count(&operation, &[], r#"{"family": "none", "tree": [7]}"#), 0);
    // Two numbers that a float could not tell apart.
    let numbers = r#"{"tree": [[100000000000000000001, 100000000000000000002]]}"#;
    assert_eq!(count(&operation, &[], numbers), 2);
}

/// Nobody goes uncounted because a body cannot be read.
#[test]
fn refuses_a_body_that_it_cannot_read() {
    let operation = operation(&[("/owner", OWNER, NUMBER)]);
    let refusal = persons(&operation, &[], b"owner=1").unwrap_err();
    assert_eq!(refusal.reason, ReasonCode::GatewayInternal);
    assert!(!refusal.cause.to_string().contains("owner"));
}

/// An officer is evidence and not counted; one person in two roles is two subjects and one person.
#[test]
fn keeps_the_role_of_each() {
    let operation = operation(&[
        ("query.a", OWNER, NUMBER),
        ("query.b", SubjectRole::Related, NUMBER),
        ("query.c", SubjectRole::Officer, NUMBER),
    ]);
    let values = [(Place::Query, "a", "1"), (Place::Query, "b", "1"), (Place::Query, "c", "2")];
    let persons = persons(&operation, &values, b"").unwrap();
    assert_eq!((persons.subjects.len(), persons.distinct().len()), (3, 1));
    assert_eq!(persons.officer, Some(key().digest(Domain::Officer, "officer-7")));
    assert!(persons.dossier.is_none() && persons.correlation.is_none());
    let known = key().digest(Domain::DataSubject(NUMBER.as_str()), "1");
    assert_eq!(persons.distinct(), [known]);
}

#[test]
fn refuses_more_than_an_entry_holds() {
    let operation = operation(&[("/all/*", OWNER, NUMBER)]);
    let body = |count: usize| {
        let all: Vec<String> = (0..count).map(|n| n.to_string()).collect();
        serde_json::json!({ "all": all }).to_string()
    };
    assert_eq!(count(&operation, &[], &body(MAX_SUBJECTS)), MAX_SUBJECTS);
    let refusal = persons(&operation, &[], body(MAX_SUBJECTS + 1).as_bytes()).unwrap_err();
    assert_eq!(refusal.reason, ReasonCode::RequestTooLarge);
}
