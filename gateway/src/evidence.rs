//! The evidence of this node: what moved, durable before it moves.
//!
//! In: what stages know of an exchange, refusals, administrative calls. Out: entries of the log, and
//! receipts once they are on disk. While the log takes nothing, no exchange goes to a provider.
//! No payload value and no identifier of a person ever comes into an entry.

mod answers;
mod consents;
mod opening;
mod persons;
mod refusals;
mod together;
mod trail;
pub(crate) mod turn;
mod witnesses;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use lienthong_evidence::{
    checkpoint::Checkpoint,
    entry::{
        Action, Administration, DigestKey, Entry, Format, IsAdministration, Name, OperatorRole,
    },
    log::{AppendError, Disk, Log, OpenError, Opened, Queued, Receipt, Status},
    note::{Signer, Verifier},
};
use lienthong_model::{
    clock::Clock,
    diagnostic::{Diagnostics, Position},
    id::ParticipantId,
    quarter::Quarter,
    reason::ReasonCode,
    sensitive::Sensitive,
};
use tokio::sync::{OwnedRwLockReadGuard, RwLock};
use tracing::{error, info, warn};

pub(crate) use self::answers::Streamed;
use self::refusals::Refusals;
use self::witnesses::Witnesses;
pub use self::{
    answers::AnswerSubjects,
    consents::{ConsentChange, Person, RightStep},
    opening::log_settings,
    persons::Persons,
};
pub(crate) use self::{persons::each_subject, trail::Trail};
use crate::{
    config::{Config, EvidenceSettings},
    digest_keys::{self, DigestKeys},
    keys::{self, MakeError, log_signer},
    metrics::{EvidenceMetrics, Metrics},
    provider::owner_only,
    refusal::Refusal,
    stamp,
};

/// Longest wait for an entry to become durable.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why the evidence log cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The log does not open.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The key that signs checkpoints cannot be read any more.
    #[error("key of the log: {0}")]
    Key(String),
    /// The second place's password cannot be read.
    #[error("second place: {0}")]
    SecondPlace(String),
    /// The name of the node is none.
    #[error("`evidence.node` is no name of a node")]
    Node,
    /// The process ends.
    #[error("opening the log was stopped")]
    Stopped,
    /// What stands by the log cannot be started.
    #[error("{0}")]
    Witnesses(Diagnostics),
}

/// The evidence of one gateway process.
pub struct Evidence {
    clock: Arc<dyn Clock>,
    settings: EvidenceSettings,
    directory: PathBuf,
    keys: ArcSwap<DigestKeys>,
    log: ArcSwapOption<Log>,
    refusals: Mutex<Refusals>,
    /// Held, shared, by each end of an exchange that is still being written.
    endings: Arc<RwLock<()>>,
    metrics: EvidenceMetrics,
    witnesses: Witnesses,
}

impl std::fmt::Debug for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Evidence {
    /// Reads the keys. Until [`Self::open`] nothing is taken.
    ///
    /// # Errors
    /// Every key that cannot be used.
    pub fn load(
        config: &Config,
        clock: Arc<dyn Clock>,
        metrics: &Metrics,
    ) -> Result<Self, Diagnostics> {
        let settings = config.evidence.clone();
        let mut found = Diagnostics::new();
        let keys = load_keys(&settings, clock.as_ref()).map_err(|errors| found.extend(errors));
        if let Err(problem) = log_signer(&settings) {
            let file = settings.key_file.display().to_string();
            found.add(&file, Position::default(), problem);
        }
        if let Err(errors) = stamp::check_settings(&settings.stamps) {
            found.extend(errors);
        }
        let witnesses = Witnesses::new(metrics.stamps.clone(), metrics.clock.clone());
        match keys {
            Ok(keys) if found.is_empty() => Ok(Self {
                clock,
                directory: directory(config),
                settings,
                keys: ArcSwap::from_pointee(keys),
                log: ArcSwapOption::empty(),
                refusals: Mutex::default(),
                endings: Arc::default(),
                metrics: metrics.evidence.clone(),
                witnesses,
            }),
            _ => Err(found),
        }
    }

    /// Reads the keys of digests anew.
    ///
    /// # Errors
    /// Every key that cannot be used; the older ones stay.
    pub fn reload(&self) -> Result<Arc<DigestKeys>, Diagnostics> {
        load_keys(&self.settings, self.clock.as_ref()).map(Arc::new)
    }

    /// Puts keys of digests in force.
    pub fn put_keys(&self, keys: Arc<DigestKeys>) {
        self.keys.store(keys);
    }

