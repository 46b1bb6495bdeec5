//! Flows that a person has paused.

use jiff::Timestamp;
use lienthong_model::id::FlowId;

use super::{Outbox, milliseconds, moment};
use crate::{
    StoreError,
    engine::{ask, tell},
};

/// Why and since when a flow is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Why, in the words of who paused it.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

impl Outbox<'_> {
    /// Pauses a flow: nothing more of it is read or sent until it is resumed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pause(&self, flow: &FlowId, why: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        tell!(
            &mut transaction,
            sqlx::query(
                "INSERT INTO pause (flow, why, at) VALUES ($1, $2, $3)
             ON CONFLICT (flow) DO UPDATE SET why = excluded.why"
            )
            .bind(flow.as_str())
            .bind(why)
            .bind(milliseconds(now))
        )?;
        transaction.commit().await
    }

    /// Lets a flow go on. `false` when it was not paused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn resume(&self, flow: &FlowId) -> Result<bool, StoreError> {
        let mut transaction = self.store.write().await?;
        let done = tell!(
            &mut transaction,
            sqlx::query("DELETE FROM pause WHERE flow = $1").bind(flow.as_str())
        )?;
        transaction.commit().await?;
        Ok(done == 1)
    }

    /// Whether a flow is paused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn paused(&self, flow: &FlowId) -> Result<Option<Pause>, StoreError> {
        let found: Option<(String, i64)> =
            ask!(&mut self.store.read().await?, |c| sqlx::query_as(
                "SELECT why, at FROM pause WHERE flow = $1"
            )
            .bind(flow.as_str())
            .fetch_optional(c))?;
        Ok(found.map(|(why, at)| Pause { why, since: moment(at) }))
    }
}
