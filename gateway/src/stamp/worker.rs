//! When a checkpoint gets a stamp, and what happens when it gets none.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::rand;
use jiff::{SignedDuration, Timestamp};
use lienthong_evidence::{
    checkpoint::Checkpoint,
    files::{self, FileError},
    note::{MAX_NOTE, Verifier},
};
use lienthong_model::clock::Clock;
use tracing::{info, warn};

use super::{
    Kind, StampError, Troubles,
    cms::{self, Anchors, Sealer},
    folder::Folder,
    query::{self, Query, TimeStampInfo},
    service::Service,
};
use crate::{
    config::{CmsSettings, StampSettings, TimeStampSettings},
    metrics::StampMetrics,
};

/// Failures in a row after which readiness says so.
const REPEATED: u32 = 3;
/// Wait after the first failure; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_secs(10);

/// When a kind of stamp is next due.
#[derive(Debug)]
struct Pace {
    kind: Kind,
    every: Duration,
    next: Option<Timestamp>,
    failures: u32,
}

impl Pace {
    fn new(kind: Kind, every: Duration) -> Self {
        Self { kind, every, next: None, failures: 0 }
    }

    fn is_due(&self, now: Timestamp) -> bool {
        // A clock that was set back must not end the stamps.
        let longest = SignedDuration::try_from(self.every).unwrap_or(SignedDuration::MAX);
        self.next.is_none_or(|next| now >= next || next.duration_since(now) > longest)
    }

    fn succeeded(&mut self, now: Timestamp) {
        self.failures = 0;
        self.next = Some(after(now, self.every));
    }

