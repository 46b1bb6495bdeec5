//! Where the durable state is: in a data directory, or in a database on a server.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::ServerAddress;

/// Where the durable state is.
#[derive(Debug, Clone)]
pub enum Place {
    /// In an SQLite file of this data directory.
    Directory(PathBuf),
    /// In a database of one owner alone.
    Server {
        /// The database.
        address: ServerAddress,
        /// The data directory that is owned together with it.
        directory: Option<PathBuf>,
    },
}

impl Place {
    /// In this directory, or in a database beside it.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, database: Option<ServerAddress>) -> Self {
        match database {
            Some(address) => Self::Server { address, directory: Some(directory.into()) },
            None => Self::Directory(directory.into()),
        }
    }

    /// The data directory.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::Server { directory, .. } => directory.as_deref(),
        }
    }
}

impl From<&Path> for Place {
    fn from(directory: &Path) -> Self {
        Self::Directory(directory.to_owned())
    }
}

/// As a configuration has it. There is no secret in it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(directory) => directory.display().fmt(f),
            Self::Server { address, .. } => address.fmt(f),
        }
    }
}
