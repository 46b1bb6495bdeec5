//! The National Public Service Portal: sessions, dossier sync, progress, look-up, catalogues,
//! questions, ratings, files; beside it the ministry's own system of 2026, and the receivers of 1022
//! reports, civil-status registrations and changes of parcels.
//!
//! Follows the connection guide of 2020 as public facts record it: calls are POSTs of
//! `{session, madonvi, service, data, isUpdating}`, answers are `{error_code, result}` with status
//! 200 also for errors. It keeps what it accepted, so that lost, doubled and disordered messages can
//! be counted: as digests, with whole records only as many as it is told to keep.

mod answer;
mod case;
mod catalogue;
mod check;
mod desk;
mod digest;
mod file;
mod journal;
mod ledger;
mod ministry;
mod question;
mod record;
mod refusal;
mod report;
mod session;
mod state;
mod work;

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::Clock;
use rand::{SeedableRng as _, rngs::StdRng};
use serde_json::Value;

pub(crate) use self::digest::sha256;
use self::{
    check::moment, journal::Journal, ledger::Ledger, refusal::PortalError, session::Sessions,
    state::State,
};
pub use self::{
    ledger::{Illegal, PortalReport},
    question::Question,
    session::Quotas,
};
use crate::{
    Error, Faults,
    server::{self, Listen, Running},
};

/// Settings of the portal.
#[derive(Debug, Clone)]
pub struct PortalSettings {
    /// Where it listens.
    pub listen: Listen,
    /// Where it tells what it has seen, as plain HTTP on loopback; nothing for nowhere.
    pub report: Option<SocketAddr>,
    /// User name of the one account.
    pub username: String,
    /// Password of the one account.
    pub password: String,
    /// How long a session lives.
    pub session_seconds: u32,
    /// How often the account may call.
    pub quotas: Quotas,
    /// Most records of one call.
    pub records_per_call: usize,
    /// Procedure codes it knows.
    pub procedures: BTreeSet<String>,
    /// Agency codes it knows beside those of its catalogue.
    pub agencies: BTreeSet<String>,
    /// Questions that have been asked when it starts.
    pub questions: u32,
    /// How many seconds its clock is ahead; negative when it is behind.
    pub clock_skew_seconds: i64,
    /// How far ahead of its clock what has happened may be dated; nothing when it does not look.
    pub future_seconds: Option<u32>,
    /// How many whole records it keeps; beyond them the oldest go.
    pub keep_bodies: usize,
    /// Where it keeps what it accepted, durably; nothing for memory only.
    pub state_dir: Option<PathBuf>,
    /// Seed of session numbers and of the spelling of success.
    pub seed: u64,
}

impl PortalSettings {
    /// The account `lienthong-sandbox`, sessions of 15 minutes, no quotas, and the procedures that
    /// [`crate::synthetic`] makes cases of.
    #[must_use]
    pub fn new(listen: Listen) -> Self {
        Self {
            listen,
            report: None,
            username: "lienthong-sandbox".to_owned(),
            password: "sandbox-only".to_owned(),
            session_seconds: 900,
            quotas: Quotas::default(),
            records_per_call: check::MOST_RECORDS,
            procedures: crate::synthetic::PROCEDURES.iter().map(|p| p.code.to_owned()).collect(),
            agencies: BTreeSet::new(),
            questions: 0,
            clock_skew_seconds: 0,
            future_seconds: None,
            keep_bodies: 10_000,
            state_dir: None,
            seed: 1,
        }
    }
}

/// The portal.
#[derive(Debug)]
pub struct Portal;

/// A running portal; it stops when this is dropped.
#[derive(Debug)]
pub struct PortalHandle {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where it tells what it has seen.
    pub report_addr: Option<SocketAddr>,
    /// What breaks on purpose.
    pub faults: Faults,
    desk: Arc<Desk>,
    _running: Running,
    _report: Option<Running>,
}

/// The portal at work.
#[derive(Debug)]
struct Desk {
    settings: PortalSettings,
    clock: Arc<dyn Clock>,
    skew: AtomicI64,
    faults: Faults,
    sessions: Mutex<Sessions>,
    state: Mutex<State>,
    journal: Option<Journal>,
    /// Answers given, of which the spelling of success depends.
    answers: AtomicU64,
}

impl Portal {
    /// Starts the portal.
    ///
    /// # Errors
    /// When it cannot listen, its certificate cannot be used, or its state cannot be read.
    pub async fn start(
        settings: PortalSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<PortalHandle, Error> {
        let faults = Faults::default();
        let (listen, report) = (settings.listen.clone(), settings.report);
        let desk = Arc::new(Desk::open(settings, clock, faults.clone())?);
        let running = server::start(&listen, Arc::clone(&desk)).await?;
        let told = match report {
            Some(address) => {
                let listen = Listen { address, tls: None };
                Some(server::start(&listen, Arc::new(report::Told(Arc::clone(&desk)))).await?)
            }
            None => None,
        };
        let report_addr = told.as_ref().map(|told| told.addr);
        let addr = running.addr;
        Ok(PortalHandle { addr, report_addr, faults, desk, _running: running, _report: told })
    }
}

impl PortalHandle {
    /// What it has seen so far.
    #[must_use]
    pub fn report(&self) -> PortalReport {
        lock(&self.desk.state).report()
    }

