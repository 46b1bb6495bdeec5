//! All that the portal holds, behind one lock that is held for map look-ups only: bodies are parsed,
//! checked and digested before.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::{
    case::{Cases, Change, Holder},
    file::Files,
    journal::Entry,
    ledger::{Ledger, PortalReport},
    question::Questions,
    record::{ANSWERS, Records},
};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) cases: Cases,
    pub(crate) ministry: Cases,
    pub(crate) records: Records,
    pub(crate) questions: Questions,
    pub(crate) files: Files,
    /// The last dossier number of the ministry's system.
    pub(crate) sequence: u64,
    pub(crate) ledger: Ledger,
    kept: VecDeque<Value>,
    keep: usize,
}

impl State {
    pub(crate) fn new(keep: usize, ledger: Ledger) -> Self {
        Self {
            cases: Cases::new(Holder::Portal),
            ministry: Cases::new(Holder::Ministry),
            records: Records::default(),
            questions: Questions::default(),
            files: Files::default(),
            sequence: 0,
            ledger,
            kept: VecDeque::new(),
            keep,
        }
    }

    /// Keeps a record that was taken; the oldest goes when there are too many.
    pub(crate) fn keep(&mut self, record: Value) {
        if self.keep == 0 {
            return;
        }
        if self.kept.len() >= self.keep {
            self.kept.pop_front();
        }
        self.kept.push_back(record);
    }

    pub(crate) fn kept(&self) -> Vec<Value> {
        self.kept.iter().cloned().collect()
    }

    /// Takes a change as the journal has it.
    pub(crate) fn replay(&mut self, entry: Entry) {
        match entry {
            Entry::Case { holder, code, status, digest } => {
                self.held(holder).apply(&code, status, digest.into());
            }
            Entry::Step { holder, code, status, digest, at } => {
                let change = Change { code, status, digest: digest.into(), at };
                if self.held(holder).apply_step(&change) {
                    self.ledger.duplicates += 1;
                }
            }
            Entry::Record { call, key, digest } => self.records.apply(&call, &key, digest.into()),
            Entry::File { sha256, length } => self.files.apply(sha256, length),
            Entry::Number { sequence } => self.sequence = self.sequence.max(sequence),
            Entry::Illegal { code, from, to } => self.ledger.count_illegal(&code, from, to),
            Entry::Early => self.ledger.order_violations += 1,
            Entry::Repeat => self.ledger.repeated += 1,
        }
    }

    fn held(&mut self, holder: Holder) -> &mut Cases {
        match holder {
            Holder::Portal => &mut self.cases,
            Holder::Ministry => &mut self.ministry,
        }
    }

    pub(crate) fn report(&self) -> PortalReport {
        let ledger = &self.ledger;
        let mut by_status = BTreeMap::new();
        for (_, status, _) in self.cases.all() {
            *by_status.entry(status).or_default() += 1;
        }
        PortalReport {
            logins: ledger.logins,
            sessions_expired: ledger.sessions_expired,
            accepted: ledger.accepted,
            cases: self.cases.len() as u64,
            by_status,
            progress: self.cases.steps() + self.ministry.steps(),
            repeated: ledger.repeated,
            duplicates: ledger.duplicates,
            order_violations: ledger.order_violations,
            illegal_transitions: ledger.illegal_transitions,
            questions: self.questions.len() as u64,
            answered: self.records.count(ANSWERS.call) as u64,
            files: self.files.len() as u64,
            ministry_cases: self.ministry.len() as u64,
            records: self.records.counts(),
            refused: ledger.refused.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect(),
        }
    }
}
