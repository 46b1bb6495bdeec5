//! Sessions of the portal: opened once, shared by all workers, renewed before they end.
//!
//! Platforms lock accounts that log in wrongly too often, so a refused log-in is followed by a wait
//! that grows, and after a few by none at all until the password's file changes. That is kept on
//! disk: a process that is started again and again must not lock the account either.

mod log_in;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use lienthong_model::sensitive::Sensitive;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use self::log_in::LogIn;
use super::Npsp;
use crate::{
    config::NpspConfig,
    outcome::{Outcome, Reason},
    platform::kept::{Kept, name_of},
};

/// Refused log-ins after which none is tried any more.
const MOST_REFUSED: u32 = 3;
/// Wait after the first refused log-in; four times as long after each further one.
const FIRST_WAIT: SignedDuration = SignedDuration::from_mins(1);
/// How long a flow pauses that only a person can set going.
const LONG_PAUSE: SignedDuration = SignedDuration::from_hours(1);
/// The file that is kept, and its largest size.
const FILE: &str = "refused";
const MAX_FILE: u64 = 4_096;

/// The session in use.
#[derive(Debug)]
pub(super) struct Sessions {
    kept: Arc<Kept>,
    state: Mutex<State>,
    /// Log-ins so far, by which those who waited for one know it.
    tries: AtomicU64,
}

#[derive(Debug)]
struct State {
    current: Option<Session>,
    refused: Refused,
    /// How the last log-in failed.
    failed: Option<Outcome>,
}

#[derive(Debug, Clone)]
struct Session {
    number: Sensitive<String>,
    until: Timestamp,
}

/// What is kept of refused log-ins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    /// Digest of the account's name and of when its password was last changed.
    account: String,
    times: u32,
    not_before: Option<Timestamp>,
}

impl Sessions {
    pub(super) fn open(kept: Arc<Kept>, config: &NpspConfig) -> Self {
        let account = name_of(&[&config.username, &config.password_changed.to_string()]);
        let read = kept.read(FILE, MAX_FILE).ok().flatten();
        let known = read.and_then(|bytes| serde_json::from_slice::<Refused>(&bytes).ok());
        // Another name or password begins anew.
        let known = known.filter(|known| known.account == account);
        let refused = known.unwrap_or_else(|| Refused { account, ..Refused::default() });
        let state = State { current: None, refused, failed: None };
        Self { kept, state: Mutex::new(state), tries: AtomicU64::new(0) }
    }

    /// Forgets a session that has ended, unless another worker has renewed it already.
    pub(super) async fn forget(&self, ended: &Sensitive<String>) {
        let mut state = self.state.lock().await;
        if state.current.as_ref().is_some_and(|session| session.number == *ended) {
            state.current = None;
        }
    }
}

impl Npsp {
    /// The session in use, or a new one. While one worker logs in, the others wait for it, and
    /// share what it came to.
    ///
    /// Whatever goes wrong here says nothing about a message, so no message pays for it.
    pub(super) async fn session(&self) -> Result<Sensitive<String>, Outcome> {
        let sessions = &self.sessions;
        let seen = sessions.tries.load(Ordering::Relaxed);
        let mut state = sessions.state.lock().await;
        let now = self.clock.now();
        if let Some(session) = state.current.as_ref().filter(|session| now < session.until) {
            return Ok(session.number.clone());
        }
        // Each trying in turn would be a storm of log-ins, and the last would outwait its lease.
        if sessions.tries.load(Ordering::Relaxed) != seen
            && let Some(failed) = &state.failed
        {
            return Err(failed.clone());
        }
        state.current = None;
        may_log_in(&state.refused, now)?;
        let ended = self.log_in().await;
        sessions.tries.fetch_add(1, Ordering::Relaxed);
        let outcome = self.take_down(&mut state, ended, now);
        state.failed = outcome.as_ref().err().cloned();
        outcome
    }

    fn take_down(
        &self,
        state: &mut State,
        ended: LogIn,
        now: Timestamp,
    ) -> Result<Sensitive<String>, Outcome> {
        match ended {
            LogIn::Session(number, life) => {
                let until = now.saturating_add(life).unwrap_or(Timestamp::MAX);
                state.current = Some(Session { number: number.clone(), until });
                if state.refused.times > 0 {
                    state.refused.times = 0;
                    state.refused.not_before = None;
                    self.keep(&state.refused);
                }
                Ok(number)
            }
            LogIn::Refused(reason) => {
                refuse(&mut state.refused, now);
                self.keep(&state.refused);
                tracing::error!(%reason, times = state.refused.times, "portal refuses the log-in");
                may_log_in(&state.refused, now)?;
                Err(Outcome::Unavailable(reason, None))
            }
            LogIn::Not(reason, wait) => Err(Outcome::Unavailable(reason, wait)),
        }
    }

    fn keep(&self, refused: &Refused) {
        let written = serde_json::to_vec(refused)
            .map_err(std::io::Error::other)
            .and_then(|bytes| self.sessions.kept.write(FILE, &bytes));
        if let Err(error) = written {
            tracing::error!(%error, "refused log-ins cannot be kept");
        }
    }
}

fn refuse(refused: &mut Refused, now: Timestamp) {
    let wait = FIRST_WAIT.saturating_mul(4_i32.saturating_pow(refused.times.min(10)));
    refused.times = refused.times.saturating_add(1);
    refused.not_before = Some(now.saturating_add(wait).unwrap_or(Timestamp::MAX));
}

/// Whether a log-in may be tried now.
fn may_log_in(refused: &Refused, now: Timestamp) -> Result<(), Outcome> {
    if refused.times >= MOST_REFUSED {
        let words = "portal refuses the log-in, none is tried any more: mend `username` or the \
                     file of `password_file` and start again";
        return Err(Outcome::Unavailable(Reason::new(words), Some(LONG_PAUSE)));
    }
    match refused.not_before.filter(|at| now < *at) {
        None => Ok(()),
        Some(at) => {
            let words = "portal refused the log-in: check `username` and `password_file`";
            Err(Outcome::Unavailable(Reason::new(words), Some(at.duration_since(now))))
        }
    }
}

#[cfg(test)]
mod tests;
