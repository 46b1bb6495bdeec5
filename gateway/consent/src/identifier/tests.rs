use super::*;

fn new(kind: &str, value: &str) -> Result<Identifier, StatementError> {
    Identifier::new(kind, value, "data_subject")
}

#[test]
fn refuses_a_citizen_number_that_is_not_twelve_digits() {
    for value in ["", "07920000000", "0792000000011", "07920000000a", "٠٧٩٢٠٠٠٠٠٠٠١"] {
        let error = new(CITIZEN_NUMBER, value).unwrap_err();
        assert_eq!((error.reason, error.field), (ReasonCode::RequestSchema, "data_subject"));
    }
    assert_eq!(new(CITIZEN_NUMBER, "079200000001").unwrap().expose(), "079200000001");
}

#[test]
fn refuses_kinds_and_values_out_of_bounds() {
    assert!(new("", "x").is_err());
    assert!(new("Passport", "x").is_err());
    assert!(new(&"k".repeat(41), "x").is_err());
    assert!(new("passport", &"x".repeat(129)).is_err());
    assert!(new("passport", "C12\n345").is_err());
    assert!(new("passport", "C1234567").is_ok());
}

#[test]
fn keeps_values_in_one_normal_form_and_never_shows_them() {
    let (one, other) = (new("other", "Lê").unwrap(), new("other", "Le\u{302}").unwrap());
    assert_eq!(one, other);
    assert!(!format!("{one:?}").contains("Lê"));
}

#[test]
fn reads_the_year_of_birth_from_a_citizen_number() {
    assert_eq!(new(CITIZEN_NUMBER, "079085123456").unwrap().birth_year(), Some(1985));
    assert_eq!(new(CITIZEN_NUMBER, "079312123456").unwrap().birth_year(), Some(2012));
    assert_eq!(new("passport", "079312123456").unwrap().birth_year(), None);
}
