//! Where stamps are kept: `stamps/SIZE/` in the directory of the log, one folder a checkpoint.
//!
//! Time stamps stay. Of seals without one the newest stay, and of older ones one an hour: a later
//! seal is over everything that an earlier one was over.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use lienthong_evidence::{
    files::{self, FileError},
    note::MAX_NOTE,
};

/// The checkpoint, as it was signed.
const CHECKPOINT: &str = "checkpoint";
/// The agency's seal on it.
pub(super) const SEAL: &str = "checkpoint.cms";
/// The time-stamp service's answer about it.
pub(super) const TIME_STAMP: &str = "checkpoint.tsr";
/// Longest seal or time stamp that is read.
const MAX_STAMP: u64 = 256 << 10;
/// Seals without a time stamp that all stay.
const NEWEST: usize = 60;
/// Folders that are looked at to find them.
const LOOK: usize = 512;
const HOUR: i64 = 3600;

/// The folder of a log's stamps.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Seals without a time stamp, the oldest first: size and hour.
    seals: VecDeque<(u64, i64)>,
    /// The hour of the last seal that stays.
    kept: Option<i64>,
    /// The newest checkpoint that has a seal, and a time stamp.
    pub(super) sealed: u64,
    pub(super) stamped: u64,
}

impl Folder {
    /// Looks at what is there in the directory of a log.
    pub(super) fn open(log: &Path) -> Result<Self, FileError> {
        let path = path(log);
        let sizes = sizes(log)?;
        let mut folder = Self { path, seals: VecDeque::new(), kept: None, sealed: 0, stamped: 0 };
        for size in sizes.iter().rev().take(LOOK).rev() {
            let of = folder.path.join(size.to_string());
            let is_stamped = of.join(TIME_STAMP).exists();
            if is_stamped {
                folder.stamped = *size;
            }
            let Ok(seal) = fs::metadata(of.join(SEAL)) else { continue };
            folder.sealed = *size;
            if !is_stamped {
                let written = seal.modified().ok().and_then(|time| time.try_into().ok());
                let written = written.unwrap_or(Timestamp::UNIX_EPOCH);
                folder.seals.push_back((*size, hour(written)));
            }
        }
        Ok(folder)
    }

    /// The checkpoint of this size that stamps are put on: the one that is there already, when it is
    /// good, because the log may have signed the same tree anew since; else `newest`, kept.
    pub(super) fn checkpoint(
        &self,
        size: u64,
        newest: &[u8],
        is_good: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Vec<u8>, FileError> {
        let of = self.path.join(size.to_string());
        let path = of.join(CHECKPOINT);
        match files::read(&path, MAX_NOTE as u64)? {
            Some(older) if is_good(&older) => Ok(older),
            _ => {
                files::folder(&of)?;
                files::replace(&path, newest)?;
                Ok(newest.to_vec())
            }
        }
    }

    /// Keeps a seal on the checkpoint of this size.
    pub(super) fn keep_seal(
        &mut self,
        size: u64,
        seal: &[u8],
        now: Timestamp,
    ) -> Result<(), FileError> {
        let of = self.path.join(size.to_string());
        files::replace(&of.join(SEAL), seal)?;
        self.sealed = size;
        if !of.join(TIME_STAMP).exists() {
            self.seals.push_back((size, hour(now)));
        }
        self.thin()
    }

    /// Keeps a time stamp of the checkpoint of this size.
    pub(super) fn keep_time_stamp(&mut self, size: u64, answer: &[u8]) -> Result<(), FileError> {
        files::replace(&self.path.join(size.to_string()).join(TIME_STAMP), answer)?;
        self.stamped = size;
        self.seals.retain(|(other, _)| *other != size);
        Ok(())
    }

    /// Lets go of seals that later ones stand for.
    fn thin(&mut self) -> Result<(), FileError> {
        while self.seals.len() > NEWEST {
            let Some((size, hour)) = self.seals.pop_front() else { break };
            if self.kept != Some(hour) {
                self.kept = Some(hour);
                continue;
            }
            let path = self.path.join(size.to_string());
            match fs::remove_dir_all(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn hour(instant: Timestamp) -> i64 {
    instant.as_second().div_euclid(HOUR)
}

fn path(log: &Path) -> PathBuf {
    log.join("stamps")
}

/// The sizes of the checkpoints that have stamps, the smallest first.
pub(super) fn sizes(log: &Path) -> Result<Vec<u64>, FileError> {
    let path = path(log);
    let at = |source| FileError { path: path.clone(), source };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(at(error)),
    };
    let mut sizes = Vec::new();
    for entry in entries {
        let name = entry.map_err(at)?.file_name();
        sizes.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
    }
    sizes.sort_unstable();
    Ok(sizes)
}

/// What stands in the folder of one checkpoint.
pub(super) struct Kept {
    pub(super) checkpoint: Option<Vec<u8>>,
    pub(super) seal: Option<Vec<u8>>,
    pub(super) time_stamp: Option<Vec<u8>>,
}

impl Kept {
    pub(super) fn read(log: &Path, size: u64) -> Result<Self, FileError> {
        let of = path(log).join(size.to_string());
        Ok(Self {
            checkpoint: files::read(&of.join(CHECKPOINT), MAX_NOTE as u64)?,
            seal: files::read(&of.join(SEAL), MAX_STAMP)?,
            time_stamp: files::read(&of.join(TIME_STAMP), MAX_STAMP)?,
        })
    }
}
