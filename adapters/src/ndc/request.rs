//! What the Agent Node is sent: one signed message.

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value};

use super::proof::Signing;
use crate::{
    config::{ExchangeConfig, NdcConfig},
    outcome::Outcome,
};

/// The offset of the city: Viet Nam has had one zone and no summer time since 1975.
const ZONE: jiff::tz::Offset = jiff::tz::offset(7);

/// What a message says.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    /// Its id, or of a look-up that of the message it asks about.
    pub(super) id: &'a str,
    /// What kind of exchange it is; nothing for a look-up.
    pub(super) exchange: Option<&'a ExchangeConfig>,
    pub(super) record: Option<&'a Map<String, Value>>,
}

/// The body of a request: the members of the message, and the signature of their canonical form.
///
/// SECURITY: the signature is made over the canonical form so that a gateway which writes the document
/// anew does not break it; a member that the gateway keeps back does break it, and the Agent Node then
/// refuses what was signed as something else.
pub(super) fn body(
    config: &NdcConfig,
    signing: &Signing,
    message: Message<'_>,
    now: Timestamp,
) -> Result<Vec<u8>, Outcome> {
    let names = &config.names;
    let mut body = Map::new();
    let mut say = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
    say(&names.id, message.id.into());
    let sent = now.to_zoned(TimeZone::fixed(ZONE)).strftime("%Y-%m-%dT%H:%M:%S%:z");
    say(&names.sent_at, sent.to_string().into());
    say(&names.sender, config.sender.clone().into());
    let peer = message.exchange.and_then(|exchange| exchange.peer.as_ref());
    say(&names.receiver, peer.unwrap_or(&config.centre).clone().into());
    if let Some(exchange) = message.exchange {
        let word = names.modes.get(&exchange.mode).cloned();
        say(&names.mode, word.unwrap_or_else(|| exchange.mode.as_str().to_owned()).into());
        say(&names.dataset, exchange.dataset.clone().into());
        say(&names.agreement, exchange.agreement.clone().into());
    }
    if let Some(record) = message.record {
        say(&names.record, Value::Object(record.clone()));
    }
    let signature = signing.sign(&body, now)?;
    body.insert(names.signature.clone(), signature.into());
    Ok(Value::Object(body).to_string().into_bytes())
}
