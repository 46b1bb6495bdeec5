use jiff::{SignedDuration, civil::date};
use lienthong_model::{id::FlowId, quality::Share, working_days::Holidays};

use super::*;
use crate::{
    Quality,
    outbox::{Batch, Ending, Lease, NewMessage, QuarantinedRow},
    testing::{Home, on_both},
};

const WARD: &str = "26734";
const OTHER: &str = "25747";

fn at(day: i64) -> Timestamp {
    "2026-11-02T03:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * day)
}

fn flow() -> FlowId {
    "cases".parse().unwrap()
}

fn marks(good: u64) -> Marks {
    let mut marks = Marks::default();
    marks.set(Criterion::Correct, Share { good, all: 1 });
    marks.set(Criterion::Live, Share::one(true));
    marks
}

/// A row that was put aside, or one that is right.
fn row(key: &str, ward: &str, reason: Option<&str>) -> Judged {
    let criteria = [Criterion::Correct].into_iter().collect();
    Judged {
        key: key.to_owned(),
        message: reason.is_none().then(|| ("sync".to_owned(), key.to_owned())),
        unit: ward.parse().ok(),
        marks: marks(u64::from(reason.is_none())),
        defect: reason.map(|reason| Flaws { criteria, reasons: reason.to_owned() }),
    }
}

/// A row that is sent and has to be mended all the same.
fn incomplete(key: &str, of: &str, good: u64) -> Judged {
    let criteria = [Criterion::Complete].into_iter().collect();
    let mut marks = marks(1);
    marks.set(Criterion::Complete, Share { good, all: 2 });
    let flaws = Flaws { criteria, reasons: "`Email` is empty".to_owned() };
    let defect = (good < 2).then_some(flaws);
    let message = Some(("sync".to_owned(), of.to_owned()));
    Judged { key: key.to_owned(), message, unit: WARD.parse().ok(), marks, defect }
}

async fn take(store: &Store, judged: &[Judged], day: i64) {
    let batch = Batch { judged: judged.to_vec(), ..Batch::default() };
    store.outbox().enqueue(&flow(), &batch, at(day)).await.unwrap();
}

async fn correct(quality: Quality<'_>) -> (u64, u64) {
    let share = quality.marks(&flow(), Date::MIN).await.unwrap().of(Criterion::Correct);
    (share.good, share.all)
}

async fn all_open(quality: Quality<'_>) -> Vec<String> {
    let found = quality.defects(&flow(), None, 100).await.unwrap();
    found.into_iter().map(|defect| defect.key).collect()
}

async fn a_batch_that_is_refused_leaves_no_count(home: Home) {
    let store = home.open().await;
    let judged = vec![row("a", WARD, Some("`x`"))];
    // Another process reads the flow: nothing of the batch is taken.
    let batch = Batch { judged, reader: Some("nobody".to_owned()), ..Batch::default() };
    assert!(store.outbox().enqueue(&flow(), &batch, at(0)).await.is_err());
    assert_eq!(correct(store.quality()).await, (0, 0));
    assert!(all_open(store.quality()).await.is_empty());
}

async fn a_mended_row_counts_as_its_newest_version_on_the_day_it_was_found(home: Home) {
    let store = home.open().await;
    let quality = store.quality();
    take(&store, &[row("a", WARD, Some("`x`")), row("b", WARD, None)], 0).await;
    assert_eq!(correct(quality).await, (1, 2));
    // Looked at again, as it is and as something else: it counts once.
    for reason in ["`x`", "`x`", "`y`"] {
        take(&store, &[row("a", WARD, Some(reason))], 1).await;
        assert_eq!(correct(quality).await, (1, 2));
    }
    let defect = quality.defects(&flow(), None, 9).await.unwrap().remove(0);
    assert_eq!((defect.found, defect.reasons.as_str()), (date(2026, 11, 2), "`y`"));
    assert_eq!((defect.call, defect.unit), (None, WARD.parse().ok()));
    // Mended, and about another ward.
    take(&store, &[row("a", OTHER, None)], 2).await;
    assert_eq!(correct(quality).await, (2, 2));
    let days = quality.days(&flow(), OTHER.parse().ok(), Date::MIN).await.unwrap();
    assert_eq!(days[&date(2026, 11, 2)].of(Criterion::Correct), Share { good: 1, all: 1 });
    assert_eq!(days.len(), 1, "the day on which it was found");
    let open = quality.open(&flow(), [Date::MAX; 3], at(2)).await.unwrap();
    assert_eq!((open.all, open.mended), (0, 1));
    // Wrong once more: found anew.
    take(&store, &[row("a", WARD, Some("`x`"))], 3).await;
    let defect = quality.defects(&flow(), None, 9).await.unwrap().remove(0);
    assert_eq!(defect.found, date(2026, 11, 5));
}

