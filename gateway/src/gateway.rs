//! The running gateway: what is in force, and what it is replaced by.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::{ArcSwap, Guard};
use jiff::Timestamp;
use lienthong_model::{
    clock::{Clock, civil_date},
    diagnostic::{Diagnostic, Diagnostics, Position},
    id::ServiceId,
    reason::ReasonCode,
};
use lienthong_policy::{Bundle, ParticipantStatus, PolicySet};

use crate::{
    config::{Config, PathLimits},
    consent::Consents,
    evidence::Evidence,
    key_file,
    lgsp::{Lgsp, TokenIssuer},
    listen::Peer,
    log,
    metrics::Metrics,
    provider::Provider,
    quota::Quotas,
    record::Recent,
    snapshot::{PseudonymKey, Snapshot},
    telemetry::Telemetry,
    tls::Trust,
};

/// The state of one gateway process.
pub struct Gateway {
    config: Config,
    clock: Arc<dyn Clock>,
    snapshot: ArcSwap<Snapshot>,
    trust: Arc<ArcSwap<Trust>>,
    metrics: Metrics,
    quotas: Quotas,
    evidence: Arc<Evidence>,
    consents: Option<Arc<Consents>>,
    telemetry: Option<Telemetry>,
    recent: Recent,
    token_issuer: Option<TokenIssuer>,
    reloading: Mutex<()>,
    failure: ArcSwap<Option<Diagnostics>>,
    draining: AtomicBool,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").finish_non_exhaustive()
    }
}