    /// Opens the log, which no other process may have.
    ///
    /// # Errors
    /// When another process has it, it cannot be used, or entries are lost.
    pub async fn open(self: &Arc<Self>) -> Result<(), EvidenceError> {
        let evidence = Arc::clone(self);
        let opened = tokio::task::spawn_blocking(move || evidence.open_now()).await;
        let opened = opened.map_err(|_| EvidenceError::Stopped)??;
        if let Some(cut) = &opened.cut {
            let (path, offset) = (cut.path.display().to_string(), cut.offset);
            warn!(target: "evidence", path, offset, "a write that nobody had a receipt of was cut");
        }
        if opened.unanchored {
            warn!(target: "evidence", "no checkpoint outside the log vouches that none are gone");
        }
        let interrupted = opened.interrupted.len();
        if interrupted > 0 {
            warn!(
                target: "evidence",
                interrupted,
                "exchanges that were under way when the gateway ended count as disclosed"
            );
        }
        info!(target: "evidence", entries = opened.size, root = %opened.root, "log is open");
        Ok(())
    }

    fn open_now(&self) -> Result<Opened, EvidenceError> {
        let clock = Arc::clone(&self.clock);
        let settings = opening::settings(&self.settings, self.directory.clone(), clock)?;
        let verifier = settings.signer.verifier().clone();
        let (log, opened) = Log::open(settings)?;
        self.witnesses
            .start(&self.settings, &self.directory, &verifier, &self.clock)
            .map_err(EvidenceError::Witnesses)?;
        self.log.store(Some(Arc::new(log)));
        Ok(opened)
    }

    /// Writes what waits, and lets go of the log. To be called when no exchange is in flight.
    pub async fn close(self: &Arc<Self>) {
        let ended = tokio::time::timeout(PATIENCE, self.endings.write()).await;
        if ended.is_err() {
            warn!(target: "evidence", "exchanges that ended late count as disclosed");
        }
        let evidence = Arc::clone(self);
        let closed = tokio::task::spawn_blocking(move || {
            evidence.tell_refusals(Timestamp::MAX);
            if evidence.log.load().as_ref().is_some_and(|log| log.checkpoint().is_err()) {
                error!(target: "evidence", "the last checkpoint could not be signed");
            }
            evidence.log.store(None);
            evidence.witnesses.stop();
        });
        closed.await.unwrap_or_default();
    }

    /// Held while the end of an exchange is being written: the log is not closed before. None when
    /// it is being closed already.
    pub(crate) fn ending(&self) -> Option<OwnedRwLockReadGuard<()>> {
        Arc::clone(&self.endings).try_read_owned().ok()
    }

    /// Where the log stands.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The name of this node in entries.
    #[must_use]
    pub fn node(&self) -> Option<Name<'_>> {
        Name::of_node(&self.settings.node)
    }

    /// The keys of digests in force.
    #[must_use]
    pub fn keys(&self) -> Arc<DigestKeys> {
        self.keys.load_full()
    }

    /// The key of digests of an instant.
    ///
    /// # Errors
    /// `evidence.unavailable` when the quarter has none.
    pub fn key(&self, now: Timestamp) -> Result<Arc<DigestKey>, Refusal> {
        let keys = self.keys.load();
        let key = keys.current(now).cloned();
        key.ok_or_else(|| Refusal::named(ReasonCode::EvidenceUnavailable, "digest_keys"))
    }

    /// How the log is doing; none while it is not open.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.log.load().as_ref().map(|log| log.status())
    }

    /// Signs a checkpoint over everything that has a receipt, and waits. Blocks.
    ///
    /// # Errors
    /// When the log is not open or has failed.
    pub fn checkpoint(&self) -> Result<Checkpoint, AppendError> {
        self.log.load().as_ref().ok_or(AppendError::Closed)?.checkpoint()
    }

    /// Queues an entry.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub fn append(&self, entry: &Entry<'_>) -> Result<Queued, Refusal> {
        let log = self.log.load();
        let log = log.as_ref().ok_or(AppendError::Closed).map_err(unavailable)?;
        turn::append(log, &entry.encode()).map_err(unavailable)
    }

    /// Waits for an entry to become durable.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub async fn durable(&self, queued: Queued) -> Result<Receipt, Refusal> {
        let waited = together::durable(queued, PATIENCE).await;
        let waited =
            waited.ok_or_else(|| Refusal::named(ReasonCode::EvidenceUnavailable, "wait"))?;
        waited.map_err(unavailable)
    }

    /// Records what an operator is about to do, and waits until that is durable. `fill` adds what
    /// it is about.
    ///
    /// # Errors
    /// `evidence.unavailable`.
    pub async fn administer<'a>(
        &'a self,
        action: Action,
        (operator, role): (Name<'a>, OperatorRole),
        fill: impl FnOnce(&mut Administration<'a>),
    ) -> Result<Receipt, Refusal> {
        let mut entry = Administration {
            action,
            at_ms: self.now_ms(),
            clock_offset_ms: self.clock_offset_ms(),
            count: None,
            exchange: None,
            format: Format,
            from_ms: None,
            key: None,
            kind: IsAdministration,
            node: self.node().ok_or_else(lost)?,
            operator,
            role,
            subject: None,
            until_ms: None,
            why: None,
        };
        fill(&mut entry);
        let queued = self.append(&Entry::Administration(entry))?;
        self.durable(queued).await
    }

    /// The present instant, in milliseconds since 1970.
    fn now_ms(&self) -> u64 {
        ms(self.clock.now())
    }

    /// How far the clock is from its source, when that was measured lately.
    fn clock_offset_ms(&self) -> Option<i64> {
        self.witnesses.clock_offset_ms()
    }

    /// Whether a refusal by decision has an entry of its own, or is counted.
    fn is_single(&self, acting: &ParticipantId) -> bool {
        let now = self.now_ms();
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).is_single(acting, now)
    }

    /// Counts a refusal that has no entry of its own.
    fn count(&self, refusal: refusals::Key) {
        let now = self.clock.now();
        self.tell_refusals(now);
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).count(refusal, ms(now));
    }

    /// Writes the counts of minutes that have ended.
    pub fn tell_refusals(&self, now: Timestamp) {
        let ended = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).ended(ms(now));
        for counted in ended {
            let Some(node) = self.node() else { continue };
            let entry = Entry::Refusals(counted.entry(node, self.now_ms(), self.clock_offset_ms()));
            if self.append(&entry).is_err() {
                // Nothing moved in these exchanges: their counts wait for the log.
                self.refusals.lock().unwrap_or_else(PoisonError::into_inner).put_back(counted);
            }
        }
    }

    /// Brings the gauges up to date.
    pub fn observe(&self) {
        self.metrics.observe(self.status().as_ref());
    }

    /// Why readiness is not green.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        let mut tell = |text: &str| troubles.push(text.to_owned());
        match self.status() {
            None => tell("the evidence log is not open: exchanges are refused"),
            Some(status) if status.failed => {
                tell("the evidence log has failed: exchanges are refused until a restart");
            }
            Some(status) => {
                match status.disk {
                    Disk::Green => {}
                    Disk::Amber => tell("the disk of the evidence log is filling up"),
                    Disk::Red => {
                        tell("the disk of the evidence log is full: exchanges are refused");
                    }
                }
                if status.copy_failed {
                    tell("the checkpoint of the evidence log cannot be copied");
                }
            }
        }
        troubles.extend(self.witnesses.troubles());
        troubles.extend(self.keys.load().trouble(self.clock.now()));
        troubles
    }

    /// The public key of the log; with the one before it, while that signs too.
    ///
    /// # Errors
    /// When the key cannot be read any more.
    pub fn verifier(&self) -> Result<Verifier, String> {
        log_signer(&self.settings).map(|signer| signer.verifier().clone())
    }
}

