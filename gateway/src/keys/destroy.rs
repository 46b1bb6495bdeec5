//! Destroys the digest key of a quarter: what it made stays in the log and says nothing any more.

use std::path::{Path, PathBuf};

use jiff::{Timestamp, civil::Date};
use lienthong_model::{clock::civil_date, quarter::Quarter};
use serde::{Deserialize, Serialize};

use super::{
    Purpose,
    files::{self, KeyFileError},
    id,
};
use crate::{config::EvidenceSettings, digest_keys, key_file};

/// What follows the period in the name of the mark that a destroyed key leaves.
pub(super) const MARK: &str = ".destroyed";

/// What is left of a key that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// The quarter.
    pub period: String,
    /// The id that the key had.
    pub id: Option<String>,
    /// When it was destroyed.
    pub at: Timestamp,
    /// Why.
    pub why: String,
}

/// The mark that a destroyed key has left.
#[must_use]
pub fn destroyed(directory: &Path, quarter: Quarter) -> Option<Destroyed> {
    let mark = files::read(&directory.join(format!("{quarter}{MARK}"))).ok()??;
    serde_json::from_slice(mark.text.expose()).ok()
}

/// Whether the key of a quarter was destroyed, or was to be.
pub(super) fn is_marked(directory: &Path, quarter: Quarter) -> bool {
    std::fs::symlink_metadata(directory.join(format!("{quarter}{MARK}"))).is_ok()
}

/// Why a key is not destroyed.
#[derive(Debug, thiserror::Error)]
pub enum DestroyError {
    /// Evidence of the quarter may still be wanted.
    #[error("the key of {quarter} must be kept until {until}, as long as evidence of its quarter")]
    Retention {
        /// The quarter.
        quarter: Quarter,
        /// The last day on which it must be kept.
        until: Date,
    },
    /// There is no such key.
    #[error("there is no key of {0}")]
    Missing(Quarter),
    /// It was destroyed before.
    #[error("the key of {0} was destroyed already")]
    Already(Quarter),
    /// The file.
    #[error(transparent)]
    File(#[from] KeyFileError),
}

/// The destruction of a key that nothing speaks against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destruction {
    quarter: Quarter,
    file: PathBuf,
    mark: PathBuf,
    /// The id of the key, when it is one.
    pub id: Option<String>,
}

impl Destruction {
    /// Looks whether the key of a quarter is there and may be destroyed. Changes nothing.
    ///
    /// # Errors
    /// Why not.
    pub fn plan(
        settings: &EvidenceSettings,
        quarter: Quarter,
        now: Timestamp,
    ) -> Result<Self, DestroyError> {
        let directory = &settings.digest_keys;
        let keep = quarter.months_after(settings.retention.key_months());
        // INVARIANT: no setting and no option makes retention shorter than its floor.
        if civil_date(now) < keep {
            let until = keep.yesterday().unwrap_or(keep);
            return Err(DestroyError::Retention { quarter, until });
        }
        let file = digest_keys::file(directory, quarter);
        if files::is_link(&file) {
            return Err(KeyFileError::Link(file).into());
        }
        if !file.exists() {
            return Err(match is_marked(directory, quarter) {
                true => DestroyError::Already(quarter),
                false => DestroyError::Missing(quarter),
            });
        }
        let key = key_file::read(&file).ok();
        let id = key.map(|key| id::of_secret(Purpose::Digest, key.expose()));
        let mark = directory.join(format!("{quarter}{MARK}"));
        Ok(Self { quarter, file, mark, id })
    }

    /// The quarter.
    #[must_use]
    pub fn quarter(&self) -> Quarter {
        self.quarter
    }

    /// The file of the key.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Leaves a mark, then overwrites the key and removes it.
    ///
    /// # Errors
    /// When a file cannot be written or removed. To be run again then.
    pub fn carry_out(&self, now: Timestamp, why: &str) -> Result<(), DestroyError> {
        if std::fs::symlink_metadata(&self.mark).is_err() {
            let mark = Destroyed {
                period: self.quarter.to_string(),
                id: self.id.clone(),
                at: now,
                why: why.to_owned(),
            };
            // Texts and a time are always JSON.
            let text = serde_json::to_string_pretty(&mark).unwrap_or_default();
            files::write_new_public(&self.mark, format!("{text}\n").as_bytes())?;
        }
        files::overwrite_and_remove(&self.file)?;
        Ok(())
    }
}
