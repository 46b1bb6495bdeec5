use super::*;
use crate::{
    rights::{
        RightState,
        tests::{at, reason, refuse, request},
    },
    testing::{Home, on_both},
};

on_both!(
    refuses_a_step_on_an_older_revision,
    a_repeated_request_is_opened_once,
    lists_what_is_due_and_counts_it,
    keeps_every_event_of_a_request,
);

fn by() -> OperatorId {
    "rights-office".parse().unwrap()
}

async fn refuses_a_step_on_an_older_revision(home: Home) {
    let store = home.store().await;
    let rights = Rights::new(&store);
    let now = at("2026-11-30T03:00:00Z");
    let asked = request(RightKind::View, now);
    let id = asked.id;
    let unknown = rights.step(id, 1, Step::Acknowledge {}, by(), now).await;
    assert!(matches!(unknown, Err(DutyError::Unknown)));
    let opened = rights.open(asked, now, &Holidays::default(), None).await.unwrap();
    let first = opened.kept().revision;
    rights.step(id, first, Step::Acknowledge {}, by(), now).await.unwrap();
    let stale = rights.step(id, first, Step::Fulfil {}, by(), now).await;
    assert!(matches!(stale, Err(DutyError::Changed)));
    let again = rights.step(id, first + 1, Step::Acknowledge {}, by(), now).await;
    assert!(matches!(again, Err(DutyError::Step(_))));
    store.close().await;
}

async fn a_repeated_request_is_opened_once(home: Home) {
    let store = home.store().await;
    let rights = Rights::new(&store);
    let now = at("2026-11-30T03:00:00Z");
    let key = |request| Some(Idempotency { key: [1; 32], request: [request; 32] });
    let first = request(RightKind::Delete, now);
    let (id, subject, holidays) = (first.id, first.subject, Holidays::default());
    rights.open(first, now, &holidays, key(1)).await.unwrap();
    let other = rights.open(request(RightKind::Delete, now), now, &holidays, key(2)).await;
    assert!(matches!(other, Err(DutyError::Mismatch)));
    let again = rights.open(request(RightKind::Delete, now), now, &holidays, key(1)).await.unwrap();
    let Done::Before(kept) = again else { panic!("opened twice") };
    assert_eq!(kept.record.id, id);
    assert_eq!(rights.of_subject(subject, 0, 10).await.unwrap().len(), 1);
    assert_eq!(rights.of_subject(subject, kept.revision, 10).await.unwrap(), []);
    store.close().await;
}

async fn lists_what_is_due_and_counts_it(home: Home) {
    let store = home.store().await;
    let rights = Rights::new(&store);
    let (came, holidays) = (at("2026-11-30T03:00:00Z"), Holidays::default());
    for kind in [RightKind::Delete, RightKind::View, RightKind::View] {
        let opened = rights.open(request(kind, came), came, &holidays, None).await.unwrap();
        let kept = opened.kept();
        rights.step(kept.record.id, kept.revision, Step::Acknowledge {}, by(), came).await.unwrap();
    }
    let (within, over) = (at("2026-12-10T16:59:59Z"), at("2026-12-10T17:00:00Z"));
    assert_eq!(rights.due(within, 10).await.unwrap(), []);
    let due = rights.due(over, 10).await.unwrap();
    assert_eq!(due.iter().map(|kept| kept.record.kind).collect::<Vec<_>>(), [RightKind::View; 2]);
    let counts = rights.counts(over).await.unwrap();
    assert_eq!(counts.all, Tally { open: 3, overdue: 2 });
    assert_eq!(counts.by_kind[&RightKind::Delete], Tally { open: 1, overdue: 0 });
    assert_eq!(counts.by_kind[&RightKind::View], Tally { open: 2, overdue: 2 });
    assert!(!counts.more);
    for kept in due {
        rights.step(kept.record.id, kept.revision, Step::Fulfil {}, by(), over).await.unwrap();
    }
    assert_eq!(rights.due(over, 10).await.unwrap(), []);
    assert_eq!(rights.unanswered(0, 10).await.unwrap().len(), 1);
    store.close().await;
}

async fn keeps_every_event_of_a_request(home: Home) {
    let store = home.store().await;
    let rights = Rights::new(&store);
    let now = at("2026-11-30T03:00:00Z");
    let opened =
        rights.open(request(RightKind::Delete, now), now, &Holidays::default(), None).await;
    let mut kept = opened.unwrap().kept().clone();
    let steps = [Step::Acknowledge {}, Step::Extend { reason: reason("archive_abroad") }, refuse()];
    for step in steps.clone() {
        kept = rights.step(kept.record.id, kept.revision, step, by(), now).await.unwrap();
    }
    let history = rights.history(kept.record.id, 10).await.unwrap();
    let told: Vec<_> = history.iter().filter_map(|event| event.record.step.clone()).collect();
    assert_eq!((history.len(), told), (4, steps.to_vec()));
    assert_eq!(rights.record(kept.record.id).await.unwrap().record.state, RightState::Refused);
    store.close().await;
    let store = home.store().await;
    assert_eq!(Rights::new(&store).record(kept.record.id).await.unwrap(), kept);
    store.close().await;
}
