//! What the Agent Node answers, brought into the one taxonomy.

use serde_json::{Map, Value};

use crate::{
    client::{NoAnswer, Received},
    config::NdcConfig,
    outcome::{Outcome, Reason},
    platform::answer,
};

/// An answer that says something about the message.
#[derive(Debug)]
pub(super) enum Answer {
    /// It was taken.
    Taken { body: Map<String, Value>, receipt: Option<Proven> },
    /// The Agent Node has no such message.
    UnknownMessage(Reason),
}

/// A receipt and what is to prove it. It is nothing before it was checked.
#[derive(Debug)]
pub(super) struct Proven {
    pub(super) receipt: Map<String, Value>,
    pub(super) signature: String,
}

/// Reads an answer.
pub(super) fn read(
    config: &NdcConfig,
    received: Result<Received, NoAnswer>,
) -> Result<Answer, Outcome> {
    let received = answer::passed(answer::came(received)?)?;
    let object = answer::object(&received, &config.names.code);
    let (code, mut body) = object.ok_or_else(answer::unreadable)?;
    let is = |list: &[String]| list.contains(&code);
    let (codes, reason) = (&config.codes, Reason::code("centre", &code));
    if is(&codes.success) {
        let receipt = proven(config, &mut body);
        Ok(Answer::Taken { body, receipt })
    } else if is(&codes.unknown_message) {
        Ok(Answer::UnknownMessage(reason))
    } else if is(&codes.pause) {
        Err(Outcome::Unavailable(reason, None))
    } else if is(&codes.retry) {
        Err(Outcome::Failed(reason))
    } else {
        Err(Outcome::Refused(reason))
    }
}

fn proven(config: &NdcConfig, body: &mut Map<String, Value>) -> Option<Proven> {
    let Value::Object(receipt) = body.remove(&config.names.receipt)? else { return None };
    let Value::String(signature) = body.remove(&config.names.signature)? else { return None };
    Some(Proven { receipt, signature })
}
