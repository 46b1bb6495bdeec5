//! The consents of this process: the registry, its keys, and the word on whether it can be believed.
//!
//! The data path asks here whether a person's consent holds; the consent listener records here what
//! people say. Whatever cannot be known for sure is `facts.unavailable`, and never a yes: while the
//! registry is not open, is in doubt, or is behind what the evidence says.

mod call;
mod caller;
mod change;
mod covered;
mod disclosures;
mod give;
mod keep;
mod listener;
mod look;
mod notices;
mod page;
mod participants;
mod person_log;
mod proof;
mod propagate;
mod receipts;
mod reconcile;
mod record;
mod rights;

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use lienthong_consent::{
    index::{Active, Standing},
    keys::{SealKey, SubjectDigest, SubjectKey},
    progress::{Progress, Step},
    receipt::ReceiptKey,
    registry::{OpenError, Registry, RegistryError, Settings, Source, UseError},
    scope::Asked,
};
use lienthong_model::{
    clock::Clock,
    diagnostic::{Diagnostics, Position},
    reason::ReasonCode,
    sensitive::Sensitive,
};
use lienthong_store::Store;
use tokio::{runtime::Handle, task::JoinError};
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

pub use self::{
    call::{Api, Call},
    caller::{Caller, Collector},
    listener::ConsentListener,
    reconcile::{ReconcileError, Reconciled},
};
use self::{keep::Keeper, propagate::Owed};
use crate::{
    config::{Config, ConsentSettings},
    evidence::Evidence,
    key_file,
    metrics::ConsentMetrics,
    provider::owner_only,
    refusal::Refusal,
};

/// The consents of one gateway process.
pub struct Consents {
    settings: ConsentSettings,
    snapshot: PathBuf,
    clock: Arc<dyn Clock>,
    evidence: Arc<Evidence>,
    metrics: ConsentMetrics,
    subject_key: SubjectKey,
    receipt_key: ReceiptKey,
    /// Who gives receipts.
    issuer: String,
    /// Waits for the registry, which takes it.
    seal_key: Mutex<Option<SealKey>>,
    registry: OnceLock<Registry>,
    /// Whether the evidence knows changes that the registry does not: it was put back to an older
    /// state.
    behind: AtomicBool,
    /// Every change up to it is in the evidence.
    recorded: AtomicU64,
    /// Changes come into the evidence in the order of their revisions, so that none below the newest
    /// one is missing.
    recorder: tokio::sync::Mutex<()>,
    /// Whether the last local snapshot could not be written.
    unsaved: AtomicBool,
    keeper: Keeper,
    teller: Keeper,
    /// What is owed, as it was counted last.
    owed: Owed,
    /// One looks through the log at a time.
    looking: Arc<tokio::sync::Mutex<()>>,
    /// Changes that are under way, on the event loop that outlives connections.
    changes: TaskTracker,
    handle: OnceLock<Handle>,
}

impl std::fmt::Debug for Consents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Consents").finish_non_exhaustive()
    }
}

impl Consents {
    /// Reads the keys. Until [`Self::open`] no consent holds.
    ///
    /// # Errors
    /// Every key that cannot be used.
    pub fn load(
        config: &Config,
        settings: &ConsentSettings,
        clock: Arc<dyn Clock>,
        (evidence, metrics): (Arc<Evidence>, ConsentMetrics),
    ) -> Result<Self, Diagnostics> {
        let mut found = Diagnostics::new();
        let mut key = |file: &PathBuf| {
            let read = key_file::read(file);
            read.map_err(|problem| {
                found.add(&file.display().to_string(), Position::default(), problem)
            })
            .ok()
        };
        let (subject, seal) = (key(&settings.subject_key_file), key(&settings.seal_key_file));
        let seal = seal.and_then(|key| SealKey::new(&key).ok());
        let file = &settings.receipt_key_file;
        let receipt = receipt_key(file).map_err(|problem| {
            found.add(&file.display().to_string(), Position::default(), problem)
        });
        match (subject, seal, receipt) {
            (Some(subject), Some(seal), Ok(receipt_key)) if found.is_empty() => Ok(Self {
                settings: settings.clone(),
                snapshot: config.data.directory.join("consents.snapshot"),
                clock,
                evidence,
                metrics,
                subject_key: SubjectKey::new(&subject),
                receipt_key,
                issuer: format!("urn:lienthong:node:{}", config.evidence.node),
                seal_key: Mutex::new(Some(seal)),
                registry: OnceLock::new(),
                behind: AtomicBool::new(false),
                recorded: AtomicU64::new(0),
                recorder: tokio::sync::Mutex::default(),
                unsaved: AtomicBool::new(false),
                keeper: Keeper::default(),
                teller: Keeper::default(),
                owed: Owed::default(),
                looking: Arc::default(),
                changes: TaskTracker::new(),
                handle: OnceLock::new(),
            }),
            _ => Err(found),
        }
    }

