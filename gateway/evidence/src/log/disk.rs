//! How full the disk of the log is.

use std::{fs::File, path::Path};

use crate::files::{At, FileError};

/// From which share of a full disk, in percent, to worry and to refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskLimits {
    /// Worry.
    pub amber: u8,
    /// Take no more entries.
    pub red: u8,
}

impl Default for DiskLimits {
    fn default() -> Self {
        Self { amber: 85, red: 95 }
    }
}

/// How full the disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Disk {
    /// There is room.
    #[default]
    Green,
    /// There is little room.
    Amber,
    /// There is so little that no entry is taken.
    Red,
}

impl DiskLimits {
    /// Judges by the blocks there are, those that are free, and those of them that this process may
    /// take: what is kept back for the system is neither used nor to be had, as `df` counts too.
    pub(super) fn judge(self, blocks: u64, free: u64, available: u64) -> Disk {
        let used = u128::from(blocks.saturating_sub(free));
        let of = used + u128::from(available);
        let reaches = |percent: u8| used * 100 >= of * u128::from(percent);
        match (reaches(self.red), reaches(self.amber)) {
            (true, _) => Disk::Red,
            (false, true) => Disk::Amber,
            (false, false) => Disk::Green,
        }
    }

    pub(super) fn look(self, directory: &Path) -> Result<Disk, FileError> {
        let folder = File::open(directory).at(directory)?;
        let found = rustix::fs::fstatvfs(&folder).map_err(Into::into).at(directory)?;
        Ok(self.judge(found.f_blocks, found.f_bfree, found.f_bavail))
    }
}

#[cfg(test)]
mod tests;
