//! One attempt to deliver one message, and what follows from its outcome.
//!
//! An attempt whose outcome nobody can tell is handled as the message type says: repeated, asked
//! about first, or given to a person. Nothing here knows a platform's wire.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use jiff::{SignedDuration, Timestamp};
use lienthong_model::{clock::Clock, id::FlowId};
use lienthong_store::{
    Store, StoreError,
    outbox::{Claimed, Earlier, Effect},
};
use rand::{RngExt as _, rngs::StdRng};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    config::{FlowConfig, Repeat},
    outcome::{Outcome, Reason},
    platform::{LookedUp, Parcel, Platform},
};

/// What the outbox keeps of a message. Personal data: `Debug` shows nothing.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Envelope {
    /// The dossier that the message belongs to.
    pub(crate) dossier: Option<String>,
    /// The officer in whose name it is sent.
    pub(crate) officer: Option<String>,
    /// The record.
    pub(crate) record: Map<String, Value>,
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Waits between attempts: full jitter below a bound that doubles.
#[derive(Debug)]
pub(crate) struct BackOff {
    first: Duration,
    longest: Duration,
    rng: Mutex<StdRng>,
}

impl BackOff {
    pub(crate) fn new(first: Duration, longest: Duration, rng: StdRng) -> Self {
        Self { first, longest, rng: Mutex::new(rng) }
    }

    /// The wait after so many failures.
    pub(crate) fn wait(&self, failures: u32) -> SignedDuration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1).min(30));
        let bound = self.first.saturating_mul(doubled).min(self.longest);
        let most = u64::try_from(bound.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = rng.random_range(1..=most);
        SignedDuration::from_millis(i64::try_from(wait).unwrap_or(i64::MAX))
    }
}

/// Delivers the messages of one flow.
#[derive(Debug)]
pub(crate) struct Courier {
    pub(crate) flow: FlowConfig,
    pub(crate) store: Arc<Store>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) back_off: BackOff,
}

/// What became of a claimed message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Settled {
    Delivered,
    /// Another attempt follows.
    Again,
    /// A person must look.
    Dead,
    /// Given back untried: nothing can be sent at present.
    Unavailable(Reason, Option<SignedDuration>),
    /// The lease was over before the outcome could be written.
    Lost,
}

impl Courier {
    /// Tries to deliver a message and writes down what became of it.
    pub(crate) async fn attempt(&self, message: Claimed) -> Result<Settled, StoreError> {
        let settled = match self.try_once(&message).await {
            Ok((outcome, known)) => self.settle(&message, outcome, known).await,
            Err(reason) => self.bury(&message, Effect::Unknown, &reason).await,
        };
        match settled {
            Err(StoreError::LeaseLost) => {
                tracing::warn!(flow = %self.flow.id, "a lease ended before its outcome was known");
                Ok(Settled::Lost)
            }
            other => other,
        }
    }

    /// Sends, after the questions that an uncertain earlier attempt raises. Gives the outcome and
    /// whether earlier attempts are still uncertain; an error goes to a person unsent.
    async fn try_once(&self, message: &Claimed) -> Result<(Outcome, Earlier), Reason> {
        let envelope: Envelope = serde_json::from_slice(message.payload.expose())
            .map_err(|_| Reason::new("message cannot be read from the outbox"))?;
        let id = message_id(&self.flow.id, &message.idempotency_key);
        let parcel =
            Parcel { call: &message.kind, id: &id, follows: message.follows, envelope: &envelope };
        let repeat = self.repeat(&message.kind)?;
        if message.earlier == Earlier::Uncertain {
            match repeat {
                Repeat::Safe => {}
                Repeat::Never => return Err(Reason::new("outcome unknown, never repeated")),
                Repeat::LookUp(call) => match self.platform.look_up(call, parcel).await {
                    LookedUp::Taken => return Ok((Outcome::Delivered, Earlier::NoEffect)),
                    LookedUp::NotTaken => {
                        return Ok((self.platform.send(parcel).await, Earlier::NoEffect));
                    }
                    LookedUp::Open(
                        Outcome::Unavailable(reason, wait) | Outcome::Uncertain(reason, wait),
                    ) => {
                        return Ok((Outcome::Unavailable(reason, wait), Earlier::Uncertain));
                    }
                    LookedUp::Open(_) => {
                        let reason = Reason::new("look-up failed");
                        return Ok((Outcome::Failed(reason), Earlier::Uncertain));
                    }
                },
            }
        }
        Ok((self.platform.send(parcel).await, message.earlier))
    }

