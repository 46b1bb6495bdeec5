use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::platform_code::Gender;

fn rule<T: Identifier>(text: &str) -> Option<&'static str> {
    text.parse::<T>().err().map(|error| error.rule)
}

fn holds<T: Identifier>(text: &str) -> bool {
    rule::<T>(text).is_none()
}

#[test]
fn refuses_nine_digits_where_twelve_are_needed() {
    assert_eq!(rule::<CitizenNumber>("123456789"), Some("is not 12 digits"));
    assert_eq!(rule::<OldIdentityNumber>("079190900001"), Some("is not 9 digits"));
    for wrong in ["", "07919090000", "0791909000011", "079 90900001", "０79190900001"] {
        assert!(!holds::<CitizenNumber>(wrong), "{wrong}");
    }
}

#[test]
fn digits_of_a_citizen_number_warn_and_refuse_nothing() {
    let number: CitizenNumber = "079190900001".parse().unwrap();
    assert_eq!(number.place(), Place::Province(79));
    assert_eq!((number.stated_year(), number.stated_gender()), (1990, Gender::Female));
    let told = |gender, year| -> Vec<&str> {
        number.warnings(gender, year).iter().map(|warning| warning.rule).collect()
    };
    assert!(told(None, None).is_empty());
    assert!(told(Some(Gender::Female), Some(1990)).is_empty());
    assert!(told(Some(Gender::Other), None).is_empty());
    assert_eq!(told(Some(Gender::Male), None), ["does not agree with the sex"]);
    assert_eq!(told(None, Some(1991)), ["does not agree with the year of birth"]);
    let abroad: CitizenNumber = "128390000001".parse().unwrap();
    assert_eq!(abroad.place(), Place::Unlisted);
    assert_eq!(abroad.stated_year(), 2090);
    assert_eq!(abroad.doubts().len(), 1);
    let listed = (0..1_000)
        .filter(|place| {
            format!("{place:03}190900001").parse::<CitizenNumber>().unwrap().place()
                != Place::Unlisted
        })
        .count();
    assert_eq!(listed, 63);
}

#[test]
fn social_insurance_numbers_have_two_kinds_and_cards_three_forms() {
    let kind = |text: &str| text.parse::<SocialInsuranceNumber>().ok().map(|n| n.kind());
    assert_eq!(kind("0123456789"), Some(SocialInsuranceKind::Own));
    assert_eq!(kind("079190900001"), Some(SocialInsuranceKind::Personal));
    assert_eq!(kind("01234567890"), None);
    for wrong in ["DN6790123456789", "dn4790123456789", "DN479012345678", "012345678901234"] {
        assert!(!holds::<HealthInsuranceCard>(wrong), "{wrong}");
    }
    for (text, form) in [
        ("DN4790123456789", HealthInsuranceForm::Old),
        ("0123456789", HealthInsuranceForm::New),
        ("079190900001", HealthInsuranceForm::Personal),
    ] {
        let card: HealthInsuranceCard = text.parse().unwrap();
        assert_eq!(card.form(), form);
        let number = card.social_insurance_number().unwrap();
        let expected = if form == HealthInsuranceForm::Old { "0123456789" } else { text };
        assert_eq!(number.as_str(), expected);
    }
    assert_eq!(HouseholdCode::SHAPE, Severity::Warn);
    assert!(!holds::<HouseholdCode>("123"));
}

#[test]
fn old_mobile_prefixes_are_suggested_and_not_taken() {
    for wrong in ["0120123456", "01201234567", "0551234567", "0995123", "1022", "0281234567"] {
        assert!(!holds::<Phone>(wrong), "{wrong}");
    }
    assert!(!holds::<Phone>("0912345678a"));
    let suggestion = |text| Phone::suggestion(text).map(|phone| phone.as_str().to_owned());
    assert_eq!(suggestion("01201234567").as_deref(), Some("0701234567"));
    assert_eq!(suggestion("01299999999").as_deref(), Some("0829999999"));
    assert_eq!(suggestion("01991234567").as_deref(), Some("0591234567"));
    assert_eq!(suggestion("01101234567"), None);
    assert_eq!(suggestion("0901234567"), None);
    assert_eq!("0901234567".parse::<Phone>().unwrap().kind(), PhoneKind::Mobile);
    assert_eq!("02743822222".parse::<Phone>().unwrap().kind(), PhoneKind::Fixed);
    for right in ["0701234567", "0599000001", "0522000001", "0559000001", "0899000001"] {
        assert!(holds::<Phone>(right), "{right}");
    }
}

