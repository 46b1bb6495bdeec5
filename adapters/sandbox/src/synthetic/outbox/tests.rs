use std::collections::BTreeSet;

use rand::SeedableRng as _;
use unicode_normalization::is_nfc;

use super::*;
use crate::synthetic::{land, person};

fn rows() -> Rows {
    let mut rng = StdRng::seed_from_u64(7);
    let people = person::make(&mut rng, 2_000);
    let parcels = land::make(&mut rng, &people);
    make(&mut rng, &people, &parcels, 60)
}

#[test]
fn some_rows_are_as_real_ones_are() {
    let rows = rows();
    assert_eq!(rows.counts(), [60, 60, 60]);
    let valid: BTreeSet<&str> = wards().iter().map(|ward| ward.code).collect();
    let old: BTreeSet<&str> = old_wards().iter().map(|ward| ward.code).collect();
    let of_old = |codes: Vec<&String>| codes.iter().filter(|c| old.contains(c.as_str())).count();
    assert_eq!(of_old(rows.reports.iter().map(|r| &r.ward).collect()), 10);
    assert_eq!(of_old(rows.registrations.iter().map(|r| &r.ward).collect()), 10);
    assert_eq!(of_old(rows.changes.iter().map(|c| &c.ward).collect()), 10);
    assert!(
        rows.reports
            .iter()
            .all(|r| { valid.contains(r.ward.as_str()) || old.contains(r.ward.as_str()) })
    );
    assert!(rows.reports.iter().any(|r| !is_nfc(&r.reporter)));
    let short = |r: &&Registration| r.person.born.len() == 4;
    assert!(rows.registrations.iter().any(|r| short(&r)));
    assert!(rows.changes.iter().any(|c| c.amount.is_some()));
}

#[test]
fn every_kind_of_registration_occurs_with_those_it_is_about() {
    let rows = rows();
    for kind in ["birth", "death", "marriage"] {
        assert!(rows.registrations.iter().any(|r| r.kind == kind), "{kind}");
    }
    for row in &rows.registrations {
        assert_eq!(row.spouse.is_some(), row.kind == "marriage");
        assert!(row.kind == "birth" || row.father.is_none());
    }
}

#[test]
fn a_unit_in_charge_is_one_that_the_portal_knows() {
    let wards = wards();
    let units: BTreeSet<String> = wards.iter().map(|ward| unit(ward.code, &wards)).collect();
    assert_eq!(units.len(), 168);
    assert!(["H29.40", "H29.41", "H29.42", "H29.43"].iter().all(|unit| units.contains(*unit)));
}

#[test]
fn codes_of_before_the_reform_are_codes_of_no_ward_now() {
    let now = wards();
    let old = old_wards();
    assert!(old.len() > 100);
    for ward in old {
        assert!(now.iter().all(|new| new.code != ward.code));
        assert!(now.iter().any(|new| new.code == ward.became));
    }
}
