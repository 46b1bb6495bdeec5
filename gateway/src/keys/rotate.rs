//! Puts a new key in place of one in use. The older one is kept beside it as long as something that
//! it made must still count.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use lienthong_evidence::{
    checkpoint::Checkpoint,
    note::{MAX_NOTE, Signer, Verifier},
};

use super::{
    Made, Purpose,
    files::{self, At as _, KeyFileError},
    inventory::same,
    make::{self, MakeError},
};
use crate::{
    config::{Config, EvidenceSettings},
    evidence,
};

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// Nothing in the configuration says where the older key goes.
    #[error("`{section}.previous_key_file` is not set; set it to `{}`", suggested.display())]
    NoPlace {
        /// The section.
        section: &'static str,
        /// A path that would do.
        suggested: PathBuf,
    },
    /// The configuration has no such key.
    #[error("the configuration has no key for `{0}`")]
    None(Purpose),
    /// Such a key is not changed by putting another in its place.
    #[error("a key for `{0}` is not changed in place")]
    NotInPlace(Purpose),
    /// The key before this one is still in use.
    #[error("`{}` still serves: end the last rotation with `--finish`", .0.display())]
    Serves(PathBuf),
    /// There is nothing to end.
    #[error("there is no previous key")]
    Nothing,
    /// A checkpoint that only the older key has signed.
    #[error("checkpoint `{0}` was not signed by the new key yet: restart the gateway")]
    NotSigned(String),
    /// The second place does not tell what it has.
    #[error("the second place cannot be asked: {0}")]
    SecondPlace(String),
    /// Something that the older key made still counts.
    #[error("the older key counts until {0}")]
    TooEarly(Timestamp),
    /// A pseudonym key needs the name of a new period.
    #[error("--period is needed: the name of a new period, other than the one in use")]
    Period,
    /// Which certificate is not said, or there is none.
    #[error("--service is needed: a service whose provider is shown a certificate")]
    Service,
    /// The key in use is none.
    #[error("`{}` cannot be used: {why}", file.display())]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The new key could not be made.
    #[error(transparent)]
    Make(#[from] MakeError),
    /// A file.
    #[error(transparent)]
    File(#[from] KeyFileError),
}

/// A change of a key for which nothing is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    purpose: Purpose,
    file: PathBuf,
    previous: PathBuf,
}

impl Swap {
    /// Looks whether a key can be changed. Changes nothing.
    ///
    /// # Errors
    /// Why not.
    pub fn plan(config: &Config, purpose: Purpose) -> Result<Self, RotateError> {
        let swap = Self::places(config, purpose)?;
        if swap.previous.exists() && !swap.is_halfway() {
            return Err(RotateError::Serves(swap.previous));
        }
        for path in [&swap.file, &swap.previous] {
            if files::is_link(path) {
                return Err(KeyFileError::Link(path.clone()).into());
            }
        }
        Ok(swap)
    }

    fn places(config: &Config, purpose: Purpose) -> Result<Self, RotateError> {
        let (section, file, previous) = match purpose {
            Purpose::Evidence => {
                let evidence = &config.evidence;
                ("evidence", &evidence.key_file, &evidence.previous_key_file)
            }
            Purpose::Lgsp => {
                let lgsp = config.lgsp.as_ref().ok_or(RotateError::None(purpose))?;
                ("lgsp", &lgsp.key_file, &lgsp.previous_key_file)
            }
            _ => return Err(RotateError::NotInPlace(purpose)),
        };
        let Some(previous) = previous.clone() else {
            let suggested = beside(file, ".previous");
            return Err(RotateError::NoPlace { section, suggested });
        };
        Ok(Self { purpose, file: file.clone(), previous })
    }

    /// A rotation broke off after the older key got its second name.
    fn is_halfway(&self) -> bool {
        same(&self.file, &self.previous)
    }

