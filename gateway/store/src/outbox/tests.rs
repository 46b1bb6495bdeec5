use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::testing::{Home, on_both};

const LEASE: Lease = Lease::of(SignedDuration::from_secs(30));

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

pub(super) fn flow() -> FlowId {
    "cases".parse().unwrap()
}

pub(super) fn message(case: &str, position: i64) -> NewMessage {
    NewMessage {
        kind: "sync".to_owned(),
        idempotency_key: format!("{case}/{position}"),
        ordering_key: case.to_owned(),
        position,
        payload: Sensitive::new(format!("{case} {position}").into_bytes()),
        replaces: None,
    }
}

pub(super) fn batch(messages: &[(&str, i64)]) -> Batch {
    let messages = messages.iter().map(|(case, position)| message(case, *position)).collect();
    Batch { messages, ..Batch::default() }
}

fn retry(when: Timestamp, effect: Effect) -> Ending {
    Ending::Retry(when, effect, "busy".to_owned())
}

pub(super) async fn claim(store: &Store, second: i64) -> Vec<Claimed> {
    store.outbox().claim(&flow(), at(second), &LEASE, 100).await.unwrap()
}

async fn recover(store: &Store, second: i64) -> u64 {
    store.outbox().recover(Left::ByAnyone, at(second), &Rests::default()).await.unwrap()
}

/// A person wants a message to be tried again.
fn once_more(effect: Effect, rests: &Rests) -> Again<'_> {
    Again { effect, payload: None, rests }
}

pub(super) fn keys(claimed: &[Claimed]) -> Vec<&str> {
    claimed.iter().map(|m| m.idempotency_key.as_str()).collect()
}

async fn refuses_a_later_message_while_an_earlier_one_is_not_done(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let all = batch(&[("a", 1), ("a", 2), ("b", 1), ("a", 3)]);
    outbox.enqueue(&flow(), &all, at(0)).await.unwrap();
    let first = claim(&store, 0).await;
    assert_eq!(keys(&first), ["a/1", "b/1"]);
    assert!(claim(&store, 1).await.is_empty());
    outbox.end(&flow(), first[0].ticket, retry(at(60), Effect::None), at(0)).await.unwrap();
    outbox.end(&flow(), first[1].ticket, Ending::Delivered, at(1)).await.unwrap();
    assert!(claim(&store, 59).await.is_empty());
    let again = claim(&store, 60).await;
    assert_eq!(keys(&again), ["a/1"]);
    assert_eq!(again[0].attempts, 2);
    outbox.end(&flow(), again[0].ticket, Ending::Delivered, at(61)).await.unwrap();
    assert_eq!(keys(&claim(&store, 61).await), ["a/2"]);
}

async fn refuses_an_outcome_after_the_lease_was_given_to_another(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let slow = claim(&store, 0).await.remove(0);
    assert!(claim(&store, 29).await.is_empty());
    let quick = claim(&store, 30).await.remove(0);
    assert_eq!(quick.earlier, Earlier::Uncertain);
    let lost = |result| matches!(result, Err(StoreError::LeaseLost));
    assert!(lost(outbox.end(&flow(), slow.ticket, Ending::Delivered, at(31)).await));
    assert!(lost(outbox.end(&flow(), slow.ticket, retry(at(31), Effect::None), at(0)).await));
    assert!(lost(
        outbox.end(&flow(), slow.ticket, Ending::Bury(Effect::None, "x".to_owned()), at(31)).await
    ));
    assert!(lost(outbox.end(&flow(), slow.ticket, Ending::GiveBack, at(0)).await));
    outbox.end(&flow(), quick.ticket, Ending::Delivered, at(31)).await.unwrap();
}

