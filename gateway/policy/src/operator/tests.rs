use jiff::civil::date;

use super::{Channel, OperatorRole};
use crate::fixture::{Files, WARD};

const FILE: &str = "policies/operators.yaml";

const OPERATORS: &str = "operators:
  - id: gateway-operations
    name: {vi: Tổ vận hành, en: Operations}
    role: operator
    certificates:
      - {trust_anchor: city, san: operations.gov.example}
    valid: {from: 2026-01-01, until: 2026-12-31}
    status: active
  - id: inspectorate
    name: {vi: Thanh tra, en: Inspectorate}
    role: auditor
    certificates:
      - {trust_anchor: city, subject: \"CN=inspectorate,O=Example,C=VN\"}
    valid: {from: 2026-01-01, until: 2026-12-31}
    status: suspended
";

fn files() -> Files {
    Files::new().add(FILE, OPERATORS)
}

#[test]
fn reads_roles_and_terms() {
    let set = files().set();
    let operations = &set.operators["gateway-operations"];
    assert_eq!((operations.role, operations.role.as_str()), (OperatorRole::Operator, "operator"));
    assert!(operations.in_force(date(2026, 1, 1)) && operations.in_force(date(2026, 12, 31)));
    assert!(!operations.in_force(date(2025, 12, 31)) && !operations.in_force(date(2027, 1, 1)));
    assert!(!set.operators["inspectorate"].in_force(date(2026, 6, 1)), "suspended");
    assert!(Files::new().set().operators.is_empty(), "the file may be left out");
}

#[test]
fn warns_of_an_operator_whose_time_is_over() {
    assert!(files().set().warnings.is_empty());
    let files = files().edit(FILE, "until: 2026-12-31", "until: 2026-11-20");
    let warnings = files.set().warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].message, "operator `gateway-operations` ended on 2026-11-20");
}

#[test]
fn operators_are_part_of_the_hash() {
    let hash = files().set().hash;
    assert_ne!(hash, Files::new().set().hash);
    assert_ne!(hash, files().edit(FILE, "role: auditor", "role: monitor").set().hash);
    assert_eq!(hash, Files::new().add(FILE, &format!("# a comment\n{OPERATORS}")).set().hash);
}

#[test]
fn refuses_a_certificate_of_two() {
    let subject = "subject: \"CN=inspectorate,O=Example,C=VN\"";
    let of_operator = files().edit(FILE, subject, "san: operations.gov.example");
    of_operator.refused(&["certificate `city san operations.gov.example` is used twice"]);
    let of_participant = files().edit(FILE, subject, "san: ward.gov.example");
    of_participant.refused(&["certificate `city san ward.gov.example` is used twice", WARD]);
}

#[test]
fn tells_every_mistake() {
    for (from, to, problem) in [
        ("role: auditor", "role: auditer", "did you mean `auditor`?"),
        ("status: suspended", "status: gone", "unknown status `gone`"),
        ("id: inspectorate", "id: local", "take another id"),
        ("id: inspectorate", "id: unit-001122334455", "the number of a person"),
        (
            "id: inspectorate",
            "id: gateway-operations",
            "operator `gateway-operations` is used twice",
        ),
        ("id: inspectorate", "id: Thanh tra", "a kebab-case operator id"),
        ("role: auditor", "roles: [auditor]", "unknown key `roles`"),
        ("valid: {from: 2026-01-01, until: 2026-12-31}", "valid: {from: 2026-01-01}", "`until`"),
        ("san: operations.gov.example", "san: \"*.gov.example\"", "without a wildcard"),
        ("      - {trust_anchor: city, san: operations.gov.example}\n", "", "at least one"),
        ("operators:\n", "operator:\n", "did you mean `operators`?"),
    ] {
        let found = files().edit(FILE, from, to).mistakes();
        assert!(found.iter().any(|mistake| mistake.contains(problem)), "{to}: {found:#?}");
    }
}

#[test]
fn reads_a_collector_with_its_keys_and_refuses_it_without() {
    let keys = "participant: H29.40\n    services: [civil-status]\n    channels: [paper, officer]";
    let collector = format!("role: consent_collector\n    {keys}");
    let files = files().edit(FILE, "role: auditor", &collector);
    for (from, to, problem) in [
        ("participant: H29.40\n    ", "", "`participant`"),
        ("participant: H29.40", "participant: H29.04", "unknown participant"),
        ("[civil-status]", "[civil-state]", "unknown service"),
        ("[civil-status]", "[]", "`services` must not be empty"),
        ("[paper, officer]", "[papers]", "did you mean `paper`?"),
        ("[paper, officer]", "[paper, paper]", "stands twice"),
        ("role: consent_collector", "role: auditor", "only role `consent_collector` has"),
    ] {
        let found = files.clone().edit(FILE, from, to).mistakes();
        assert!(found.iter().any(|mistake| mistake.contains(problem)), "{to}: {found:#?}");
    }
    let set = files.set();
    let collector = set.operators["inspectorate"].collector.as_ref().expect("collector");
    assert_eq!(collector.participant.as_str(), "H29.40");
    assert!(collector.channels.contains(&Channel::Paper));
    assert!(set.operators["gateway-operations"].collector.is_none());
}

#[test]
fn refuses_the_file_under_another_name() {
    let files = Files::new().add("policies/operator.yaml", OPERATORS);
    files.refused(&["no kind of policy file has this name", "did you mean `operators.yaml`?"]);
}
