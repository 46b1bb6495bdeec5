//! The National Data Centre, spoken to through the gateway by its Agent Node.
//!
//! Every message is signed, and none counts as delivered without a receipt whose signature, message and
//! digest are right: an answer without one is an unknown outcome, which is asked about and never resent
//! blindly. The Agent Node's wire is not public; what is guessed is configuration.

mod proof;
mod request;
mod response;
#[cfg(test)]
pub(crate) mod testing;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::SignedDuration;
use lienthong_model::clock::Clock;
use serde_json::{Map, Value};

pub(crate) use self::proof::Checking;
use self::{
    proof::Signing,
    request::Message,
    response::{Answer, read},
};
use crate::{
    Error,
    client::{Body, Call, GatewayClient},
    config::{Config, ExchangeConfig, NdcConfig, TrayConfig},
    outcome::{Outcome, Reason},
    platform::{LookedUp, Parcel, kept::name_of},
    rate::{LONGEST_TURN, Rate},
    tray::{Holds, Item, Laid, Tray},
};

/// Largest answer of a peer that is laid for the city.
const MAX_ITEM: usize = 256 << 10;

/// The National Data Centre.
#[derive(Debug)]
pub(crate) struct Ndc {
    config: NdcConfig,
    client: GatewayClient,
    clock: Arc<dyn Clock>,
    rate: Option<Arc<Rate>>,
    longest_call: Duration,
    signing: Signing,
    checking: Checking,
    /// Where answers of peers are laid, by call.
    trays: BTreeMap<String, Tray>,
}

impl Ndc {
    /// Reads keys and certificates; asks nobody anything.
    pub(crate) fn open(
        config: &Config,
        client: GatewayClient,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        let ndc = config.ndc.clone().ok_or_else(|| fail("there are no settings `ndc`"))?;
        let rate = ndc.rate.map(|rate| Arc::new(Rate::new(rate, Arc::clone(&clock))));
        let turn = rate.as_ref().map_or(Duration::ZERO, |_| LONGEST_TURN);
        let mut trays = BTreeMap::new();
        for (call, exchange) in &ndc.exchanges {
            let Some(into) = &exchange.answers_into else { continue };
            let tray = Tray::open(into, Holds::Json);
            let tray = tray.map_err(|error| fail(format!("answers of `{call}`: {error}")))?;
            trays.insert(call.clone(), tray);
        }
        Ok(Self {
            longest_call: turn + config.gateway.answer.saturating_add(config.gateway.connect),
            signing: Signing::open(&ndc.signature, clock.now())?,
            checking: Checking::open(&ndc.receipt)?,
            config: ndc,
            client,
            clock,
            rate,
            trays,
        })
    }

    /// The rate that messages and look-ups share, where one is set.
    pub(crate) fn rate(&self) -> Option<Arc<Rate>> {
        self.rate.clone()
    }

    /// A look-up and a send, with an answer laid for the city.
    pub(crate) fn longest_attempt(&self) -> SignedDuration {
        SignedDuration::try_from(self.longest_call.saturating_mul(4))
            .unwrap_or(SignedDuration::from_hours(1))
    }

    /// Sends a message once.
    pub(crate) async fn send(&self, parcel: Parcel<'_>) -> Outcome {
        match self.try_send(parcel).await {
            Ok(outcome) | Err(outcome) => outcome,
        }
    }

    async fn try_send(&self, parcel: Parcel<'_>) -> Result<Outcome, Outcome> {
        let no = || Outcome::Refused(Reason::new("call has no exchange any more"));
        let exchange = self.config.exchanges.get(parcel.call).ok_or_else(no)?;
        let record = &parcel.envelope.record;
        let digest = proof::digest(record)?;
        let message = Message { id: parcel.id, exchange: Some(exchange), record: Some(record) };
        let answer = self.ask(parcel.call, parcel, message).await?;
        let (body, receipt) = match answer {
            Answer::Taken { body, receipt } => (body, receipt),
            Answer::UnknownMessage(reason) => return Err(Outcome::Refused(reason)),
        };
        let receipt = receipt.ok_or_else(|| unproven("answer has no receipt"))?;
        let now = self.clock.now();
        let receipt = self.checking.receipt(&self.config, receipt, parcel.id, &digest, now);
        let receipt = receipt.map_err(|problem| Outcome::Unknown(problem.into()))?;
        // Only reading is repeated when an answer cannot be laid.
        if let Some(tray) = self.trays.get(parcel.call) {
            self.lay(tray, parcel, exchange, body).await?;
        }
        Ok(Outcome::Receipted(Box::new(receipt)))
    }

    /// Asks whether a message was taken.
    pub(crate) async fn look_up(&self, call: &str, parcel: Parcel<'_>) -> LookedUp {
        match self.try_look_up(call, parcel).await {
            Ok(looked) => looked,
            Err(outcome) => LookedUp::Open(outcome),
        }
    }

