use super::*;

fn pseudonym(key: u8, consumer: &str, period: &str, field: &str, value: &str) -> String {
    let consumer = consumer.parse().unwrap();
    let mut out = String::new();
    Pseudonymiser::new(Sensitive::new([key; 32]), &consumer, period).write(field, value, &mut out);
    out
}

#[test]
fn differs_by_key_consumer_period_field_type_and_value() {
    let one = pseudonym(1, "H29.40", "2026", "format:citizen-number", "079090000001");
    assert_eq!(one.len(), 32);
    assert!(one.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    let others = [
        pseudonym(2, "H29.40", "2026", "format:citizen-number", "079090000001"),
        pseudonym(1, "H29.41", "2026", "format:citizen-number", "079090000001"),
        pseudonym(1, "H29.40", "2027", "format:citizen-number", "079090000001"),
        pseudonym(1, "H29.40", "2026", "name:SoCMND", "079090000001"),
        pseudonym(1, "H29.40", "2026", "format:citizen-number", "079090000002"),
    ];
    assert!(others.iter().all(|other| *other != one));
    assert_eq!(one, pseudonym(1, "H29.40", "2026", "format:citizen-number", "079090000001"));
}

#[test]
fn does_not_run_its_parts_together() {
    assert_ne!(pseudonym(1, "H29.4", "02026", "a", "b"), pseudonym(1, "H29.40", "2026", "a", "b"));
    assert_ne!(pseudonym(1, "H29", "1", "ab", "c"), pseudonym(1, "H29", "1", "a", "bc"));
}

#[test]
fn is_the_same_for_one_name_typed_in_two_ways() {
    let composed = pseudonym(1, "H29", "1", "name:HoTen", "Nguyễn Văn Ấn");
    let decomposed: String = "Nguyễn Văn Ấn".nfd().collect();
    assert_eq!(composed, pseudonym(1, "H29", "1", "name:HoTen", &decomposed));
}

#[test]
fn matches_an_independent_computation() {
    // hmac(hmac(k, lp(domain) lp("H29.40") lp("2026")), lp("name:a") lp("x")), first 16 bytes.
    assert_eq!(pseudonym(7, "H29.40", "2026", "name:a", "x"), "2f06225ae362b4d3a0816456936bdc54");
}

#[test]
fn shows_nothing_of_its_key() {
    let consumer = "H29".parse().unwrap();
    let one = Pseudonymiser::new(Sensitive::new([7; 32]), &consumer, "1");
    assert_eq!(format!("{one:?}"), "Pseudonymiser([redacted])");
}
