use proptest::prelude::*;

use super::*;
use crate::testing::{Home, on_both};

const LEASE: SignedDuration = SignedDuration::from_secs(30);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn flow() -> FlowId {
    "cases".parse().unwrap()
}

fn message(case: &str, position: i64) -> NewMessage {
    NewMessage {
        kind: "sync".to_owned(),
        idempotency_key: format!("{case}/{position}"),
        ordering_key: case.to_owned(),
        position,
        payload: Sensitive::new(format!("{case} {position}").into_bytes()),
    }
}

fn batch(messages: &[(&str, i64)]) -> Batch {
    let messages = messages.iter().map(|(case, position)| message(case, *position)).collect();
    Batch { messages, ..Batch::default() }
}

async fn claim(store: &Store, second: i64) -> Vec<Claimed> {
    store.outbox().claim(&flow(), at(second), LEASE, 100).await.unwrap()
}

fn keys(claimed: &[Claimed]) -> Vec<&str> {
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
    outbox.retry(first[0].ticket, at(60), Effect::None, "busy").await.unwrap();
    outbox.delivered(first[1].ticket, at(1)).await.unwrap();
    assert!(claim(&store, 59).await.is_empty());
    let again = claim(&store, 60).await;
    assert_eq!(keys(&again), ["a/1"]);
    assert_eq!(again[0].attempts, 2);
    outbox.delivered(again[0].ticket, at(61)).await.unwrap();
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
    assert!(lost(outbox.delivered(slow.ticket, at(31)).await));
    assert!(lost(outbox.retry(slow.ticket, at(31), Effect::None, "x").await));
    assert!(lost(outbox.bury(slow.ticket, Effect::None, "x", at(31)).await));
    assert!(lost(outbox.give_back(slow.ticket).await));
    outbox.delivered(quick.ticket, at(31)).await.unwrap();
}

async fn takes_a_message_once_even_after_it_was_delivered(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let one = batch(&[("a", 1)]);
    let first = outbox.enqueue(&flow(), &one, at(0)).await.unwrap();
    assert_eq!(first, Enqueued { new: 1, known: 0 });
    let message = claim(&store, 0).await.remove(0);
    outbox.delivered(message.ticket, at(1)).await.unwrap();
    let second = outbox.enqueue(&flow(), &one, at(2)).await.unwrap();
    assert_eq!(second, Enqueued { new: 0, known: 1 });
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
    outbox.bury(first[0].ticket, Effect::None, "policy.denied", at(1)).await.unwrap();
    outbox.delivered(first[1].ticket, at(1)).await.unwrap();
    assert_eq!(keys(&claim(&store, 2).await), ["b/2"]);
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.waiting, counters.held, counters.dead), (2, 1, 1));
    let letters = outbox.dead(&flow(), 10).await.unwrap();
    assert_eq!((letters[0].key.as_str(), letters[0].reason.as_str()), ("a/1", "policy.denied"));
    assert!(!outbox.replay(&flow(), "a/2", at(3)).await.unwrap());
    assert!(outbox.replay(&flow(), "a/1", at(3)).await.unwrap());
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
    outbox.delivered(first[0].ticket, at(1)).await.unwrap();
    assert!(claim(&store, 1).await.is_empty());
    assert_eq!(outbox.next_ready(&flow()).await.unwrap(), Some(at(30)));
    assert_eq!(outbox.quarantined(&flow(), "", 10).await.unwrap(), [row]);
    let mut mended = batch(&[("a", 2)]);
    mended.released.push("row-2".to_owned());
    outbox.enqueue(&flow(), &mended, at(2)).await.unwrap();
    let second = claim(&store, 2).await;
    assert_eq!(keys(&second), ["a/2"]);
    outbox.delivered(second[0].ticket, at(3)).await.unwrap();
    assert_eq!(keys(&claim(&store, 3).await), ["a/3"]);
}

