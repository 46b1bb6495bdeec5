use std::{collections::BTreeSet, sync::Arc};

use tokio::task::JoinHandle;

use super::*;
use crate::{
    engine::tell,
    testing::{Home, on_both, postgres::Server},
};

fn at(second: i64) -> Timestamp {
    Timestamp::new(1_790_000_000 + second, 123_456_789).unwrap()
}

pub(crate) fn new(id: u8) -> Change<'static> {
    Change {
        book: Book::Consent,
        id: [id; 16],
        subject: [7; 16],
        party: "resident-register",
        action: "give",
        at: at(0),
        event: b"given",
        record: b"a record",
        open: false,
        due: None,
        expected: Expected::New,
        once: None,
        idempotency: None,
    }
}

fn next(id: u8, revision: u64) -> Change<'static> {
    let expected = Expected::Revision(revision);
    Change { action: "withdraw", event: b"withdrawn", record: b"another", expected, ..new(id) }
}

async fn append(store: &Store, changes: &[Change<'_>]) -> Appended {
    store.ledger().append(changes).await.unwrap()
}

async fn refused(store: &Store, changes: &[Change<'_>]) -> LedgerError {
    store.ledger().append(changes).await.unwrap_err()
}

fn revisions(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.revision).collect()
}

fn ids(rows: &[Row]) -> Vec<u8> {
    rows.iter().map(|row| row.id[0]).collect()
}

async fn refuses_a_change_that_follows_another_event_than_the_newest(home: Home) {
    let store = home.open().await;
    let conflict = |error| matches!(error, LedgerError::Conflict);
    assert!(conflict(refused(&store, &[next(1, 1)]).await));
    append(&store, &[new(1), new(2)]).await;
    assert!(conflict(refused(&store, &[new(1)]).await));
    assert!(conflict(refused(&store, &[next(1, 2)]).await));
    append(&store, &[next(1, 1)]).await;
    assert!(conflict(refused(&store, &[next(1, 1)]).await));
    // A record stays with its data subject and its party.
    let other = [
        Change { subject: [8; 16], ..next(1, 3) },
        Change { party: "another", ..next(1, 3) },
        Change { book: Book::Right, ..next(1, 3) },
    ];
    for change in other {
        assert!(conflict(refused(&store, &[change]).await));
    }
    // Of changes that belong together none stands where one may not be made.
    assert!(conflict(refused(&store, &[new(3), next(2, 2), next(1, 1)]).await));
    assert_eq!(store.ledger().record(Book::Consent, [3; 16]).await.unwrap(), None);
    assert_eq!(store.ledger().head().await.unwrap(), 3);
    assert_eq!(revisions(&store.ledger().since(0, 10).await.unwrap()), [1, 2, 3]);
}

async fn refuses_what_may_stand_there_once_only(home: Home) {
    let store = home.open().await;
    let proof = |id, book| Change { once: Some([9; 32]), book, ..new(id) };
    append(&store, &[proof(1, Book::Consent)]).await;
    assert!(matches!(refused(&store, &[proof(2, Book::Consent)]).await, LedgerError::Used));
    let twice =
        [Change { once: Some([8; 32]), ..new(3) }, Change { once: Some([8; 32]), ..new(4) }];
    assert!(matches!(refused(&store, &twice).await, LedgerError::Used));
    append(&store, &[proof(2, Book::Right)]).await;
    assert_eq!(store.ledger().head().await.unwrap(), 2);
}

async fn a_repeated_request_is_told_its_revision_and_another_one_is_refused(home: Home) {
    let store = home.open().await;
    let asked = |id, request| Change {
        idempotency: Some(Idempotency { key: [1; 32], request: [request; 32] }),
        once: Some([id; 32]),
        ..new(id)
    };
    append(&store, &[new(9)]).await;
    append(&store, &[asked(1, 1)]).await;
    append(&store, &[next(1, 2)]).await;
    // Although its proof is used and its record has changed since.
    let error = refused(&store, &[asked(1, 1)]).await;
    assert!(
        matches!(error, LedgerError::Repeated { id, revision: 2 } if id == [1; 16]),
        "{error:?}"
    );
    assert!(matches!(refused(&store, &[asked(2, 2)]).await, LedgerError::Mismatch));
    // A request that was refused leaves nothing behind.
    let failed = Change { expected: Expected::Revision(77), ..asked(3, 3) };
    let failed =
        Change { idempotency: Some(Idempotency { key: [2; 32], request: [3; 32] }), ..failed };
    assert!(matches!(refused(&store, &[failed]).await, LedgerError::Conflict));
    append(&store, &[Change { expected: Expected::New, ..failed }]).await;
}

async fn tells_what_stands_there(home: Home) {
    let store = home.open().await;
    let ledger = store.ledger();
    assert_eq!((ledger.head().await.unwrap(), ledger.since(0, 10).await.unwrap().len()), (0, 0));
    let appended = append(&store, &[new(2), new(1), Change { subject: [8; 16], ..new(3) }]).await;
    assert_eq!(appended, Appended { first: 1, last: 3 });
    let appended = append(&store, &[Change { at: at(5), due: Some(at(9)), ..next(2, 1) }]).await;
    assert_eq!(appended, Appended { first: 4, last: 4 });
    let row = Row {
        id: [2; 16],
        subject: [7; 16],
        party: "resident-register".to_owned(),
        revision: 4,
        record: b"another".to_vec(),
        open: false,
        due: Some(at(9)),
        at: at(5),
    };
    assert_eq!(ledger.record(Book::Consent, [2; 16]).await.unwrap(), Some(row));
    assert_eq!(ledger.record(Book::Notice, [2; 16]).await.unwrap(), None);
    let of_subject = ledger.of_subject(Book::Consent, [7; 16], 0, 10).await.unwrap();
    assert_eq!(ids(&of_subject), [1, 2]);
    assert_eq!(ids(&ledger.of_subject(Book::Consent, [7; 16], 2, 10).await.unwrap()), [2]);
    assert_eq!(ids(&ledger.of_subject(Book::Consent, [7; 16], 0, 1).await.unwrap()), [1]);
    let history = ledger.history(Book::Consent, [2; 16], 10).await.unwrap();
    assert_eq!(revisions(&history), [1, 4]);
    assert_eq!(history[0].event, b"given");
    assert_eq!(history[0].record, b"a record");
    assert_eq!((history[1].action.as_str(), history[1].at), ("withdraw", at(5)));
    assert_eq!(revisions(&ledger.history(Book::Consent, [2; 16], 1).await.unwrap()), [4]);
    assert_eq!(revisions(&ledger.since(1, 2).await.unwrap()), [2, 3]);
    assert_eq!(ids(&ledger.records(Book::Consent, None, 2).await.unwrap()), [1, 2]);
    assert_eq!(ids(&ledger.records(Book::Consent, Some([2; 16]), 2).await.unwrap()), [3]);
}

async fn tells_what_is_still_to_be_done(home: Home) {
    let store = home.open().await;
    let ledger = store.ledger();
    let open = |id, party, due: i64| Change {
        book: Book::Notice,
        party,
        open: true,
        due: Some(at(due)),
        ..new(id)
    };
    let undated = Change { due: None, ..open(3, "bank", 0) };
    append(&store, &[open(1, "bank", 9), open(2, "clinic", 5), undated, open(4, "bank", 5)]).await;
    let all = ledger.open(Book::Notice, None, 0, 10).await.unwrap();
    assert_eq!(ids(&all), [1, 2, 3, 4]);
    assert_eq!(ids(&ledger.open(Book::Notice, Some("bank"), 1, 1).await.unwrap()), [3]);
    assert!(ledger.open(Book::Right, None, 0, 10).await.unwrap().is_empty());
    assert!(ledger.due(Book::Notice, at(4), 10).await.unwrap().is_empty());
    assert_eq!(ids(&ledger.due(Book::Notice, at(5), 10).await.unwrap()), [2, 4]);
    assert_eq!(ids(&ledger.due(Book::Notice, at(9), 2).await.unwrap()), [2, 4]);
    let done = Change { open: false, expected: Expected::Revision(2), ..open(2, "clinic", 5) };
    append(&store, &[done]).await;
    assert_eq!(ids(&ledger.due(Book::Notice, at(9), 10).await.unwrap()), [4, 1]);
    assert_eq!(ids(&ledger.open(Book::Notice, None, 0, 10).await.unwrap()), [1, 3, 4]);
}

async fn a_mark_is_set_once(home: Home) {
    let store = home.open().await;
    let ledger = store.ledger();
    assert_eq!(ledger.mark("key", b"one").await.unwrap(), b"one");
    assert_eq!(ledger.mark("key", b"two").await.unwrap(), b"one");
    assert_eq!(ledger.mark("lineage", b"two").await.unwrap(), b"two");
}

async fn what_was_appended_survives_a_process_that_ends_without_goodbye(home: Home) {
    let mut expected = Vec::new();
    for id in 1..=4 {
        let store = home.open().await;
        let appended = append(&store, &[new(id)]).await;
        expected.push(appended.last);
        // A change that is begun and not acknowledged when the process ends.
        let mut transaction = store.write().await.unwrap();
        let take = "UPDATE ledger_head SET revision = revision + 40";
        tell!(&mut transaction, sqlx::query(take)).unwrap();
        drop(transaction);
        drop(store);
    }
    let store = home.open().await;
    assert_eq!(revisions(&store.ledger().since(0, 100).await.unwrap()), expected);
    assert_eq!((expected.as_slice(), store.ledger().head().await.unwrap()), (&[1, 2, 3, 4][..], 4));
}

async fn what_is_damaged_is_an_error(home: Home) {
    let store = home.open().await;
    append(&store, &[new(1)]).await;
    let mut transaction = store.write().await.unwrap();
    let damage = "UPDATE ledger_head SET revision = -1";
    assert!(tell!(&mut transaction, sqlx::query(damage)).is_err());
    drop(transaction);
    // The next revision stands there already.
    let mut transaction = store.write().await.unwrap();
    let damage = "UPDATE ledger_head SET revision = 0";
    tell!(&mut transaction, sqlx::query(damage)).unwrap();
    transaction.commit().await.unwrap();
    let error = refused(&store, &[new(2)]).await;
    assert!(matches!(error, LedgerError::Store(StoreError::Database(_))), "{error:?}");
}

/// Writers at once, and one who follows them: every revision once, in order, and none is missed.
async fn whoever_follows_misses_no_revision(home: Home) {
    let store = home.open().await;
    let mut writers = Vec::new();
    for writer in 0..4_u8 {
        let store = home.beside(&store).await;
        writers.push(tokio::spawn(async move {
            for n in 0..25_u8 {
                let id = writer * 50 + n;
                let changes = [new(id), Change { book: Book::Right, ..new(id) }];
                store.ledger().append(&changes[..1 + usize::from(n % 2)]).await.unwrap();
            }
        }));
    }
    let (mut last, mut seen) = (0, 0);
    loop {
        let all_wrote = writers.iter().all(|writer| writer.is_finished());
        for event in store.ledger().since(last, 7).await.unwrap() {
            assert_eq!(event.revision, last + 1);
            (last, seen) = (event.revision, seen + 1);
        }
        if all_wrote && last == store.ledger().head().await.unwrap() {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(seen, 4 * (13 + 2 * 12));
}

on_both! {
    refuses_a_change_that_follows_another_event_than_the_newest,
    refuses_what_may_stand_there_once_only,
    a_repeated_request_is_told_its_revision_and_another_one_is_refused,
    tells_what_stands_there,
    tells_what_is_still_to_be_done,
    a_mark_is_set_once,
    what_was_appended_survives_a_process_that_ends_without_goodbye,
    what_is_damaged_is_an_error,
    whoever_follows_misses_no_revision,
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_the_server_was_killed() {
    let server = Arc::new(Server::start());
    let home = Home::on(&server);
    let store = Arc::new(home.open().await);
    let (acknowledged, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let writing: JoinHandle<Result<(), _>> = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            let mut change = new(0);
            loop {
                let Appended { last, .. } = store.ledger().append(&[change]).await?;
                acknowledged.send(last).unwrap();
                change = next(0, last);
            }
        }
    });
    let mut known = BTreeSet::from([heard.recv().await.unwrap()]);
    tokio::task::spawn_blocking({
        let server = Arc::clone(&server);
        move || server.crash()
    })
    .await
    .unwrap();
    while let Some(one) = heard.recv().await {
        known.insert(one);
    }
    let error = writing.await.unwrap().unwrap_err();
    assert!(matches!(error, LedgerError::Store(_)), "{error:?}");
    assert!(matches!(refused(&store, &[new(0)]).await, LedgerError::Store(_)));
    assert!(store.ledger().head().await.is_err());

    server.restart();
    let events = store.ledger().since(0, u32::MAX).await.unwrap();
    let there = BTreeSet::from_iter(revisions(&events));
    assert!(known.is_subset(&there), "{known:?} {there:?}");
    // The one that was under way may stand there too.
    assert!(there.len() <= known.len() + 1);
    append(&store, &[Change { book: Book::Right, ..new(0) }]).await;
    // It is still its owner, also after the server was away.
    assert!(matches!(Store::open(home.place()).await, Err(StoreError::InUse(_))));
}

#[test]
fn nothing_of_a_person_is_shown() {
    let change = Change { subject: [77; 16], record: b"Nguyen", ..new(66) };
    assert!(!format!("{change:?}").contains("77"));
    assert!(!format!("{change:?}").contains("66"));
    assert_eq!(format!("{:?}", change.idempotency), "None");
    let (id, subject) = ([66; 16], [77; 16]);
    let (party, record, due) = (String::new(), vec![78], None);
    let row = Row { id, subject, party, revision: 1, record, open: true, due, at: at(0) };
    assert_eq!(format!("{row:?}"), "Row { revision: 1, .. }");
}
