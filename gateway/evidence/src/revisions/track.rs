//! Whether the revisions of a log stand in order.

use std::collections::{HashMap, VecDeque};

use super::{Change, WINDOW};

/// What is wrong with a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// Another record has it too.
    Repeated,
    /// It is below one that came long before.
    Back,
}

/// The newest revision so far, and the last ones that were seen.
#[derive(Debug, Default)]
pub(crate) struct Revisions {
    newest: Option<Change>,
    /// Entries since the newest, all of lower revisions.
    behind: u64,
    seen: HashMap<u64, Change>,
    order: VecDeque<u64>,
}

impl Revisions {
    /// Takes in the next change. A change may be told twice: its entry may have been written without
    /// whoever waited for it hearing so.
    pub(crate) fn take_in(&mut self, change: Change) -> Option<Wrong> {
        if let Some(before) = self.seen.get(&change.revision) {
            return (before.record != change.record).then_some(Wrong::Repeated);
        }
        self.remember(change);
        if self.newest.is_none_or(|newest| newest.revision < change.revision) {
            self.newest = Some(change);
            self.behind = 0;
            return None;
        }
        self.behind += 1;
        (self.behind > WINDOW).then_some(Wrong::Back)
    }

    fn remember(&mut self, change: Change) {
        self.seen.insert(change.revision, change);
        self.order.push_back(change.revision);
        if self.order.len() as u64 > WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests;
