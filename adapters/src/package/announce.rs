//! The announcement of a package: one line for the flow that tells the platform of it.
//!
//! A package on a medium is an exchange of its own: the platform hears its id, the digest of its
//! manifest and its counts, never a record. The line is a file of its own, named after the package, so
//! that laying it again changes nothing.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use serde_json::json;

use super::{
    Checked, PackageError, PackageId, Progress, Refused, error, open,
    publish::{self, DONE},
    table::Table,
};
use crate::config::PackagesConfig;

/// The columns of an announcement.
const COLUMNS: [&str; 8] = [
    "package",
    "dataset",
    "recipients",
    "manifest_sha256",
    "records",
    "parts",
    "as_of",
    "created_at",
];
/// A package that was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Announced {
    /// Its id.
    pub package: PackageId,
    /// The data set.
    pub dataset: String,
    /// The line for the flow; where the flow has read it, in the folder `done`.
    pub file: PathBuf,
}

/// What is told of a package.
pub(super) struct Announcement<'a> {
    pub(super) package: PackageId,
    pub(super) dataset: &'a str,
    pub(super) recipients: &'a [String],
    pub(super) manifest_sha256: &'a str,
    pub(super) records: u64,
    pub(super) parts: usize,
    pub(super) as_of: Date,
    pub(super) created_at: Timestamp,
}

/// Announces a package that was made here, also one that was announced before.
///
/// # Errors
/// Why it is not: it is damaged or of somebody else, or its data set is not announced.
pub fn announce(
    config: &PackagesConfig,
    file: &Path,
    now: Timestamp,
    progress: &Progress,
) -> Result<Announced, PackageError> {
    let checked = open::look(config, file, now, progress)?;
    if checked.sender != config.own.as_str() {
        return Err(Refused::Foreign("was not made here").into());
    }
    let folder = config.dataset(&checked.dataset).and_then(|one| one.send.as_ref());
    let folder = folder.and_then(|send| send.announcements.as_ref()).ok_or_else(|| {
        let problem = "has no `announcements`: no flow tells the platform of its packages";
        PackageError::Configuration(format!("data set `{}` {problem}", checked.dataset))
    })?;
    let laid = Announcement::from(&checked).lay(folder)?;
    Ok(Announced { package: checked.package, dataset: checked.dataset, file: laid })
}

impl<'a> From<&'a Checked> for Announcement<'a> {
    fn from(checked: &'a Checked) -> Self {
        Self {
            package: checked.package,
            dataset: &checked.dataset,
            recipients: &checked.recipients,
            manifest_sha256: &checked.manifest_sha256,
            records: checked.records,
            parts: checked.parts,
            as_of: checked.as_of,
            created_at: checked.created_at,
        }
    }
}

impl Announcement<'_> {
    /// Lays the line where the flow looks for it. One that lies there, or was read, is left alone.
    pub(super) fn lay(&self, folder: &Path) -> Result<PathBuf, PackageError> {
        let name = format!("{}-{}.csv", self.dataset, self.package);
        let (target, text) = (folder.join(&name), self.text()?);
        for there in [target.clone(), folder.join(DONE).join(&name)] {
            match fs::read(&there) {
                Ok(known) if known == text => return Ok(there),
                Ok(_) => return Err(PackageError::Exists(there.display().to_string())),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error::file(there.display())(error)),
            }
        }
        let failed = || error::file(target.display().to_string());
        // A CSV source does not look at hidden files.
        let file = tempfile::Builder::new().prefix(".announcement-").tempfile_in(folder);
        let mut file = file.map_err(failed())?;
        let written = file.write_all(&text).and_then(|()| file.as_file().sync_all());
        written.map_err(failed())?;
        file.persist_noclobber(&target).map_err(|error| failed()(error.error))?;
        publish::sync(folder).map_err(failed())?;
        Ok(target)
    }

    fn text(&self) -> Result<Vec<u8>, PackageError> {
        let row = json!({
            "package": self.package.to_string(),
            "dataset": self.dataset,
            "recipients": self.recipients.join(" "),
            "manifest_sha256": self.manifest_sha256,
            "records": self.records,
            "parts": self.parts,
            "as_of": self.as_of.to_string(),
            "created_at": self.created_at.to_string(),
        });
        let row = row.as_object().cloned().unwrap_or_default();
        let columns = COLUMNS.map(str::to_owned).to_vec();
        let table = Table::new(Vec::new(), columns).and_then(|mut table| {
            table.row(&row)?;
            table.finish()
        });
        table.map_err(error::file("an announcement"))
    }
}
