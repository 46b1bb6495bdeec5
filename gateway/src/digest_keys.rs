//! The city-wide keys of digests, one for each quarter of the civil year.
//!
//! A directory of files `2026-q4.key`, the same on every node. What stands for a person in the
//! evidence is made with the key of the quarter; when a key is destroyed, what it made says nothing
//! any more. A quarter without its key has no evidence, and so no exchanges.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use lienthong_evidence::entry::{DigestKey, Period};
use lienthong_model::{
    diagnostic::{Diagnostics, Position},
    quarter::Quarter,
};

use crate::key_file;

/// Most keys that are read: a century of quarters.
const MAX_KEYS: usize = 400;
/// What follows the period in a file's name.
pub(crate) const SUFFIX: &str = ".key";

/// How long before a quarter begins its key is missed.
pub const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The file of a quarter's key.
#[must_use]
pub fn file(directory: &Path, quarter: Quarter) -> PathBuf {
    directory.join(format!("{quarter}{SUFFIX}"))
}

/// The keys there are.
#[derive(Debug, Default)]
pub struct DigestKeys(BTreeMap<Quarter, Arc<DigestKey>>);

impl DigestKeys {
    /// Reads every key of a directory.
    ///
    /// # Errors
    /// Every file that is no key, or that others can read.
    pub fn load(directory: &Path) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut keys = BTreeMap::new();
        let mut wrong = |path: &Path, message: String| {
            found.add(&path.display().to_string(), Position::default(), message);
        };
        let listed = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let listed = listed.unwrap_or_else(|error| {
            wrong(directory, format!("cannot be read: {error}"));
            Vec::new()
        });
        for file in listed {
            let path = file.path();
            let name = file.file_name();
            let Some(name) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) else {
                continue;
            };
            let quarter = name.parse::<Quarter>().ok();
            let Some((quarter, period)) = quarter.zip(Period::new(name)) else {
                wrong(&path, "is named after no quarter; expected `2026-q4.key`".to_owned());
                continue;
            };
            if keys.len() == MAX_KEYS {
                wrong(directory, format!("holds more than {MAX_KEYS} keys"));
                break;
            }
            match key_file::read(&path) {
                Ok(key) => drop(keys.insert(quarter, Arc::new(DigestKey::new(period, &key)))),
                Err(problem) => wrong(&path, problem),
            }
        }
        found.into_result(Self(keys))
    }

    /// The key of an instant.
    #[must_use]
    pub fn current(&self, now: Timestamp) -> Option<&Arc<DigestKey>> {
        self.0.get(&Quarter::of(now))
    }

    /// The key of a quarter.
    #[must_use]
    pub fn get(&self, quarter: Quarter) -> Option<&Arc<DigestKey>> {
        self.0.get(&quarter)
    }

    /// What is missing now or soon; none when all is well.
    #[must_use]
    pub fn trouble(&self, now: Timestamp) -> Option<String> {
        let (this, next) = (Quarter::of(now), Quarter::of(now).next());
        if self.get(this).is_none() {
            return Some(format!("digest key `{this}` is missing: exchanges are refused"));
        }
        let left = next.begins().duration_since(now);
        let missed = self.get(next).is_none() && left <= AHEAD;
        missed.then(|| format!("digest key `{next}` is missing and needed on {}", next.first_day()))
    }

    /// Every quarter that has a key, the oldest first.
    pub fn quarters(&self) -> impl Iterator<Item = Quarter> {
        self.0.keys().copied()
    }
}

#[cfg(test)]
mod tests;
