//! The statuses that one dossier has had, as a short text that the store keeps.

use std::{fmt, str::FromStr};

use super::{IllegalTransition, Status, Step, Transitions};

/// Most runs that are kept; older ones are forgotten, the newest decides.
const MOST_RUNS: usize = 40;
/// What stands for the runs that were forgotten.
const CUT: &str = "..";
/// Longest text that is read.
const MAX_TEXT: usize = 1_024;

/// Where a dossier stands and how it came there: `1,2,4*17,9`. Empty before the first message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    is_cut: bool,
    /// Status and how many times in a row, oldest first.
    runs: Vec<(Status, u32)>,
}

impl Standing {
    /// The present status.
    pub(crate) fn status(&self) -> Option<Status> {
        self.runs.last().map(|(status, _)| *status)
    }

    /// Takes a step; an illegal one leaves the standing as it was.
    pub(crate) fn step(
        &mut self,
        table: &Transitions,
        step: Step,
        to: Status,
    ) -> Result<(), IllegalTransition> {
        let from = self.status();
        let may = match (from, step) {
            (None, Step::Sync) => table.may_begin(to),
            // No work is done on a dossier that is not there.
            (None, Step::Progress) => false,
            (Some(from), _) => table.may_move(from, to),
        };
        if !may {
            return Err(IllegalTransition { from, to, history: self.to_string() });
        }
        match self.runs.last_mut() {
            Some((status, times)) if *status == to => *times = times.saturating_add(1),
            _ => self.runs.push((to, 1)),
        }
        if self.runs.len() > MOST_RUNS {
            self.runs.remove(0);
            self.is_cut = true;
        }
        Ok(())
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        if self.is_cut {
            f.write_str(CUT)?;
            between = ",";
        }
        for (status, times) in &self.runs {
            write!(f, "{between}{status}")?;
            if *times > 1 {
                write!(f, "*{times}")?;
            }
            between = ",";
        }
        Ok(())
    }
}

impl FromStr for Standing {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "not a history of statuses";
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > MAX_TEXT {
            return Err(wrong);
        }
        let mut standing = Self::default();
        for (index, part) in text.split(',').enumerate() {
            if index == 0 && part == CUT {
                standing.is_cut = true;
                continue;
            }
            let (status, times) = part.split_once('*').unwrap_or((part, "1"));
            let times = times.parse().ok().filter(|times| *times > 0).ok_or(wrong)?;
            standing.runs.push((status.parse()?, times));
        }
        if standing.runs.is_empty() || standing.runs.len() > MOST_RUNS {
            return Err(wrong);
        }
        Ok(standing)
    }
}
