//! Telling participants: whoever received data of a person learns that the person has changed their
//! mind, or that the data were corrected or deleted.
//!
//! What is to be told stands in the ledger with the change that caused it, so that an end of the
//! process loses nothing: a start goes on where the last one ended. Who received what, the evidence
//! of this node says. The notices of one change, and that all are told, are one change of the ledger.

mod received;

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::SignedDuration;
use lienthong_consent::{
    notice::{NoticeId, NoticeRecord, Notices, Telling},
    registry::Registry,
    rights::{
        RightRecord, Rights,
        duty::{DutyError, Numbered},
    },
};
use lienthong_model::{id::OperatorId, reason::ReasonCode};
use lienthong_policy::operator::GATEWAY;
use tokio::{sync::watch, time::MissedTickBehavior};
use tracing::{info, warn};

use self::received::{Reach, Received};
use super::{Consents, rights::refusal};
use crate::refusal::Refusal;

/// How often it is looked whether somebody has to be told.
const EVERY: Duration = Duration::from_secs(1);
/// How many rounds pass before what failed is tried again.
const PAUSE: u32 = 15;
/// How many rounds pass before what is owed is counted again.
const COUNTED: u32 = 10;
/// How many requests are read at once.
const PAGE: u32 = 100;
/// How old a change is before participants are told of it: whoever asked for it has heard, and an
/// exchange that was decided just before has its intent in the log.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);

/// What is owed to data subjects and by participants, as it was counted last.
#[derive(Debug, Default)]
pub(super) struct Owed {
    requests: AtomicU64,
    notices: AtomicU64,
    failing: AtomicBool,
}

impl Owed {
    /// Why readiness is not green.
    pub(super) fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        let requests = self.requests.load(Ordering::Relaxed);
        if requests > 0 {
            troubles.push(format!("{requests} requests of data subjects are overdue"));
        }
        let notices = self.notices.load(Ordering::Relaxed);
        if notices > 0 {
            troubles.push(format!("{notices} notices to participants are overdue"));
        }
        if self.failing.load(Ordering::Relaxed) {
            let text = "participants that received data cannot be told of changes now";
            troubles.push(text.to_owned());
        }
        troubles
    }
}

/// Tells whoever has to be told, until the consents end or it is stopped.
pub(super) async fn tell(consents: Weak<Consents>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut after, mut pause, mut count) = (0, 0, 0);
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = tick.tick() => {}
        }
        let Some(consents) = consents.upgrade() else { return };
        let Ok(registry) = consents.registry() else { continue };
        if pause > 0 {
            pause -= 1;
        } else {
            let told = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => return,
                told = consents.tell_after(registry, after) => told,
            };
            after = told.until;
            pause = if told.failed { PAUSE } else { 0 };
            consents.owed.failing.store(told.failed, Ordering::Relaxed);
            count = if told.any { 0 } else { count };
        }
        if count == 0 {
            consents.count_owed(registry).await;
            count = COUNTED;
        }
        count -= 1;
    }
}

/// How a round ended.
#[derive(Debug, Default)]
struct Told {
    /// Of everything up to this revision participants are told.
    until: u64,
    any: bool,
    failed: bool,
}

impl Consents {
    /// Tells of everything after a revision that has to be told now.
    async fn tell_after(&self, registry: &Registry, after: u64) -> Told {
        let (mut told, mut at) = (Told { until: after, ..Told::default() }, after);
        let mut waits = false;
        loop {
            let page = Rights::new(registry.store()).unanswered(at, PAGE).await;
            let page = match page {
                Ok(page) => page,
                Err(error) => {
                    warn!(target: "consent", %error, "what participants are owed cannot be read");
                    told.failed = true;
                    return told;
                }
            };
            for kept in &page {
                at = kept.revision;
                if kept.record.is_untold() {
                    if !self.is_settled(registry, kept) {
                        waits = true;
                    } else if let Err(refusal) = self.tell_of(registry, kept).await {
                        let (cause, reason) = (refusal.cause.to_string(), refusal.reason.as_str());
                        warn!(target: "consent", reason, cause, "participants are not told yet");
                        told.failed = true;
                    } else {
                        told.any = true;
                    }
                }
                if !waits && !told.failed {
                    told.until = at;
                }
            }
            if page.len() < PAGE as usize {
                return told;
            }
        }
    }

