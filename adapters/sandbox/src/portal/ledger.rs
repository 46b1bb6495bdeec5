//! What the portal has seen, counted, and the journal entries of the call at hand.

use std::collections::BTreeMap;

use serde::Serialize;

use super::journal::Entry;

/// Most illegal transitions kept by name; all are counted.
const MOST_NAMED: usize = 1_000;

/// A change of status that the portal refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Illegal {
    /// The case.
    pub case: String,
    /// Its status; 0 when it was unknown.
    pub from: u8,
    /// The status it was to have.
    pub to: u8,
}

/// What the portal has seen.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct PortalReport {
    /// Log-ins that succeeded, tokens included.
    pub logins: u64,
    /// Calls turned away because their session had ended.
    pub sessions_expired: u64,
    /// Calls taken, repeats included.
    pub accepted: u64,
    /// Cases it holds.
    pub cases: u64,
    /// How many of its cases are in each status.
    pub by_status: BTreeMap<u8, u64>,
    /// Progress entries it holds.
    pub progress: u64,
    /// Calls that said again what it already held, and changed nothing.
    pub repeated: u64,
    /// Progress entries that it now holds twice.
    pub duplicates: u64,
    /// Calls that came before one they should have followed.
    pub order_violations: u64,
    /// Changes of status that are in no table; each is an order violation, too.
    pub illegal_transitions: u64,
    /// Questions that have been asked.
    pub questions: u64,
    /// Questions that have an answer.
    pub answered: u64,
    /// Files it holds.
    pub files: u64,
    /// Cases of the ministry's system.
    pub ministry_cases: u64,
    /// Other records it holds, by call.
    pub records: BTreeMap<String, u64>,
    /// Calls it refused, by error code.
    pub refused: BTreeMap<String, u64>,
}

/// Counters of a portal and what its journal has to learn of the call at hand.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) logins: u64,
    pub(crate) sessions_expired: u64,
    pub(crate) accepted: u64,
    pub(crate) repeated: u64,
    pub(crate) duplicates: u64,
    pub(crate) order_violations: u64,
    pub(crate) illegal_transitions: u64,
    pub(crate) named: Vec<Illegal>,
    pub(crate) refused: BTreeMap<&'static str, u64>,
    /// Nothing when there is no journal.
    entries: Option<Vec<Entry>>,
}

impl Ledger {
    /// Counters whose changes a journal learns of.
    pub(crate) fn journaled() -> Self {
        Self { entries: Some(Vec::new()), ..Self::default() }
    }

    /// Something for the journal.
    pub(crate) fn note(&mut self, entry: Entry) {
        if let Some(entries) = &mut self.entries {
            entries.push(entry);
        }
    }

    /// What the journal has to learn.
    pub(crate) fn take_entries(&mut self) -> Vec<Entry> {
        self.entries.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(crate) fn repeated(&mut self) {
        self.repeated += 1;
        self.note(Entry::Repeat);
    }

    pub(crate) fn too_early(&mut self) {
        self.order_violations += 1;
        self.note(Entry::Early);
    }

    pub(crate) fn illegal(&mut self, case: &str, from: u8, to: u8) {
        self.note(Entry::Illegal { code: case.to_owned(), from, to });
        self.count_illegal(case, from, to);
    }

    pub(crate) fn count_illegal(&mut self, case: &str, from: u8, to: u8) {
        self.order_violations += 1;
        self.illegal_transitions += 1;
        if self.named.len() < MOST_NAMED {
            self.named.push(Illegal { case: case.to_owned(), from, to });
        }
    }

    pub(crate) fn refuse(&mut self, code: &'static str) {
        *self.refused.entry(code).or_default() += 1;
    }
}
