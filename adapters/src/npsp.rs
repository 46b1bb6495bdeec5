//! The National Public Service Portal, spoken through the gateway.
//!
//! One message is one call with one record. What the portal has not made public (its error codes,
//! the answer to a look-up) is configuration or the sandbox's own.

mod auth;
mod request;
mod response;

use std::sync::Arc;

use jiff::SignedDuration;
use lienthong_model::clock::Clock;
use serde_json::Value;

use self::{
    auth::Sessions,
    response::{Answer, read},
};
use crate::{
    client::GatewayClient,
    config::{Config, NpspConfig},
    deliver::Envelope,
    outcome::{Outcome, Reason},
};

/// The portal.
#[derive(Debug)]
pub(crate) struct Npsp {
    config: NpspConfig,
    client: GatewayClient,
    sessions: Sessions,
}

/// One message on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parcel<'a> {
    /// The call.
    pub(crate) call: &'a str,
    /// The message's id at the gateway: the same for every attempt.
    pub(crate) id: &'a str,
    /// Whether the portal holds an earlier message of this call and dossier.
    pub(crate) follows: bool,
    pub(crate) envelope: &'a Envelope,
}

/// What a look-up says of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LookedUp {
    Taken,
    NotTaken,
    /// The look-up itself failed.
    Open(Outcome),
}

/// Longest time that one attempt takes: a look-up, a log-in, a send, and the last two again.
pub(crate) fn longest_attempt(config: &Config) -> SignedDuration {
    let call = config.gateway.answer.saturating_add(config.gateway.connect);
    SignedDuration::try_from(call * 6).unwrap_or(SignedDuration::from_hours(1))
}

impl Npsp {
    pub(crate) fn new(config: &NpspConfig, client: GatewayClient, clock: Arc<dyn Clock>) -> Self {
        Self { config: config.clone(), client, sessions: Sessions::new(clock) }
    }

    /// Sends a message once; twice when its session had ended.
    pub(crate) async fn send(&self, parcel: Parcel<'_>) -> Outcome {
        match self.call(parcel, &|session| request::body(&self.config, session, parcel)).await {
            Ok(_) => Outcome::Delivered,
            Err(outcome) => outcome,
        }
    }

    /// Asks whether a message was taken.
    pub(crate) async fn look_up(&self, call: &str, parcel: Parcel<'_>) -> LookedUp {
        let question = Parcel { call, ..parcel };
        let body = |session: &str| request::question(&self.config, session, question);
        match self.call(question, &body).await {
            Ok(result) if response::holds(&result, &parcel.envelope.record) => LookedUp::Taken,
            Ok(_) => LookedUp::NotTaken,
            // The portal says that it does not hold the dossier.
            Err(Outcome::Refused(_)) => LookedUp::NotTaken,
            Err(outcome) => LookedUp::Open(outcome),
        }
    }

    /// One call in a session, which is renewed once when the portal says that it has ended.
    async fn call(
        &self,
        parcel: Parcel<'_>,
        body: &(dyn Fn(&str) -> Value + Sync),
    ) -> Result<Value, Outcome> {
        let mut session = self.session().await?;
        for renewed in [false, true] {
            let body = body(session.expose()).to_string().into_bytes();
            let call = request::call(&self.config, parcel, body);
            match read(&self.config, self.client.post(call).await) {
                Answer::Taken(result) => return Ok(result),
                Answer::SessionEnded if !renewed => {
                    self.sessions.forget(&session).await;
                    session = self.session().await?;
                }
                Answer::SessionEnded => {
                    return Err(Outcome::Failed(Reason::new("portal ends each new session")));
                }
                Answer::Not(outcome) => return Err(outcome),
            }
        }
        Err(Outcome::Failed(Reason::new("portal gives no session")))
    }
}
