//! What a batch changes: counts by day and unit, what has to be mended, what was mended.
//!
//! Pure. The versions that count are given; rows are taken in their order.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use lienthong_model::quality::{Criterion, Marks, Share};

use super::{Judged, MAX_REASONS};

/// What names something that has to be mended: a call and an ordering key, or nothing and the key of a
/// row that was put aside.
pub(super) type Name = (String, String);

/// The version that counts of something that has to be mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) unit: String,
    /// When it was found, and where it counts.
    pub(super) day: Date,
    pub(super) marks: Marks,
    pub(super) criteria: u8,
    pub(super) reasons: String,
}

/// What is written down.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    /// To be added, for each day and unit: the good ones and all, by criterion.
    pub(super) counts: BTreeMap<(Date, String), [(i64, i64); 7]>,
    /// To be mended from now on, or still.
    pub(super) open: BTreeMap<Name, Kept>,
    /// Not any more.
    pub(super) mended: BTreeMap<Name, Timestamp>,
}

/// What rows that were looked at change, and rows that left the quarantine without being looked at:
/// their source has taken them back.
pub(super) fn settle(
    mut known: BTreeMap<Name, Kept>,
    judged: &[Judged],
    released: &[String],
    (today, now): (Date, Timestamp),
) -> Changes {
    let mut changes = Changes::default();
    for row in judged {
        let mut version = version(row, today);
        let aside = (String::new(), row.key.clone());
        let names = [Some(aside.clone()), row.message.clone()].into_iter().flatten();
        let before: Vec<(Name, Kept)> =
            names.filter_map(|name| Some((name.clone(), known.remove(&name)?))).collect();
        for (_, before) in &before {
            version.day = version.day.min(before.day);
            // How soon it was read was told when it was read first.
            version.marks.set(Criterion::Live, before.marks.of(Criterion::Live));
        }
        let name = row.defect.as_ref().map(|_| row.message.clone().unwrap_or(aside));
        let is_as_before = matches!(&before[..], [(of, kept)]
            if Some(of) == name.as_ref() && *kept == version);
        if !is_as_before {
            for (name, before) in before {
                changes.take_back(&before);
                changes.open.remove(&name);
                changes.mended.insert(name, now);
            }
            changes.count(&version);
        }
        let Some(name) = name else { continue };
        if !is_as_before {
            changes.mended.remove(&name);
            changes.open.insert(name.clone(), version.clone());
        }
        known.insert(name, version);
    }
    for key in released {
        let name = (String::new(), key.clone());
        if let Some(before) = known.remove(&name).filter(|_| !changes.open.contains_key(&name)) {
            changes.take_back(&before);
            changes.mended.insert(name, now);
        }
    }
    changes.counts.retain(|_, counts| counts.iter().any(|(good, all)| *good != 0 || *all != 0));
    changes
}

/// A row as it would be kept.
fn version(row: &Judged, today: Date) -> Kept {
    let unit = row.unit.map_or_else(String::new, |code| code.as_str().to_owned());
    let (criteria, mut reasons) = match &row.defect {
        Some(flaws) => (flaws.criteria.bits(), flaws.reasons.clone()),
        None => (0, String::new()),
    };
    reasons.truncate(reasons.floor_char_boundary(MAX_REASONS));
    Kept { unit, day: today, marks: row.marks, criteria, reasons }
}

impl Changes {
    fn count(&mut self, version: &Kept) {
        self.add(version, |share| share);
    }

    fn take_back(&mut self, version: &Kept) {
        self.add(version, |(good, all)| (good.saturating_neg(), all.saturating_neg()));
    }

    fn add(&mut self, version: &Kept, sign: fn((i64, i64)) -> (i64, i64)) {
        let counts = self.counts.entry((version.day, version.unit.clone())).or_default();
        for ((_, share), count) in version.marks.iter().zip(counts) {
            let (good, all) = sign(whole(share));
            *count = (count.0.saturating_add(good), count.1.saturating_add(all));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.open.is_empty() && self.mended.is_empty()
    }
}

fn whole(share: Share) -> (i64, i64) {
    let whole = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    (whole(share.good), whole(share.all))
}
