//! Waiting for the disk together: of the exchanges of one event loop whose entries share a batch, one
//! is woken by the log, and wakes the others.
//!
//! PERF: waking a task of another thread is a system call for each; waking one of the same thread is
//! none. Must never leave anybody waiting: who leads and goes away lets the others wait alone.

use std::{
    cell::RefCell,
    future::poll_fn,
    mem,
    sync::{Arc, Mutex, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use lienthong_evidence::log::{AppendError, BatchId, Queued, Receipt};

use super::turn;

thread_local! {
    static NEWEST: RefCell<Weak<Group>> = const { RefCell::new(Weak::new()) };
}

/// Those of one event loop who wait for one batch.
struct Group {
    batch: BatchId,
    /// None when whoever leads has stopped waiting.
    waiting: Mutex<Option<Vec<Waker>>>,
}

impl Group {
    fn poll(&self, context: &Context<'_>) -> Poll<()> {
        match self.waiting.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            Some(waiting) => {
                waiting.push(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

/// Whoever came first. Lets the others go on when it stops waiting, for whatever reason.
struct Leader(Arc<Group>);

impl Drop for Leader {
    fn drop(&mut self) {
        turn::end();
        let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = mem::take(&mut *waiting);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }
}

/// Joins the group that waits for the same batch; begins one when there is none.
fn join(batch: BatchId) -> Result<Arc<Group>, Leader> {
    NEWEST.with_borrow_mut(|newest| match newest.upgrade() {
        Some(group) if group.batch == batch => Ok(group),
        _ => {
            let group = Arc::new(Group { batch, waiting: Mutex::new(Some(Vec::new())) });
            *newest = Arc::downgrade(&group);
            Err(Leader(group))
        }
    })
}

/// Waits until an entry is durable, for at most about twice `patience`; none when that passed.
pub(super) async fn durable(
    queued: Queued,
    patience: Duration,
) -> Option<Result<Receipt, AppendError>> {
    match join(queued.batch()) {
        Ok(group) => {
            poll_fn(|context| group.poll(context)).await;
            // It is there, unless whoever led went away.
            tokio::time::timeout(patience, queued).await.ok()
        }
        Err(leader) => {
            // A loop that is never idle ends its turn here.
            tokio::task::yield_now().await;
            turn::end();
            let receipt = tokio::time::timeout(patience, queued).await.ok();
            drop(leader);
            receipt
        }
    }
}

#[cfg(test)]
mod tests;
