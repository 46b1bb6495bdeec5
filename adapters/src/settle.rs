//! Writing down what became of the messages of a flow, many in one transaction.
//!
//! Whoever tried a message hands in how it ended and waits until that is durable. What comes in while
//! a transaction is under way goes into the next one together.

use std::sync::Arc;

use lienthong_model::{clock::Clock, id::FlowId};
use lienthong_store::{
    Store, StoreError,
    outbox::{Ending, Ticket},
};
use tokio::sync::{mpsc, oneshot};

/// Endings of one transaction at most.
const AT_ONCE: usize = 512;
/// Endings that wait at most; whoever comes later waits to hand in.
const WAITING: usize = 1_024;

/// Takes endings.
#[derive(Debug, Clone)]
pub(crate) struct Settler {
    sender: mpsc::Sender<Entry>,
}

#[derive(Debug)]
struct Entry {
    ticket: Ticket,
    ending: Ending,
    written: oneshot::Sender<Written>,
}

/// Whether an ending was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    Durable,
    /// Someone else has the message.
    LeaseLost,
    /// The store failed: nobody knows.
    Failed,
}

impl Settler {
    /// The settler of a flow, and its work until every clone of it is gone.
    pub(crate) fn new(
        flow: FlowId,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
    ) -> (Self, impl Future<Output = Result<(), StoreError>> + Send) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender }, work(flow, store, clock, receiver))
    }

    /// Hands in how an attempt ended; returns when it is durable or cannot be.
    pub(crate) async fn settle(&self, ticket: Ticket, ending: Ending) -> Written {
        let (written, hear) = oneshot::channel();
        if self.sender.send(Entry { ticket, ending, written }).await.is_err() {
            return Written::Failed;
        }
        hear.await.unwrap_or(Written::Failed)
    }
}

async fn work(
    flow: FlowId,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    mut receiver: mpsc::Receiver<Entry>,
) -> Result<(), StoreError> {
    let mut entries = Vec::with_capacity(AT_ONCE);
    while receiver.recv_many(&mut entries, AT_ONCE).await > 0 {
        let mut waiting = Vec::with_capacity(entries.len());
        let mut ended = Vec::with_capacity(entries.len());
        for entry in entries.drain(..) {
            ended.push((entry.ticket, entry.ending));
            waiting.push((entry.ticket, entry.written));
        }
        // What waits hears of a failure by its channel's end.
        let lost = store.outbox().settle(&flow, &ended, clock.now()).await?;
        for (ticket, written) in waiting {
            let how = if lost.contains(&ticket) { Written::LeaseLost } else { Written::Durable };
            // Whoever does not wait any more has been told to stop.
            written.send(how).unwrap_or(());
        }
    }
    Ok(())
}