/// The attempts of a message begin anew then; what counts its claims does not.
async fn refuses_an_outcome_of_a_claim_before_a_person_had_the_message_tried_again(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let slow = claim(&store, 0).await.remove(0);
    let quick = claim(&store, 30).await.remove(0);
    let ending = Ending::Bury(Effect::Unknown, "reset".to_owned());
    outbox.end(&flow(), quick.ticket, ending, at(31)).await.unwrap();
    let rests = Rests::default();
    let again = once_more(Effect::Unknown, &rests);
    assert!(outbox.replay(&flow(), "a/1", &again, at(32)).await.unwrap());
    let third = claim(&store, 32).await.remove(0);
    assert_eq!((slow.attempts, third.attempts), (1, 1));
    let late = outbox.end(&flow(), slow.ticket, retry(at(33), Effect::None), at(33)).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "it would clear that one is uncertain");
    outbox.end(&flow(), third.ticket, Ending::Delivered, at(34)).await.unwrap();
}

async fn refuses_an_outcome_of_an_earlier_claim_that_comes_with_one_of_the_present(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let slow = claim(&store, 0).await.remove(0);
    let quick = claim(&store, 30).await.remove(0);
    let both = [(slow.ticket, Ending::Delivered), (quick.ticket, Ending::GiveBack)];
    assert_eq!(outbox.settle(&flow(), &both, at(31)).await.unwrap(), [slow.ticket]);
    let third = claim(&store, 32).await.remove(0);
    assert_eq!(third.earlier, Earlier::Uncertain);
    let both = [(slow.ticket, retry(at(33), Effect::None)), (third.ticket, Ending::GiveBack)];
    assert_eq!(outbox.settle(&flow(), &both, at(33)).await.unwrap(), [slow.ticket]);
    assert_eq!(outbox.counters(&flow()).await.unwrap().retried, 0);
}

/// `step` rests for a minute, `sync` does not.
fn resting() -> Lease {
    let mut lease = LEASE;
    lease.rests.set(&flow(), "step", SignedDuration::from_secs(60));
    lease.rests.set(&"other".parse().unwrap(), "sync", SignedDuration::from_secs(60));
    lease
}

async fn resting_and_not(store: &Store) {
    let mut both = batch(&[("a", 1), ("b", 1)]);
    both.messages[0].kind = "step".to_owned();
    store.outbox().enqueue(&flow(), &both, at(0)).await.unwrap();
}

async fn refuses_a_message_that_rests_because_its_lease_ran_out(home: Home) {
    let store = home.open().await;
    resting_and_not(&store).await;
    let lease = resting();
    let claim =
        async |second: i64| store.outbox().claim(&flow(), at(second), &lease, 100).await.unwrap();
    assert_eq!(keys(&claim(0).await), ["a/1", "b/1"]);
    // When its attempt ended nobody knows: it rests from when it was found out.
    assert_eq!(keys(&claim(100).await), ["b/1"]);
    assert_eq!(store.outbox().next_ready(&flow()).await.unwrap(), Some(at(130)), "a lease");
    assert_eq!(keys(&claim(159).await), ["b/1"]);
    let rested = claim(160).await;
    assert_eq!(keys(&rested), ["a/1"]);
    assert_eq!((rested[0].earlier, rested[0].until), (Earlier::Uncertain, at(190)));
}

async fn refuses_a_message_that_rests_because_its_process_ended(home: Home) {
    let store = home.open().await;
    resting_and_not(&store).await;
    claim(&store, 0).await;
    drop(store);
    let store = home.open().await;
    let lease = resting();
    let recovered = store.outbox().recover(Left::ByAnyone, at(5), &lease.rests).await;
    assert_eq!(recovered.unwrap(), 2);
    assert_eq!(keys(&claim(&store, 64).await), ["b/1"]);
    assert_eq!(keys(&claim(&store, 65).await), ["a/1"]);
}

async fn refuses_a_message_that_a_person_has_tried_again_until_it_has_rested(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    resting_and_not(&store).await;
    let lease = resting();
    let bury = async |second: i64| {
        for message in claim(&store, second).await {
            let ending = Ending::Bury(Effect::Unknown, "reset".to_owned());
            outbox.end(&flow(), message.ticket, ending, at(second)).await.unwrap();
        }
    };
    bury(10).await;
    let again = once_more(Effect::Unknown, &lease.rests);
    for key in ["a/1", "b/1"] {
        assert!(outbox.replay(&flow(), key, &again, at(20)).await.unwrap());
    }
    assert_eq!(keys(&claim(&store, 20).await), ["b/1"]);
    assert!(claim(&store, 49).await.is_empty());
    bury(70).await;
    // Long after its attempt, or when the person has made sure, it does not.
    assert!(outbox.replay(&flow(), "a/1", &again, at(200)).await.unwrap());
    assert_eq!(keys(&claim(&store, 200).await), ["a/1"]);
    bury(240).await;
    let sure = once_more(Effect::None, &lease.rests);
    assert!(outbox.replay(&flow(), "a/1", &sure, at(241)).await.unwrap());
    assert_eq!(keys(&claim(&store, 241).await), ["a/1"]);
}

