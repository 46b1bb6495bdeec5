//! What the answers of all platforms have in common, before anything in them is understood.

use serde_json::{Map, Value};

use crate::{
    client::{NoAnswer, Received},
    outcome::{Outcome, Reason, of_refusal},
};

/// An answer that came, whatever it says; or what it means that none did.
pub(crate) fn came(received: Result<Received, NoAnswer>) -> Result<Received, Outcome> {
    received.map_err(|none| match none {
        NoAnswer::NotSent => {
            Outcome::Unavailable(Reason::new("no connection to the gateway"), None)
        }
        NoAnswer::MaybeSent => Outcome::Unknown(Reason::new("gateway gave no answer")),
    })
}

/// An answer that is no refusal by the gateway.
pub(crate) fn passed(received: Received) -> Result<Received, Outcome> {
    if received.is_problem || received.status >= 400 {
        return Err(of_refusal(&received));
    }
    Ok(received)
}

/// The object in an answer with status 200, and the code in the member of that name.
pub(crate) fn object(received: &Received, code: &str) -> Option<(String, Map<String, Value>)> {
    if received.status != 200 || !received.is_json {
        return None;
    }
    let body: Map<String, Value> = serde_json::from_slice(&received.body).ok()?;
    let code = text(body.get(code)?)?;
    Some((code, body))
}

/// What an answer that is no such object means: an error page with status 200, say, does not tell what
/// became of the message.
pub(crate) fn unreadable() -> Outcome {
    Outcome::Unknown(Reason::new("answer cannot be read"))
}

/// A code as a text: platforms mix texts and numbers.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        // A number that some serialiser wrote as `0.0` is the number 0 all the same.
        Value::Number(number) if number.as_f64() == Some(0.0) => Some("0".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
