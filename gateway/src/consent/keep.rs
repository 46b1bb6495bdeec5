//! What is done for the registry beside calls: ending a doubt, writing entries that are missing in
//! the evidence, and the local snapshot now and then.

use std::{
    future::Future,
    sync::{Mutex, PoisonError, Weak, atomic::Ordering},
    time::Duration,
};

use lienthong_consent::registry::{Registry, SnapshotError};
use tokio::{sync::watch, task::JoinHandle, time::MissedTickBehavior};
use tracing::{info, warn};

use super::Consents;

/// How often it is looked whether something waits.
const EVERY: Duration = Duration::from_secs(1);

/// The task beside calls.
#[derive(Default)]
pub(super) struct Keeper {
    running: Mutex<Option<(watch::Sender<bool>, JoinHandle<()>)>>,
}

impl Keeper {
    /// Starts it with this work, which ends when it is told to stop.
    pub(super) fn start<F>(&self, work: impl FnOnce(watch::Receiver<bool>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(work(stopped));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((stop, task));
    }

    /// Ends it after what it is doing.
    pub(super) async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((stop, task)) = running {
            stop.send_replace(true);
            task.await.unwrap_or_default();
        }
    }
}

/// The registry's work. It ends with the consents, or when it is stopped.
pub(super) async fn keep(consents: Weak<Consents>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut waited = Duration::ZERO;
    loop {
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            _ = tick.tick() => {}
        }
        let Some(consents) = consents.upgrade() else { return };
        let Ok(registry) = consents.registry() else { continue };
        consents.mend(registry).await;
        waited += EVERY;
        if waited >= consents.settings.snapshot {
            waited = Duration::ZERO;
            consents.save(registry).await;
        }
    }
}

impl Consents {
    /// Ends a doubt, and writes what is missing in the evidence.
    async fn mend(&self, registry: &Registry) {
        if registry.is_uncertain() {
            match registry.catch_up().await {
                Ok(revision) => {
                    info!(target: "consent", revision, "the registry of consents is certain again");
                }
                Err(error) => warn!(target: "consent", %error, "the registry stays in doubt"),
            }
        }
        if self.recorded() < registry.applied()
            && let Err(refusal) = self.record_all().await
        {
            let cause = refusal.cause.to_string();
            warn!(target: "consent", cause, "changes of consents are not in the evidence yet");
        }
    }

    /// Writes the local snapshot. Without it a start takes longer, and nothing else.
    pub(super) async fn save(&self, registry: &Registry) {
        let saved = registry.save().await;
        self.unsaved.store(saved.is_err(), Ordering::Relaxed);
        match saved {
            Ok(statements) => info!(target: "consent", statements, "local snapshot was written"),
            // It is not written in doubt, on purpose.
            Err(SnapshotError::Uncertain(_)) => {}
            Err(error) => warn!(target: "consent", %error, "local snapshot was not written"),
        }
    }
}