async fn a_message_is_mended_by_the_next_of_its_call_and_key(home: Home) {
    let store = home.open().await;
    let quality = store.quality();
    take(&store, &[incomplete("a/1", "a", 1), incomplete("b/1", "b", 1)], 0).await;
    take(&store, &[incomplete("a/2", "a", 0)], 1).await;
    let complete = async || {
        let share = quality.marks(&flow(), Date::MIN).await.unwrap().of(Criterion::Complete);
        (share.good, share.all)
    };
    assert_eq!(complete().await, (1, 4), "the newest of each");
    take(&store, &[incomplete("a/3", "a", 2)], 2).await;
    assert_eq!(complete().await, (3, 4));
    assert_eq!(all_open(quality).await, ["b"]);
    // Within one batch as well.
    take(&store, &[incomplete("c/1", "c", 0), incomplete("c/2", "c", 2)], 3).await;
    assert_eq!((complete().await, all_open(quality).await), ((5, 6), vec!["b".to_owned()]));
}

async fn a_row_that_its_source_took_back_counts_no_more(home: Home) {
    let store = home.open().await;
    let row_aside = QuarantinedRow {
        source_key: "a".to_owned(),
        ordering_key: None,
        position: 1,
        reason: "`x`".to_owned(),
    };
    let judged = vec![row("a", WARD, Some("`x`")), row("b", WARD, None)];
    let batch = Batch { quarantined: vec![row_aside], judged, ..Batch::default() };
    store.outbox().enqueue(&flow(), &batch, at(0)).await.unwrap();
    let batch = Batch { released: vec!["a".to_owned()], ..Batch::default() };
    store.outbox().enqueue(&flow(), &batch, at(1)).await.unwrap();
    assert_eq!(correct(store.quality()).await, (1, 1));
    assert!(all_open(store.quality()).await.is_empty());
}

async fn what_is_overdue_is_counted_over_tet(home: Home) {
    let store = home.open().await;
    // 2 February 2027, a Tuesday, and a Monday after the holidays.
    let (before, after) = (92, 105);
    take(&store, &[row("a", WARD, Some("`x`"))], before).await;
    take(&store, &[row("b", WARD, Some("`x`"))], after).await;
    let tet = [5, 8, 9, 10, 11].map(|day| date(2027, 2, day));
    let tet = Holidays::try_from(tet.to_vec()).unwrap();
    let overdue = async |today: Date| {
        let since = [5, 10, 15].map(|days| tet.overdue_since(today, days));
        store.quality().open(&flow(), since, Timestamp::MAX).await.unwrap().since
    };
    assert_eq!(overdue(date(2027, 2, 16)).await, [0, 0, 0], "the fifth working day");
    assert_eq!(overdue(date(2027, 2, 17)).await, [1, 0, 0]);
    assert_eq!(overdue(date(2027, 2, 24)).await, [2, 1, 0]);
    assert_eq!(overdue(date(2027, 3, 3)).await, [2, 2, 1]);
}

async fn more_than_is_read_at_once_is_mended_all_the_same(home: Home) {
    let store = home.open().await;
    let wrong: Vec<Judged> =
        (0..2_500).map(|n| row(&format!("{n:04}"), WARD, Some("`x`"))).collect();
    take(&store, &wrong, 0).await;
    assert_eq!(correct(store.quality()).await, (0, 2_500));
    take(&store, &[row("0000", WARD, None), row("2499", WARD, None), row("new", WARD, None)], 1)
        .await;
    assert_eq!(correct(store.quality()).await, (3, 2_501));
    let open = store.quality().open(&flow(), [Date::MIN; 3], at(0)).await.unwrap();
    assert_eq!((open.all, open.mended), (2_498, 2));
}

async fn units_are_told_apart_and_unknown_ones_from_them(home: Home) {
    let store = home.open().await;
    let rows = [row("a", WARD, None), row("b", WARD, Some("`x`")), row("c", "", Some("`x`"))];
    take(&store, &rows, 0).await;
    let units = store.quality().units(&flow(), Date::MIN).await.unwrap();
    let of = |code: Option<WardCode>| units[&code].of(Criterion::Correct);
    assert_eq!(of(WARD.parse().ok()), Share { good: 1, all: 2 });
    assert_eq!(of(None), Share { good: 0, all: 1 });
    let of_ward = store.quality().defects(&flow(), WARD.parse().ok(), 9).await.unwrap();
    assert_eq!(of_ward.len(), 1);
}

