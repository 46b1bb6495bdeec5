use proptest::prelude::*;
use serde_json::json;

use super::*;

fn check(kind: Identifier, text: &str) -> Verdict {
    kind.check(text, &Map::new())
}

#[test]
fn refuses_what_is_not_of_the_shape() {
    for (kind, text) in [
        (Identifier::CitizenNumber, "07909912345"),
        (Identifier::CitizenNumber, "079 99123456"),
        (Identifier::OldIdentityNumber, "12345678"),
        (Identifier::SocialInsuranceNumber, "12345678901"),
        (Identifier::TaxCode, "0100233480"),
        (Identifier::TaxCode, "0314409058-000"),
        (Identifier::TaxCode, "0314409058-2"),
        (Identifier::DossierCode, "H29.40-2611-0001"),
        (Identifier::DossierCode, "H29.40-261102"),
        (Identifier::DossierCode, "h29.40-261102-0001"),
        (Identifier::DossierCode, "H29.40-261102-0001-2"),
        (Identifier::ProcedureCode, "1.00894"),
        (Identifier::ProcedureCode, "1.000656.000.00.00"),
        (Identifier::AgencyCode, "29.H"),
        (Identifier::WardCode, "2674"),
    ] {
        assert!(matches!(check(kind, text), Wrong(_)), "{kind:?} {text}");
    }
}

#[test]
fn takes_the_published_examples() {
    for (kind, text) in [
        (Identifier::TaxCode, "0100233488"),
        (Identifier::TaxCode, "0300588569"),
        (Identifier::TaxCode, "0314409058-002"),
        (Identifier::DossierCode, "H15.50.05.13-261008-0975"),
        (Identifier::DossierCode, "G09.20-20260609-0092637"),
        (Identifier::DossierCode, "000.00.00.H29-260102-0001"),
        (Identifier::ProcedureCode, "1.000894"),
        (Identifier::ProcedureCode, "1.000656.000.00.00.H29"),
        (Identifier::AgencyCode, "000.00.00.H29"),
        (Identifier::AgencyCode, "H29.12"),
        (Identifier::SocialInsuranceNumber, "0123456789"),
        (Identifier::Phone, "0901234567"),
        (Identifier::Phone, "0701234567"),
        (Identifier::Phone, "0599000001"),
        (Identifier::Phone, "02812345678"),
    ] {
        assert_eq!(check(kind, text), Right, "{kind:?} {text}");
    }
}

#[test]
fn only_doubts_what_living_people_may_have() {
    let person = |sex: u64, year: u64| json!({"GioiTinh": sex, "NamSinh": year});
    let number = "079190900001";
    for (record, expected) in [
        (person(2, 1990), Right),
        (person(1, 1990), Doubtful("does not agree with the sex")),
        (person(2, 1991), Doubtful("does not agree with the year of birth")),
    ] {
        let record = record.as_object().unwrap();
        assert_eq!(Identifier::CitizenNumber.check(number, record), expected);
    }
    assert!(matches!(check(Identifier::CitizenNumber, "099190900001"), Doubtful(_)));
    assert!(matches!(check(Identifier::DossierCode, "H29.40-261302-0001"), Doubtful(_)));
    assert!(matches!(check(Identifier::Phone, "01201234567"), Doubtful(_)));
    assert!(matches!(check(Identifier::Phone, "0551234567"), Doubtful(_)));
}

proptest! {
    #[test]
    fn no_text_breaks_a_rule_of_ours(text in ".{0,40}") {
        for (_, kind) in Identifier::NAMES {
            let _verdict = check(*kind, &text);
        }
    }
}
