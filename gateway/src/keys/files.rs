//! Files of secrets: read with a bound, made with mode 0600 and never over another, overwritten
//! before they are removed.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use lienthong_model::{secret_file::is_private, sensitive::Sensitive};

/// Longest file of a secret.
const MAX_SECRET: u64 = 64 << 10;

/// A file of a secret that could not be made, moved or removed.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Something is there already.
    #[error("`{}` exists already; nothing was written", .0.display())]
    Exists(PathBuf),
    /// A link: what is behind it may be used elsewhere.
    #[error("`{}` is a symbolic link; name the file it leads to", .0.display())]
    Link(PathBuf),
    /// The system refuses.
    #[error("cannot use `{}`", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// There is no randomness.
    #[error("the system gives no random numbers")]
    Random,
}

/// Names the file in an error.
pub(super) trait At<T> {
    fn at(self, path: &Path) -> Result<T, KeyFileError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, path: &Path) -> Result<T, KeyFileError> {
        self.map_err(|error| KeyFileError::Io(path.to_owned(), error))
    }
}

/// What was found where a secret should be.
pub(super) struct Found {
    pub(super) mode: u32,
    pub(super) private: bool,
    pub(super) text: Sensitive<Vec<u8>>,
}

/// Reads a file of a secret; none when it is not there.
pub(super) fn read(path: &Path) -> io::Result<Option<Found>> {
    match fs::metadata(path) {
        // SECURITY: opening a pipe or a device might never end.
        Ok(data) if !data.is_file() => {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a file"));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let file = File::open(path)?;
    let data = file.metadata()?;
    let private = is_private(data.mode(), data.uid(), data.gid());
    // Room for all of it, so that growing leaves no copy behind.
    let mut bytes = Vec::with_capacity(usize::try_from(MAX_SECRET + 1).unwrap_or(0));
    let read = file.take(MAX_SECRET + 1).read_to_end(&mut bytes);
    let text = Sensitive::new(bytes);
    if read? as u64 > MAX_SECRET {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than any key"));
    }
    Ok(Some(Found { mode: data.mode() & 0o7777, private, text }))
}

/// Makes a file that only its owner may read. Never over another, and not through a link.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    create(path, bytes, 0o600)
}

/// Makes a file that anybody may read.
pub(super) fn write_new_public(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    create(path, bytes, 0o644)
}

fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyFileError> {
    if let Some(folder) = folder_of(path) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).at(folder)?;
    }
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyFileError::Exists(path.to_owned()));
        }
        opened => opened.at(path)?,
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a key is none.
        fs::remove_file(path).ok();
        return Err(KeyFileError::Io(path.to_owned(), error));
    }
    sync_folder(path)
}

fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// Makes the names in the folder of a file durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), KeyFileError> {
    let folder = folder_of(path).unwrap_or_else(|| Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).at(folder)
}

/// Whether a link stands at the path.
pub(super) fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|data| data.file_type().is_symlink())
}

/// Overwrites a file with random bytes, makes that durable, and removes it. A disk that writes
/// elsewhere than it is told to, a snapshot or a backup may still have it.
///
/// # Errors
/// When it is a link, or cannot be overwritten.
pub(super) fn overwrite_and_remove(path: &Path) -> Result<(), KeyFileError> {
    if is_link(path) {
        return Err(KeyFileError::Link(path.to_owned()));
    }
    let mut file = OpenOptions::new().write(true).open(path).at(path)?;
    let length = file.metadata().at(path)?.len().clamp(64, MAX_SECRET);
    let mut noise = vec![0; usize::try_from(length).unwrap_or(64)];
    aws_lc_rs::rand::fill(&mut noise).map_err(|_| KeyFileError::Random)?;
    file.write_all(&noise).and_then(|()| file.sync_all()).at(path)?;
    fs::remove_file(path).at(path)?;
    sync_folder(path)
}
