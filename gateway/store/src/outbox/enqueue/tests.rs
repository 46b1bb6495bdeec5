use super::{super::tests::*, *};
use crate::{
    outbox::Ending,
    testing::{Home, on_both},
};

fn asked(messages: &[(&str, i64)]) -> Batch {
    Batch { names: Names::Asked, ..batch(messages) }
}

async fn a_name_that_was_thought_to_be_new_is_not_taken_twice(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &asked(&[("a", 1), ("b", 1)]), at(0)).await.unwrap();
    let mut again = asked(&[("c", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 2), ("c", 2)]);
    again.mark = Some("7".to_owned());
    let taken = outbox.enqueue(&flow(), &again, at(1)).await.unwrap();
    assert_eq!(taken, Enqueued { new: 4, known: 2, superseded: 0, unkept: 0 });
    assert_eq!(outbox.mark(&flow()).await.unwrap().as_deref(), Some("7"));
    let first = claim(&store, 1).await;
    assert_eq!(keys(&first), ["a/1", "b/1", "c/1"]);
    for message in first {
        outbox.end(&flow(), message.ticket, Ending::Delivered, at(1)).await.unwrap();
    }
    assert_eq!(keys(&claim(&store, 1).await), ["a/2", "b/2", "c/2"]);
    let counters = outbox.counters(&flow()).await.unwrap();
    assert_eq!((counters.enqueued, counters.duplicates, counters.waiting), (6, 2, 3));
}

async fn what_was_asked_for_arrives_as_it_is(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let payloads: [Vec<u8>; 4] = [
        Vec::new(),
        vec![0, 255, b'\\', b'\n', b'\t', b'N'],
        (0..=255).cycle().take(300_000).collect(),
        "Nguyễn \u{0} Thị".as_bytes().to_vec(),
    ];
    let message = |(n, payload): (usize, &Vec<u8>)| NewMessage {
        payload: Sensitive::new(payload.clone()),
        kind: "đồng bộ\t\"'".to_owned(),
        replaces: (n == 1).then(|| "sync 2".to_owned()),
        ..message(&format!("hồ sơ {n}"), i64::MIN + i64::try_from(n).unwrap())
    };
    let messages: Vec<NewMessage> = payloads.iter().enumerate().map(message).collect();
    let batch = Batch { messages: messages.clone(), names: Names::Asked, ..Batch::default() };
    assert_eq!(outbox.enqueue(&flow(), &batch, at(0)).await.unwrap().new, 4);
    let claimed = claim(&store, 0).await;
    assert_eq!(claimed.len(), 4);
    for (sent, got) in messages.iter().zip(&claimed) {
        assert_eq!(sent.payload.expose(), got.payload.expose());
        assert_eq!((&sent.kind, &sent.ordering_key), (&got.kind, &got.ordering_key));
        assert_eq!(sent.idempotency_key, got.idempotency_key);
    }
}

async fn of_a_batch_that_was_asked_for_the_first_of_each_key_waits(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let mut held = asked(&[]);
    held.quarantined.push(QuarantinedRow {
        source_key: "d/1".to_owned(),
        ordering_key: Some("d".to_owned()),
        position: 1,
        reason: "no date".to_owned(),
    });
    outbox.enqueue(&flow(), &held, at(0)).await.unwrap();
    // Those of `b` come in the wrong order, and the first of `d` stands behind a row in quarantine.
    let all = asked(&[("a", 1), ("b", 2), ("a", 2), ("b", 1), ("d", 2)]);
    outbox.enqueue(&flow(), &all, at(0)).await.unwrap();
    assert_eq!(keys(&claim(&store, 0).await), ["a/1", "b/1"]);
    outbox.enqueue(&flow(), &asked(&[("c", 1), ("a", 3), ("d", 3)]), at(0)).await.unwrap();
    assert_eq!(keys(&claim(&store, 0).await), ["c/1"]);
}

async fn nothing_is_taken_of_a_batch_that_cannot_be(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    let mut wrong = asked(&[("a", 1), ("b", 1)]);
    wrong.mark = Some("7".to_owned());
    wrong.reader = Some("nobody".to_owned());
    assert!(outbox.enqueue(&flow(), &wrong, at(0)).await.is_err());
    assert_eq!(outbox.open(&flow()).await.unwrap(), 0);
    assert_eq!(outbox.mark(&flow()).await.unwrap(), None);
}

on_both!(
    a_name_that_was_thought_to_be_new_is_not_taken_twice,
    what_was_asked_for_arrives_as_it_is,
    of_a_batch_that_was_asked_for_the_first_of_each_key_waits,
    nothing_is_taken_of_a_batch_that_cannot_be,
);
