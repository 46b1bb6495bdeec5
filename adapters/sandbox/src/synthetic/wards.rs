//! The 168 wards, communes and the special zone of the city since 1 July 2025.

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
