//! What is forgotten by rule: names of what is done, keys that nothing was said of for long, payloads
//! of dead messages.

use jiff::Timestamp;

use super::Outbox;
use crate::{StoreError, engine::tell};

/// What is left of a payload.
const NOTHING: &[u8] = &[];

impl Outbox<'_> {
    /// Forgets the names of messages that were done before `before`, up to `limit` of them. A row
    /// that says the same again is sent again then, so `before` must lie further back than any repeat
    /// of the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_done(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let done = "DELETE FROM known WHERE (flow, idempotency_key) IN (
             SELECT flow, idempotency_key FROM known WHERE done_at < $1 ORDER BY done_at LIMIT $2)";
        self.forget(done, before, limit).await
    }

    /// Forgets what was said of keys of which nothing was delivered or taken since `before`, up to
    /// `limit` of each: a later message of such a key counts as the first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let begun = "DELETE FROM begun WHERE (flow, kind, ordering_key) IN (
             SELECT flow, kind, ordering_key FROM begun b WHERE at < $1
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.flow = b.flow
                 AND o.ordering_key = b.ordering_key) ORDER BY at LIMIT $2)";
        let standing = "DELETE FROM standing WHERE (flow, ordering_key) IN (
             SELECT flow, ordering_key FROM standing s WHERE at < $1
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.flow = s.flow
                 AND o.ordering_key = s.ordering_key) ORDER BY at LIMIT $2)";
        Ok(self.forget(begun, before, limit).await? + self.forget(standing, before, limit).await?)
    }

    /// Erases the payloads of messages that have been dead since before `before`, up to `limit` of
    /// them. They stay dead; trying one again needs its row once more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn erase_dead(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut transaction = self.store.write().await?;
        let statement = "UPDATE outbox SET payload = $3 WHERE id IN (SELECT id FROM outbox
             WHERE state = 'dead' AND dead_at < $1 AND payload <> $3 ORDER BY dead_at LIMIT $2)";
        let (before, limit) = (before.as_millisecond(), i64::from(limit));
        let done =
            tell!(&mut transaction, sqlx::query(statement).bind(before).bind(limit).bind(NOTHING))?;
        transaction.commit().await?;
        Ok(done)
    }

    pub(super) async fn forget(
        &self,
        statement: &'static str,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.store.write().await?;
        let (before, limit) = (before.as_millisecond(), i64::from(limit));
        let done = tell!(&mut transaction, sqlx::query(statement).bind(before).bind(limit))?;
        transaction.commit().await?;
        Ok(done)
    }
}
