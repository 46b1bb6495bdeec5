//! Whether every exchange has an intent first and one end, and revisions stand in order.

use std::{collections::HashMap, path::Path};

use super::{Position, Problem, Report, sidecars::Sidecars};
use crate::{
    entry::{Entry, ExchangeId},
    files::FileError,
    revisions::{Change, Revisions, Wrong},
};

/// The intents that have no outcome yet: as many as there are exchanges under way at a time.
#[derive(Debug)]
pub(super) struct Exchanges<'a> {
    open: HashMap<ExchangeId, u64>,
    intents: u64,
    sidecars: Sidecars<'a>,
    revisions: Revisions,
}

impl<'a> Exchanges<'a> {
    pub(super) fn of(directory: &'a Path) -> Self {
        let (sidecars, revisions) = (Sidecars::of(directory), Revisions::default());
        Self { open: HashMap::new(), intents: 0, sidecars, revisions }
    }

    /// Takes in the next entry.
    pub(super) fn take_in(&mut self, index: u64, bytes: &[u8], report: &mut Report) {
        let Ok(entry) = Entry::decode(bytes) else {
            return report.find(Position::Entry(index), Problem::Form);
        };
        let problem = match &entry {
            Entry::Intent(intent) => {
                self.intents += 1;
                let before = self.open.insert(intent.exchange, index);
                before.map(|_| Problem::Repeated)
            }
            Entry::Progress(progress) => {
                let known = self.open.contains_key(&progress.exchange);
                (!known).then_some(Problem::NoIntent)
            }
            Entry::Outcome(outcome) => {
                self.sidecars.take_in(index, outcome, report);
                self.close(outcome.exchange)
            }
            Entry::Interrupted(interrupted) => self.close(interrupted.exchange),
            Entry::Consent(_) | Entry::Right(_) => self.change(&entry),
            Entry::Refusal(_) | Entry::Refusals(_) | Entry::Loss(_) | Entry::Administration(_) => {
                None
            }
        };
        if let Some(problem) = problem {
            report.find(Position::Entry(index), problem);
        }
    }

    fn close(&mut self, exchange: ExchangeId) -> Option<Problem> {
        self.open.remove(&exchange).is_none().then_some(Problem::NoIntent)
    }

    /// A change of the registry of consents is of no exchange; its revision has its place.
    fn change(&mut self, entry: &Entry<'_>) -> Option<Problem> {
        Some(match self.revisions.take_in(Change::of(entry)?)? {
            Wrong::Repeated => Problem::Revision,
            Wrong::Back => Problem::RevisionBack,
        })
    }

    /// Tells of a sidecar that could not be read.
    pub(super) fn readable(&mut self) -> Result<(), FileError> {
        self.sidecars.readable()
    }

    /// How many intents there were.
    pub(super) fn intents(&self) -> u64 {
        self.intents
    }

    /// How many are without an outcome, and the first of them.
    pub(super) fn open(&self, most: usize) -> (u64, Vec<u64>) {
        let mut open: Vec<u64> = self.open.values().copied().collect();
        let count = open.len() as u64;
        open.sort_unstable();
        open.truncate(most);
        (count, open)
    }
}
