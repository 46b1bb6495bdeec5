//! Reading ahead: the next rows are read, mapped, checked and sealed while the last ones are written,
//! and it is asked what is known of them.
//!
//! Only where a mark alone says what comes next. Rows that were read ahead are used only when the mark
//! that they follow is the one that is durable, and soon; else they are read again.
//!
//! INVARIANT: what was known when it was asked, and what this process has had taken since, is all there
//! is to know: nobody else takes rows of the flow while this process reads it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use lienthong_store::outbox::Batch;

use super::{
    Flow,
    prepare::{self, Drafted},
    read::Hindrance,
    scene::Scene,
};
use crate::{
    row::Row,
    source::{Mark, Reading},
};

/// How long rows may have been read before they are used.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
/// Rows after which other tasks get their turn.
const AT_ONCE: usize = 64;

/// Rows as they were read, each with what could be made of it, and what is known of them.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) rows: Vec<Row>,
    pub(super) drafts: Vec<Drafted>,
    pub(super) scene: Scene,
    /// How far that is, as [`Reading`] has it.
    pub(super) mark: Option<Mark>,
    pub(super) more: bool,
}

/// What was read ahead.
#[derive(Debug, Default)]
pub(super) struct Ahead(Mutex<Option<Kept>>);

#[derive(Debug)]
struct Kept {
    behind: Mark,
    at: Timestamp,
    read: Read,
}

impl Ahead {
    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, kept: Kept) {
        *self.kept() = Some(kept);
    }

    /// Counts in what was taken while it was read ahead.
    pub(super) fn count_in(&self, taken: &Batch) {
        if let Some(kept) = self.kept().as_mut() {
            kept.read.scene.count_in(taken);
        }
    }

    /// Lets go of what was read ahead.
    pub(super) fn forget(&self) {
        *self.kept() = None;
    }

    /// What was read behind this mark, when it was a moment ago. Whatever there is, is gone after that.
    fn take(&self, behind: Option<&Mark>, now: Timestamp) -> Option<Read> {
        let kept = self.kept().take()?;
        let is_fresh = now.duration_since(kept.at).abs() < FRESH;
        (is_fresh && Some(&kept.behind) == behind).then_some(kept.read)
    }
}

impl Flow {
    /// The next rows behind the mark that is durable.
    pub(super) async fn next(&self, mark: Option<&Mark>) -> Result<Read, Hindrance> {
        match self.ahead.take(mark, self.clock.now()) {
            Some(read) => Ok(read),
            None => self.read_behind(mark).await,
        }
    }

    /// Reads what follows a mark that will be durable. What fails here fails again when its turn comes.
    pub(super) async fn read_ahead(&self, mark: Option<&Mark>) {
        let Some(mark) = mark.filter(|_| self.source.goes_on_by_mark()) else { return };
        let at = self.clock.now();
        if let Ok(read) = self.read_behind(Some(mark)).await {
            self.ahead.put(Kept { behind: mark.clone(), at, read });
        }
    }

    async fn read_behind(&self, mark: Option<&Mark>) -> Result<Read, Hindrance> {
        let limit = self.config.source.batch;
        let reading = self.source.next(mark, limit, self.clock.now()).await?;
        let Reading { rows, mark, more } = reading;
        let (scene, drafts) = tokio::join!(self.scene(&rows), self.draft_all(&rows));
        Ok(Read { drafts, scene: scene?, rows, mark, more })
    }

    /// Maps, checks, seals and judges rows, as far as each alone can tell.
    pub(super) async fn draft_all(&self, rows: &[Row]) -> Vec<Drafted> {
        let mut drafts = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(AT_ONCE) {
            let now = self.clock.now();
            let draft = |row| prepare::drafted(&self.config, &self.kinds, &self.sealer, row, now);
            drafts.extend(chunk.iter().map(draft));
            tokio::task::yield_now().await;
        }
        drafts
    }
}

#[cfg(test)]
mod tests;
