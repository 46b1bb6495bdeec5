//! What happened in all books of the ledger, for whoever writes it into the evidence.

use lienthong_store::{
    StoreError,
    ledger::{Book, Event},
};

use super::{Past, Registry, past};
use crate::{
    notice::{NoticeEvent, NoticeRecord},
    record::Unreadable,
    rights::{
        RightEvent, RightRecord,
        duty::{self, DutyError},
    },
    state::Action,
};

/// Something that happened, and what it was about afterwards.
#[derive(Debug)]
pub enum Happened {
    /// To a consent.
    Consent(Box<Past>),
    /// To a request of a data subject.
    Right {
        /// Its place in the ledger.
        revision: u64,
        /// What happened.
        event: RightEvent,
        /// What the request was afterwards.
        record: Box<RightRecord>,
    },
    /// Something that only the evidence knows, of which the ledger keeps the place.
    Lost {
        /// Its place in the ledger.
        revision: u64,
    },
    /// To a notice to a participant.
    Notice {
        /// Its place in the ledger.
        revision: u64,
        /// What happened.
        event: NoticeEvent,
        /// What the notice was afterwards.
        record: Box<NoticeRecord>,
    },
}

/// Why what happened cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum HappenedError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A consent cannot be read.
    #[error(transparent)]
    Consent(#[from] Unreadable),
    /// A request or notice cannot be read.
    #[error(transparent)]
    Duty(#[from] DutyError),
}

impl Registry {
    /// The next events after a revision, of all books, in their order.
    ///
    /// # Errors
    /// When the store fails or an event cannot be read.
    pub async fn happened(&self, after: u64, limit: u32) -> Result<Vec<Happened>, HappenedError> {
        let events = self.store.ledger().since(after, limit).await?;
        events.iter().map(read).collect()
    }
}

impl Happened {
    /// Its place in the ledger.
    #[must_use]
    pub fn revision(&self) -> u64 {
        match self {
            Self::Consent(past) => past.revision,
            Self::Right { revision, .. }
            | Self::Notice { revision, .. }
            | Self::Lost { revision } => *revision,
        }
    }
}

fn read(event: &Event) -> Result<Happened, HappenedError> {
    let revision = event.revision;
    Ok(match event.book {
        Book::Consent => Happened::Consent(Box::new(past(event)?)),
        Book::Right if event.action == Action::Lose.as_str() => Happened::Lost { revision },
        Book::Right => Happened::Right {
            revision,
            event: duty::read(&event.event)?,
            record: Box::new(duty::read(&event.record)?),
        },
        Book::Notice => Happened::Notice {
            revision,
            event: duty::read(&event.event)?,
            record: Box::new(duty::read(&event.record)?),
        },
    })
}
