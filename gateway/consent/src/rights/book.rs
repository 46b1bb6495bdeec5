//! Requests in the ledger.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lienthong_model::id::OperatorId;
use lienthong_store::{
    Store,
    ledger::{Book, Expected, Idempotency, Ledger},
};

use super::{
    RightAction, RightEvent, RightId, RightKind, RightRecord, RightRequest, Step,
    duty::{self, ChangeOwned, Done, DutyError, Numbered},
};
use crate::{clocks::Holidays, keys::SubjectDigest, notice::NoticeRecord};

/// Open records that are counted at most.
pub const MOST_COUNTED: u64 = 10_000;
const PAGE: u32 = 500;

/// The requests of a store.
#[derive(Debug, Clone, Copy)]
pub struct Rights<'a> {
    ledger: Ledger<'a>,
}

/// How many are open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Open ones.
    pub open: u64,
    /// Those of them that are overdue.
    pub overdue: u64,
}

/// How many requests are open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// All.
    pub all: Tally,
    /// By kind; none where none is open.
    pub by_kind: BTreeMap<RightKind, Tally>,
    /// Fulfilled ones of which participants still have to be told.
    pub untold: u64,
    /// Whether there are more than were counted.
    pub more: bool,
}

impl Tally {
    pub(crate) fn add(&mut self, overdue: bool) {
        self.open += 1;
        self.overdue += u64::from(overdue);
    }
}

impl<'a> Rights<'a> {
    /// The requests of this store.
    #[must_use]
    pub fn new(store: &'a Store) -> Self {
        Self { ledger: store.ledger() }
    }

    /// Records a request that came. Asked again under the same key, it is what it is by then.
    ///
    /// # Errors
    /// When the id or the key stands for another request, or the store fails.
    pub async fn open(
        &self,
        request: RightRequest,
        now: Timestamp,
        holidays: &Holidays,
        idempotency: Option<Idempotency>,
    ) -> Result<Done<RightRecord>, DutyError> {
        let event = RightEvent { at: now, by: request.by.clone(), step: None };
        let record = RightRecord::received(request, now, holidays);
        let mut change = record.change(RightAction::Receive, &event, Expected::New)?;
        change.idempotency = idempotency;
        duty::append(&self.ledger, &change, record).await
    }

    /// Does something about a request whose newest revision is this one.
    ///
    /// # Errors
    /// When it is not known, has changed, does not allow it, or the store fails.
    pub async fn step(
        &self,
        id: RightId,
        expected: u64,
        step: Step,
        by: OperatorId,
        now: Timestamp,
    ) -> Result<Numbered<RightRecord>, DutyError> {
        let kept = self.record(id).await?;
        if kept.revision != expected {
            return Err(DutyError::Changed);
        }
        let record = kept.record.after(&step, now)?;
        let action = step.action();
        let event = RightEvent { at: record.changed_at, by, step: Some(step) };
        let change = record.change(action, &event, Expected::Revision(expected))?;
        duty::append(&self.ledger, &change, record).await.map(|done| done.kept().clone())
    }

    /// A request.
    ///
    /// # Errors
    /// When it is not known or the store fails.
    pub async fn record(&self, id: RightId) -> Result<Numbered<RightRecord>, DutyError> {
        duty::record(&self.ledger, Book::Right, *id.as_bytes()).await
    }

    /// The newest events of a request, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(
        &self,
        id: RightId,
        limit: u32,
    ) -> Result<Vec<Numbered<RightEvent>>, DutyError> {
        let events = self.ledger.history(Book::Right, *id.as_bytes(), limit).await?;
        duty::events(&events)
    }

    /// The requests of a person after a revision, by revision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn of_subject(
        &self,
        subject: SubjectDigest,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Numbered<RightRecord>>, DutyError> {
        let subject = *subject.as_bytes();
        duty::rows(self.ledger.of_subject(Book::Right, subject, after, limit).await?)
    }

    /// What has to be done by a time, the earliest first. By the present time: what is overdue.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due(
        &self,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Numbered<RightRecord>>, DutyError> {
        duty::rows(self.ledger.due(Book::Right, until, limit).await?)
    }

    /// Opens notices about a request, and records that everybody was told; all or nothing.
    ///
    /// # Errors
    /// When the request has changed or needs no telling, or the store fails.
    pub async fn tell(
        &self,
        kept: &Numbered<RightRecord>,
        (notices, may_hold): (&[NoticeRecord], u64),
        by: OperatorId,
        now: Timestamp,
    ) -> Result<u64, DutyError> {
        let count = u32::try_from(notices.len()).unwrap_or(u32::MAX);
        let step = Step::Tell { notices: count, may_hold };
        let record = kept.record.after(&step, now)?;
        let event = RightEvent { at: record.changed_at, by, step: Some(step) };
        let expected = Expected::Revision(kept.revision);
        let mut owned = notices.iter().map(NoticeRecord::change).collect::<Result<Vec<_>, _>>()?;
        owned.push(record.change(RightAction::Tell, &event, expected)?);
        let changes: Vec<_> = owned.iter().map(ChangeOwned::change).collect();
        Ok(self.ledger.append(&changes).await?.last)
    }

    /// The requests that are not answered, or of which participants are not told, after a revision, by revision.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unanswered(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Numbered<RightRecord>>, DutyError> {
        duty::rows(self.ledger.open(Book::Right, None, after, limit).await?)
    }

    /// How many are open and overdue, of at most [`MOST_COUNTED`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn counts(&self, now: Timestamp) -> Result<Counts, DutyError> {
        let mut counts = Counts::default();
        let mut after = 0;
        while counts.all.open + counts.untold < MOST_COUNTED {
            let page = self.unanswered(after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(counts) };
            after = last.revision;
            for kept in &page {
                if kept.record.is_untold() {
                    counts.untold += 1;
                    continue;
                }
                let overdue = kept.record.is_overdue(now);
                counts.all.add(overdue);
                counts.by_kind.entry(kept.record.kind).or_default().add(overdue);
            }
        }
        counts.more = !self.unanswered(after, 1).await?.is_empty();
        Ok(counts)
    }
}

#[cfg(test)]
mod tests;
