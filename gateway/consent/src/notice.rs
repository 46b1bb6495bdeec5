//! Notices to participants that received the data of a person who has since changed their mind.
//!
//! Pure: a cause and what was received go in; a notice comes out, which its participant acknowledges
//! with what was done. The gateway tells; it cannot see whether the participant did it.

mod book;

use jiff::{Timestamp, civil::Date};
use lienthong_model::{
    clock::civil_date,
    id::{ParticipantId, ServiceId},
};
use lienthong_store::ledger::{Book, Expected};
use serde::{Deserialize, Serialize};

pub use self::book::{NoticeCounts, Notices};
use crate::{
    clocks::{days_after, end_of, is_over},
    keys::{Sealed, SubjectDigest},
    record::ConsentId,
    rights::{
        RightId, RightKind,
        duty::{self, ChangeOwned, DutyError, Form, duty_id, words},
    },
    state::Action,
};

/// Days for an acknowledgement, unless configured. Our choice: no instrument names a number.
pub const NOTICE_DAYS: u16 = 5;

duty_id! {
    /// A notice to a participant.
    NoticeId
}

words! {
    /// What a participant did about a notice.
    Handled {
        /// It uses the data no longer.
        Stopped = "stopped",
        /// It corrected the data.
        Corrected = "corrected",
        /// It deleted the data.
        Deleted = "deleted",
        /// It does not hold the data.
        NotHeld = "not_held",
    }
}

/// Why a participant is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cause {
    /// Something happened to a consent.
    Consent {
        /// The consent.
        id: ConsentId,
        /// What.
        action: Action,
    },
    /// A data subject asked for something.
    Right {
        /// The request.
        id: RightId,
        /// For what.
        kind: RightKind,
    },
}

/// What a participant received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchanges {
    /// In how many exchanges.
    pub count: u64,
    /// When first.
    pub first_at: Timestamp,
    /// When last.
    pub last_at: Timestamp,
    /// The newest entry of the evidence about it.
    pub newest_index: u64,
}

/// A notice before it is sent.
#[derive(Debug, Clone)]
pub struct Telling {
    /// Its id, for which the identifier is sealed.
    pub id: NoticeId,
    /// Whom to tell.
    pub participant: ParticipantId,
    /// Why.
    pub cause: Cause,
    /// The person, as the registry knows one.
    pub subject: SubjectDigest,
    /// Who, sealed.
    pub data_subject: Sealed,
    /// The data of which service.
    pub service: ServiceId,
    /// What was received.
    pub exchanges: Exchanges,
}

/// A notice as its newest event left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeRecord {
    form: Form,
    /// The notice.
    pub id: NoticeId,
    /// Whom it tells.
    pub participant: ParticipantId,
    /// Why.
    pub cause: Cause,
    /// The person, as the registry knows one.
    pub subject: SubjectDigest,
    /// Who, sealed.
    pub data_subject: Sealed,
    /// The data of which service.
    pub service: ServiceId,
    /// What was received.
    pub exchanges: Exchanges,
    /// Since when it can be read.
    pub opened_at: Timestamp,
    /// The last day for the acknowledgement.
    pub due: Date,
    /// The acknowledgement; none while it is pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
}

/// That a participant acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledged {
    /// Which participant.
    pub by: ParticipantId,
    /// When.
    pub at: Timestamp,
    /// What it did.
    pub done: Handled,
}

/// What happened to a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NoticeEvent {
    /// It was opened.
    Open {
        /// When.
        at: Timestamp,
    },
    /// It was acknowledged.
    Acknowledge(Acknowledged),
}

/// Why a notice is not opened or acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// Nobody is told of such a thing.
    #[error("nobody is told of this")]
    Cause,
    /// Nothing was received, or the last time was before the first.
    #[error("nothing was received")]
    Exchanges,
    /// It is acknowledged, with another word.
    #[error("notice is acknowledged with another word")]
    Acknowledged,
}

impl Cause {
    /// Whether participants are told of it.
    #[must_use]
    pub fn is_told(&self) -> bool {
        match self {
            Self::Consent { action, .. } => {
                matches!(action, Action::Withdraw | Action::Restrict | Action::Object)
            }
            Self::Right { kind, .. } => *kind != RightKind::View,
        }
    }
}

impl NoticeEvent {
    /// Its word.
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::Open { .. } => "open",
            Self::Acknowledge(_) => "acknowledge",
        }
    }
}

impl NoticeRecord {
    /// A notice that is opened now and has this many calendar days.
    ///
    /// # Errors
    /// When the cause is none to tell of, or nothing was received.
    pub fn opened(telling: Telling, now: Timestamp, days: u16) -> Result<Self, NoticeError> {
        let exchanges = telling.exchanges;
        if !telling.cause.is_told() {
            return Err(NoticeError::Cause);
        }
        if exchanges.count == 0 || exchanges.last_at < exchanges.first_at {
            return Err(NoticeError::Exchanges);
        }
        Ok(Self {
            form: Form,
            id: telling.id,
            participant: telling.participant,
            cause: telling.cause,
            subject: telling.subject,
            data_subject: telling.data_subject,
            service: telling.service,
            exchanges,
            opened_at: now,
            due: days_after(civil_date(now), i32::from(days)),
            acknowledged: None,
        })
    }

    /// The notice after its participant acknowledged it.
    ///
    /// # Errors
    /// When it is acknowledged already.
    pub fn acknowledge(&self, done: Handled, now: Timestamp) -> Result<Self, NoticeError> {
        if self.acknowledged.is_some() {
            return Err(NoticeError::Acknowledged);
        }
        let (by, at) = (self.participant.clone(), now.max(self.opened_at));
        Ok(Self { acknowledged: Some(Acknowledged { by, at, done }), ..self.clone() })
    }

    /// Whether the participant should have acknowledged it by now.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.acknowledged.is_none() && is_over(self.due, now)
    }

    /// The change that opens it, to be appended with the change that caused it.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn change(&self) -> Result<ChangeOwned, DutyError> {
        self.changed(&NoticeEvent::Open { at: self.opened_at }, self.opened_at, Expected::New)
    }

    fn changed(
        &self,
        event: &NoticeEvent,
        at: Timestamp,
        expected: Expected,
    ) -> Result<ChangeOwned, DutyError> {
        let pending = self.acknowledged.is_none();
        Ok(ChangeOwned {
            book: Book::Notice,
            id: *self.id.as_bytes(),
            subject: *self.subject.as_bytes(),
            party: self.participant.as_str().to_owned(),
            action: event.action(),
            at,
            event: duty::bytes(event)?,
            record: duty::bytes(self)?,
            open: pending,
            due: pending.then(|| end_of(self.due)),
            expected,
            idempotency: None,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
