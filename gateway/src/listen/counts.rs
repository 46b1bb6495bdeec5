//! Counters of a listener, for metrics.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What a listener has seen since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Connections past the handshake, now.
    pub connections: usize,
    /// Sockets accepted.
    pub accepted: u64,
    /// Sockets or connections closed because a limit was reached.
    pub refused: u64,
    /// Handshakes that failed or missed their deadline.
    pub handshakes_failed: u64,
    /// Connections that broke the framing of HTTP/1.
    pub framing: u64,
    /// HTTP/2 connections that flooded control frames.
    pub floods: u64,
    /// Connections that missed a deadline other than the handshake's.
    pub deadlines: u64,
    /// Connections ended because their certificate or participant lost its standing.
    pub revoked: u64,
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) open: AtomicUsize,
    /// Sockets of any phase.
    pub(super) sockets: AtomicUsize,
    /// How often a recheck was asked for.
    pub(super) generation: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) handshakes_failed: AtomicU64,
    pub(super) framing: AtomicU64,
    pub(super) floods: AtomicU64,
    pub(super) deadlines: AtomicU64,
    pub(super) revoked: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self) -> Counts {
        Counts {
            connections: self.open.load(Ordering::Acquire),
            accepted: self.accepted.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            handshakes_failed: self.handshakes_failed.load(Ordering::Relaxed),
            framing: self.framing.load(Ordering::Relaxed),
            floods: self.floods.load(Ordering::Relaxed),
            deadlines: self.deadlines.load(Ordering::Relaxed),
            revoked: self.revoked.load(Ordering::Relaxed),
        }
    }
}

/// Counts one more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
