//! The data directory, its lock and its name.
//!
//! The lock is an advisory lock of the operating system on a file, so that it ends with the process
//! however the process ends. The name is made by chance and tells the processes of one database apart.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use aws_lc_rs::rand;

/// Name of the lock file.
const LOCK: &str = "lock";
/// Name of the file that holds the directory's name.
const NAME: &str = "name";
/// Where that file is made before it has its place.
const NEW_NAME: &str = "name.new";
/// Hexadecimal digits of a name.
const DIGITS: usize = 32;

/// A data directory that this process owns until the value is dropped.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
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
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(DirectoryError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory's name: made by chance when there is none yet, the same ever after.
    pub(crate) fn name(&self) -> io::Result<String> {
        match File::open(self.path.join(NAME)) {
            Ok(file) => read_name(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make_name(),
            Err(error) => Err(error),
        }
    }

    /// The file is there whole or not at all, also after a power cut.
    fn make_name(&self) -> io::Result<String> {
        let mut bytes = [0_u8; DIGITS / 2];
        rand::fill(&mut bytes).map_err(|_| io::Error::other("no random numbers"))?;
        let name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let new = self.path.join(NEW_NAME);
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
        file.write_all(format!("{name}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, self.path.join(NAME))?;
        File::open(&self.path)?.sync_all()?;
        Ok(name)
    }
}

/// A name that is none is not replaced: whoever has spoiled it must know that leases stand in it.
fn read_name(file: File) -> io::Result<String> {
    let mut text = String::new();
    // One byte more than a name and its line break, so that a longer file is noticed.
    file.take(DIGITS as u64 + 2).read_to_string(&mut text)?;
    let name = text.strip_suffix('\n').unwrap_or(&text);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if name.len() == DIGITS && name.bytes().all(is_digit) {
        return Ok(name.to_owned());
    }
    let problem = format!("its file `{NAME}` holds no name: delete it, and a new one is made");
    Err(io::Error::new(io::ErrorKind::InvalidData, problem))
}

/// Makes the file, empty and readable by its owner only, when it is missing: SQLite would make it
/// with the process's umask.
pub(crate) fn private_file(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

#[cfg(test)]
mod tests;
