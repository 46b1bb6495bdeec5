//! Which process reads the source of a flow, where several share a database. What a reader reads it
//! takes in a transaction in which it is still the reader.

use jiff::{SignedDuration, Timestamp};
use lienthong_model::id::FlowId;

use super::{Outbox, milliseconds};
use crate::{
    StoreError,
    engine::{Transaction, tell},
};

impl Outbox<'_> {
    /// Makes `holder` the reader of a flow for so long, or keeps it that. `false` while another is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lead(
        &self,
        flow: &FlowId,
        holder: &str,
        now: Timestamp,
        length: SignedDuration,
    ) -> Result<bool, StoreError> {
        let until = milliseconds(now.saturating_add(length).unwrap_or(Timestamp::MAX));
        let mut transaction = self.store.write().await?;
        let done = tell!(
            &mut transaction,
            sqlx::query(
                "INSERT INTO reader (flow, holder, until) VALUES ($1, $2, $3)
             ON CONFLICT (flow) DO UPDATE SET holder = excluded.holder, until = excluded.until
             WHERE reader.holder = excluded.holder OR reader.until <= $4"
            )
            .bind(flow.as_str())
            .bind(holder)
            .bind(until)
            .bind(now.as_millisecond())
        )?;
        transaction.commit().await?;
        Ok(done == 1)
    }

    /// Gives the reading of a flow up, so that another may begin at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stop_leading(&self, flow: &FlowId, holder: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        tell!(
            &mut transaction,
            sqlx::query("DELETE FROM reader WHERE flow = $1 AND holder = $2")
                .bind(flow.as_str())
                .bind(holder)
        )?;
        transaction.commit().await
    }
}

/// Makes sure, within a transaction, that `holder` is the reader of a flow.
pub(super) async fn still(
    on: &mut Transaction,
    flow: &str,
    holder: Option<&str>,
) -> Result<(), StoreError> {
    let Some(holder) = holder else { return Ok(()) };
    let done = tell!(
        on,
        sqlx::query("UPDATE reader SET until = until WHERE flow = $1 AND holder = $2")
            .bind(flow)
            .bind(holder)
    )?;
    if done == 1 { Ok(()) } else { Err(StoreError::LeaseLost) }
}
