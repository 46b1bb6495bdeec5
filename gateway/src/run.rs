//! Runs a gateway from start to drain: listener, administration, reload, signals.

mod operators;

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use lienthong_consent::registry::OpenError;
use lienthong_evidence::entry::Action;
use lienthong_model::{clock::Clock, diagnostic::Diagnostics};
use lienthong_store::{PasswordError, Store, StoreError};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tracing::{error, info, warn};

use self::operators::OperatorListeners;
use crate::{
    admin::Admin,
    config::Config,
    data_path::DataPath,
    evidence::EvidenceError,
    gateway::{Gateway, warnings},
    listen::Server,
    log,
    operator::Actor,
};

/// Why a gateway did not start or ended badly.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Files with mistakes.
    #[error("{0}")]
    Mistakes(#[from] Diagnostics),
    /// The durable state cannot be had.
    #[error(transparent)]
    Data(#[from] StoreError),
    /// The password of the database cannot be had.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The registry of consents cannot be had.
    #[error("consents: {0}")]
    Consents(#[from] OpenError),
    /// The evidence log cannot be had.
    #[error("evidence: {0}")]
    Evidence(#[from] EvidenceError),
    /// A socket that cannot be had.
    #[error("cannot listen on {what}: {source}")]
    Listen {
        /// Which listener.
        what: String,
        /// Why.
        source: io::Error,
    },
}

/// The signals that a gateway hears.
#[derive(Debug)]
pub struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Hears them from now on. To be called before the start: a signal that comes as soon as
    /// exchanges are served must not end the process unheard.
    ///
    /// # Errors
    /// When signals cannot be heard.
    pub fn hear() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// A gateway that serves.
#[derive(Debug)]
pub struct Running {
    gateway: Arc<Gateway>,
    store: Arc<Store>,
    server: Server,
    operators: OperatorListeners,
    admin: Admin,
    drain: watch::Sender<bool>,
    recheck: watch::Receiver<u64>,
    ended: watch::Sender<bool>,
    admin_address: Option<SocketAddr>,
}

impl Running {
    /// Loads everything and opens the listeners. When this returns, exchanges are served.
    ///
    /// # Errors
    /// Mistakes in files, or a listener that cannot be opened.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, RunError> {
        let gateway = Arc::new(Gateway::load(config, clock)?);
        for warning in warnings(&gateway) {
            warn!(target: "gateway", "{warning}");
        }
        let store = Arc::new(Store::open(gateway.config().data.place()?).await?);
        gateway.quotas().open(Arc::clone(&store)).await?;
        gateway.evidence().open().await?;
        if let Some(consents) = gateway.consents() {
            consents.open(Arc::clone(&store)).await?;
        }
        let settings = gateway.config().listen.clone();
        let address = settings.address;
        let data_path = Arc::new(DataPath::new(Arc::clone(&gateway)));
        let clock = gateway.shared_clock();
        let server = Server::bind(settings, gateway.shared_trust(), data_path, clock)
            .await
            .map_err(|source| RunError::Listen { what: address.to_string(), source })?;
        let (drain, _) = watch::channel(false);
        let (recheck, rechecked) = watch::channel(0);
        let (ended, _) = watch::channel(false);
        let admin = Admin::new(Arc::clone(&gateway), drain.clone(), recheck);
        let operators = OperatorListeners::start(&gateway, &admin).await?;
        let mut running = Self {
            gateway,
            store,
            server,
            operators,
            admin,
            drain,
            recheck: rechecked,
            ended,
            admin_address: None,
        };
        running.administer().await?;
        info!(target: "gateway", address = %running.server.local_addr(), "serving exchanges");
        Ok(running)
    }

    async fn administer(&mut self) -> Result<(), RunError> {
        let settings = self.gateway.config().admin.clone();
        if let Some(address) = settings.address {
            let what = || format!("admin address {address}");
            let listener = TcpListener::bind(address)
                .await
                .map_err(|source| RunError::Listen { what: what(), source })?;
            self.admin_address = listener.local_addr().ok();
            if let Some(address) = self.admin_address {
                info!(target: "gateway", %address, "serving health and metrics");
            }
            let (admin, ended) = (self.admin.clone(), self.ended.subscribe());
            tokio::spawn(async move {
                if let Err(error) = admin.serve_address(listener, ended).await {
                    error!(target: "gateway", %error, "the admin address has ended");
                }
            });
        }
        let path = settings.socket;
        let listener = Admin::bind_socket(&path).await.map_err(|source| RunError::Listen {
            what: format!("admin socket {}", path.display()),
            source,
        })?;
        let (admin, ended) = (self.admin.clone(), self.ended.subscribe());
        tokio::spawn(async move {
            if let Err(error) = admin.serve_socket(listener, &path, ended).await {
                error!(target: "gateway", %error, "the admin socket has ended");
            }
        });
        Ok(())
    }

    /// The address exchanges come in at.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The address of health and metrics.
    #[must_use]
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// The address consents are collected at.
    #[must_use]
    pub fn consent_addr(&self) -> Option<SocketAddr> {
        self.operators.consents()
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// Ends the gateway after what is in flight.
    pub async fn drain(self) {
        self.gateway.begin_drain();
        info!(target: "gateway", "draining");
        self.server.drain().await;
        self.operators.drain().await;
        // Every exchange is over; their lines come before the last word.
        tokio::task::spawn_blocking(log::written).await.unwrap_or_default();
        if let Some(consents) = self.gateway.consents() {
            consents.close().await;
        }
        self.gateway.quotas().close().await;
        self.store.close().await;
        self.gateway.evidence().close().await;
        if let Some(telemetry) = self.gateway.telemetry() {
            telemetry.flush().await;
        }
        self.ended.send_replace(true);
        info!(target: "gateway", "ended");
    }

    /// Reloads as [`Admin::reload`] does.
    ///
    /// # Errors
    /// Every mistake, as text.
    pub async fn reload(&self) -> Result<(), String> {
        let outcome = self.admin.reload().await;
        self.recheck();
        outcome
    }

    fn recheck(&self) {
        self.server.recheck();
        self.operators.recheck();
    }

    /// Serves until SIGTERM, SIGINT or a drain command; SIGHUP reloads.
    pub async fn until_ended(mut self, signals: Signals) {
        let Signals { mut hangup, mut terminate, mut interrupt } = signals;
        let mut drained = self.drain.subscribe();
        let mut watcher = Watcher::new(self.gateway.config());
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = hangup.recv() => self.reload_and_log().await,
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = drained.wait_for(|drain| *drain) => break,
                Ok(()) = self.recheck.changed() => self.recheck(),
                _ = tick.tick() => {
                    self.gateway.metrics().listener(&self.server.counts());
                    self.gateway.evidence().tell_refusals(self.gateway.clock().now());
                    self.operators.look(&self.gateway);
                    if watcher.changed().await {
                        self.reload_and_log().await;
                    }
                }
            }
        }
        self.drain().await;
    }

    /// A reload by signal, or because files changed. Whoever can do that has the gateway's account:
    /// it is on record as `local`. It goes on when the log takes nothing: what is revoked has to be
    /// refused even then, and no exchange happens that is not on record.
    async fn reload_and_log(&self) {
        if let Err(refusal) = Actor::Local.record(&self.gateway, Action::Reload, |_| {}).await {
            let (operator, reason) = (Actor::Local.name(), refusal.reason.as_str());
            error!(target: "operator", operator, reason, "reload is not on record");
        }
        match self.reload().await {
            Ok(()) => info!(target: "gateway", "reloaded"),
            Err(mistakes) => {
                error!(target: "gateway", %mistakes, "reload refused; the older files stay in force");
            }
        }
    }
}

/// Looks for changed files, when asked to.
struct Watcher {
    paths: Vec<PathBuf>,
    every: Option<Duration>,
    waited: Duration,
    seen: BTreeMap<PathBuf, (SystemTime, u64)>,
}

/// Most files that are watched.
const MAX_WATCHED: usize = 10_000;

impl Watcher {
    fn new(config: &Config) -> Self {
        let mut paths = vec![
            config.policies.directory.clone(),
            config.policies.schemas.clone(),
            config.tls.certificate_file.clone(),
            config.tls.key_file.clone(),
        ];
        for anchor in &config.tls.trust_anchors {
            paths.push(anchor.certificate_file.clone());
            paths.extend(anchor.crl_files.iter().cloned());
        }
        let every = config.policies.watch;
        let seen = if every.is_some() { stamps(&paths) } else { BTreeMap::new() };
        Self { paths, every, waited: Duration::ZERO, seen }
    }

    async fn changed(&mut self) -> bool {
        let Some(every) = self.every else { return false };
        self.waited += Duration::from_secs(1);
        if self.waited < every {
            return false;
        }
        self.waited = Duration::ZERO;
        let paths = self.paths.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || stamps(&paths)).await else {
            return false;
        };
        let changed = now != self.seen;
        self.seen = now;
        changed
    }
}

fn stamps(paths: &[PathBuf]) -> BTreeMap<PathBuf, (SystemTime, u64)> {
    let mut stamps = BTreeMap::new();
    for path in paths {
        stamp(path, 0, &mut stamps);
    }
    stamps
}

fn stamp(path: &Path, depth: usize, stamps: &mut BTreeMap<PathBuf, (SystemTime, u64)>) {
    let Ok(metadata) = fs::metadata(path) else { return };
    if stamps.len() >= MAX_WATCHED {
        return;
    }
    if !metadata.is_dir() {
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        stamps.insert(path.to_owned(), (modified, metadata.len()));
        return;
    }
    if depth < 8 {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            stamp(&entry.path(), depth + 1, stamps);
        }
    }
}