async fn delivered_messages_count_as_shared_and_late_ones_are_told(home: Home) {
    let store = home.open().await;
    let message = |key: &str| NewMessage {
        kind: "sync".to_owned(),
        idempotency_key: key.to_owned(),
        ordering_key: key.to_owned(),
        position: 1,
        payload: lienthong_model::sensitive::Sensitive::new(vec![1]),
        replaces: None,
    };
    let batch = Batch { messages: vec![message("a"), message("b")], ..Batch::default() };
    store.outbox().enqueue(&flow(), &batch, at(0)).await.unwrap();
    let lease = Lease::of(SignedDuration::from_secs(9));
    let claimed = store.outbox().claim(&flow(), at(0), &lease, 1).await.unwrap();
    store.outbox().end(&flow(), claimed[0].ticket, Ending::Delivered, at(0)).await.unwrap();
    let marks = store.quality().marks(&flow(), Date::MIN).await.unwrap();
    assert_eq!(marks.of(Criterion::Shared), Share { good: 1, all: 1 });
    assert_eq!(store.quality().late(&flow(), at(0)).await.unwrap(), 0);
    assert_eq!(store.quality().late(&flow(), at(1)).await.unwrap(), 1);
}

async fn what_is_old_is_forgotten_and_takes_nothing_back(home: Home) {
    let store = home.open().await;
    let quality = store.quality();
    take(&store, &[row("a", WARD, Some("`x`")), row("b", WARD, Some("`x`"))], 0).await;
    take(&store, &[row("b", WARD, None), row("c", WARD, None)], 9).await;
    let gone = quality.forget(&flow(), date(2026, 11, 5), at(5), 100).await.unwrap();
    assert_eq!(gone, 1);
    assert_eq!((correct(quality).await, all_open(quality).await), ((1, 1), vec!["a".to_owned()]));
    // Its counts were forgotten with their day.
    take(&store, &[row("a", WARD, None)], 10).await;
    assert_eq!(correct(quality).await, (2, 2));
    let (_, problems) = crate::check::check(&store, &mut |_, _| {}).await.unwrap();
    assert!(problems.is_empty(), "{problems:?}");
}

async fn a_hold_is_news_once_and_a_release_stays(home: Home) {
    let store = home.open().await;
    let quality = store.quality();
    assert_eq!(quality.hold(&flow()).await.unwrap(), Hold::default());
    assert!(!quality.set_hold(&flow(), None, at(0)).await.unwrap());
    assert!(quality.set_hold(&flow(), Some(Criterion::Correct), at(0)).await.unwrap());
    assert!(!quality.set_hold(&flow(), Some(Criterion::Complete), at(1)).await.unwrap());
    let release = Release { why: "the ministry asks for it".to_owned(), scores: marks(1) };
    quality.set_release(&flow(), Some(&release), at(2)).await.unwrap();
    let hold = quality.hold(&flow()).await.unwrap();
    assert_eq!((hold.criterion, hold.since), (Some(Criterion::Complete), Some(at(0))));
    assert_eq!((hold.holds, hold.releases, hold.release), (1, 0, Some(release)));
    assert!(quality.set_hold(&flow(), None, at(3)).await.unwrap());
    quality.set_release(&flow(), None, at(3)).await.unwrap();
    let hold = quality.hold(&flow()).await.unwrap();
    assert_eq!((hold.criterion, hold.releases, hold.release), (None, 1, None));
}

async fn reasons_are_bounded(home: Home) {
    let store = home.open().await;
    take(&store, &[row("a", WARD, Some(&"ầ".repeat(1_000)))], 0).await;
    let defect = store.quality().defects(&flow(), None, 9).await.unwrap().remove(0);
    assert!((MAX_REASONS - 3..=MAX_REASONS).contains(&defect.reasons.len()));
}

on_both! {
    a_batch_that_is_refused_leaves_no_count,
    a_mended_row_counts_as_its_newest_version_on_the_day_it_was_found,
    a_message_is_mended_by_the_next_of_its_call_and_key,
    a_row_that_its_source_took_back_counts_no_more,
    what_is_overdue_is_counted_over_tet,
    more_than_is_read_at_once_is_mended_all_the_same,
    units_are_told_apart_and_unknown_ones_from_them,
    delivered_messages_count_as_shared_and_late_ones_are_told,
    what_is_old_is_forgotten_and_takes_nothing_back,
    a_hold_is_news_once_and_a_release_stays,
    reasons_are_bounded,
}