async fn accepted_messages_survive_a_process_that_ends_at_any_step(home: Home) {
    for step in 0..5 {
        let store = home.open().await;
        let outbox = store.outbox();
        outbox.recover().await.unwrap();
        let case = format!("case-{step}");
        outbox.enqueue(&flow(), &batch(&[(&case, 1)]), at(0)).await.unwrap();
        let claimed = if step > 0 { claim(&store, step).await } else { Vec::new() };
        if step > 3 {
            for message in &claimed {
                outbox.delivered(message.ticket, at(step)).await.unwrap();
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
    assert_eq!(store.outbox().recover().await.unwrap(), 1);
    let message = claim(&store, 1).await.remove(0);
    assert_eq!((message.earlier, message.attempts), (Earlier::Uncertain, 2));
}

async fn a_message_given_back_counts_as_untried(home: Home) {
    let store = home.open().await;
    store.outbox().enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    store.outbox().give_back(message.ticket).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    assert_eq!((message.earlier, message.attempts), (Earlier::NoEffect, 1));
}

async fn a_batch_is_taken_whole_with_its_watermark(home: Home) {
    let store = home.open().await;
    let mut read = batch(&[("a", 1)]);
    read.watermark = Some(17);
    store.outbox().enqueue(&flow(), &read, at(0)).await.unwrap();
    read.watermark = Some(3);
    store.outbox().enqueue(&flow(), &read, at(0)).await.unwrap();
    assert_eq!(store.outbox().watermark(&flow()).await.unwrap(), Some(17));
}

async fn the_payload_is_gone_once_it_is_delivered_and_never_in_debug(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("secret", 1)]), at(0)).await.unwrap();
    let message = claim(&store, 0).await.remove(0);
    assert_eq!(message.payload.expose(), b"secret 1");
    assert!(!format!("{:?}", message.payload).contains("secret"));
    assert!(!message.follows);
    outbox.delivered(message.ticket, at(1)).await.unwrap();
    let mut snapshot = store.read().await.unwrap();
    let payload = "SELECT payload FROM outbox";
    let left: Vec<u8> = ask!(&mut snapshot, |c| sqlx::query_scalar(payload).fetch_one(c)).unwrap();
    assert!(left.is_empty());
    outbox.enqueue(&flow(), &batch(&[("secret", 2)]), at(2)).await.unwrap();
    assert_eq!(outbox.forget_delivered(at(2), 10).await.unwrap(), 1);
    assert!(claim(&store, 3).await[0].follows);
}

async fn flows_do_not_hold_each_other(home: Home) {
    let store = home.open().await;
    let other: FlowId = "other".parse().unwrap();
    store.outbox().enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    store.outbox().enqueue(&other, &batch(&[("a", 2)]), at(0)).await.unwrap();
    assert_eq!(claim(&store, 0).await.len(), 1);
    let claimed = store.outbox().claim(&other, at(0), LEASE, 10).await.unwrap();
    assert_eq!(keys(&claimed), ["a/2"]);
}

on_both! {
    refuses_a_later_message_while_an_earlier_one_is_not_done,
    refuses_an_outcome_after_the_lease_was_given_to_another,
    takes_a_message_once_even_after_it_was_delivered,
    a_dead_message_holds_its_key_and_no_other,
    a_quarantined_row_holds_the_later_ones_of_its_key_until_it_is_released,
    accepted_messages_survive_a_process_that_ends_at_any_step,
    an_attempt_cut_off_by_the_end_of_the_process_is_uncertain,
    a_message_given_back_counts_as_untried,
    a_batch_is_taken_whole_with_its_watermark,
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
                let got = store.outbox().claim(&flow(), at(now), LEASE, limit).await.unwrap();
                held.extend(got);
            }
            Step::Settle(which, how) if !held.is_empty() => {
                let message = held.remove(usize::from(which) % held.len());
                let outbox = store.outbox();
                let settled = match how {
                    0 => outbox.retry(message.ticket, at(now + 5), Effect::Unknown, "x").await,
                    1 => outbox.give_back(message.ticket).await,
                    _ => outbox.delivered(message.ticket, at(now)).await,
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
                store.outbox().recover().await.unwrap();
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