/// An exchange without a trail, which is our own mistake: it goes no further.
pub(crate) fn lost() -> Refusal {
    Refusal::named(ReasonCode::EvidenceUnavailable, "trail")
}

/// Where the log of a configuration stands.
#[must_use]
pub fn directory(config: &Config) -> PathBuf {
    let beside = || config.data.directory.join("evidence");
    config.evidence.directory.clone().unwrap_or_else(beside)
}

/// Reads the key that signs checkpoints.
///
/// # Errors
/// What is wrong with the file and what to do; never anything of what it holds.
pub fn signer(file: &Path) -> Result<Signer, String> {
    owner_only(file)?;
    let text = fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    Signer::parse(&Sensitive::new(text)).map_err(|error| error.to_string())
}

/// The keys that a node needs to begin: the one that signs its log, and those of digests for this
/// quarter and the next. Those that are there stay.
///
/// # Errors
/// When one cannot be made.
pub fn create_keys(settings: (&Path, &Path), origin: &str, now: Timestamp) -> Result<(), String> {
    let (key_file, digest_keys) = settings;
    let cannot = |error: MakeError| error.to_string();
    if !key_file.exists() {
        keys::evidence(origin, key_file).map_err(cannot)?;
    }
    for quarter in [Quarter::of(now), Quarter::of(now).next()] {
        if !digest_keys::file(digest_keys, quarter).exists() {
            keys::digest(digest_keys, quarter).map_err(cannot)?;
        }
    }
    Ok(())
}

fn load_keys(settings: &EvidenceSettings, clock: &dyn Clock) -> Result<DigestKeys, Diagnostics> {
    let keys = DigestKeys::load(&settings.digest_keys)?;
    let now = clock.now();
    if keys.current(now).is_none() {
        let mut found = Diagnostics::new();
        let file = settings.digest_keys.display().to_string();
        let quarter = Quarter::of(now);
        found.add(
            &file,
            Position::default(),
            format!("has no key `{quarter}.key` of this quarter"),
        );
        return Err(found);
    }
    Ok(keys)
}

fn unavailable(error: AppendError) -> Refusal {
    Refusal::caused(ReasonCode::EvidenceUnavailable, error)
}

/// Milliseconds since 1970.
fn ms(instant: Timestamp) -> u64 {
    u64::try_from(instant.as_millisecond()).unwrap_or(0)
}
