use super::*;
use crate::testing::{Home, change, on_both};

fn id(text: &str) -> IndicatorId {
    text.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

async fn keep(store: &Store, indicator: &str, period: &str, revision: u32) -> Option<i64> {
    let indicator = id(indicator);
    let content = format!("{{\"revision\":{revision}}}");
    let release = NewRelease {
        indicator: &indicator,
        period,
        revision,
        why: (revision > 1).then_some("late reports"),
        content: &content,
        digest: "d",
    };
    store.indicators().keep(&release, at(i64::from(revision))).await.unwrap()
}

async fn refuses_a_revision_that_is_kept_or_does_not_follow(home: Home) {
    let store = home.open().await;
    assert_eq!(keep(&store, "a", "2026-10", 2).await, None, "there is no first");
    assert_eq!(keep(&store, "a", "2026-10", 1).await, Some(1));
    assert_eq!(keep(&store, "a", "2026-10", 1).await, None);
    assert_eq!(keep(&store, "a", "2026-10", 3).await, None);
    assert_eq!(keep(&store, "b", "2026-10", 1).await, Some(2));
    assert_eq!(keep(&store, "a", "2026-10", 2).await, Some(3));
    let kept = store.indicators().of_period(&id("a"), "2026-10", 9).await.unwrap();
    let told: Vec<_> = kept.iter().map(|r| (r.number, r.revision, r.why.as_deref())).collect();
    assert_eq!(told, [(1, 1, None), (3, 2, Some("late reports"))]);
    assert_eq!(kept[0].content, "{\"revision\":1}", "the old one stays as it was");
    let last = store.indicators().of_period(&id("a"), "2026-10", 1).await.unwrap();
    assert_eq!(last[0].revision, 2);
}

async fn numbers_have_no_gap_and_are_read_in_their_order(home: Home) {
    let store = home.open().await;
    for (indicator, period) in [("b", "2026-09"), ("a", "2026-10"), ("b", "2026-10")] {
        keep(&store, indicator, period, 1).await.unwrap();
    }
    store.close().await;
    let store = home.open().await;
    let indicators = store.indicators();
    let behind = indicators.behind(1, 10).await.unwrap();
    let told: Vec<_> = behind.iter().map(|r| (r.number, r.indicator.as_str())).collect();
    assert_eq!(told, [(2, "a"), (3, "b")]);
    assert_eq!(indicators.behind(0, 1).await.unwrap().len(), 1);
    assert_eq!(indicators.highest().await.unwrap(), 3);
}

async fn a_refusal_stands_until_there_is_a_release(home: Home) {
    let store = home.open().await;
    let (indicators, a) = (store.indicators(), id("a"));
    indicators.refuse(&a, "2026-10", "no rows", at(1)).await.unwrap();
    indicators.refuse(&a, "2026-10", "too many rows", at(2)).await.unwrap();
    let refusals = indicators.refusals(&a).await.unwrap();
    let told = Refusal { period: "2026-10".into(), reason: "too many rows".into(), at: at(2) };
    assert_eq!(refusals, [told]);
    keep(&store, "a", "2026-10", 1).await.unwrap();
    assert_eq!(indicators.refusals(&a).await.unwrap(), []);
    indicators.refuse(&a, "2026-10", "no rows", at(3)).await.unwrap();
    indicators.settle(&a, "2026-10").await.unwrap();
    assert_eq!(indicators.refusals(&a).await.unwrap(), []);
}

async fn the_first_time_that_a_flow_took_a_release_stays(home: Home) {
    let store = home.open().await;
    let (indicators, a) = (store.indicators(), id("a"));
    keep(&store, "a", "2026-10", 1).await.unwrap();
    keep(&store, "a", "2026-09", 1).await.unwrap();
    indicators.published(&[1], at(10)).await.unwrap();
    indicators.published(&[1], at(20)).await.unwrap();
    let newest = indicators.newest(&a).await.unwrap();
    let told: Vec<_> = newest.iter().map(|n| (n.period.as_str(), n.published_at)).collect();
    assert_eq!(told, [("2026-09", None), ("2026-10", Some(at(10)))]);
    let latest = indicators.latest(&a, 1).await.unwrap();
    assert_eq!((latest.len(), latest[0].period.as_str()), (1, "2026-10"));
}

async fn a_damaged_release_is_an_error(home: Home) {
    let store = home.open().await;
    keep(&store, "a", "2026-10", 1).await.unwrap();
    change(&store, "UPDATE indicator_release SET indicator = 'No Id'").await;
    let read = store.indicators().behind(0, 9).await;
    assert!(matches!(read, Err(StoreError::Damaged("indicator"))));
}

on_both! {
    refuses_a_revision_that_is_kept_or_does_not_follow,
    numbers_have_no_gap_and_are_read_in_their_order,
    a_refusal_stands_until_there_is_a_release,
    the_first_time_that_a_flow_took_a_release_stays,
    a_damaged_release_is_an_error,
}
