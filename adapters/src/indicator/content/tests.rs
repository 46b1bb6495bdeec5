use super::*;
use crate::{
    indicator::{
        cube,
        protect::protect,
        testing::{CASES, read},
    },
    query::Rows,
};

const SHARE: &[(&str, &str)] =
    &[("kind: count", "kind: share"), ("value: value", "numerator: part, denominator: whole")];

fn content(changes: &[(&str, &str)], rows: &[&[&str]]) -> (Definition, Release, Content) {
    let definition = read(CASES, changes).unwrap();
    let rows = rows.iter().map(|row| row.iter().map(|one| Some((*one).to_owned())).collect());
    let table = cube::table(&definition, &Rows(rows.collect())).unwrap();
    let suppression = protect(&table, &definition.rules, "s", &[], &[]).unwrap();
    let release = suppression.release("s").unwrap();
    let period = Period::parse(definition.period, "2026-11").unwrap();
    let edition = Edition { period, revision: 1, why: None, at: Timestamp::UNIX_EPOCH };
    let content = Content::new(&definition, &release, &edition);
    (definition, release, content)
}

const ROWS: &[&[&str]] = &[
    &["a", "1", "48", "90"],
    &["a", "2", "2", "50"],
    &["b", "1", "30", "60"],
    &["b", "2", "20", "70"],
    &["c", "1", "35", "80"],
    &["c", "2", "25", "55"],
];

#[test]
fn what_does_not_fit_the_schema_is_not_written() {
    let (_, _, mut content) = content(SHARE, ROWS);
    content.write().unwrap();
    content.revision = 0;
    assert!(matches!(content.write(), Err(Reason::Schema(at)) if at == "revision"));
    content.revision = 1;
    content.cells = vec![Told { value: Some("-1".to_owned()), ..Told::default() }];
    assert!(matches!(content.write(), Err(Reason::Schema(at)) if at == "cells/0/value"));
}

#[test]
fn a_share_is_withheld_where_its_numerator_or_denominator_is() {
    let (_, release, content) = content(SHARE, ROWS);
    let mut withheld = 0;
    for cell in &content.cells {
        let both = cell.numerator.is_some() && cell.denominator.is_some();
        assert_eq!((cell.value.is_some(), cell.withheld), (both, !both), "{:?}", cell.at);
        withheld += usize::from(cell.withheld);
    }
    assert!(withheld > 0);
    assert_eq!(content.total(), Some("39.5"));
    assert_eq!(content.release("s"), Some(release));
}

#[test]
fn what_is_written_comes_back_as_the_same_release() {
    let rows: Vec<&[&str]> = ROWS.iter().map(|row| &row[..3]).collect();
    let (_, release, content) = content(&[], &rows);
    let text = content.write().unwrap();
    let read = Content::read(&text).unwrap();
    assert_eq!(read, content);
    assert_eq!(read.release("s"), Some(release));
    assert_eq!(Content::read(&text.replace("lienthong-", "other-")), None);
    assert!(!format!("{content:?}").contains("48"));
}

#[test]
fn the_digest_is_of_the_figures_and_not_of_when_they_were_computed() {
    let (_, _, mut one) = content(SHARE, ROWS);
    let digest = one.digest();
    one.revision = 7;
    one.computed_at = Timestamp::MAX;
    assert_eq!(one.digest(), digest);
    one.cells[0].value = Some("1.0".to_owned());
    assert_ne!(one.digest(), digest);
}
