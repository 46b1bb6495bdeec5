//! The state of one connection that its event loop watches: what it waits for, and since when.
//!
//! The connection notes what happens, at the cost of an atomic store; the event loop looks at all
//! connections ten times a second and orders those past a deadline to end. Times are milliseconds
//! of the loop's coarse clock.

use std::{
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::Notify, time::Instant};

use super::{ListenSettings, Peer};
use crate::framing::{Violation, Watch};

/// A clock that moves when its event loop looks round.
#[derive(Debug)]
pub(super) struct CoarseClock {
    epoch: Instant,
    millis: AtomicU64,
}

impl CoarseClock {
    /// Starts at 1: 0 means "never" in [`Vitals`].
    pub(super) fn start() -> Self {
        Self { epoch: Instant::now(), millis: AtomicU64::new(1) }
    }

    /// Moves to the present; gives it.
    pub(super) fn tick(&self) -> u64 {
        let now = millis(self.epoch.elapsed()).saturating_add(1);
        self.millis.store(now, Relaxed);
        now
    }

    fn now(&self) -> u64 {
        self.millis.load(Relaxed)
    }
}

/// What a connection is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing yet.
    Serve,
    /// Finish what is in flight, take nothing new.
    Finish,
    /// End now.
    Abort,
}

/// Why a connection must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The handshake took too long.
    Handshake,
    /// A request's head took too long.
    Head,
    /// The peer took no byte of an answer for too long.
    Stall,
    /// Nothing was asked for too long.
    Idle,
    /// The connection is too old.
    Age,
    /// It did not end in time after it was asked to.
    Overdue,
}

/// One connection as its event loop sees it.
#[derive(Debug)]
pub(super) struct Vitals {
    clock: Arc<CoarseClock>,
    born: u64,
    peer: OnceLock<Arc<Peer>>,
    asked: AtomicBool,
    in_flight: AtomicU32,
    /// Since when nothing is in flight.
    quiet_since: AtomicU64,
    /// Since when a head is arriving; 0 when none is.
    head_since: AtomicU64,
    /// Since when the socket takes no byte; 0 when it does.
    stalled_since: AtomicU64,
    /// Answers on their way, each with its latest progress.
    answers: Mutex<Vec<(u32, u64)>>,
    next_answer: AtomicU32,
    /// When to abort after `Finish`; 0 when not finishing.
    abort_at: AtomicU64,
    order: AtomicU8,
    ordered: Notify,
    violated: AtomicBool,
}

impl Vitals {
    /// A connection whose handshake begins now.
    pub(super) fn new(clock: Arc<CoarseClock>) -> Self {
        let born = clock.now();
        Self {
            clock,
            born,
            peer: OnceLock::new(),
            asked: AtomicBool::new(false),
            in_flight: AtomicU32::new(0),
            quiet_since: AtomicU64::new(born),
            head_since: AtomicU64::new(0),
            stalled_since: AtomicU64::new(0),
            answers: Mutex::new(Vec::new()),
            next_answer: AtomicU32::new(0),
            abort_at: AtomicU64::new(0),
            order: AtomicU8::new(0),
            ordered: Notify::new(),
            violated: AtomicBool::new(false),
        }
    }

    /// The handshake is over.
    pub(super) fn opened(&self, peer: Arc<Peer>) {
        self.quiet_since.store(self.clock.now(), Relaxed);
        // A connection has one handshake, so the place is free.
        self.peer.get_or_init(|| peer);
    }

    /// Who is connected; nobody before the handshake is over.
    pub(super) fn peer(&self) -> Option<&Arc<Peer>> {
        self.peer.get()
    }

