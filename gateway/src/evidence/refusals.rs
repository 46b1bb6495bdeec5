//! Refusals that have no entry of their own, counted by consumer, service, reason and minute.
//!
//! Whoever asks in vain as fast as the line allows leaves a bounded number of entries a minute. What
//! is counted and not yet written is lost with the process: in these exchanges nothing moved.

use std::collections::HashMap;

use lienthong_evidence::entry::{self, Format, IsRefusals, Name, Reason};
use lienthong_model::{
    id::{ParticipantId, ServiceId},
    reason::ReasonCode,
};

const MINUTE_MS: u64 = 60_000;
/// Most services and reasons of one consumer in one minute that are told apart.
const MAX_KINDS: usize = 64;
/// Most refusals by decision of one consumer in one minute that have an entry of their own.
const MAX_SINGLE: u32 = 600;
/// Most counts that wait for a log that takes nothing.
const MAX_WAITING: usize = 100_000;

/// What refusals are counted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) acting: Option<ParticipantId>,
    pub(super) service: Option<ServiceId>,
    pub(super) reason: ReasonCode,
}

/// Refusals of one kind in one minute.
#[derive(Debug)]
pub(super) struct Counted {
    key: Key,
    from_ms: u64,
    count: u64,
}

impl Counted {
    /// The entry that tells of them.
    pub(super) fn entry<'a>(
        &'a self,
        node: Name<'a>,
        at_ms: u64,
        clock_offset_ms: Option<i64>,
    ) -> entry::Refusals<'a> {
        entry::Refusals {
            acting: self.key.acting.as_ref().map(Name::from),
            at_ms,
            clock_offset_ms,
            count: self.count,
            format: Format,
            from_ms: self.from_ms,
            kind: IsRefusals,
            node,
            reason: Reason(self.key.reason),
            service: self.key.service.as_ref().map(Name::from),
        }
    }
}

/// The refusals of the minute.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    minute: u64,
    counts: HashMap<Key, (u64, u64)>,
    kinds: HashMap<Option<ParticipantId>, usize>,
    single: HashMap<ParticipantId, u32>,
    waiting: Vec<Counted>,
}

impl Refusals {
    /// Counts one.
    pub(super) fn count(&mut self, mut key: Key, now_ms: u64) {
        if !self.counts.contains_key(&key) {
            let kinds = self.kinds.entry(key.acting.clone()).or_default();
            *kinds += 1;
            // Beyond that the service is not told: reasons are few.
            if *kinds > MAX_KINDS {
                key.service = None;
            }
        }
        let (_, count) = self.counts.entry(key).or_insert((now_ms, 0));
        *count = count.saturating_add(1);
    }

    /// Whether a refusal by decision has an entry of its own.
    pub(super) fn is_single(&mut self, acting: &ParticipantId, now_ms: u64) -> bool {
        self.turn(now_ms);
        let single = self.single.entry(acting.clone()).or_default();
        *single = single.saturating_add(1);
        *single <= MAX_SINGLE
    }

    /// The counts of minutes that have ended.
    pub(super) fn ended(&mut self, now_ms: u64) -> Vec<Counted> {
        self.turn(now_ms);
        std::mem::take(&mut self.waiting)
    }

    /// Keeps a count that could not be written.
    pub(super) fn put_back(&mut self, counted: Counted) {
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push(counted);
        }
    }

    fn turn(&mut self, now_ms: u64) {
        let minute = now_ms / MINUTE_MS;
        if minute == self.minute {
            return;
        }
        self.minute = minute;
        self.kinds.clear();
        self.single.clear();
        let room = MAX_WAITING.saturating_sub(self.waiting.len());
        let ended = self.counts.drain().take(room);
        self.waiting.extend(ended.map(|(key, (from_ms, count))| Counted { key, from_ms, count }));
    }
}

#[cfg(test)]
mod tests;