    /// Opens the registry in this store. The evidence must be open: what the registry has and the
    /// evidence does not is written there, and a registry that is behind is not believed.
    ///
    /// # Errors
    /// When the store was made with other keys, fails, or has what cannot be read.
    pub async fn open(self: &Arc<Self>, store: Arc<Store>) -> Result<(), OpenError> {
        self.handle.get_or_init(Handle::current);
        let seal_key = self.seal_key.lock().unwrap_or_else(PoisonError::into_inner).take();
        let settings = Settings {
            store,
            subject_key: self.subject_key.clone(),
            // One process opens once.
            seal_key: seal_key.ok_or(OpenError::SealKey)?,
            snapshot: Some(self.snapshot.clone()),
            clock: Arc::clone(&self.clock),
            progress: Progress::new(told),
        };
        let registry = Registry::open(settings).await?;
        if let Source::Store(why) = registry.source() {
            let why = why.as_str();
            info!(target: "consent", why, "the registry was read from the store");
        }
        let revision = registry.applied();
        // Nobody else has set it: the key was there.
        let registry = self.registry.get_or_init(|| registry);
        self.compare(registry).await?;
        info!(target: "consent", revision, "the registry of consents is open");
        if let Err(refusal) = self.record_all().await {
            let cause = refusal.cause.to_string();
            warn!(target: "consent", cause, "changes of consents are not in the evidence yet");
        }
        self.keeper.start(|stopped| keep::keep(Arc::downgrade(self), stopped));
        self.teller.start(|stopped| propagate::tell(Arc::downgrade(self), stopped));
        Ok(())
    }

    /// Compares the registry with the newest change that the evidence knows.
    async fn compare(&self, registry: &Registry) -> Result<(), RegistryError> {
        let Some(newest) = self.evidence.newest() else {
            self.behind.store(false, Ordering::Release);
            return Ok(());
        };
        let is_there = registry.has(newest.revision, newest.record.as_bytes()).await?;
        self.behind.store(!is_there, Ordering::Release);
        if is_there {
            self.recorded.store(newest.revision, Ordering::Release);
        } else {
            let (evidence, registry) = (newest.revision, registry.applied());
            error!(
                target: "consent",
                evidence,
                registry,
                "the registry is behind the evidence; run lienthong store reconcile"
            );
        }
        Ok(())
    }

    /// Ends the work beside calls, and writes what waits: missing entries, then the local snapshot.
    /// To be called before the store and the evidence are closed.
    pub async fn close(&self) {
        self.changes.close();
        self.changes.wait().await;
        self.teller.stop().await;
        self.keeper.stop().await;
        let Some(registry) = self.registry.get() else { return };
        if let Err(refusal) = self.record_all().await {
            let cause = refusal.cause.to_string();
            error!(target: "consent", cause, "changes of consents wait for the next start");
        }
        self.save(registry).await;
    }

    /// The person, as the registry knows one.
    #[must_use]
    pub fn digest(&self, kind: &str, value: &str) -> SubjectDigest {
        self.subject_key.digest(kind, value)
    }

    /// The key under which the registry knows people.
    #[must_use]
    pub fn subject_key(&self) -> &SubjectKey {
        &self.subject_key
    }

