//! One file of a city system, read whole: inside its folder, bounded, and what it says it is.

use std::{fs::File, io::Read as _, path::Path};

use bytes::Bytes;
use lienthong_model::opaque::OpaqueType;
use rustix::{
    fs::{CWD, Mode, OFlags, openat},
    io::Errno,
};

/// Longest path, and most parts of one.
const MAX_PATH: usize = 1_000;
const MAX_PARTS: usize = 16;

/// A file and what its bytes are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) media: OpaqueType,
    pub(super) bytes: Bytes,
}

/// Why a file is not sent. Says nothing of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileError {
    /// The path leaves the folder, or goes over a link.
    Path,
    Missing,
    Unreadable,
    /// Empty, or larger than is sent.
    Size,
    /// Its bytes are of no type that is sent.
    Kind,
}

/// Reads a file below the folder.
pub(super) fn read(
    folder: &Path,
    path: &str,
    media: &[OpaqueType],
    most: u64,
) -> Result<Scan, FileError> {
    let file = open(folder, path)?;
    let metadata = file.metadata().map_err(|_| FileError::Unreadable)?;
    if !metadata.is_file() {
        return Err(FileError::Kind);
    }
    if metadata.len() == 0 || metadata.len() > most {
        return Err(FileError::Size);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // It may have grown since.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(|_| FileError::Unreadable)?;
    if bytes.is_empty() || u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(FileError::Size);
    }
    let media = media.iter().copied().find(|one| begins_as(*one, &bytes));
    Ok(Scan { media: media.ok_or(FileError::Kind)?, bytes: Bytes::from(bytes) })
}

/// SECURITY: the path is data of a row. It is walked part by part below the folder, and no part may
/// be a link: whoever can write rows or files must not be able to have other files sent.
fn open(folder: &Path, path: &str) -> Result<File, FileError> {
    let parts: Vec<&str> = path.split('/').collect();
    let harmless = |part: &&str| !matches!(*part, "" | "." | "..");
    if path.len() > MAX_PATH || parts.len() > MAX_PARTS || !parts.iter().all(harmless) {
        return Err(FileError::Path);
    }
    let (last, folders) = parts.split_last().ok_or(FileError::Path)?;
    let directory = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = openat(CWD, folder, directory, Mode::empty()).map_err(why)?;
    for part in folders {
        at = openat(&at, *part, directory | OFlags::NOFOLLOW, Mode::empty()).map_err(why)?;
    }
    // A pipe that nobody writes to must not hold a worker.
    let plain = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    openat(&at, *last, plain, Mode::empty()).map(File::from).map_err(why)
}

fn why(error: Errno) -> FileError {
    match error {
        Errno::NOENT => FileError::Missing,
        // What a link gives, as last part and before.
        Errno::LOOP | Errno::NOTDIR => FileError::Path,
        _ => FileError::Unreadable,
    }
}

/// Whether the bytes begin as a file of the type does. The gateway looks at the whole.
fn begins_as(media: OpaqueType, bytes: &[u8]) -> bool {
    let marks: &[&[u8]] = match media {
        OpaqueType::Pdf => &[b"%PDF-1.", b"%PDF-2."],
        OpaqueType::Jpeg => &[&[0xFF, 0xD8, 0xFF]],
        OpaqueType::Png => &[b"\x89PNG\r\n\x1A\n"],
        OpaqueType::Tiff => &[b"II*\0", b"MM\0*"],
        OpaqueType::Zip | OpaqueType::Docx | OpaqueType::Xlsx => &[b"PK\x03\x04"],
        OpaqueType::Cms => &[&[0x30]],
    };
    marks.iter().any(|mark| bytes.starts_with(mark))
}

#[cfg(test)]
mod tests;
