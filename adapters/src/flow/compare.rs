//! The comparison of all keys of a source with what was read: it finds what no reading saw.

use super::{Flow, read::Hindrance};

/// Keys compared at once.
const PAGE: u32 = 2_000;

impl Flow {
    /// Takes the rows that were missed. Gives their number.
    ///
    /// Keys below the oldest one that is remembered are left alone: whether they were sent is not
    /// known any more.
    pub(crate) async fn compare(&self) -> Result<u64, Hindrance> {
        let outbox = self.store.outbox();
        let Some(oldest) = outbox.oldest_position(&self.config.id).await? else { return Ok(0) };
        let mut after = Some(oldest.saturating_sub(1).to_string());
        let mut missed = 0;
        loop {
            let page = self.source.keys(after.as_deref(), PAGE).await?;
            let known = outbox.known(&self.config.id, &page.keys).await?;
            let missing: Vec<String> =
                page.keys.into_iter().filter(|key| !known.contains(key)).collect();
            if !missing.is_empty() {
                missed += self.take_missed(&missing).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        if missed > 0 {
            tracing::warn!(flow = %self.config.id, missed, "rows had been missed and are taken now");
        }
        Ok(missed)
    }

    async fn take_missed(&self, keys: &[String]) -> Result<u64, Hindrance> {
        let rows = self.source.with_keys(keys).await?;
        let mut batch = self.prepare_all(&rows).await?;
        batch.rows = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let missed = batch.rows;
        self.enqueue(batch).await?;
        Ok(missed)
    }
}