    /// Whether the change is in the evidence, and long enough ago.
    fn is_settled(&self, registry: &Registry, kept: &Numbered<RightRecord>) -> bool {
        let age = registry.now().duration_since(kept.record.changed_at);
        kept.revision <= self.recorded() && age >= SETTLED
    }

    /// Opens a notice for everybody who received data that the request is about.
    async fn tell_of(
        &self,
        registry: &Registry,
        kept: &Numbered<RightRecord>,
    ) -> Result<(), Refusal> {
        let internal = |_| Refusal::new(ReasonCode::GatewayInternal);
        let reach = Reach::of(registry, &kept.record).await?;
        let Received { parties, may_hold } = self.received(registry, kept, &reach).await?;
        let now = registry.now();
        let mut notices = Vec::with_capacity(parties.len());
        for ((participant, service), exchanges) in parties {
            let id = NoticeId::new(now);
            let telling = Telling {
                id,
                participant,
                cause: reach.cause,
                subject: kept.record.subject,
                data_subject: self.sealed(registry, kept, id)?,
                service,
                exchanges,
            };
            let opened = NoticeRecord::opened(telling, now, self.settings.notice_days);
            notices.push(opened.map_err(|error| refusal(DutyError::Notice(error)))?);
        }
        let by: OperatorId = GATEWAY.parse().map_err(internal)?;
        let rights = Rights::new(registry.store());
        match rights.tell(kept, (&notices, may_hold), by, now).await {
            Ok(revision) => {
                let (notices, request) = (notices.len(), kept.record.id.to_string());
                info!(target: "consent", request, notices, may_hold, "participants are told");
                self.written(revision).await
            }
            // Somebody else has told them.
            Err(DutyError::Changed) => Ok(()),
            Err(error) => Err(refusal(error)),
        }
    }

    async fn received(
        &self,
        registry: &Registry,
        kept: &Numbered<RightRecord>,
        reach: &Reach,
    ) -> Result<Received, Refusal> {
        let record = &kept.record;
        let person = registry.unseal(record.id.sealing(), &record.data_subject);
        let person = person.map_err(|e| Refusal::caused(ReasonCode::GatewayInternal, e))?;
        let (evidence, reach) = (Arc::clone(&self.evidence), reach.clone());
        let one = Arc::clone(&self.looking).lock_owned().await;
        let looked = tokio::task::spawn_blocking(move || {
            let _one = one;
            Received::look(&evidence, &person, &reach)
        });
        looked.await.map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))?
    }

    /// Who the request is about, sealed for a notice.
    fn sealed(
        &self,
        registry: &Registry,
        kept: &Numbered<RightRecord>,
        id: NoticeId,
    ) -> Result<lienthong_consent::keys::Sealed, Refusal> {
        let record = &kept.record;
        let person = registry.unseal(record.id.sealing(), &record.data_subject);
        let sealed = person.and_then(|person| registry.seal(id.sealing(), &person));
        sealed.map_err(|error| Refusal::caused(ReasonCode::GatewayInternal, error))
    }

    /// What has become durable in the ledger beside consents, in the registry's count and in the
    /// evidence.
    ///
    /// # Errors
    /// `facts.unavailable`, `evidence.unavailable`. The change counts all the same.
    pub(super) async fn written(&self, revision: u64) -> Result<(), Refusal> {
        self.registry()?.catch_up().await.map_err(super::call::refusal)?;
        self.record(revision).await
    }

    /// Counts what is owed.
    async fn count_owed(&self, registry: &Registry) {
        let (store, now) = (registry.store(), registry.now());
        let counted = async {
            let rights = Rights::new(store).counts(now).await?;
            Ok::<_, DutyError>((rights, Notices::new(store).counts(now).await?))
        };
        let (rights, notices) = match counted.await {
            Ok(counted) => counted,
            Err(error) => {
                warn!(target: "consent", %error, "what is owed to data subjects cannot be counted");
                return;
            }
        };
        self.owed.requests.store(rights.all.overdue, Ordering::Relaxed);
        self.owed.notices.store(notices.all.overdue, Ordering::Relaxed);
        self.metrics.duties(&rights, &notices);
    }
}

#[cfg(test)]
mod tests;
