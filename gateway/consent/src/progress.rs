//! How far long work has come.

use std::{fmt, sync::Arc};

/// Which work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Work {
    /// Reading the local snapshot.
    ReadSnapshot,
    /// Writing it.
    WriteSnapshot,
    /// Reading every record of the store.
    Scan,
    /// Reading what is newer than the snapshot.
    CatchUp,
}

impl Work {
    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadSnapshot => "read_snapshot",
            Self::WriteSnapshot => "write_snapshot",
            Self::Scan => "scan",
            Self::CatchUp => "catch_up",
        }
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Which work.
    pub work: Work,
    /// How many records are done.
    pub done: u64,
    /// Of how many, where that is known.
    pub of: Option<u64>,
}

/// Is told how far long work has come.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(Step) + Send + Sync>);

impl Progress {
    /// Tells this function.
    #[must_use]
    pub fn new(tell: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells nobody.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|_| ())
    }

    pub(crate) fn tell(&self, work: Work, done: u64, of: Option<u64>) {
        (self.0)(Step { work, done, of });
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}
