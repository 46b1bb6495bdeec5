//! Data quality of flows: what was counted by day and unit, and what has to be mended.
//!
//! - Rows are counted in the transaction that takes them: a count without its rows, or rows without
//!   their count, cannot be.
//! - Of what has to be mended only the newest version counts, on the day on which it was found: it
//!   takes the place of the version before it, whose counts are taken back.
//! - Names of fields and rules are kept, and keys of rows; never a value.

mod forget;
mod hold;
mod look;
mod settle;
mod take;

use jiff::{Timestamp, civil::Date};
use lienthong_model::{
    identifier::WardCode,
    quality::{Criteria, Criterion, Marks},
};

pub use hold::{Hold, Release};
pub(crate) use take::{count_shared, take};

use crate::Store;

/// Longest text of reasons that is kept.
const MAX_REASONS: usize = 400;
/// Most defects of messages that are kept open for a flow; what comes later is counted only.
const MAX_OPEN: i64 = 100_000;

/// Gives how many rows of `quality_day` hold a count below nothing, or more good ones than all.
pub(crate) const NEGATIVE: &str = "SELECT count(*) FROM quality_day
     WHERE correct_good < 0 OR correct_all < correct_good OR complete_good < 0 OR complete_all < complete_good
     OR clean_good < 0 OR clean_all < clean_good OR live_good < 0 OR live_all < live_good
     OR consistent_good < 0 OR consistent_all < consistent_good OR shared_good < 0 OR shared_all < shared_good
     OR identifiers_good < 0 OR identifiers_all < identifiers_good";

/// The data quality of a store.
#[derive(Debug, Clone, Copy)]
pub struct Quality<'a> {
    store: &'a Store,
}

/// A row that was looked at to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Names the row in its source.
    pub key: String,
    /// The call and ordering key of its message, when it became one.
    pub message: Option<(String, String)>,
    /// The ward that it is about, by the code of today.
    pub unit: Option<WardCode>,
    /// What was counted of it.
    pub marks: Marks,
    /// What has to be mended.
    pub defect: Option<Flaws>,
}

/// What has to be mended of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaws {
    /// Which criteria it fails.
    pub criteria: Criteria,
    /// Why: names of fields and rules, never a value.
    pub reasons: String,
}

/// Something that has to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The call of the message; nothing for a row that was put aside.
    pub call: Option<String>,
    /// The ordering key of the message, or the key of the row.
    pub key: String,
    /// The ward that it is about, where that can be told.
    pub unit: Option<WardCode>,
    /// The day on which it was found.
    pub found: Date,
    /// Which criteria it fails.
    pub criteria: Criteria,
    /// Why: names of fields and rules.
    pub reasons: String,
    /// When its newest version was read.
    pub seen: Timestamp,
}

/// How many have to be mended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Open {
    /// All of them.
    pub all: u64,
    /// Those found on or before each of three days.
    pub since: [u64; 3],
    /// Those that were mended in the time that is looked at.
    pub mended: u64,
}

impl<'a> Quality<'a> {
    pub(crate) fn new(store: &'a Store) -> Self {
        Self { store }
    }
}

/// The columns of counts, in the order of [`Criterion::ALL`]: the good ones, then all.
fn columns(with: impl Fn(&str) -> String) -> String {
    let both = |criterion: Criterion| {
        [
            with(&format!("{}_good", criterion.as_str())),
            with(&format!("{}_all", criterion.as_str())),
        ]
        .join(", ")
    };
    Criterion::ALL.map(both).join(", ")
}

fn unit(text: &str) -> Option<WardCode> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
