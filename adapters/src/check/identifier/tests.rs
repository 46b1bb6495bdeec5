use proptest::prelude::*;
use serde_json::json;

use super::*;

fn rule(kind: IdentifierKind) -> IdentifierRule {
    IdentifierRule { field: "Ma".to_owned(), kind, gender: None, birth: None }
}

fn check(kind: IdentifierKind, text: &str) -> Findings {
    let mut findings = Findings::default();
    rule(kind).check(&json!({"Ma": text}), &mut findings);
    findings
}

#[test]
fn nine_digits_where_twelve_are_needed_are_refused() {
    let found = check(IdentifierKind::CitizenNumber, "123456789");
    assert_eq!(found.wrong[0].told, "`Ma` is not 12 digits");
    assert!(found.wrong[0].is_of_identifier && found.wrong.len() == 1);
}

#[test]
fn hard_rules_refuse_and_soft_rules_doubt() {
    for (kind, text) in [
        (IdentifierKind::OldIdentityNumber, "12345678"),
        (IdentifierKind::SocialInsuranceNumber, "12345678901"),
        (IdentifierKind::HealthInsuranceCard, "DN9790123456789"),
        (IdentifierKind::TaxCode, "0100233480"),
        (IdentifierKind::DossierCode, "H29.40-2611-0001"),
        (IdentifierKind::ProcedureCode, "1.00894"),
        (IdentifierKind::AgencyCode, "29.H"),
        (IdentifierKind::ProvinceCode, "079"),
        (IdentifierKind::WardCode, "2674"),
    ] {
        let found = check(kind, text);
        assert!(found.wrong.len() == 1 && found.doubtful.is_empty(), "{kind:?}");
    }
    for (kind, text) in [
        (IdentifierKind::CitizenNumber, "099190900001"),
        (IdentifierKind::DossierCode, "H29.40-261302-0001"),
        (IdentifierKind::Phone, "01201234567"),
        (IdentifierKind::FieldCode, "GD10"),
        (IdentifierKind::HouseholdCode, "12345"),
        (IdentifierKind::LandParcel, "26740"),
        (IdentifierKind::HealthFacilityCode, "1"),
    ] {
        let found = check(kind, text);
        assert!(found.wrong.is_empty() && found.doubtful.len() == 1, "{kind:?}");
    }
}

#[test]
fn a_citizen_number_is_compared_with_the_fields_that_are_named() {
    let rule = IdentifierRule {
        gender: Some(("GioiTinh".to_owned(), GenderProfile::JudicialRecord)),
        birth: Some("NgaySinh".to_owned()),
        ..rule(IdentifierKind::CitizenNumber)
    };
    let doubts = |record: Value| {
        let mut findings = Findings::default();
        rule.check(&record, &mut findings);
        assert!(findings.wrong.is_empty());
        findings.doubtful.join("; ")
    };
    let person = |gender: Value, birth: Value| json!({"Ma": "079190900001", "GioiTinh": gender, "NgaySinh": birth});
    assert_eq!(doubts(person(json!("0"), json!("02/09/1990"))), "");
    assert_eq!(doubts(person(json!(0), json!(1990))), "");
    let told = doubts(person(json!("1"), json!("1991")));
    assert_eq!(
        told,
        "`Ma` does not agree with the year of birth; `Ma` does not agree with the sex"
    );
    // What cannot be read says nothing either way.
    assert_eq!(doubts(person(json!("x"), json!("x"))), "");
}

proptest! {
    #[test]
    fn no_text_breaks_a_rule_or_is_told(text in "[0-9A-Z.-]{9,40}|.{9,40}") {
        for (_, kind) in IdentifierKind::NAMES {
            let found = check(*kind, &text);
            let told = found.wrong.iter().map(|one| &one.told).chain(&found.doubtful);
            prop_assert!(told.into_iter().all(|told| !told.contains(&text)));
        }
    }
}
