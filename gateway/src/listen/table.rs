//! The connections of one event loop.
//!
//! Holds the vitals of each, and applies deadlines, rechecks and the drain to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    ListenSettings, Serve, Shared,
    counts::count,
    vitals::{Ending, Vitals},
};

/// How long a connection without standing may still finish an answer.
const REVOKED_GRACE: Duration = Duration::from_millis(400);
/// How long an idle connection may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);

/// The connections of one event loop, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Table {
    inner: Mutex<Inner>,
    /// Wakes whoever waits for the table to be empty.
    pub(super) emptied: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    handshaking: BTreeMap<u64, Arc<Vitals>>,
    open: BTreeMap<u64, Arc<Vitals>>,
}

impl Table {
    /// Adds a connection whose handshake begins. When `limit` others are at that point the oldest
    /// ends: a real one takes milliseconds, so old ones are those that hold places on purpose.
    pub(super) fn add(&self, vitals: Arc<Vitals>, limit: usize) -> (u64, Evicted) {
        let mut inner = self.lock();
        let mut evicted = Evicted::None;
        if inner.handshaking.len() >= limit.max(1)
            && let Some((_, oldest)) = inner.handshaking.pop_first()
        {
            oldest.abort();
            evicted = Evicted::Oldest;
        }
        let id = inner.next;
        inner.next += 1;
        inner.handshaking.insert(id, vitals);
        (id, evicted)
    }

    /// The handshake of a connection is over.
    pub(super) fn open(&self, id: u64, vitals: Arc<Vitals>) {
        let mut inner = self.lock();
        inner.handshaking.remove(&id);
        inner.open.insert(id, vitals);
    }

    /// A connection is gone.
    pub(super) fn remove(&self, id: u64) {
        let mut inner = self.lock();
        inner.handshaking.remove(&id);
        inner.open.remove(&id);
        if inner.handshaking.is_empty() && inner.open.is_empty() {
            self.emptied.notify_one();
        }
    }

    /// Whether no connection is left.
    pub(super) fn is_empty(&self) -> bool {
        let inner = self.lock();
        inner.handshaking.is_empty() && inner.open.is_empty()
    }

    /// Ends connections past a deadline.
    pub(super) fn sweep<S>(&self, now: u64, shared: &Shared<S>) {
        let inner = self.lock();
        for vitals in inner.handshaking.values().chain(inner.open.values()) {
            let Some(ending) = vitals.overdue(now, &shared.settings) else {
                continue;
            };
            tracing::debug!(?ending, "connection ends");
            apply(vitals, ending, &shared.settings);
            if matches!(ending, Ending::Head | Ending::Stall) {
                count(&shared.counters.deadlines);
            }
        }
    }

    /// Ends connections whose peer lost its standing.
    pub(super) fn recheck<S: Serve>(&self, shared: &Shared<S>) {
        // The standing is judged by others' code: not under the lock.
        let open: Vec<_> = self.lock().open.values().cloned().collect();
        for vitals in open {
            check(&vitals, shared);
        }
    }

    /// Asks every connection to finish.
    pub(super) fn finish(&self, grace: Duration) {
        let inner = self.lock();
        inner.handshaking.values().for_each(|vitals| vitals.abort());
        inner.open.values().for_each(|vitals| vitals.finish(grace));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a handshake had to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evicted {
    /// There was room.
    None,
    /// The oldest handshake was ended.
    Oldest,
}

/// Ends one connection if its peer lost its standing.
pub(super) fn check<S: Serve>(vitals: &Vitals, shared: &Shared<S>) {
    let Some(peer) = vitals.peer() else {
        return;
    };
    if let Err(reason) = shared.standing(peer) {
        let serial = peer.certificate.serial_hex();
        tracing::info!(%reason, serial, "connection ends: its peer lost its standing");
        count(&shared.counters.revoked);
        vitals.finish(REVOKED_GRACE);
    }
}

fn apply(vitals: &Vitals, ending: Ending, settings: &ListenSettings) {
    match ending {
        Ending::Idle => vitals.finish(GOODBYE),
        Ending::Age => vitals.finish(settings.drain.max(settings.max_answer)),
        Ending::Handshake | Ending::Head | Ending::Stall | Ending::Overdue => vitals.abort(),
    }
}
