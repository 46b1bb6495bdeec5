use super::*;

#[test]
fn knows_the_168_wards_and_no_others() {
    assert_eq!(WARDS.len(), 168);
    assert!(WARDS.is_sorted_by(|a, b| a.0 < b.0), "each code once");
    assert!(WARDS.iter().all(|(ward, province)| ward.len() == 5 && *province == "79"));
    assert_eq!(of_ward("25747"), Some("79"));
    for unknown in ["", "2574", "00000", "99999", "new_ward_code", "25747 "] {
        assert_eq!(of_ward(unknown), None, "{unknown}");
    }
}
