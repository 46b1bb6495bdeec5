use super::*;
use crate::{
    outbox::{
        Ending,
        tests::{at, batch, claim, flow},
    },
    testing::{Home, on_both},
};

fn receipt(id: &str) -> Receipt {
    Receipt {
        id: id.to_owned(),
        digest: "00".repeat(32),
        content: format!("{{\"id\":\"{id}\"}}"),
        signature: "signed".to_owned(),
    }
}

async fn a_receipt_of_a_lease_that_was_lost_is_not_kept(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1)]), at(0)).await.unwrap();
    let slow = claim(&store, 0).await.remove(0);
    let quick = claim(&store, 30).await.remove(0);
    let ended = [
        (slow.ticket, Ending::Receipted(receipt("slow"))),
        (quick.ticket, Ending::Receipted(receipt("quick"))),
    ];
    assert_eq!(outbox.settle(&flow(), &ended, at(31)).await.unwrap(), [slow.ticket]);
    let kept = outbox.receipts(&flow(), None, 10).await.unwrap();
    let names: Vec<_> = kept.iter().map(|kept| (kept.key.as_str(), &*kept.receipt.id)).collect();
    assert_eq!(names, [("a/1", "quick")]);
    assert_eq!((kept[0].at, &kept[0].receipt), (at(31), &receipt("quick")));
    assert_eq!(outbox.counters(&flow()).await.unwrap().delivered, 1);
}

async fn receipts_are_found_by_key_and_forgotten_by_age(home: Home) {
    let store = home.open().await;
    let outbox = store.outbox();
    outbox.enqueue(&flow(), &batch(&[("a", 1), ("b", 1)]), at(0)).await.unwrap();
    for (second, message) in [1, 2].into_iter().zip(claim(&store, 0).await) {
        let ending = Ending::Receipted(receipt(&message.idempotency_key));
        outbox.end(&flow(), message.ticket, ending, at(second)).await.unwrap();
    }
    assert!(outbox.receipts(&flow(), Some("c/1"), 10).await.unwrap().is_empty());
    let found = outbox.receipts(&flow(), Some("b/1"), 10).await.unwrap();
    assert_eq!((found.len(), found[0].receipt.id.as_str()), (1, "b/1"));
    let newest = outbox.receipts(&flow(), None, 1).await.unwrap();
    assert_eq!(newest[0].key, "b/1");
    assert_eq!(outbox.forget_receipts(at(2), 10).await.unwrap(), 1);
    assert!(outbox.receipts(&flow(), Some("a/1"), 10).await.unwrap().is_empty());
}

on_both! {
    a_receipt_of_a_lease_that_was_lost_is_not_kept,
    receipts_are_found_by_key_and_forgotten_by_age,
}