async fn takes_a_message_once_even_after_it_was_delivered(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let one = batch(&[("a", 1)]);
    let first = outbox.enqueue(&flow(), &one, at(0)).await.unwrap();
    assert_eq!(first, Enqueued { new: 1, known: 0, superseded: 0, unkept: 0 });
    let message = claim(&store, 0).await.remove(0);
    outbox.end(&flow(), message.ticket, Ending::Delivered, at(1)).await.unwrap();
    let second = outbox.enqueue(&flow(), &one, at(2)).await.unwrap();
    assert_eq!(second, Enqueued { new: 0, known: 1, superseded: 0, unkept: 0 });
    assert!(claim(&store, 3).await.is_empty());
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.enqueued, counters.duplicates, counters.delivered), (1, 1, 1));
}

async fn a_dead_message_holds_its_key_and_no_other(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let all = batch(&[("a", 1), ("b", 1), ("a", 2), ("b", 2)]);
    outbox.enqueue(&flow(), &all, at(0)).await.unwrap();
    let first = claim(&store, 0).await;
    outbox
        .end(
            &flow(),
            first[0].ticket,
            Ending::Bury(Effect::None, "policy.denied".to_owned()),
            at(1),
        )
        .await
        .unwrap();
    outbox.end(&flow(), first[1].ticket, Ending::Delivered, at(1)).await.unwrap();
    assert_eq!(keys(&claim(&store, 2).await), ["b/2"]);
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.waiting, counters.held, counters.dead), (2, 1, 1));
    let letters = outbox.dead(&flow(), 10).await.unwrap();
    assert_eq!((letters[0].key.as_str(), letters[0].reason.as_str()), ("a/1", "policy.denied"));
    let rests = Rests::default();
    let again = once_more(Effect::Unknown, &rests);
    assert!(!outbox.replay(&flow(), "a/2", &again, at(3)).await.unwrap());
    assert!(outbox.replay(&flow(), "a/1", &again, at(3)).await.unwrap());
    assert_eq!(keys(&claim(&store, 3).await), ["a/1"]);
}

async fn a_quarantined_row_holds_the_later_ones_of_its_key_until_it_is_released(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let row = QuarantinedRow {
        source_key: "row-2".to_owned(),
        ordering_key: Some("a".to_owned()),
        position: 2,
        reason: "`MaTTHC` does not match its pattern".to_owned(),
    };
    let mut read = batch(&[("a", 1), ("a", 3), ("b", 1)]);
    read.quarantined.push(row.clone());
    outbox.enqueue(&flow(), &read, at(0)).await.unwrap();
    let first = claim(&store, 0).await;
    assert_eq!(keys(&first), ["a/1", "b/1"]);
    outbox.end(&flow(), first[0].ticket, Ending::Delivered, at(1)).await.unwrap();
    assert!(claim(&store, 1).await.is_empty());
    assert_eq!(outbox.next_ready(&flow()).await.unwrap(), Some(at(30)));
    assert_eq!(outbox.quarantined(&flow(), "", 10).await.unwrap(), [row]);
    let mut mended = batch(&[("a", 2)]);
    mended.released.push("row-2".to_owned());
    outbox.enqueue(&flow(), &mended, at(2)).await.unwrap();
    let second = claim(&store, 2).await;
    assert_eq!(keys(&second), ["a/2"]);
    outbox.end(&flow(), second[0].ticket, Ending::Delivered, at(3)).await.unwrap();
    assert_eq!(keys(&claim(&store, 3).await), ["a/3"]);
}

