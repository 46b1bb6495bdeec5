//! One log-in: an account's name and password for a session, or a client's for a token.

use jiff::SignedDuration;
use lienthong_model::sensitive::Sensitive;
use serde_json::{Map, Value, json};

use super::Npsp;
use crate::{
    client::{Body, Call, NoAnswer, Received},
    config::Profile,
    npsp::{
        request::{self, Fare},
        response,
    },
    outcome::{Outcome, Reason, of_refusal},
    platform::answer,
};

/// Longest session number or token.
const MAX_SESSION: usize = 512;

/// The answer to a log-in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LogIn {
    /// A session, and how long it is used.
    Session(Sensitive<String>, SignedDuration),
    /// The platform does not take the account.
    Refused(Reason),
    /// It could not be asked, or cannot say.
    Not(Reason, Option<SignedDuration>),
}

impl Npsp {
    pub(super) async fn log_in(&self) -> LogIn {
        let (name, password) = (self.config.username.as_str(), self.config.password.expose());
        let (operation, body) = match self.config.profile {
            Profile::Portal2020 => {
                let body = json!({"username": name, "password": password});
                ("login", Body::Json(body.to_string().into_bytes()))
            }
            Profile::Ministry2026 => {
                let pairs = form_urlencoded::Serializer::new(String::new())
                    .append_pair("grant_type", "client_credentials")
                    .append_pair("client_id", name)
                    .append_pair("client_secret", password)
                    .finish();
                ("token", Body::Form(pairs))
            }
        };
        let Ok(service) = request::service(&self.config, operation) else {
            return LogIn::Not(Reason::new("no service offers the log-in"), None);
        };
        let id = uuid::Uuid::new_v4().to_string();
        let call = Call {
            service,
            operation,
            id: &id,
            dossier: None,
            officer: None,
            purpose: self.config.purpose.as_deref(),
            headers: request::dstcode(&self.config),
            body,
        };
        match self.post(call, Fare::Turn).await {
            Ok(received) => self.read(received),
            Err(_) => LogIn::Not(Reason::new("rate of the portal leaves no room"), None),
        }
    }

    fn read(&self, received: Result<Received, NoAnswer>) -> LogIn {
        let Ok(received) = received else {
            return LogIn::Not(Reason::new("no answer to the log-in"), None);
        };
        let is_platform = received.is_json && !received.is_problem;
        if received.status == 401 && is_platform {
            return LogIn::Refused(Reason::new("token is refused"));
        }
        if received.is_problem || received.status >= 400 {
            let (reason, wait) = match of_refusal(&received) {
                Outcome::Unavailable(reason, wait) | Outcome::Uncertain(reason, wait) => {
                    (reason, wait)
                }
                Outcome::Refused(reason)
                | Outcome::Withheld(reason)
                | Outcome::Failed(reason)
                | Outcome::Unknown(reason) => (reason, received.retry_after),
                Outcome::Delivered | Outcome::Receipted(_) => (Reason::new("log-in failed"), None),
            };
            return LogIn::Not(reason.with("log-in failed"), wait);
        }
        match self.config.profile {
            Profile::Portal2020 => self.session_of(&received),
            Profile::Ministry2026 => self.token_of(&received),
        }
    }

    fn session_of(&self, received: &Received) -> LogIn {
        let Some((code, body)) = answer::object(received, response::CODE) else {
            return LogIn::Not(Reason::new("answer to the log-in cannot be read"), None);
        };
        if response::is_success(&code) {
            return session(&body, "session", self.life(None));
        }
        let reason = Reason::code("portal log-in", &code);
        let codes = &self.config.codes;
        let passes = codes.retry.iter().chain(&codes.pause).any(|known| *known == code);
        if passes { LogIn::Not(reason, None) } else { LogIn::Refused(reason) }
    }

    fn token_of(&self, received: &Received) -> LogIn {
        let body = Some(&received.body).filter(|_| received.is_json && received.status == 200);
        let body = body.and_then(|body| serde_json::from_slice::<Map<String, Value>>(body).ok());
        let Some(body) = body else {
            return LogIn::Not(Reason::new("answer to the log-in cannot be read"), None);
        };
        let told = body.get("expires_in").and_then(Value::as_i64);
        session(&body, "access_token", self.life(told))
    }

    /// How long a session is used: as configured, and never to its very end where that is told.
    fn life(&self, told: Option<i64>) -> SignedDuration {
        let life = i64::from(self.config.session_seconds);
        let told = told.map(|seconds| seconds.max(1).saturating_mul(9) / 10);
        SignedDuration::from_secs(told.map_or(life, |told| told.min(life)))
    }
}

fn session(body: &Map<String, Value>, member: &str, life: SignedDuration) -> LogIn {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match body.get(member).and_then(Value::as_str) {
        Some(text) if (1..=MAX_SESSION).contains(&text.len()) && text.bytes().all(harmless) => {
            LogIn::Session(Sensitive::new(text.to_owned()), life)
        }
        _ => LogIn::Not(Reason::new("portal gave an unusable session"), None),
    }
}
