//! Bringing in what the evidence says and a store that was put back does not have.
//!
//! Each entry becomes the next event, so that every revision is again of the record it was of. What
//! comes in this way closes and never opens: a consent that only the evidence knows is lost.

use lienthong_store::ledger::{Book, Change, Expected};

use super::{Kept, Loss, Registry, RegistryError, change::Once};
use crate::{
    fields::Fields,
    record::{ConsentEvent, ConsentId, ConsentRecord},
    state::{Action, State},
};

/// What the evidence says happened at a revision.
#[derive(Debug, Clone)]
pub enum Missed {
    /// A change of a consent.
    Consent {
        /// The consent, and what it was about.
        loss: Loss,
        /// What happened.
        action: Action,
    },
    /// Something else, of which only the place is kept.
    Other {
        /// The record it was of.
        id: [u8; 16],
    },
}

/// The record of an event of which only the place is kept.
const NOTHING_KEPT: &[u8] = br#"{"lost":true}"#;

impl Registry {
    /// Brings in the next event; gives its revision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replay(&self, missed: &Missed) -> Result<u64, RegistryError> {
        let _writer = self.writer.lock().await;
        match missed {
            Missed::Consent { loss, action } => self.replay_consent(loss, *action).await,
            Missed::Other { id } => self.keep_place(*id).await,
        }
    }

    async fn replay_consent(&self, loss: &Loss, action: Action) -> Result<u64, RegistryError> {
        let event = ConsentEvent { action, at: self.now(), by: None };
        let (record, expected) = match self.record(loss.id).await {
            Ok(Kept { mut record, revision }) => {
                record.state = closed(record.state, action);
                record.created.get_or_insert(revision);
                record.changed_at = event.at;
                (record, Expected::Revision(revision))
            }
            Err(RegistryError::Unknown) => {
                let about = (loss.id, loss.subject);
                let nothing = (Fields::default(), None);
                let scope = loss.scope.clone();
                let record = ConsentRecord::new(about, scope, nothing, State::Lost, event.at);
                (record, Expected::New)
            }
            Err(error) => return Err(error),
        };
        Ok(self.write(record, event, expected, Once::default()).await?.revision)
    }

    async fn keep_place(&self, id: [u8; 16]) -> Result<u64, RegistryError> {
        let row = self.store.ledger().record(Book::Right, id).await?;
        let (expected, subject, party) = match &row {
            Some(row) => (Expected::Revision(row.revision), row.subject, row.party.as_str()),
            None => (Expected::New, [0; 16], ""),
        };
        let place = Change {
            book: Book::Right,
            id,
            subject,
            party,
            action: Action::Lose.as_str(),
            at: self.now(),
            event: NOTHING_KEPT,
            record: row.as_ref().map_or(NOTHING_KEPT, |row| &row.record),
            open: row.as_ref().is_some_and(|row| row.open),
            due: row.as_ref().and_then(|row| row.due),
            expected,
            once: None,
            idempotency: None,
        };
        let appended = self.append(&[place]).await?;
        self.follow().await?;
        Ok(appended.last)
    }

    /// Every consent, by id, after one of them: for whoever looks for a person by another digest.
    ///
    /// # Errors
    /// When the store fails or a record cannot be read.
    pub async fn records(
        &self,
        after: Option<ConsentId>,
        limit: u32,
    ) -> Result<Vec<Kept>, RegistryError> {
        let after = after.map(|id| *id.as_bytes());
        let rows = self.store.ledger().records(Book::Consent, after, limit).await?;
        Ok(rows.iter().map(super::kept).collect::<Result<_, _>>()?)
    }
}

/// What a consent is after something that only the evidence knows. Never more than it was.
fn closed(state: State, action: Action) -> State {
    if state.is_final() {
        return state;
    }
    match action {
        // What a restriction was released for, the store cannot tell.
        Action::Release | Action::Give | Action::Refuse => State::Lost,
        other => state.after(other).unwrap_or(State::Lost),
    }
}

#[cfg(test)]
mod tests;
