//! What is forgotten by rule: counts of days long gone, and what was mended long ago.

use jiff::{Timestamp, civil::Date};
use lienthong_model::{id::FlowId, quality::Marks};

use super::Quality;
use crate::{StoreError, engine::tell};

impl Quality<'_> {
    /// Forgets the counts of a flow of before a day, and what was mended before a time, up to `limit`
    /// of each. What is still to be mended stays, and counts no more on a day that is forgotten.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(
        &self,
        flow: &FlowId,
        before: Date,
        mended: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.store.write_flow(flow.as_str()).await?;
        let (flow, before, limit) = (flow.as_str(), before.to_string(), i64::from(limit));
        let none = serde_json::to_string(&Marks::default()).unwrap_or_default();
        // Its counts are gone with the day: nothing may be taken back of them.
        let still = "UPDATE quality_defect SET marks = $3 WHERE flow = $1 AND day < $2
             AND mended IS NULL AND marks <> $3";
        let on = &mut transaction;
        tell!(&mut *on, sqlx::query(still).bind(flow).bind(&before).bind(&none))?;
        let days = "DELETE FROM quality_day WHERE (flow, day, unit) IN (
             SELECT flow, day, unit FROM quality_day WHERE flow = $1 AND day < $2 LIMIT $3)";
        let gone = tell!(&mut *on, sqlx::query(days).bind(flow).bind(&before).bind(limit))?;
        let defects = "DELETE FROM quality_defect WHERE (flow, call, key) IN (
             SELECT flow, call, key FROM quality_defect WHERE flow = $1 AND mended < $2 LIMIT $3)";
        let mended = mended.as_millisecond();
        let old = tell!(on, sqlx::query(defects).bind(flow).bind(mended).bind(limit))?;
        transaction.commit().await?;
        Ok(gone.max(old))
    }
}
