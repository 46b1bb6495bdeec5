//! Opening: from the local snapshot and what is newer, or from every record of the store.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use lienthong_store::{Store, ledger::Book};
use tokio::sync::Mutex;

use super::{OpenError, Registry, RegistryError, Settings, follow::mark, kept};
use crate::{
    guard::Guard,
    index::Index,
    progress::{Progress, Work},
    snapshot::{self, NotUsed},
};

/// How many records are read at once.
const PAGE: u32 = 2000;

/// From what a registry was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The local snapshot and what is newer.
    Snapshot,
    /// Every record of the store, because there was no snapshot that could be used.
    Store(NotUsed),
}

impl Registry {
    /// Opens the registry of a store. The first time, the store is marked with the keys.
    ///
    /// # Errors
    /// When the store fails or has what cannot be read, or was marked with other keys.
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        let Settings { store, subject_key, seal_key, snapshot, clock, progress } = settings;
        let known = set_once(&store, "consent subject key", &subject_key.fingerprint()).await?;
        if known != subject_key.fingerprint() {
            return Err(OpenError::SubjectKey);
        }
        let known = set_once(&store, "consent seal key", seal_key.fingerprint()).await?;
        if known != *seal_key.fingerprint() {
            return Err(OpenError::SealKey);
        }
        let mut lineage = [0; 16];
        aws_lc_rs::rand::fill(&mut lineage).map_err(|_| OpenError::Random)?;
        let lineage = set_once(&store, "consent lineage", &lineage).await?;
        let mut registry = Self {
            store,
            index: Arc::new(Index::new()),
            subject_key,
            seal_key,
            lineage,
            snapshot,
            progress,
            guard: Guard::new(clock),
            source: Source::Snapshot,
            applied: AtomicU64::new(0),
            uncertain: AtomicBool::new(false),
            set_back: AtomicBool::new(false),
            writer: Mutex::new(()),
            saving: Arc::new(Mutex::new(())),
        };
        registry.fill().await?;
        registry.follow().await?;
        Ok(registry)
    }

    async fn fill(&mut self) -> Result<(), RegistryError> {
        let Err(not_used) = self.load().await? else { return Ok(()) };
        self.source = Source::Store(not_used);
        if let (NotUsed::Ahead | NotUsed::OtherHistory, Some(path)) = (not_used, &self.snapshot) {
            // SECURITY: the store could grow past it and make it look like one of its own. Where it
            // cannot be removed, the next snapshot takes its place.
            std::fs::remove_file(path).ok();
        }
        self.scan().await
    }

    /// Takes the snapshot, if it is one of what the store has.
    async fn load(&mut self) -> Result<Result<(), NotUsed>, RegistryError> {
        let Some(path) = self.snapshot.clone() else { return Ok(Err(NotUsed::Absent)) };
        let head = self.store.ledger().head().await?;
        let opened = match snapshot::open(&path, &self.subject_key, self.lineage) {
            Ok(opened) => opened,
            Err(not_used) => return Ok(Err(not_used)),
        };
        let header = *opened.header();
        if header.revision > head {
            return Ok(Err(NotUsed::Ahead));
        }
        let event = self.event(header.revision).await?;
        if mark(event.as_ref()) != header.event {
            return Ok(Err(NotUsed::OtherHistory));
        }
        let loaded = match whole(opened, self.progress.clone()).await {
            Ok(loaded) => loaded,
            Err(not_used) => return Ok(Err(not_used)),
        };
        if loaded.newest > head {
            return Ok(Err(NotUsed::Ahead));
        }
        self.guard.saw(header.seen);
        self.index = Arc::new(loaded.index);
        *self.applied.get_mut() = header.revision;
        Ok(Ok(()))
    }

    /// Reads every record. What changes meanwhile is read again as an event.
    async fn scan(&mut self) -> Result<(), RegistryError> {
        let ledger = self.store.ledger();
        let head = ledger.head().await?;
        let (mut after, mut done) = (None, 0);
        loop {
            let rows = ledger.records(Book::Consent, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            for row in &rows {
                self.index.apply(&kept(row)?.record, row.revision)?;
                self.guard.saw(row.at);
            }
            done += rows.len() as u64;
            self.progress.tell(Work::Scan, done, None);
        }
        if let Some(newest) = self.event(head).await? {
            self.guard.saw(newest.at);
        }
        self.applied.store(head, Ordering::Release);
        Ok(())
    }
}

/// Reads the snapshot where it does not keep others waiting.
async fn whole(opened: snapshot::Opened, progress: Progress) -> Result<snapshot::Loaded, NotUsed> {
    let loading = tokio::task::spawn_blocking(move || opened.load(&progress));
    loading.await.unwrap_or(Err(NotUsed::Unreadable(std::io::ErrorKind::Interrupted)))
}

/// Sets a mark of the store, or gives the one that stands there.
async fn set_once(store: &Store, name: &str, value: &[u8; 16]) -> Result<[u8; 16], RegistryError> {
    let stands = store.ledger().mark(name, value).await?;
    // A mark of another length is none of this key.
    Ok(stands.try_into().unwrap_or_default())
}
