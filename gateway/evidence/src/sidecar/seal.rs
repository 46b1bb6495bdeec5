//! Writes digests that come in order, and makes a sidecar of them that lasts.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

use super::{BLOCK, Sealed};
use crate::{
    entry::ExchangeId,
    files::{self, At as _, FileError},
    hash::LeafHasher,
    tree::Frontier,
};

/// A sidecar that is not whole yet. Dropped before it is sealed, it is gone.
pub(super) struct Seal {
    path: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
    block: Vec<u8>,
    hasher: LeafHasher,
    tree: Frontier,
    size: u64,
    last: Option<u128>,
}

impl Seal {
    pub(super) fn begin(directory: &Path, exchange: ExchangeId) -> Result<Self, FileError> {
        let path = super::path(directory, exchange);
        let folder = super::folder(directory);
        let is_new = !folder.exists();
        files::folder(&super::unfinished(directory))?;
        if is_new {
            files::sync_parent(&folder)?;
        }
        let unfinished = super::unfinished(directory).join(exchange.to_string());
        let file = File::create(&unfinished).at(&unfinished)?;
        Ok(Self {
            path,
            unfinished,
            file: BufWriter::with_capacity(16 * BLOCK, file),
            block: Vec::with_capacity(BLOCK),
            hasher: LeafHasher::default(),
            tree: Frontier::empty(),
            size: 0,
            last: None,
        })
    }

    /// Adds the next digest; one that was the last already is not added again.
    pub(super) fn add(&mut self, digest: u128) -> Result<(), FileError> {
        if self.last.replace(digest) == Some(digest) {
            return Ok(());
        }
        self.size += 1;
        self.block.extend_from_slice(&digest.to_be_bytes());
        if self.block.len() == BLOCK { self.put_block() } else { Ok(()) }
    }

    fn put_block(&mut self) -> Result<(), FileError> {
        self.file.write_all(&self.block).at(&self.unfinished)?;
        self.tree.push(self.hasher.hash(&self.block));
        self.block.clear();
        Ok(())
    }

    /// Makes what was added last: when this returns, a crash takes nothing of it away.
    pub(super) fn finish(mut self) -> Result<Sealed, FileError> {
        if !self.block.is_empty() {
            self.put_block()?;
        }
        self.file.flush().at(&self.unfinished)?;
        self.file.get_ref().sync_data().at(&self.unfinished)?;
        fs::rename(&self.unfinished, &self.path).at(&self.path)?;
        files::sync_parent(&self.path)?;
        Ok(Sealed { root: self.tree.root(), size: self.size })
    }
}

impl Drop for Seal {
    fn drop(&mut self) {
        // Once it is sealed it has another name. What stays here is taken away when the log is opened.
        fs::remove_file(&self.unfinished).ok();
    }
}