async fn accepted_messages_survive_a_process_that_ends_at_any_step(home: Home) {
    for step in 0..5 {
        let store = home.open().await;
        let outbox = store.outbox();
        recover(&store, 0).await;
        let case = format!("case-{step}");
        outbox.enqueue(&flow(), &batch(&[(&case, 1)]), at(0)).await.unwrap();
        let claimed = if step > 0 { claim(&store, step).await } else { Vec::new() };
        if step > 3 {
            for message in &claimed {
                outbox.end(&flow(), message.ticket, Ending::Delivered, at(step)).await.unwrap();
            }
        }
        // No goodbye: the connections and the lock just go.
        drop(store);
    }
    let store = home.open().await;
    let counters = store.outbox().counters(&flow()).await.unwrap();
    assert_eq!((counters.enqueued, counters.delivered, counters.waiting), (5, 5, 0));
}

async fn an_attempt_cut_off_by_the_end_of_the_process_is_uncertain(home: Home) {
    let store = home.open().await;
    store.outbox().enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    claim(&store, 0).await;
    drop(store);
    let store = home.open().await;
    assert_eq!(recover(&store, 1).await, 1);
    let message = claim(&store, 1).await.remove(0);
    assert_eq!((message.earlier, message.attempts), (Earlier::Uncertain, 2));
}

async fn who_is_alone_reads_at_once_although_the_last_reader_was_killed(home: Home) {
    let store = home.open().await;
    assert!(store.outbox().lead(&flow(), "killed", at(0), LEASE.length).await.unwrap());
    drop(store);
    let store = home.open().await;
    assert!(!store.outbox().lead(&flow(), "new", at(1), LEASE.length).await.unwrap());
    recover(&store, 1).await;
    assert!(store.outbox().lead(&flow(), "new", at(1), LEASE.length).await.unwrap());
}

async fn a_message_given_back_counts_as_untried(home: Home) {
    let store = home.open().await;
    store.outbox().enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    store.outbox().end(&flow(), message.ticket, Ending::GiveBack, at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    assert_eq!((message.earlier, message.attempts), (Earlier::NoEffect, 1));
}

async fn a_batch_is_taken_whole_with_its_mark(home: Home) {
    let store = home.open().await;
    let mut read = batch(&[("a", 1)]);
    read.mark = Some("17".to_owned());
    read.standings.push(Standing { ordering_key: "a".to_owned(), history: "1,2".to_owned() });
    store.outbox().enqueue(&flow(), &read, at(0)).await.unwrap();
    assert_eq!(store.outbox().mark(&flow()).await.unwrap().as_deref(), Some("17"));
    let keys = BTreeSet::from(["a", "b"]);
    let said = store.outbox().said(&flow(), &keys, &["a/1", "a/2"]).await.unwrap();
    assert_eq!(said.standings, HashMap::from([("a".to_owned(), "1,2".to_owned())]));
    let known = HashMap::from([("a/1".to_owned(), Some(1))]);
    assert_eq!((said.known, said.held), (known, HashMap::new()));
    read.mark = Some("18".to_owned());
    read.standings[0].history = "1,2,4".to_owned();
    store.outbox().enqueue(&flow(), &read, at(0)).await.unwrap();
    assert_eq!(store.outbox().mark(&flow()).await.unwrap().as_deref(), Some("18"));
    let said = store.outbox().said(&flow(), &BTreeSet::from(["a"]), &[]).await.unwrap();
    assert_eq!(said.standings["a"], "1,2,4");
}

async fn the_payload_is_gone_once_it_is_delivered_and_never_in_debug(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("secret", 1)]), at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    assert_eq!(message.payload.expose(), b"secret 1");
    assert!(!format!("{:?}", message.payload).contains("secret"));
    assert!(!message.follows);
    outbox.end(&flow(), message.ticket, Ending::Delivered, at(1)).await.unwrap();
    let mut snapshot = store.read().await.unwrap();
    let payload = "SELECT count(*) FROM outbox";
    let left: i64 = ask!(&mut snapshot, |c| sqlx::query_scalar(payload).fetch_one(c)).unwrap();
    assert_eq!(left, 0);
    drop(snapshot);
    outbox.enqueue(&flow(), &batch(&[("secret", 2)]), at(2)).await.unwrap();
    assert_eq!(outbox.forget_done(at(2), 10).await.unwrap(), 1);
    assert_eq!(outbox.forget_keys(at(2), 10).await.unwrap(), 0, "a message of the key is open");
    let message = claim(&store, 3).await.remove(0);
    assert!(message.follows);
    outbox.end(&flow(), message.ticket, Ending::Delivered, at(4)).await.unwrap();
    assert_eq!(outbox.forget_keys(at(2), 10).await.unwrap(), 1);
    // Forgotten, the first message is a new one.
    outbox.enqueue(&flow(), &batch(&[("secret", 1)]), at(5)).await.unwrap();
    assert!(!claim(&store, 5).await[0].follows);
}

