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
use lienthong_store::outbox::{Claimed, Earlier, Effect, Ending};
use rand::{RngExt as _, rngs::StdRng};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Error,
    breaker::Attempted,
    config::{FlowConfig, Repeat},
    outcome::{Outcome, Reason},
    platform::{LookedUp, Parcel, Platform},
    seal::{Binding, Sealer},
    settle::{Settler, Written},
};

/// What must be left of a lease for a message to be sent after a look-up.
const LAST: SignedDuration = SignedDuration::from_secs(30);

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
    pub(crate) settler: Settler,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) platform: Arc<Platform>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) back_off: BackOff,
}

/// What became of a claimed message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    Delivered,
    /// Another attempt follows.
    Again,
    /// A person must look.
    Dead,
    /// Consent is missing: it is not sent and not kept.
    Withheld,
    /// Given back untried: nothing can be sent at present.
    GivenBack,
    /// The lease was over before the outcome could be written.
    Lost,
}

/// What is to be written of an attempt, what it is called, and what it tells of the platform.
struct Ended {
    ending: Ending,
    settled: Settled,
    attempted: Attempted,
}

impl Courier {
    /// Tries to deliver a message and writes down what became of it. Gives that, and what it tells of
    /// the platform.
    ///
    /// # Errors
    /// When it could not be written down; the message's lease ends by itself.
    pub(crate) async fn attempt(&self, message: Claimed) -> Result<(Settled, Attempted), Error> {
        let ended = match self.try_once(&message).await {
            Ok((outcome, earlier)) => self.judge(&message, outcome, earlier),
            // Nothing was sent now: what is known is what was known before.
            Err(reason) => {
                self.dead(&message, effect(message.earlier), &reason, Attempted::Answered)
            }
        };
        let Ended { ending, settled, attempted } = ended;
        match self.settler.settle(message.ticket, ending).await {
            Written::Durable => Ok((settled, attempted)),
            Written::LeaseLost => {
                tracing::warn!(flow = %self.flow.id, "a lease ended before its outcome was known");
                Ok((Settled::Lost, attempted))
            }
            Written::Failed => Err(Error::Interrupted),
        }
    }