impl Gateway {
    /// Loads everything that a configuration names.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn load(config: Config, clock: Arc<dyn Clock>) -> Result<Self, Diagnostics> {
        let now = clock.now();
        let trust = Trust::load(&config.tls, now);
        let snapshot = load_snapshot(&config, now, None);
        let (trust, snapshot) = both(trust, snapshot)?;
        let metrics = Metrics::default();
        let quotas = Quotas::new(Arc::clone(&clock), metrics.quotas.clone());
        let evidence = Evidence::load(&config, Arc::clone(&clock), &metrics)?;
        let evidence = Arc::new(evidence);
        let consents = load_consents(&config, &clock, (&evidence, &metrics))?;
        let telemetry = config.telemetry.as_ref();
        let telemetry = telemetry.map(|to| Telemetry::start(to, metrics.telemetry.clone()));
        Ok(Self {
            recent: Recent::new(config.limits.recent),
            token_issuer: config.lgsp.as_ref().map(TokenIssuer::new),
            config,
            clock,
            snapshot: ArcSwap::from_pointee(snapshot),
            trust: Arc::new(ArcSwap::from_pointee(trust)),
            metrics,
            quotas,
            evidence,
            consents,
            telemetry: telemetry.transpose()?,
            reloading: Mutex::new(()),
            failure: ArcSwap::from_pointee(None),
            draining: AtomicBool::new(false),
        })
    }

    /// Reads policies, schemas, certificates and revocation lists anew and puts them in force
    /// together. On a mistake what was in force stays, and readiness says so.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn reload(&self) -> Result<(), Diagnostics> {
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let trust = Trust::load(&self.config.tls, now);
        let snapshot = load_snapshot(&self.config, now, Some(&self.snapshot.load()));
        match both(both(trust, snapshot), self.evidence.reload()) {
            Ok(((trust, snapshot), keys)) => {
                self.evidence.put_keys(keys);
                self.trust.store(Arc::new(trust));
                self.snapshot.store(Arc::new(snapshot));
                self.failure.store(Arc::new(None));
                self.metrics.reload(true);
                Ok(())
            }
            Err(found) => {
                self.failure.store(Arc::new(Some(found.clone())));
                self.metrics.reload(false);
                Err(found)
            }
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The clock, shared.
    #[must_use]
    pub fn shared_clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// What is in force now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// The trust that is in force now.
    #[must_use]
    pub fn trust(&self) -> Guard<Arc<Trust>> {
        self.trust.load()
    }

    /// The trust, shared with the listener.
    #[must_use]
    pub fn shared_trust(&self) -> Arc<ArcSwap<Trust>> {
        Arc::clone(&self.trust)
    }

    /// Limits of the data path.
    #[must_use]
    pub fn limits(&self) -> &PathLimits {
        &self.config.limits
    }

    /// The metrics.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What gives tokens to present LGSP clients, where that dialect is spoken.
    #[must_use]
    pub fn token_issuer(&self) -> Option<&TokenIssuer> {
        self.token_issuer.as_ref()
    }

    /// What is used of the limits on data.
    #[must_use]
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// The evidence of this node.
    #[must_use]
    pub fn evidence(&self) -> &Arc<Evidence> {
        &self.evidence
    }

    /// The consents of this process, where the configuration has settings for them.
    #[must_use]
    pub fn consents(&self) -> Option<&Arc<Consents>> {
        self.consents.as_ref()
    }

    /// What sends traces, where they are sent.
    #[must_use]
    pub fn telemetry(&self) -> Option<&Telemetry> {
        self.telemetry.as_ref()
    }

    /// The metrics as text, brought up to date.
    ///
    /// # Errors
    /// When the text cannot be written.
    pub fn measure(&self) -> Result<String, std::fmt::Error> {
        self.quotas.observe(&self.snapshot.load().policies);
        self.evidence.observe();
        if let Some(consents) = &self.consents {
            consents.observe();
        }
        self.metrics.encode()
    }

    /// The last exchanges.
    #[must_use]
    pub fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Notes that the gateway is ending: readiness turns red.
    pub fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the gateway is ending.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Why readiness is amber; empty when all is well.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if let Some(found) = self.failure.load().as_ref() {
            troubles
                .push(format!("the last reload failed and the older files are in force: {found}"));
        }
        let trust = self.trust.load();
        let stale = trust.stale_revocation(self.clock.now());
        self.metrics.stale_revocation.set(i64::try_from(stale.len()).unwrap_or(i64::MAX));
        for anchor in stale {
            troubles.push(format!("the revocation list of trust anchor `{anchor}` is stale"));
        }
        if log::is_failing() {
            troubles.push("the log of exchanges cannot be written: its lines are lost".to_owned());
        }
        if self.quotas.is_failing() {
            troubles.push("the daily counters of agreements cannot be kept".to_owned());
        }
        troubles.extend(self.evidence.troubles());
        troubles.extend(self.consents.iter().flat_map(|consents| consents.troubles()));
        troubles.extend(trust.warnings().iter().map(ToString::to_string));
        troubles
    }

    /// Whether a connected peer may still ask.
    ///
    /// # Errors
    /// `consumer.unknown`, `consumer.suspended`.
    pub fn standing(&self, peer: &Peer) -> Result<(), ReasonCode> {
        let snapshot = self.snapshot.load();
        let identity = snapshot
            .identities
            .by_certificate(&peer.certificate)
            .ok_or(ReasonCode::ConsumerUnknown)?;
        match identity.participant.status {
            ParticipantStatus::Active => Ok(()),
            ParticipantStatus::Suspended => Err(ReasonCode::ConsumerSuspended),
        }
    }
}

/// Reads the policies and providers of a configuration and compiles them.
///
/// # Errors
/// Every mistake in every file.
pub fn load_snapshot(
    config: &Config,
    now: Timestamp,
    previous: Option<&Snapshot>,
) -> Result<Snapshot, Diagnostics> {
    let mut found = Diagnostics::new();
    let policies = Bundle::read(&config.policies.directory, &config.policies.schemas)
        .and_then(|bundle| PolicySet::check(&bundle, civil_date(now)));
    let policies = policies.map_err(|errors| found.extend(errors)).ok();
    if let Some(policies) = &policies {
        check_anchors(policies, config, &mut found);
    }
    let providers = load_providers(config, &mut found);
    let pseudonyms = pseudonym_key(config, &mut found);
    let lgsp = policies.as_ref().and_then(|policies| load_lgsp(policies, config, &mut found));
    match (policies, pseudonyms) {
        (Some(policies), Some(key)) if found.is_empty() => {
            let mut snapshot = Snapshot::build(policies, &providers, &key, previous)?;
            snapshot.lgsp = lgsp;
            Ok(snapshot)
        }
        _ => Err(found),
    }
}