async fn a_row_put_between_others_goes_first_and_no_two_of_a_key_at_once(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 5), ("a", 7)]), at(0)).await.unwrap();
    outbox.enqueue(&flow(), &batch(&[("a", 3)]), at(0)).await.unwrap();
    let first = claim(&store, 0).await;
    assert_eq!(keys(&first), ["a/3"]);
    // Another still earlier one comes while it is under way, and it fails.
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    assert!(claim(&store, 0).await.is_empty());
    outbox.end(&flow(), first[0].ticket, retry(at(0), Effect::None), at(0)).await.unwrap();
    for expected in ["a/1", "a/3", "a/5", "a/7"] {
        let next = claim(&store, 1).await;
        assert_eq!(keys(&next), [expected]);
        outbox.end(&flow(), next[0].ticket, Ending::Delivered, at(1)).await.unwrap();
    }
}

async fn a_lease_that_ends_lets_an_earlier_message_go_first(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 5)]), at(0)).await.unwrap();
    assert_eq!(keys(&claim(&store, 0).await), ["a/5"]);
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let first = claim(&store, 40).await;
    assert_eq!(keys(&first), ["a/1"]);
    outbox.end(&flow(), first[0].ticket, Ending::Delivered, at(40)).await.unwrap();
    let second = claim(&store, 41).await;
    assert_eq!((second[0].earlier, second[0].attempts), (Earlier::Uncertain, 2));
}

async fn a_known_first_message_does_not_keep_the_next_from_being_sent(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    outbox.end(&flow(), message.ticket, Ending::Delivered, at(0)).await.unwrap();
    let taken = outbox.enqueue(&flow(), &batch(&[("a", 1), ("a", 2)]), at(1)).await.unwrap();
    assert_eq!((taken.new, taken.known), (1, 1));
    assert_eq!(keys(&claim(&store, 1).await), ["a/2"]);
}

async fn a_message_replaces_the_one_before_it_that_says_the_same_and_was_never_tried(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let replacing = |position, says: &str| {
        let mut one = message("a", position);
        one.replaces = Some(says.to_owned());
        one
    };
    let messages = vec![replacing(1, "2"), replacing(2, "2"), message("a", 3), replacing(4, "2")];
    let first = Batch { messages, ..Batch::default() };
    let taken = outbox.enqueue(&flow(), &first, at(0)).await.unwrap();
    assert_eq!((taken.new, taken.superseded), (4, 1), "one of another kind stands between");
    let under_way = claim(&store, 0).await;
    assert_eq!(keys(&under_way), ["a/2"]);
    let later = Batch { messages: vec![replacing(5, "2"), replacing(6, "4")], ..Batch::default() };
    assert_eq!(outbox.enqueue(&flow(), &later, at(0)).await.unwrap().superseded, 1);
    outbox.end(&flow(), under_way[0].ticket, retry(at(0), Effect::None), at(0)).await.unwrap();
    for expected in ["a/2", "a/3", "a/5", "a/6"] {
        let next = claim(&store, 1).await;
        assert_eq!(keys(&next), [expected]);
        outbox.end(&flow(), next[0].ticket, Ending::Delivered, at(1)).await.unwrap();
    }
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.superseded, counters.waiting, counters.delivered), (2, 0, 4));
    // What was replaced is known: its row is not sent when it is read again.
    assert_eq!(outbox.enqueue(&flow(), &first, at(2)).await.unwrap().new, 0);
}