#[test]
fn dossier_codes_have_three_forms_and_a_date_that_may_be_wrong() {
    for wrong in [
        "h29.40-261102-0001",
        "H29.40-2611-0001",
        "H29.40-261102",
        "H29.40-261102-001",
        "H29.40-261102-0001-2",
        "H29 40-261102-0001",
    ] {
        assert!(!holds::<DossierCode>(wrong), "{wrong}");
    }
    for (text, form, agency) in [
        ("H15.50.05.13-261008-0975", DossierForm::Provincial, "H15.50.05.13"),
        ("G09.20-20260609-0092637", DossierForm::Ministry, "G09.20"),
        ("000.00.00.H29-260102-0001", DossierForm::Old, "H29"),
        ("000.00.12.H29-260102-0001", DossierForm::Old, "H29.12"),
    ] {
        let code: DossierCode = text.parse().unwrap();
        assert_eq!(code.form(), form, "{text}");
        assert_eq!(code.agency().unwrap().as_str(), agency);
        assert!(code.doubts().is_empty(), "{text}");
    }
    let code: DossierCode = "H29.40-261102-0001".parse().unwrap();
    assert_eq!((code.date(), code.sequence()), (Some(date(2026, 11, 2)), "0001"));
    let code: DossierCode = "H29.40-260230-0001".parse().unwrap();
    assert_eq!(code.doubts().len(), 1);
}

#[test]
fn procedures_are_compared_by_their_first_part() {
    for wrong in
        ["1.00894", "1.0008941", "1.000656.000.00.00", "1.000656.000.00.00.H2", "1.000656.", "x"]
    {
        assert!(!holds::<ProcedureCode>(wrong), "{wrong}");
    }
    let code = |text: &str| text.parse::<ProcedureCode>().unwrap();
    assert!(code("1.000656.000.00.00.H29").names_same(&code("1.000656")));
    assert!(!code("1.000656").names_same(&code("1.000657")));
    assert!(holds::<FieldCode>("G03-GD10") && !holds::<FieldCode>("G03GD10"));
    assert_eq!(FieldCode::SHAPE, Severity::Warn);
}

#[test]
fn agency_codes_are_read_in_both_spellings() {
    let code = |text: &str| text.parse::<AgencyCode>().unwrap();
    assert!(!holds::<AgencyCode>("29.H") && !holds::<AgencyCode>("h29.12"));
    for (decision, reversed) in [
        ("H29", "000.00.00.H29"),
        ("H29.12", "000.00.12.H29"),
        ("H29.12.05", "000.05.12.H29"),
        ("H29.12.05.001", "001.05.12.H29"),
    ] {
        assert_eq!(code(decision).reversed().as_deref(), Some(reversed));
        assert_eq!(code(reversed), code(decision));
    }
    assert_eq!(code("H15.50.05.13").reversed(), None);
    assert_eq!(code("H29.12.00").reversed(), None);
    assert_eq!(code("H15.50.05.13").first_level(), "H15");
}

