//! Several processes on one outbox, as connections of their own to one database.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tempfile::TempDir;

use super::{
    tests::{at, batch, flow},
    *,
};
use crate::{Place, engine::ask, testing::Home};

const LEASE: Lease = Lease::of(SignedDuration::from_secs(30));

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
        store.outbox().lead(&flow(), who, at(second), LEASE.length).await.unwrap()
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

async fn again(home: &Home, folder: &TempDir) -> Result<(Store, bool), StoreError> {
    Store::share(Place::new(folder.path(), home.address())).await
}

/// A copy of a data directory, as somebody makes it who sets up a second machine.
fn copy_of(folder: &TempDir) -> TempDir {
    let copy = TempDir::new().unwrap();
    std::fs::copy(folder.path().join("name"), copy.path().join("name")).unwrap();
    copy
}

/// Two cases of which the first process has the first and the other the second.
async fn one_each(one: &Store, two: &Store) -> [Claimed; 2] {
    one.outbox().enqueue(&flow(), &batch(&[("a", 1), ("b", 1)]), at(0)).await.unwrap();
    let claim = async |store: &Store| {
        store.outbox().claim(&flow(), at(0), &LEASE, 1).await.unwrap().remove(0)
    };
    [claim(one).await, claim(two).await]
}

async fn recover(store: &Store) -> u64 {
    store.outbox().recover(Left::ByOurselves, at(1), &Rests::default()).await.unwrap()
}

#[tokio::test]
async fn refuses_a_process_of_a_copied_directory_while_the_first_lives() {
    let home = Home::postgres();
    let ((first, folder), (other, _other)) = (shared(&home).await, shared(&home).await);
    let [mine, _] = one_each(&first, &other).await;
    let copy = copy_of(&folder);
    let error = again(&home, &copy).await.unwrap_err();
    assert!(matches!(error, StoreError::NameInUse(_)), "{error:?}");
    let told = error.told();
    assert!(told.contains("`data_dir` of its own") && told.contains("delete its file `name`"));
    // What the message says helps, and the first was not disturbed.
    std::fs::remove_file(copy.path().join("name")).unwrap();
    let (second, _) = again(&home, &copy).await.unwrap();
    assert_eq!(recover(&second).await, 0);
    first.outbox().end(&flow(), mine.ticket, Ending::Delivered, at(1)).await.unwrap();
}

#[tokio::test]
async fn a_process_that_comes_back_beside_others_ends_its_own_leases_and_no_others() {
    let home = Home::postgres();
    let ((killed, folder), (other, _other)) = (shared(&home).await, shared(&home).await);
    let [mine, theirs] = one_each(&killed, &other).await;
    let lead = async |store: &Store, flow: &str, run: &str| {
        let (outbox, flow) = (store.outbox(), flow.parse().unwrap());
        outbox.lead(&flow, &outbox.reader_name(run), at(0), LEASE.length).await.unwrap()
    };
    assert!(lead(&killed, "cases", "one").await && lead(&other, "other", "one").await);
    // No goodbye.
    drop(killed);
    let (back, is_alone) = again(&home, &folder).await.unwrap();
    assert!(!is_alone);
    assert!(!lead(&back, "cases", "two").await, "an earlier run has it");
    assert_eq!(recover(&back).await, 1);
    assert!(lead(&back, "cases", "two").await);
    assert!(!lead(&back, "other", "two").await, "another process reads it");
    let claimed = back.outbox().claim(&flow(), at(1), &LEASE, 9).await.unwrap();
    let keys: Vec<_> = claimed.iter().map(|m| (m.ordering_key.as_str(), m.earlier)).collect();
    assert_eq!(keys, [("a", Earlier::Uncertain)]);
    let late = back.outbox().end(&flow(), mine.ticket, Ending::Delivered, at(2)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)));
    other.outbox().end(&flow(), theirs.ticket, Ending::Delivered, at(2)).await.unwrap();
    assert_eq!(recover(&back).await, 1, "what it has itself, before it begins");
}

/// Who was alone when it came need not be when it looks at what is left.
#[tokio::test]
async fn who_was_alone_ends_no_leases_of_a_process_that_came_since() {
    let home = Home::postgres();
    let ((first, _first), (later, _later)) = (shared(&home).await, shared(&home).await);
    let (killed, _killed) = shared(&home).await;
    let [_, theirs] = one_each(&killed, &later).await;
    killed.close().await;
    let recovered = first.outbox().recover(Left::ByAnyone, at(1), &Rests::default()).await;
    assert_eq!(recovered.unwrap(), 1);
    later.outbox().end(&flow(), theirs.ticket, Ending::Delivered, at(1)).await.unwrap();
}

/// The server has lost sight of the first process: its locks are gone, and it still lives.
#[tokio::test]
async fn a_run_that_was_followed_in_its_name_changes_nothing_any_more() {
    let home = Home::postgres();
    let ((first, folder), (other, _other)) = (shared(&home).await, shared(&home).await);
    let [mine, _] = one_each(&first, &other).await;
    let mut on = other.write().await.unwrap();
    let lost = "SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks l
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_backend_pid()
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let _count: i64 = ask!(&mut on, |c| sqlx::query_scalar(lost).fetch_one(c)).unwrap();
    on.commit().await.unwrap();
    let (second, _) = again(&home, &copy_of(&folder)).await.unwrap();
    assert_eq!(recover(&second).await, 1);
    let late = first.outbox().end(&flow(), mine.ticket, Ending::Delivered, at(1)).await;
    assert!(matches!(late, Err(StoreError::Database(_))), "{late:?}");
    let counters = second.outbox().counters(&flow()).await.unwrap();
    assert_eq!((counters.delivered, counters.waiting), (0, 2));
}

/// The server has connections of a process that was killed a little longer than there is the process.
#[tokio::test]
async fn what_is_left_of_a_killed_process_is_waited_for() {
    let home = Home::postgres();
    let (killed, _first) = shared(&home).await;
    let folder = TempDir::new().unwrap();
    let place = Place::new(folder.path(), home.address());
    let gone = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        killed.close().await;
    };
    let (next, ()) = tokio::join!(Store::share(place), gone);
    assert!(next.unwrap().1, "nobody else is there");
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
            let claimed = store.outbox().claim(&flow(), at(0), &LEASE, 7).await.unwrap();
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
            let claimed = store.outbox().claim(&flow(), at(0), &LEASE, 3).await.unwrap();
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