async fn what_was_tried_once_is_never_replaced(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let one = |position| NewMessage { replaces: Some(String::new()), ..message("a", position) };
    let first = Batch { messages: vec![one(1)], ..Batch::default() };
    outbox.enqueue(&flow(), &first, at(0)).await.unwrap();
    let tried = claim(&store, 0).await.remove(0);
    outbox.end(&flow(), tried.ticket, retry(at(5), Effect::Unknown), at(0)).await.unwrap();
    let second = Batch { messages: vec![one(2)], ..Batch::default() };
    assert_eq!(outbox.enqueue(&flow(), &second, at(1)).await.unwrap().superseded, 0);
    assert_eq!(keys(&claim(&store, 5).await), ["a/1"]);
}

async fn a_withheld_message_is_gone_and_holds_nobody(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1), ("a", 2)]), at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    let ending = Ending::Withhold("consent.not_given".to_owned());
    outbox.end(&flow(), message.ticket, ending, at(1)).await.unwrap();
    let next = claim(&store, 1).await.remove(0);
    assert_eq!((next.idempotency_key.as_str(), next.follows), ("a/2", false));
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.withheld, counters.waiting, counters.dead), (1, 1, 0));
    assert!(outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(2)).await.unwrap().new == 0);
}

async fn a_dropped_letter_lets_the_next_of_its_key_go(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1), ("a", 2), ("b", 1)]), at(0)).await.unwrap();
    for message in claim(&store, 0).await {
        let ending = Ending::Bury(Effect::Unknown, "reset".to_owned());
        outbox.end(&flow(), message.ticket, ending, at(1)).await.unwrap();
    }
    assert!(!outbox.drop_letter(&flow(), "a/2", "no", at(2)).await.unwrap());
    let opened = outbox.open_letter(&flow(), "a/1").await.unwrap().unwrap();
    assert_eq!(opened.payload.expose(), b"a 1");
    assert_eq!((opened.letter.effect, opened.letter.attempts), (Effect::Unknown, 1));
    assert!(outbox.drop_letter(&flow(), "a/1", "entered by hand", at(2)).await.unwrap());
    assert!(outbox.open_letter(&flow(), "a/1").await.unwrap().is_none());
    assert_eq!(keys(&claim(&store, 2).await), ["a/2"]);
    assert!(outbox.confirm_taken(&flow(), "b/1", "the portal shows it", at(3)).await.unwrap());
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.dropped, counters.delivered, counters.dead), (1, 1, 0));
    outbox.enqueue(&flow(), &batch(&[("b", 2)]), at(4)).await.unwrap();
    assert!(claim(&store, 4).await[0].follows, "what the platform has counts as delivered");
}

async fn an_erased_letter_is_tried_again_with_its_row_only(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    let ending = Ending::Bury(Effect::Unknown, "reset".to_owned());
    outbox.end(&flow(), message.ticket, ending, at(1)).await.unwrap();
    assert_eq!(outbox.erase_dead(at(1), 10).await.unwrap(), 0);
    assert_eq!(outbox.erase_dead(at(2), 10).await.unwrap(), 1);
    assert_eq!(outbox.erase_dead(at(2), 10).await.unwrap(), 0);
    assert!(outbox.dead(&flow(), 10).await.unwrap()[0].is_erased);
    let rests = Rests::default();
    let replay = async |payload: Option<&Sensitive<Vec<u8>>>| {
        let again = Again { payload, ..once_more(Effect::None, &rests) };
        outbox.replay(&flow(), "a/1", &again, at(3)).await.unwrap()
    };
    assert!(!replay(None).await);
    assert!(replay(Some(&Sensitive::new(b"again".to_vec()))).await);
    let message = claim(&store, 3).await.remove(0);
    assert_eq!((message.payload.expose().as_slice(), message.attempts), (&b"again"[..], 1));
    assert_eq!(message.earlier, Earlier::NoEffect, "a person has made sure");
}