    async fn try_look_up(&self, call: &str, parcel: Parcel<'_>) -> Result<LookedUp, Outcome> {
        if self.trays.contains_key(parcel.call) {
            let reason = Reason::new("look-up cannot tell what a peer answered");
            return Err(Outcome::Failed(reason));
        }
        let digest = proof::digest(&parcel.envelope.record)?;
        if let Some(rate) = &self.rate
            && rate.turn().await.is_err()
        {
            let reason = Reason::new("rate of the centre leaves no room");
            return Err(Outcome::Unavailable(reason, None));
        }
        let message = Message { id: parcel.id, exchange: None, record: None };
        let receipt = match self.ask(call, parcel, message).await? {
            Answer::Taken { receipt, .. } => receipt,
            Answer::UnknownMessage(_) => return Ok(LookedUp::NotTaken),
        };
        let no = || Outcome::Failed(Reason::new("look-up gives no receipt"));
        let receipt = receipt.ok_or_else(no)?;
        let now = self.clock.now();
        let receipt = self.checking.receipt(&self.config, receipt, parcel.id, &digest, now);
        let receipt = receipt.map_err(|problem| Outcome::Failed(problem.into()))?;
        Ok(LookedUp::Receipted(Box::new(receipt)))
    }

    async fn ask(
        &self,
        call: &str,
        parcel: Parcel<'_>,
        message: Message<'_>,
    ) -> Result<Answer, Outcome> {
        let body = request::body(&self.config, &self.signing, message, self.clock.now())?;
        let service = self.config.offered.routes.get(call);
        let no = || Outcome::Refused(Reason::new("no service offers the call any more"));
        let headers = self.config.headers.iter();
        let received = self.client.post(Call {
            service: service.ok_or_else(no)?,
            operation: call,
            id: parcel.id,
            dossier: parcel.envelope.dossier.as_deref(),
            officer: parcel.envelope.officer.as_deref(),
            purpose: self.config.purpose.as_deref(),
            headers: headers.map(|(name, value)| (name.as_str(), value.clone())).collect(),
            body: Body::Json(body),
        });
        read(&self.config, received.await)
    }

    /// Lays a peer's answer for the city, with what was asked.
    async fn lay(
        &self,
        tray: &Tray,
        parcel: Parcel<'_>,
        exchange: &ExchangeConfig,
        mut body: Map<String, Value>,
    ) -> Result<(), Outcome> {
        let answer = body.remove(&self.config.names.record).unwrap_or(Value::Null);
        let text = serde_json::json!({
            "message": parcel.id,
            "dossier": parcel.envelope.dossier,
            "peer": exchange.peer,
            "dataset": exchange.dataset,
            "question": parcel.envelope.record,
            "answer": answer,
        })
        .to_string();
        if text.len() > MAX_ITEM {
            return Err(Outcome::Refused(Reason::new(
                "answer of the peer is too large to be laid",
            )));
        }
        let name = name_of(&[parcel.id]);
        let item = Item { name, key: parcel.id.to_owned(), text, at: self.clock.now() };
        match tray.lay(item).await {
            Ok(Laid::New | Laid::There) => Ok(()),
            Ok(Laid::Not(_)) => {
                let reason = Reason::new("table for answers does not take the answer");
                Err(Outcome::Failed(reason))
            }
            Err(error) => {
                tracing::warn!(%error, "an answer of a peer cannot be laid for the city");
                Err(Outcome::Failed(Reason::new("answer of the peer cannot be laid")))
            }
        }
    }

    /// Makes sure that tables for the city are as they must be. A database that is away is waited for.
    pub(crate) async fn verify(&self) -> Result<(), Error> {
        for (call, tray) in &self.trays {
            match tray.verify().await {
                Ok(()) => {}
                Err(error) if error.is_transient() => {
                    tracing::warn!(call, %error, "a table for the city cannot be looked at yet");
                }
                Err(error) => return Err(fail(format!("answers of `{call}`: {error}"))),
            }
        }
        Ok(())
    }

    /// The tables that are written for the city, and what is wrong with each.
    pub(crate) async fn tables(config: &NdcConfig) -> Vec<(String, Option<String>)> {
        let mut found = Vec::new();
        for (call, exchange) in &config.exchanges {
            // A folder is made by the first run.
            let Some(into @ TrayConfig::Table(_)) = &exchange.answers_into else { continue };
            let problem = Tray::problem(into, Holds::Json).await;
            found.push((format!("answers of `{call}`"), problem));
        }
        found
    }
}

/// Nobody can tell whether the centre holds a message that it gave no good receipt for.
fn unproven(why: &'static str) -> Outcome {
    Outcome::Unknown(Reason::new(why))
}

fn fail(problem: impl Into<String>) -> Error {
    Error::Platform(problem.into())
}

#[cfg(test)]
mod tests;
