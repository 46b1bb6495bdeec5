use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn all(records: u32, ward: Option<&str>) -> Vec<Value> {
    let mut next = Register::new(records).summaries(ward.map(str::to_owned));
    let mut found = Vec::new();
    let mut text = String::new();
    while next(&mut text) {
        found.push(serde_json::from_str(&text).unwrap());
        text.clear();
    }
    found
}

#[test]
fn the_same_register_comes_out_every_time() {
    assert_eq!(all(500, None), all(500, None));
    assert_eq!(all(500, None)[..300], all(300, None)[..]);
}

#[test]
fn everybody_has_a_number_of_their_own_that_is_marked_synthetic() {
    let people = all(20_000, None);
    let numbers: BTreeSet<&str> =
        people.iter().map(|one| one["SoDinhDanh"].as_str().unwrap()).collect();
    assert_eq!(numbers.len(), 20_000);
    for person in &people {
        let (number, born) = (person["SoDinhDanh"].as_str(), person["NgaySinh"].as_str());
        let (number, born) = (number.unwrap(), born.unwrap());
        assert!(number.len() == 12 && number.as_bytes()[6] == b'9', "{number}");
        assert_eq!(number.as_bytes()[4..6], born.as_bytes()[2..4]);
        let century = if born < "2000" { 0 } else { 2 };
        let sex = i64::from(number.as_bytes()[3] - b'0') - century;
        assert_eq!(person["GioiTinh"], sex + 1);
    }
}

#[test]
fn no_two_places_of_the_largest_register_share_a_number() {
    let (mut a, mut b) = (u64::from(MAX_RECORDS), SCATTER);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    assert_eq!(a, 1);
}

#[test]
fn a_ward_is_the_part_of_the_register_that_lives_there() {
    let ward = all(5_000, Some("26740"));
    assert!(!ward.is_empty());
    let of_all = all(5_000, None).into_iter().filter(|one| one["MaPhuongXa"] == "26740");
    assert_eq!(ward, of_all.collect::<Vec<_>>());
}

#[test]
fn health_depends_on_the_number_alone_and_on_age() {
    assert_eq!(Health::of("079090912345", 1990), Health::of("079090912345", 1990));
    let of = |born| (0..2_000).map(move |n| Health::of(&n.to_string(), born).chronic.len());
    assert!(of(1940).sum::<usize>() > 3 * of(2015).sum::<usize>());
}