    /// A request begins; it lasts until the value is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.asked.store(true, Relaxed);
        self.in_flight.fetch_add(1, Relaxed);
        InFlight { vitals: self.clone(), answer: None }
    }

    /// The socket takes no byte, or takes bytes again.
    pub(super) fn stalled(&self, stalled: bool) {
        if !stalled {
            self.stalled_since.store(0, Relaxed);
        } else if self.stalled_since.load(Relaxed) == 0 {
            self.stalled_since.store(self.clock.now(), Relaxed);
        }
    }

    /// Whether the peer broke the protocol.
    pub(super) fn is_violated(&self) -> bool {
        self.violated.load(Relaxed)
    }

    /// Asks the connection to finish, and to be gone after `grace`.
    pub(super) fn finish(&self, grace: Duration) {
        let at = self.clock.now().saturating_add(millis(grace).max(1));
        let old = self.abort_at.load(Relaxed);
        if old == 0 || at < old {
            self.abort_at.store(at, Relaxed);
        }
        self.tell(Order::Finish);
    }

    /// Ends the connection now.
    pub(super) fn abort(&self) {
        self.tell(Order::Abort);
    }

    fn tell(&self, order: Order) {
        self.order.fetch_max(order as u8, Relaxed);
        self.ordered.notify_one();
    }

    /// The latest order.
    pub(super) fn order(&self) -> Order {
        match self.order.load(Relaxed) {
            0 => Order::Serve,
            1 => Order::Finish,
            _ => Order::Abort,
        }
    }

    /// Waits for a new order.
    pub(super) async fn ordered(&self) -> Order {
        self.ordered.notified().await;
        self.order()
    }

    /// The deadline that `now` is past, if any.
    pub(super) fn overdue(&self, now: u64, settings: &ListenSettings) -> Option<Ending> {
        let past = |since: u64, limit: Duration| now.saturating_sub(since) > millis(limit);
        if self.peer.get().is_none() {
            return past(self.born, settings.handshake).then_some(Ending::Handshake);
        }
        let abort_at = self.abort_at.load(Relaxed);
        if abort_at != 0 && now >= abort_at {
            return Some(Ending::Overdue);
        }
        let stalled = self.stalled_since.load(Relaxed);
        if stalled != 0 && past(stalled, settings.stall) || self.has_stalled_answer(&past, settings)
        {
            return Some(Ending::Stall);
        }
        if self.in_flight.load(Relaxed) == 0 {
            let quiet = self.quiet_since.load(Relaxed);
            let head = self.head_since.load(Relaxed);
            if head != 0 && past(head.max(quiet), settings.header) {
                return Some(Ending::Head);
            }
            if !self.asked.load(Relaxed) && past(quiet, settings.header) {
                return Some(Ending::Head);
            }
            if abort_at == 0 && past(quiet, settings.idle) {
                return Some(Ending::Idle);
            }
        }
        (abort_at == 0 && past(self.born, settings.max_connection_age)).then_some(Ending::Age)
    }

    fn has_stalled_answer(
        &self,
        past: &impl Fn(u64, Duration) -> bool,
        settings: &ListenSettings,
    ) -> bool {
        self.answers().iter().any(|(_, since)| past(*since, settings.stall))
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, Vec<(u32, u64)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch for Arc<Vitals> {
    fn head_arriving(&self, arriving: bool) {
        if !arriving {
            self.head_since.store(0, Relaxed);
        } else if self.head_since.load(Relaxed) == 0 {
            self.head_since.store(self.clock.now(), Relaxed);
        }
    }

    fn violated(&self, violation: Violation) {
        self.violated.store(true, Relaxed);
        let serial = self.peer().map(|peer| peer.certificate.serial_hex());
        tracing::info!(%violation, serial, "framing refused");
    }
}

/// A request from its head to the last piece of its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    vitals: Arc<Vitals>,
    answer: Option<u32>,
}

impl InFlight {
    /// The answer made progress.
    pub(super) fn answer(&mut self) {
        let now = self.vitals.clock.now();
        let mut answers = self.vitals.answers();
        let id = *self.answer.get_or_insert_with(|| self.vitals.next_answer.fetch_add(1, Relaxed));
        match answers.iter_mut().find(|(known, _)| *known == id) {
            Some((_, since)) => *since = now,
            None => answers.push((id, now)),
        }
    }

    /// The answer has nothing to give: whoever is slow, it is not the peer.
    pub(super) fn nothing_waits(&mut self) {
        if let Some(id) = self.answer {
            self.vitals.answers().retain(|(known, _)| *known != id);
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(id) = self.answer {
            self.vitals.answers().retain(|(known, _)| *known != id);
        }
        if self.vitals.in_flight.fetch_sub(1, Relaxed) == 1 {
            self.vitals.quiet_since.store(self.vitals.clock.now(), Relaxed);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
