use crate::fixture::{AGREEMENT, Files, PROVIDER, WARD};

#[test]
fn refuses_unknown_keys_and_participants_with_the_nearest_name() {
    let files = Files::new().edit(WARD, "subsystems:", "subsystem:");
    files.refused(&["ward.yaml:5:1", "unknown key `subsystem`", "did you mean `subsystems`?"]);
    let connector = "policies/participants/connector.yaml";
    let files = Files::new().edit(connector, "[H29.40]", "[H29.40, H29.41]");
    files.refused(&["unknown participant `H29.41`", "did you mean"]);
}

#[test]
fn refuses_a_certificate_that_matches_two_participants() {
    let san = "san: ward.gov.example";
    let subject = "subject: \"CN=justice,O=Example,C=VN\"";
    let files = Files::new().edit(PROVIDER, subject, san);
    files.refused(&["certificate `city san ward.gov.example` is used twice", "justice.yaml:7"]);
    Files::new().edit(WARD, san, subject).refused(&["certificate `city subject CN=justice"]);
    // Under another trust anchor it is another certificate.
    let other = "{trust_anchor: other, san: ward.gov.example}";
    let files = Files::new().edit(PROVIDER, &format!("{{trust_anchor: city, {subject}}}"), other);
    assert_eq!(files.mistakes(), [""; 0]);
}

#[test]
fn refuses_a_code_or_alias_of_another_participant() {
    let files = Files::new().copy(
        WARD,
        "policies/participants/again.yaml",
        &[("ward.gov.example}", "again.gov.example}"), ("H09.1", "H09.2")],
    );
    files.refused(&["agency code `H29.40` is used twice"]);
    let files = Files::new().edit(WARD, "code: H09.1", "code: H29.12");
    files.refused(&["agency code `H29.12` is used twice"]);
}

#[test]
fn refuses_a_member_code_that_is_not_the_agency_code() {
    let files = Files::new().edit(WARD, "code: H29.40}", "code: H29.41}");
    files.refused(&["member code `H29.41` is not the participant's id", "`code: H29.40`"]);
}

#[test]
fn refuses_an_active_participant_without_certificate() {
    let rule = "  - {trust_anchor: city, san: ward.gov.example}\n";
    let files =
        Files::new().edit(WARD, "certificates:\n", "certificates: []\n").edit(WARD, rule, "");
    files.refused(&["needs at least one certificate"]);
    let files = files.edit(WARD, "status: active", "status: suspended");
    assert_eq!(files.mistakes(), [""; 0]);
}

#[test]
fn refuses_certificate_rules_that_match_loosely() {
    for (rule, problem) in [
        ("san: \"*.gov.example\"", "without a wildcard"),
        ("san: Ward.gov.example", "in lower case"),
        ("subject: justice", "a whole subject"),
        ("spki_sha256: abc", "64 hexadecimal digits"),
        ("san: a.example, subject: \"CN=a\"", "exactly one of"),
        ("issuer: x", "exactly one of"),
    ] {
        let files = Files::new().edit(WARD, "san: ward.gov.example", rule);
        let found = files.mistakes();
        assert!(found.iter().any(|m| m.contains(problem)), "{rule}: {found:#?}");
    }
}

#[test]
fn refuses_an_ordinary_participant_that_speaks_for_others() {
    let files = Files::new().edit(WARD, "kind: ordinary", "kind: ordinary\nspeaks_for: [H29.12]");
    files.refused(&["an ordinary participant speaks for itself only"]);
    let files = Files::new().edit(AGREEMENT, "via: [H29.90]", "via: [H29.12]");
    files.refused(&["`H29.12` is not an intermediary that speaks for `H29.40`"]);
}

#[test]
fn reads_an_alias_with_its_last_day() {
    let set = Files::new().set();
    let alias = &set.participants["H29.40"].aliases[0];
    assert_eq!((alias.code.as_str(), alias.until.to_string().as_str()), ("H09.1", "2026-12-31"));
}
