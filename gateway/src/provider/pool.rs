//! Connections that wait for their next request, by event loop.
//!
//! Bounded in number, age and idle time. What a provider has closed is found before it is used
//! again, by driving it once with the next request, and every few seconds otherwise.

use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    task::{Context, Waker},
    time::Duration,
};

use tokio::time::Instant;

use super::link::Link;

/// How long a connection may wait for its next request.
const IDLE: Duration = Duration::from_secs(30);
/// How old a connection may become: names and certificates of providers change.
const AGE: Duration = Duration::from_secs(600);
/// How often waiting connections are looked at.
const SWEEP: Duration = Duration::from_secs(5);

/// A connection and since when it waits.
struct Waiting {
    link: Box<Link>,
    since: Instant,
}

impl Waiting {
    fn is_fresh(&self, now: Instant) -> bool {
        now.duration_since(self.since) < IDLE && now.duration_since(self.link.born) < AGE
    }
}

/// The waiting connections of one thread, by provider; the longest waiting first.
struct Pool {
    waiting: BTreeMap<u64, VecDeque<Waiting>>,
    sweeping: bool,
}

thread_local! {
    /// PERF: one pool a thread, so that an exchange stays on the event loop that accepted it.
    static POOL: RefCell<Pool> =
        const { RefCell::new(Pool { waiting: BTreeMap::new(), sweeping: false }) };
}

/// Takes the connection that was used last.
pub(super) fn take(provider: u64) -> Option<Box<Link>> {
    let now = Instant::now();
    POOL.with_borrow_mut(|pool| {
        let waiting = pool.waiting.get_mut(&provider)?;
        std::iter::from_fn(|| waiting.pop_back()).find(|last| last.is_fresh(now))
    })
    .map(|last| last.link)
}

/// Keeps a connection for the next request, unless as many wait already as may.
pub(super) fn put(link: Box<Link>) {
    let most = link.spares;
    let start = POOL.with_borrow_mut(|pool| {
        let waiting = pool.waiting.entry(link.provider).or_default();
        if waiting.len() < most {
            waiting.push_back(Waiting { link, since: Instant::now() });
        }
        !std::mem::replace(&mut pool.sweeping, true)
    });
    if start {
        tokio::spawn(sweep(Sweeping));
    }
}

/// Closes what is too old or was closed by its provider, for as long as anything waits.
async fn sweep(_sweeping: Sweeping) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let now = Instant::now();
        let mut context = Context::from_waker(Waker::noop());
        let empty = POOL.with_borrow_mut(|pool| {
            pool.waiting.retain(|_, waiting| {
                waiting.retain_mut(|one| {
                    one.is_fresh(now) && one.link.poll_drive(&mut context).is_pending()
                });
                !waiting.is_empty()
            });
            pool.waiting.is_empty()
        });
        if empty {
            return;
        }
    }
}

/// Notes that a sweep runs, for as long as it does.
struct Sweeping;

impl Drop for Sweeping {
    fn drop(&mut self) {
        // A thread that ends has no pool any more.
        POOL.try_with(|pool| pool.borrow_mut().sweeping = false).unwrap_or_default();
    }
}