async fn a_flow_stays_paused_until_it_is_resumed(home: Home) {
    let store = home.open().await;
    assert_eq!(store.outbox().paused(&flow()).await.unwrap(), None);
    store.outbox().pause(&flow(), "the portal is moved", at(1)).await.unwrap();
    drop(store);
    let store = home.open().await;
    let pause = store.outbox().paused(&flow()).await.unwrap().unwrap();
    assert_eq!((pause.why.as_str(), pause.since), ("the portal is moved", at(1)));
    assert!(store.outbox().resume(&flow()).await.unwrap());
    assert!(!store.outbox().resume(&flow()).await.unwrap());
}

async fn names_are_known_whether_open_done_or_in_quarantine(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let mut read = batch(&[("a", 1), ("b", 1)]);
    let reason = "`MaTTHC` is missing".to_owned();
    let (source_key, position) = ("row-9".to_owned(), 9);
    read.quarantined.push(QuarantinedRow { source_key, ordering_key: None, position, reason });
    outbox.enqueue(&flow(), &read, at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    outbox.end(&flow(), message.ticket, Ending::Delivered, at(0)).await.unwrap();
    let names = ["a/1", "b/1", "row-9", "c/1"].map(str::to_owned);
    let known = outbox.known(&flow(), &names).await.unwrap();
    assert_eq!(Vec::from_iter(known), ["a/1", "b/1", "row-9"]);
    assert_eq!(outbox.oldest_position(&flow()).await.unwrap(), Some(1));
    assert_eq!(outbox.oldest_position(&"other".parse().unwrap()).await.unwrap(), None);
}

async fn many_endings_are_written_down_at_once(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let all = batch(&[("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]);
    outbox.enqueue(&flow(), &all, at(0)).await.unwrap();
    let claimed = claim(&store, 0).await;
    outbox.end(&flow(), claimed[4].ticket, Ending::Delivered, at(0)).await.unwrap();
    let endings = [
        Ending::Delivered,
        retry(at(9), Effect::Unknown),
        Ending::GiveBack,
        Ending::Bury(Effect::None, "policy.denied".to_owned()),
        Ending::Delivered,
    ];
    let ended: Vec<_> = claimed.iter().map(|m| m.ticket).zip(endings).collect();
    let lost = outbox.settle(&flow(), &ended, at(1)).await.unwrap();
    assert_eq!(lost, [claimed[4].ticket]);
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.delivered, counters.waiting, counters.dead), (2, 2, 1));
    assert_eq!(counters.retried, 1);
    assert_eq!(keys(&claim(&store, 1).await), ["c/1"]);
}

async fn flows_do_not_hold_each_other(home: Home) {
    let store = home.open().await;
    let other: FlowId = "other".parse().unwrap();
    store.outbox().enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    store.outbox().enqueue(&other, &batch(&[("a", 2)]), at(0)).await.unwrap();
    assert_eq!(claim(&store, 0).await.len(), 1);
    let claimed = store.outbox().claim(&other, at(0), &LEASE, 10).await.unwrap();
    assert_eq!(keys(&claimed), ["a/2"]);
}

on_both! {
    refuses_a_later_message_while_an_earlier_one_is_not_done,
    refuses_an_outcome_after_the_lease_was_given_to_another,
    refuses_an_outcome_of_a_claim_before_a_person_had_the_message_tried_again,
    refuses_an_outcome_of_an_earlier_claim_that_comes_with_one_of_the_present,
    refuses_a_message_that_rests_because_its_lease_ran_out,
    refuses_a_message_that_rests_because_its_process_ended,
    refuses_a_message_that_a_person_has_tried_again_until_it_has_rested,
    takes_a_message_once_even_after_it_was_delivered,
    a_dead_message_holds_its_key_and_no_other,
    a_quarantined_row_holds_the_later_ones_of_its_key_until_it_is_released,
    accepted_messages_survive_a_process_that_ends_at_any_step,
    an_attempt_cut_off_by_the_end_of_the_process_is_uncertain,
    who_is_alone_reads_at_once_although_the_last_reader_was_killed,
    a_message_given_back_counts_as_untried,
    a_batch_is_taken_whole_with_its_mark,
    a_row_put_between_others_goes_first_and_no_two_of_a_key_at_once,
    a_lease_that_ends_lets_an_earlier_message_go_first,
    a_known_first_message_does_not_keep_the_next_from_being_sent,
    a_message_replaces_the_one_before_it_that_says_the_same_and_was_never_tried,
    what_was_tried_once_is_never_replaced,
    a_withheld_message_is_gone_and_holds_nobody,
    a_dropped_letter_lets_the_next_of_its_key_go,
    an_erased_letter_is_tried_again_with_its_row_only,
    a_flow_stays_paused_until_it_is_resumed,
    names_are_known_whether_open_done_or_in_quarantine,
    many_endings_are_written_down_at_once,
    the_payload_is_gone_once_it_is_delivered_and_never_in_debug,
    flows_do_not_hold_each_other,
}

#[derive(Debug, Clone)]
enum Step {
    Enqueue(u8),
    Claim(u8),
    Settle(u8, u8),
    Reopen,
    Wait(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..3_u8).prop_map(Step::Enqueue),
        4 => (1..4_u8).prop_map(Step::Claim),
        6 => (0..4_u8, 0..3_u8).prop_map(|(which, how)| Step::Settle(which, how)),
        1 => Just(Step::Reopen),
        2 => (0..40_u8).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..40)
}

/// Carries out the steps and returns the deliveries in order.
async fn play(home: Home, steps: Vec<Step>) -> (Vec<(String, i64)>, u64) {
    let mut store = home.open().await;
    let (mut now, mut held, mut done) = (0, Vec::<Claimed>::new(), Vec::new());
    // Positions grow per case, as a source gives them.
    let mut next = [0_i64; 3];
    for step in steps {
        match step {
            Step::Enqueue(case) => {
                next[usize::from(case)] += 1;
                let case_name = format!("case-{case}");
                let one = batch(&[(&case_name, next[usize::from(case)])]);
                store.outbox().enqueue(&flow(), &one, at(now)).await.unwrap();
            }
            Step::Claim(limit) => {
                let limit = u32::from(limit);
                let got = store.outbox().claim(&flow(), at(now), &LEASE, limit).await.unwrap();
                held.extend(got);
            }
            Step::Settle(which, how) if !held.is_empty() => {
                let message = held.remove(usize::from(which) % held.len());
                let outbox = store.outbox();
                let settled = match how {
                    0 => {
                        outbox
                            .end(
                                &flow(),
                                message.ticket,
                                retry(at(now + 5), Effect::Unknown),
                                at(0),
                            )
                            .await
                    }
                    1 => outbox.end(&flow(), message.ticket, Ending::GiveBack, at(0)).await,
                    _ => outbox.end(&flow(), message.ticket, Ending::Delivered, at(now)).await,
                };
                if how == 2 && settled.is_ok() {
                    let position = message.idempotency_key.split_once('/').unwrap().1;
                    done.push((message.ordering_key, position.parse().unwrap()));
                }
            }
            Step::Settle(..) => {}
            Step::Reopen => {
                drop(store);
                store = home.open().await;
                recover(&store, now).await;
            }
            Step::Wait(seconds) => now += i64::from(seconds),
        }
    }
    let counters = store.outbox().counters(&flow()).await.unwrap();
    let open = counters.waiting + u64::try_from(done.len()).unwrap();
    assert_eq!(open, counters.enqueued);
    (done, counters.delivered)
}

fn each_case_is_delivered_in_order_and_once(
    home: Home,
    steps: Vec<Step>,
) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (done, delivered) = runtime.block_on(play(home, steps));
    prop_assert_eq!(done.len() as u64, delivered);
    for case in ["case-0", "case-1", "case-2"] {
        let order: Vec<i64> =
            done.iter().filter(|(c, _)| c == case).map(|(_, position)| *position).collect();
        let expected: Vec<i64> = (1..).take(order.len()).collect();
        prop_assert_eq!(order, expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_each_case_is_delivered_in_order_and_once(steps in steps()) {
        each_case_is_delivered_in_order_and_once(Home::sqlite(), steps)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn whatever_happens_on_a_server_each_case_is_delivered_in_order_and_once(steps in steps()) {
        each_case_is_delivered_in_order_and_once(Home::postgres(), steps)?;
    }
}
