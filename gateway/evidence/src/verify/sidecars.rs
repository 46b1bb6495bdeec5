//! Whether every sidecar that an outcome names is there, and is the one it names.

use std::{io, path::Path};

use super::{Position, Problem, Report};
use crate::{
    entry::Outcome,
    files::FileError,
    sidecar::{self, Sealed, Sidecar, SidecarError},
};

#[derive(Debug)]
pub(super) struct Sidecars<'a> {
    directory: &'a Path,
    unreadable: Option<FileError>,
}

impl<'a> Sidecars<'a> {
    pub(super) fn of(directory: &'a Path) -> Self {
        Self { directory, unreadable: None }
    }

    /// Takes in the next outcome.
    pub(super) fn take_in(&mut self, index: u64, outcome: &Outcome<'_>, report: &mut Report) {
        let (root, size) = match (outcome.sidecar, outcome.sidecar_size) {
            (Some(root), Some(size)) => (root, size),
            (None, None) => return,
            _ => return report.find(Position::Entry(index), Problem::Form),
        };
        let path = sidecar::path(self.directory, outcome.exchange);
        let checked = Sidecar::open(&path).map_err(SidecarError::from);
        let problem = match checked.and_then(|sidecar| sidecar.check(Sealed { root, size })) {
            Ok(()) => {
                report.sidecars += 1;
                return;
            }
            Err(SidecarError::Length) => Problem::Length,
            Err(SidecarError::Order) => Problem::Order,
            Err(SidecarError::Root) => Problem::Sidecar,
            Err(SidecarError::File(error)) => match error.source.kind() {
                io::ErrorKind::NotFound => Problem::Missing,
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Problem::Length,
                _ => {
                    self.unreadable.get_or_insert(error);
                    return;
                }
            },
        };
        let path = path.strip_prefix(self.directory).unwrap_or(&path).display().to_string();
        report.find(Position::Sidecar { entry: index, path }, problem);
    }

    /// Tells of a sidecar that could not be read.
    pub(super) fn readable(&mut self) -> Result<(), FileError> {
        self.unreadable.take().map_or(Ok(()), Err)
    }
}