    fn repeat(&self, kind: &str) -> Result<&Repeat, Reason> {
        let kind = self.flow.messages.iter().find(|message| message.call == kind);
        kind.map(|message| &message.repeat)
            .ok_or_else(|| Reason::new("message type is not configured any more"))
    }

    async fn settle(
        &self,
        message: &Claimed,
        outcome: Outcome,
        earlier: Earlier,
    ) -> Result<Settled, StoreError> {
        let before = match earlier {
            Earlier::NoEffect => Effect::None,
            Earlier::Uncertain => Effect::Unknown,
        };
        match outcome {
            Outcome::Delivered => {
                self.store.outbox().delivered(message.ticket, self.clock.now()).await?;
                Ok(Settled::Delivered)
            }
            Outcome::Refused(reason) | Outcome::Withheld(reason) => {
                self.bury(message, before, &reason).await
            }
            Outcome::Failed(reason) => self.again(message, before, &reason).await,
            Outcome::Unknown(reason) => match self.repeat(&message.kind) {
                Ok(Repeat::Safe | Repeat::LookUp(_)) => {
                    self.again(message, Effect::Unknown, &reason).await
                }
                Ok(Repeat::Never) | Err(_) => self.bury(message, Effect::Unknown, &reason).await,
            },
            Outcome::Unavailable(reason, wait) => {
                self.store.outbox().give_back(message.ticket).await?;
                Ok(Settled::Unavailable(reason, wait))
            }
            Outcome::Uncertain(reason, wait) => self.uncertain(message, reason, wait).await,
        }
    }

    /// The flow pauses, and the message keeps that it may have been taken. It pays for no attempt
    /// with its place among the living: what is wrong is not about it.
    async fn uncertain(
        &self,
        message: &Claimed,
        reason: Reason,
        wait: Option<SignedDuration>,
    ) -> Result<Settled, StoreError> {
        if let Ok(Repeat::Never) | Err(_) = self.repeat(&message.kind) {
            return self.bury(message, Effect::Unknown, &reason).await;
        }
        let pause = wait.unwrap_or_default().max(self.back_off.wait(message.attempts));
        let at = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        self.store.outbox().retry(message.ticket, at, Effect::Unknown, reason.as_str()).await?;
        Ok(Settled::Unavailable(reason, wait))
    }

    async fn again(
        &self,
        message: &Claimed,
        effect: Effect,
        reason: &Reason,
    ) -> Result<Settled, StoreError> {
        if message.attempts >= self.flow.delivery.attempts {
            return self.bury(message, effect, reason).await;
        }
        let wait = self.back_off.wait(message.attempts);
        let at = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        self.store.outbox().retry(message.ticket, at, effect, reason.as_str()).await?;
        let attempts = message.attempts;
        tracing::info!(flow = %self.flow.id, %reason, attempts, "delivery failed, another follows");
        Ok(Settled::Again)
    }

    async fn bury(
        &self,
        message: &Claimed,
        effect: Effect,
        reason: &Reason,
    ) -> Result<Settled, StoreError> {
        let words = match effect {
            Effect::None => reason.to_string(),
            Effect::Unknown => format!("{reason} (it may have been taken)"),
        };
        self.store.outbox().bury(message.ticket, effect, &words, self.clock.now()).await?;
        let attempts = message.attempts;
        tracing::warn!(flow = %self.flow.id, reason = words, attempts, "message needs a person");
        Ok(Settled::Dead)
    }
}

/// The message's id on the wire: the same for every attempt, and telling nothing about the message.
fn message_id(flow: &FlowId, key: &str) -> String {
    let hash = digest(&SHA256, format!("lienthong message\n{flow}\n{key}").as_bytes());
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(hash.as_ref()) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests;
