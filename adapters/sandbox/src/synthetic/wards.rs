//! The 168 wards, communes and the special zone of the city since 1 July 2025.

use std::{collections::BTreeSet, sync::LazyLock};

/// A ward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ward {
    /// Code of five digits.
    pub code: &'static str,
    /// Name with its kind.
    pub name: &'static str,
}

const TABLE: &str = include_str!("../../../../schemas/code-tables/v1/hcmc-wards.csv");

/// All wards, in the order of the table.
#[must_use]
pub fn wards() -> Vec<Ward> {
    let line = |line: &'static str| {
        let mut columns = line.split(',');
        Some(Ward { code: columns.next()?, name: columns.next()? })
    };
    TABLE.lines().skip(1).filter_map(line).collect()
}

/// A ward of before 1 July 2025 whose code is no ward's now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldWard {
    /// Its code.
    pub code: &'static str,
    /// The code of the ward that it became part of as a whole.
    pub became: &'static str,
}

const OLD_TABLE: &str = include_str!("../../../../schemas/code-tables/v1/hcmc-ward-old-new.csv");

/// The wards that became part of another as a whole and whose codes have ended.
#[must_use]
pub fn old_wards() -> &'static [OldWard] {
    static ENDED: LazyLock<Vec<OldWard>> = LazyLock::new(read_old_wards);
    &ENDED
}

fn read_old_wards() -> Vec<OldWard> {
    let now: BTreeSet<&str> = wards().iter().map(|ward| ward.code).collect();
    let line = |line: &'static str| {
        let columns: Vec<&str> = line.split(',').collect();
        let column = |index: usize| columns.get(index).copied();
        let ward = OldWard { code: column(2)?, became: column(6)? };
        (column(8)? == "whole" && !now.contains(ward.code)).then_some(ward)
    };
    OLD_TABLE.lines().skip(1).filter_map(line).collect()
}
