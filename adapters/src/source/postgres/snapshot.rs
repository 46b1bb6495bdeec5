//! Which transactions had ended at a moment, as PostgreSQL tells it.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Most open transactions that are kept by name.
const MAX_OPEN: usize = 60;

/// A moment: every transaction before `end` had ended, but for the open ones.
///
/// Subtransactions are never among the open ones; a row's transaction must be a top-level one, as
/// `pg_current_xact_id()` gives it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Moment {
    begin: u64,
    end: u64,
    open: Vec<u64>,
}

impl Moment {
    /// All transactions before this one had ended.
    pub(super) fn begin(&self) -> u64 {
        self.begin
    }

    /// Whatever stands from here on had not ended; some of it may have begun.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// Those that had begun and not ended.
    pub(super) fn open(&self) -> &[u64] {
        &self.open
    }

    /// An earlier moment that takes less room to tell: what is not certain of it counts as not ended,
    /// and is read once it has.
    pub(super) fn short(mut self) -> Self {
        if let Some(end) = self.open.get(MAX_OPEN) {
            self.end = *end;
            self.open.truncate(MAX_OPEN);
        }
        self
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    /// Reads a `pg_snapshot`: `begin:end:open,open`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "not a snapshot";
        let mut parts = text.splitn(3, ':');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (begin, end) = (number().ok_or(WRONG)?, number().ok_or(WRONG)?);
        let open = parts.next().ok_or(WRONG)?.split(',').filter(|part| !part.is_empty());
        let open: Result<Vec<u64>, _> = open.map(str::parse).collect();
        let mut open = open.map_err(|_| WRONG)?;
        open.sort_unstable();
        let within = |transaction: &u64| (begin..end).contains(transaction);
        match begin <= end && open.iter().all(within) {
            true => Ok(Self { begin, end, open }),
            false => Err(WRONG),
        }
    }
}

impl TryFrom<String> for Moment {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        let open: Vec<Self> = moment.open.iter().map(u64::to_string).collect();
        format!("{}:{}:{}", moment.begin, moment.end, open.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_snapshot() {
        for text in ["", "1", "1:2", "2:1:", "1:5:7", "1:5:x", "a:5:"] {
            assert!(text.parse::<Moment>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_short_moment_counts_nothing_as_ended_that_had_not() {
        let open: Vec<String> = (100..300).step_by(2).map(|n: u64| n.to_string()).collect();
        let text = format!("100:300:{}", open.join(","));
        let whole: Moment = text.parse().unwrap();
        let short = whole.clone().short();
        let ended = |moment: &Moment, n: u64| n < moment.end && !moment.open.contains(&n);
        for n in 90..310 {
            assert!(!ended(&short, n) || ended(&whole, n), "{n}");
        }
        assert!(ended(&short, 101) && String::from(short.clone()).len() < 300);
        assert_eq!(String::from(short.clone()).parse::<Moment>().unwrap(), short);
    }
}