    /// The records it accepted, in order of arrival, as they arrived; the last
    /// [`PortalSettings::keep_bodies`] of them.
    #[must_use]
    pub fn accepted(&self) -> Vec<Value> {
        lock(&self.desk.state).kept()
    }

    /// The present status of a case.
    #[must_use]
    pub fn status_of(&self, case: &str) -> Option<u8> {
        lock(&self.desk.state).cases.status_of(case)
    }

    /// The statuses that a case has had, in order of arrival.
    #[must_use]
    pub fn history_of(&self, case: &str) -> Vec<u8> {
        lock(&self.desk.state).cases.history_of(case)
    }

    /// How many cases are in this status.
    #[must_use]
    pub fn cases_in_final_state(&self, status: u8) -> usize {
        lock(&self.desk.state).cases.all().filter(|(_, held, _)| *held == status).count()
    }

    /// The first thousand changes of status it refused because they are in no table.
    #[must_use]
    pub fn illegal_transitions(&self) -> Vec<Illegal> {
        lock(&self.desk.state).ledger.named.clone()
    }

    /// The length of the file of this SHA-256, when it holds it.
    #[must_use]
    pub fn length_of_file(&self, sha256: &str) -> Option<u64> {
        lock(&self.desk.state).files.length_of(sha256)
    }

    /// Adds a question to those that wait for an answer. False when there is one of its code.
    pub fn ask(&self, question: Question) -> bool {
        lock(&self.desk.state).questions.ask(question)
    }

    /// Adds a report of the 1022 centre for the unit that it names in `MaDonVi`.
    pub fn assign(&self, report: Value) -> bool {
        lock(&self.desk.state).questions.assign(report)
    }

    /// Ends all sessions, as a restart of the platform would.
    pub fn expire_sessions(&self) {
        self.desk.forget_sessions();
    }

    /// Sets its clock ahead by so many seconds, or behind.
    pub fn set_clock_skew(&self, seconds: i64) {
        self.desk.skew.store(seconds, Ordering::Relaxed);
    }
}

impl Drop for PortalHandle {
    fn drop(&mut self) {
        // Connections may hold the portal a little longer than its handle.
        if let Some(journal) = &self.desk.journal {
            journal.close();
        }
    }
}

impl Desk {
    fn open(
        settings: PortalSettings,
        clock: Arc<dyn Clock>,
        faults: Faults,
    ) -> Result<Self, Error> {
        let ledger =
            if settings.state_dir.is_some() { Ledger::journaled() } else { Ledger::default() };
        let mut state = State::new(settings.keep_bodies, ledger);
        let journal = match &settings.state_dir {
            Some(directory) => Some(Journal::open(directory, |entry| state.replay(entry))?),
            None => None,
        };
        for number in 1..=settings.questions {
            state.questions.ask(Question::synthetic(number, clock.now()));
        }
        let rng = StdRng::seed_from_u64(session_seed(&settings, clock.now()));
        let sessions = Sessions::new(settings.session_seconds, settings.quotas, rng);
        Ok(Self {
            skew: AtomicI64::new(settings.clock_skew_seconds),
            settings,
            clock,
            faults,
            sessions: Mutex::new(sessions),
            state: Mutex::new(state),
            journal,
            answers: AtomicU64::new(0),
        })
    }

    /// The time by its own clock.
    fn now(&self) -> Timestamp {
        let skew = SignedDuration::from_secs(self.skew.load(Ordering::Relaxed));
        self.clock.now().saturating_add(skew).unwrap_or(Timestamp::MAX)
    }

    /// The last moment that is not in the future, when it looks.
    fn latest(&self) -> Option<String> {
        let ahead = SignedDuration::from_secs(i64::from(self.settings.future_seconds?));
        Some(moment(self.now().saturating_add(ahead).unwrap_or(Timestamp::MAX)))
    }

    /// Opens a session by the clock of the session store, which is right.
    fn open_session(&self) -> String {
        let now = self.clock.now();
        lock(&self.sessions).open(now)
    }

    /// Looks a session up by the clock of the portal, which may be wrong.
    fn take_session(&self, id: &str) -> Result<(), PortalError> {
        let now = self.now();
        lock(&self.sessions).take(id, now)
    }

    fn forget_sessions(&self) {
        lock(&self.sessions).clear();
    }
}

/// A portal that keeps its state must not give a session of its former life to another.
fn session_seed(settings: &PortalSettings, now: Timestamp) -> u64 {
    let started = u64::try_from(now.as_millisecond()).unwrap_or_default();
    if settings.state_dir.is_some() {
        settings.seed ^ started.rotate_left(20)
    } else {
        settings.seed
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
