//! Requests of data subjects about their data, until each is answered.
//!
//! Pure: a request goes in, then one step after another; every step says when and by whom. A request
//! is answered once: fulfilled, or refused with an article and a reason. What is due follows from
//! [`crate::clocks`]. The person is known by a digest and a sealed identifier, and by nothing else.

mod book;
pub mod duty;
mod word;

use jiff::{Timestamp, civil::Date};
use lienthong_model::id::{OperatorId, ServiceId};
use serde::{Deserialize, Serialize};

use self::duty::{ChangeOwned, DutyError, Form, duty_id, words};
pub use self::{
    book::{Counts, MOST_COUNTED, Rights, Tally},
    word::{Cited, Reason, WordError},
};
use crate::{
    clocks::{Due, Holidays, end_of, is_over},
    keys::{Sealed, SubjectDigest},
    record::ConsentId,
    statement::Channel,
};
use lienthong_store::ledger::{Book, Expected};

duty_id! {
    /// A request about rights.
    RightId
}

words! {
    /// What a data subject asks for.
    RightKind {
        /// To withdraw a consent.
        Withdraw = "withdraw",
        /// To see the data, or to be given them.
        View = "view",
        /// To have them corrected.
        Correct = "correct",
        /// To have them deleted.
        Delete = "delete",
        /// To have their processing restricted.
        Restrict = "restrict",
        /// To object to their processing.
        Object = "object",
    }
}

words! {
    /// What a request is.
    RightState {
        /// It came.
        Received = "received",
        /// The person was told that it came.
        Acknowledged = "acknowledged",
        /// The person was told that it takes longer.
        Extended = "extended",
        /// It was done. Final.
        Fulfilled = "fulfilled",
        /// The person was told why not. Final.
        Refused = "refused",
    }
}

words! {
    /// What happens to a request.
    RightAction {
        /// It comes.
        Receive = "receive",
        /// The person is told that it came.
        Acknowledge = "acknowledge",
        /// It takes longer, once.
        Extend = "extend",
        /// It is done.
        Fulfil = "fulfil",
        /// It is not done, for a reason.
        Refuse = "refuse",
        /// The participants that received the data are told, by the gateway.
        Tell = "tell",
    }
}

words! {
    /// Who has to act before a request is answered.
    Involved {
        /// The controller alone.
        ControllerAlone = "controller_alone",
        /// A processor or third party too.
        OthersToo = "others_too",
    }
}

/// What a request is about, where it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// One consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentId>,
    /// The data of one service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
}

/// A request as it comes.
#[derive(Debug, Clone)]
pub struct RightRequest {
    /// Its id, for which the identifier is sealed.
    pub id: RightId,
    /// The person, as the registry knows one.
    pub subject: SubjectDigest,
    /// Who, sealed.
    pub data_subject: Sealed,
    /// What is asked for.
    pub kind: RightKind,
    /// What it is about.
    pub about: About,
    /// Over which channel.
    pub channel: Channel,
    /// Who has to act.
    pub involved: Involved,
    /// Who records it.
    pub by: OperatorId,
}

/// What is done about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// The person is told that it came.
    Acknowledge {},
    /// The person is told that it takes longer.
    Extend {
        /// Why.
        reason: Reason,
    },
    /// It is done.
    Fulfil {},
    /// The person is told why not.
    // LAW: Decree 194/2025/NĐ-CP Art. 16 asks of a refusal the reason and the legal basis in
    // writing; PDPL 91/2025 Art. 14.2 is one on which a deletion may be refused.
    Refuse {
        /// On which article.
        cites: Cited,
        /// Why.
        reason: Reason,
    },
    /// The participants that received the data are told. The gateway's own step.
    Tell {
        /// How many notices were opened.
        notices: u32,
        /// How many exchanges may have been about the person without saying so.
        may_hold: u64,
    },
}

/// What happened to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightEvent {
    /// When.
    pub at: Timestamp,
    /// Who recorded it.
    pub by: OperatorId,
    /// What was done about it; nothing where it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
}

/// A request as its newest event left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightRecord {
    form: Form,
    /// The request.
    pub id: RightId,
    /// The person, as the registry knows one.
    pub subject: SubjectDigest,
    /// Who, sealed.
    pub data_subject: Sealed,
    /// What is asked for.
    pub kind: RightKind,
    /// What it is about.
    pub about: About,
    /// Over which channel it came.
    pub channel: Channel,
    /// Who has to act.
    pub involved: Involved,
    /// What it is.
    pub state: RightState,
    /// Until when what has to be done.
    pub due: Due,
    /// When it came.
    pub received_at: Timestamp,
    /// When the person was told so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_at: Option<Timestamp>,
    /// That it takes longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended: Option<Extended>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<WhyRefused>,
    /// Whether the participants that received the data were told; nothing where they need not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    /// When its newest event was.
    pub changed_at: Timestamp,
}

/// That an answer takes longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extended {
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub reason: Reason,
}

/// Whether participants were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Told {
    /// Not yet.
    Pending {},
    /// Each that received the data has a notice.
    Done {
        /// When.
        at: Timestamp,
        /// How many notices were opened.
        notices: u32,
        /// How many exchanges may have been about the person without saying so.
        may_hold: u64,
    },
}

/// Why a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhyRefused {
    /// On which article.
    pub cites: Cited,
    /// Why.
    pub reason: Reason,
}

/// A step that the request does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Its state does not allow it.
    #[error("`{}` is not possible while the request is `{}`", action.as_str(), state.as_str())]
    State {
        /// What the request is.
        state: RightState,
        /// What was asked.
        action: RightAction,
    },
    /// What is overdue cannot be extended any more.
    #[error("answer is overdue and cannot be extended")]
    Late,
}

