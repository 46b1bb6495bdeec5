//! What the portal and the gateway answer, brought into one taxonomy.
//!
//! The portal's success is `"00"`, `"0"` or `0`, and its errors come with status 200. The gateway's
//! refusals are problem documents with a reason code.

use serde_json::{Map, Value};

use crate::{
    client::{NoAnswer, Received},
    config::{NpspConfig, Profile},
    outcome::{Outcome, Reason},
    platform::answer,
};

/// The member of an answer that is its code.
pub(super) const CODE: &str = "error_code";

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
    let received = match answer::came(received) {
        Ok(received) => received,
        Err(outcome) => return Answer::Not(outcome),
    };
    // The portal's own, which the document of the pattern of 2026 declares.
    let is_platform = received.is_json && !received.is_problem;
    if config.profile == Profile::Ministry2026 && received.status == 401 && is_platform {
        return Answer::SessionEnded;
    }
    match answer::passed(received) {
        Err(outcome) => Answer::Not(outcome),
        Ok(received) => match answer::object(&received, CODE) {
            Some((code, body)) => meaning(config, &code, body),
            None => Answer::Not(answer::unreadable()),
        },
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

pub(super) fn is_success(code: &str) -> bool {
    matches!(code, "0" | "00")
}

#[cfg(test)]
mod tests;
