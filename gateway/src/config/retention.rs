//! How long evidence is kept, with the least that a city may set.

use lienthong_model::{
    diagnostic::Diagnostics,
    document::{MapReader, Node},
};

use super::Reader;

/// How long evidence is kept, and with it the keys of digests. The defaults are the least there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Months on line.
    pub online_months: u32,
    /// Years of what belongs to a breach.
    pub breach_years: u32,
}

/// Least months on line.
const ONLINE_MONTHS: i64 = 12;
/// Least years of what belongs to a breach.
const BREACH_YEARS: i64 = 5;
/// Longest retention that can be set.
const MAX_YEARS: i64 = 100;

impl Default for Retention {
    fn default() -> Self {
        Self { online_months: number(ONLINE_MONTHS), breach_years: number(BREACH_YEARS) }
    }
}

impl Retention {
    /// Months for which the key of a period must be kept: as long as any evidence of it may be.
    #[must_use]
    pub fn key_months(self) -> u32 {
        self.online_months.max(self.breach_years.saturating_mul(12))
    }
}

impl Reader<'_> {
    /// A retention below the least there is is a mistake, never raised in silence.
    pub(super) fn retention(&self, node: Option<&Node>, found: &mut Diagnostics) -> Retention {
        let keys = ["online_months", "breach_years"];
        let map = node.and_then(|n| MapReader::new(self.file, n, "`retention`", &keys, found));
        let Some(mut map) = map else { return Retention::default() };
        let most = MAX_YEARS * 12;
        let online = map.integer("online_months", ONLINE_MONTHS..=most, ONLINE_MONTHS);
        let breach = map.integer("breach_years", BREACH_YEARS..=MAX_YEARS, BREACH_YEARS);
        Retention { online_months: number(online), breach_years: number(breach) }
    }
}

fn number(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
