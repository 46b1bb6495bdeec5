//! The cases the portal holds and the rules by which it takes changes to them.
//!
//! Statuses 1 to 10 and their names are public; the transitions are derived (no official diagram
//! has been seen). Of what it took it keeps status, digests and order, not the records.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    check::Updating,
    digest::Digest,
    journal::Entry,
    ledger::Ledger,
    refusal::{FULL, ILLEGAL_TRANSITION, OTHER_CONTENT, PortalError, UNKNOWN_CASE},
};

/// Most cases held.
const MOST_CASES: usize = 2_000_000;
/// Most steps of one case.
const MOST_STEPS: usize = 1_000;

/// The statuses that may follow `status`.
#[must_use]
pub(super) fn next_statuses(status: u8) -> &'static [u8] {
    match status {
        1 => &[2, 3, 7],
        2 => &[4, 5, 7, 8],
        4 => &[5, 6, 7, 8, 9],
        5 | 6 => &[4, 7, 8],
        9 => &[10],
        _ => &[],
    }
}

/// Which system holds a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Holder {
    /// The National Public Service Portal.
    #[serde(rename = "n")]
    Portal,
    /// The ministry's own system.
    #[serde(rename = "m")]
    Ministry,
}

/// What a record says about a case, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) code: String,
    pub(crate) status: u8,
    pub(crate) digest: Digest,
    /// When the step was taken, as `yyyyMMddHHmmss`.
    pub(crate) at: u64,
}

#[derive(Debug)]
struct Case {
    status: u8,
    content: Digest,
    steps: Vec<Step>,
    /// Statuses in order of arrival.
    history: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    digest: Digest,
    at: u64,
    status: u8,
}

/// The cases by code.
#[derive(Debug)]
pub(crate) struct Cases {
    holder: Holder,
    cases: BTreeMap<Box<str>, Case>,
    steps: u64,
}

type Taken = Result<(), PortalError>;

impl Cases {
    pub(crate) fn new(holder: Holder) -> Self {
        Self { holder, cases: BTreeMap::new(), steps: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.cases.len()
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn holds(&self, code: &str) -> bool {
        self.cases.contains_key(code)
    }

    pub(crate) fn status_of(&self, code: &str) -> Option<u8> {
        self.cases.get(code).map(|case| case.status)
    }

    /// The statuses of a case in order of arrival.
    pub(crate) fn history_of(&self, code: &str) -> Vec<u8> {
        self.cases.get(code).map(|case| case.history.clone()).unwrap_or_default()
    }

    /// Each case with its status and the statuses in order of arrival.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, u8, &[u8])> {
        self.cases.iter().map(|(code, case)| (&**code, case.status, case.history.as_slice()))
    }

    /// A case as it stands now.
    pub(crate) fn sync(
        &mut self,
        change: &Change,
        updating: Updating,
        ledger: &mut Ledger,
    ) -> Taken {
        let Some(case) = self.cases.get(change.code.as_str()) else {
            return self.open(change, updating, ledger);
        };
        if case.content == change.digest {
            ledger.repeated();
            return Ok(());
        }
        if updating == Updating::No {
            return Err(OTHER_CONTENT);
        }
        allow(case.status, change, ledger)?;
        ledger.note(self.entry(change, false));
        self.apply(&change.code, change.status, change.digest);
        Ok(())
    }

    fn open(&mut self, change: &Change, updating: Updating, ledger: &mut Ledger) -> Taken {
        if updating == Updating::Yes {
            ledger.too_early();
            return Err(UNKNOWN_CASE);
        }
        if !matches!(change.status, 1 | 2) {
            ledger.illegal(&change.code, 0, change.status);
            return Err(ILLEGAL_TRANSITION);
        }
        if self.cases.len() >= MOST_CASES {
            return Err(FULL);
        }
        ledger.note(self.entry(change, false));
        self.apply(&change.code, change.status, change.digest);
        Ok(())
    }

    /// One step of the work on a case. What the real portal does with a repeated step is not
    /// known: this one keeps it twice and counts it.
    pub(crate) fn step(&mut self, change: &Change, ledger: &mut Ledger) -> Taken {
        let Some(case) = self.cases.get(change.code.as_str()) else {
            ledger.too_early();
            return Err(UNKNOWN_CASE);
        };
        if case.steps.len() >= MOST_STEPS {
            return Err(FULL);
        }
        if case.steps.iter().any(|step| step.digest == change.digest) {
            ledger.duplicates += 1;
        } else {
            if case.steps.last().is_some_and(|last| change.at < last.at) {
                ledger.too_early();
            }
            allow(case.status, change, ledger)?;
        }
        ledger.note(self.entry(change, true));
        self.apply_step(change);
        Ok(())
    }

    /// The status alone, as the ministry's system takes it.
    pub(crate) fn set_status(&mut self, change: &Change, ledger: &mut Ledger) -> Taken {
        let Some(case) = self.cases.get(change.code.as_str()) else {
            ledger.too_early();
            return Err(UNKNOWN_CASE);
        };
        if case.status == change.status {
            ledger.repeated();
            return Ok(());
        }
        allow(case.status, change, ledger)?;
        let content = case.content;
        ledger.note(self.entry(&Change { digest: content, ..change.clone() }, false));
        self.apply(&change.code, change.status, content);
        Ok(())
    }

    fn entry(&self, change: &Change, is_step: bool) -> Entry {
        let Change { code, status, digest, at } = change.clone();
        let holder = self.holder;
        if is_step {
            Entry::Step { holder, code, status, digest: digest.into(), at }
        } else {
            Entry::Case { holder, code, status, digest: digest.into() }
        }
    }

    /// Takes a case as the journal has it.
    pub(crate) fn apply(&mut self, code: &str, status: u8, content: Digest) {
        let case = self.cases.entry(code.into()).or_insert_with(|| Case {
            status,
            content,
            steps: Vec::new(),
            history: Vec::new(),
        });
        case.status = status;
        case.content = content;
        case.history.push(status);
    }

    /// Takes a step as the journal has it. True when it was there before.
    pub(crate) fn apply_step(&mut self, change: &Change) -> bool {
        let Some(case) = self.cases.get_mut(change.code.as_str()) else { return false };
        let again = case.steps.iter().any(|step| step.digest == change.digest);
        if !again {
            case.status = change.status;
            case.history.push(change.status);
        }
        case.steps.push(Step { digest: change.digest, at: change.at, status: change.status });
        self.steps += 1;
        again
    }

    /// What is held about a case.
    pub(crate) fn look_up(&self, code: &str) -> Result<Value, PortalError> {
        let case = self.cases.get(code).ok_or(UNKNOWN_CASE)?;
        let step = |step: &Step| json!({"ThoiDiemXuLy": format!("{:014}", step.at), "TrangThai": step.status.to_string()});
        Ok(json!({
            "MaHoSo": code,
            "TrangThaiHoSo": case.status.to_string(),
            "QuaTrinhXuLy": case.steps.iter().map(step).collect::<Vec<_>>(),
        }))
    }
}

fn allow(from: u8, change: &Change, ledger: &mut Ledger) -> Taken {
    if change.status != from && !next_statuses(from).contains(&change.status) {
        ledger.illegal(&change.code, from, change.status);
        return Err(ILLEGAL_TRANSITION);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