    /// Makes the new key, beside the one in use.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn prepare(&self) -> Result<Made, RotateError> {
        let new = beside(&self.file, ".new");
        if fs::symlink_metadata(&new).is_ok() {
            // Left by a rotation that broke off; it was never in use.
            files::overwrite_and_remove(&new)?;
        }
        let made = match self.purpose {
            Purpose::Evidence => make::evidence(signer(&self.file)?.verifier().key().name(), &new),
            _ => make::symmetric(self.purpose, &new),
        };
        Ok(made?)
    }

    /// Puts the new key in place. At any instant there is a key at either path that was there
    /// before, whole.
    ///
    /// # Errors
    /// When a file cannot be moved. To be run again then.
    pub fn complete(&self) -> Result<(), RotateError> {
        if !self.is_halfway() {
            fs::hard_link(&self.file, &self.previous).at(&self.previous)?;
            files::sync_folder(&self.previous)?;
        }
        fs::rename(beside(&self.file, ".new"), &self.file).at(&self.file)?;
        files::sync_folder(&self.file)?;
        Ok(())
    }

    /// Where the key in use is.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Where the older key is from now on.
    #[must_use]
    pub fn previous(&self) -> &Path {
        &self.previous
    }

    /// Looks whether a rotation can be ended. Changes nothing.
    ///
    /// # Errors
    /// While something that the older key made must still count.
    pub fn ending(config: &Config, purpose: Purpose, now: Timestamp) -> Result<Self, RotateError> {
        let swap = Self::places(config, purpose)?;
        if !swap.previous.exists() {
            return Err(RotateError::Nothing);
        }
        if swap.is_halfway() {
            return Err(RotateError::Serves(swap.previous));
        }
        if files::is_link(&swap.previous) {
            return Err(KeyFileError::Link(swap.previous).into());
        }
        match purpose {
            Purpose::Evidence => {
                let verifier = signer(&swap.file)?.verifier().clone();
                signed_by(&evidence::directory(config).join("checkpoint"), &verifier)?;
                second_signed_by(config, &verifier)?;
            }
            _ => outlived(config, &swap.file, now)?,
        }
        Ok(swap)
    }

    /// Ends the rotation: the older key is overwritten and removed.
    ///
    /// # Errors
    /// When the file cannot be.
    pub fn finish(&self) -> Result<(), RotateError> {
        Ok(files::overwrite_and_remove(&self.previous)?)
    }
}

/// The key that signs checkpoints; with the one before it, while that is still there.
///
/// # Errors
/// What is wrong with a file and what to do; never anything of what it holds.
pub fn log_signer(settings: &EvidenceSettings) -> Result<Signer, String> {
    let newest = evidence::signer(&settings.key_file)?;
    let previous = settings.previous_key_file.as_ref().filter(|file| file.exists());
    match previous {
        // A rotation that broke off: the older key has two names and is still the one in use.
        Some(file) if same(&settings.key_file, file) => Ok(newest),
        Some(file) => {
            let of = |why: String| format!("previous key: {why}");
            let previous = evidence::signer(file).map_err(of)?;
            newest.after(previous).map_err(|error| of(error.to_string()))
        }
        None => Ok(newest),
    }
}

/// Whether a checkpoint, when it is there, has a signature of this key.
fn signed_by(path: &Path, verifier: &Verifier) -> Result<(), RotateError> {
    let Ok(data) = fs::metadata(path) else { return Ok(()) };
    let not_signed = || RotateError::NotSigned(path.display().to_string());
    if data.len() > MAX_NOTE as u64 {
        return Err(not_signed());
    }
    let note = fs::read(path).at(path)?;
    Checkpoint::open(&note, verifier).map(|_| ()).map_err(|_| not_signed())
}

/// The same of the copy in the second place. One that cannot be asked may have an older one.
fn second_signed_by(config: &Config, verifier: &Verifier) -> Result<(), RotateError> {
    let Some(place) = &config.evidence.second_place else { return Ok(()) };
    let unknown = |why: String| RotateError::SecondPlace(why);
    let mut place = place.open(verifier.key().name()).map_err(unknown)?;
    let newest = place.newest().map_err(|error| unknown(error.to_string()))?;
    let Some(note) = newest else { return Ok(()) };
    let opened = Checkpoint::open(&note, verifier);
    opened.map(|_| ()).map_err(|_| RotateError::NotSigned(place.name()))
}

/// Whether every token that the older key sealed has ended: the new key is as old as its file.
fn outlived(config: &Config, file: &Path, now: Timestamp) -> Result<(), RotateError> {
    let Some(lgsp) = &config.lgsp else { return Ok(()) };
    let made = fs::metadata(file).and_then(|data| data.modified()).at(file)?;
    let made = Timestamp::try_from(made).unwrap_or(now);
    let until = made.checked_add(lgsp.lifetime).and_then(|end| end.checked_add(lgsp.skew));
    let until = until.unwrap_or(Timestamp::MAX);
    if now < until { Err(RotateError::TooEarly(until)) } else { Ok(()) }
}

fn signer(file: &Path) -> Result<Signer, RotateError> {
    evidence::signer(file).map_err(|why| RotateError::Unusable { file: file.to_owned(), why })
}

pub(super) fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