    /// Whether a consent to what is asked for holds now. Never waits.
    ///
    /// # Errors
    /// `facts.unavailable` when that cannot be known for sure.
    pub fn standing(
        &self,
        subject: &SubjectDigest,
        asked: &Asked<'_>,
    ) -> Result<Standing, Refusal> {
        let standing = self.registry()?.standing(subject, asked);
        standing.map_err(|error| Refusal::caused(error.reason(), error))
    }

    /// Takes a consent that is for one exchange. When this returns, that is durable in the registry
    /// and in the evidence.
    ///
    /// # Errors
    /// `consent.*` when it does not hold any more, `facts.unavailable`, `evidence.unavailable`.
    pub async fn use_once(&self, active: &Active) -> Result<(), Refusal> {
        let used = self.registry()?.use_once(active).await;
        let outcome = if used.is_ok() { "done" } else { "refused" };
        self.metrics.change("use", outcome);
        let changed = used.map_err(|error: UseError| Refusal::caused(error.reason(), error))?;
        self.record(changed.revision).await
    }

    /// What stands for a text under the registry's key, apart from what stands for people.
    fn keyed(&self, what: &str, text: &str) -> [u8; 32] {
        // No kind of identifier has a colon in it.
        let halves =
            ["1", "2"].map(|half| self.subject_key.digest(&format!("{what}:{half}"), text));
        let bytes = halves.iter().flat_map(|half| half.as_bytes());
        let mut keyed = [0; 32];
        keyed.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        keyed
    }

    /// Does something on an event loop that outlives whoever asks for it.
    async fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        let handle = self.handle.get_or_init(Handle::current);
        self.changes.spawn_on(work, handle).await
    }

    /// The registry, when it can be believed.
    ///
    /// # Errors
    /// `facts.unavailable`.
    pub fn registry(&self) -> Result<&Registry, Refusal> {
        let unavailable = |what| Refusal::named(ReasonCode::FactsUnavailable, what);
        let registry = self.registry.get().ok_or_else(|| unavailable("consent"))?;
        if self.behind.load(Ordering::Acquire) {
            return Err(unavailable("reconcile"));
        }
        Ok(registry)
    }

    /// Why readiness is not green.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        let mut tell = |text: &str| troubles.push(text.to_owned());
        let Some(registry) = self.registry.get() else {
            tell("the registry of consents is not open: exchanges on consent are refused");
            return troubles;
        };
        if self.behind.load(Ordering::Acquire) {
            tell(
                "the registry of consents is behind the evidence: exchanges on consent are refused; \
                 stop the gateway and run `lienthong store reconcile`",
            );
        }
        if registry.is_uncertain() {
            tell("the registry of consents is in doubt: exchanges on consent are refused");
        }
        if !self.is_behind() && self.recorded() < registry.applied() {
            tell("changes of consents wait to be written to the evidence");
        }
        if registry.clock_behind().as_secs() > MOST_CLOCK_BEHIND {
            tell("the clock is behind a time at which consents were changed");
        }
        if self.unsaved.load(Ordering::Relaxed) {
            tell("the local snapshot of consents cannot be written: the next start takes longer");
        }
        troubles.extend(self.owed.troubles());
        troubles
    }

    /// Whether the evidence knows what the registry does not.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }

    /// Every change up to this revision is in the evidence.
    #[must_use]
    pub fn recorded(&self) -> u64 {
        self.recorded.load(Ordering::Acquire)
    }

    /// Brings the gauges up to date.
    pub fn observe(&self) {
        if let Some(registry) = self.registry.get() {
            self.metrics.observe(registry, self.recorded(), self.is_behind());
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &ConsentSettings {
        &self.settings
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &ConsentMetrics {
        &self.metrics
    }
}

/// By how many seconds the clock may be behind before that is told.
const MOST_CLOCK_BEHIND: i64 = 5;

fn told(step: Step) {
    let Step { work, done, of } = step;
    info!(target: "consent", work = work.as_str(), done, of, "working on the registry of consents");
}

/// Reads the key of receipts.
fn receipt_key(file: &Path) -> Result<ReceiptKey, String> {
    owner_only(file)?;
    let text = fs::read_to_string(file).map_err(|error| format!("cannot be read: {error}"))?;
    ReceiptKey::from_pem(&Sensitive::new(text)).map_err(|error| error.to_string())
}
