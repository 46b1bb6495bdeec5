use serde_json::json;

use super::*;
use crate::{check::Finding, map::Wrong};

fn row(cells: &[(&str, &str)]) -> Row {
    let cell = |(name, text): &(&str, &str)| {
        ((*name).to_owned(), crate::row::Cell::Text((*text).to_owned()))
    };
    Row::of(1, "1", cells.iter().map(cell))
}

fn record(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn share(found: &Found, criterion: Criterion) -> (u64, u64) {
    let Share { good, all } = found.marks().of(criterion);
    (good, all)
}

#[test]
fn of_a_row_of_which_nothing_could_be_made_only_what_it_fails_counts() {
    let mut found = Found::default();
    found.fail(Criterion::Complete);
    assert_eq!(share(&found, Criterion::Complete), (0, 1));
    for other in [Criterion::Correct, Criterion::Clean, Criterion::Consistent] {
        assert_eq!(share(&found, other), (0, 0), "{other:?}");
    }
}

#[test]
fn an_empty_text_is_not_filled_and_a_wrong_value_is() {
    let mut found = Found::default();
    let partial = record(json!({"A": "x", "B": " ", "C": [], "D": 0}));
    let wrong = |field: &str, criterion| {
        let wrong = Wrong { criterion, problem: "is wrong" };
        MapError { field: field.to_owned(), wrong }
    };
    let errors = [wrong("E/Ten", Criterion::Correct), wrong("F", Criterion::Complete)];
    let expected = names(&["A", "B", "C", "D", "E", "F", "G"]);
    found.mapped(&expected, &partial, &errors, TextCounts::default());
    assert_eq!(share(&found, Criterion::Complete), (3, 7));
    assert_eq!(
        (share(&found, Criterion::Correct), share(&found, Criterion::Clean)),
        ((0, 1), (1, 1))
    );
    let reasons = found.reasons([Criterion::Complete].into_iter().collect());
    assert_eq!(reasons, "`B` is empty; `C` is empty; `F` is empty; `G` is empty");
}

#[test]
fn what_is_missing_inside_a_field_is_one_more_that_is_expected() {
    let mut found = Found::default();
    found.mapped(&names(&["A"]), &record(json!({"A": [{}]})), &[], TextCounts::default());
    let finding = Finding {
        criterion: Criterion::Complete,
        is_of_identifier: false,
        told: "`A/0` breaks `required`".to_owned(),
    };
    found.checked(false, &Findings { wrong: vec![finding], doubtful: Vec::new() });
    assert_eq!(share(&found, Criterion::Complete), (1, 2));
    assert_eq!(share(&found, Criterion::Identifiers), (0, 0), "it was to have none");
}

#[test]
fn a_doubt_or_a_mended_text_is_not_clean_and_refuses_nothing_else() {
    for (texts, doubt) in [(0, 1), (1, 0), (1, 1)] {
        let mut found = Found::default();
        let counts = TextCounts { mended: texts, ..TextCounts::default() };
        found.mapped(&[], &Map::new(), &[], counts);
        let doubtful = vec!["`Phone` is doubtful".to_owned(); doubt];
        found.checked(true, &Findings { wrong: Vec::new(), doubtful });
        assert_eq!(share(&found, Criterion::Clean), (0, 1));
        assert_eq!(share(&found, Criterion::Correct), (1, 1));
        assert_eq!(share(&found, Criterion::Identifiers), (1, 1));
    }
}

#[test]
fn a_change_is_live_within_its_hours_and_one_without_a_time_does_not_count() {
    let config = QualityConfig { changed_at: Some("at".to_owned()), ..QualityConfig::default() };
    let now = "2026-11-21T01:00:00Z".parse().unwrap();
    for (at, counted) in [
        ("2026-11-20 08:00:00", (1, 1)),
        ("2026-11-20 07:59:59", (0, 1)),
        ("2026-11-20", (0, 0)),
        ("yesterday", (0, 0)),
    ] {
        let found = Found::of(&config, &row(&[("at", at)]), now);
        assert_eq!(share(&found, Criterion::Live), counted, "{at}");
    }
    assert_eq!(share(&Found::of(&config, &row(&[]), now), Criterion::Live), (0, 0));
}
