//! A folder of small files that outlive a crash: written whole or not at all, bounded, and read by
//! their owner only.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::Timestamp;

/// Beginning of the name of a file that is not whole yet.
const PART: &str = ".part-";

/// A folder of kept files.
#[derive(Debug)]
pub(crate) struct Kept {
    folder: PathBuf,
    parts: AtomicU64,
}

/// Does what waits for a disk, without holding up whatever else there is to do.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other).flatten()
}

impl Kept {
    /// Opens the folder; makes it with mode 0700 when it is missing, and removes what a crash left
    /// half written.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(PART) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self { folder: folder.to_owned(), parts: AtomicU64::new(0) })
    }

    /// Writes a file in place of the one of that name. Durable when this returns.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let number = self.parts.fetch_add(1, Ordering::Relaxed);
        let part = self.folder.join(format!("{PART}{}-{number}", std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        let written = file
            .write_all(bytes)
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&part, self.folder.join(name)))
            .and_then(|()| File::open(&self.folder)?.sync_all());
        if written.is_err() {
            // The mistake that counts is the first; what is left is removed at the next start.
            drop(fs::remove_file(&part));
        }
        written
    }

    /// Reads a file of at most `most` bytes. Nothing when there is none.
    pub(crate) fn read(&self, name: &str, most: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.folder.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "kept file is too large"));
        }
        Ok(Some(bytes))
    }

    /// Whether there is a file of that name.
    pub(crate) fn has(&self, name: &str) -> io::Result<bool> {
        self.folder.join(name).try_exists()
    }

    /// The names of the files that are whole.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if !name.starts_with(PART) {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Removes a file; that it is gone already is no mistake.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes the files that were written before `limit`.
    pub(crate) fn remove_before(&self, limit: Timestamp) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let written = entry.metadata()?.modified()?;
            if Timestamp::try_from(written).is_ok_and(|written| written < limit) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A file's name for something whose own name says too much: a digest of its parts.
pub(crate) fn name_of(parts: &[&str]) -> String {
    let mut text = Vec::new();
    for part in parts {
        // The length stands before each part, so that no two lists run together.
        text.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    hex(digest(&SHA256, &text).as_ref())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or_default());
        }
        text
    })
}

#[cfg(test)]
mod tests;
