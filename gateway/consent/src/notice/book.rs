//! Notices in the ledger.

use jiff::Timestamp;
use lienthong_model::id::ParticipantId;
use lienthong_store::{
    Store,
    ledger::{Book, Expected, Ledger},
};

use super::{Handled, NoticeError, NoticeEvent, NoticeId, NoticeRecord};
use crate::{
    keys::SubjectDigest,
    rights::{
        MOST_COUNTED, Tally,
        duty::{self, ChangeOwned, Done, DutyError, Numbered},
    },
};

const PAGE: u32 = 500;

/// The notices of a store.
#[derive(Debug, Clone, Copy)]
pub struct Notices<'a> {
    ledger: Ledger<'a>,
}

/// How many notices are pending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoticeCounts {
    /// All.
    pub all: Tally,
    /// Whether there are more than were counted.
    pub more: bool,
}

impl<'a> Notices<'a> {
    /// The notices of this store.
    #[must_use]
    pub fn new(store: &'a Store) -> Self {
        Self { ledger: store.ledger() }
    }

    /// Opens notices, all or none.
    ///
    /// # Errors
    /// When one is there already or the store fails.
    pub async fn open(&self, notices: &[NoticeRecord]) -> Result<(), DutyError> {
        if notices.is_empty() {
            return Ok(());
        }
        let owned: Vec<ChangeOwned> =
            notices.iter().map(NoticeRecord::change).collect::<Result<_, _>>()?;
        let changes: Vec<_> = owned.iter().map(ChangeOwned::change).collect();
        self.ledger.append(&changes).await?;
        Ok(())
    }

    /// A participant says what it did. The same word again changes nothing.
    ///
    /// # Errors
    /// When the notice is not one of the participant's, is acknowledged with another word, or the
    /// store fails.
    pub async fn acknowledge(
        &self,
        participant: &ParticipantId,
        id: NoticeId,
        done: Handled,
        now: Timestamp,
    ) -> Result<Done<NoticeRecord>, DutyError> {
        let kept = self.record(id).await?;
        // SECURITY: that there is a notice for another participant is none of this one's business.
        if kept.record.participant != *participant {
            return Err(DutyError::Unknown);
        }
        match &kept.record.acknowledged {
            Some(before) if before.done == done => return Ok(Done::Before(kept)),
            Some(_) => return Err(NoticeError::Acknowledged.into()),
            None => {}
        }
        let record = kept.record.acknowledge(done, now)?;
        let Some(said) = record.acknowledged.clone() else { return Err(DutyError::Unreadable) };
        let (at, event) = (said.at, NoticeEvent::Acknowledge(said));
        let change = record.changed(&event, at, Expected::Revision(kept.revision))?;
        duty::append(&self.ledger, &change, record).await
    }

    /// A notice.
    ///
    /// # Errors
    /// When it is not known or the store fails.
    pub async fn record(&self, id: NoticeId) -> Result<Numbered<NoticeRecord>, DutyError> {
        duty::record(&self.ledger, Book::Notice, *id.as_bytes()).await
    }

    /// The events of a notice, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(
        &self,
        id: NoticeId,
        limit: u32,
    ) -> Result<Vec<Numbered<NoticeEvent>>, DutyError> {
        let events = self.ledger.history(Book::Notice, *id.as_bytes(), limit).await?;
        duty::events(&events)
    }

    /// What is pending with a participant after a revision, by revision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_participant(
        &self,
        participant: &ParticipantId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Numbered<NoticeRecord>>, DutyError> {
        let party = Some(participant.as_str());
        duty::rows(self.ledger.open(Book::Notice, party, after, limit).await?)
    }

    /// The notices about a person after a revision, by revision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_subject(
        &self,
        subject: SubjectDigest,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Numbered<NoticeRecord>>, DutyError> {
        let subject = *subject.as_bytes();
        duty::rows(self.ledger.of_subject(Book::Notice, subject, after, limit).await?)
    }

    /// What has to be acknowledged by a time, the earliest first. By the present time: what is
    /// overdue.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Numbered<NoticeRecord>>, DutyError> {
        duty::rows(self.ledger.due(Book::Notice, until, limit).await?)
    }

    /// How many are pending and overdue, of at most [`MOST_COUNTED`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn counts(&self, now: Timestamp) -> Result<NoticeCounts, DutyError> {
        let mut counts = NoticeCounts::default();
        let mut after = 0;
        while counts.all.open < MOST_COUNTED {
            let page = self.pending(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(counts) };
            after = last.revision;
            page.iter().for_each(|kept| counts.all.add(kept.record.is_overdue(now)));
        }
        counts.more = !self.pending(after, 1).await?.is_empty();
        Ok(counts)
    }

    /// What is pending with anybody after a revision, by revision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn pending(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Numbered<NoticeRecord>>, DutyError> {
        duty::rows(self.ledger.open(Book::Notice, None, after, limit).await?)
    }
}

#[cfg(test)]
mod tests;