    fn failed(&mut self, now: Timestamp) {
        let wait = FIRST_WAIT.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        self.next = Some(after(now, wait.min(self.every)));
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// Puts stamps on the newest checkpoint when they are due.
pub(super) struct Stamper {
    log: PathBuf,
    verifier: Verifier,
    clock: Arc<dyn Clock>,
    metrics: StampMetrics,
    folder: Folder,
    cms: Option<(CmsSettings, Pace)>,
    time_stamp: Option<(TimeStampSettings, Pace)>,
    pub(super) troubles: Arc<Mutex<Troubles>>,
}

/// The newest checkpoint, and the instant it is looked at.
struct Newest {
    size: u64,
    note: Vec<u8>,
    now: Timestamp,
}

impl Stamper {
    pub(super) fn open(
        settings: &StampSettings,
        log: &Path,
        verifier: &Verifier,
        clock: Arc<dyn Clock>,
        metrics: StampMetrics,
    ) -> Result<Self, FileError> {
        let folder = Folder::open(log)?;
        let cms = settings.cms.clone();
        let time_stamp = settings.time_stamp.clone();
        Ok(Self {
            log: log.to_owned(),
            verifier: verifier.clone(),
            clock,
            metrics,
            folder,
            cms: cms.map(|to| (to.clone(), Pace::new(Kind::Seal, to.every))),
            time_stamp: time_stamp.map(|to| (to.clone(), Pace::new(Kind::TimeStamp, to.every))),
            troubles: Arc::default(),
        })
    }

    /// Does what is due now.
    pub(super) async fn turn(&mut self) {
        let now = self.clock.now();
        let is_due = |pace: &Pace| pace.is_due(now);
        let time_stamp = self.time_stamp.as_ref().is_some_and(|(_, pace)| is_due(pace));
        let seal = self.cms.as_ref().is_some_and(|(_, pace)| is_due(pace));
        if !seal && !time_stamp {
            return;
        }
        let newest = match self.newest(now) {
            Ok(Some(newest)) => newest,
            Ok(None) => return,
            Err(error) => {
                self.ended(Kind::Seal, seal, now, Err(&error));
                self.ended(Kind::TimeStamp, time_stamp, now, Err(&error));
                return;
            }
        };
        let mut is_stamped = false;
        if time_stamp && newest.size > self.folder.stamped {
            let got = self.time_stamp(&newest).await;
            is_stamped = got.is_ok();
            self.ended(Kind::TimeStamp, true, now, got.as_ref().map(|()| newest.size));
        }
        // What has a time stamp for good gets a seal too.
        if (seal || is_stamped) && newest.size > self.folder.sealed && self.cms.is_some() {
            let got = self.seal(&newest);
            self.ended(Kind::Seal, true, now, got.as_ref().map(|()| newest.size));
        }
    }

    /// The newest checkpoint of the log, when there is one over anything.
    fn newest(&self, now: Timestamp) -> Result<Option<Newest>, StampError> {
        let path = self.log.join("checkpoint");
        let Some(note) = files::read(&path, MAX_NOTE as u64)? else { return Ok(None) };
        let size = Checkpoint::open(&note, &self.verifier)?.size;
        if size == 0 || size <= self.folder.sealed.min(self.folder.stamped) {
            return Ok(None);
        }
        let is_good = |older: &[u8]| {
            Checkpoint::open(older, &self.verifier).is_ok_and(|older| older.size == size)
        };
        let note = self.folder.checkpoint(size, &note, is_good)?;
        Ok(Some(Newest { size, note, now }))
    }

    fn seal(&mut self, newest: &Newest) -> Result<(), StampError> {
        let Some((settings, _)) = &self.cms else { return Ok(()) };
        // Read anew each time, so that a new certificate counts without a restart.
        let sealer = Sealer::load(settings).map_err(StampError::Settings)?;
        let seal = sealer.seal(&newest.note)?;
        cms::verify_seal(&seal, &newest.note, None, None)?;
        Ok(self.folder.keep_seal(newest.size, &seal, newest.now)?)
    }

    async fn time_stamp(&mut self, newest: &Newest) -> Result<(), StampError> {
        let Some((settings, _)) = &self.time_stamp else { return Ok(()) };
        let service = Service::load(settings).map_err(StampError::Settings)?;
        let anchors = Anchors::load(&settings.trust_anchor_file).map_err(StampError::Settings)?;
        let mut nonce = [0; 8];
        rand::fill(&mut nonce).map_err(|_| StampError::Signature("no randomness".to_owned()))?;
        let query = Query::new(&newest.note, nonce);
        let answer = tokio::time::timeout(settings.wait, service.ask(query.der())).await;
        let answer = answer.unwrap_or(Err(StampError::Slow))?;
        let token = query::token(&answer)?;
        if !query::is_time_stamp(token)? {
            return Err(StampError::Form);
        }
        let info = cms::open_token(token, Some(&anchors), Some(newest.now))?;
        query.check(&TimeStampInfo::parse(&info)?)?;
        Ok(self.folder.keep_time_stamp(newest.size, &answer)?)
    }

    /// Takes note of how a try ended, when there was one.
    fn ended(&mut self, kind: Kind, tried: bool, now: Timestamp, got: Result<u64, &StampError>) {
        let pace = match kind {
            Kind::Seal => self.cms.as_mut().map(|(_, pace)| pace),
            Kind::TimeStamp => self.time_stamp.as_mut().map(|(_, pace)| pace),
        };
        let Some(pace) = pace.filter(|_| tried) else { return };
        let kind = pace.kind.as_str();
        let trouble = match got {
            Ok(size) => {
                self.metrics.succeeded(pace.kind, size);
                if pace.failures > 0 {
                    info!(target: "evidence", kind, "checkpoints get stamps again");
                }
                pace.succeeded(now);
                None
            }
            Err(error) => {
                self.metrics.failed(pace.kind);
                if pace.failures == 0 {
                    warn!(target: "evidence", kind, %error, "a checkpoint got no stamp");
                }
                pace.failed(now);
                (pace.failures >= REPEATED).then(|| error.to_string())
            }
        };
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        match pace.kind {
            Kind::Seal => troubles.seal = trouble,
            Kind::TimeStamp => troubles.time_stamp = trouble,
        }
    }
}
