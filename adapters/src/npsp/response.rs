//! What the portal and the gateway answer, brought into one taxonomy.
//!
//! The portal's success is `"00"`, `"0"` or `0`, and its errors come with status 200. The gateway's
//! refusals are problem documents with a reason code.

use serde_json::{Map, Value};

use crate::{
    client::{NoAnswer, Received},
    config::{NpspConfig, Profile},
    outcome::{Outcome, Reason, of_refusal},
};

/// The answer to a call.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// Success, with the whole body.
    Taken(Map<String, Value>),
    SessionEnded,
    /// The portal has the record already.
    Exists(Reason),
    /// The portal has no such dossier.
    UnknownCase(Reason),
    Not(Outcome),
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
    // The portal's own, which the document of the pattern of 2026 declares.
    let is_platform = received.is_json && !received.is_problem;
    if config.profile == Profile::Ministry2026 && received.status == 401 && is_platform {
        return Answer::SessionEnded;
    }
    if received.is_problem || received.status >= 400 {
        return Answer::Not(of_refusal(&received));
    }
    match body(&received) {
        Some((code, body)) => meaning(config, &code, body),
        // An error page with status 200, say: it does not tell what became of the message.
        None => Answer::Not(Outcome::Unknown(Reason::new("answer cannot be read"))),
    }
}

fn meaning(config: &NpspConfig, code: &str, body: Map<String, Value>) -> Answer {
    if is_success(code) {
        return Answer::Taken(body);
    }
    let codes = &config.codes;
    let is = |list: &[String]| list.iter().any(|known| known == code);
    let reason = Reason::code("portal", code);
    if is(&codes.session_ended) {
        Answer::SessionEnded
    } else if is(&codes.exists) {
        Answer::Exists(reason)
    } else if is(&codes.unknown_case) {
        Answer::UnknownCase(reason)
    } else if is(&codes.pause) {
        Answer::Not(Outcome::Unavailable(reason, None))
    } else if is(&codes.retry) {
        Answer::Not(Outcome::Failed(reason))
    } else {
        Answer::Not(Outcome::Refused(reason))
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

/// The error code and the body of an answer with status 200 that can be read.
pub(super) fn body(received: &Received) -> Option<(String, Map<String, Value>)> {
    if received.status != 200 || !received.is_json {
        return None;
    }
    let body: Map<String, Value> = serde_json::from_slice(&received.body).ok()?;
    let code = code(body.get("error_code")?)?;
    Some((code, body))
}

/// The code as a text: the portal mixes texts and numbers.
fn code(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // A number that some serialiser wrote as `0.0` is the number 0 all the same.
        Value::Number(number) if number.as_f64() == Some(0.0) => Some("0".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn is_success(code: &str) -> bool {
    matches!(code, "0" | "00")
}

#[cfg(test)]
mod tests;
