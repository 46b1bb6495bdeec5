//! Takes digests in any order while an answer streams, and seals them when it has ended.

use std::path::{Path, PathBuf};

use super::{
    Sealed,
    merge::{Scratch, Sizes},
    seal::Seal,
};
use crate::{
    entry::{ExchangeId, KeyedDigest},
    files::{self, FileError},
};

/// A sidecar that is being written. Holds 64 KiB at most until [`Self::finish`].
///
/// [`Self::begin`] touches no disk. [`Self::add`] does once in 4,096 digests: it writes 64 KiB, which
/// the system takes into memory, and waits for nothing to be on disk; an async task may call it.
/// [`Self::finish`] sorts everything and waits for the disk: call it where one may block. Dropped
/// without it, nothing is kept.
#[derive(Debug)]
pub struct SidecarWriter {
    directory: PathBuf,
    exchange: ExchangeId,
    sizes: Sizes,
    waiting: Vec<u128>,
    scratch: Option<Scratch>,
}

impl SidecarWriter {
    /// Begins the sidecar of an exchange, in the directory of the log its outcome will be in.
    #[must_use]
    pub fn begin(directory: &Path, exchange: ExchangeId) -> Self {
        Self::with(directory, exchange, Sizes::USUAL)
    }

    pub(super) fn with(directory: &Path, exchange: ExchangeId, sizes: Sizes) -> Self {
        let directory = directory.to_owned();
        Self { directory, exchange, sizes, waiting: Vec::new(), scratch: None }
    }

    /// Adds a digest, in any order, and as often as it comes.
    ///
    /// # Errors
    /// When there is no room for it: then the answer must not go on.
    pub fn add(&mut self, digest: KeyedDigest) -> Result<(), FileError> {
        let digest = u128::from_be_bytes(*digest.as_bytes());
        // Elements about one person often follow one another.
        if self.waiting.last() == Some(&digest) {
            return Ok(());
        }
        if self.waiting.len() >= self.sizes.waiting {
            self.spill()?;
        }
        self.waiting.push(digest);
        Ok(())
    }

    /// Sorts and seals what was added; none when nothing was. It is on disk when this returns.
    ///
    /// # Errors
    /// When it cannot be written: then the outcome must not name it.
    pub fn finish(mut self) -> Result<Option<Sealed>, FileError> {
        if self.scratch.is_some() {
            self.spill()?;
        }
        let Some(scratch) = self.scratch.take() else { return self.finish_small() };
        let mut seal = Seal::begin(&self.directory, self.exchange)?;
        scratch.sorted(self.sizes, &mut |digest| seal.add(digest))?;
        seal.finish().map(Some)
    }

    fn finish_small(mut self) -> Result<Option<Sealed>, FileError> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        self.waiting.sort_unstable();
        let mut seal = Seal::begin(&self.directory, self.exchange)?;
        self.waiting.iter().try_for_each(|digest| seal.add(*digest))?;
        seal.finish().map(Some)
    }

    /// Writes out what waits. What fails here is not lost: it waits on.
    fn spill(&mut self) -> Result<(), FileError> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => {
                let folder = super::unfinished(&self.directory);
                files::folder(&folder)?;
                none.insert(Scratch::begin(&folder.join(format!("{}.scratch", self.exchange)))?)
            }
        };
        scratch.add(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}