fn load_consents(
    config: &Config,
    clock: &Arc<dyn Clock>,
    (evidence, metrics): (&Arc<Evidence>, &Metrics),
) -> Result<Option<Arc<Consents>>, Diagnostics> {
    let Some(settings) = &config.consent else { return Ok(None) };
    let of = (Arc::clone(evidence), metrics.consents.clone());
    let consents = Consents::load(config, settings, Arc::clone(clock), of)?;
    Ok(Some(Arc::new(consents)))
}

fn load_lgsp(policies: &PolicySet, config: &Config, found: &mut Diagnostics) -> Option<Lgsp> {
    let settings = config.lgsp.as_ref()?;
    Lgsp::load(settings, policies).map_err(|errors| found.extend(errors)).ok()
}

/// A certificate rule on an anchor that nobody configured would match nothing, silently.
fn check_anchors(policies: &PolicySet, config: &Config, found: &mut Diagnostics) {
    let of_participants = policies.participants.values();
    let of_participants = of_participants
        .flat_map(|p| p.certificates.iter().map(move |rule| ("participant", p.id.as_str(), rule)));
    let of_operators = policies.operators.values();
    let of_operators = of_operators
        .flat_map(|o| o.certificates.iter().map(move |rule| ("operator", o.id.as_str(), rule)));
    for (what, id, rule) in of_participants.chain(of_operators) {
        let anchor = &rule.trust_anchor;
        if config.tls.trust_anchors.iter().any(|known| known.id == *anchor) {
            continue;
        }
        let message = format!("{what} `{id}` names trust anchor `{anchor}`, which `tls` does not");
        found.add("configuration", Position::default(), message);
    }
}

fn load_providers(config: &Config, found: &mut Diagnostics) -> BTreeMap<ServiceId, Arc<Provider>> {
    let mut providers = BTreeMap::new();
    for (service, settings) in &config.providers {
        match Provider::load(service.clone(), settings.clone()) {
            Ok(provider) => drop(providers.insert(service.clone(), Arc::new(provider))),
            Err(errors) => found.extend(errors),
        }
    }
    providers
}

fn pseudonym_key(config: &Config, found: &mut Diagnostics) -> Option<PseudonymKey> {
    let file = &config.pseudonyms.key_file;
    match key_file::read(file) {
        Ok(key) => Some(PseudonymKey { key, period: config.pseudonyms.period.clone() }),
        Err(problem) => {
            found.add(&file.display().to_string(), Position::default(), problem);
            None
        }
    }
}

fn both<A, B>(a: Result<A, Diagnostics>, b: Result<B, Diagnostics>) -> Result<(A, B), Diagnostics> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut found), Err(more)) => {
            found.extend(more);
            Err(found)
        }
        (Err(found), Ok(_)) | (Ok(_), Err(found)) => Err(found),
    }
}

/// The warnings of what is in force, for `gateway check`.
#[must_use]
pub fn warnings(gateway: &Gateway) -> Vec<Diagnostic> {
    let mut warnings = gateway.snapshot.load().policies.warnings.clone();
    warnings.extend(gateway.trust.load().warnings().iter().cloned());
    let listens = gateway.config.monitor.is_some() || gateway.config.admin.tls_address.is_some();
    if listens && !gateway.snapshot.load().identities.has_operators() {
        warnings.push(Diagnostic {
            file: "policies/operators.yaml".to_owned(),
            at: Position::default(),
            message: "names nobody: a listener for operators answers no one".to_owned(),
            help: None,
        });
    }
    warnings
}
