use jiff::civil::date;

use super::*;
use crate::{
    engine::tell,
    testing::{Home, on_both},
};

const TODAY: Date = date(2026, 3, 1);

fn id(text: &str) -> AgreementId {
    text.parse().unwrap()
}

async fn used(store: &Store) -> Vec<(String, u64)> {
    let all = store.quota().all().await.unwrap();
    all.into_iter().map(|(id, usage)| (id.to_string(), usage.used)).collect()
}

async fn refuses_what_the_limit_does_not_leave(home: Home) {
    let store = home.open().await;
    let (quota, a) = (store.quota(), id("a"));
    let usage = |used| Usage { day: TODAY, used };
    let lease = quota.lease(&a, TODAY, 8, 10).await.unwrap();
    assert_eq!(lease, Lease { granted: 8, usage: usage(8) });
    let lease = quota.lease(&a, TODAY, 8, 10).await.unwrap();
    assert_eq!(lease, Lease { granted: 2, usage: usage(10) });
    let lease = quota.lease(&a, TODAY, 8, 10).await.unwrap();
    assert_eq!(lease, Lease { granted: 0, usage: usage(10) });
    // A lowered limit grants nothing and takes nothing back; another agreement has its own.
    assert_eq!(quota.lease(&a, TODAY, 1, 5).await.unwrap().usage, usage(10));
    assert_eq!(quota.lease(&id("b"), TODAY, 1, 5).await.unwrap().usage, usage(1));
    assert_eq!(used(&store).await, [("a".to_owned(), 10), ("b".to_owned(), 1)]);
}

async fn what_was_leased_stays_used_over_a_start_and_what_was_given_back_does_not(home: Home) {
    let store = home.open().await;
    store.quota().lease(&id("a"), TODAY, 8, 10).await.unwrap();
    store.close().await;
    let store = home.open().await;
    assert_eq!(used(&store).await, [("a".to_owned(), 8)]);
    store.quota().give_back(&id("a"), TODAY, 3).await.unwrap();
    assert_eq!(used(&store).await, [("a".to_owned(), 5)]);
    // More than was used makes no credit, and another day is another day.
    store.quota().give_back(&id("a"), date(2026, 2, 28), 3).await.unwrap();
    assert_eq!(used(&store).await, [("a".to_owned(), 5)]);
    store.quota().give_back(&id("a"), TODAY, 30).await.unwrap();
    assert_eq!(used(&store).await, [("a".to_owned(), 0)]);
}

async fn a_day_is_counted_once_even_when_the_clock_goes_back(home: Home) {
    let store = home.open().await;
    let (quota, a) = (store.quota(), id("a"));
    quota.lease(&a, TODAY, 10, 10).await.unwrap();
    let next = date(2026, 3, 2);
    let lease = quota.lease(&a, next, 6, 10).await.unwrap();
    assert_eq!(lease, Lease { granted: 6, usage: Usage { day: next, used: 6 } });
    let lease = quota.lease(&a, TODAY, 10, 10).await.unwrap();
    assert_eq!(lease, Lease { granted: 4, usage: Usage { day: next, used: 10 } });
    assert_eq!(quota.lease(&a, next, 1, 10).await.unwrap().granted, 0);
}

/// A counter that nobody can read must not look like a fresh day.
async fn a_damaged_counter_is_an_error(home: Home) {
    let store = home.open().await;
    store.quota().lease(&id("a"), TODAY, 1, 10).await.unwrap();
    damage(&store, "UPDATE quota SET day = 'tomorrow'").await;
    assert!(matches!(
        store.quota().lease(&id("a"), TODAY, 1, 10).await,
        Err(StoreError::Damaged("day"))
    ));
    assert!(matches!(store.quota().all().await, Err(StoreError::Damaged("day"))));
}

async fn damage(store: &Store, statement: &'static str) {
    let mut transaction = store.write().await.unwrap();
    tell!(&mut transaction, sqlx::query(statement)).unwrap();
    transaction.commit().await.unwrap();
}

on_both! {
    refuses_what_the_limit_does_not_leave,
    what_was_leased_stays_used_over_a_start_and_what_was_given_back_does_not,
    a_day_is_counted_once_even_when_the_clock_goes_back,
    a_damaged_counter_is_an_error,
}
