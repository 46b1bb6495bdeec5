//! The province of a ward code.
//!
//! Knows the wards of Ho Chi Minh City since 1 July 2025 (`schemas/code-tables/v1`). A code that is
//! not in the table has no province here: the caller must not pass it.

use std::sync::LazyLock;

const TABLE: &str = include_str!("../../../schemas/code-tables/v1/hcmc-wards.csv");

/// Ward code and province code, sorted.
static WARDS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    let mut wards: Vec<_> = TABLE
        .lines()
        .skip(1)
        .filter_map(|line| {
            let (ward, rest) = line.split_once(',')?;
            let (_, province) = rest.rsplit_once(',')?;
            Some((ward, province))
        })
        .collect();
    wards.sort_unstable();
    wards
});

/// The code of the province that the ward is in.
pub(crate) fn of_ward(code: &str) -> Option<&'static str> {
    let at = WARDS.binary_search_by_key(&code, |(ward, _)| ward).ok()?;
    WARDS.get(at).map(|(_, province)| *province)
}

#[cfg(test)]
mod tests;
