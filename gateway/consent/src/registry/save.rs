//! Writing the local snapshot.

use std::sync::Arc;

use super::{Registry, SnapshotError, Uncertain, follow::mark};
use crate::snapshot::{self, Header};

impl Registry {
    /// Writes the local snapshot; changes go on meanwhile. Gives how many statements are in it.
    ///
    /// # Errors
    /// When there is no file for it, it cannot be written, the store fails, or there is a doubt.
    pub async fn save(&self) -> Result<u64, SnapshotError> {
        let path = self.snapshot.clone().ok_or(SnapshotError::NoFile)?;
        let alone = Arc::clone(&self.saving).lock_owned().await;
        if self.is_uncertain() {
            return Err(Uncertain.into());
        }
        let revision = self.applied();
        let event = self.event(revision).await.map_err(super::RegistryError::from)?;
        if revision > 0 && event.is_none() {
            return Err(super::RegistryError::Behind.into());
        }
        let statements = self.index.len();
        let header = Header {
            fingerprint: self.subject_key.fingerprint(),
            lineage: self.lineage,
            revision,
            event: mark(event.as_ref()),
            seen: self.guard.latest(),
            statements,
        };
        let (index, key) = (Arc::clone(&self.index), self.subject_key.clone());
        let progress = self.progress.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let written = snapshot::write(&path, &key, &index, &header, &progress);
            // Held here and not by the caller, who may give up while the file is being written.
            drop(alone);
            written
        });
        writing.await.map_err(std::io::Error::other)??;
        Ok(statements)
    }
}
