//! What the portal and the gateway answer, brought into one taxonomy.
//!
//! The portal's success is `"00"`, `"0"` or `0`, and its errors come with status 200. The gateway's
//! refusals are problem documents with a reason code.

use jiff::SignedDuration;
use lienthong_model::reason::ReasonCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    client::{NoAnswer, Received},
    config::NpspConfig,
    outcome::{Outcome, Reason},
};

/// The answer to a call.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// Success, with its result.
    Taken(Value),
    SessionEnded,
    Not(Outcome),
}

/// The answer to a log-in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LogIn {
    Session(String),
    No(Reason, Option<SignedDuration>),
}

#[derive(Deserialize)]
struct Problem {
    reason: String,
}

#[derive(Deserialize)]
struct Body {
    error_code: Value,
    #[serde(default)]
    result: Value,
    session: Option<String>,
}

/// Reads the answer to a call.
pub(super) fn read(config: &NpspConfig, received: Result<Received, NoAnswer>) -> Answer {
    let received = match received {
        Ok(received) => received,
        Err(NoAnswer::NotSent) => {
            let reason = Reason::new("no connection to the gateway");
            return Answer::Not(Outcome::Unavailable(reason, None));
        }
        Err(NoAnswer::MaybeSent) => {
            return Answer::Not(Outcome::Unknown(Reason::new("gateway gave no answer")));
        }
    };
    if received.is_problem || received.status >= 400 {
        return Answer::Not(refusal(&received));
    }
    let Some(body) = success_body(&received) else {
        // An error page with status 200, say: it does not tell what became of the message.
        return Answer::Not(Outcome::Unknown(Reason::new("answer cannot be read")));
    };
    let code = code(&body.error_code);
    if is_success(&body.error_code) {
        return Answer::Taken(body.result);
    }
    if config.session_ended_codes.contains(&code) {
        return Answer::SessionEnded;
    }
    let reason = Reason::code("portal", &code);
    Answer::Not(if config.retry_codes.contains(&code) {
        Outcome::Failed(reason)
    } else {
        Outcome::Refused(reason)
    })
}

/// Reads the answer to a log-in.
pub(super) fn read_log_in(received: Result<Received, NoAnswer>) -> LogIn {
    let Ok(received) = received else {
        return LogIn::No(Reason::new("no answer to the log-in"), None);
    };
    if received.is_problem || received.status >= 400 {
        let reason = problem(&received).unwrap_or_else(|| Reason::new("log-in failed"));
        return LogIn::No(reason, received.retry_after);
    }
    match success_body(&received) {
        Some(Body { error_code, session: Some(session), .. }) if is_success(&error_code) => {
            LogIn::Session(session)
        }
        Some(body) => LogIn::No(Reason::code("portal log-in", &code(&body.error_code)), None),
        None => LogIn::No(Reason::new("answer to the log-in cannot be read"), None),
    }
}

/// Whether the answer to a look-up says that the portal holds what the record says: the same status
/// of the dossier, or the same step at the same time.
pub(super) fn holds(result: &Value, record: &Map<String, Value>) -> bool {
    let cases = result.as_array().map(Vec::as_slice).unwrap_or_default();
    let same = |a: Option<&Value>, b: Option<&Value>| a.is_some() && a == b;
    cases.iter().any(|case| {
        let status = |key: &str| same(case.get(key), record.get(key));
        match record.get("ThoiDiemXuLy") {
            None => status("MaHoSo") && status("TrangThaiHoSo"),
            Some(at) => {
                let steps = case.get("QuaTrinhXuLy").and_then(Value::as_array);
                status("MaHoSo")
                    && steps.into_iter().flatten().any(|step| {
                        step.get("ThoiDiemXuLy") == Some(at)
                            && same(step.get("TrangThai"), record.get("TrangThai"))
                    })
            }
        }
    })
}

/// What a refusal by the gateway means for a message that may change something at the portal.
fn refusal(received: &Received) -> Outcome {
    let reason = problem(received).unwrap_or_else(|| Reason::new("status without a reason"));
    let known: Option<ReasonCode> = reason.as_str().parse().ok();
    match (received.status, known) {
        // No connection to the portal: it has seen nothing.
        (_, Some(ReasonCode::ProviderUnreachable)) => {
            Outcome::Unavailable(reason, received.retry_after)
        }
        // Nothing about the message: who we are, how fast we are, how busy the others are.
        (401 | 408 | 429 | 503, Some(_)) => Outcome::Unavailable(reason, received.retry_after),
        (400..=499, _) => Outcome::Refused(reason),
        // SECURITY: whatever else went wrong may have gone wrong after the portal took it.
        _ => Outcome::Unknown(reason),
    }
}

fn problem(received: &Received) -> Option<Reason> {
    if !received.is_problem {
        return None;
    }
    let problem: Problem = serde_json::from_slice(&received.body).ok()?;
    Some(Reason::code("", &problem.reason))
}

fn success_body(received: &Received) -> Option<Body> {
    if received.status != 200 || !received.is_json {
        return None;
    }
    serde_json::from_slice(&received.body).ok()
}

/// The code as a text: the portal mixes texts and numbers.
fn code(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_success(value: &Value) -> bool {
    matches!(code(value).as_str(), "0" | "00")
}

#[cfg(test)]
mod tests;
