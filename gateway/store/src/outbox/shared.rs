//! Several processes on one outbox, as connections of their own to one database.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tempfile::TempDir;

use super::{
    tests::{at, batch, flow},
    *,
};
use crate::{Place, testing::Home};

const LEASE: SignedDuration = SignedDuration::from_secs(30);

async fn shared(home: &Home) -> (Store, TempDir) {
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path(), home.address());
    (Store::share(place).await.unwrap().0, folder)
}

#[tokio::test]
async fn one_process_at_a_time_reads_a_flow_and_what_it_read_before_that_is_refused() {
    let home = Home::postgres();
    let ((one, _first), (two, _second)) = (shared(&home).await, shared(&home).await);
    let lead = async |store: &Store, who: &str, second: i64| {
        store.outbox().lead(&flow(), who, at(second), LEASE).await.unwrap()
    };
    assert!(lead(&one, "one", 0).await);
    assert!(!lead(&two, "two", 29).await);
    assert!(lead(&one, "one", 29).await, "kept");
    assert!(!lead(&two, "two", 58).await);
    assert!(lead(&two, "two", 59).await);
    let late = Batch { reader: Some("one".to_owned()), ..batch(&[("a", 1)]) };
    let refused = one.outbox().enqueue(&flow(), &late, at(60)).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)));
    let mine = Batch { reader: Some("two".to_owned()), ..batch(&[("a", 1)]) };
    assert_eq!(two.outbox().enqueue(&flow(), &mine, at(60)).await.unwrap().new, 1);
    two.outbox().stop_leading(&flow(), "two").await.unwrap();
    assert!(lead(&one, "one", 60).await, "given up");
}

#[tokio::test]
async fn a_message_goes_to_one_process_only() {
    let home = Home::postgres();
    let ((one, _first), (two, _second)) = (shared(&home).await, shared(&home).await);
    let many: Vec<(String, i64)> = (0..200).map(|n| (format!("case-{n}"), 1)).collect();
    let many: Vec<(&str, i64)> = many.iter().map(|(case, n)| (case.as_str(), *n)).collect();
    one.outbox().enqueue(&flow(), &batch(&many), at(0)).await.unwrap();
    let claim = async |store: &Store| {
        let mut mine = BTreeSet::new();
        loop {
            let claimed = store.outbox().claim(&flow(), at(0), LEASE, 7).await.unwrap();
            if claimed.is_empty() {
                return mine;
            }
            mine.extend(claimed.into_iter().map(|message| message.idempotency_key));
        }
    };
    let (mine, theirs) = tokio::join!(claim(&one), claim(&two));
    assert_eq!(mine.len() + theirs.len(), 200);
    assert!(mine.is_disjoint(&theirs));
}

/// Two deliver and one takes in, all at once: each case arrives in order, once, and none is left.
#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_left_behind_or_overtaken_by_those_who_work_at_once() {
    const CASES: usize = 8;
    const EACH: i64 = 12;
    let home = Home::postgres();
    let (reader, _folder) = shared(&home).await;
    let ((one, _first), (two, _second)) = (shared(&home).await, shared(&home).await);
    let taking = async {
        let mut rng = StdRng::seed_from_u64(3);
        let mut next = [1_i64; CASES];
        while let Some(case) = (0..CASES).find(|case| next[*case] <= EACH) {
            let case = (case + rng.random_range(0..CASES)) % CASES;
            if next[case] <= EACH {
                let name = format!("case-{case}");
                let one = batch(&[(&name, next[case])]);
                reader.outbox().enqueue(&flow(), &one, at(0)).await.unwrap();
                next[case] += 1;
            }
        }
    };
    let deliver = async |store: &Store, mut done: Vec<(String, i64)>| {
        let all = (CASES as u64) * (EACH as u64);
        while store.outbox().counters(&flow()).await.unwrap().delivered < all {
            let claimed = store.outbox().claim(&flow(), at(0), LEASE, 3).await.unwrap();
            let ended: Vec<_> = claimed.iter().map(|m| (m.ticket, Ending::Delivered)).collect();
            if ended.is_empty() {
                tokio::task::yield_now().await;
                continue;
            }
            let lost = store.outbox().settle(&flow(), &ended, at(0)).await.unwrap();
            assert!(lost.is_empty());
            done.extend(claimed.into_iter().map(|message| {
                let position = message.idempotency_key.split_once('/').unwrap().1;
                (message.ordering_key, position.parse().unwrap())
            }));
        }
        done
    };
    let ((), mine, theirs) =
        tokio::join!(taking, deliver(&one, Vec::new()), deliver(&two, Vec::new()));
    for done in [&mine, &theirs] {
        let mut last = BTreeMap::new();
        for (case, position) in done {
            assert!(last.insert(case, *position).is_none_or(|before| before < *position));
        }
    }
    assert_eq!(mine.len() + theirs.len(), CASES * usize::try_from(EACH).unwrap());
    let all: BTreeSet<_> = mine.into_iter().chain(theirs).collect();
    assert_eq!(all.len(), CASES * usize::try_from(EACH).unwrap());
}
