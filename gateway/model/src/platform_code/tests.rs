use super::*;

#[test]
fn a_platform_that_cannot_say_it_gets_no_code() {
    assert_eq!(Gender::Unknown.to_code(GenderProfile::SocialInsurance), None);
    assert_eq!(Gender::Unknown.to_code(GenderProfile::JudicialRecord), None);
    assert_eq!(Gender::Other.to_code(GenderProfile::Population), None);
    assert_eq!(Gender::from_code(GenderProfile::JudicialRecord, "2"), None);
    assert_eq!(Gender::from_code(GenderProfile::Population, "01"), None);
    assert_eq!(SubjectType::Household.to_code(SubjectTypeProfile::OpenCps), None);
    assert_eq!(SubjectType::from_code(SubjectTypeProfile::OpenCps, "0"), None);
}

#[test]
fn the_same_digit_means_something_else_elsewhere() {
    let female = |profile| Gender::Female.to_code(profile);
    assert_eq!(female(GenderProfile::Population), Some("2"));
    assert_eq!(female(GenderProfile::SocialInsurance), Some("2"));
    assert_eq!(female(GenderProfile::JudicialRecord), Some("0"));
    assert_eq!(Gender::from_code(GenderProfile::Population, "0"), Some(Gender::Unknown));
    let business = |profile| SubjectType::Business.to_code(profile);
    assert_eq!(business(SubjectTypeProfile::OpenCps), Some("2"));
    assert_eq!(business(SubjectTypeProfile::Ministry), Some("1"));
}

#[test]
fn what_is_written_is_read_back() {
    for (_, profile) in GenderProfile::NAMES {
        for (_, gender) in Gender::NAMES {
            if let Some(code) = gender.to_code(*profile) {
                assert_eq!(Gender::from_code(*profile, code), Some(*gender));
            }
        }
    }
    for (_, profile) in SubjectTypeProfile::NAMES {
        for (_, kind) in SubjectType::NAMES {
            if let Some(code) = kind.to_code(*profile) {
                assert_eq!(SubjectType::from_code(*profile, code), Some(*kind));
            }
        }
    }
}
