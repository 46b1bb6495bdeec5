//! The files of a drop folder: which there are, and which were read.
//!
//! A file appears by being renamed; one whose name ends in `.part` or `.tmp` is being written. A file
//! that was read to its end is moved into `done`, and its name is used: another content under it is
//! told and not read.

use std::{
    collections::BTreeSet,
    fs::{self, File, Metadata},
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{Context, SHA256};

use super::super::SourceError;

/// Where files go that were read.
const DONE: &str = "done";
/// Longest name of a file, and most files in a folder.
const MAX_NAME: usize = 150;
const MAX_FILES: usize = 100_000;

/// A file as it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stand {
    /// When its content was written, in hundredths of a second.
    pub(super) at: i64,
    pub(super) name: String,
    pub(super) bytes: u64,
    inode: u64,
    pub(super) done: bool,
}

/// A drop folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens a folder and makes `done` in it.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        if !path.is_dir() {
            return Err(SourceError::Missing(path.display().to_string()));
        }
        let done = path.join(DONE);
        fs::create_dir_all(&done).map_err(|error| unreadable(DONE, &error))?;
        Ok(Self { path: path.to_owned() })
    }

    /// The names of files that wait, in order.
    pub(super) fn waiting(&self) -> Result<BTreeSet<String>, SourceError> {
        names(&self.path)
    }

    /// The names of files that were read, in order.
    pub(super) fn done(&self) -> Result<BTreeSet<String>, SourceError> {
        names(&self.path.join(DONE))
    }

    /// Every file, of those that were read and those that wait.
    pub(super) fn all(&self) -> Result<Vec<Stand>, SourceError> {
        let done = self.done()?.into_iter().map(|name| self.stand(&name, true));
        let waiting = self.waiting()?.into_iter().map(|name| self.stand(&name, false));
        done.chain(waiting).collect()
    }

    /// A file as it stands.
    pub(super) fn stand(&self, name: &str, done: bool) -> Result<Stand, SourceError> {
        let metadata = fs::symlink_metadata(self.file(name, done));
        let metadata = metadata.map_err(|error| unreadable(name, &error))?;
        Ok(Stand {
            at: hundredths(&metadata),
            name: name.to_owned(),
            bytes: metadata.len(),
            inode: metadata.ino(),
            done,
        })
    }

    /// Whether a file of this name was read.
    pub(super) fn is_used(&self, name: &str) -> bool {
        self.file(name, true).exists()
    }

    /// Whether a file of this name waits.
    pub(super) fn waits(&self, name: &str) -> bool {
        self.file(name, false).exists()
    }

    pub(super) fn read(&self, stand: &Stand) -> Result<File, SourceError> {
        let file = File::open(self.file(&stand.name, stand.done));
        file.map_err(|error| unreadable(&stand.name, &error))
    }

    /// What the content of a file is known by.
    pub(super) fn digest(&self, stand: &Stand) -> Result<String, SourceError> {
        let mut file = self.read(stand)?;
        let mut context = Context::new(&SHA256);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = file.read(&mut buffer).map_err(|error| unreadable(&stand.name, &error))?;
            if read == 0 {
                break;
            }
            context.update(buffer.get(..read).unwrap_or_default());
        }
        let digest = context.finish();
        Ok(digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Puts a file that was read away.
    pub(super) fn put_away(&self, name: &str) -> Result<(), SourceError> {
        fs::rename(self.file(name, false), self.file(name, true))
            .map_err(|error| unreadable(name, &error))
    }

    fn file(&self, name: &str, done: bool) -> PathBuf {
        if done { self.path.join(DONE).join(name) } else { self.path.join(name) }
    }
}

/// The names of the CSV files in a folder, in order.
fn names(path: &Path) -> Result<BTreeSet<String>, SourceError> {
    let shown = path.display().to_string();
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(path).map_err(|error| unreadable(&shown, &error))? {
        let entry = entry.map_err(|error| unreadable(&shown, &error))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        let is_csv = name.len() > 4 && name.to_ascii_lowercase().ends_with(".csv");
        if !is_file || !is_csv || name.starts_with('.') {
            continue;
        }
        if name.len() > MAX_NAME {
            return Err(file(&name, "has too long a name"));
        }
        names.insert(name);
        if names.len() > MAX_FILES {
            return Err(file(&shown, "holds too many files"));
        }
    }
    Ok(names)
}

/// What is wrong with a file.
pub(super) fn file(name: &str, problem: &str) -> SourceError {
    SourceError::File { file: name.to_owned(), problem: problem.to_owned() }
}

/// A file that cannot be read or moved.
pub(super) fn unreadable(name: &str, error: &io::Error) -> SourceError {
    file(name, &format!("cannot be read or moved: {}", error.kind()))
}

fn hundredths(metadata: &Metadata) -> i64 {
    metadata.mtime().saturating_mul(100).saturating_add(metadata.mtime_nsec() / 10_000_000)
}