#[test]
fn tax_codes_have_a_check_digit() {
    for (wrong, rule_told) in [
        ("0100233480", "has a wrong check digit"),
        ("0000000000", "has an empty serial number"),
        ("0314409058-000", "is not a tax code"),
        ("0314409058-2", "is not a tax code"),
        ("01002334881", "is not a tax code"),
    ] {
        assert_eq!(rule::<TaxCode>(wrong), Some(rule_told), "{wrong}");
    }
    let kind = |text: &str| text.parse::<TaxCode>().unwrap().kind();
    assert_eq!(kind("0100233488"), TaxCodeKind::Organisation);
    assert_eq!(kind("0300588569"), TaxCodeKind::Organisation);
    assert_eq!(kind("0314409058-002"), TaxCodeKind::Branch);
    assert_eq!(kind("079190900001"), TaxCodeKind::Personal);
    let branch: TaxCode = "0314409058-002".parse().unwrap();
    assert_eq!(branch.organisation(), Some("0314409058"));
}

#[test]
fn an_empty_serial_is_refused_whatever_the_check_digit() {
    for province in 0..100 {
        for check in 0..10 {
            assert!(!holds::<TaxCode>(&format!("{province:02}0000000{check}")));
        }
    }
}

#[test]
fn land_parcels_have_two_forms() {
    for wrong in ["26740-12", "26740-0-3", "2674-12-345", "26740-12-345-6", "w3gvk1tyaaaa", ""] {
        assert!(!holds::<LandParcel>(wrong), "{wrong}");
    }
    for right in ["26740-12-345", "w3gvk1ty8b2c"] {
        assert_eq!(right.parse::<LandParcel>().unwrap().to_text(), right);
    }
    assert!(holds::<ProvinceCode>("79") && !holds::<ProvinceCode>("079"));
    assert!(holds::<WardCode>("26732") && !holds::<WardCode>("2673"));
    assert!(holds::<HealthFacilityCode>("79014") && holds::<HealthFacilityCode>("7900000000014"));
    assert!(!holds::<HealthFacilityCode>("790"));
}

#[test]
fn debug_and_errors_show_no_personal_value() {
    let number = "079190900001";
    for shown in [
        format!("{:?}", number.parse::<CitizenNumber>()),
        format!("{:?}", number.parse::<SocialInsuranceNumber>()),
        format!("{:?}", number.parse::<HealthInsuranceCard>()),
        format!("{:?}", number.parse::<TaxCode>()),
        format!("{:?}", "079190900".parse::<OldIdentityNumber>()),
        format!("{:?}", "0791909000".parse::<HouseholdCode>()),
        format!("{:?}", "0791909000".parse::<Phone>()),
        format!("{:?}", "0791909000x".parse::<CitizenNumber>()),
        format!("{:?}", "07919-12-345".parse::<LandParcel>()),
    ] {
        assert!(!shown.contains("07919"), "{shown}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_a_rule_of_ours(text in ".{0,40}") {
        let _ = (holds::<CitizenNumber>(&text), holds::<SocialInsuranceNumber>(&text));
        let _ = (holds::<HealthInsuranceCard>(&text), holds::<TaxCode>(&text));
        let _ = (holds::<LandParcel>(&text), holds::<ProcedureCode>(&text));
        if let Ok(code) = text.parse::<DossierCode>() {
            let _ = (code.form(), code.agency(), code.date(), code.doubts());
        }
        prop_assert!(Phone::suggestion(&text).is_none_or(|p| p.kind() == PhoneKind::Mobile));
    }

    #[test]
    fn agency_codes_make_the_round_trip(text in "[A-Z][0-9]{2}(\\.[0-9A-Z]{2}){0,2}(\\.[0-9]{3})?") {
        let code: AgencyCode = text.parse().unwrap();
        if let Some(reversed) = code.reversed() {
            prop_assert_eq!(reversed.parse::<AgencyCode>(), Ok(code));
        }
    }

    #[test]
    fn dossier_codes_keep_their_parts(
        text in "[A-Z][0-9]{2}(\\.[0-9]{2}){0,3}-2[0-9]{5}-[0-9]{4,7}",
    ) {
        let code: DossierCode = text.parse().unwrap();
        prop_assert!(text.starts_with(code.agency().unwrap().as_str()));
        prop_assert!(text.ends_with(code.sequence()));
    }
}
