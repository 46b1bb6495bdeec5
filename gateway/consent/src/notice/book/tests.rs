use super::*;
use crate::{
    notice::tests::{OPENED, notice},
    rights::{
        RightAction, RightEvent, RightKind, RightRecord,
        tests::{at, request},
    },
    testing::{Home, on_both},
};

on_both!(
    refuses_an_acknowledgement_of_another_participant,
    opens_together_with_what_caused_it_or_not_at_all,
    lists_what_is_pending_and_counts_it,
);

fn participant(id: &str) -> ParticipantId {
    id.parse().unwrap()
}

async fn refuses_an_acknowledgement_of_another_participant(home: Home) {
    let store = home.store().await;
    let notices = Notices::new(&store);
    let told = notice("H29.30");
    notices.open(std::slice::from_ref(&told)).await.unwrap();
    let now = at("2026-12-01T00:00:00Z");
    let acknowledge = |by: &'static str, done| async move {
        Notices::acknowledge(&notices, &participant(by), told.id, done, now).await
    };
    let other = acknowledge("H29.41", Handled::Deleted).await;
    assert!(matches!(other, Err(DutyError::Unknown)));
    let first = acknowledge("H29.30", Handled::Deleted).await.unwrap();
    assert!(matches!(first, Done::Now(_)));
    let again = acknowledge("H29.30", Handled::Deleted).await.unwrap();
    assert_eq!(again, Done::Before(first.kept().clone()));
    let otherwise = acknowledge("H29.30", Handled::Stopped).await;
    assert!(matches!(otherwise, Err(DutyError::Notice(NoticeError::Acknowledged))));
    assert_eq!(notices.history(first.kept().record.id, 10).await.unwrap().len(), 2);
    store.close().await;
}

async fn opens_together_with_what_caused_it_or_not_at_all(home: Home) {
    let store = home.store().await;
    let (ledger, notices) = (store.ledger(), Notices::new(&store));
    let asked = request(RightKind::Withdraw, at(OPENED));
    let event = RightEvent { at: at(OPENED), by: asked.by.clone(), step: None };
    let right = RightRecord::received(asked, at(OPENED), &Default::default());
    let right = right.change(RightAction::Receive, &event, Expected::New).unwrap();
    let told = notice("H29.30");
    let change = told.change().unwrap();
    let stale = ChangeOwned { expected: Expected::Revision(7), ..change.clone() };
    assert!(ledger.append(&[right.change(), stale.change()]).await.is_err());
    assert_eq!(ledger.head().await.unwrap(), 0);
    ledger.append(&[right.change(), change.change()]).await.unwrap();
    assert_eq!(notices.record(told.id).await.unwrap(), Numbered { revision: 2, record: told });
    store.close().await;
}

async fn lists_what_is_pending_and_counts_it(home: Home) {
    let store = home.store().await;
    let notices = Notices::new(&store);
    let told = ["H29.30", "H29.41", "H29.30"].map(notice);
    let [first, ..] = &told;
    notices.open(&[]).await.unwrap();
    notices.open(&told).await.unwrap();
    assert!(notices.open(&told).await.is_err());
    let (by, over) = (participant("H29.30"), at("2026-12-05T17:00:00Z"));
    let theirs = notices.of_participant(&by, 0, 10).await.unwrap();
    assert_eq!(theirs.iter().map(|kept| kept.revision).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(notices.of_participant(&by, 1, 10).await.unwrap().len(), 1);
    assert_eq!(notices.of_subject(first.subject, 0, 10).await.unwrap().len(), 3);
    assert_eq!(notices.due(at("2026-12-05T16:59:59Z"), 10).await.unwrap(), []);
    assert_eq!(notices.due(over, 10).await.unwrap().len(), 3);
    notices.acknowledge(&by, first.id, Handled::NotHeld, over).await.unwrap();
    let counts = notices.counts(over).await.unwrap();
    assert_eq!(counts, NoticeCounts { all: Tally { open: 2, overdue: 2 }, more: false });
    assert_eq!(notices.pending(0, 10).await.unwrap().len(), 2);
    store.close().await;
}
