use std::path::Path;

use lienthong_model::diagnostic::Diagnostics;

use super::*;
use crate::indicator::testing::{CASES, read};

#[test]
fn tells_every_mistake_of_a_file() {
    let told = read(
        CASES,
        &[
            ("steward:", "stewart:"),
            ("period: month", "period: fortnight"),
            ("day >= :from AND day < :to", "day >= :from"),
            ("threshold: 5", "threshold: 1"),
        ],
    );
    let told = told.unwrap_err();
    for mistake in [
        "did you mean `steward`?",
        "key `steward` is missing",
        "`fortnight` is not one of `day`",
        "`sql` must name `:to`",
        "`rules`: the threshold must be at least 2",
    ] {
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[test]
fn refuses_what_makes_no_table() {
    for (change, mistake) in [
        (("parent: north", "parent: nowhere"), "has a parent that is no category"),
        (("code: c, vi", "code: a, vi"), "twice"),
        (("name: sex", "name: part"), "no dimension may be called `part`"),
        (("name: sex", "name: ward"), "two dimensions have the name `ward`"),
        (("kind: count", "kind: mean"), "`kind` must be `count`, `sum` or `share`"),
        (("kind: count", "kind: share"), "unknown key `value` in `columns`"),
        (("kind: count", "kind: sum"), "sums are protected by a width"),
        (("value: value", "value: \"a; b\""), "not a name of letters"),
        (("legal_basis: [a document]", "legal_basis: []"), "must name a document"),
        (("due_days: 10", "due_days: 10\nready_days: 11"), "must not be more than"),
    ] {
        let told = read(CASES, &[change]).unwrap_err();
        assert!(told.contains(mistake), "{mistake} in {told}");
    }
}

#[test]
fn the_wards_of_today_stand_below_what_they_were_made_from() {
    let definition = read(
        CASES,
        &[(
            "name: ward\n    categories:\n      - {code: north, vi: Bắc, en: North}\n      - {code: a, parent: north, vi: A, en: A}\n      - {code: b, parent: north, vi: B, en: B}\n      - {code: c, vi: C, en: C}",
            "name: ward\n    wards: former_districts",
        )],
    );
    let definition = definition.unwrap();
    let ward = definition.shape.dimensions().next().unwrap();
    let leaves = ward.leaves_below(ward.total());
    assert_eq!(leaves.len(), 168);
    let district = |leaf| ward.code(ward.parent(leaf).unwrap()).to_owned();
    let in_districts = leaves
        .iter()
        .filter(|leaf| !["former-74", "former-77", "former-79"].contains(&&*district(**leaf)));
    // Seventeen were made of several districts.
    assert_eq!(in_districts.count(), 151);
    let above: Vec<&str> = ward.children(ward.total()).iter().map(|one| ward.code(*one)).collect();
    assert_eq!(above, ["former-74", "former-77", "former-79"]);
}

#[test]
fn indicators_of_one_statistic_must_describe_the_same_figures() {
    let one = read(CASES, &[]).unwrap();
    for (change, what) in [
        (("period: month", "period: week"), "`period`"),
        (("en: cases}", "en: people}"), "`unit`"),
        (
            ("{code: \"2\", vi: Nữ, en: Female}", "{code: \"3\", vi: Nữ, en: Female}"),
            "the categories of a dimension",
        ),
    ] {
        assert_eq!(one.agrees(&read(CASES, &[change]).unwrap()), Err(what));
    }
    let fewer = "  - name: sex\n    categories:\n      - {code: \"1\", vi: Nam, en: Male}\n      - {code: \"2\", vi: Nữ, en: Female}\n";
    assert_eq!(one.agrees(&read(CASES, &[(fewer, "")]).unwrap()), Ok(()));
}

#[test]
fn the_shipped_files_are_twenty_placeholders_of_which_nine_are_broken_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/indicators");
    let mut found = Diagnostics::new();
    let mut definitions = Vec::new();
    for number in 1..=20 {
        let path = folder.join(format!("group-a-{number:02}.yaml"));
        definitions.extend(Definition::read(&path, &mut found));
    }
    assert!(found.is_empty(), "{found}");
    assert_eq!(definitions.len(), 20);
    assert_eq!(definitions.iter().filter(|one| !one.axes.is_empty()).count(), 9);
    for definition in definitions {
        let number = definition.id.as_str().rsplit('-').next().unwrap().to_owned();
        assert_eq!(definition.name.en, format!("Placeholder A-{number}: name not public"));
        assert_eq!(definition.group, "A");
    }
}
