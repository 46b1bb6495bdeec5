//! The National Public Service Portal: sessions, dossier sync, progress, look-up.
//!
//! Follows the connection guide of 2020 as public facts record it: calls are POSTs of
//! `{session, madonvi, service, data, isUpdating}`, answers are `{error_code, result}` with status
//! 200 also for errors. Error codes other than success are not public: these are the stand-in's own.
//! It keeps what it accepted, so that lost, doubled and disordered messages can be counted.

mod case;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::clock::Clock;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    Error, Faults,
    portal::case::Cases,
    server::{self, Answer, Listen, Request, Running, Serve},
};

/// Settings of the portal.
#[derive(Debug, Clone)]
pub struct PortalSettings {
    /// Where it listens.
    pub listen: Listen,
    /// User name of the one account.
    pub username: String,
    /// Password of the one account.
    pub password: String,
    /// How long a session lives.
    pub session_seconds: u32,
    /// Procedure codes it knows.
    pub procedures: BTreeSet<String>,
    /// Seed of session numbers and of the spelling of success.
    pub seed: u64,
}

impl PortalSettings {
    /// The account `lienthong-sandbox`, sessions of 15 minutes, and the procedures that
    /// [`crate::synthetic`] makes cases of.
    #[must_use]
    pub fn new(listen: Listen) -> Self {
        Self {
            listen,
            username: "lienthong-sandbox".to_owned(),
            password: "sandbox-only".to_owned(),
            session_seconds: 900,
            procedures: crate::synthetic::PROCEDURES.iter().map(|p| p.code.to_owned()).collect(),
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
    /// What breaks on purpose.
    pub faults: Faults,
    state: Arc<Mutex<State>>,
    _running: Running,
}

/// What the portal has seen.
#[derive(Debug, Clone, Default, Serialize, PartialEq, Eq)]
pub struct PortalReport {
    /// Log-ins that succeeded.
    pub logins: u64,
    /// Calls turned away because their session had ended.
    pub sessions_expired: u64,
    /// Calls taken, repeats included.
    pub accepted: u64,
    /// Cases it holds.
    pub cases: u64,
    /// Progress entries it holds.
    pub progress: u64,
    /// Calls that said again what it already held, and changed nothing.
    pub repeated: u64,
    /// Progress entries that it now holds twice.
    pub duplicates: u64,
    /// Calls that came before one they should have followed.
    pub order_violations: u64,
    /// Calls it refused, by error code.
    pub refused: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct State {
    sessions: BTreeMap<String, Timestamp>,
    cases: Cases,
    report: PortalReport,
    rng: StdRng,
}

impl Portal {
    /// Starts the portal.
    ///
    /// # Errors
    /// When it cannot listen or its certificate cannot be used.
    pub async fn start(
        settings: PortalSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<PortalHandle, Error> {
        let faults = Faults::default();
        let state = Arc::new(Mutex::new(State {
            sessions: BTreeMap::new(),
            cases: Cases::new(settings.procedures.clone()),
            report: PortalReport::default(),
            rng: StdRng::seed_from_u64(settings.seed),
        }));
        let listen = settings.listen.clone();
        let desk = Desk { settings, clock, faults: faults.clone(), state: Arc::clone(&state) };
        let running = server::start(&listen, Arc::new(desk)).await?;
        Ok(PortalHandle { addr: running.addr, faults, state, _running: running })
    }
}

impl PortalHandle {
    /// What it has seen so far.
    #[must_use]
    pub fn report(&self) -> PortalReport {
        let state = lock(&self.state);
        let mut report = state.report.clone();
        report.cases = state.cases.len() as u64;
        report.progress = state.cases.progress_len() as u64;
        report
    }

    /// Every record it accepted, in order of arrival, as it arrived.
    #[must_use]
    pub fn accepted(&self) -> Vec<Value> {
        lock(&self.state).cases.accepted().to_vec()
    }

    /// The present status of a case.
    #[must_use]
    pub fn status_of(&self, case: &str) -> Option<u8> {
        lock(&self.state).cases.status_of(case)
    }

    /// Ends all sessions, as a restart of the platform would.
    pub fn expire_sessions(&self) {
        lock(&self.state).sessions.clear();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A refusal of the stand-in: its code and a text without any value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortalError {
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
}

pub(crate) const SESSION_EXPIRED: PortalError =
    PortalError { code: "101", text: "phien lam viec da het han" };
pub(crate) const LOGIN_FAILED: PortalError =
    PortalError { code: "102", text: "sai tai khoan hoac mat khau" };
pub(crate) const MALFORMED: PortalError = PortalError { code: "103", text: "du lieu sai cau truc" };
pub(crate) const UNKNOWN_CALL: PortalError =
    PortalError { code: "104", text: "dich vu khong ton tai" };

struct Desk {
    settings: PortalSettings,
    clock: Arc<dyn Clock>,
    faults: Faults,
    state: Arc<Mutex<State>>,
}

impl Serve for Desk {
    async fn serve(&self, request: Request) -> Answer {
        let fault = self.faults.next(request.call());
        if let Some(fault) = fault {
            tokio::time::sleep(fault.delay()).await;
            if let Some(answer) = fault.instead() {
                return answer;
            }
        }
        let answer = self.answer(&request);
        match fault {
            Some(fault) => fault.spoil(answer),
            None => answer,
        }
    }
}

impl Desk {
    fn answer(&self, request: &Request) -> Answer {
        if request.method != http::Method::POST {
            return Answer::html(405, "<html><body>Method Not Allowed</body></html>");
        }
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return self.refuse(MALFORMED);
        };
        if request.call() == "login" {
            return self.login(&body);
        }
        if let Err(error) = self.session(&body) {
            return self.refuse(error);
        }
        let mut state = lock(&self.state);
        let State { cases, report, .. } = &mut *state;
        let outcome = match request.call() {
            "DongBoHoSoMC" => cases.sync(&body, report),
            "CapNhatTienDoHoSoMC" => cases.progress(&body, report),
            "TraCuuHoSo" => cases.look_up(&body),
            _ => Err(UNKNOWN_CALL),
        };
        drop(state);
        match outcome {
            Ok(result) => self.accept(&result),
            Err(error) => self.refuse(error),
        }
    }

    fn login(&self, body: &Value) -> Answer {
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
        if text("username") != self.settings.username || text("password") != self.settings.password
        {
            return self.refuse(LOGIN_FAILED);
        }
        let mut state = lock(&self.state);
        let session = format!("{:032x}", state.rng.random::<u128>());
        let life = SignedDuration::from_secs(i64::from(self.settings.session_seconds));
        let until = self.clock.now().saturating_add(life).unwrap_or(Timestamp::MAX);
        state.sessions.insert(session.clone(), until);
        state.report.logins += 1;
        Answer::json(200, &json!({"error_code": 0, "session": session}))
    }

    fn session(&self, body: &Value) -> Result<(), PortalError> {
        let session = body.get("session").and_then(Value::as_str).unwrap_or_default();
        let now = self.clock.now();
        let mut state = lock(&self.state);
        if state.sessions.get(session).is_some_and(|until| now < *until) {
            return Ok(());
        }
        state.sessions.remove(session);
        state.report.sessions_expired += 1;
        Err(SESSION_EXPIRED)
    }

    /// Success is spelled `"00"`, `"0"` or `0`, as the real one does.
    fn accept(&self, result: &Value) -> Answer {
        let mut state = lock(&self.state);
        state.report.accepted += 1;
        let code = match state.rng.random_range(0..3) {
            0 => json!("00"),
            1 => json!("0"),
            _ => json!(0),
        };
        Answer::json(200, &json!({"error_code": code, "result": result}))
    }

    /// A refusal comes with status 200, as the real one's do.
    fn refuse(&self, error: PortalError) -> Answer {
        let mut state = lock(&self.state);
        *state.report.refused.entry(error.code.to_owned()).or_default() += 1;
        Answer::json(200, &json!({"error_code": error.code, "result": error.text}))
    }
}

#[cfg(test)]
mod tests;
