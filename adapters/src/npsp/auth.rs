//! Sessions of the portal: opened once, shared by all workers, renewed before they end.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use lienthong_model::{clock::Clock, sensitive::Sensitive};
use serde_json::json;
use tokio::sync::Mutex;

use super::{
    Npsp,
    response::{self, LogIn},
};
use crate::{
    client::Call,
    outcome::{Outcome, Reason},
};

/// Longest session number.
const MAX_SESSION: usize = 128;

/// The session in use.
#[derive(Debug)]
pub(super) struct Sessions {
    clock: Arc<dyn Clock>,
    current: Mutex<Option<Session>>,
}

#[derive(Debug, Clone)]
struct Session {
    number: Sensitive<String>,
    until: Timestamp,
}

impl Sessions {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, current: Mutex::new(None) }
    }

    /// Forgets a session that has ended, unless another worker has renewed it already.
    pub(super) async fn forget(&self, ended: &Sensitive<String>) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|session| session.number == *ended) {
            *current = None;
        }
    }
}

impl Npsp {
    /// The session in use, or a new one. While one worker logs in, the others wait for it.
    pub(super) async fn session(&self) -> Result<Sensitive<String>, Outcome> {
        let mut current = self.sessions.current.lock().await;
        let now = self.sessions.clock.now();
        if let Some(session) = current.as_ref().filter(|session| now < session.until) {
            return Ok(session.number.clone());
        }
        *current = None;
        let number = self.log_in().await?;
        let life = SignedDuration::from_secs(i64::from(self.config.session_seconds));
        let until = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        *current = Some(Session { number: number.clone(), until });
        Ok(number)
    }

    /// Whatever goes wrong here says nothing about a message, so no message pays for it.
    async fn log_in(&self) -> Result<Sensitive<String>, Outcome> {
        let body = json!({
            "username": self.config.username,
            "password": self.config.password.expose(),
        });
        let id = uuid::Uuid::new_v4().to_string();
        let call = Call {
            path: format!("{}/login", self.config.service),
            id: &id,
            dossier: None,
            officer: None,
            purpose: self.config.purpose.as_deref(),
            dstcode: self.config.dstcode.as_deref(),
            body: body.to_string().into_bytes(),
        };
        match response::read_log_in(self.client.post(call).await) {
            LogIn::Session(number) if is_session(&number) => Ok(Sensitive::new(number)),
            LogIn::Session(_) => {
                Err(Outcome::Unavailable(Reason::new("portal gave an unusable session"), None))
            }
            LogIn::No(reason, wait) => Err(Outcome::Unavailable(reason, wait)),
        }
    }
}

fn is_session(text: &str) -> bool {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    (1..=MAX_SESSION).contains(&text.len()) && text.bytes().all(harmless)
}
