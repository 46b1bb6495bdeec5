use super::*;
use crate::{
    ledger::{Book, Expected, tests::new},
    testing::{Home, change, on_both},
};

async fn filled(home: &Home) -> Store {
    let store = home.open().await;
    store.ledger().append(&[new(1), new(2), new(3)]).await.unwrap();
    let next = crate::ledger::Change { expected: Expected::Revision(2), record: b"c", ..new(2) };
    store.ledger().append(&[next]).await.unwrap();
    store
}

/// What is found after these statements.
async fn found(home: &Home, statements: &[&'static str]) -> Vec<Problem> {
    let store = filled(home).await;
    for statement in statements {
        change(&store, statement).await;
    }
    let looker = Store::look(home.place()).await.unwrap();
    check(&looker, &mut |_, _| ()).await.unwrap().1
}

async fn a_record_that_is_not_what_its_event_left_is_found(home: Home) {
    let forged = "UPDATE ledger_record SET record = event FROM ledger_event
        WHERE ledger_event.revision = 1 AND ledger_record.revision = 1";
    assert_eq!(found(&home, &[forged]).await, [Problem::Record(1, 1, 4)]);
}

async fn a_record_at_an_event_that_is_not_its_newest_is_found(home: Home) {
    let back = "UPDATE ledger_record SET revision = 2, record = (SELECT record FROM ledger_event
        WHERE revision = 2) WHERE revision = 4";
    assert_eq!(found(&home, &[back]).await, [Problem::Record(1, 1, 4)]);
}

async fn an_event_without_a_record_and_a_gap_are_found(home: Home) {
    let taken = ["DELETE FROM ledger_record WHERE revision = 3"];
    assert_eq!(found(&home, &taken).await, [Problem::NoRecord(1, 1, 4)]);
    let store = Store::look(home.place()).await.unwrap();
    assert_eq!(store.ledger().record(Book::Consent, [3; 16]).await.unwrap(), None);
}

async fn a_revision_that_is_missing_is_found(home: Home) {
    let taken = [
        "DELETE FROM ledger_record WHERE revision = 3",
        "DELETE FROM ledger_event WHERE revision = 3",
    ];
    assert_eq!(found(&home, &taken).await, [Problem::Gap(1, 4)]);
}

async fn a_head_that_went_back_is_found(home: Home) {
    let back = "UPDATE ledger_head SET revision = 3";
    assert_eq!(found(&home, &[back]).await, [Problem::Head { head: 3, newest: 4 }]);
}

async fn another_version_is_found(home: Home) {
    let newer = "UPDATE _sqlx_migrations SET version = 99 WHERE version = 8";
    let problems = found(&home, &[newer]).await;
    let versions = Versions { found: 99, known: 8, alike: false };
    assert_eq!(problems, [Problem::Version(versions)]);
    assert_eq!(problems[0].text(Language::English), "version 99 is newer than this program's, 8");
}

async fn a_sound_store_has_no_findings_and_is_looked_at_whole(home: Home) {
    let store = filled(&home).await;
    let mut heard = Vec::new();
    let found = check(&store, &mut |done, of| heard.push((done, of))).await.unwrap();
    assert_eq!((found, heard), ((4, Vec::new()), vec![(4, 4)]));
}

on_both! {
    a_record_that_is_not_what_its_event_left_is_found,
    a_record_at_an_event_that_is_not_its_newest_is_found,
    an_event_without_a_record_and_a_gap_are_found,
    a_revision_that_is_missing_is_found,
    a_head_that_went_back_is_found,
    another_version_is_found,
    a_sound_store_has_no_findings_and_is_looked_at_whole,
}
