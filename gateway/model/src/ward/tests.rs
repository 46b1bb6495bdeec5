use std::collections::BTreeSet;

use super::*;

const OLD_DAY: Date = date(2025, 6, 30);

fn code(text: &str) -> WardCode {
    text.parse().unwrap()
}

fn old_units() -> BTreeMap<(&'static str, Option<WardCode>), Vec<&'static Edge>> {
    let mut units: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for edge in &WARDS.edges {
        units.entry((edge.old.district, edge.old.code)).or_default().push(edge);
    }
    units
}

#[test]
fn a_split_ward_and_an_unknown_code_give_no_unit() {
    let Today::Split(units) = today(code("25741"), OLD_DAY) else { panic!("not split") };
    assert!(units.len() > 1);
    assert_eq!(today(code("00001"), OLD_DAY), Today::Unknown);
    assert_eq!(today(code("00001"), MERGED_ON), Today::Unknown);
    assert_eq!(before(code("00001"), MERGED_ON), Before::Unknown);
    // Con Dao had no wards: its code of today named nothing before.
    assert_eq!(today(code("26732"), OLD_DAY), Today::Unknown);
}

#[test]
fn the_table_has_the_counts_that_were_decreed() {
    let kinds: Vec<UnitKind> = units().map(|unit| unit.kind).collect();
    let count = |kind| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!(kinds.len(), 168);
    assert_eq!(count(UnitKind::Ward), 113);
    assert_eq!(count(UnitKind::Commune), 54);
    assert_eq!(count(UnitKind::SpecialZone), 1);
    let zone = units().find(|unit| unit.kind == UnitKind::SpecialZone).unwrap();
    assert_eq!(zone.code, code("26732"));
    assert_eq!(WARDS.edges.len(), 493);
    let old = old_units();
    assert_eq!(old.len(), 442);
    assert_eq!(old.values().filter(|edges| edges.len() == 1).count(), 395);
    assert_eq!(old.values().filter(|edges| edges.len() > 1).count(), 47);
    assert!(old.values().all(|edges| (edges.len() == 1) == (edges[0].coverage == Coverage::Whole)));
}

#[test]
fn the_list_of_units_agrees_with_the_table() {
    let list = include_str!("../../../../schemas/code-tables/v1/hcmc-wards.csv");
    let listed: BTreeSet<&str> = list.lines().skip(1).collect();
    let known: Vec<String> =
        units().map(|unit| format!("{},{},79", unit.code, unit.name)).collect();
    assert_eq!(listed, known.iter().map(String::as_str).collect());
}

#[test]
fn every_line_of_the_table_is_read() {
    assert_eq!(TABLE.lines().skip(1).count(), WARDS.edges.len());
    let codes = WARDS.edges.iter().filter(|edge| edge.old.code.is_none()).count();
    assert_eq!(codes, 1);
}

#[test]
fn six_units_stayed_whole_on_their_own() {
    let names: BTreeSet<&str> = units()
        .filter(|unit| matches!(before(unit.code, MERGED_ON), Before::One(_)))
        .map(|unit| unit.name)
        .collect();
    let expected = [
        "Phường Thới Hòa",
        "Xã Bình Châu",
        "Xã Hòa Hiệp",
        "Xã Long Sơn",
        "Xã Thạnh An",
        "Đặc khu Côn Đảo",
    ];
    assert_eq!(names, expected.into());
}

#[test]
fn the_same_digits_mean_another_territory_after_the_merger() {
    let old: BTreeSet<WardCode> = WARDS.edges.iter().filter_map(|edge| edge.old.code).collect();
    let reused: Vec<Unit> = units().filter(|unit| old.contains(&unit.code)).collect();
    assert_eq!(reused.len(), 167);
    let split = |unit: &&Unit| matches!(today(unit.code, OLD_DAY), Today::Split(_));
    assert_eq!(reused.iter().filter(split).count(), 15);
    let Before::One(old) = before(code("25747"), OLD_DAY) else { panic!("not one") };
    assert_eq!(old.name, "Phường Phú Cường");
    let Today::One(new) = today(code("25747"), MERGED_ON) else { panic!("not one") };
    assert_eq!(new.name, "Phường Thủ Dầu Một");
}

#[test]
fn ways_there_and_back_agree() {
    for unit in units() {
        assert_eq!(today(unit.code, MERGED_ON), Today::One(unit));
        let constituents: Vec<OldUnit> = match before(unit.code, MERGED_ON) {
            Before::One(old) => vec![old],
            Before::Several(parts) => parts.into_iter().map(|(old, _)| old).collect(),
            Before::Unknown => panic!("{unit:?} has no constituents"),
        };
        for old in constituents.into_iter().filter_map(|old| old.code) {
            match today(old, OLD_DAY) {
                Today::One(new) => assert_eq!(new, unit),
                Today::Split(parts) => assert!(parts.contains(&unit)),
                Today::Unknown => panic!("{old:?} is unknown"),
            }
        }
    }
}