    /// Sends, after the questions that an uncertain earlier attempt raises. Gives the outcome and
    /// whether earlier attempts are still uncertain; an error goes to a person unsent.
    async fn try_once(&self, message: &Claimed) -> Result<(Outcome, Earlier), Reason> {
        if self.is_late(message, self.platform.longest_attempt()) {
            return Ok((late(), message.earlier));
        }
        let binding =
            Binding { flow: &self.flow.id, kind: &message.kind, key: &message.idempotency_key };
        let payload = self.sealer.open(binding, message.payload.expose());
        let payload = payload.map_err(|error| Reason::new(error.words()))?;
        let envelope: Envelope = serde_json::from_slice(payload.expose())
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
                    LookedUp::Receipted(receipt) => {
                        return Ok((Outcome::Receipted(receipt), Earlier::NoEffect));
                    }
                    LookedUp::NotTaken if self.is_late(message, LAST) => {
                        return Ok((late(), Earlier::Uncertain));
                    }
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

    /// Whether the lease may end before something that takes so long.
    ///
    /// SECURITY: a process that was stopped for longer than its lease must not send beside whoever has
    /// the message by then.
    fn is_late(&self, message: &Claimed, takes: SignedDuration) -> bool {
        message.until.duration_since(self.clock.now()) < takes
    }

    fn repeat(&self, kind: &str) -> Result<&Repeat, Reason> {
        let repeat = self.flow.repeat(kind);
        repeat.ok_or_else(|| Reason::new("message type is not configured any more"))
    }

    /// How long a message rests whose attempt ends now and nobody can tell how.
    fn rest(&self, kind: &str) -> SignedDuration {
        match self.flow.repeat(kind) {
            Some(Repeat::LookUp(_)) => {
                SignedDuration::try_from(self.flow.delivery.look_up_after).unwrap_or_default()
            }
            _ => SignedDuration::ZERO,
        }
    }

    fn judge(&self, message: &Claimed, outcome: Outcome, earlier: Earlier) -> Ended {
        let before = effect(earlier);
        match outcome {
            Outcome::Delivered => Ended {
                ending: Ending::Delivered,
                settled: Settled::Delivered,
                attempted: Attempted::Answered,
            },
            Outcome::Receipted(receipt) => Ended {
                ending: Ending::Receipted(*receipt),
                settled: Settled::Delivered,
                attempted: Attempted::Answered,
            },
            Outcome::Refused(reason) => self.dead(message, before, &reason, Attempted::Answered),
            Outcome::Withheld(reason) => {
                tracing::warn!(flow = %self.flow.id, %reason, "message is withheld and erased");
                Ended {
                    ending: Ending::Withhold(reason.to_string()),
                    settled: Settled::Withheld,
                    attempted: Attempted::Answered,
                }
            }
            Outcome::Failed(reason) => self.again(message, before, reason, SignedDuration::ZERO),
            Outcome::Unknown(reason) => match self.repeat(&message.kind) {
                Ok(Repeat::Safe | Repeat::LookUp(_)) => {
                    self.again(message, Effect::Unknown, reason, self.rest(&message.kind))
                }
                Ok(Repeat::Never) | Err(_) => {
                    let attempted = Attempted::Failed(reason.clone());
                    self.dead(message, Effect::Unknown, &reason, attempted)
                }
            },
            Outcome::Unavailable(reason, wait) => Ended {
                ending: Ending::GiveBack,
                settled: Settled::GivenBack,
                attempted: Attempted::Away(reason, wait),
            },
            Outcome::Uncertain(reason, wait) => self.uncertain(message, reason, wait),
        }
    }

    /// The flow pauses, and the message keeps that it may have been taken. It pays for no attempt
    /// with its place among the living: what is wrong is not about it.
    fn uncertain(&self, message: &Claimed, reason: Reason, wait: Option<SignedDuration>) -> Ended {
        let attempted = Attempted::Away(reason.clone(), wait);
        if let Ok(Repeat::Never) | Err(_) = self.repeat(&message.kind) {
            return self.dead(message, Effect::Unknown, &reason, attempted);
        }
        let pause = wait.unwrap_or_default().max(self.back_off.wait(message.attempts));
        let pause = pause.max(self.rest(&message.kind));
        let at = self.clock.now().saturating_add(pause).unwrap_or(Timestamp::MAX);
        let ending = Ending::Retry(at, Effect::Unknown, reason.to_string());
        Ended { ending, settled: Settled::GivenBack, attempted }
    }

    fn again(
        &self,
        message: &Claimed,
        effect: Effect,
        reason: Reason,
        rest: SignedDuration,
    ) -> Ended {
        let attempts = message.attempts;
        let attempted = Attempted::Failed(reason.clone());
        if attempts >= self.flow.delivery.attempts {
            return self.dead(message, effect, &reason, attempted);
        }
        let wait = self.back_off.wait(attempts).max(rest);
        let at = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
        tracing::info!(flow = %self.flow.id, %reason, attempts, "delivery failed, another follows");
        let ending = Ending::Retry(at, effect, reason.to_string());
        Ended { ending, settled: Settled::Again, attempted }
    }

    fn dead(
        &self,
        message: &Claimed,
        effect: Effect,
        reason: &Reason,
        attempted: Attempted,
    ) -> Ended {
        let reason = match effect {
            Effect::None => reason.to_string(),
            Effect::Unknown => format!("{reason} (it may have been taken)"),
        };
        let attempts = message.attempts;
        tracing::warn!(flow = %self.flow.id, reason, attempts, "message needs a person");
        Ended { ending: Ending::Bury(effect, reason), settled: Settled::Dead, attempted }
    }
}

fn late() -> Outcome {
    Outcome::Failed(Reason::new("lease is about to end"))
}

fn effect(earlier: Earlier) -> Effect {
    match earlier {
        Earlier::NoEffect => Effect::None,
        Earlier::Uncertain => Effect::Unknown,
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
