use lienthong_policy::DataSubjectField;

use super::*;

fn operation(fields: &[(&str, SubjectRole, IdentifierKind)]) -> Operation {
    let files = std::collections::BTreeMap::from_iter(crate::quota::tests::shipped());
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

fn count(operation: &Operation, values: &[(Place, &str, &str)], body: &str) -> usize {
    let digester = Digester::new().unwrap();
    digester.subjects(operation, values, body.as_bytes()).unwrap().len()
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
    let refusal = Digester::new().unwrap().subjects(&operation, &[], b"owner=1").unwrap_err();
    assert_eq!(refusal.reason, ReasonCode::GatewayInternal);
    assert!(!refusal.cause.to_string().contains("owner"));
}

#[test]
fn a_digest_tells_nothing_and_ends_with_the_process() {
    let (one, other) = (Digester::new().unwrap(), Digester::new().unwrap());
    let digest = one.subject(NUMBER, "001122334455");
    assert_eq!(digest, one.subject(NUMBER, "001122334455"));
    assert_ne!(digest, other.subject(NUMBER, "001122334455"));
    assert_eq!(format!("{digest:?} {one:?}"), "SubjectDigest Digester");
    assert_ne!(one.officer(None), one.officer(Some(b"")));
}
