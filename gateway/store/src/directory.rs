//! The data directory and its lock.
//!
//! The lock is an advisory lock of the operating system on a file, so that it ends with the process
//! however the process ends.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

/// Name of the lock file.
const LOCK: &str = "lock";

/// A data directory that this process owns until the value is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    _lock: File,
}

/// Why a directory cannot be owned.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DirectoryError {
    #[error("in use by another process")]
    InUse,
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Directory {
    /// Creates the directory when it is missing (readable by its owner only) and takes the lock.
    pub(crate) fn own(path: &Path) -> Result<Self, DirectoryError> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DirectoryError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Makes the file, empty and readable by its owner only, when it is missing: SQLite would make it
/// with the process's umask.
pub(crate) fn private_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

#[cfg(test)]
mod tests;
