//! Where the configuration says that copies of checkpoints are kept: a file, or a database.
//!
//! In: the text of `evidence.second_place`. Out: a second place for the log. No secret stands in the
//! text; a password comes by file, when the log is opened.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use lienthong_evidence::log::{Copy, Fault, SecondFile, SecondPlace};
use lienthong_store::{
    Address, AddressError,
    checkpoints::{Checkpoint, Checkpoints},
};

/// A second place as configured.
#[derive(Debug, Clone)]
pub enum SecondPlaceSettings {
    /// A file.
    File(PathBuf),
    /// A database.
    Database {
        /// Where it is.
        address: Address,
        /// File of the password.
        password_file: Option<PathBuf>,
    },
}

impl SecondPlaceSettings {
    /// Reads a path, `sqlite:FILE` or `postgres://…`. Files are relative to `base`.
    ///
    /// # Errors
    /// When the text is no address, or leads to another machine unprotected.
    pub fn parse(
        text: &str,
        base: &Path,
        password_file: Option<PathBuf>,
    ) -> Result<Self, AddressError> {
        if !Address::is_meant(text) {
            return Ok(Self::File(base.join(text)));
        }
        let address = match text.strip_prefix("sqlite:") {
            Some(file) if !file.is_empty() => {
                Address::parse(&format!("sqlite:{}", base.join(file).display()))?
            }
            _ => Address::parse(text)?,
        };
        Ok(Self::Database { address, password_file })
    }

    /// The second place of the log of this name.
    ///
    /// # Errors
    /// What is wrong with the password's file; never anything of what it holds.
    pub fn open(&self, origin: &str) -> Result<Box<dyn SecondPlace>, String> {
        let (address, file) = match self {
            Self::File(path) => return Ok(Box::new(SecondFile::new(path.clone()))),
            Self::Database { address, password_file } => (address.clone(), password_file),
        };
        let address = match file {
            Some(file) => address.with_password_file(file).map_err(|error| error.to_string())?,
            None => address,
        };
        let (name, origin) = (address.to_string(), origin.to_owned());
        Ok(Box::new(InDatabase { checkpoints: Checkpoints::new(address), name, origin }))
    }
}

struct InDatabase {
    checkpoints: Checkpoints,
    name: String,
    origin: String,
}

impl fmt::Debug for InDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InDatabase").field("name", &self.name).finish_non_exhaustive()
    }
}

impl SecondPlace for InDatabase {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn newest(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.checkpoints.newest(&self.origin)?.map(String::into_bytes))
    }

    fn keep(&mut self, copy: &Copy) -> Result<(), Fault> {
        let Copy { checkpoint, note, after_loss } = copy;
        let (origin, size) = (self.origin.as_str(), checkpoint.size);
        Ok(self.checkpoints.keep(Checkpoint { origin, size, note, after_loss: *after_loss })?)
    }
}

#[cfg(test)]
mod tests;
