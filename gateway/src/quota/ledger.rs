//! The task that leases from the store: the only place where a limit waits for the disk.
//!
//! Takes wishes, one at a time of each agreement, and puts what it leased into the agreement's day
//! whether or not the request that wished for it still waits.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use lienthong_model::id::AgreementId;
use lienthong_store::{Store, StoreError, quota::Usage};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::{counters::Counters, day::Wish};

/// Most wishes that wait. Each agreement has one at most.
const MAX_WISHES: usize = 16_384;

/// The way to the task.
#[derive(Debug)]
pub(super) struct Ledger {
    orders: mpsc::Sender<Order>,
    failing: Arc<AtomicBool>,
}

#[derive(Debug)]
enum Order {
    Lease(Arc<Counters>, Wish),
    Close(Vec<Arc<Counters>>, oneshot::Sender<()>),
}

impl Ledger {
    /// Leases from this store; gives the counters in it.
    pub(super) async fn open(
        store: Arc<Store>,
    ) -> Result<(Self, Vec<(AgreementId, Usage)>), StoreError> {
        let known = store.quota().all().await?;
        let (orders, received) = mpsc::channel(MAX_WISHES);
        let failing = Arc::new(AtomicBool::new(false));
        tokio::spawn(serve(store, received, Arc::clone(&failing)));
        Ok((Self { orders, failing }, known))
    }

    /// Asks for a lease.
    pub(super) fn wish(&self, counters: &Arc<Counters>, wish: Wish) {
        if self.orders.try_send(Order::Lease(Arc::clone(counters), wish)).is_err() {
            counters.day().failed();
            counters.leased.notify_waiters();
        }
    }

    /// Whether the last lease could not be had.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Gives back what is left of every lease.
    pub(super) async fn close(&self, agreements: Vec<Arc<Counters>>) {
        let (closed, end) = oneshot::channel();
        if self.orders.send(Order::Close(agreements, closed)).await.is_ok() {
            end.await.ok();
        }
    }
}

async fn serve(store: Arc<Store>, mut orders: mpsc::Receiver<Order>, failing: Arc<AtomicBool>) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Lease(counters, wish) => {
                let Wish { today, units, limit } = wish;
                let lease = store.quota().lease(&counters.agreement, today, units, limit).await;
                failing.store(lease.is_err(), Ordering::Release);
                match lease {
                    Ok(lease) => counters.day().leased(&lease),
                    Err(failure) => {
                        tell(&counters.agreement, &failure);
                        counters.day().failed();
                    }
                }
                counters.leased.notify_waiters();
            }
            Order::Close(agreements, closed) => {
                give_back(&store, agreements).await;
                closed.send(()).ok();
                return;
            }
        }
    }
}

async fn give_back(store: &Store, agreements: Vec<Arc<Counters>>) {
    for counters in agreements {
        let Some(unused) = counters.day().drain() else { continue };
        let (agreement, quota) = (&counters.agreement, store.quota());
        if let Err(failure) = quota.give_back(agreement, unused.date, unused.units).await {
            tell(agreement, &failure);
        }
    }
}

fn tell(agreement: &AgreementId, failure: &StoreError) {
    let cause = std::error::Error::source(failure).map(ToString::to_string).unwrap_or_default();
    error!(target: "quota", %agreement, error = %failure, cause, "the counter cannot be kept");
}
