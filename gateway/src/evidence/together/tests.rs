use lienthong_evidence::{
    log::{Closing, Log, Settings},
    note::Signer,
};
use tempfile::TempDir;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn log(directory: &TempDir) -> Log {
    let signer = Signer::generate("node.example").unwrap();
    let closing = Closing::new(|_| Vec::new());
    Log::open(Settings::new(directory.path().to_owned(), signer, closing)).unwrap().0
}

#[tokio::test]
async fn everybody_gets_a_receipt() {
    let directory = TempDir::new().unwrap();
    let log = log(&directory);
    for _ in 0..20 {
        let queued = (0..100).map(|n| durable(log.append(&[b'a' + n % 26]).unwrap(), PATIENCE));
        let receipts = futures_util::future::join_all(queued).await;
        assert!(receipts.iter().all(|receipt| matches!(receipt, Some(Ok(_)))));
    }
    assert_eq!(log.status().size, 2_000);
}

/// The consumer of the exchange that leads goes away.
#[tokio::test]
async fn nobody_waits_for_one_who_has_gone() {
    let directory = TempDir::new().unwrap();
    let log = log(&directory);
    for _ in 0..200 {
        let mut leader = Box::pin(durable(log.append(b"first").unwrap(), PATIENCE));
        let mut member = Box::pin(durable(log.append(b"second").unwrap(), PATIENCE));
        // Both have begun to wait, where the disk has not been quicker.
        let begun = poll_fn(|context| {
            Poll::Ready((leader.as_mut().poll(context), member.as_mut().poll(context)))
        });
        let (_, second) = begun.await;
        drop(leader);
        let receipt = match second {
            Poll::Ready(receipt) => receipt,
            Poll::Pending => member.await,
        };
        assert!(matches!(receipt, Some(Ok(_))));
    }
}
