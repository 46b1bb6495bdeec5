//! The folder of a received package: put together where nobody looks, shown whole by one renaming.
//!
//! Whatever happens before the renaming leaves nothing but a hidden folder, which the next attempt
//! takes away. Every file is on disk before the renaming, and the renaming before anything else.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{PackageError, PackageId, container::MANIFEST, error};

/// Where a CSV source puts files that it has read.
pub(super) const DONE: &str = "done";

/// A folder that nobody sees yet. It goes away when this does.
#[derive(Debug)]
pub(super) struct Staging {
    path: PathBuf,
    into: PathBuf,
}

impl Staging {
    /// Begins a folder in another, without what an earlier attempt left of it.
    pub(super) fn new(into: &Path, package: PackageId) -> Result<Self, PackageError> {
        let path = into.join(format!(".package-{package}.part"));
        let failed = || error::file(path.display().to_string());
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed()(error)),
            _ => {}
        }
        DirBuilder::new().mode(0o700).create(&path).map_err(failed())?;
        Ok(Self { path: path.clone(), into: into.to_owned() })
    }

    /// A new file in it.
    pub(super) fn file(&self, name: &str) -> Result<File, PackageError> {
        let mut options = OpenOptions::new();
        let options = options.write(true).create_new(true).mode(0o600);
        options.open(self.path.join(name)).map_err(error::file(name))
    }

    /// A new file in it with this content, on disk.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<(), PackageError> {
        let mut file = self.file(name)?;
        let written = file.write_all(content).and_then(|()| file.sync_all());
        written.map_err(error::file(name))
    }

    /// Shows the folder under a name. One that stands there already is the same package, shown by an
    /// attempt that died behind this step, or something else, which is left alone.
    pub(super) fn publish(self, name: &str) -> Result<PathBuf, PackageError> {
        let target = self.into.join(name);
        let failed = |error| error::file(target.display())(error);
        sync(&self.path).map_err(failed)?;
        if target.symlink_metadata().is_ok() {
            let same =
                fs::read(target.join(MANIFEST)).ok() == fs::read(self.path.join(MANIFEST)).ok();
            return match same && target.is_dir() {
                true => Ok(target),
                false => Err(PackageError::Exists(target.display().to_string())),
            };
        }
        fs::rename(&self.path, &target).map_err(failed)?;
        sync(&self.into).map_err(failed)?;
        Ok(target)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // What was published is not here any more.
        fs::remove_dir_all(&self.path).ok();
    }
}

/// Lays files of a published folder into that of a CSV source, under names that are used once. A
/// file that lies there, or was read and put away, is left alone.
pub(super) fn hand_over(
    files: &[(PathBuf, String)],
    folder: &Path,
) -> Result<Vec<PathBuf>, PackageError> {
    let mut handed = Vec::new();
    for (file, name) in files {
        let target = folder.join(name);
        let failed = |error| error::file(target.display())(error);
        let inode = file.metadata().map_err(failed)?.ino();
        let there = [target.clone(), folder.join(DONE).join(name)];
        let known = there.iter().filter_map(|path| path.symlink_metadata().ok()).next();
        match known {
            Some(known) if known.ino() == inode => {}
            Some(_) => return Err(PackageError::Exists(target.display().to_string())),
            None => fs::hard_link(file, &target).map_err(failed)?,
        }
        handed.push(target);
    }
    sync(folder).map_err(error::file(folder.display()))?;
    Ok(handed)
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