impl Step {
    /// Its word.
    #[must_use]
    pub fn action(&self) -> RightAction {
        match self {
            Self::Acknowledge {} => RightAction::Acknowledge,
            Self::Extend { .. } => RightAction::Extend,
            Self::Fulfil {} => RightAction::Fulfil,
            Self::Refuse { .. } => RightAction::Refuse,
            Self::Tell { .. } => RightAction::Tell,
        }
    }
}

impl RightState {
    /// Whether nothing is due any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Fulfilled | Self::Refused)
    }

    /// What a request is after the action.
    ///
    /// # Errors
    /// When it does not allow the action.
    pub fn after(self, action: RightAction) -> Result<Self, StepError> {
        match (self, action) {
            (Self::Received, RightAction::Acknowledge) => Ok(Self::Acknowledged),
            (Self::Acknowledged, RightAction::Extend) => Ok(Self::Extended),
            (Self::Acknowledged | Self::Extended, RightAction::Fulfil) => Ok(Self::Fulfilled),
            (Self::Acknowledged | Self::Extended, RightAction::Refuse) => Ok(Self::Refused),
            (state, action) => Err(StepError::State { state, action }),
        }
    }
}

impl RightRecord {
    /// The record of a request that comes at this time.
    #[must_use]
    pub fn received(request: RightRequest, at: Timestamp, holidays: &Holidays) -> Self {
        Self {
            form: Form,
            id: request.id,
            subject: request.subject,
            data_subject: request.data_subject,
            kind: request.kind,
            about: request.about,
            channel: request.channel,
            involved: request.involved,
            state: RightState::Received,
            due: Due::new(request.kind, request.involved, at, holidays),
            received_at: at,
            acknowledged_at: None,
            extended: None,
            answered_at: None,
            refusal: None,
            told: None,
            changed_at: at,
        }
    }

    /// The record of a right that was exercised by changing a consent: fulfilled with the change,
    /// and the participants are to be told.
    #[must_use]
    pub fn exercised(request: RightRequest, at: Timestamp) -> Self {
        // Nothing is left to acknowledge, so that no holiday matters.
        let received = Self::received(request, at, &Holidays::default());
        Self {
            state: RightState::Fulfilled,
            acknowledged_at: Some(at),
            answered_at: Some(at),
            told: Some(Told::Pending {}),
            ..received
        }
    }

    /// The record after a step.
    ///
    /// # Errors
    /// When the request does not allow it.
    pub fn after(&self, step: &Step, now: Timestamp) -> Result<Self, StepError> {
        // A clock that was set back makes no event older than the one before it.
        let at = now.max(self.changed_at);
        let state = match step {
            Step::Tell { .. } if self.is_untold() => self.state,
            _ => self.state.after(step.action())?,
        };
        let mut next = Self { state, changed_at: at, ..self.clone() };
        match step {
            Step::Acknowledge {} => next.acknowledged_at = Some(at),
            Step::Extend { .. } if is_over(self.due.answer_by, at) => return Err(StepError::Late),
            Step::Extend { reason } => {
                next.due = self.due.extended(self.kind);
                next.extended = Some(Extended { at, reason: reason.clone() });
            }
            Step::Fulfil {} => {
                next.answered_at = Some(at);
                next.told = self.is_told_of().then_some(Told::Pending {});
            }
            Step::Refuse { cites, reason } => {
                next.answered_at = Some(at);
                next.refusal = Some(WhyRefused { cites: cites.clone(), reason: reason.clone() });
            }
            Step::Tell { notices, may_hold } => {
                next.told = Some(Told::Done { at, notices: *notices, may_hold: *may_hold });
            }
        }
        Ok(next)
    }

    /// Whether participants that received the data still have to be told.
    #[must_use]
    pub fn is_untold(&self) -> bool {
        matches!(self.told, Some(Told::Pending {}))
    }

    /// Whether it is about stopping the processing on one consent, which only the change of that
    /// consent does.
    #[must_use]
    pub fn stops_consent(&self) -> Option<ConsentId> {
        let stops =
            matches!(self.kind, RightKind::Withdraw | RightKind::Restrict | RightKind::Object);
        self.about.consent.filter(|_| stops)
    }

    /// Whether participants are told when it is fulfilled. Of a consent that changed they are told
    /// with the change.
    fn is_told_of(&self) -> bool {
        self.kind != RightKind::View && self.stops_consent().is_none()
    }

    /// The day by which something has to be done next; none once it is answered.
    #[must_use]
    pub fn next_due(&self) -> Option<Date> {
        match self.state {
            RightState::Received => Some(self.due.acknowledge_by.min(self.due.answer_by)),
            RightState::Acknowledged | RightState::Extended => Some(self.due.answer_by),
            RightState::Fulfilled | RightState::Refused => None,
        }
    }

    /// Whether something should have been done by now that was not.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.next_due().is_some_and(|day| is_over(day, now))
    }

    /// The change with which it is kept.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn change(
        &self,
        action: RightAction,
        event: &RightEvent,
        expected: Expected,
    ) -> Result<ChangeOwned, DutyError> {
        Ok(ChangeOwned {
            book: Book::Right,
            id: *self.id.as_bytes(),
            subject: *self.subject.as_bytes(),
            party: String::new(),
            action: action.as_str(),
            at: self.changed_at,
            event: duty::bytes(event)?,
            record: duty::bytes(self)?,
            open: !self.state.is_final() || self.is_untold(),
            due: self.next_due().map(end_of),
            expected,
            idempotency: None,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
