//! Stamps on checkpoints of the evidence log: the agency's seal (CMS) and the time stamp of a
//! service (RFC 3161), so that a court needs neither our key nor our clock to believe them.
//!
//! Takes the newest checkpoint as it stands in the directory of the log, now and then, and keeps
//! what it gets beside it. Everything happens on a thread of its own: nothing of the log or of an
//! exchange ever waits for a stamp. A stamp is judged before it is kept.

mod check;
mod cms;
mod folder;
mod query;
mod service;
mod worker;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use lienthong_evidence::{checkpoint::CheckpointError, files::FileError, note::Verifier};
use lienthong_model::{
    clock::Clock,
    diagnostic::{Diagnostics, Position},
};
use tokio::sync::oneshot;

pub use self::check::{Checked, check};
use self::{
    cms::{Anchors, Sealer},
    service::Service,
    worker::Stamper,
};
use crate::{config::StampSettings, metrics::StampMetrics};

/// How often the thread looks whether a stamp is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is put on a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The agency's signature in CMS.
    Seal,
    /// The word of a time-stamp service.
    TimeStamp,
}

impl Kind {
    /// The word for it in metrics and the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::TimeStamp => "time_stamp",
        }
    }
}

/// Why a stamp could not be had, or is none.
#[derive(Debug, thiserror::Error)]
pub enum StampError {
    /// Settings name files that cannot be used.
    #[error("{0}")]
    Settings(Diagnostics),
    /// A file of the log or of the stamps cannot be used.
    #[error("{0}: {source}", source = .0.source)]
    File(#[from] FileError),
    /// The checkpoint is none of the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is of another size than its folder says, or is not there.
    #[error("checkpoint is missing, or of another size")]
    Size,
    /// A signature cannot be made, or is not right.
    #[error("signature: {0}")]
    Signature(String),
    /// The service cannot be reached.
    #[error("the time-stamp service cannot be reached: {0}")]
    Unreachable(String),
    /// The service was too slow.
    #[error("the time-stamp service did not answer in time")]
    Slow,
    /// The service answered with an HTTP status that is not 200.
    #[error("the time-stamp service answered {0}")]
    Status(u16),
    /// The service's answer is too long.
    #[error("the time-stamp service's answer is too long")]
    TooLong,
    /// The service refused, with its `PKIStatus`.
    #[error("the time-stamp service refused with status {0}")]
    Refused(u8),
    /// Not what RFC 5652 or RFC 3161 describes.
    #[error("not a seal or time stamp")]
    Form,
    /// A time stamp of something else.
    #[error("the time stamp is of something else")]
    Imprint,
    /// A time stamp that answers another query.
    #[error("the time stamp answers another query")]
    Nonce,
}

/// The thread that gets stamps; it ends when this is dropped.
#[derive(Debug)]
pub struct Stamps {
    troubles: Arc<Mutex<Troubles>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why stamps have not been had for a while.
#[derive(Debug, Default)]
struct Troubles {
    seal: Option<String>,
    time_stamp: Option<String>,
}

impl Stamps {
    /// Starts to put stamps on the checkpoints of the log in this directory.
    ///
    /// # Errors
    /// Files that cannot be used, or a thread that cannot be had.
    pub fn start(
        settings: &StampSettings,
        log: &Path,
        verifier: &Verifier,
        clock: Arc<dyn Clock>,
        metrics: StampMetrics,
    ) -> Result<Self, Diagnostics> {
        check_settings(settings)?;
        let troubles = Arc::new(Mutex::new(Troubles::default()));
        let mut stamper = Stamper::open(settings, log, verifier, clock, metrics)
            .map_err(|error| unusable(&error.to_string()))?;
        stamper.troubles = Arc::clone(&troubles);
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let thread = runtime.and_then(|runtime| {
            thread::Builder::new().name("stamps".to_owned()).spawn(move || {
                runtime.block_on(work(stamper, stopped));
                // A name that is being looked up is not waited for.
                runtime.shutdown_background();
            })
        });
        let thread = thread.map_err(|error| unusable(&format!("cannot be started: {error}")))?;
        Ok(Self { troubles, stop: Some(stop), thread: Some(thread) })
    }

    /// Why readiness is amber; empty when all is well.
    #[must_use]
    pub fn troubles(&self) -> Vec<String> {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let seal = troubles.seal.as_ref();
        let seal = seal.map(|why| format!("checkpoints cannot be sealed: {why}"));
        let time_stamp = troubles.time_stamp.as_ref();
        let time_stamp = time_stamp.map(|why| format!("no time stamp can be had: {why}"));
        seal.into_iter().chain(time_stamp).collect()
    }
}

impl Drop for Stamps {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing to tell.
            thread.join().ok();
        }
    }
}

/// Reads every file that the settings name; connects to nothing.
///
/// # Errors
/// Every file that cannot be used.
pub fn check_settings(settings: &StampSettings) -> Result<(), Diagnostics> {
    let mut found = Diagnostics::new();
    let mut tell = |checked: Result<(), Diagnostics>| {
        if let Err(more) = checked {
            found.extend(more);
        }
    };
    if let Some(cms) = &settings.cms {
        tell(Sealer::load(cms).map(drop));
    }
    if let Some(time_stamp) = &settings.time_stamp {
        tell(Anchors::load(&time_stamp.trust_anchor_file).map(drop));
        tell(Service::load(time_stamp).map(drop));
    }
    found.into_result(())
}

async fn work(mut stamper: Stamper, mut stopped: oneshot::Receiver<()>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let turn = async {
            tick.tick().await;
            stamper.turn().await;
        };
        // Files are replaced whole, so a turn may end anywhere.
        tokio::select! {
            biased;
            _ = &mut stopped => break,
            () = turn => {}
        }
    }
}

fn unusable(problem: &str) -> Diagnostics {
    let mut found = Diagnostics::new();
    found.add("evidence", Position::default(), format!("stamps: {problem}"));
    found
}

#[cfg(test)]
mod tests;
